"""`python -m tests.bench`: ncipd beside a bare echo.

Exits 1 if ncipd is slower than it must be or the comparison is worth nothing, 2 if nothing could be measured.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from tests.bench.generating import GENERATORS, preferred
from tests.bench.machine import facts
from tests.bench.report import as_data, as_text
from tests.bench.rounds import Plan, measure
from tests.bench.server import ROOT, BenchError


def main(arguments: list[str] | None = None) -> int:
    """Do what the command line says; give the exit status."""
    asked = _arguments(arguments)
    plan = Plan(asked.generator, rounds=1, seconds=1.0) if asked.quick else Plan(asked.generator)
    return bench(plan, asked.report, quick=asked.quick)


def bench(plan: Plan, file: Path, *, quick: bool = False) -> int:
    """Measure, print the table, write the report; give the exit status."""
    machine = facts(plan.generator)
    try:
        measured = measure(plan, lambda line: print(line, flush=True))
    except BenchError as error:
        print(f"bench: {error}", file=sys.stderr)
        return 2
    report = as_data(measured, machine, quick=quick)
    file.write_text(json.dumps(report, indent=2, ensure_ascii=False) + "\n", "utf-8")
    print(f"\n{as_text(report)}\nWritten to {file}.")
    return 0 if report["gate"]["passed"] else 1


def _arguments(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description="Measure ncipd beside a bare echo.")
    parser.add_argument("--quick", action="store_true", help="one round of one second, for a look during development")
    parser.add_argument(
        "--generator",
        choices=sorted(GENERATORS),
        default=preferred(),
        help="what makes the load (default: %(default)s)",
    )
    parser.add_argument("--report", type=Path, default=ROOT / "bench-report.json", help="where the report is written")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
