"""What the rest of ncipd knows of its store: units of work over named queries, and the ways they fail.

A unit of work is a plain function of a `Transaction`. It is run whole or not at all, and may be run again, so it does
nothing but ask and write. Queries are called by their names in `queries.sql`; their `:parameters` are keywords.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Protocol, TypeAlias, TypeVar, overload

Value: TypeAlias = str | int | float | bytes | None
Row: TypeAlias = tuple[Any, ...]
T = TypeVar("T")
U = TypeVar("U")


class StoreError(Exception):
    """Something the store says no to."""


class StoreRefused(StoreError):
    """The store cannot be opened: in use, foreign, damaged, or of another release."""


class ConstraintViolated(StoreError):
    """A row contradicts what the store guarantees (one open loan per item, …); that statement did nothing."""


class StoreFailure(StoreError):
    """The store could not do its part (disk full, I/O error, closed); nothing of the unit of work remains."""


class StoreBusy(StoreFailure):
    """Another process held the store for longer than a unit of work may wait."""


class Transaction(Protocol):
    """One unit of work's view of the store: its own writes, and all that was committed before.

    Every method raises `KeyError` for a query that does not exist, `ConstraintViolated`, or `StoreFailure`.
    """

    @overload
    def one(self, query: str, /, **params: Value) -> Row | None: ...
    @overload
    def one(self, query: str, as_: Callable[[Row], T], /, **params: Value) -> T | None: ...

    @overload
    def all(self, query: str, /, **params: Value) -> list[Row]: ...
    @overload
    def all(self, query: str, as_: Callable[[Row], T], /, **params: Value) -> list[T]: ...

    def run(self, query: str, /, **params: Value) -> int:
        """Make a change; answers how many rows it touched."""
        ...

    def insert(self, query: str, /, **params: Value) -> int:
        """Add one row; answers its id. Raises `StoreError` if no row was added."""
        ...

    def many(self, query: str, rows: Iterable[Mapping[str, Value]], /) -> None:
        """Make one change for each set of parameters."""
        ...

    def later(self, query: str, row: dict[str, Value], /) -> int:
        """Add a row that belongs to this unit of work, as late as just before it is committed; answers its id.

        The row is written as it is at the end of the unit, sealing included. A table that is written so is written in
        no other way.
        """
        ...

    def pending(self, query: str, column: str, value: Value, /) -> Sequence[Mapping[str, Value]]:
        """List the rows that `later` was given, by this and other units, and that no query can see yet.

        Those with this value in a column, the oldest first.
        """
        ...


class Store(Protocol):
    """Units of work, each durable before its caller hears of it."""

    @property
    def ready(self) -> bool:
        """Whether units of work are taken."""
        ...

    @overload
    async def transact(self, work: Callable[[Transaction], T], /) -> T: ...
    @overload
    async def transact(self, work: Callable[[Transaction], T], seal: Callable[[T], U], /) -> U: ...
    async def transact(self, work: Callable[[Transaction], Any], seal: Callable[[Any], Any] | None = None, /) -> Any:
        """Do `work` whole and durably, or not at all.

        Whatever `work` raises is raised here, after nothing of it remains. Raises `StoreFailure` (`StoreBusy`) if the
        store could not keep it. If the caller is cancelled, `work` may or may not have been done, but never in part.
        It may be called again when all that it did has been undone: what it changes elsewhere must bear that.

        `seal` turns what `work` gave into what is answered here, still before the commit, and undoes all of it by
        raising. It neither asks nor writes, but for `later`, and is done when the work of others is done too: many of
        a kind in a row are done in half of the time.
        """
        ...

    def read(self, work: Callable[[Transaction], T], /) -> T:
        """Answer from one consistent view of what is committed; `work` must not write. Raises `StoreFailure`."""
        ...

    async def later(self, work: Callable[[Transaction], object], /) -> None:
        """Do `work` with what is committed next; nobody hears how it ended (a failure goes to the loop's log)."""
        ...

    async def close(self) -> None:
        """Finish all that was taken, take no more, let go of the files."""
        ...
