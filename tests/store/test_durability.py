"""What was acknowledged is there, whatever happens to the process or the disk; nothing is there by half."""

from __future__ import annotations

import asyncio
import resource
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import pytest

from ncipd.store.port import StoreFailure

# Adds members from 32 sides at once and prints each name only when the store has answered for it.
WRITER = """
import asyncio, itertools, os, sys
from pathlib import Path
from ncipd.store.sqlite import SqliteStore

QUERIES = {
    "add": "INSERT INTO member (name) VALUES (:name) RETURNING id",
    "note": "INSERT INTO note (member_id, body) VALUES (:member, :body)",
}

async def main(folder, migrations, prefix):
    store = SqliteStore.open(Path(folder), migrations=Path(migrations), queries=QUERIES)
    numbers = itertools.count()

    async def side():
        for number in numbers:
            name = f"{prefix}-{number}"
            def work(tx):
                member = tx.insert("add", name=name)
                for _ in range(3):
                    tx.run("note", member=member, body=b"x" * 300)
            await store.transact(work)
            os.write(1, f"{name}\\n".encode())

    await asyncio.gather(*(side() for _ in range(32)))

asyncio.run(main(*sys.argv[1:]))
"""


def test_after_kill_9_every_acknowledged_unit_is_there_once_and_whole(folder, migrations, root):
    acknowledged = []
    for life, lines in enumerate((1, 700, 2500)):
        command = [sys.executable, "-c", WRITER, str(folder), str(migrations), f"life{life}"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=root) as process:
            acknowledged += [process.stdout.readline().strip() for _ in range(lines)]
            process.send_signal(signal.SIGKILL)
            acknowledged += process.stdout.read().split()
        assert process.returncode == -signal.SIGKILL
    with closing(sqlite3.connect(folder / "ncipd.sqlite3")) as database:
        notes = dict(
            database.execute("SELECT name, count(body) FROM member LEFT JOIN note ON member_id = id GROUP BY id")
        )
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert len(acknowledged) > 3000
    assert set(acknowledged) <= set(notes)
    assert set(notes.values()) == {3}


@contextmanager
def full_disk(file: Path):
    """No file can grow beyond the present size of this one."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (file.stat().st_size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.usefixtures("long_turns")
async def test_a_commit_that_fails_fails_all_of_its_batch_and_the_store_goes_on(open_store, folder, add, names):
    commits = []
    store = open_store(on_commit=lambda _, units: commits.append(units))
    await store.transact(add("before"))
    with full_disk(folder / "ncipd.sqlite3-wal"):
        results = await asyncio.gather(
            store.transact(add("Ada")),
            store.transact(add("before")),  # would have been a violation: but who knows, now
            store.transact(add("Bo")),
            return_exceptions=True,
        )
        assert [type(result) for result in results] == [StoreFailure] * 3
        assert len({id(result) for result in results}) == 3
        assert "nothing of it remains" in str(results[0])
        assert store.read(names) == ["before"]
    assert store.ready
    await store.transact(add("after"))
    assert store.read(names) == ["before", "after"]
    assert commits == [1, 1]


async def test_a_commit_that_is_refused_is_rolled_back(store, add, names):
    """SQLite leaves the transaction open after some errors; what is in it must not get into the next one."""
    writer = store._writer._connection
    writer.set_authorizer(lambda action, what, *_: action == sqlite3.SQLITE_TRANSACTION and what == "COMMIT")
    with pytest.raises(StoreFailure, match="not authorized"):
        await store.transact(add("Ada"))
    writer.set_authorizer(None)
    await store.transact(add("Bo"))
    assert store.read(names) == ["Bo"]


async def test_a_full_database_fails_the_unit_that_finds_it_full(store, add, names):
    await store.transact(add("before"))
    writer = store._writer._connection
    (pages,) = writer.execute("PRAGMA page_count").fetchone()
    writer.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(StoreFailure, match="full"):
        await store.transact(lambda tx: tx.run("add_note", member=1, body=bytes(100_000)))
    writer.execute("PRAGMA max_page_count = 1000000")
    await store.transact(add("after"))
    assert store.read(names) == ["before", "after"]


@pytest.mark.usefixtures("long_turns")
async def test_where_sqlite_gives_up_the_transaction_the_batch_fails_and_nothing_slips_through(store, add, names):
    """After that, a statement of the same unit would commit on its own: it must not run."""
    await store.transact(add("Ada"))

    def goes_on(tx):
        for name in ("Ada", "slips through"):
            with suppress(Exception):
                tx.run("add_member_or_lose_all", name=name)
        return "all is well"

    results = await asyncio.gather(
        store.transact(add("Bo")), store.transact(goes_on), store.transact(add("Cy")), return_exceptions=True
    )
    assert [type(result) for result in results[:2]] == [StoreFailure, StoreFailure]
    assert isinstance(results[2], int), "what had not begun has a transaction of its own"
    assert store.read(names) == ["Ada", "Cy"]


async def test_a_transaction_left_behind_is_rolled_back_before_the_next(store, add, names):
    store._writer._connection.execute("BEGIN IMMEDIATE")
    store._writer._connection.execute("INSERT INTO member (name) VALUES ('left behind')")
    with pytest.raises(StoreFailure):
        await store.transact(add("Ada"))
    await store.transact(add("Bo"))
    assert store.read(names) == ["Bo"]


async def test_every_connection_syncs_fully_and_uses_the_write_ahead_log(store, bulk):
    for connection in (store._writer._connection, store._reader, bulk._connection):
        asked = {
            p: connection.execute(f"PRAGMA {p}").fetchone()[0] for p in ("synchronous", "journal_mode", "foreign_keys")
        }
        assert asked == {"synchronous": 2, "journal_mode": "wal", "foreign_keys": 1}
