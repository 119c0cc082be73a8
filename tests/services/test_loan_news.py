"""Notifications about loans: ItemCheckedOut, ItemCheckedIn, ItemRenewed, CirculationStatusUpdated."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.circulation.messages import renewed, status_updated
from tests.services import loans as say
from tests.services.loans import CHARGE, READER, U1, U2, due, loan, notices, owed, refused, task_notes, well
from tests.services.test_lending import request_item
from tests.services.world import World, fill, item_id, make_world, request_id, user_id

SOON, LATER = "2026-01-20T22:59:59Z", "2026-03-01T22:59:59Z"


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    made = make_world(tmp_path / "data", say.PARTNERS)
    await fill(made)
    yield made
    await made.store.close()


def out(
    item: str, user: str = "-", request: str = "", *, date: str = SOON, flag: str = "", count: str = "", more: str = ""
) -> str:
    named = request_id(request) if request else ""
    until = f"<{flag}/>" if flag else f"<DateDue>{date}</DateDue>"
    renewals = f"<RenewalCount>{count}</RenewalCount>" if count else ""
    return f"<ItemCheckedOut>{user_id(user)}{item_id(item)}{named}{until}{renewals}{more}</ItemCheckedOut>"


def back(item: str, user: str = "", *, more: str = "") -> str:
    return f"<ItemCheckedIn>{user_id(user) if user else ''}{item_id(item)}{more}</ItemCheckedIn>"


async def twice(world: World, content: str, partner: str = "ILS", to: str = "LEND") -> None:
    """Tell something, and tell it again when the resend window is over."""
    for _ in range(2):
        answer = await well(world, content, partner, to)
        assert answer.kind.endswith("Response")
        assert not answer.has("ItemId"), "an answer to news is empty"
        world.clock.pass_days(1)


# ---------------------------------------------------------------------------------------------- out, to our users


async def test_a_station_of_ours_has_lent_an_item(world: World) -> None:
    await twice(world, out("L1", U1, more=CHARGE))
    assert (await say.status(world, "L1"), due(world, "L1"), world.count("loan")) == ("On Loan", SOON, 1)
    assert (owed(world), world.count("fiscal_entry")) == (150, 1)


async def test_no_rule_refuses_what_has_happened(world: World) -> None:
    await say.give_fee(world, "LREF", 100)
    await well(world, out("LREF", "LEND-EXPIRED"))
    assert loan(world, "LREF").user_id == world.ask(lambda circ: circ.users("LEND-EXPIRED")[0].id)
    assert owed(world, "LEND-EXPIRED") == 0, "what it cost, the station says itself"


async def test_without_a_date_and_renewed_before(world: World) -> None:
    await well(world, out("L1", U1, flag="IndeterminateLoanPeriodFlag", count="2"))
    assert (loan(world, "L1").due_at, loan(world, "L1").renewals) == (None, 2)
    await well(world, out("L1", U1, date=LATER, count="3"))
    assert (due(world, "L1"), loan(world, "L1").renewals) == (LATER, 3)
    await well(world, out("L1", U1, flag="IndeterminateLoanPeriodFlag", count="2"))
    assert due(world, "L1") == LATER


async def test_what_was_supplied_and_need_not_come_back_is_no_loan(world: World) -> None:
    await well(world, out("L1", U1, flag="NonReturnableFlag", more="<ElectronicResourceProvidedFlag/>"))
    assert (world.count("loan"), await say.status(world, "L1")) == (0, "Available On Shelf")


async def test_lent_again_it_had_come_back(world: World) -> None:
    await well(world, out("L1", U1))
    world.clock.pass_days(1)
    await well(world, out("L1", U2))
    assert loan(world, "L1").user_id == world.ask(lambda circ: circ.users(U2)[0].id)
    assert any("nobody had checked it in" in note for note in task_notes(world))


async def test_a_station_lends_what_was_borrowed_for_its_user(world: World) -> None:
    await well(world, say.accept("R-1", "X-1", action="Hold For Pickup"), partner="BROKER", to="BORROW")
    assert (await refused(world, out("X-1", "BORROW-USER-2"), to="BORROW"))[
        0
    ] == "User Ineligible To Check Out This Item"
    await twice(world, out("X-1", READER), to="BORROW")
    assert (world.status("R-1", "BORROW"), due(world, "X-1", "BORROW")) == ("loaned-item-to-patron", SOON)


# ---------------------------------------------------------------------------------------------- out, to partners


async def test_a_broker_tells_that_our_item_has_left(world: World) -> None:
    await world.send(request_item("L1", "R-1"))
    await twice(world, out("L1", "-", "R-1", more=say.ADDRESS.format("Postal Address")), "BROKER")
    assert (world.status("R-1"), due(world, "L1"), world.count("loan")) == ("shipped-physically", SOON, 1)
    await well(world, out("L1", "-", "R-1", date=LATER, count="1"), "BROKER")
    assert (due(world, "L1"), loan(world, "L1").renewals) == (LATER, 1)


async def test_a_broker_confirms_what_the_desk_has_shipped(world: World) -> None:
    await world.send(request_item("L1", "R-1"))
    await world.desk("ship", barcode="L1")
    await twice(world, out("L1", "-", "R-1"), "BROKER")
    assert (world.count("loan"), due(world, "L1"), loan(world, "L1").reported) == (1, SOON, 1)


async def test_old_news_of_a_loan_does_not_move_its_date(world: World) -> None:
    """It was renewed, and recalled, since it was told; told again, it is the same loan."""
    await well(world, out("L1", U1))
    await well(world, say.renew("L1", due=LATER))
    world.clock.pass_days(1)
    await well(world, out("L1", U1))
    assert due(world, "L1") == LATER
    await well(world, renewed("L1", SOON))
    assert (due(world, "L1"), loan(world, "L1").renewals) == (LATER, 1)
    await well(world, say.recall("L1"))
    sooner = due(world, "L1")
    await well(world, renewed("L1", LATER))
    await well(world, out("L1", U1))
    assert due(world, "L1") == sooner
    await well(world, renewed("L1", LATER).replace("</DateDue>", "</DateDue><RenewalCount>2</RenewalCount>"))
    assert (await say.status(world, "L1"), due(world, "L1")) == ("On Loan", LATER)


async def test_a_broker_tells_of_a_copy_that_was_supplied(world: World) -> None:
    await world.send(request_item("L1", "R-1", kind="Digital"))
    await well(world, out("any", "-", "R-1", flag="NonReturnableFlag"), "BROKER")
    assert (world.status("R-1"), world.count("loan")) == ("request-completed", 0)


async def test_a_peer_library_has_lent_our_item_to_its_reader(world: World) -> None:
    await well(world, say.lend("L1", "-", due=LATER, before=request_id("R-1")), partner="PEER")
    await twice(world, out("L1", "their-reader", "R-1"), "PEER")
    assert (world.status("R-1"), due(world, "L1")) == ("received-by-partner", LATER)


async def test_what_contradicts_a_loan_here_is_shown_to_staff_once(world: World) -> None:
    await well(world, say.lend("L1", U1))
    await twice(world, out("L1", "-", "R-1"), "BROKER")
    assert loan(world, "L1").user_id is not None
    assert world.tasks() == ["review"]


# ---------------------------------------------------------------------------------------------- out, what we borrow


async def test_a_lender_has_lent_us_what_we_asked_for(world: World) -> None:
    wish = (
        f"<RequestItem>{user_id(READER)}{item_id('X-1')}{request_id('R-1')}<RequestType>Loan</RequestType>"
        "<RequestScopeType>Item</RequestScopeType></RequestItem>"
    )
    await well(world, wish, partner="PEER", to="BORROW")
    await twice(world, out("X-1", "HILLSIDE", "R-1"), "PEER", "BORROW")
    assert (world.status("R-1", "BORROW"), world.item_status("X-1", "BORROW")) == ("shipped-physically", "expected")
    assert world.tasks("borrowing", "BORROW") == ["receive"]
    await well(world, out("X-1", "HILLSIDE", "R-1", date=LATER), "PEER", "BORROW")
    await world.desk("receive", agency="BORROW", barcode="X-1")
    await world.desk("check-out", agency="BORROW", barcode="X-1", user=READER)
    assert due(world, "X-1", "BORROW") == LATER


async def test_a_broker_tells_that_our_user_has_it(world: World) -> None:
    await well(world, say.accept("R-1", "X-1", action="Hold For Pickup"), partner="BROKER", to="BORROW")
    await twice(world, out("X-1", READER, "R-1", more=CHARGE), "BROKER", "BORROW")
    assert (world.status("R-1", "BORROW"), due(world, "X-1", "BORROW")) == ("loaned-item-to-patron", SOON)
    assert owed(world, READER, "BORROW") == 150
    await well(world, back("X-1"), "BROKER", "BORROW")
    await well(world, out("X-1", READER, "R-1"), "BROKER", "BORROW")
    assert world.status("R-1", "BORROW") == "request-completed"


# ---------------------------------------------------------------------------------------------- in


async def test_a_station_of_ours_has_taken_an_item_back(world: World) -> None:
    await well(world, say.lend("L1", U1))
    await well(world, back("L1", U2))
    assert await say.status(world, "L1") == "On Loan", "another user's return is not this loan's"
    await twice(world, back("L1", U1, more=CHARGE))
    assert (await say.status(world, "L1"), owed(world)) == ("Available On Shelf", 150)


async def test_our_library_system_takes_in_what_a_partner_had(world: World) -> None:
    await well(world, say.lend("L1", "-", before=request_id("R-1")), partner="BROKER")
    await well(world, back("L1"), "DISCOVERY")
    assert world.status("R-1") == "shipped-physically"
    await well(world, back("L1"))
    assert world.status("R-1") == "request-completed"


async def test_a_station_takes_back_what_was_borrowed(world: World) -> None:
    await well(world, say.accept("R-1", "X-1"), partner="BROKER", to="BORROW")
    await twice(world, back("X-1", READER), to="BORROW")
    assert world.status("R-1", "BORROW") == "returned-by-patron"
    assert world.tasks("borrowing", "BORROW") == ["return-to-partner"]


async def test_a_broker_tells_that_our_item_is_back(world: World) -> None:
    await well(world, say.lend("L1", "-", before=request_id("R-1")), partner="BROKER")
    await twice(world, back("L1"), "BROKER")
    assert (world.status("R-1"), world.item_status("L1")) == ("request-completed", "available")


async def test_a_peer_library_has_it_back_from_its_reader_and_we_have_it_not(world: World) -> None:
    await well(world, say.lend("L1", "-", before=request_id("R-1")), partner="PEER")
    await twice(world, back("L1", "their-reader"), "PEER")
    assert (world.status("R-1"), world.item_status("L1")) == ("shipped-physically", "on-loan")


async def test_a_lender_has_its_item_back(world: World) -> None:
    await well(world, say.accept("R-1", "X-1"), partner="BROKER", to="BORROW")
    await twice(world, back("X-1"), "BROKER", "BORROW")
    assert (world.status("R-1", "BORROW"), world.item_status("X-1", "BORROW")) == ("request-completed", "withdrawn")


async def test_a_partner_ends_no_loan_to_our_user(world: World) -> None:
    await well(world, say.lend("L1", U1))
    await well(world, back("L1"), "BROKER")
    assert await say.status(world, "L1") == "On Loan"


# ---------------------------------------------------------------------------------------------- renewed


async def test_our_own_system_has_renewed_a_loan(world: World) -> None:
    await well(world, say.lend("L1"))
    told = renewed("L1", LATER).replace("</ItemRenewed>", CHARGE + "</ItemRenewed>")
    await twice(world, told)
    assert (due(world, "L1"), loan(world, "L1").renewals, owed(world)) == (LATER, 1, 150)
    await well(world, renewed("L1", SOON).replace("</DateDue>", "</DateDue><RenewalCount>4</RenewalCount>"))
    assert loan(world, "L1").renewals == 4
    await well(world, renewed("L2", LATER))


async def test_a_lender_has_renewed_what_we_borrowed(world: World) -> None:
    await well(world, say.accept("R-1", "X-1"), partner="BROKER", to="BORROW")
    await twice(world, renewed("X-1", LATER), "BROKER", "BORROW")
    assert (world.status("R-1", "BORROW"), due(world, "X-1", "BORROW")) == ("renewed-by-partner", LATER)
    assert (loan(world, "X-1", "BORROW").renewals, notices(world, READER, "BORROW")) == (1, ["renewed"])


async def test_a_renewal_of_our_own_item_told_by_a_partner_is_no_news(world: World) -> None:
    await well(world, say.lend("L1", "-", due=SOON), partner="BROKER")
    await well(world, renewed("L1", LATER), "BROKER")
    assert due(world, "L1") == SOON


# ---------------------------------------------------------------------------------------------- statuses


async def test_overdue_is_told_to_staff_and_user_once(world: World) -> None:
    await well(world, say.accept("R-1", "X-1"), partner="BROKER", to="BORROW")
    await twice(world, status_updated("X-1", "Item Overdue"), "BROKER", "BORROW")
    assert (world.status("R-1", "BORROW"), notices(world, READER, "BORROW")) == ("overdue-request", ["item overdue"])
    assert world.tasks("borrowing", "BORROW") == ["review"]
    await well(world, renewed("X-1", LATER), "BROKER", "BORROW")
    await well(world, status_updated("X-1", "Item Overdue"), "BROKER", "BORROW")
    assert world.status("R-1", "BORROW") == "overdue-request"
    await world.desk("return", agency="BORROW", barcode="X-1")
    assert world.status("R-1", "BORROW") == "returned-by-patron"


async def test_overdue_on_the_hold_shelf_is_told_once_too(world: World) -> None:
    await well(world, say.accept("R-1", "X-1", action="Hold For Pickup"), partner="BROKER", to="BORROW")
    await twice(world, status_updated("X-1", "Item Overdue"), "BROKER", "BORROW")
    assert world.status("R-1", "BORROW") == "physically-received-by-library"
    assert notices(world, READER, "BORROW") == ["item overdue"]


@pytest.mark.parametrize("status", ["Item Overdue", "Item Not Renewed", "Renew Still Pending"])
async def test_statuses_of_our_own_items_are_no_news(world: World, status: str) -> None:
    await well(world, say.lend("L1", "-", due=SOON), partner="BROKER")
    await well(world, status_updated("L1", status), "BROKER")
    await well(world, status_updated("L2", status))
    assert (due(world, "L1"), world.tasks()) == (SOON, [])


async def test_a_status_that_is_none_of_the_three_is_a_problem(world: World) -> None:
    found = await refused(world, status_updated("L1", "On Loan"), "BROKER")
    assert found == ("Unknown Value From Known Scheme", "CirculationStatusUpdated/CirculationStatus")


# ---------------------------------------------------------------------------------------------- unknown


NEWS = {
    "out": out("{}", U1),
    "in": back("{}"),
    "renewed": renewed("{}", LATER),
    "overdue": status_updated("{}", "Item Overdue"),
}


@pytest.mark.parametrize("partner", ["ILS", "BROKER"])
@pytest.mark.parametrize("kind", NEWS)
@pytest.mark.parametrize("item", ["NONE", "B1"])
async def test_news_of_an_unknown_item_is_a_problem_and_a_task(
    world: World, kind: str, partner: str, item: str
) -> None:
    """An item of another agency is as unknown as one that nobody has."""
    problem, element = await refused(world, NEWS[kind].format(item), partner)
    assert problem == "Unknown Item"
    assert element is not None
    assert element.endswith("/ItemId/ItemIdentifierValue")
    assert world.tasks("borrowing") == ["review"]


async def test_news_of_an_unknown_user_is_a_problem_and_a_task(world: World) -> None:
    assert (await refused(world, out("L1", "NOBODY")))[0] == "Unknown User"
    assert world.tasks("borrowing") == ["review"]


async def test_a_charge_that_cannot_be_posted_is_shown_to_staff_and_the_loan_stands(world: World) -> None:
    wrong = CHARGE.replace("150", "-150")
    await well(world, out("L1", U1, more=wrong))
    assert await say.status(world, "L1") == "On Loan"
    assert any("cannot be posted" in note for note in task_notes(world))


# ---------------------------------------------------------------------------------------------- old copies


def at(moment: str, *, in_action: bool = False) -> str:
    """When it happened, as a sender can say it of news that has no element for it."""
    date = f"<DateEventOccurred>{moment}</DateEventOccurred>"
    return f"<Ext>{f'<MandatedAction>{date}</MandatedAction>' if in_action else date}</Ext>"


@pytest.mark.parametrize("in_action", [False, True])
async def test_news_with_its_time_is_known_when_it_comes_again_after_another_round(
    world: World, *, in_action: bool
) -> None:
    """Out, in, and out again: copies of the first two change neither the second loan nor where the item stands."""
    lent = out("L1", U1, more=at("2026-01-05T09:00:00Z", in_action=in_action))
    returned = back("L1", U1, more=at("2026-01-06T09:00:00Z", in_action=in_action))
    await well(world, lent, "ILS")
    world.clock.pass_days(2)
    await well(world, returned, "ILS")
    world.clock.pass_days(1)
    await well(world, lent, "ILS")
    assert (await say.status(world, "L1"), world.count("loan")) == ("Available On Shelf", 1)
    await well(world, out("L1", U1, date=LATER), "ILS")
    world.clock.pass_days(1)
    for copy in (lent, returned, lent):
        await well(world, copy, "ILS")
    assert (due(world, "L1"), world.count("loan"), loan(world, "L1").returned_at) == (LATER, 2, None)


async def test_a_check_out_that_was_due_before_its_item_came_back_is_that_one(world: World) -> None:
    """Without a time of its own, the due date of a copy tells: nothing is lent until yesterday."""
    lent = out("L1", U1, date=SOON)
    await well(world, lent, "ILS")
    world.clock.pass_days(20)
    await well(world, back("L1", U1), "ILS")
    world.clock.pass_days(1)
    await well(world, lent, "ILS")
    assert (await say.status(world, "L1"), world.count("loan")) == ("Available On Shelf", 1)
    await well(world, out("L1", U1, date=LATER), "ILS")
    assert world.count("loan") == 2


async def test_a_partners_old_news_does_not_touch_its_new_loan(world: World) -> None:
    """What was lent to a broker, came back, and was lent to it once more."""
    lent = out("L1", "-", "R-1", more=at("2026-01-05T09:00:00Z"))
    returned = back("L1", more=at("2026-01-06T09:00:00Z"))
    await well(world, lent, "BROKER")
    world.clock.pass_days(2)
    await well(world, returned, "BROKER")
    await well(world, out("L1", "-", "R-2", date=LATER), "BROKER")
    world.clock.pass_days(1)
    for copy in (lent, returned):
        await well(world, copy, "BROKER")
    assert (world.status("R-1"), world.status("R-2")) == ("request-completed", "shipped-physically")
    assert (due(world, "L1"), world.count("loan")) == (LATER, 2)


async def test_a_recall_of_an_earlier_loan_is_old_news(world: World) -> None:
    """By its time, or by a date before the present loan began; one that was withdrawn stays withdrawn."""
    recalled = f"<ItemRecalled>{item_id('L1')}<DateDue>2026-01-08T22:59:59Z</DateDue>{{}}</ItemRecalled>"
    timed = recalled.format(at("2026-01-06T09:00:00Z"))
    await well(world, out("L1", U1), "ILS")
    world.clock.pass_days(1)
    await well(world, timed, "ILS")
    await well(world, f"<ItemRecallCancelled>{item_id('L1')}</ItemRecallCancelled>", "ILS")
    world.clock.pass_days(1)
    await well(world, timed, "ILS")
    assert (loan(world, "L1").recalled_at, due(world, "L1")) == (None, SOON)
    await well(world, back("L1", U1), "ILS")
    world.clock.pass_days(5)
    await well(world, out("L1", U1, date=LATER), "ILS")
    for copy in (timed, recalled.format("")):
        await well(world, copy, "ILS")
    assert (loan(world, "L1").recalled_at, due(world, "L1")) == (None, LATER)
