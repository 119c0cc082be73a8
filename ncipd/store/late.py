"""Rows that are written just before the commit, many at once: what is only ever added, and read by nobody meanwhile.

The audit trail is most of what a message writes. Taken out of the unit of work and written for a whole batch, a row of
it costs a fifth.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from itertools import chain

from ncipd.store.port import Value
from ncipd.store.queries import values_of
from ncipd.store.words import Said, blocks

_ADDED = re.compile(r"(INSERT INTO (\w+) .*\bVALUES) *\(([^()]*)\)\s*$", re.DOTALL)
_AT_ONCE = (32, 8, 1)  # rows in one statement
_SAID = values_of(Said._fields)


def _blocks(rows: Iterable[Mapping[str, Value]]) -> list[dict[str, Value]]:
    said = sorted(map(Said._make, map(_SAID, rows)))  # in the order of their lines
    return [{"journal": journal, "at": at, "words": words} for journal, at, words in blocks(said)]


#: What becomes of the rows of a query before they are written.
FOLDS: Mapping[str, Callable[[Iterable[Mapping[str, Value]]], Sequence[Mapping[str, Value]]]] = {
    "insert_message_body": _blocks
}


class _Rows:
    """The rows of one query that are yet to be written."""

    __slots__ = ("fold", "found", "head", "last", "names", "numbered", "rows", "table", "values")

    def __init__(self, query: str, sql: str) -> None:
        added = _ADDED.match(sql)
        if added is None:
            message = "only a query that adds one row of plain parameters can be written later, not"
            raise ValueError(f"{message} {' '.join(sql.split())[:60]!r}")
        self.head, self.table = added[1], added[2]
        self.names = [name.strip().removeprefix(":") for name in added[3].split(",")]
        self.numbered = "id" in self.names
        self.values = values_of(self.names)
        self.fold = FOLDS.get(query)
        self.rows: list[Mapping[str, Value]] = []
        self.found: dict[str, dict[Value, list[Mapping[str, Value]]]] = {}  # by the columns once asked for
        self.last: int | None = None  # the newest id in the table, where it was asked for

    def clear(self) -> None:
        self.rows.clear()
        for found in self.found.values():
            found.clear()
        self.last = None

    def write(self, connection: sqlite3.Connection) -> None:
        rows = self.fold(self.rows) if self.fold else self.rows
        start = 0
        while start < len(rows):
            size = next(size for size in _AT_ONCE if size <= len(rows) - start)
            values = list(chain.from_iterable(map(self.values, rows[start : start + size])))
            connection.execute(_several(self.head, len(self.names), size), values)
            start += size


class _Known(dict[str, _Rows]):
    """The rows of each query that was ever given any; made when it is first wanted. Raises `KeyError`."""

    def __init__(self, queries: Mapping[str, str]) -> None:
        super().__init__()
        self._queries = queries

    def __missing__(self, query: str) -> _Rows:
        made = self[query] = _Rows(query, self._queries[query])
        return made


class LateRows:
    """The rows of one transaction that are yet to be written."""

    def __init__(self, connection: sqlite3.Connection, queries: Mapping[str, str]) -> None:
        self._connection = connection
        self._known = _Known(queries)
        self._order: list[_Rows] = []  # whose rows came, in the order in which they did

    def __len__(self) -> int:
        return len(self._order)

    def clear(self) -> None:
        """Begin anew, with a new transaction."""
        for kind in self._known.values():
            kind.clear()
        self._order.clear()

    def cut(self, length: int) -> None:
        """Forget all but the first so many: the unit of work that gave the others is undone."""
        while len(self._order) > length:
            kind = self._order.pop()
            row = kind.rows.pop()
            for column, found in kind.found.items():
                found[row[column]].pop()

    def add(self, query: str, row: dict[str, Value]) -> int:
        """Take a row; answers the id that it will have, 0 where the query writes none. Raises `KeyError`.

        It is written as it then is: what gave it may still complete it.
        """
        kind = self._known[query]
        number = 0
        if kind.numbered:
            number = kind.last = row["id"] = (self._newest(kind) if kind.last is None else kind.last) + 1
        kind.rows.append(row)
        for column, found in kind.found.items():
            found.setdefault(row[column], []).append(row)
        self._order.append(kind)
        return number

    def of(self, query: str, column: str, value: Value) -> Sequence[Mapping[str, Value]]:
        """List the rows of a query with this value in a column, the oldest first."""
        kind = self._known[query]
        if column not in kind.found:
            found = kind.found[column] = {}
            for row in kind.rows:
                found.setdefault(row[column], []).append(row)
        return kind.found[column].get(value, ())

    def write(self) -> None:
        """Write all of it, each query's rows in the order in which they came. Raises `sqlite3.Error`."""
        for kind in dict.fromkeys(self._order):
            kind.write(self._connection)
        self.clear()

    def _newest(self, kind: _Rows) -> int:
        (number,) = self._connection.execute(f"SELECT max(id) FROM {kind.table}").fetchone()  # noqa: S608 - our own SQL
        return int(number or 0)


@cache
def _several(head: str, columns: int, rows: int) -> str:
    one = f"({', '.join('?' * columns)})"
    return f"{head} {', '.join([one] * rows)}"
