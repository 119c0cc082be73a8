"""Rows that are written just before the commit, many at once: what is only ever added, and read by nobody meanwhile.

The audit trail is most of what a message writes. Taken out of the unit of work and written by the thread that commits,
a row of it costs a fifth, and the event loop does something else in the meantime.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from typing import Any

from ncipd.store.port import Value
from ncipd.store.words import Said, blocks

_ADDED = re.compile(r"(INSERT INTO (\w+) .*\bVALUES) *\(([^()]*)\)\s*$", re.DOTALL)
_AT_ONCE = (32, 8, 1)  # rows in one statement


def _blocks(rows: Iterable[Mapping[str, Value]]) -> list[dict[str, Value]]:
    said: Any = sorted(Said(**row) for row in rows)  # type: ignore[arg-type]  # in the order of their lines
    return [{"journal": journal, "at": at, "words": words} for journal, at, words in blocks(said)]


#: What becomes of the rows of a query before they are written.
FOLDS: Mapping[str, Callable[[Iterable[Mapping[str, Value]]], Sequence[Mapping[str, Value]]]] = {
    "insert_message_body": _blocks
}


class LateRows:
    """The rows of one transaction that are yet to be written."""

    def __init__(self, connection: sqlite3.Connection, queries: Mapping[str, str]) -> None:
        self._connection = connection
        self._queries = queries
        self._rows: dict[str, list[Mapping[str, Value]]] = {}
        self._found: dict[str, dict[str, dict[Value, list[Mapping[str, Value]]]]] = {}  # by the columns once asked for
        self._order: list[str] = []  # the queries in the order in which their rows came
        self._last: dict[str, int] = {}  # the newest id in each table, by query

    def __len__(self) -> int:
        return len(self._order)

    def clear(self) -> None:
        """Begin anew, with a new transaction."""
        self._rows.clear()
        for columns in self._found.values():
            for found in columns.values():
                found.clear()
        self._order.clear()
        self._last.clear()

    def cut(self, length: int) -> None:
        """Forget all but the first so many: the unit of work that gave the others is undone."""
        while len(self._order) > length:
            query = self._order.pop()
            row = self._rows[query].pop()
            for column, found in self._found.get(query, {}).items():
                found[row[column]].pop()

    def add(self, query: str, row: dict[str, Value]) -> int:
        """Take a row; answers the id that it will have, 0 where the query writes none. Raises `KeyError`.

        It is written as it then is: what gave it may still complete it.
        """
        number = 0
        names = _parts(self._queries[query])[2]
        if "id" in names:
            last = self._last.get(query)
            number = row["id"] = (self._newest(query) if last is None else last) + 1
            self._last[query] = number
        self._order.append(query)
        self._rows.setdefault(query, []).append(row)
        for column, found in self._found.get(query, {}).items():
            found.setdefault(row[column], []).append(row)
        return number

    def of(self, query: str, column: str, value: Value) -> Sequence[Mapping[str, Value]]:
        """List the rows of a query with this value in a column, the oldest first."""
        columns = self._found.setdefault(query, {})
        if column not in columns:
            found = columns[column] = {}
            for row in self._rows.get(query, ()):
                found.setdefault(row[column], []).append(row)
        return columns[column].get(value, ())

    def write(self) -> None:
        """Write all of it, each query's rows in the order in which they came. Raises `sqlite3.Error`."""
        for query, rows in self._rows.items():
            fold = FOLDS.get(query)
            self._insert(query, fold(rows) if fold else rows)
        self.clear()

    def _insert(self, query: str, rows: Sequence[Mapping[str, Value]]) -> None:
        head, _, names = _parts(self._queries[query])
        start = 0
        while start < len(rows):
            size = next(size for size in _AT_ONCE if size <= len(rows) - start)
            values = [row[name] for row in rows[start : start + size] for name in names]
            self._connection.execute(_several(head, len(names), size), values)
            start += size

    def _newest(self, query: str) -> int:
        table = _parts(self._queries[query])[1]
        (number,) = self._connection.execute(f"SELECT max(id) FROM {table}").fetchone()  # noqa: S608 - from our own SQL
        return int(number or 0)


@cache
def _parts(sql: str) -> tuple[str, str, tuple[str, ...]]:
    """Give the text up to its values, the table, and the parameters of a statement that adds one row."""
    added = _ADDED.match(sql)
    if added is None:
        message = "only a query that adds one row of plain parameters can be written later, not"
        raise ValueError(f"{message} {' '.join(sql.split())[:60]!r}")
    return added[1], added[2], tuple(name.strip().removeprefix(":") for name in added[3].split(","))


@cache
def _several(head: str, columns: int, rows: int) -> str:
    one = f"({', '.join('?' * columns)})"
    return f"{head} {', '.join([one] * rows)}"
