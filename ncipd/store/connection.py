"""Connections to the store's one file, the way all of them must be opened, and a transaction on one."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import StrEnum
from operator import attrgetter
from pathlib import Path
from typing import Any, NoReturn, TypeVar, overload

from ncipd.circulation import model
from ncipd.store import migrate
from ncipd.store.late import LateRows
from ncipd.store.lock import FolderLock
from ncipd.store.port import ConstraintViolated, Row, StoreError, StoreFailure, StoreRefused, Value
from ncipd.store.queries import Statements

STORE_FILE = "ncipd.sqlite3"
OLDEST_SQLITE = (3, 38)  # STRICT tables, and the functions for JSON in every build

_PATIENCE = 10.0  # seconds that opening waits for another connection
_CACHE = 64 * 1024  # KiB of pages per connection
_CACHED_STATEMENTS = 512  # more than there are queries

# What the machine can do to us, as opposed to what a query does wrong.
_MACHINE = {
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_NOMEM,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_CORRUPT,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_PROTOCOL,
    sqlite3.SQLITE_NOTADB,
}

T = TypeVar("T")

# A member of an enumeration is a text already, but sqlite3 looks in three places before it believes that.
for _kind in vars(model).values():
    if isinstance(_kind, type) and issubclass(_kind, StrEnum):
        sqlite3.register_adapter(_kind, attrgetter("_value_"))


def prepare(folder: Path, migrations: Path, lock: FolderLock | None) -> Path:
    """Make `folder` hold a store of this release's shape; the path of its file.

    Without the folder's lock only an up-to-date store is taken as it is: to change it, the lock is taken for that
    time, so that no store changes under a process that serves it. Raises `StoreRefused`.
    """
    if sqlite3.sqlite_version_info < OLDEST_SQLITE:
        oldest = ".".join(map(str, OLDEST_SQLITE))
        raise StoreRefused(
            f"ncipd needs SQLite {oldest} or newer, this Python has {sqlite3.sqlite_version}; use a newer Python build"
        )
    path = folder / STORE_FILE
    known = migrate.load(migrations)
    try:
        folder.mkdir(0o700, parents=True, exist_ok=True)
        # The folder holds personal data: what we create is for our user alone (SQLite's own files follow the first).
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        with contextlib.closing(sqlite3.connect(path, timeout=_PATIENCE, isolation_level=None)) as connection:
            _bring_up_to_date(connection, path, known, lock)
    except (OSError, sqlite3.Error) as error:
        raise StoreRefused(f"{path} cannot be opened: {error}") from error
    return path


def _bring_up_to_date(
    connection: sqlite3.Connection, path: Path, known: tuple[migrate.Migration, ...], lock: FolderLock | None
) -> None:
    new = migrate.is_new(connection, path)
    if not new and not migrate.pending(connection, known, path):
        return
    own = None if lock else FolderLock(path.parent)
    try:
        if new:
            connection.execute("PRAGMA auto_vacuum = INCREMENTAL")  # must come before anything is written
            connection.execute(f"PRAGMA application_id = {migrate.APPLICATION_ID}")
        _write_ahead(connection, path)
        connection.execute("PRAGMA foreign_keys = OFF")
        for migration in migrate.pending(connection, known, path):
            migrate.apply(connection, migration, path)
    finally:
        if own:
            own.release()


def _write_ahead(connection: sqlite3.Connection, path: Path) -> None:
    (mode,) = connection.execute("PRAGMA journal_mode = WAL").fetchone()
    if mode != "wal":
        raise StoreRefused(f"{path}: write-ahead logging is not possible here; put the data folder on a local disk")


def connect(path: Path, *, timeout: float) -> sqlite3.Connection:
    """A connection to a prepared store, as durable and as strict as all must be.

    `timeout` is in seconds: how long a statement may block its thread while another connection is in the way.
    It may be used by several threads, one at a time. Raises `StoreRefused`, `sqlite3.Error`.
    """
    connection = sqlite3.connect(
        path, timeout=_PATIENCE, isolation_level=None, check_same_thread=False, cached_statements=_CACHED_STATEMENTS
    )
    try:
        _write_ahead(connection, path)
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA trusted_schema = OFF")
        connection.execute("PRAGMA temp_store = MEMORY")  # savepoints keep their undo pages there
        connection.execute(f"PRAGMA cache_size = -{_CACHE}")
        connection.execute(f"PRAGMA busy_timeout = {round(timeout * 1000)}")
    except BaseException:
        connection.close()
        raise
    return connection


def is_busy(error: sqlite3.Error) -> bool:
    """Whether another connection is in the way, and waiting helps."""
    return _code(error) in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}


def _code(error: sqlite3.Error) -> int:
    return int(getattr(error, "sqlite_errorcode", 0)) & 0xFF  # without the extended part


def _not_open(*_: object) -> NoReturn:
    raise StoreError("this transaction is over; use the one that the unit of work was given, and only while it runs")


class SqliteTransaction:
    """A `Transaction` on a connection, to be used only between `begin` and `end`."""

    __slots__ = ("_connection", "_execute", "_execute_many", "_statements", "late")

    def __init__(self, connection: sqlite3.Connection, queries: Mapping[str, str]) -> None:
        self._connection = connection
        self._statements = Statements(queries)
        self.late = LateRows(connection, queries)
        """What `later` was given; whoever commits writes it before."""
        self.end()

    def begin(self) -> None:
        """From here on it works: the connection is in a transaction."""
        self.late.clear()
        cursor = self._connection.cursor()  # one for all: each is read to its end, or left, before the next statement
        self._execute: Callable[..., sqlite3.Cursor] = cursor.execute
        self._execute_many: Callable[..., sqlite3.Cursor] = cursor.executemany

    def end(self) -> None:
        """From here on it refuses: outside a transaction each statement would commit on its own."""
        self._execute = self._execute_many = _not_open

    @overload
    def one(self, query: str, /, **params: Value) -> Row | None: ...
    @overload
    def one(self, query: str, as_: Callable[[Row], T], /, **params: Value) -> T | None: ...
    def one(self, query: str, as_: Callable[[Row], Any] | None = None, /, **params: Value) -> Any:
        """The first row, or None."""
        try:
            text, values = self._statements[query]
            row = self._execute(text, values(params)).fetchone()
        except (sqlite3.Error, KeyError) as error:
            self._fail(error, query)
        return row if as_ is None or row is None else as_(row)

    @overload
    def all(self, query: str, /, **params: Value) -> list[Row]: ...
    @overload
    def all(self, query: str, as_: Callable[[Row], T], /, **params: Value) -> list[T]: ...
    def all(self, query: str, as_: Callable[[Row], Any] | None = None, /, **params: Value) -> list[Any]:
        """All rows."""
        try:
            text, values = self._statements[query]
            rows = self._execute(text, values(params)).fetchall()
        except (sqlite3.Error, KeyError) as error:
            self._fail(error, query)
        return rows if as_ is None else [as_(row) for row in rows]

    def run(self, query: str, /, **params: Value) -> int:
        """Make a change; answers how many rows it touched."""
        try:
            text, values = self._statements[query]
            cursor = self._execute(text, values(params))
            return cursor.rowcount if cursor.description is None else len(cursor.fetchall())
        except (sqlite3.Error, KeyError) as error:
            self._fail(error, query)

    def insert(self, query: str, /, **params: Value) -> int:
        """Add one row; answers its id, from RETURNING where the query has it."""
        try:
            text, values = self._statements[query]
            cursor = self._execute(text, values(params))
            ids = None if cursor.description is None else cursor.fetchall()
        except (sqlite3.Error, KeyError) as error:
            self._fail(error, query)
        added = cursor.rowcount if ids is None else len(ids)
        if added != 1:
            raise StoreError(f"query {query!r} added {added} rows where one was meant")
        return int(ids[0][0] if ids else cursor.lastrowid or 0)

    def many(self, query: str, rows: Iterable[Mapping[str, Value]], /) -> None:
        """Make one change for each set of parameters."""
        try:
            text, values = self._statements[query]
            if "RETURNING" in text.upper():  # executemany leaves such a statement unfinished
                for row in rows:
                    self._execute(text, values(row)).fetchall()
            else:
                self._execute_many(text, map(values, rows))
        except (sqlite3.Error, KeyError) as error:
            self._fail(error, query)

    def later(self, query: str, row: dict[str, Value], /) -> int:
        """Add a row just before the commit; answers its id."""
        try:
            return self.late.add(query, row)
        except sqlite3.Error as error:
            self._fail(error, query)

    def pending(self, query: str, column: str, value: Value, /) -> Sequence[Mapping[str, Value]]:
        """List what `later` was given and is not written yet."""
        return self.late.of(query, column, value)

    def _fail(self, error: sqlite3.Error | KeyError, query: str) -> NoReturn:
        if isinstance(error, KeyError):
            if query in self._statements:
                raise TypeError(f"query {query!r} needs a value for :{error.args[0]}") from None
            raise error
        if not self._connection.in_transaction:
            self.end()  # SQLite has given up all of it: a next statement must not commit on its own
        if isinstance(error, sqlite3.IntegrityError):
            raise ConstraintViolated(f"query {query!r}: {error}") from error
        if _code(error) in _MACHINE:
            raise StoreFailure(f"query {query!r}: {error}") from error
        error.add_note(f"in the query {query!r}")
        raise error
