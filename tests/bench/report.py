"""What the bench says in the end: a table for people, `bench-report.json` for machines."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from tests.bench.generating import Outcome
from tests.bench.rounds import GATE, GATE_LEVEL, SATURATED, Measured, Pair

_COLUMNS = (
    "connections",
    "messages/s",
    "echo/s",
    "ratio",
    "p50 ms",
    "p99 ms",
    "CPU µs",
    "echo CPU µs",
    "core",
    "echo core",
)


def as_data(measured: Measured, machine: dict[str, object], *, quick: bool) -> dict[str, Any]:
    """Give the report: medians by number of connections, the verdict, every round, and the machine."""
    levels = measured.plan.levels
    complaints = measured.complaints()
    return {
        "ratio_to_echo": {str(at): round(measured.median(at, lambda pair: pair.ratio), 4) for at in levels},
        "cpu_us": {str(at): round(measured.median(at, lambda pair: pair.ncipd.cpu_us), 1) for at in levels},
        "ncipd": {str(at): _medians(measured, at, "ncipd") for at in levels},
        "echo": {str(at): _medians(measured, at, "echo") for at in levels},
        "gate": {
            "connections": GATE_LEVEL,
            "required_ratio": GATE,
            "ratio": round(measured.ratio_at_gate, 4),
            "required_echo_core": SATURATED,
            "passed": not complaints,
            "complaints": complaints,
        },
        "messages": {f"{service}: {verdict}": count for (service, verdict), count in sorted(measured.verdicts.items())},
        "answer_bytes": measured.answer_size,
        "quick": quick,
        "plan": asdict(measured.plan),
        "machine": machine,
        "rounds": [_pair(pair) for pair in measured.pairs],
    }


def _medians(measured: Measured, at: int, name: str) -> dict[str, float]:
    outcomes = [_outcome(getattr(pair, name)) for pair in measured.at(at)]
    return {what: sorted(each[what] for each in outcomes)[len(outcomes) // 2] for what in outcomes[0]}


def _outcome(outcome: Outcome) -> dict[str, float]:
    return {
        "per_second": round(outcome.per_second, 1),
        "p50_ms": round(outcome.p50_ms, 3),
        "p99_ms": round(outcome.p99_ms, 3),
        "cpu_us": round(outcome.cpu_us, 1),
        "core": round(outcome.core, 3),
        "errors": outcome.errors,
    }


def _pair(pair: Pair) -> dict[str, Any]:
    return {
        "round": pair.round,
        "connections": pair.connections,
        "ratio": round(pair.ratio, 4),
        "ncipd": {"requests": pair.ncipd.requests, "seconds": pair.ncipd.seconds, **_outcome(pair.ncipd)},
        "echo": {"requests": pair.echo.requests, "seconds": pair.echo.seconds, **_outcome(pair.echo)},
    }


def as_text(report: dict[str, Any]) -> str:
    """Give the table, the verdict under it, and the machine."""
    return "\n".join([*_table(report), "", *_verdict(report), *_machine(report)])


def _table(report: dict[str, Any]) -> Iterator[str]:
    widths = [max(len(name), 9) for name in _COLUMNS]
    yield "  ".join(name.rjust(width) for name, width in zip(_COLUMNS, widths, strict=True))
    for at, ratio in report["ratio_to_echo"].items():
        ncipd, echo = report["ncipd"][at], report["echo"][at]
        cells = (
            at,
            f"{ncipd['per_second']:,.0f}",
            f"{echo['per_second']:,.0f}",
            f"{ratio:.3f}",
            f"{ncipd['p50_ms']:.2f}",
            f"{ncipd['p99_ms']:.2f}",
            f"{ncipd['cpu_us']:.0f}",
            f"{echo['cpu_us']:.0f}",
            f"{ncipd['core']:.0%}",
            f"{echo['core']:.0%}",
        )
        yield "  ".join(cell.rjust(width) for cell, width in zip(cells, widths, strict=True))


def _verdict(report: dict[str, Any]) -> Iterator[str]:
    gate, messages = report["gate"], report["messages"]
    ok = sum(count for name, count in messages.items() if name.endswith(": ok"))
    rounds, seconds = report["plan"]["rounds"], report["plan"]["seconds"]
    total = sum(messages.values())
    yield f"Medians of {rounds} round{'s' if rounds > 1 else ''} of {seconds:g} s; {ok:,} of {total:,} messages ok."
    word, at = "passed" if gate["passed"] else "FAILED", f"at {gate['connections']} connections"
    yield f"Gate {word}: ratio {gate['ratio']:.3f} {at}, {gate['required_ratio']} required."
    yield from (f"  {complaint}" for complaint in gate["complaints"])


def _machine(report: dict[str, Any]) -> Iterator[str]:
    machine = report["machine"]
    yield (
        f"Python {machine['python']}, {machine['loop']}, SQLite {machine['sqlite']}, {machine['generator']}; "
        f"{machine['cores']} × {machine['processor']}; {machine['file_system']}, {machine['sync_ms']:.2f} ms to sync; "
        f"load {machine['load_average']} at the start."
    )
