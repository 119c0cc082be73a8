"""Writing much without standing in anybody's way: short chunks on a connection of its own, in any process."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Iterator, Mapping
from pathlib import Path
from time import monotonic, sleep
from typing import Self

from ncipd.store.connection import STORE_FILE, SqliteTransaction, connect, is_busy, prepare
from ncipd.store.lock import is_served
from ncipd.store.migrate import MIGRATIONS, is_new, load, pending
from ncipd.store.port import StoreBusy, StoreFailure, StoreRefused, Transaction
from ncipd.store.queries import as_queries

BUSY_LIMIT = 60.0  # seconds that a chunk waits for whoever else writes

_RETRY = 0.001  # a busy ncipd leaves the store free for less than a millisecond between two commits
_LONGEST_PAUSE = 0.25


@contextlib.contextmanager
def looking(folder: Path) -> Iterator[Transaction | None]:
    """Look into a store as it is, and change nothing; None where we may not, or there is none of this release's shape.

    Raises `StoreRefused` if what is there is no store.
    """
    path = folder / STORE_FILE
    if not os.access(path, os.R_OK):
        yield None
        return
    try:
        with contextlib.closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as connection:
            if is_new(connection, path) or pending(connection, load(), path):
                yield None
                return
            transaction = SqliteTransaction(connection, as_queries(None))
            transaction.begin()
            yield transaction
    except sqlite3.Error as error:
        raise StoreRefused(f"{path} cannot be read: {error}") from error


class BulkConnection:
    """A synchronous way into a store for bulk work, also while an ncipd serves it. Use it with `with`.

    Raises `StoreRefused` if the store cannot be opened, or would have to be brought up to date under a running ncipd.
    """

    def __init__(
        self,
        folder: Path,
        *,
        migrations: Path = MIGRATIONS,
        queries: Mapping[str, str] | None = None,
        busy_limit: float = BUSY_LIMIT,
    ) -> None:
        self._folder = folder
        self._busy_limit = busy_limit
        try:
            self._connection = connect(prepare(folder, migrations, None), timeout=0)
        except sqlite3.Error as error:
            raise StoreRefused(f"the store in {folder} cannot be opened: {error}") from error
        self._transaction = SqliteTransaction(self._connection, as_queries(queries))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()

    @contextlib.contextmanager
    def chunk(self) -> Iterator[Transaction]:
        """A transaction, committed at the end or undone by an exception; keep it to some milliseconds.

        While an ncipd serves the folder, as long a pause follows, so that its messages get their half of the time.
        Raises `StoreBusy` after the limit, `StoreFailure` if the commit fails.
        """
        self._begin()
        begun = monotonic()
        self._transaction.begin()
        try:
            yield self._transaction
            self._commit()
        finally:
            self._transaction.end()
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
        if is_served(self._folder):
            sleep(min(monotonic() - begun, _LONGEST_PAUSE))

    @contextlib.contextmanager
    def part(self) -> Iterator[None]:
        """Inside a chunk: what an exception undoes alone, so that one bad row does not cost the others."""
        late = self._transaction.late
        before = len(late)
        self._connection.execute("SAVEPOINT part")
        try:
            yield
        except BaseException:
            late.cut(before)
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK TO part")
                self._connection.execute("RELEASE part")
            raise
        self._connection.execute("RELEASE part")

    def _begin(self) -> None:
        until = monotonic() + self._busy_limit
        while True:
            try:
                self._connection.execute("BEGIN IMMEDIATE")
            except sqlite3.Error as error:
                if not is_busy(error):
                    raise StoreFailure(f"the store cannot be written: {error}") from error
                if monotonic() > until:
                    raise StoreBusy(
                        f"others have been writing to the store for more than {self._busy_limit:g} s"
                    ) from error
                sleep(_RETRY)
            else:
                return

    def _commit(self) -> None:
        try:
            self._transaction.late.write()
            self._connection.execute("COMMIT")
        except sqlite3.Error as error:
            raise StoreFailure(f"the store could not keep this chunk, nothing of it remains: {error}") from error
