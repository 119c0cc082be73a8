"""`python -m tests.bench.growth`: what every service costs in a small store and in a large one.

The bundled conformance cases are put to two servers in turns, one with 10 thousand further items on loan and one with a
million. Exits 1 if a service costs more than twice as much in the large one, or if the work of a message there holds
the writer longer than 25 usual CheckOutItems; 2 if nothing could be measured.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from ncipd.circulation.model import ItemState, ItemStatus, RequestStatus
from ncipd.services import services
from ncipd.store.connection import STORE_FILE
from tests.bench import holding
from tests.bench.holding import Held
from tests.bench.server import ROOT

AGENT = ROOT / "conformance" / "agents" / "ncipd.toml"
SIZES = (10_000, 1_000_000)  # further items, each on loan to a partner for a request
LIMIT = 2.0
STOP_WITHIN = 60.0  # seconds

# One title, item, lending request and loan for each number, and a user for each tenth.
_FILL = """
CREATE TEMP TABLE n AS
    WITH RECURSIVE count (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM count WHERE i < {size}) SELECT i FROM count;
INSERT INTO record (id, agency_id, title, author)
    SELECT 1000000 + i, {agency}, 'A History of Everything, volume ' || i, 'Reader, Rosa ' || i % 977 FROM n;
INSERT INTO record_identifier (agency_id, value, code, record_id) SELECT {agency}, '99' || i, '', 1000000 + i FROM n;
INSERT INTO item (id, agency_id, record_id, barcode, status, home_library_id)
    SELECT 1000000 + i, {agency}, 1000000 + i, 'GROWN-' || i, '{on_loan}', {library} FROM n;
INSERT INTO request (id, agency_id, role, partner, identifier, status, created_at)
    SELECT 1000000 + i, {agency}, 'lending', 'ALMA-BROKER', 'GROWN-' || i, '{shipped}', {then} + i FROM n;
INSERT INTO loan (id, agency_id, item_id, partner, request_id, out_at, due_at)
    SELECT 1000000 + i, {agency}, 1000000 + i, 'ALMA-BROKER', 1000000 + i, {then} + i, {due} + i FROM n;
INSERT INTO request_item (request_id, item_id, loan_id, state)
    SELECT 1000000 + i, 1000000 + i, 1000000 + i, '{out}' FROM n;
INSERT INTO user (id, agency_id, primary_id, surname)
    SELECT 1000000 + i, {agency}, 'GROWN-' || i, 'Reader' FROM n WHERE i % 10 = 0;
INSERT INTO user_identifier (agency_id, value, type, user_id)
    SELECT {agency}, 'GROWN-' || i, 'Barcode Id', 1000000 + i FROM n WHERE i % 10 = 0;
"""
_THEN = 1_767_600_000_000_000  # 2026-01-05
_DUE = 2_083_219_200_000_000  # 2036-01-06


class GrowthError(Exception):
    """Nothing could be measured; says why."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What a service costs, in seconds for a message: the median over all rounds, for each size."""

    service: str
    small: float
    large: float

    @property
    def ratio(self) -> float:
        return self.large / self.small


def fill(folder: Path, size: int) -> None:
    """Make a store of the demonstration's data with `size` further items."""
    _serve(folder, lambda url: None)
    with closing(sqlite3.connect(folder / STORE_FILE)) as store:
        agency = store.execute("SELECT id FROM agency WHERE code = 'NCIPD-LEND'").fetchone()[0]
        library = store.execute("SELECT id FROM library WHERE agency_id = ? AND code = 'MAIN'", (agency,)).fetchone()[0]
        store.executescript(
            _FILL.format(
                size=size,
                agency=agency,
                library=library,
                on_loan=ItemStatus.ON_LOAN,
                shipped=RequestStatus.SHIPPED_PHYSICALLY,
                out=ItemState.OUT,
                then=_THEN,
                due=_DUE,
            )
        )
        store.commit()


def one_round(folder: Path) -> tuple[dict[str, float], list[Held]]:
    """Put every case to a server with a copy of this store.

    Gives the median seconds of a message by service, and how long the work of each held the store.
    """
    with tempfile.TemporaryDirectory(prefix="ncipd-growth-", dir=folder.parent) as place:
        data, report, seen, log = (Path(place) / name for name in ("data", "report.json", "seen.json", "log"))
        shutil.copytree(folder, data)

        def conform(url: str) -> None:
            command = [
                sys.executable,
                "-m",
                "broker_sim",
                "conform",
                "--target",
                url,
                "--agent",
                AGENT,
                "--jobs",
                "1",
                "--listen",
                "127.0.0.1:0",
                "--json",
                report,
            ]
            subprocess.run(command, cwd=ROOT, check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

        _serve(data, conform, watch=seen, log=log)
        if not report.exists():
            raise GrowthError("broker-sim left no report")
        return costs(json.loads(report.read_text("utf-8"))), holding.holds(seen, log)


def costs(report: dict[str, object]) -> dict[str, float]:
    """Give the median seconds of a message by service, of what a report tells of exchanges that succeeded."""
    seconds: dict[str, list[float]] = defaultdict(list)
    for scenario in report["scenarios"]:  # type: ignore[attr-defined]
        for step in scenario["steps"]:
            for exchange in step.get("exchanges", ()):
                if exchange.get("status") == 200 and exchange.get("channel") == "ncip" and exchange.get("asked"):
                    seconds[exchange["asked"]].append(exchange["seconds"])
    return {service: median(some) for service, some in seconds.items() if service in services()}


def _serve(
    data: Path, use: Callable[[str], None], *, watch: Path = Path(os.devnull), log: Path = Path(os.devnull)
) -> None:
    serve = [sys.executable, "-m", "tests.bench.holding", watch, "serve", "--demo", "--port", "0", "--data", data]
    serve += ["--log-level", "info"]  # which says what service each message asked for
    with (
        log.open("w") as errors,
        subprocess.Popen(serve, stdout=subprocess.PIPE, stderr=errors, text=True, cwd=ROOT) as ncipd,
    ):
        try:
            line = ncipd.stdout.readline() if ncipd.stdout else ""
            if not line.startswith("ncipd ready "):
                raise GrowthError(f"ncipd did not get ready with {data}")
            use(line.split()[-1])
        finally:
            ncipd.terminate()
            ncipd.wait(STOP_WITHIN)


def measure(folder: Path, rounds: int, sizes: tuple[int, int] = SIZES) -> tuple[list[Cost], list[Held]]:
    """Fill two stores, take turns, and give what every service costs in both, and how long it holds the large one."""
    stores = [folder / str(size) for size in sizes]
    for store, size in zip(stores, sizes, strict=True):
        print(f"filling a store with {size:,} items on loan …", flush=True)
        store.mkdir()
        fill(store, size)
    found: list[dict[str, list[float]]] = [defaultdict(list), defaultdict(list)]
    held: list[list[Held]] = []
    for number in range(rounds):
        for at in (0, 1) if number % 2 == 0 else (1, 0):
            print(f"round {number + 1} of {rounds}, {sizes[at]:,} items …", flush=True)
            cost, holds = one_round(stores[at])
            for service, seconds in cost.items():
                found[at][service].append(seconds)
            if at == 1:
                held.append(holds)
    small, large = found
    costs = [Cost(name, median(small[name]), median(large[name])) for name in sorted(small) if name in large]
    return costs, holding.usual_of(held)


def main(arguments: list[str] | None = None) -> int:
    """Do what the command line says; give the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.growth", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="how often each store is measured (default: %(default)s)")
    parser.add_argument("--large", type=int, default=SIZES[1], help="items in the large store (default: %(default)s)")
    asked = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="ncipd-growth-") as folder:
        try:
            found, held = measure(Path(folder), asked.rounds, (SIZES[0], asked.large))
        except GrowthError as error:
            print(f"bench: {error}", file=sys.stderr)
            return 2
    print(f"\n{'service':34}{SIZES[0]:>12,}{asked.large:>12,}  ratio\n{'':40}{'ms':>12}{'ms':>12}")
    for cost in found:
        slow = "  too slow" if cost.ratio > LIMIT else ""
        print(f"{cost.service:34}{cost.small * 1000:12.2f}{cost.large * 1000:12.2f}{cost.ratio:7.2f}{slow}")
    worst = max(found, key=lambda cost: cost.ratio)
    print(f"\n{len(found)} services; the worst is {worst.service} with {worst.ratio:.2f} (at most {LIMIT:.1f})")
    longest = told(held)
    return 0 if worst.ratio <= LIMIT and 0 < longest <= holding.LIMIT else 1


def told(held: list[Held]) -> float:
    """Print how long each service holds the store; gives the longest of the writer, in usual CheckOutItems."""
    usual = holding.unit(held)
    if not usual:
        print("\nno CheckOutItem was seen to hold the writer, so nothing can be compared with it")
        return 0.0
    title = "holds the writer (reader: the loop)"
    print(f"\n{title:42}{'usually':>10}{'at most':>12}  CheckOutItems\n{'':40}{'ms':>12}{'ms':>12}")
    for one in held:
        times = one.longest / usual
        name = one.service if one.connection == holding.WRITER else f"{one.service} ({one.connection})"
        long = "  too long" if one.connection == holding.WRITER and times > holding.LIMIT else ""
        print(f"{name:40}{one.usual * 1000:12.3f}{one.longest * 1000:12.3f}{times:7.1f}{long}")
    worst = max((one for one in held if one.connection == holding.WRITER), key=lambda one: one.longest)
    times = worst.longest / usual
    print(f"\nthe longest to hold the writer is {worst.service} with {times:.1f} (at most {holding.LIMIT:.0f})")
    return times


if __name__ == "__main__":
    sys.exit(main())
