"""UndoCheckOutItem: a check-out made in error is as if it had never been."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.services import loans as say
from tests.services.loans import U1, U2, give_fee, loans, owed, refused, well
from tests.services.test_lending import request_item
from tests.services.world import World, fill, make_world, request_id, user_id

ITEM = "UndoCheckOutItem/ItemId/ItemIdentifierValue"


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    made = make_world(tmp_path / "data", say.PARTNERS)
    await fill(made)
    yield made
    await made.store.close()


def ship(item: str, request: str = "") -> str:
    return say.lend(item, "-", before=request_id(request) if request else "")


# ---------------------------------------------------------------------------------------------- our users


async def test_a_loan_to_a_user_is_as_if_it_had_never_been(world: World) -> None:
    await well(world, say.lend("L1"))
    answer = await well(world, say.undo("L1", user=U1))
    assert answer.text("UndoCheckOutItemResponse/UserId/UserIdentifierValue") == U1
    assert await say.status(world, "L1") == "Available On Shelf"
    found = await world.send(f"<LookupUser>{user_id(U1)}<LoanedItemsDesired/></LookupUser>", partner="ILS")
    assert not found.has("LoanedItem")
    assert [mark for _, _, mark in loans(world, "L1")] == ["undone"]
    await well(world, say.lend("L1", U2))


async def test_told_again_the_next_day_it_changes_nothing(world: World) -> None:
    await well(world, say.lend("L1"))
    first = await well(world, say.undo("L1"))
    assert (await well(world, say.undo("L1"))).raw == first.raw
    world.clock.pass_days(1)
    await well(world, say.undo("L1"))
    assert (world.count("loan"), await say.status(world, "L1")) == (1, "Available On Shelf")


async def test_its_charges_are_reversed_and_what_was_paid_is_to_the_users_credit(world: World) -> None:
    await give_fee(world, "L1", 250)
    await well(world, say.lend("L1", before=say.money("AcknowledgedFeeAmount", 250)))
    answer = await well(world, say.undo("L1"))
    assert answer.text("FiscalTransactionInformation/FiscalActionType") == "Cancel"
    assert answer.text("FiscalTransactionInformation/Amount/MonetaryValue") == "250"
    assert owed(world) == 0
    await well(world, say.lend("L1", before=say.money("PaidFeeAmount", 250)))
    await well(world, say.undo("L1"))
    assert owed(world) == -250


async def test_the_hold_that_the_loan_had_filled_waits_again(world: World) -> None:
    await well(world, say.lend("L1", U2))
    await world.desk("request", user=U1, barcode="L1")
    await well(world, say.bring_back("L1"))
    await well(world, say.lend("L1", U1))
    await well(world, say.undo("L1"))
    assert await say.status(world, "L1") == "Available For Pickup"
    found = await world.send(f"<LookupUser>{user_id(U1)}<RequestedItemsDesired/></LookupUser>", partner="ILS")
    assert found.text("RequestedItem/RequestStatusType") == "Available For Pickup"
    await well(world, say.lend("L1", U1))


async def test_a_hold_whose_item_was_still_to_be_fetched_is_fetched_again(world: World) -> None:
    await world.desk("request", user=U1, barcode="L1")
    await well(world, say.lend("L1", U1))
    assert world.tasks() == []
    await well(world, say.undo("L1"))
    assert (world.item_status("L1"), world.tasks()) == ("requested", ["pick"])


async def test_an_item_that_somebody_waits_for_goes_to_the_hold_shelf(world: World) -> None:
    await well(world, say.lend("L1"))
    await world.desk("request", user=U2, barcode="L1")
    await well(world, say.undo("L1"))
    assert await say.status(world, "L1") == "Available For Pickup"


# ---------------------------------------------------------------------------------------------- lending


@pytest.mark.parametrize(("picked", "item", "tasks"), [(False, "requested", ["pick"]), (True, "picked", ["ship"])])
async def test_a_lending_request_is_where_it_was_before_shipping(
    world: World, *, picked: bool, item: str, tasks: list[str]
) -> None:
    await world.send(request_item("L1", "R-1"))
    if picked:
        await world.desk("scan-at-shelf", barcode="L1")
    await well(world, ship("L1", "R-1"), partner="BROKER")
    answer = await well(world, say.undo("L1", user="-", request="R-1"), partner="BROKER")
    assert not answer.has("FiscalTransactionInformation")
    assert (world.status("R-1"), world.item_status("L1"), world.tasks()) == ("being-processed", item, tasks)
    await well(world, ship("L1", "R-1"), partner="BROKER")
    assert (world.status("R-1"), world.tasks()) == ("shipped-physically", [])


async def test_a_request_that_the_check_out_had_made_ends_with_it(world: World) -> None:
    await well(world, ship("L1", "R-1"), partner="BROKER")
    await well(world, say.undo("L1"), partner="BROKER")
    assert (world.status("R-1"), world.item_status("L1")) == ("cancelled", "available")
    await well(world, ship("L1", "R-1"), partner="BROKER")
    assert world.status("R-1") == "shipped-physically"


async def test_after_the_wrong_copy_the_right_one_is_set_aside_again(world: World) -> None:
    await world.send(request_item("L20", "R-1"))
    await well(world, ship("L20b", "R-1"), partner="BROKER")
    assert world.item_status("L20") == "available"
    await well(world, say.undo("L20b"), partner="BROKER")
    assert (world.item_status("L20"), world.item_status("L20b")) == ("requested", "available")
    assert (world.status("R-1"), world.tasks()) == ("being-processed", ["pick"])


async def test_a_request_that_waited_for_its_copy_gets_it_at_once(world: World) -> None:
    """The item had come back and gone out before its turn was seen to; undone, it is this request's turn."""
    await well(world, say.lend("L1"))
    await world.send(request_item("L1", "R-1"))
    assert world.status("R-1") == "created-lending-request"
    await well(
        world,
        ship("L1", "R-1").replace("<CheckOutItem>", "<CheckOutItem>" + say.mandated("2026-01-05T09:00:00Z")),
        partner="BROKER",
    )
    assert world.status("R-1") == "shipped-physically"
    await well(world, say.undo("L1"), partner="BROKER")
    assert (world.status("R-1"), world.item_status("L1")) == ("being-processed", "requested")


async def test_one_volume_of_two_is_undone_and_the_other_stays_out(world: World) -> None:
    await well(world, ship("L1", "R-1"), partner="BROKER")
    await well(world, ship("L2", "R-1"), partner="BROKER")
    await well(world, say.undo("L2"), partner="BROKER")
    assert (world.status("R-1"), world.item_status("L2")) == ("shipped-physically", "available")
    await well(world, say.bring_back("L1"), partner="BROKER")
    assert world.status("R-1") == "request-completed"


async def test_undone_after_the_other_volume_came_back_the_request_is_done(world: World) -> None:
    await well(world, ship("L1", "R-1"), partner="BROKER")
    await well(world, ship("L2", "R-1"), partner="BROKER")
    await well(world, say.bring_back("L1"), partner="BROKER")
    await well(world, say.undo("L2"), partner="BROKER")
    assert world.status("R-1") == "request-completed"


async def test_what_a_recall_or_a_renewal_had_begun_ends_with_the_loan(world: World) -> None:
    await world.send(request_item("L1", "R-1"), partner="MANUAL")
    await well(world, ship("L1", "R-1"), partner="MANUAL")
    await well(world, f"<RenewItem>{user_id('-')}{say.item_id('L1')}</RenewItem>", partner="MANUAL")
    assert world.tasks() == ["decide-renewal"]
    await well(world, say.undo("L1"), partner="MANUAL")
    assert (world.status("R-1"), world.tasks()) == ("being-processed", ["pick"])
    await well(world, ship("L2"), partner="BROKER")
    await world.desk("request", user=U1, barcode="L2")
    await well(world, say.undo("L2"), partner="BROKER")
    assert world.item_status("L2") == "on-hold-shelf"
    assert say.rows(world, "SELECT count(*) FROM recall WHERE cancelled_at IS NULL") == [(0,)]


async def test_a_digital_supply_is_undone_until_it_is_confirmed(world: World) -> None:
    await world.send(request_item("L1", "R-1", kind="Digital"), partner="DIGITAL")
    await well(world, ship("L1", "R-1"), partner="DIGITAL")
    assert world.status("R-1") == "shipped-digitally"
    await well(world, say.undo("L1", request="R-1"), partner="DIGITAL")
    assert (world.status("R-1"), world.tasks()) == ("created-lending-request", ["pick"])
    await well(world, say.undo("L1", request="R-1"), partner="DIGITAL")
    await well(world, ship("L1", "R-1"), partner="DIGITAL")
    await world.desk("confirm-digital", request="R-1")
    found = await refused(world, say.undo("L1", request="R-1"), partner="DIGITAL")
    assert found == ("Request Already Processed", "UndoCheckOutItem/RequestId/RequestIdentifierValue")


# ---------------------------------------------------------------------------------------------- borrowing


async def test_a_borrowed_item_waits_for_its_user_again(world: World) -> None:
    await well(world, say.accept("R-1", "X-1", action="Hold For Pickup"), partner="BROKER", to="BORROW")
    await world.desk("hold-shelf", agency="BORROW", barcode="X-1")
    await world.desk("check-out", agency="BORROW", barcode="X-1", user=say.READER)
    await well(world, say.undo("X-1", user=say.READER), partner="BROKER", to="BORROW")
    assert world.status("R-1", "BORROW") == "physically-received-by-library"
    assert (world.item_status("X-1", "BORROW"), world.tasks("borrowing", "BORROW")) == ("received", ["shelve-hold"])
    await world.desk("hold-shelf", agency="BORROW", barcode="X-1")
    await world.desk("check-out", agency="BORROW", barcode="X-1", user=say.READER)
    assert world.status("R-1", "BORROW") == "loaned-item-to-patron"


async def test_an_item_lent_at_once_gets_the_hold_that_it_never_had(world: World) -> None:
    await well(world, say.accept("R-1", "X-1"), partner="BROKER", to="BORROW")
    await well(world, say.undo("X-1"), partner="ILS", to="BORROW")
    assert world.tasks("borrowing", "BORROW") == ["shelve-hold"]
    await world.desk("hold-shelf", agency="BORROW", barcode="X-1")
    assert "available for pickup" in say.notices(world, say.READER, "BORROW")


async def test_recalled_meanwhile_it_goes_straight_back(world: World) -> None:
    await well(world, say.accept("R-1", "X-1"), partner="BROKER", to="BORROW")
    await well(world, say.recall("X-1"), partner="BROKER", to="BORROW")
    await well(world, say.undo("X-1"), partner="BROKER", to="BORROW")
    assert (world.item_status("X-1", "BORROW"), world.tasks("borrowing", "BORROW")) == (
        "returned",
        ["return-to-partner"],
    )


# ---------------------------------------------------------------------------------------------- problems


async def test_an_item_that_nobody_knows(world: World) -> None:
    assert await refused(world, say.undo("NONE")) == ("Unknown Item", ITEM)
    assert await refused(world, say.undo("NONE"), partner="BROKER") == ("Unknown Item", ITEM)


async def test_an_item_of_another_agency(world: World) -> None:
    await well(world, say.accept("R-1", "X-1"), partner="BROKER", to="BORROW")
    assert await refused(world, say.undo("X-1"), partner="BROKER") == ("Unknown Item", ITEM)
    assert world.status("R-1", "BORROW") == "loaned-item-to-patron"


async def test_an_item_that_is_not_out_or_has_come_back(world: World) -> None:
    assert await refused(world, say.undo("L1")) == ("Item Not Checked Out", ITEM)
    await well(world, say.lend("L1"))
    await well(world, say.bring_back("L1"))
    assert await refused(world, say.undo("L1")) == ("Item Not Checked Out", ITEM)


async def test_a_loan_of_somebody_else(world: World) -> None:
    await well(world, say.lend("L1"))
    who = "UndoCheckOutItem/UserId/UserIdentifierValue"
    assert await refused(world, say.undo("L1", user="NOBODY")) == ("Unknown User", who)
    assert await refused(world, say.undo("L1", user=U2)) == ("Item Not Checked Out To This User", who)
    assert await refused(world, say.undo("L1"), partner="BROKER") == ("Item Not Checked Out", ITEM)
    await well(world, ship("L2", "R-1"), partner="OTHER")
    assert await refused(world, say.undo("L2"), partner="BROKER") == ("Item Not Checked Out", ITEM)
    assert await say.status(world, "L1") == "On Loan"


async def test_a_user_of_ours_whom_the_broker_does_not_know_rightly(world: World) -> None:
    await well(world, say.accept("R-1", "X-1"), partner="BROKER", to="BORROW")
    assert (await refused(world, say.undo("X-1", user="NOBODY"), partner="BROKER", to="BORROW"))[0] == "Unknown User"


async def test_another_request_than_that_of_the_loan(world: World) -> None:
    await well(world, ship("L1", "R-1"), partner="BROKER")
    found = await refused(world, say.undo("L1", request="R-2"), partner="BROKER")
    assert found == ("Unknown Request", "UndoCheckOutItem/RequestId/RequestIdentifierValue")


async def test_a_pin_that_is_wrong(world: World) -> None:
    await well(world, say.lend("L1"))
    typed = (
        "<AuthenticationInput><AuthenticationInputData>1</AuthenticationInputData><AuthenticationDataFormatType>text"
        "</AuthenticationDataFormatType><AuthenticationInputType>PIN</AuthenticationInputType></AuthenticationInput>"
    )
    content = say.undo("L1").replace("</UndoCheckOutItem>", typed + "</UndoCheckOutItem>")
    assert (await refused(world, content))[0] == "User Authentication Failed"


# ---------------------------------------------------------------------------------------------- told late


async def test_undone_before_the_present_loan_began_it_does_not_touch_that(world: World) -> None:
    """The loan that was out then is taken back, with its charges; the present one stands."""
    await give_fee(world, "L1", 100)
    await well(world, say.lend("L1", before=say.money("AcknowledgedFeeAmount", 100)))
    world.clock.pass_days(1)
    await well(world, say.bring_back("L1"))
    await well(world, say.lend("L1", U2, before=say.money("AcknowledgedFeeAmount", 100)))
    await well(world, say.undo("L1", happened="2026-01-05T12:00:00Z"))
    assert [mark for _, _, mark in loans(world, "L1")] == ["undone", ""]
    assert (owed(world, U1), owed(world, U2)) == (0, 100)
    assert await say.status(world, "L1") == "On Loan"


async def test_undone_at_a_time_when_it_was_not_out(world: World) -> None:
    await well(world, say.lend("L1"))
    assert (await refused(world, say.undo("L1", happened="2026-01-03T09:00:00Z")))[0] == "Item Not Checked Out"
