"""What rarely happens to loans: items without a request, things told out of turn, partners without an address."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.circulation.messages import renewed, status_updated
from tests.services import loans as say
from tests.services.loans import ADDRESS, READER, U1, loans, refused, task_notes, well
from tests.services.test_lending import request_item
from tests.services.test_loan_news import back, out
from tests.services.test_loans_recalled import told
from tests.services.test_movements import received, shipped, wish
from tests.services.world import World, fill, item_id, make_world, request_id


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    made = make_world(tmp_path / "data", say.PARTNERS)
    await fill(made)
    yield made
    await made.store.close()


# ---------------------------------------------------------------------------------------------- without a request


async def test_an_item_that_a_partner_has_made_for_no_request_goes_nowhere(world: World) -> None:
    """It is there, but for nobody: what is told of it is a problem."""
    title = "<BibliographicDescription><Title>T</Title></BibliographicDescription>"
    made = f"<CreateItem>{item_id('T-1')}{title}</CreateItem>"
    await well(world, made, "BROKER", "BORROW")
    news = {
        "CheckOutItem": (say.lend("T-1", READER), "Unknown Request"),
        "RenewItem": (say.renew("T-1", READER, due="2026-03-01T22:59:59Z"), "Item Not Checked Out"),
        "RecallItem": (say.recall("T-1"), "Item Not Checked Out"),
        "ItemCheckedOut": (out("T-1", READER), "Unknown Request"),
        "ItemCheckedIn": (back("T-1"), "Unknown Item"),
        "ItemRecalled": (told("T-1"), "Unknown Item"),
        "ItemRenewed": (renewed("T-1", "2026-03-01T22:59:59Z"), "Unknown Item"),
        "CirculationStatusUpdated": (status_updated("T-1", "Item Overdue"), "Unknown Item"),
        "ItemReceived": (received("T-1", ""), "Unknown Item"),
    }
    for service, (content, problem) in news.items():
        assert (await refused(world, content, "BROKER", "BORROW"))[0] == problem, service
    assert (await refused(world, say.lend("T-1", READER), to="BORROW"))[0] == "Unknown Item"
    assert (await refused(world, say.bring_back("T-1"), to="BORROW"))[0] == "Item Not Checked Out"


async def test_what_no_one_knows_is_unknown_to_every_service(world: World) -> None:
    for content in (say.lend("NONE"), say.renew("NONE"), say.bring_back("NONE"), say.recall("NONE"), say.undo("NONE")):
        for partner in ("ILS", "BROKER", "PEER"):
            assert (await refused(world, content, partner))[0] == "Unknown Item", content
            assert (await refused(world, content, partner, "BORROW"))[0] == "Unknown Item", content


async def test_a_resource_asked_for_without_a_request_is_an_unknown_request(world: World) -> None:
    assert (await refused(world, say.lend("L1", "-", before="<ResourceDesired/>"), "BROKER"))[0] == "Unknown Request"


# ---------------------------------------------------------------------------------------------- out of turn


async def test_a_borrowed_item_that_nobody_had_received_is_lent_all_the_same(world: World) -> None:
    await well(world, wish(), "BROKER", "BORROW")
    await well(world, shipped(item="X-1", by="Lender"), "BROKER", "BORROW")
    assert world.item_status("X-1", "BORROW") == "expected"
    await well(world, say.lend("X-1", READER), "BROKER", "BORROW")
    assert (world.status("R-1", "BORROW"), world.tasks("borrowing", "BORROW")) == ("loaned-item-to-patron", [])


async def test_a_loan_that_is_told_again_after_its_end_is_that_loan(world: World) -> None:
    world.clock.pass_days(5)
    await well(world, say.lend("L1", happened="2026-01-05T09:00:00Z"))
    await well(world, say.bring_back("L1", happened="2026-01-07T09:00:00Z"))
    await well(world, say.lend("L1", happened="2026-01-05T09:00:00Z"))
    assert loans(world, "L1") == [("2026-01-05T09:00:00Z", "2026-01-07T09:00:00Z", "")]
    assert await say.status(world, "L1") == "Available On Shelf"


async def test_a_request_that_could_not_be_located_is_that_again_when_its_shipment_is_undone(world: World) -> None:
    titled = (
        request_item("L1", "R-1")
        .replace(item_id("L1"), "")
        .replace(
            "<RequestId>",
            "<BibliographicId><BibliographicRecordId><BibliographicRecordIdentifier>NO-SUCH</BibliographicRecordIdentifier>"
            "<AgencyId>ANY</AgencyId></BibliographicRecordId></BibliographicId><RequestId>",
        )
    )
    await well(world, titled, "BROKER")
    await well(world, say.lend("L1", "-", before=request_id("R-1")), "BROKER")
    await well(world, say.undo("L1"), "BROKER")
    assert (world.status("R-1"), world.item_status("L1"), world.tasks()) == ("locate-failed", "available", ["locate"])


async def test_undone_twice_it_is_where_it_was_before_the_second_shipment(world: World) -> None:
    await world.send(request_item("L20", "R-1"))
    await well(world, say.lend("L20b", "-", before=request_id("R-1")), "BROKER")
    await well(world, say.lend("L20", U1))
    await well(world, say.undo("L20b"), "BROKER")
    assert world.status("R-1") == "being-processed", "the copy that came back is set aside: the other one is out"
    assert (world.item_status("L20"), world.item_status("L20b")) == ("on-loan", "requested")


async def test_a_digital_supply_that_made_its_own_request_cannot_be(world: World) -> None:
    """Without a request there is nothing to supply digitally, so nothing to undo either."""
    await world.send(request_item("L1", "R-1", kind="Digital"), partner="DIGITAL")
    await well(world, say.undo("any", request="R-1"), "DIGITAL")
    assert world.status("R-1") == "created-lending-request"


async def test_a_recall_withdrawn_after_the_item_had_arrived_leaves_it_there(world: World) -> None:
    await well(world, say.lend("L1", "-", before=request_id("R-1")), "PEER")
    await well(world, received("L1", at="2026-01-05T09:00:00Z"), "PEER")
    await well(world, say.recall("L1"))
    await well(world, say.cancel_recall("L1"))
    assert world.status("R-1") == "received-by-partner"


async def test_a_loss_of_a_borrowed_item_is_told_by_hand_where_no_message_can_go(world: World) -> None:
    await well(world, say.accept("R-1", "X-1"), "NOURL", "BORROW")
    await well(world, say.report("X-1", "Lost", READER), to="BORROW")
    assert (world.status("R-1", "BORROW"), world.sent("BORROW"), world.tasks("borrowing", "BORROW")) == (
        "report-lost-item-to-partner",
        [],
        ["review"],
    )


async def test_arrivals_that_cannot_be_are_shown_to_staff(world: World) -> None:
    await world.send(request_item("L1", "R-1", kind="Digital"), partner="PEER")
    await well(world, received("L1"), "PEER")
    assert world.status("R-1") == "created-lending-request"
    assert any("created-lending-request" in note for note in task_notes(world))


async def test_one_of_several_items_that_is_not_named_rightly_is_shown_to_staff(world: World) -> None:
    await well(world, wish(), "PEER", "BORROW")
    for item in ("X-1", "X-2"):
        await well(world, shipped(item=item), "PEER", "BORROW")
    await well(world, received("OTHER", at="2026-02-01T09:00:00Z"), "PEER", "BORROW")
    assert world.status("R-1", "BORROW") == "shipped-physically"
    assert any("called so" in note for note in task_notes(world))


async def test_an_item_known_by_another_name_is_the_only_one_that_came(world: World) -> None:
    await well(world, wish(), "PEER", "BORROW")
    await well(world, shipped(item="X-1"), "PEER", "BORROW")
    await well(world, received("THEIR-NAME", at="2026-02-01T09:00:00Z"), "PEER", "BORROW")
    assert world.status("R-1", "BORROW") == "request-completed"


async def test_a_request_for_which_nothing_came_is_completed_when_its_lender_says_so(world: World) -> None:
    await well(world, wish(), "PEER", "BORROW")
    await well(world, received("X-1", at="2026-02-01T09:00:00Z"), "PEER", "BORROW")
    assert world.status("R-1", "BORROW") == "request-completed"


async def test_news_of_a_time_before_the_item_came_changes_nothing(world: World) -> None:
    await well(world, say.accept("R-1", "X-1"), "BROKER", "BORROW")
    await well(world, received("X-1", at="2026-01-01T09:00:00Z", by="Lender"), "BROKER", "BORROW")
    assert world.status("R-1", "BORROW") == "loaned-item-to-patron"


async def test_a_copy_that_a_broker_says_we_have_sent_is_sent(world: World) -> None:
    await world.send(request_item("L1", "R-1", kind="Digital"), partner="DIGITAL")
    await well(world, say.lend("L1", "-", before=request_id("R-1")), "DIGITAL")
    assert world.status("R-1") == "shipped-digitally"
    await well(world, shipped(item="L1", by="Lender"), "DIGITAL")
    assert world.status("R-1") == "shipped-digitally"
    assert world.count("loan") == 0


async def test_a_transaction_with_a_number_is_posted_once_whatever_tells_of_it(world: World) -> None:
    await well(world, say.lend("L1"))
    number = (
        "<FiscalTransactionReferenceId><AgencyId>LEND</AgencyId><FiscalTransactionIdentifierValue>T-1"
        "</FiscalTransactionIdentifierValue></FiscalTransactionReferenceId><FiscalTransactionType>"
    )
    charge = say.CHARGE.replace("<FiscalTransactionType>", number)
    await well(world, say.reported("L1", "Missing", after=charge))
    await well(world, back("L1", more=charge))
    assert say.owed(world) == 150


async def test_an_address_type_that_is_left_empty_is_a_street(world: World) -> None:
    await well(world, say.lend("L1", before=ADDRESS.format("")))


async def test_a_borrowed_item_held_for_another_user_stays_there_at_the_desk_too(world: World) -> None:
    await well(world, say.lend("L1"))
    await world.desk("request", user="LEND-USER-2", barcode="L1")
    await well(world, say.bring_back("L1"))
    with pytest.raises(Exception, match="for another user"):
        await world.desk("check-out", barcode="L1", user=U1)
