"""The store on SQLite: one connection that writes, one that reads, in one folder that one process serves."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Self, TypeVar, overload

from ncipd.store.connection import SqliteTransaction, connect, prepare
from ncipd.store.lock import FolderLock
from ncipd.store.migrate import MIGRATIONS
from ncipd.store.port import StoreFailure, StoreRefused, Transaction
from ncipd.store.queries import Queries, as_queries
from ncipd.store.writer import Unit, Writer, report

QUEUE = 4096  # units of work waiting before `later` waits too
BUSY_LIMIT = 10.0  # seconds that a unit of work waits for another process

_READER_PATIENCE = 1.0  # seconds; in WAL mode a reader waits only for recovery and such

T = TypeVar("T")
U = TypeVar("U")


class SqliteStore:
    """A `Store` in one folder. All its methods are for one event loop's thread; units of work run there too."""

    def __init__(
        self,
        path: Path,
        queries: Queries,
        *,
        lock: FolderLock | None = None,
        on_commit: Callable[[float, int], None] | None = None,
        busy_limit: float = BUSY_LIMIT,
    ) -> None:
        self._lock = lock
        self._reader = connect(path, timeout=_READER_PATIENCE)
        self._reader.execute("PRAGMA query_only = ON")
        self._view = SqliteTransaction(self._reader, queries)
        self._writer = Writer(connect(path, timeout=0), queries, on_commit=on_commit, busy_limit=busy_limit)
        self._open = True

    @classmethod
    def open(
        cls,
        folder: Path,
        *,
        exclusive: bool = True,
        migrations: Path = MIGRATIONS,
        queries: Mapping[str, str] | None = None,
        on_commit: Callable[[float, int], None] | None = None,
        busy_limit: float = BUSY_LIMIT,
    ) -> SqliteStore:
        """The store in `folder`, made or brought up to date if need be. Raises `StoreRefused`.

        `exclusive`: nobody else may serve the folder. `on_commit(seconds, units)` is told of each commit.
        `busy_limit`: seconds that a unit of work waits for another process.
        """
        lock = None
        try:
            if exclusive:
                folder.mkdir(0o700, parents=True, exist_ok=True)
                lock = FolderLock(folder)
            path = prepare(folder, migrations, lock)
            return cls(path, as_queries(queries), lock=lock, on_commit=on_commit, busy_limit=busy_limit)
        except (OSError, sqlite3.Error) as error:
            _release(lock)
            raise StoreRefused(f"the store in {folder} cannot be opened: {error}") from error
        except BaseException:
            _release(lock)
            raise

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    @property
    def ready(self) -> bool:
        """Whether units of work are taken."""
        return self._open and self._writer.ready

    @overload
    async def transact(self, work: Callable[[Transaction], T], /) -> T: ...
    @overload
    async def transact(self, work: Callable[[Transaction], T], seal: Callable[[T], U], /) -> U: ...
    async def transact(self, work: Callable[[Transaction], Any], seal: Callable[[Any], Any] | None = None, /) -> Any:
        """Do `work` whole and durably, or not at all; see `Store`."""
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._writer.take(Unit(work, answer, seal))
        return await answer

    async def later(self, work: Callable[[Transaction], object], /) -> None:
        """Do `work` with what is committed next; see `Store`. Waits only while very much else waits."""
        if self._writer.waiting < QUEUE:
            self._writer.take(Unit(work, None))
            return
        try:
            await self.transact(work)
        except Exception as error:  # noqa: BLE001  # nobody hears
            report(error)

    def read(self, work: Callable[[Transaction], T], /) -> T:
        """Answer from one consistent view of what is committed; see `Store`. A read within a read shares its view."""
        if not self._open:
            raise StoreFailure("the store is closed")
        if self._reader.in_transaction:
            return work(self._view)
        try:
            self._reader.execute("BEGIN")
        except sqlite3.Error as error:
            raise StoreFailure(f"the store cannot be read: {error}") from error
        self._view.begin()
        try:
            return work(self._view)
        finally:
            self._view.end()
            with contextlib.suppress(sqlite3.Error):  # after an I/O error there is nothing left to end
                self._reader.execute("ROLLBACK")

    async def close(self) -> None:
        """Finish all that was taken, take no more, let go of the files; may be called twice."""
        if not self._open:
            return
        self._open = False
        await self._writer.close()
        self._reader.close()
        _release(self._lock)


def _release(lock: FolderLock | None) -> None:
    if lock:
        lock.release()
