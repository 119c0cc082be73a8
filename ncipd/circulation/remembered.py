"""What a unit of work has read, and which versions of rows it leaves: a message asks the same things repeatedly."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any, TypeVar

from ncipd.circulation.rows import only_column

if TYPE_CHECKING:
    from collections.abc import Callable

    from ncipd.circulation.model import Hold, Request, RequestItem, Task
    from ncipd.store.port import Row, Transaction, Value

T = TypeVar("T")
R = TypeVar("R", "Request", "RequestItem", "Hold", "Task")


class Remembered:
    """The rows of one transaction, each asked for once until rows of its kind change."""

    def __init__(self, tx: Transaction) -> None:
        """Begin knowing nothing."""
        self.tx = tx
        self.traces: dict[tuple[str, int], int] = {}
        # By kind, what was asked since rows of it last changed, or is known because others were asked for.
        self._seen: defaultdict[str, dict[object, Any]] = defaultdict(dict)
        self._rows: dict[tuple[str, int], Any] = {}  # the rows that have not changed since they were read

    # ------------------------------------------------------------------------------------------ what was seen

    def _all(self, kind: str, key: object, query: str, make: Callable[[Row], R], **params: Value) -> list[R]:
        """Ask for what has not been asked since rows of this kind last changed; a message asks the same repeatedly."""
        found: list[R] | None = self._seen[kind].get(key)
        if found is None:
            found = self._seen[kind][key] = self.tx.all(query, make, **params)
            for row in found:
                self._rows[kind, row.id] = row
        return found

    def _row(self, kind: str, number: int, make: Callable[[Row], T]) -> T:
        """Read a row that another refers to, unless it is known as it now is."""
        found: T | None = self._rows.get((kind, number))
        if found is None:
            found = there(self.tx.one(f"{kind}_by_id", make, id=number), kind, number)
            self._rows[kind, number] = found
        return found

    # ------------------------------------------------------------------------------------------ versions

    def touch(self, kind: str, number: int) -> None:
        """Say that what belongs to a row has changed, so that answers stored before no longer hold."""
        self._changed(kind, number, f"touch_{kind}")

    def leave(self, kind: str, number: int) -> None:
        """Say that this work has left a new row, on which its stored answer depends."""
        self._made(kind, number)

    def _made(self, kind: str, number: int) -> None:
        self._forget(kind)
        self.traces[kind, number] = 1

    def _changed(self, kind: str, number: int, query: str, **columns: Any) -> int:
        """Change a row; gives its new version, which follows from the one before where that is known."""
        key = (kind, number)
        self._forget(kind)
        row = self._rows.pop(key, None)
        if not self.tx.run(query, id=number, **columns):
            raise _missing(kind, number)
        before = self.traces.get(key) or (row and row.version)
        after: int = before + 1 if before else there(self.tx.one(f"{kind}_version", only_column, id=number), *key)
        self.traces[key] = after
        return after

    def _forget(self, kind: str) -> None:
        """Forget what was asked of rows of a kind, or by way of them."""
        self._seen.pop(kind, None)
        if kind == "request_item":
            self._seen.pop("request", None)


def there(row: T | None, kind: str, number: int) -> T:
    """Give a row that another refers to. Raises LookupError where the store has none."""
    if row is None:
        raise _missing(kind, number)
    return row


def _missing(kind: str, number: int) -> LookupError:
    return LookupError(f"the store has no {kind} {number}, though another row refers to it")
