"""Named queries, read from a file that people read too.

An entry is `-- name: find_item`, a comment line that says what it is for, then one SELECT, INSERT, UPDATE, DELETE or
WITH with `:parameters`. Transactions are not a query's business, so no other statement is allowed. `{request_item}`
stands for the columns of that table that the row type `RequestItem` has as its fields, in their order.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from operator import itemgetter
from pathlib import Path
from typing import Any, NamedTuple

from ncipd.circulation import model

QUERIES = Path(__file__).with_name("queries.sql")

_NAME = re.compile(r"--\s*name:\s*(.*?)\s*$")
_IDENTIFIER = re.compile(r"[a-z][a-z0-9_]*$")
_STATEMENT = re.compile(r"(SELECT|INSERT|UPDATE|DELETE|WITH)\b", re.IGNORECASE)
_COLUMNS = re.compile(r"\{([a-z_]+)\}")
_PARAMETER = re.compile(r"'[^']*'|--[^\n]*|(?<![:\w]):(?P<name>[A-Za-z_]\w*)")


class QueryFileError(ValueError):
    """A file of queries breaks its own rules; says where and what to do."""


class Queries(dict[str, str]):
    """SQL by name; a name that is not there is explained."""

    def __missing__(self, name: str) -> str:
        raise KeyError(f"no query is named {name!r}; the names are those of the `-- name:` lines in queries.sql")


class Statement(NamedTuple):
    """A query as SQLite takes it soonest: numbered parameters in its text, and what puts their values in order."""

    text: str
    values: Callable[[Mapping[str, Any]], tuple[Any, ...]]


class Statements(dict[str, Statement]):
    """Statements by the name of their query, each made when it is first wanted."""

    def __init__(self, queries: Mapping[str, str]) -> None:
        super().__init__()
        self._queries = queries

    def __missing__(self, name: str) -> Statement:
        """Make the statement of a query."""
        made = self[name] = statement(self._queries[name])
        return made


def load(path: Path = QUERIES, columns: Mapping[str, Sequence[str]] | None = None) -> Queries:
    """All queries of a file, by name; `columns` by table are the row types' unless given. Raises `QueryFileError`."""
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise QueryFileError(f"{path}: cannot be read: {error}") from error
    columns = row_columns() if columns is None else columns
    found = Queries()
    for line, name, body in _entries(path, text):
        where = f"{path}:{line}: query {name!r}"
        if not _IDENTIFIER.match(name):
            raise QueryFileError(f"{where}: a name is lower-case letters, digits and underscores, like find_item")
        if name in found:
            raise QueryFileError(f"{where}: this name is taken by an earlier query; give one of them another name")
        found[name] = _with_columns(where, _sql(where, body), columns)
    return found


def row_columns() -> dict[str, tuple[str, ...]]:
    """The fields of every row type, by the table it is a row of: `RequestItem` is of `request_item`."""
    return {
        re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower(): kind._fields
        for name, kind in vars(model).items()
        if isinstance(kind, type) and issubclass(kind, tuple) and hasattr(kind, "_fields")
    }


def statements(script: str) -> Iterator[str]:
    """The statements of an SQL script, in order; `;` in texts, comments and trigger bodies ends nothing.

    Raises `ValueError` if something stands after the last `;`.
    """
    statement = ""
    for piece in re.split(r"(?<=;)", script):
        statement += piece
        if sqlite3.complete_statement(statement):
            if not _is_blank(statement.removesuffix(";")):
                yield statement.strip()
            statement = ""
    if not _is_blank(statement):
        raise ValueError(f"no `;` ends the statement that begins {' '.join(statement.split())[:60]!r}")


def parameters(sql: str) -> tuple[str, ...]:
    """The names of a query's `:parameters`, in the order in which they first stand there."""
    return tuple(dict.fromkeys(found["name"] for found in _PARAMETER.finditer(sql) if found["name"]))


def statement(sql: str) -> Statement:
    """Number the parameters of a query: SQLite looks each name up from the first, and Python each in turn."""
    names = parameters(sql)
    numbers = {name: f"?{number}" for number, name in enumerate(names, 1)}
    text = _PARAMETER.sub(lambda found: numbers[found["name"]] if found["name"] else found[0], sql)
    return Statement(text, values_of(names))


def values_of(names: Sequence[str]) -> Callable[[Mapping[str, Any]], tuple[Any, ...]]:
    """Give what takes the values of these names out of a mapping, in their order. It raises `KeyError`."""
    if len(names) > 1:
        return itemgetter(*names)
    if not names:
        return lambda params: ()  # noqa: ARG005 - called as the others are
    (name,) = names
    return lambda params: (params[name],)


def _entries(path: Path, text: str) -> Iterator[tuple[int, str, list[str]]]:
    entry: tuple[int, str, list[str]] | None = None
    for number, line in enumerate(text.splitlines(), 1):
        if match := _NAME.match(line):
            if entry:
                yield entry
            entry = (number, match[1], [])
        elif entry:
            entry[2].append(line)
        elif not _is_blank(line):
            raise QueryFileError(f"{path}:{number}: SQL before the first `-- name:` line; give it a name")
    if entry:
        yield entry


def _sql(where: str, body: list[str]) -> str:
    purpose = body[0].strip() if body else ""
    if not purpose.startswith("--") or not purpose.lstrip("- "):
        raise QueryFileError(f"{where}: the line after its name must say in a comment what it is for")
    # Whole comment lines go: what follows a query may be the heading of the next group.
    sql = "\n".join(line for line in body if line.strip() and not line.lstrip().startswith("--")).strip()
    if not sql:
        raise QueryFileError(f"{where}: there is no SQL after its purpose")
    try:
        found = list(statements(sql if sql.endswith(";") else sql + "\n;"))
    except ValueError as error:
        raise QueryFileError(f"{where}: {error}") from error
    if len(found) != 1:
        raise QueryFileError(f"{where}: holds {len(found)} statements; give each its own name")
    if not _STATEMENT.match(found[0]):
        raise QueryFileError(
            f"{where}: begins with {found[0].split()[0]!r}; only SELECT, INSERT, UPDATE, DELETE, WITH do"
        )
    return found[0].removesuffix(";").rstrip()


def _with_columns(where: str, sql: str, columns: Mapping[str, Sequence[str]]) -> str:
    def listed(match: re.Match[str]) -> str:
        table = match[1]
        if table not in columns:
            raise QueryFileError(
                f"{where}: no row type has the columns {match[0]}; known are {', '.join(sorted(columns))}"
            )
        return ", ".join(f"{table}.{column}" for column in columns[table])

    return _COLUMNS.sub(listed, sql)


def _is_blank(sql: str) -> bool:
    """Whether there is nothing but space and comments."""
    return not re.sub(r"--[^\n]*|/\*.*?\*/", "", sql, flags=re.DOTALL).strip()


def as_queries(queries: Mapping[str, str] | None) -> Queries:
    """The given queries, or the bundled ones."""
    return load() if queries is None else Queries(queries)
