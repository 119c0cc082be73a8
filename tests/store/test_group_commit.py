"""Many units of work, one commit: who hears what, when, and what happens to those who do not wait."""

from __future__ import annotations

import asyncio
import logging
import time

import pytest

from ncipd.store import sqlite
from ncipd.store.port import StoreFailure


@pytest.mark.usefixtures("long_turns")
async def test_a_thousand_units_at_once_are_all_kept_in_few_commits(open_store, add):
    commits = []
    store = open_store(on_commit=lambda seconds, units: commits.append((seconds, units)))
    ids = await asyncio.gather(*(store.transact(add(f"member {n}")) for n in range(1000)))
    assert len(set(ids)) == 1000
    assert store.read(lambda tx: tx.one("count_members")) == (1000,)
    assert sum(units for _, units in commits) == 1000
    assert len(commits) == 4, "as many as must be, where no turn is too long"
    assert all(seconds > 0 for seconds, _ in commits)


@pytest.mark.usefixtures("long_turns")
async def test_what_arrives_during_a_commit_shares_the_next_one(open_store, add, hold_commits):
    commits = []
    store = open_store(on_commit=lambda _, units: commits.append(units))
    held = hold_commits(store)
    first = asyncio.create_task(store.transact(add("first")))
    await held.begun()
    others = [asyncio.create_task(store.transact(add(f"member {n}"))) for n in range(20)]
    await asyncio.sleep(0)
    held.let_go()
    await asyncio.gather(first, *others)
    assert commits == [1, 20]


async def test_nobody_is_answered_before_the_commit(store, add, names, hold_commits):
    """Neither with a result nor with an error, which may rest on what another unit has written."""

    def refuses(tx):
        raise LookupError(f"there are {names(tx)}")

    held = hold_commits(store)
    good, bad = asyncio.create_task(store.transact(add("Ada"))), asyncio.create_task(store.transact(refuses))
    await held.begun()
    await asyncio.sleep(0.05)
    assert not good.done()
    assert not bad.done()
    assert store.read(names) == []
    held.let_go()
    await good
    assert store.read(names) == ["Ada"]
    with pytest.raises(LookupError, match="Ada"):
        await bad


async def test_the_loop_goes_on_during_a_commit(store, add, hold_commits):
    """A loop that waited for it would wait long: only then is the commit let go."""
    held = hold_commits(store)
    task = asyncio.create_task(store.transact(add("Ada")))
    await held.begun()
    for _ in range(20):
        await asyncio.sleep(0.005)
    assert not task.done()
    held.let_go()
    await task


async def test_the_loop_goes_on_between_units_of_work(store):
    """Three hundred milliseconds of work do not stop the loop for as long."""
    work = asyncio.gather(*(store.transact(lambda _: time.sleep(0.001)) for _ in range(300)))
    turns = 0
    while not work.done():
        turns += 1
        await asyncio.sleep(0)
    assert turns > 30


async def test_a_caller_cancelled_before_its_turn_leaves_nothing(store, add, names, hold_commits):
    held = hold_commits(store)
    first = asyncio.create_task(store.transact(add("Ada")))
    await held.begun()
    waiting = [asyncio.create_task(store.transact(add(name))) for name in ("gone", "Bo", "gone too", "Cy")]
    await asyncio.sleep(0)
    for task in waiting[::2]:
        task.cancel()
    held.let_go()
    await asyncio.gather(first, *waiting, return_exceptions=True)
    assert [task.cancelled() for task in waiting] == [True, False, True, False]
    assert store.read(names) == ["Ada", "Bo", "Cy"]


async def test_a_caller_cancelled_during_the_commit_changes_nothing_for_the_batch(store, add, names, hold_commits):
    held = hold_commits(store)
    gone, stays = asyncio.create_task(store.transact(add("gone"))), asyncio.create_task(store.transact(add("Bo")))
    await held.begun()
    gone.cancel()
    held.let_go()
    assert await stays
    assert gone.cancelled()
    assert store.read(names) == ["gone", "Bo"], "it was done whole"
    assert await store.transact(add("next"))


async def test_when_everybody_is_cancelled_the_store_goes_on(store, add, names):
    tasks = [asyncio.create_task(store.transact(add(f"gone {n}"))) for n in range(5)]
    await asyncio.sleep(0)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await store.transact(add("Ada"))
    assert store.read(names) == ["Ada"]


async def test_a_timeout_around_a_unit_of_work_is_a_cancellation(store, add, hold_commits):
    held = hold_commits(store)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await store.transact(add("Ada"))
    held.let_go()
    assert await store.transact(add("Bo"))


@pytest.mark.parametrize("error", [StopIteration("end"), KeyError("x"), asyncio.CancelledError()])
async def test_any_exception_of_a_unit_reaches_its_caller_and_no_other(store, add, names, error):
    def fails(tx):
        add("half")(tx)
        raise error

    failed, kept = await asyncio.gather(store.transact(fails), store.transact(add("Ada")), return_exceptions=True)
    assert failed is error or failed.__cause__ is error or isinstance(failed, asyncio.CancelledError)
    assert isinstance(kept, int)
    assert store.read(names) == ["Ada"]


@pytest.mark.usefixtures("long_turns")
async def test_later_returns_at_once_and_joins_the_next_batch(open_store, add, names):
    commits = []
    store = open_store(on_commit=lambda _, units: commits.append(units))
    await store.later(add("journal"))
    assert store.read(names) == []
    await store.transact(add("Ada"))
    assert store.read(names) == ["journal", "Ada"]
    assert commits == [2]


async def test_later_alone_is_committed_too(store, add, names):
    await store.later(add("journal"))
    await store.close()
    assert not store.ready


async def test_what_fails_later_is_in_the_log(store, add, names, caplog):
    with caplog.at_level(logging.ERROR, "asyncio"):
        await store.later(lambda _: 1 / 0)
        await store.transact(add("Ada"))
    assert "nobody waits for" in caplog.text
    assert "ZeroDivisionError" in caplog.text
    assert store.read(names) == ["Ada"]


async def test_later_waits_where_too_much_waits_already(store, add, names, monkeypatch, caplog):
    monkeypatch.setattr(sqlite, "QUEUE", 1)
    await store.later(add("first"))
    await store.later(add("second"))
    assert store.read(names) == ["first", "second"], "the second call waited for its commit"
    await store.later(add("third"))
    await store.later(add("third"))
    assert "ConstraintViolated" in caplog.text
    assert store.read(names) == ["first", "second", "third"]


async def test_close_finishes_what_was_taken_and_takes_no_more(open_store, add, names, slow_commits):
    store = open_store()
    slow_commits(store, 0.02)
    tasks = [asyncio.create_task(store.transact(add(f"member {n}"))) for n in range(500)]
    await asyncio.sleep(0)
    assert store.ready
    await store.close()
    await store.close()
    assert not store.ready
    assert len(set(await asyncio.gather(*tasks))) == 500
    with pytest.raises(StoreFailure, match="closed"):
        await store.transact(add("late"))
    with pytest.raises(StoreFailure, match="closed"):
        await store.later(add("late"))
    with pytest.raises(StoreFailure, match="closed"):
        store.read(names)
    assert open_store().read(lambda tx: tx.one("count_members")) == (500,)


async def test_the_log_stays_small_and_is_gone_after_close(store, folder):
    log, data = folder / "ncipd.sqlite3-wal", folder / "ncipd.sqlite3"
    await store.transact(lambda tx: tx.insert("add_member", name="Ada"))
    for _ in range(160):
        await store.transact(lambda tx: tx.many("add_note", [{"member": 1, "body": bytes(600)}] * 250))
    assert data.stat().st_size > 20_000_000
    assert log.stat().st_size < 8_000_000
    await store.close()
    assert not log.exists()


async def test_a_failing_listener_to_commits_stops_nothing(open_store, add, names, caplog):
    def fails(_seconds, _units):
        raise ValueError("metrics are broken")

    store = open_store(on_commit=fails)
    await store.transact(add("Ada"))
    await store.transact(add("Bo"))
    assert store.read(names) == ["Ada", "Bo"]
    assert "metrics are broken" in caplog.text
