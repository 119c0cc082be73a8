"""The one connection that writes: units of work in batches, one durable commit for each batch.

Units of work run in the event loop's thread, as they come, all inside one transaction. COMMIT, which waits for the
disk, runs in a thread of its own; what arrives meanwhile waits in a queue and is the next batch. So the slower the
disk, the more messages share one commit, and the loop never waits for it. At any moment the connection belongs to one
of the two threads:

    idle ──take──▶ turn ──▶ turn ──▶ commit (thread) ──▶ settle ──▶ turn, or idle
                    ╰──busy: another process writes──▶ turn, a little later

Units of a turn are sealed together, when the work of all of them is done: what is done many times in a row is done in
half of the time, as neither its code nor its data has left the processor.

What fails before it has changed anything, as nearly all that fails does, leaves nothing to undo. For any other failure
the batch is undone and done again, now with a SAVEPOINT around each unit, so that only the failed ones leave nothing:
a SAVEPOINT copies every page that a unit touches, and is worth that only where there is something to go back to.

Nobody hears anything, good or bad, of a unit of work before its batch is committed: an error may rest on what another
unit of the batch had written. If the commit fails, all of the batch fails, and nothing of it remains.

What the units of the batch left for later is written just before the commit. The commit thread also brings the
write-ahead log into the database, between two batches, when those who wait for the commit have already been answered.
"""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import threading
from collections import deque
from collections.abc import Callable, Mapping
from queue import SimpleQueue
from time import monotonic, perf_counter
from typing import Any

from ncipd.store.connection import SqliteTransaction, is_busy
from ncipd.store.port import StoreBusy, StoreFailure, Transaction

BATCH = 256  # units of work in one transaction
TURN = 0.005  # seconds of units of work before the loop may do something else
TURNS = 4  # in one transaction

_FIRST_RETRY = 0.001  # seconds until the next try while another process writes …
_LAST_RETRY = 0.025  # … and at most, doubling

_CHECKPOINT = 8000  # row changes between checkpoints, some milliseconds each: each page is brought over once
_LOG_LIMIT = 16_000  # pages of log at which a commit makes the checkpoint itself, come what may


class Unit:
    """A unit of work on its way: what to do, who waits for it, how it went."""

    __slots__ = ("answer", "error", "result", "seal", "since", "work")

    def __init__(
        self,
        work: Callable[[Transaction], object],
        answer: asyncio.Future[Any] | None,
        seal: Callable[[Any], object] | None = None,
    ) -> None:
        self.work = work
        self.answer = answer
        self.seal = seal
        self.since = monotonic()
        self.result: object = None
        self.error: BaseException | None = None

    @property
    def abandoned(self) -> bool:
        """Whether the caller went away before it heard."""
        return self.answer is not None and self.answer.done()


class Writer:
    """Does units of work on a connection of its own, which it closes. For one event loop's thread.

    `on_commit(seconds, units)` is told of each commit. `busy_limit`: seconds that a unit waits for another process.
    """

    def __init__(
        self,
        connection: sqlite3.Connection,
        queries: Mapping[str, str],
        *,
        on_commit: Callable[[float, int], None] | None,
        busy_limit: float,
    ) -> None:
        connection.execute(f"PRAGMA wal_autocheckpoint = {_LOG_LIMIT}")
        self._connection = connection
        self._transaction = SqliteTransaction(connection, queries)
        self._on_commit = on_commit
        self._busy_limit = busy_limit

        self._queue: deque[Unit] = deque()
        self._batch: list[Unit] = []
        self._turns = 0  # taken in the open transaction; 0: none is open
        self._alone = False  # whether each unit of it has its own SAVEPOINT
        self._retry = _FIRST_RETRY
        self._at_work = False  # a turn is due, or a commit under way
        self._open = True
        self._idle: asyncio.Future[None] | None = None  # for who closes

        self._checkpointed_at = 0
        self._commits: SimpleQueue[asyncio.AbstractEventLoop | None] = SimpleQueue()  # who wants one; None: the end
        self._thread = threading.Thread(target=self._commit_all, name="ncipd-commit", daemon=True)
        self._thread.start()

    @property
    def ready(self) -> bool:
        """Whether units of work are taken."""
        return self._open and self._thread.is_alive()

    @property
    def waiting(self) -> int:
        """How many units of work have not begun."""
        return len(self._queue)

    async def close(self) -> None:
        """Finish all that was taken, take no more."""
        self._open = False
        if self._at_work:
            self._idle = asyncio.get_running_loop().create_future()
            await self._idle
        self._commits.put(None)
        await asyncio.to_thread(self._thread.join)
        self._connection.close()

    # --- in the loop's thread ----------------------------------------------------------------------------------------

    def take(self, unit: Unit) -> None:
        """Do this unit of work in its turn, and tell its future. Raises `StoreFailure` if closed."""
        if not self._open:
            raise StoreFailure("the store is closed; nothing more is taken")
        self._queue.append(unit)
        if not self._at_work:
            self._at_work = True
            # Not at once: what else is ready in this round of the loop shares the commit.
            asyncio.get_running_loop().call_soon(self._turn)

    def _turn(self) -> None:
        """Do what waits, for a short while; then commit, or go on in the same transaction after a breath."""
        if not self._turns and not self._begin():
            return
        self._turns += 1
        until = perf_counter() + TURN
        before = len(self._batch)
        try:
            while self._queue and len(self._batch) < BATCH and perf_counter() < until:
                unit = self._queue.popleft()
                if not unit.abandoned:
                    self._batch.append(unit)
                    (self._do_alone if self._alone else self._do)(unit)
            if not self._alone:
                self._seal(self._batch[before:])
            more = self._queue and len(self._batch) < BATCH and self._turns < TURNS
            if not more:
                self._transaction.late.write()
                self._transaction.end()
        except Exception as error:  # noqa: BLE001 - whatever it is, those who wait must hear of it
            self._transaction.end()
            self._roll_back()
            self._settle(error)
            self._rest()
            return
        loop = asyncio.get_running_loop()
        if more:
            loop.call_soon(self._turn)
        else:
            self._commits.put(loop)

    def _begin(self) -> bool:
        while self._queue and self._queue[0].abandoned:
            self._queue.popleft()
        if not self._queue:
            self._rest()
            return False
        try:
            self._connection.execute("BEGIN IMMEDIATE")
        except sqlite3.Error as error:
            if is_busy(error):
                self._try_later()
            else:
                self._fail_queue(error)
            return False
        self._transaction.begin()
        self._alone = False
        self._retry = _FIRST_RETRY
        return True

    def _do(self, unit: Unit) -> None:
        """One unit of work, whole or not at all. Raises `sqlite3.Error`, `StoreFailure` if the transaction is lost."""
        late, changes = len(self._transaction.late), self._connection.total_changes
        try:
            unit.result = unit.work(self._transaction)
        except BaseException as error:  # noqa: BLE001 - whatever it is, it is the caller's
            unit.error = error
        self._not_lost(unit)
        if unit.error is None:
            return
        if self._connection.total_changes == changes:
            self._transaction.late.cut(late)
        else:
            self._do_over()

    def _do_alone(self, unit: Unit) -> None:
        """One unit of work, sealed at once, so that only this one is undone if it fails. Raises as `_do`."""
        execute, late = self._connection.execute, len(self._transaction.late)
        execute("SAVEPOINT unit")
        try:
            unit.result = unit.work(self._transaction)
            if unit.seal:
                unit.result = unit.seal(unit.result)
        except BaseException as error:  # noqa: BLE001 - whatever it is, it is the caller's
            unit.error = error
            self._not_lost(unit)
            self._transaction.late.cut(late)
            execute("ROLLBACK TO unit")
        execute("RELEASE unit")

    def _seal(self, units: list[Unit]) -> None:
        """Finish what the units of a turn have done. Raises as `_do`."""
        try:
            for unit in units:
                if unit.seal and not unit.error:
                    unit.result = unit.seal(unit.result)
        except BaseException:  # noqa: BLE001 - it will be raised again, and is its caller's
            self._do_over()

    def _do_over(self) -> None:
        """Undo the batch, as one of it has to be undone, and do it again, each unit alone. Raises as `_do`."""
        self._alone = True
        self._connection.execute("ROLLBACK")
        self._connection.execute("BEGIN IMMEDIATE")
        self._transaction.begin()
        for unit in self._batch:
            unit.error = None
            self._do_alone(unit)

    def _not_lost(self, unit: Unit) -> None:
        if not self._connection.in_transaction:
            raise StoreFailure(f"SQLite gave up the whole transaction: {unit.error}") from unit.error

    def _try_later(self) -> None:
        """Another process writes: wait without blocking anybody, but for nobody longer than the limit."""
        too_long = monotonic() - self._busy_limit
        while self._queue and (self._queue[0].abandoned or self._queue[0].since <= too_long):
            self._batch.append(self._queue.popleft())
        self._settle(StoreBusy(f"another process has been writing to the store for more than {self._busy_limit:g} s"))
        if self._queue:
            asyncio.get_running_loop().call_later(self._retry, self._turn)
            self._retry = min(self._retry * 2, _LAST_RETRY)
        else:
            self._rest()

    def _fail_queue(self, error: sqlite3.Error) -> None:
        """There is not even a transaction to be had: nobody is left waiting for one."""
        self._roll_back()  # the last one, should it be in the way
        self._batch.extend(self._queue)
        self._queue.clear()
        self._settle(error)
        self._rest()

    def _committed(self, failure: Exception | None, seconds: float, rest: bool) -> None:
        units = len(self._batch)
        self._settle(failure)
        try:
            if failure is None and self._on_commit:
                self._on_commit(seconds, units)
        finally:
            if rest:
                self._rest()

    def _settle(self, failure: Exception | None) -> None:
        """Tell everybody in the batch how it went."""
        batch, self._batch, self._turns = self._batch, [], 0
        for unit in batch:
            error = _failed(failure) if failure else unit.error
            unit.error = None  # its traceback knows the unit: leave no circle
            if unit.answer is None:
                if error:
                    report(error)
            elif unit.answer.done():
                pass  # the caller went away; what it asked for is done all the same
            elif error:
                unit.answer.set_exception(_awaitable(error))
            else:
                unit.answer.set_result(unit.result)

    def _rest(self) -> None:
        """The connection is free: go on with what waits, if anything does."""
        if self._queue:
            asyncio.get_running_loop().call_soon(self._turn)
            return
        self._at_work = False
        if self._idle and not self._idle.done():
            self._idle.set_result(None)

    # --- in whichever thread has the connection ----------------------------------------------------------------------

    def _roll_back(self) -> None:
        if self._connection.in_transaction:
            with contextlib.suppress(sqlite3.Error):
                self._connection.execute("ROLLBACK")

    # --- in the commit thread ----------------------------------------------------------------------------------------

    def _commit_all(self) -> None:
        while loop := self._commits.get():
            failure: Exception | None = None
            started = perf_counter()
            try:
                self._connection.execute("COMMIT")
            except Exception as error:  # noqa: BLE001 - whatever it is, those who wait must hear of it
                failure = error
                self._roll_back()
            seconds = perf_counter() - started
            due = self._connection.total_changes - self._checkpointed_at >= _CHECKPOINT
            # A loop that is closed has nobody left who waits.
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(self._committed, failure, seconds, not due)
                if due:
                    self._checkpoint("PASSIVE")
                    loop.call_soon_threadsafe(self._rest)
        self._checkpoint("TRUNCATE")

    def _checkpoint(self, mode: str) -> None:
        """Bring the log into the database; what a reader holds up is left to the next time."""
        self._checkpointed_at = self._connection.total_changes
        with contextlib.suppress(sqlite3.Error):
            self._connection.execute(f"PRAGMA wal_checkpoint({mode})").fetchall()


def _failed(failure: Exception) -> StoreFailure:
    """What each unit of a batch hears; one of its own, since each caller adds its traceback."""
    if isinstance(failure, StoreFailure):
        error = type(failure)(*failure.args)
    else:
        error = StoreFailure(f"the store could not keep this, nothing of it remains: {failure}")
    error.__cause__ = failure
    return error


def _awaitable(error: BaseException) -> BaseException:
    """A future cannot carry StopIteration, which a forgotten `next()` raises."""
    if not isinstance(error, StopIteration):
        return error
    wrapped = RuntimeError("a unit of work raised StopIteration")
    wrapped.__cause__ = error
    return wrapped


def report(error: BaseException) -> None:
    """Put into the log of the running loop that a unit of work failed for which nobody waits."""
    asyncio.get_running_loop().call_exception_handler(
        {"message": "a unit of work that nobody waits for was not kept", "exception": error}
    )
