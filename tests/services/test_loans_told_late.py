"""MandatedAction about loans: what has happened is recorded when it did, and undoes nothing that came later."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.services import loans as say
from tests.services.loans import READER, U1, U2, due, give_fee, loan, loans, owed, refused, restrict, task_notes, well
from tests.services.test_lending import request_item
from tests.services.world import World, fill, make_world, request_id

# The clock of the world stands at 2026-01-05T09:00:00Z and is moved on ten days before anything is told late.
T1, T2, T3, T4, T5 = (f"2026-01-0{day}T09:00:00Z" for day in range(5, 10))


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    made = make_world(tmp_path / "data", say.PARTNERS)
    await fill(made)
    made.clock.pass_days(10)
    yield made
    await made.store.close()


def ship(item: str, request: str, happened: str = "", due_date: str = "") -> str:
    return say.lend(item, "-", due=due_date, happened=happened, before=request_id(request))


# ---------------------------------------------------------------------------------------------- policy has no say


async def test_a_loan_that_has_happened_is_not_refused_by_any_rule(world: World) -> None:
    await give_fee(world, "LREF", 100)
    await restrict(world, "LREF", "Not For Loan")
    await restrict(world, "LREF", "No Reproduction", acknowledge=True)
    answer = await well(world, say.lend("LREF", "LEND-EXPIRED", happened=T1, before=say.ADDRESS.format("Pigeonhole")))
    assert answer.text("CheckOutItemResponse/DateDue") == "2026-02-02T22:59:59Z"
    assert say.written(loan(world, "LREF").out_at) == T1
    assert owed(world, "LEND-EXPIRED") == 100
    journal = say.rows(world, "SELECT note FROM journal ORDER BY id DESC LIMIT 1")
    assert "mandated" in journal[0][0]


async def test_a_desired_date_is_kept_though_it_has_passed(world: World) -> None:
    await well(world, say.lend("L1", happened=T1, due="2026-01-10T22:59:59Z"))
    assert due(world, "L1") == "2026-01-10T22:59:59Z"
    await well(world, say.lend("L2", happened=T3, due=T1))
    assert due(world, "L2") > T5


async def test_a_shipment_that_has_happened_needs_no_request_and_no_short_date(world: World) -> None:
    strict = (await refused(world, ship("L1", "R-1"), partner="STRICT"))[0]
    assert strict == "Unknown Request"
    await well(world, ship("L1", "R-1", T1, "2026-12-01T22:59:59Z"), partner="STRICT")
    assert (world.status("R-1"), due(world, "L1")) == ("shipped-physically", "2026-12-01T22:59:59Z")


async def test_the_same_told_twice_is_one_fact(world: World) -> None:
    for _ in range(2):
        await well(world, say.lend("L1", happened=T1))
        await well(world, ship("L2", "R-2", T1), partner="BROKER")
        world.clock.pass_days(1)
    assert (loans(world, "L1"), loans(world, "L2")) == ([(T1, "", "")], [(T1, "", "")])
    for _ in range(2):
        await well(world, say.bring_back("L1", happened=T2))
        await well(world, say.bring_back("L2", happened=T2), partner="BROKER")
        world.clock.pass_days(1)
    assert (loans(world, "L1"), loans(world, "L2")) == ([(T1, T2, "")], [(T1, T2, "")])


async def test_nothing_has_happened_in_the_future(world: World) -> None:
    """A station whose clock is ahead tells of now, and what follows is later."""
    await well(world, say.lend("L1", happened="2026-01-15T09:30:00Z"))
    await well(world, say.bring_back("L1", happened="2026-01-15T09:40:00Z"))
    world.clock.pass_days(0.01)
    await well(world, say.lend("L1", U2))
    assert loan(world, "L1").user_id == world.ask(lambda circ: circ.users(U2)[0].id)
    assert loans(world, "L1")[0] == ("2026-01-15T09:00:00Z", "2026-01-15T09:00:00Z", "")


# ---------------------------------------------------------------------------------------------- in whatever order


@pytest.mark.parametrize("order", list(itertools.permutations(range(4))))
async def test_two_loans_told_in_any_order_are_the_same_two_loans(world: World, order: tuple[int, ...]) -> None:
    """U1 had it first, then U2; both have brought it back."""
    told = [
        say.lend("L1", U1, happened=T1),
        say.bring_back("L1", happened=T2),
        say.lend("L1", U2, happened=T3),
        say.bring_back("L1", happened=T4),
    ]
    for number in order:
        await well(world, told[number])
    assert await say.status(world, "L1") == "Available On Shelf"
    found = say.rows(
        world,
        "SELECT user.primary_id, out_at, returned_at FROM loan JOIN user ON user.id = loan.user_id ORDER BY out_at",
    )
    assert [(who, say.written(out), say.written(back)) for who, out, back in found] == [(U1, T1, T2), (U2, T3, T4)]


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
async def test_the_loan_that_is_under_way_is_so_whatever_was_told_first(world: World, order: tuple[int, ...]) -> None:
    told = [say.lend("L1", U1, happened=T1), say.bring_back("L1", happened=T2), say.lend("L1", U2, happened=T3)]
    for number in order:
        await well(world, told[number])
    assert await say.status(world, "L1") == "On Loan"
    present = loan(world, "L1")
    assert (present.user_id, say.written(present.out_at)) == (world.ask(lambda circ: circ.users(U2)[0].id), T3)


@pytest.mark.parametrize("order", list(itertools.permutations(range(4))))
async def test_two_shipments_told_in_any_order_are_two_completed_requests(world: World, order: tuple[int, ...]) -> None:
    told = [
        (ship("L1", "R-1", T1), "BROKER"),
        (say.bring_back("L1", happened=T2), "BROKER"),
        (ship("L1", "R-2", T3), "BROKER"),
        (say.bring_back("L1", happened=T4), "BROKER"),
    ]
    for number in order:
        await well(world, *told[number])
    assert world.item_status("L1") == "available"
    assert (world.status("R-1"), world.status("R-2")) == ("request-completed", "request-completed")
    kept = [one for one in loans(world, "L1") if one[2] != "return"]
    assert kept == [(T1, T2, ""), (T3, T4, "")]


# ---------------------------------------------------------------------------------------------- against what is so


async def test_an_older_loan_is_history_and_the_present_one_stands(world: World) -> None:
    await well(world, say.lend("L1", U2))
    answer = await well(world, say.lend("L1", U1, happened=T1))
    assert answer.has("CheckOutItemResponse/DateDue")
    assert await say.status(world, "L1") == "On Loan"
    assert loan(world, "L1").user_id == world.ask(lambda circ: circ.users(U2)[0].id)
    assert loans(world, "L1") == [(T1, "2026-01-15T09:00:00Z", ""), ("2026-01-15T09:00:00Z", "", "")]


async def test_an_older_shipment_completes_its_request_and_leaves_the_item_where_it_is(world: World) -> None:
    await world.send(request_item("L1", "R-1"))
    await well(world, ship("L1", "R-2"), partner="OTHER")
    await well(world, ship("L1", "R-1", T1), partner="BROKER")
    assert (world.status("R-1"), world.status("R-2")) == ("request-completed", "shipped-physically")
    assert world.item_status("L1") == "on-loan"
    assert world.tasks() == []


async def test_an_older_shipment_of_an_item_that_waits_for_it_frees_the_item(world: World) -> None:
    await well(world, say.bring_back("L1", happened=T2), partner="ILS")
    await world.send(request_item("L1", "R-1"))
    assert world.item_status("L1") == "requested"
    await well(world, ship("L1", "R-1", T1), partner="BROKER")
    assert (world.status("R-1"), world.item_status("L1"), world.tasks()) == ("request-completed", "available", [])


async def test_a_later_loan_ends_the_one_that_nobody_checked_in(world: World) -> None:
    await well(world, say.lend("L1", U1, happened=T1))
    await well(world, say.lend("L1", U2, happened=T3))
    assert loans(world, "L1") == [(T1, T3, ""), (T3, "", "")]
    assert any("nobody had checked it in" in note for note in task_notes(world))
    await well(world, ship("L1", "R-1", T4), partner="BROKER")
    assert loans(world, "L1") == [(T1, T3, ""), (T3, T4, ""), (T4, "", "")]
    assert world.status("R-1") == "shipped-physically"


async def test_a_loan_within_another_was_an_exchange_of_hands(world: World) -> None:
    await well(world, say.lend("L1", U1, happened=T1))
    await well(world, say.bring_back("L1", happened=T4))
    await well(world, say.lend("L1", U2, happened=T2))
    assert loans(world, "L1") == [(T1, T2, ""), (T2, T4, "")]


async def test_a_return_before_the_present_loan_does_not_end_it(world: World) -> None:
    await well(world, say.lend("L1"))
    answer = await well(world, say.bring_back("L1", happened=T1))
    assert answer.kind == "CheckInItemResponse"
    assert await say.status(world, "L1") == "On Loan"
    await well(world, ship("L2", "R-1"), partner="BROKER")
    await well(world, say.bring_back("L2", happened=T1), partner="BROKER")
    assert world.status("R-1") == "shipped-physically"


async def test_a_return_ends_the_loan_when_it_happened(world: World) -> None:
    await well(world, say.lend("L1", happened=T1))
    await well(world, say.bring_back("L1", happened=T3))
    assert loans(world, "L1") == [(T1, T3, "")]


async def test_a_return_of_what_is_not_out_is_honoured_and_noted_where_it_was_expected_here(world: World) -> None:
    await well(world, say.bring_back("L1", happened=T1), partner="BROKER")
    assert await say.status(world, "L1") == "Available On Shelf"
    await world.send(request_item("L2", "R-1"))
    for _ in range(2):
        await well(world, say.bring_back("L2", happened=T1), partner="BROKER")
        world.clock.pass_days(1)
    assert world.tasks() == ["pick", "review"]


async def test_a_partner_ends_no_loan_of_somebody_else(world: World) -> None:
    """Whose loan it is, is no policy."""
    await well(world, say.lend("L1", happened=T1))
    assert (await refused(world, say.bring_back("L1", happened=T2), partner="BROKER"))[0] == "Item Not Checked Out"
    await well(world, say.bring_back("L1", happened=T4))
    await well(world, say.bring_back("L1", happened=T2), partner="BROKER")
    assert loans(world, "L1") == [(T1, T4, "")]


async def test_what_was_lost_is_found_by_a_return_that_has_happened(world: World) -> None:
    await well(world, say.lend("L1", happened=T1))
    await well(world, say.report("L1", "Lost", happened=T2))
    await well(world, say.bring_back("L1", happened=T3))
    assert await say.status(world, "L1") == "Available On Shelf"


# ---------------------------------------------------------------------------------------------- borrowed items


async def test_a_borrowed_item_lent_before_it_came_back_was_lent(world: World) -> None:
    await well(world, say.accept("R-1", "X-1", action="Hold For Pickup"), partner="BROKER", to="BORROW")
    await world.desk("return", agency="BORROW", barcode="X-1")
    world.clock.pass_days(1)
    for _ in range(2):
        await well(world, say.lend("X-1", READER, happened="2026-01-15T08:00:00Z"), partner="BROKER", to="BORROW")
        world.clock.pass_days(1)
    assert (world.item_status("X-1", "BORROW"), len(loans(world, "X-1", "BORROW"))) == ("returned", 1)


async def test_even_after_it_has_gone_home(world: World) -> None:
    await well(world, say.accept("R-1", "X-1", action="Hold For Pickup"), partner="BROKER", to="BORROW")
    await well(world, say.bring_back("X-1"), partner="BROKER", to="BORROW")
    await well(world, say.lend("X-1", READER, happened="2026-01-15T08:00:00Z"), partner="BROKER", to="BORROW")
    assert (world.status("R-1", "BORROW"), world.item_status("X-1", "BORROW")) == ("request-completed", "withdrawn")
    assert len(loans(world, "X-1", "BORROW")) == 1


async def test_a_borrowed_item_brought_back_before_the_present_loan(world: World) -> None:
    await well(world, say.accept("R-1", "X-1"), partner="BROKER", to="BORROW")
    await well(world, say.bring_back("X-1", happened=T1), to="BORROW")
    assert world.status("R-1", "BORROW") == "loaned-item-to-patron"


# ---------------------------------------------------------------------------------------------- renewals


@pytest.mark.parametrize("partner", ["ILS", "STRICT"])
async def test_a_renewal_that_has_happened_is_recorded_once(world: World, partner: str) -> None:
    if partner == "ILS":
        await well(world, say.lend("L1", happened=T1))
        await restrict(world, "L1", "Renewals Not Permitted")
    else:
        await well(world, ship("L1", "R-1", T1), partner=partner)
    before = due(world, "L1")
    for _ in range(2):
        await well(world, say.renew("L1", U1 if partner == "ILS" else "-", happened=T2), partner=partner)
        world.clock.pass_days(1)
    after = due(world, "L1")
    assert (after > before, loan(world, "L1").renewals) == (True, 1)
    await well(world, say.renew("L1", U1 if partner == "ILS" else "-", happened=T3), partner=partner)
    assert (due(world, "L1") > after, loan(world, "L1").renewals) == (True, 2)


async def test_a_renewal_before_a_recall_does_not_undo_the_recall(world: World) -> None:
    await well(world, ship("L1", "R-1", T1), partner="BROKER")
    await world.desk("request", user=U1, barcode="L1")
    recalled = due(world, "L1")
    await well(world, say.renew("L1", "-", happened=T2), partner="BROKER")
    assert (world.status("R-1"), due(world, "L1"), loan(world, "L1").renewals) == ("recalled", recalled, 1)


async def test_a_renewal_after_the_recall_has_happened_all_the_same(world: World) -> None:
    await well(world, ship("L1", "R-1", T1), partner="BROKER")
    await world.desk("request", user=U1, barcode="L1")
    world.clock.pass_days(2)
    told = say.renew("L1", "-", due="2026-03-01T22:59:59Z", happened="2026-01-16T09:00:00Z")
    await well(world, told, partner="BROKER")
    assert (world.status("R-1"), due(world, "L1")) == ("renewed", "2026-03-01T22:59:59Z")
    assert any("in spite of its recall" in note for note in task_notes(world))


async def test_a_renewal_answers_the_wish_that_waits(world: World) -> None:
    await well(world, ship("L1", "R-1"), partner="MANUAL")
    await well(world, say.renew("L1", "-"), partner="MANUAL")
    assert world.tasks() == ["decide-renewal"]
    await well(world, say.renew("L1", "-", happened="2026-01-15T09:00:00Z"), partner="MANUAL")
    assert (world.status("R-1"), world.tasks()) == ("renewed", [])


async def test_a_renewal_of_a_loan_that_is_over_changes_nothing(world: World) -> None:
    await well(world, say.lend("L1", happened=T1))
    await well(world, say.bring_back("L1", happened=T3))
    await well(world, say.lend("L1", U2, happened=T4))
    answer = await well(world, say.renew("L1", happened=T2))
    assert answer.text("RenewItemResponse/RenewalCount") == "0"
    assert loan(world, "L1").renewals == 0
    await well(world, ship("L2", "R-1", T1), partner="BROKER")
    await well(world, say.bring_back("L2", happened=T3), partner="BROKER")
    await well(world, say.renew("L2", "-", happened=T2), partner="BROKER")
