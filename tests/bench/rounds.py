"""The measurement: ncipd and the echo in turn, at every level, round after round, and what the rounds come to.

Both are loaded in the same minute by the same generator with the same bytes, so that a slow machine, or a slow moment
of it, slows both; what counts is the ratio within a round, and the median over the rounds. Each round has a fresh copy
of the store, so that later rounds are not slower for what earlier ones left.
"""

from __future__ import annotations

import shutil
import statistics
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from tests.bench import library
from tests.bench.generating import Outcome, load
from tests.bench.server import BenchError, Server, serving
from tests.bench.traffic import ITEM, Traffic

LEVELS = (1, 16, 64, 256)  # connections
GATE_LEVEL = 64
GATE = 0.12  # ncipd's messages per second, to the echo's
SATURATED = 0.95  # of a core, that the echo must use for the comparison to mean anything
BAD = 0.01  # the part of the messages that may have another verdict than ok
SETTLE = 0.2  # seconds between runs

Tell = Callable[[str], object]


@dataclass(frozen=True)
class Plan:
    """How much is measured, and with what."""

    generator: str
    rounds: int = 5
    seconds: float = 3.0
    levels: tuple[int, ...] = LEVELS
    items: int = 20_000


@dataclass(frozen=True)
class Pair:
    """One round at one level: both servers, one after the other."""

    round: int
    connections: int
    ncipd: Outcome
    echo: Outcome

    @property
    def ratio(self) -> float:
        """How much of the echo's throughput ncipd reached."""
        return self.ncipd.per_second / self.echo.per_second


@dataclass
class Measured:
    """All rounds, the size of ncipd's answers in bytes, and how its messages were answered."""

    plan: Plan
    answer_size: int = 0
    pairs: list[Pair] = field(default_factory=list)
    verdicts: Counter[tuple[str, str]] = field(default_factory=Counter)

    def at(self, connections: int) -> list[Pair]:
        """Give the rounds at one level."""
        return [pair for pair in self.pairs if pair.connections == connections]

    def median(self, connections: int, what: Callable[[Pair], float]) -> float:
        """Give the median of something over the rounds at one level."""
        return statistics.median(what(pair) for pair in self.at(connections))

    @property
    def ratio_at_gate(self) -> float:
        """The median ratio at the level that the gate looks at."""
        return self.median(GATE_LEVEL, lambda pair: pair.ratio)

    def complaints(self) -> list[str]:
        """Say why this is no pass: an idle echo, messages refused, ncipd too slow."""
        return [*self._idle_echo(), *self._not_ok(), *self._too_slow()]

    def _idle_echo(self) -> Iterator[str]:
        core = self.median(GATE_LEVEL, lambda pair: pair.echo.core)
        if core < SATURATED:
            yield (
                f"the generator ({self.plan.generator}) drove the echo to {core:.0%} of a core at {GATE_LEVEL} "
                f"connections, and {SATURATED:.0%} are needed: the machine was busy with something else, or the "
                "generator is too slow"
            )

    def _not_ok(self) -> Iterator[str]:
        total = self.verdicts.total()
        bad = {key: count for key, count in self.verdicts.items() if key[1] != "ok"}
        if not total or sum(bad.values()) > BAD * total:
            told = ", ".join(f"{service} {verdict} ({count})" for (service, verdict), count in bad.items())
            yield f"{sum(bad.values())} of {total} messages were not answered with ok: {told or 'there were none'}"
        failed = sum(pair.ncipd.errors for pair in self.pairs)
        if failed > BAD * sum(pair.ncipd.requests for pair in self.pairs):
            yield f"{failed} connections, answers or HTTP statuses of ncipd were not as they should be"

    def _too_slow(self) -> Iterator[str]:
        if self.ratio_at_gate < GATE:
            yield f"the ratio to the echo is {self.ratio_at_gate:.3f} at {GATE_LEVEL} connections; {GATE} are required"


def measure(plan: Plan, tell: Tell) -> Measured:
    """Run all rounds; `tell` hears of the progress. Raises BenchError."""
    with tempfile.TemporaryDirectory(prefix="ncipd-bench-") as temporary:
        folder = Path(temporary)
        tell(f"filling a store with {plan.items:,} copies")
        library.fill(folder / "template", plan.items)
        measured = Measured(plan)
        for number in range(1, plan.rounds + 1):
            shutil.copytree(folder / "template", folder / "store")
            _round(plan, number, folder, measured, tell)
            shutil.rmtree(folder / "store")
    return measured


def _round(plan: Plan, number: int, folder: Path, measured: Measured, tell: Tell) -> None:
    with ExitStack() as stack:
        ncipd = stack.enter_context(serving("ncipd", folder / "store"))
        measured.answer_size = _answer_size(ncipd, folder)
        echo = stack.enter_context(serving("echo", str(measured.answer_size)))
        servers = (ncipd, echo) if number % 2 else (echo, ncipd)
        for server in servers:
            load(plan.generator, server, 16, min(1.0, plan.seconds), _traffic(plan, 0, server, folder))
        before = Counter(ncipd.verdicts())
        for level, connections in enumerate(plan.levels, 1):
            found = {}
            for server in servers:
                time.sleep(SETTLE)
                traffic = _traffic(plan, level, server, folder)
                found[server.name] = load(plan.generator, server, connections, plan.seconds, traffic)
            pair = Pair(number, connections, found["ncipd"], found["echo"])
            measured.pairs.append(pair)
            tell(
                f"round {number}/{plan.rounds}  {connections:>3} connections  ncipd {pair.ncipd.per_second:>7,.0f}/s  "
                f"echo {pair.echo.per_second:>7,.0f}/s  ratio {pair.ratio:.3f}"
            )
        measured.verdicts += Counter(ncipd.verdicts()) - before


def _traffic(plan: Plan, level: int, server: Server, folder: Path) -> Traffic:
    """Give each run copies of its own from all over the store, the first being kept for `_answer_size`."""
    step = len(plan.levels) + 1
    items = [ITEM % number for number in range(1 + level, plan.items, step)]
    return Traffic.write(folder / f"traffic-{server.name}", server.address, items, level)


def _answer_size(ncipd: Server, folder: Path) -> int:
    """Check one copy out and in again, and give the mean size of the two answers in bytes."""
    traffic = Traffic.write(folder / "traffic-first", ncipd.address, [ITEM % 0], 99_999)
    sizes = []
    for body in traffic.bodies(ITEM % 0):
        answer = ncipd.post(body)
        if b"Problem" in answer:
            raise BenchError(f"the first message was refused: {answer.decode()}")
        sizes.append(len(answer))
    return round(statistics.mean(sizes))
