"""Units of work of one batch: sealed together before the commit, and undone each by itself."""

from __future__ import annotations

import asyncio

import pytest


def sealed(store, add, name, done, *, fail=None):
    """Add a member; the seal tells of it later, notes it in `done`, and may fail."""

    def work(tx):
        done.append(f"work {name}")
        return tx, add(name)(tx)

    def seal(told):
        tx, number = told
        done.append(f"seal {name}")
        tx.later("add_line", {"told": name})
        if fail:
            raise fail
        return f"{name} is {number}"

    return store.transact(work, seal)


def kept(store, names):
    return store.read(names), [told for _, told in store.read(lambda tx: tx.all("lines"))]


@pytest.mark.usefixtures("long_turns")
async def test_units_of_a_turn_are_sealed_when_all_their_work_is_done(store, add, names):
    done = []
    answers = await asyncio.gather(*(sealed(store, add, name, done) for name in ("Ada", "Ben")))
    assert answers == ["Ada is 1", "Ben is 2"]
    assert done == ["work Ada", "work Ben", "seal Ada", "seal Ben"]
    assert kept(store, names) == (["Ada", "Ben"], ["Ada", "Ben"])


@pytest.mark.parametrize("error", [LookupError("unsealed"), asyncio.CancelledError()])
async def test_a_unit_that_cannot_be_sealed_is_undone_alone(store, add, names, error):
    """The others are done again: what they write is there once, and their callers hear of nothing."""
    done = []
    units = [
        sealed(store, add, "Ada", done),
        sealed(store, add, "Ben", done, fail=error),
        store.transact(add("Cleo")),
        sealed(store, add, "Dora", done),
    ]
    answers = await asyncio.gather(*units, return_exceptions=True)
    assert type(answers[1]) is type(error)
    assert [*answers[:1], *answers[2:]] == ["Ada is 1", 2, "Dora is 3"]
    assert kept(store, names) == (["Ada", "Cleo", "Dora"], ["Ada", "Dora"])


async def test_what_was_sealed_in_an_earlier_turn_of_the_transaction_is_kept_too(store, add, names, monkeypatch):
    monkeypatch.setattr("ncipd.store.writer.TURN", 0.0001)
    done = []
    units = [sealed(store, add, f"member {n}", done) for n in range(30)]
    bad = sealed(store, add, "bad", done, fail=LookupError("unsealed"))
    answers = await asyncio.gather(
        *units, bad, *(store.transact(add(f"late {n}")) for n in range(3)), return_exceptions=True
    )
    assert isinstance(answers[30], LookupError)
    assert answers[:30] == [f"member {n} is {n + 1}" for n in range(30)]
    assert kept(store, names)[1] == [f"member {n}" for n in range(30)]


async def test_a_unit_that_fails_is_not_sealed(store, add, names):
    def refuses(tx):
        add("Ada")(tx)
        raise LookupError

    with pytest.raises(LookupError):
        await store.transact(refuses, lambda _: pytest.fail("sealed"))
    assert kept(store, names) == ([], [])


def refused(store, name, done, add=None):
    """Fail, having added a member where `add` is given."""

    def work(tx):
        done.append(f"work {name}")
        tx.later("add_line", {"told": name})
        if add:
            add(name)(tx)
        raise LookupError(name)

    return store.transact(work)


async def test_what_fails_before_it_changed_anything_costs_the_others_nothing(store, add, names):
    done = []
    answers = await asyncio.gather(
        sealed(store, add, "Ada", done),
        refused(store, "Ben", done),
        sealed(store, add, "Cleo", done),
        return_exceptions=True,
    )
    assert (answers[0], type(answers[1]), answers[2]) == ("Ada is 1", LookupError, "Cleo is 2")
    assert done == ["work Ada", "work Ben", "work Cleo", "seal Ada", "seal Cleo"]
    assert kept(store, names) == (["Ada", "Cleo"], ["Ada", "Cleo"])


async def test_what_fails_after_it_changed_something_is_undone_alone(store, add, names):
    """What came before it in the batch is done again, what comes after it once, and both are there once."""
    done = []
    answers = await asyncio.gather(
        sealed(store, add, "Ada", done),
        refused(store, "Ben", done, add),
        refused(store, "Cleo", done),
        sealed(store, add, "Dora", done),
        refused(store, "Eva", done, add),
        sealed(store, add, "Finn", done),
        return_exceptions=True,
    )
    assert [str(answer) for answer in answers] == ["Ada is 1", "Ben", "Cleo", "Dora is 2", "Eva", "Finn is 3"]
    first, again = ["work Ada", "work Ben"], ["work Ada", "seal Ada", "work Ben"]
    rest = ["work Cleo", "work Dora", "seal Dora", "work Eva", "work Finn", "seal Finn"]
    assert done == [*first, *again, *rest]
    assert kept(store, names) == (["Ada", "Dora", "Finn"], ["Ada", "Dora", "Finn"])


async def test_the_batch_after_one_that_was_done_again_is_done_as_usual(store, add, names):
    done = []
    await asyncio.gather(refused(store, "Ada", done, add), return_exceptions=True)
    done.clear()
    await asyncio.gather(sealed(store, add, "Ben", done), sealed(store, add, "Cleo", done))
    assert done == ["work Ben", "work Cleo", "seal Ben", "seal Cleo"]
    assert kept(store, names) == (["Ben", "Cleo"], ["Ben", "Cleo"])
