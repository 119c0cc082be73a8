"""What a unit of work can do, and what remains of it when it fails."""

from __future__ import annotations

import asyncio
import sqlite3
from typing import NamedTuple

import pytest

from ncipd.store.port import ConstraintViolated, StoreError, StoreFailure


class Member(NamedTuple):
    id: int
    name: str


async def test_one_is_the_first_row_made_into_what_is_asked_for_or_none(store, add):
    number = await store.transact(add("Ada"))
    assert store.read(lambda tx: tx.one("find_member", name="Ada")) == (number, "Ada")
    assert store.read(lambda tx: tx.one("find_member", Member._make, name="Ada")) == Member(number, "Ada")
    assert store.read(lambda tx: tx.one("find_member", Member._make, name="nobody")) is None


async def test_all_is_every_row_in_order(store, add, names):
    for name in ("Ada", "Bo", "Cy"):
        await store.transact(add(name))
    assert store.read(names) == ["Ada", "Bo", "Cy"]
    assert store.read(lambda tx: tx.all("names")) == [("Ada",), ("Bo",), ("Cy",)]


async def test_insert_answers_the_new_id_with_and_without_returning(store):
    ids = await store.transact(
        lambda tx: [tx.insert("add_member", name="Ada"), tx.insert("add_member_plainly", name="Bo")]
    )
    assert ids == [tx_id for tx_id, _ in store.read(lambda tx: [tx.one("find_member", name=n) for n in ("Ada", "Bo")])]


@pytest.mark.parametrize("query", ["add_member_if_new", "add_member_if_new_plainly"])
async def test_insert_that_adds_nothing_is_an_error_and_not_the_id_of_another_row(store, query):
    await store.transact(lambda tx: tx.insert(query, name="Ada"))
    with pytest.raises(StoreError, match="added 0 rows"):
        await store.transact(lambda tx: tx.insert(query, name="Ada"))


@pytest.mark.parametrize("query", ["rename_all", "rename_all_returning"])
async def test_run_answers_how_many_rows_it_changed(store, add, query):
    for name in ("Ada", "Bo"):
        await store.transact(add(name))
    assert await store.transact(lambda tx: tx.run(query, suffix="!")) == 2


@pytest.mark.parametrize("query", ["add_member", "add_member_plainly"])
async def test_many_makes_one_change_for_each_set_of_parameters(store, names, query):
    await store.transact(lambda tx: tx.many(query, ({"name": n} for n in "abc")))
    assert store.read(names) == ["a", "b", "c"]


async def test_a_unit_of_work_sees_its_own_writes_and_those_before_it(store, add, names):
    seen = await asyncio.gather(*(store.transact(lambda tx, n=n: (add(n)(tx), names(tx))[1]) for n in ("Ada", "Bo")))
    assert seen == [["Ada"], ["Ada", "Bo"]]


async def test_a_failing_unit_among_good_ones_leaves_nothing_and_costs_them_nothing(store, add, names):
    def fails(tx):
        add("half")(tx)
        raise ValueError("no")

    results = await asyncio.gather(
        store.transact(add("Ada")), store.transact(fails), store.transact(add("Bo")), return_exceptions=True
    )
    assert isinstance(results[1], ValueError)
    assert store.read(names) == ["Ada", "Bo"]
    assert store.read(lambda tx: tx.one("count_notes")) == (2,)


async def test_a_caught_violation_undoes_one_statement_and_the_unit_goes_on(store, add, names):
    def twice(tx):
        add("Ada")(tx)
        with pytest.raises(ConstraintViolated, match=r"add_member.*UNIQUE"):
            tx.insert("add_member", name="Ada")
        return add("Bo")(tx)

    await store.transact(twice)
    assert store.read(names) == ["Ada", "Bo"]


async def test_foreign_keys_hold(store):
    with pytest.raises(ConstraintViolated, match="FOREIGN KEY"):
        await store.transact(lambda tx: tx.run("add_note", member=99, body=b""))


async def test_columns_hold_their_type(store):
    with pytest.raises(ConstraintViolated, match="TEXT value"):
        await store.transact(lambda tx: tx.run("add_note", member=1, body="text where bytes belong"))


async def test_an_unknown_query_is_named(store):
    with pytest.raises(KeyError, match="no query is named 'add_memebr'"):
        await store.transact(lambda tx: tx.run("add_memebr", name="Ada"))


async def test_a_query_that_is_wrong_says_which_it_is(store):
    with pytest.raises(sqlite3.OperationalError, match="nowhere") as caught:
        store.read(lambda tx: tx.all("no_such_table"))
    assert caught.value.__notes__ == ["in the query 'no_such_table'"]


async def test_a_missing_parameter_says_which_it_is(store):
    with pytest.raises(TypeError, match=":name"):
        await store.transact(lambda tx: tx.run("add_member"))


async def test_a_transaction_kept_after_its_unit_refuses_to_work(store):
    kept = await store.transact(lambda tx: tx)
    with pytest.raises(StoreError, match="this transaction is over"):
        kept.run("add_member", name="late")
    viewed = store.read(lambda tx: tx)
    with pytest.raises(StoreError, match="this transaction is over"):
        viewed.one("count_members")


async def test_a_reader_cannot_write(store, names):
    with pytest.raises(StoreFailure, match="readonly"):
        store.read(lambda tx: tx.insert("add_member", name="Ada"))
    assert store.read(names) == []


async def test_a_read_sees_one_snapshot_whatever_is_committed_meanwhile(store, bulk, add, names):
    await store.transact(add("Ada"))

    def look(tx):
        before = names(tx)
        with bulk.chunk() as other:
            other.insert("add_member", name="Bo")
        return before, names(tx), store.read(names)

    assert store.read(look) == (["Ada"], ["Ada"], ["Ada"])
    assert store.read(names) == ["Ada", "Bo"]


async def test_a_read_sees_only_what_is_committed(store, add, names):
    seen = await store.transact(lambda tx: (add("Ada")(tx), store.read(names))[1])
    assert seen == []
    assert store.read(names) == ["Ada"]


async def test_a_read_that_raises_ends_its_view(store, add, names):
    with pytest.raises(ZeroDivisionError):
        store.read(lambda tx: (names(tx), 1 / 0))
    await store.transact(add("Ada"))
    assert store.read(names) == ["Ada"]
