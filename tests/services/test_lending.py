"""The lending side, message by message and at the desk."""

from __future__ import annotations

import pytest

from ncipd.circulation.clock import from_micros
from ncipd.circulation.errors import DeskError
from tests.services.world import World, item_id, request_id, user_id


def request_item(barcode: str, request: str, *, kind: str = "Hold") -> str:
    return (
        f"<RequestItem>{user_id('-')}{item_id(barcode)}{request_id(request)}<RequestType>{kind}</RequestType>"
        "<RequestScopeType>Item</RequestScopeType></RequestItem>"
    )


def check_out(barcode: str, request: str = "", *, due: str = "", user: str = "-") -> str:
    wished = f"<DesiredDateDue>{due}</DesiredDateDue>" if due else ""
    named = request_id(request) if request else ""
    return f"<CheckOutItem>{user_id(user)}{item_id(barcode)}{named}{wished}</CheckOutItem>"


def check_in(barcode: str, extra: str = "") -> str:
    return f"<CheckInItem>{item_id(barcode)}{extra}</CheckInItem>"


async def test_a_physical_loan_from_request_to_return(world: World) -> None:
    """Request, pick, ship, return: every step is seen in the store."""
    answer = await world.send(request_item("L1", "R-1"))
    assert (answer.kind, answer.problem) == ("RequestItemResponse", None), answer
    assert answer.text("RequestId/RequestIdentifierValue") == "R-1"
    assert world.status("R-1") == "being-processed"
    assert world.tasks() == ["pick"]
    await world.desk("scan-at-shelf", barcode="L1")
    assert world.tasks() == ["ship"]
    answer = await world.send(check_out("L1", "R-1", due="2026-02-01T22:59:59Z"))
    assert answer.problem is None, answer
    assert answer.text("CheckOutItemResponse/DateDue") == "2026-02-01T22:59:59Z"
    assert answer.text("CheckOutItemResponse/RenewalCount") == "0"
    assert answer.text("CheckOutItemResponse/UserId/UserIdentifierValue") == "-"
    assert (world.status("R-1"), world.item_status("L1"), world.tasks()) == ("shipped-physically", "on-loan", [])
    answer = await world.send(check_in("L1"))
    assert answer.problem is None, answer
    assert "shelf" in (answer.text("RoutingInformation/RoutingInstructions") or "")
    assert (world.status("R-1"), world.item_status("L1")) == ("request-completed", "available")


async def test_a_request_is_named_in_the_answer_as_the_partner_named_it(world: World) -> None:
    """Whose number it is comes back too, whether or not the partner's requests are told apart by it."""
    whose = request_item("L1", "R-1").replace(
        "<RequestIdentifierValue>", "<AgencyId>HUB</AgencyId><RequestIdentifierValue>"
    )
    answer = await world.send(whose)
    assert answer.text("RequestItemResponse/RequestId/AgencyId") == "HUB"
    assert answer.text("RequestItemResponse/RequestId/RequestIdentifierValue") == "R-1"


async def test_the_same_message_twice_is_one_loan_and_the_same_bytes(world: World) -> None:
    """A resend within the window gets the stored answer, byte for byte."""
    first = await world.send(check_out("L1", "R-1"))
    second = await world.send(check_out("L1", "R-1"))
    assert first.raw == second.raw
    assert world.count("loan") == 1


async def test_a_rebuilt_resend_next_day_is_answered_with_current_data(world: World) -> None:
    """After the window the state decides: success, current due date, no second loan."""
    await world.send(check_out("L1", "R-1", due="2026-02-01T22:59:59Z"))
    renewed = await world.send(
        f"<RenewItem>{user_id('-')}{item_id('L1')}<DesiredDateDue>2026-02-20T22:59:59Z</DesiredDateDue></RenewItem>"
    )
    assert renewed.text("RenewItemResponse/DateDue") == "2026-02-20T22:59:59Z", renewed
    world.clock.pass_days(1)
    again = await world.send(check_out("L1", "R-1", due="2026-02-01T22:59:59Z"))
    assert again.text("CheckOutItemResponse/DateDue") == "2026-02-20T22:59:59Z"
    assert world.count("loan") == 1


async def test_out_in_and_out_again_is_three_effects(world: World) -> None:
    """The very same check-out after a return is a new loan, even within the window."""
    for _ in range(2):
        assert (await world.send(check_out("L1", "R-1"))).problem is None
        assert (await world.send(check_in("L1"))).problem is None
    assert (await world.send(check_out("L1", "R-1"))).problem is None
    assert world.count("loan") == 3
    assert world.count("request") == 3


async def test_the_desk_ships_before_the_message(world: World) -> None:
    """CheckOutItem after ship confirms the same loan and sets the date."""
    await world.send(request_item("L1", "R-1"))
    done = await world.desk("ship", barcode="L1")
    assert done.loan is not None
    answer = await world.send(check_out("L1", "R-1", due="2026-01-20T22:59:59Z"))
    assert answer.text("CheckOutItemResponse/DateDue") == "2026-01-20T22:59:59Z"
    assert world.count("loan") == 1


async def test_scan_in_before_the_message(world: World) -> None:
    """CheckInItem after scan-in succeeds and changes nothing more."""
    await world.send(check_out("L1", "R-1"))
    done = await world.desk("scan-in", barcode="L1")
    assert done.instruction == "shelve"
    assert world.status("R-1") == "request-completed"
    assert (await world.send(check_in("L1"))).problem is None
    assert world.count("loan") == 1


async def test_another_copy_than_requested_frees_the_first(world: World) -> None:
    """The request moves to the copy that was sent, and the one set aside is free again."""
    await world.send(request_item("L20", "R-1"))
    assert world.item_status("L20") == "requested"
    assert (await world.send(check_out("L20b", "R-1"))).problem is None
    assert (world.item_status("L20"), world.item_status("L20b")) == ("available", "on-loan")
    assert world.tasks() == []


async def test_two_volumes_complete_with_the_last(world: World) -> None:
    """A request with two items is done when both are back."""
    await world.send(check_out("L1", "R-1"))
    await world.send(check_out("L2", "R-1"))
    await world.send(check_in("L1", request_id("R-1")))
    assert world.status("R-1") == "shipped-physically"
    await world.send(check_in("L2", request_id("R-1")))
    assert world.status("R-1") == "request-completed"


async def test_unknown_item_names_the_element_and_the_value(world: World) -> None:
    """A problem says scheme, type, element, value and what to do."""
    answer = await world.send(check_out("nope", "R-1"))
    assert answer.problem == "Unknown Item"
    assert answer.text("Problem/ProblemElement") == "CheckOutItem/ItemId/ItemIdentifierValue"
    assert answer.text("Problem/ProblemValue") == "nope"
    assert "barcode" in (answer.text("Problem/ProblemDetail") or "")


async def test_an_item_still_out_is_already_checked_out(world: World) -> None:
    """Another request for an item on loan does not get a second loan."""
    await world.send(check_out("L1", "R-1"))
    assert (await world.send(check_out("L1", "R-2"))).problem == "Item Already Checked Out"


async def test_cancel_before_shipping_puts_the_item_back(world: World) -> None:
    """A cancelled request frees its item; a picked one gets a reshelving task."""
    cancel = f"<CancelRequestItem>{user_id('-')}{request_id('R-1')}<RequestType>Hold</RequestType></CancelRequestItem>"
    await world.send(request_item("L1", "R-1"))
    assert (await world.send(cancel)).problem is None
    assert (world.status("R-1"), world.item_status("L1"), world.tasks()) == ("cancelled", "available", [])
    await world.send(request_item("L2", "R-2"))
    await world.desk("scan-at-shelf", barcode="L2")
    assert (await world.send(cancel.replace("R-1", "R-2"))).problem is None
    assert world.tasks() == ["reshelve"]
    assert (await world.send(check_out("L3", "R-3"))).problem is None
    assert (await world.send(cancel.replace("R-1", "R-3"))).problem == "Request Already Processed"


async def test_digital_supply_completes_at_once_or_waits_for_the_desk(world: World) -> None:
    """Receive Digitally decides whether a digital check-out completes the request."""
    await world.send(request_item("L1", "R-1", kind="Digital"))
    assert (world.status("R-1"), world.item_status("L1")) == ("created-lending-request", "available")
    answer = await world.send(check_out("whatever", "R-1"))
    assert answer.has("CheckOutItemResponse/NonReturnableFlag"), answer
    assert (world.status("R-1"), world.tasks(), world.count("loan")) == ("request-completed", [], 0)
    await world.send(request_item("L1", "R-2", kind="Digital"), partner="DIGITAL")
    await world.send(check_out("whatever", "R-2"), partner="DIGITAL")
    assert world.status("R-2") == "shipped-digitally"
    await world.desk("confirm-digital", request="R-2")
    assert world.status("R-2") == "request-completed"


async def test_a_manual_renewal_is_pending_until_staff_decide(world: World) -> None:
    """The outcome goes to the partner that was told Pending."""
    renew = f"<RenewItem>{user_id('-')}{item_id('L1')}<DesiredDateDue>2026-03-01T22:59:59Z</DesiredDateDue></RenewItem>"
    await world.send(check_out("L1", "R-1"), partner="MANUAL")
    answer = await world.send(renew, partner="MANUAL")
    assert answer.has("RenewItemResponse/Pending"), answer
    assert (world.status("R-1"), world.tasks()) == ("renew-requested", ["decide-renewal"])
    await world.desk("approve-renewal", request="R-1")
    assert (world.status("R-1"), world.sent()) == ("renewed", ["ItemRenewed"])
    await world.send(renew.replace("2026-03-01", "2026-03-20"), partner="MANUAL")
    await world.desk("reject-renewal", request="R-1", reason="needed for a course")
    assert (world.status("R-1"), world.sent()) == ("renew-rejected", ["ItemRenewed", "CirculationStatusUpdated"])


async def test_each_volume_of_a_request_has_a_renewal_wish_of_its_own(world: World) -> None:
    """Two volumes, two dates asked for: staff decide on each, and the request waits until both are decided."""
    two = request_item("L1", "R-1").replace(item_id("L1"), item_id("L1") + item_id("L2"))
    await world.send(two, partner="MANUAL")
    for barcode, day in (("L1", "2026-03-01"), ("L2", "2026-03-15")):
        await world.send(check_out(barcode, "R-1"), partner="MANUAL")
        renew = (
            f"<RenewItem>{user_id('-')}{item_id(barcode)}<DesiredDateDue>{day}T22:59:59Z</DesiredDateDue></RenewItem>"
        )
        assert (await world.send(renew, partner="MANUAL")).has("RenewItemResponse/Pending")
    assert world.tasks() == ["decide-renewal", "decide-renewal"]
    with pytest.raises(DeskError, match="2 volumes"):
        await world.desk("approve-renewal", request="R-1")
    await world.desk("approve-renewal", request="R-1", barcode="L1")
    assert (world.status("R-1"), world.tasks()) == ("renew-requested", ["decide-renewal"])
    await world.desk("approve-renewal", request="R-1")
    assert (world.status("R-1"), world.tasks()) == ("renewed", [])
    assert [due(world, barcode) for barcode in ("L1", "L2")] == ["2026-03-01", "2026-03-15"]


def due(world: World, barcode: str) -> str:
    loan = world.ask(lambda circ: circ.loan_of(circ.item_by_barcode(barcode)))
    return f"{from_micros(loan.due_at):%Y-%m-%d}"


async def test_a_local_request_recalls_a_shipped_item_once(world: World) -> None:
    """A user of ours wants what is shipped: one RecallItem, and no renewals from then on."""
    await world.send(check_out("L1", "R-1"))
    done = await world.desk("request", user="LEND-USER-1", barcode="L1")
    assert "recall" in done.message
    assert (world.status("R-1"), world.sent()) == ("recalled", ["RecallItem"])
    await world.desk("request", user="LEND-USER-2", barcode="L1")
    assert world.sent() == ["RecallItem"]
    renewal = await world.send(f"<RenewItem>{user_id('-')}{item_id('L1')}</RenewItem>")
    assert renewal.problem == "Renewal Not Allowed - Item Has Outstanding Requests"
    answer = await world.send(check_in("L1"))
    assert "hold shelf" in (answer.text("RoutingInformation/RoutingInstructions") or "")
    assert "USER" not in answer.raw.decode()
