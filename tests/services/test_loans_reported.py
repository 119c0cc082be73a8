"""ReportCirculationStatusChange and CirculationStatusChangeReported: what a borrower says not to have."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.services import loans as say
from tests.services.loans import (
    READER,
    U1,
    U2,
    give_fee,
    give_price,
    loan,
    loans,
    notices,
    owed,
    refused,
    task_notes,
    well,
)
from tests.services.world import World, fill, make_world, request_id

USER = "ReportCirculationStatusChange/UserId/UserIdentifierValue"
SERVICES = {"ReportCirculationStatusChange": say.report, "CirculationStatusChangeReported": say.reported}


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    made = make_world(tmp_path / "data", say.PARTNERS)
    await fill(made)
    yield made
    await made.store.close()


# ---------------------------------------------------------------------------------------------- our users


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize(
    ("kind", "mark", "status", "words"),
    [
        ("Returned", "claimed-returned", "Claimed Returned Or Never Borrowed", "came back on 2026-01-05"),
        ("NeverBorrowed", "never-borrowed", "Claimed Returned Or Never Borrowed", "never borrowed"),
        ("Missing", "missing", "Missing", "missing"),
    ],
)
async def test_a_claim_leaves_the_loan_open_and_sends_staff_to_search(
    world: World, service: str, kind: str, mark: str, status: str, words: str
) -> None:
    await well(world, say.lend("L1"))
    for _ in range(2):
        answer = await well(world, SERVICES[service]("L1", kind))
        assert answer.kind == f"{service}Response"
        world.clock.pass_days(1)
    assert (loan(world, "L1").mark, await say.status(world, "L1")) == (mark, status)
    assert world.tasks() == ["search"]
    assert words in task_notes(world)[0]
    await well(world, say.bring_back("L1"))
    assert (await say.status(world, "L1"), world.tasks()) == ("Available On Shelf", [])


@pytest.mark.parametrize("service", SERVICES)
async def test_a_loss_ends_the_loan_and_charges_for_a_replacement_once(world: World, service: str) -> None:
    """The price of the item is not its fee: one is for the loss, the other for the loan."""
    await give_fee(world, "L1", 500)
    await give_price(world, "L1", 3000)
    await well(world, say.lend("L1", before=say.money("PaidFeeAmount", 500)))
    for _ in range(2):
        await well(world, SERVICES[service]("L1", "Lost"))
        world.clock.pass_days(1)
    assert [mark for _, _, mark in loans(world, "L1")] == ["lost"]
    assert (await say.status(world, "L1"), world.tasks(), owed(world)) == ("Lost", ["review"], 3000)
    assert notices(world) == ["item lost"]
    found = say.rows(world, "SELECT type FROM fiscal_entry WHERE effect > 0 ORDER BY id")
    assert found == [("Rental",), ("Book Replacement Charge",)]


async def test_a_loss_without_a_price_charges_nothing_and_staff_are_told(world: World) -> None:
    await well(world, say.lend("L1"))
    await well(world, say.report("L1", "Lost"))
    assert world.count("fiscal_entry") == 0
    assert "was not charged" in task_notes(world)[0]


async def test_what_was_lost_and_is_found_goes_back_into_circulation(world: World) -> None:
    """Whether the charge is given back is for a person to say."""
    await give_fee(world, "L1", 3000)
    await well(world, say.lend("L1", before=say.money("PaidFeeAmount", 3000)))
    await well(world, say.report("L1", "Lost"))
    await well(world, say.bring_back("L1"))
    assert await say.status(world, "L1") == "Available On Shelf"
    assert any("charged for its loss" in note for note in task_notes(world))


async def test_claims_follow_each_other(world: World) -> None:
    await well(world, say.lend("L1"))
    await well(world, say.report("L1", "Missing"))
    await well(world, say.report("L1", "NeverBorrowed"))
    assert (loan(world, "L1").mark, world.tasks()) == ("never-borrowed", ["search"])
    await well(world, say.report("L1", "Lost"))
    assert (await say.status(world, "L1"), world.tasks()) == ("Lost", ["review"])


async def test_a_recall_ends_with_the_loan_of_what_is_lost(world: World) -> None:
    await well(world, say.lend("L1"))
    await well(world, say.recall("L1"))
    await well(world, say.report("L1", "Lost"))
    assert say.rows(world, "SELECT count(*) FROM recall WHERE cancelled_at IS NULL") == [(0,)]


async def test_the_answer_tells_what_is_asked(world: World) -> None:
    await well(world, say.lend("L1"))
    answer = await well(world, say.report("L1", "Lost", after=say.STATUS_WANTED + say.NAME_WANTED))
    assert answer.text("ItemOptionalFields/CirculationStatus") == "Lost"
    assert answer.has("UserOptionalFields/NameInformation")
    assert answer.text("ReportCirculationStatusChangeResponse/UserId/UserIdentifierValue") == U1


# ---------------------------------------------------------------------------------------------- lending


@pytest.mark.parametrize("service", SERVICES)
async def test_what_a_partner_has_lost_is_lost_and_its_request_too(world: World, service: str) -> None:
    await well(world, say.lend("L1", "-", before=request_id("R-1")), partner="BROKER")
    for _ in range(2):
        await well(world, SERVICES[service]("L1", "Lost", "-"), partner="BROKER")
        world.clock.pass_days(1)
    assert (world.status("R-1"), world.item_status("L1"), world.tasks()) == ("lost", "lost", ["review"])
    await well(world, say.bring_back("L1"), partner="BROKER")
    assert (world.status("R-1"), world.item_status("L1")) == ("request-completed", "available")


async def test_the_desk_finds_what_a_partner_had_lost(world: World) -> None:
    await well(world, say.lend("L1", "-", before=request_id("R-1")), partner="BROKER")
    await well(world, say.report("L1", "Lost", "-"), partner="BROKER")
    await world.desk("scan-in", barcode="L1")
    assert (world.status("R-1"), world.item_status("L1")) == ("request-completed", "available")


async def test_a_partner_claims_to_have_returned_an_item(world: World) -> None:
    await well(world, say.lend("L1", "-", before=request_id("R-1")), partner="BROKER")
    await well(world, say.report("L1", "Returned", "-"), partner="BROKER")
    assert (world.status("R-1"), world.item_status("L1"), world.tasks()) == (
        "shipped-physically",
        "claimed",
        ["search"],
    )
    await well(world, say.bring_back("L1"), partner="BROKER")
    assert (world.status("R-1"), world.tasks()) == ("request-completed", [])


async def test_one_lost_volume_of_two_leaves_the_request_to_the_other(world: World) -> None:
    await well(world, say.lend("L1", "-", before=request_id("R-1")), partner="BROKER")
    await well(world, say.lend("L2", "-", before=request_id("R-1")), partner="BROKER")
    await well(world, say.report("L1", "Lost", "-"), partner="BROKER")
    assert (world.status("R-1"), world.item_status("L1")) == ("shipped-physically", "lost")
    await well(world, say.bring_back("L2"), partner="BROKER")
    assert world.status("R-1") == "request-completed"


# ---------------------------------------------------------------------------------------------- borrowing


async def test_the_lender_is_told_what_our_user_has_lost(world: World) -> None:
    await well(world, say.accept("R-1", "X-1"), partner="BROKER", to="BORROW")
    await well(world, say.report("X-1", "Lost", READER), to="BORROW")
    assert (world.status("R-1", "BORROW"), world.item_status("X-1", "BORROW")) == (
        "report-lost-item-to-partner",
        "lost",
    )
    assert world.sent("BORROW") == ["CirculationStatusChangeReported"]
    await well(world, say.bring_back("X-1"), partner="BROKER", to="BORROW")
    assert world.status("R-1", "BORROW") == "request-completed"


async def test_what_the_partner_tells_itself_it_is_not_told(world: World) -> None:
    await well(world, say.accept("R-1", "X-1"), partner="BROKER", to="BORROW")
    await well(world, say.reported("X-1", "Lost", READER), partner="BROKER", to="BORROW")
    assert world.sent("BORROW") == []
    await world.desk("return", agency="BORROW", barcode="X-1")
    assert world.status("R-1", "BORROW") == "returned-by-patron"


async def test_a_claim_about_a_borrowed_item_ends_when_it_turns_up(world: World) -> None:
    await well(world, say.accept("R-1", "X-1"), partner="BROKER", to="BORROW")
    await well(world, say.report("X-1", "Returned", READER), partner="BROKER", to="BORROW")
    assert world.tasks("borrowing", "BORROW") == ["search"]
    assert await say.status(world, "X-1", "BROKER", "BORROW") == "Claimed Returned Or Never Borrowed"
    await world.desk("return", agency="BORROW", barcode="X-1")
    assert (world.status("R-1", "BORROW"), world.tasks("borrowing", "BORROW")) == (
        "returned-by-patron",
        ["return-to-partner"],
    )


# ---------------------------------------------------------------------------------------------- problems


async def test_who_and_what_is_unknown_is_named(world: World) -> None:
    await well(world, say.lend("L1"))
    item = "ReportCirculationStatusChange/ItemId/ItemIdentifierValue"
    for partner in ("ILS", "BROKER"):
        assert await refused(world, say.report("NONE", "Lost"), partner=partner) == ("Unknown Item", item)
        assert await refused(world, say.report("B1", "Lost"), partner=partner) == ("Unknown Item", item)
    assert await refused(world, say.report("L1", "Lost", "NOBODY")) == ("Unknown User", USER)
    await well(world, say.accept("R-1", "X-1"), partner="BROKER", to="BORROW")
    found = await refused(world, say.report("X-1", "Lost", "NOBODY"), partner="BROKER", to="BORROW")
    assert found == ("Unknown User", USER)


async def test_what_this_user_does_not_have(world: World) -> None:
    not_theirs = ("Item Not Checked Out To This User", USER)
    assert await refused(world, say.report("L1", "Lost")) == not_theirs
    await well(world, say.lend("L1"))
    assert await refused(world, say.report("L1", "Lost", U2)) == not_theirs
    assert await refused(world, say.report("L1", "Lost", "-"), partner="BROKER") == not_theirs
    await well(world, say.accept("R-1", "X-1"), partner="BROKER", to="BORROW")
    found = await refused(world, say.report("X-1", "Lost", "BORROW-USER-2"), partner="BROKER", to="BORROW")
    assert found == not_theirs
    assert await say.status(world, "L1") == "On Loan"


async def test_an_item_cannot_have_come_back_in_the_future(world: World) -> None:
    await well(world, say.lend("L1"))
    found = await refused(world, say.report("L1", "Returned", at="2026-01-07T09:00:00Z"))
    assert found == (
        "Element Rule Violated",
        "ReportCirculationStatusChange/ItemReportedReturned/DateReportedReturned",
    )
    await well(world, say.report("L1", "Returned", at="2026-01-05T22:59:59Z"))


async def test_a_pin_that_is_wrong(world: World) -> None:
    typed = (
        "<AuthenticationInput><AuthenticationInputData>1</AuthenticationInputData><AuthenticationDataFormatType>text"
        "</AuthenticationDataFormatType><AuthenticationInputType>PIN</AuthenticationInputType></AuthenticationInput>"
    )
    content = say.report("L1", "Lost").replace(say.user_id(U1), typed)
    assert (await refused(world, content))[0] == "User Authentication Failed"


@pytest.mark.parametrize(("item", "user"), [("NONE", U1), ("L1", "NOBODY"), ("L1", U1)])
async def test_news_that_cannot_be_taken_up_is_kept_for_a_person(world: World, item: str, user: str) -> None:
    assert (await refused(world, say.reported(item, "Lost", user)))[0] is not None
    assert world.tasks("borrowing") == ["review"]


async def test_what_was_charged_with_the_event_is_posted_once(world: World) -> None:
    await well(world, say.lend("L1"))
    for _ in range(2):
        await well(world, say.reported("L1", "Missing", after=say.CHARGE))
        world.clock.pass_days(1)
    assert (owed(world), world.count("fiscal_entry")) == (150, 1)


# ---------------------------------------------------------------------------------------------- told late


async def test_a_report_about_an_earlier_loan_does_not_touch_the_present_one(world: World) -> None:
    await well(world, say.lend("L1"))
    world.clock.pass_days(1)
    await well(world, say.bring_back("L1"))
    await well(world, say.lend("L1"))
    await well(world, say.report("L1", "Lost", happened="2026-01-05T12:00:00Z"))
    assert (await say.status(world, "L1"), loan(world, "L1").mark) == ("On Loan", "")
    found = await refused(world, say.report("L1", "Lost", happened="2026-01-01T12:00:00Z"))
    assert found[0] == "Item Not Checked Out To This User"


async def test_a_loss_ends_the_loan_when_it_happened(world: World) -> None:
    await well(world, say.lend("L1"))
    world.clock.pass_days(3)
    await well(world, say.report("L1", "Lost", happened="2026-01-06T12:00:00Z"))
    assert loans(world, "L1") == [("2026-01-05T09:00:00Z", "2026-01-06T12:00:00Z", "lost")]
