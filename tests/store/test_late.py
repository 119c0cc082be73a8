"""Rows that are written just before the commit: all of them or none, with the ids that were told."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ncipd.store.port import StoreFailure
from ncipd.store.words import Said, blocks, find


def tell(told: str, *, fail: bool = False):
    """A unit of work that adds a line later, and may fail after it."""

    def work(tx):
        number = tx.later("add_line", {"told": told})
        if fail:
            raise LookupError(told)
        return number

    return work


def lines(tx):
    return tx.all("lines")


async def test_lines_have_the_ids_that_were_told_in_one_batch_and_over_many(store):
    told = {}
    for batch in range(3):
        names = [f"{batch}-{n}" for n in range(45)]
        told |= dict(zip(names, await asyncio.gather(*(store.transact(tell(name)) for name in names)), strict=True))
    assert store.read(lines) == sorted((number, name) for name, number in told.items())


async def test_a_unit_that_fails_takes_its_lines_with_it_and_no_others(store):
    done = await asyncio.gather(
        *(store.transact(tell(f"line {n}", fail=n % 3 == 1)) for n in range(9)), return_exceptions=True
    )
    assert [n for n, one in enumerate(done) if isinstance(one, LookupError)] == [1, 4, 7]
    assert [told for _, told in store.read(lines)] == [f"line {n}" for n in range(9) if n % 3 != 1]


@pytest.mark.usefixtures("long_turns")
async def test_a_line_that_the_store_refuses_fails_the_whole_batch_and_not_the_store(store, add):
    """Two lines with the same words contradict the table; nobody is told that anything was kept."""
    refused = await asyncio.gather(
        store.transact(add("Ada")),
        store.transact(tell("same")),
        store.transact(tell("same")),
        return_exceptions=True,
    )
    assert [type(one) for one in refused] == [StoreFailure] * 3
    assert store.read(lines) == []
    assert store.read(lambda tx: tx.one("count_members")) == (0,)
    await store.transact(tell("after"))
    assert [told for _, told in store.read(lines)] == ["after"]


@pytest.mark.usefixtures("long_turns")
async def test_units_of_the_same_batch_see_what_is_pending(store):
    def look(tx):
        return [[row["told"] for row in tx.pending("add_line", "id", number)] for number in (1, 2, 3)]

    works = [tell("first"), look, tell("lost", fail=True), look, tell("second"), look]
    seen = await asyncio.gather(*(store.transact(work) for work in works), return_exceptions=True)
    assert seen[1] == seen[3] == [["first"], [], []]
    assert seen[5] == [["first"], [], ["second"]]
    assert await store.transact(look) == [[], [], []]


async def test_a_query_that_reads_cannot_be_put_off(store):
    with pytest.raises(ValueError, match="adds one row"):
        await store.transact(lambda tx: tx.later("names", {}))


def test_bulk_work_writes_late_rows_too_and_a_part_that_fails_takes_its_own_with_it(bulk, store):
    with bulk.chunk() as tx:
        tx.later("add_line", {"told": "kept"})
        with pytest.raises(LookupError), bulk.part():
            tx.later("add_line", {"told": "lost"})
            raise LookupError
    assert [told for _, told in store.read(lines)] == ["kept"]


@given(st.lists(st.tuples(st.binary(max_size=300_000), st.binary(max_size=50)), min_size=1, max_size=150))
def test_every_word_is_found_again_in_its_block(texts):
    said = [Said(3 + 2 * at, at, *pair) for at, pair in enumerate(texts)]
    kept = list(blocks(said))
    for one in said:
        block = max((block for block in kept if block[0] <= one.journal), key=lambda block: block[0])
        assert find(block[2], one.journal) == (one.asked, one.answered)
        assert find(block[2], one.journal + 1) is None
    assert [block[1] for block in kept] == sorted(block[1] for block in kept)
