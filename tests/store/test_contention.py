"""Other processes at the same store: the loop never blocks, bulk work and messages both get through."""

from __future__ import annotations

import asyncio
import sqlite3
import sys
from contextlib import closing

import pytest

from ncipd.store.bulk import BulkConnection
from ncipd.store.port import ConstraintViolated, StoreBusy, StoreError, StoreFailure, StoreRefused


@pytest.fixture
def other(store, folder):
    """Somebody else who writes, and takes as long as the test wants."""
    with closing(sqlite3.connect(folder / "ncipd.sqlite3", isolation_level=None)) as connection:
        yield connection


async def test_a_unit_waits_for_another_writer_without_blocking_the_loop(store, other, add, names):
    other.execute("BEGIN IMMEDIATE")
    task = asyncio.create_task(store.transact(add("Ada")))
    for _ in range(20):  # a loop that waited for the other would wait for ever: the other goes on in this same thread
        await asyncio.sleep(0.005)
    assert not task.done()
    other.execute("COMMIT")
    await task
    assert store.read(names) == ["Ada"]


async def test_after_the_limit_a_unit_hears_that_the_store_is_busy_and_later_ones_are_served(
    open_store, folder, add, names, monkeypatch
):
    now = 0.0  # seconds
    monkeypatch.setattr("ncipd.store.writer.monotonic", lambda: now)
    store = open_store(busy_limit=10.0)
    with closing(sqlite3.connect(folder / "ncipd.sqlite3", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        first = asyncio.create_task(store.transact(add("Ada")))
        await asyncio.sleep(0)
        now = 9.0
        second = asyncio.create_task(store.transact(add("Bo")))
        await asyncio.sleep(0.1)
        assert not first.done()
        now = 10.0
        with pytest.raises(StoreBusy, match="more than 10 s"):
            await first
        await asyncio.sleep(0.1)
        assert not second.done(), "everybody has a time of his own"
        other.execute("COMMIT")
    await second
    assert store.read(names) == ["Bo"]


async def test_a_caller_cancelled_while_another_writes_leaves_nothing(store, other, add, names):
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(store.transact(add("gone")), 0.05)
    other.execute("COMMIT")
    await store.transact(add("Ada"))
    assert store.read(names) == ["Ada"]


async def test_close_waits_for_another_writer_too(store, other, add):
    other.execute("BEGIN IMMEDIATE")
    task = asyncio.create_task(store.transact(add("Ada")))
    await asyncio.sleep(0.01)
    closing_ = asyncio.create_task(store.close())
    await asyncio.sleep(0.05)
    assert not closing_.done()
    other.execute("COMMIT")
    await closing_
    assert await task


def add_then_fail(tx, name):
    tx.insert("add_member", name=name)
    raise ValueError(f"bad row {name}")


def test_a_chunk_is_committed_whole_or_undone_whole(bulk, store, names):
    with bulk.chunk() as tx:
        tx.insert("add_member", name="Ada")
    with pytest.raises(ValueError, match="bad row Bo"), bulk.chunk() as tx:
        add_then_fail(tx, "Bo")
    with pytest.raises(StoreError, match="this transaction is over"):
        tx.insert("add_member", name="late")
    assert store.read(names) == ["Ada"]


def test_a_part_of_a_chunk_is_undone_alone(bulk, store, names):
    with bulk.chunk() as tx:
        tx.insert("add_member", name="Ada")
        with pytest.raises(ValueError, match="bad row Bo"), bulk.part():
            add_then_fail(tx, "Bo")
        with bulk.part():
            tx.insert("add_member", name="Cy")
    assert store.read(names) == ["Ada", "Cy"]


def test_a_part_that_loses_the_whole_chunk_says_so_and_commits_nothing(bulk, store, names):
    def lose():
        with bulk.chunk() as tx:
            tx.insert("add_member", name="Ada")
            with bulk.part():
                tx.run("add_member_or_lose_all", name="Ada")

    with pytest.raises(ConstraintViolated, match="UNIQUE"):
        lose()
    assert store.read(names) == []


def test_a_chunk_hears_of_a_writer_that_does_not_end(store, other, folder, migrations):
    other.execute("BEGIN IMMEDIATE")
    with (
        BulkConnection(folder, migrations=migrations, queries={}, busy_limit=0.05) as bulk,
        pytest.raises(StoreBusy, match=r"more than 0\.05 s"),
        bulk.chunk(),
    ):
        pytest.fail("the chunk began while another wrote")


def test_a_chunk_whose_commit_fails_leaves_nothing(bulk, store, names):
    bulk._connection.set_authorizer(lambda action, what, *_: action == sqlite3.SQLITE_TRANSACTION and what == "COMMIT")
    with pytest.raises(StoreFailure, match="nothing of it remains"), bulk.chunk() as tx:
        tx.insert("add_member", name="Ada")
    bulk._connection.set_authorizer(None)
    assert store.read(names) == []


def test_bulk_work_makes_the_store_where_there_is_none(folder, migrations):
    queries = {"n": "SELECT count(*) FROM member"}
    with BulkConnection(folder, migrations=migrations, queries=queries) as bulk, bulk.chunk() as tx:
        assert tx.one("n") == (0,)


LOADER = """
import sys
from pathlib import Path
from ncipd.store.bulk import BulkConnection

queries = {"add": "INSERT INTO member (name) VALUES (:name)"}
chunks = 0
with BulkConnection(Path(sys.argv[1]), migrations=Path(sys.argv[2]), queries=queries) as bulk:
    while chunks < 60 or not Path(sys.argv[3]).exists():
        with bulk.chunk() as tx:
            tx.many("add", [{"name": f"loaded {chunks} {row}"} for row in range(200)])
        chunks += 1
        print(chunks, flush=True)
"""


async def test_a_loader_in_another_process_and_messages_here_both_get_through(
    store, folder, migrations, root, add, tmp_path
):
    """While it loads: it begins before the first message and goes on until after the last."""
    enough = tmp_path / "enough"
    loader = await asyncio.create_subprocess_exec(
        sys.executable, "-c", LOADER, folder, migrations, enough, cwd=root, stdout=asyncio.subprocess.PIPE
    )
    assert await loader.stdout.readline() == b"1\n"
    for batch in range(25):
        await asyncio.gather(*(store.transact(add(f"message {batch} {n}")) for n in range(8)))
    enough.touch()
    chunks = int((await loader.stdout.read()).split()[-1])
    assert await loader.wait() == 0
    assert chunks >= 60
    assert store.read(lambda tx: tx.one("count_members")) == (chunks * 200 + 25 * 8,)


async def test_bulk_work_does_not_change_the_shape_of_a_store_that_is_served(store, folder, migrations):
    (migrations / "0002_more.sql").write_text("CREATE TABLE more (id INTEGER PRIMARY KEY) STRICT;", "utf-8")
    with pytest.raises(StoreRefused, match="already serves"):
        BulkConnection(folder, migrations=migrations, queries={})
    await store.close()
    BulkConnection(folder, migrations=migrations, queries={}).close()
