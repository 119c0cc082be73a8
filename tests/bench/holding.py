"""How long the work of each message holds the store: the writer, which all that change something share, or the loop.

`python -m tests.bench.holding FILE serve …` is `ncipd serve …` with a watch on its store: where it ends it writes into
FILE what each unit of work took, by the correlation id of its message. The log of the same run says which service
that was.
"""

from __future__ import annotations

import json
import sys
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any, TypeVar

from ncipd import app
from ncipd.log import correlation
from ncipd.store.port import Transaction
from ncipd.store.sqlite import SqliteStore

T = TypeVar("T")
U = TypeVar("U")

WRITER, READER = "writer", "reader"
LIMIT = 25.0  # median CheckOutItems that no unit of work may hold the writer


class Watched(SqliteStore):
    """The store itself, and how long each unit of work had it."""

    into: Path
    held: list[tuple[str, str, float]]  # correlation id, which connection, seconds

    async def transact(self, work: Callable[[Any], Any], seal: Callable[[Any], Any] | None = None, /) -> Any:
        """Do `work` as the store does; a seal holds the writer too."""
        begun = Hold(self, WRITER)
        if seal is None:
            return await super().transact(begun.timed(work))
        return await super().transact(begun.timed(work), begun.timed(seal))

    async def later(self, work: Callable[[Transaction], object], /) -> None:
        """Do `work` as the store does."""
        await super().later(Hold(self, WRITER).timed(work))

    def read(self, work: Callable[[Transaction], T], /) -> T:
        """Answer as the store does."""
        return super().read(Hold(self, READER).timed(work))

    async def close(self) -> None:
        """Write down what was seen."""
        await super().close()
        self.into.write_text(json.dumps(self.held), "utf-8")


class Hold:
    """One message's hold of a connection, in one piece or in two."""

    def __init__(self, store: Watched, connection: str) -> None:
        """Begin with nothing."""
        self._held, self._at = store.held, -1
        self._of = correlation(), connection

    def timed(self, work: Callable[[U], T]) -> Callable[[U], T]:
        """Add the time of this to what is written down."""

        def timed(given: U) -> T:
            started = perf_counter()
            try:
                return work(given)
            finally:
                self._add(perf_counter() - started)

        return timed

    def _add(self, seconds: float) -> None:
        if self._at < 0:
            self._at = len(self._held)
            self._held.append((*self._of, 0.0))
        self._held[self._at] = (*self._of, self._held[self._at][2] + seconds)


@dataclass(frozen=True, slots=True)
class Held:
    """How long the messages of a service held a connection of the store, in seconds: usually, and at the longest."""

    service: str
    connection: str
    usual: float
    longest: float


def holds(seen: Path, log: Path) -> list[Held]:
    """Give what one run saw, by service and connection; what no message did (loading, tidying up) is left out."""
    lines = (json.loads(line) for line in log.read_text("utf-8").splitlines() if line.startswith("{"))
    services = {line["correlation"]: line["service"] for line in lines if line.get("event") == "message answered"}
    found: dict[tuple[str, str], list[float]] = defaultdict(list)
    for message, connection, seconds in json.loads(seen.read_text("utf-8")):
        if services.get(message):
            found[services[message], connection].append(seconds)
    return [Held(*key, median(seconds), max(seconds)) for key, seconds in sorted(found.items())]


def usual_of(rounds: Iterable[list[Held]]) -> list[Held]:
    """Bring rounds together: the median over them of both times, since a pause of the machine strikes only one."""
    found: dict[tuple[str, str], list[Held]] = defaultdict(list)
    for one in (held for held_in_round in rounds for held in held_in_round):
        found[one.service, one.connection].append(one)
    return [
        Held(*key, median(one.usual for one in some), median(one.longest for one in some))
        for key, some in sorted(found.items())
    ]


def unit(found: list[Held]) -> float:
    """Give the seconds that a CheckOutItem usually holds the writer; 0 where there was none."""
    return next((one.usual for one in found if (one.service, one.connection) == ("CheckOutItem", WRITER)), 0.0)


def main() -> None:
    """Be ncipd, watched."""
    into, *arguments = sys.argv[1:]
    Watched.into, Watched.held = Path(into), []
    app.SqliteStore = Watched  # type: ignore[misc]  # ncipd opens its store by this name
    from ncipd.cli import main as ncipd

    sys.argv = ["ncipd", *arguments]
    ncipd()


if __name__ == "__main__":
    main()
