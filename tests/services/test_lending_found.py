"""The lending side: what the broker's scenarios found."""

from __future__ import annotations

from typing import Any

import pytest

from ncipd.circulation.model import HoldState
from tests.services.test_lending import check_in, check_out, request_item
from tests.services.world import World, item_id, request_id, user_id


def tasks_of(world: World, barcode: str) -> list[str]:
    """Give the kinds of what is to do with an item."""

    def look(circ: Any) -> list[str]:
        item = circ.item_by_barcode(barcode)
        return [task.kind for task in circ.tasks_about(item)]

    found: list[str] = world.ask(look)
    return found


def hold_states(world: World, barcode: str) -> list[HoldState]:
    """Give the states of the holds that an item could fill."""

    def look(circ: Any) -> list[HoldState]:
        return [hold.state for hold in circ.holds_on(circ.item_by_barcode(barcode))]

    found: list[HoldState] = world.ask(look)
    return found


async def test_a_copy_supplied_instead_sends_the_picked_volume_back_to_its_shelf(world: World) -> None:
    """ResourceDesired ends the loan's preparations: the volume that staff had fetched gets a task to put it back."""
    await world.send(request_item("L1", "R-1"))
    await world.desk("scan-at-shelf", barcode="L1")
    desired = check_out("L1", "R-1").replace("</CheckOutItem>", "<ResourceDesired/></CheckOutItem>")
    answer = await world.send(desired)
    assert answer.has("CheckOutItemResponse/NonReturnableFlag"), answer
    assert (world.status("R-1"), world.item_status("L1"), world.count("loan")) == ("request-completed", "available", 0)
    assert world.tasks() == ["reshelve"]


async def test_a_digital_supply_is_checked_in_by_the_barcode_of_its_volume(world: World) -> None:
    """CheckInItem by ItemId alone means the partner's single digital request for the item that waits for its end."""
    await world.send(request_item("L1", "R-1", kind="Digital"), partner="DIGITAL")
    await world.send(check_out("whatever", "R-1"), partner="DIGITAL")
    assert world.status("R-1") == "shipped-digitally"
    assert (await world.send(check_in("L1"), partner="DIGITAL")).problem is None
    assert (world.status("R-1"), world.item_status("L1"), world.tasks()) == ("request-completed", "available", [])
    world.clock.pass_days(1)
    again = await world.send(check_in("L1", "<Ext/>"), partner="DIGITAL")
    assert again.problem is None, "said once more, it is still so"


async def test_a_supply_that_became_digital_on_the_way_is_checked_in_by_its_request(world: World) -> None:
    """A loan turned into a copy by ResourceDesired waits for its end like any digital supply."""
    await world.send(request_item("L1", "R-1"), partner="DIGITAL")
    desired = check_out("L1", "R-1").replace("</CheckOutItem>", "<ResourceDesired/></CheckOutItem>")
    await world.send(desired, partner="DIGITAL")
    assert world.status("R-1") == "shipped-digitally"
    assert (await world.send(check_in("DOC-7", request_id("R-1")), partner="DIGITAL")).problem is None
    assert (world.status("R-1"), world.tasks()) == ("request-completed", [])


async def test_of_two_digital_supplies_from_one_volume_the_request_says_which_is_checked_in(world: World) -> None:
    """Several fit and none is named: Needed Data Missing, and both go on waiting."""
    for request in ("R-1", "R-2"):
        await world.send(request_item("L1", request, kind="Digital"), partner="DIGITAL")
        await world.send(check_out("whatever", request), partner="DIGITAL")
    answer = await world.send(check_in("L1"), partner="DIGITAL")
    assert (answer.problem, answer.text("Problem/ProblemElement")) == ("Needed Data Missing", "CheckInItem/RequestId")
    assert {world.status("R-1"), world.status("R-2")} == {"shipped-digitally"}


async def test_a_digital_supply_does_not_hide_the_loan_of_its_volume(world: World) -> None:
    """The volume itself is out as well: CheckInItem by ItemId alone is about the loan."""
    await world.send(request_item("L1", "R-1", kind="Digital"), partner="DIGITAL")
    await world.send(check_out("whatever", "R-1"), partner="DIGITAL")
    await world.send(check_out("L1", "R-2"), partner="DIGITAL")
    await world.send(check_in("L1"), partner="DIGITAL")
    assert (world.status("R-1"), world.status("R-2")) == ("shipped-digitally", "request-completed")


async def test_a_late_return_of_an_earlier_request_leaves_the_present_loan(world: World) -> None:
    """CheckInItem that names an ended request does not end the loan of the next one, however late it comes."""
    await world.send(check_out("L1", "R-1"))
    await world.desk("scan-in", barcode="L1")
    await world.send(check_out("L1", "R-2"))
    late = await world.send(check_in("L1", request_id("R-1") + user_id("-")))
    assert late.problem is None, late
    assert (world.status("R-2"), world.item_status("L1")) == ("shipped-physically", "on-loan")
    assert (await world.send(check_in("L1", request_id("R-2")))).problem is None
    assert (world.status("R-2"), world.item_status("L1")) == ("request-completed", "available")


async def test_a_return_under_a_number_that_nobody_knows_is_still_a_return(world: World) -> None:
    """The item is back, whatever RequestId the broker wrote: only a request whose loan is over is another matter."""
    await world.send(check_out("L1", "R-1"))
    assert (await world.send(check_in("L1", request_id("R-OTHER")))).problem is None
    assert (world.status("R-1"), world.item_status("L1")) == ("request-completed", "available")


async def test_a_return_for_another_request_that_is_known_is_refused(world: World) -> None:
    """The numbers contradict each other: one of the two loans would be ended in place of the other."""
    await world.send(check_out("L1", "R-1"))
    await world.send(check_out("L2", "R-2"))
    answer = await world.send(check_in("L1", request_id("R-2")))
    assert answer.problem == "Item Not Checked Out", answer
    assert (world.item_status("L1"), world.item_status("L2")) == ("on-loan", "on-loan")


async def test_what_has_left_is_not_to_be_fetched_for_a_reader(world: World) -> None:
    """A reader's hold outlives the shipment of its item, and its pick task does not."""
    await world.desk("request", user="LEND-USER-1", barcode="L1")
    assert tasks_of(world, "L1") == ["pick"]
    assert (await world.send(check_out("L1", "R-1"))).problem is None
    assert (tasks_of(world, "L1"), hold_states(world, "L1")) == ([], [HoldState.WAITING])
    answer = await world.send(check_in("L1"))
    assert "hold shelf" in (answer.text("RoutingInformation/RoutingInstructions") or "")


async def test_who_was_to_fetch_what_has_left_waits_again(world: World) -> None:
    """Shipped from the hold shelf by mistake: the hold is no longer ready, and is filled on return."""
    await world.desk("request", user="LEND-USER-1", barcode="L1")
    await world.desk("hold-shelf", barcode="L1")
    assert hold_states(world, "L1") == [HoldState.READY]
    await world.send(check_out("L1", "R-1"))
    assert hold_states(world, "L1") == [HoldState.WAITING]
    await world.send(check_in("L1"))
    assert (hold_states(world, "L1"), world.item_status("L1")) == ([HoldState.READY], "on-hold-shelf")


async def test_a_copy_to_be_made_stays_on_the_list_when_its_volume_leaves(world: World) -> None:
    """The task of a digital request is not struck because the volume was shipped for another request."""
    await world.send(request_item("L1", "R-1", kind="Digital"))
    await world.send(check_out("L1", "R-2"))
    assert tasks_of(world, "L1") == ["pick"]


async def _picked_in_vain(world: World, barcode: str, request: str) -> None:
    await world.send(request_item(barcode, request))
    await world.desk("scan-at-shelf", barcode=barcode)
    await world.desk("cancel", request=request)
    assert tasks_of(world, barcode) == ["reshelve"]


async def test_what_is_wanted_again_need_not_be_put_back(world: World) -> None:
    """A task to reshelve is struck when the item is set aside for the next request, or has left."""
    await _picked_in_vain(world, "L1", "R-1")
    await world.send(request_item("L1", "R-2"))
    assert tasks_of(world, "L1") == ["pick"]
    await _picked_in_vain(world, "L2", "R-3")
    await world.send(check_out("L2", "R-4"))
    assert tasks_of(world, "L2") == []


def needed(barcode: str, request: str, before: str) -> str:
    """Write a RequestItem with a NeedBeforeDate."""
    date = f"<NeedBeforeDate>{before}</NeedBeforeDate>"
    return request_item(barcode, request, kind="Loan").replace("</RequestItem>", f"{date}</RequestItem>")


@pytest.mark.parametrize(
    ("before", "problem"),
    [
        ("2026-01-20T12:00:00Z", "Item Not Available By Need Before Date"),
        ("2026-06-01T12:00:00Z", None),
    ],
)
async def test_a_request_does_not_wait_for_what_comes_too_late(world: World, before: str, problem: str | None) -> None:
    """An item on loan for four weeks: needed sooner is refused and kept nowhere, needed later waits."""
    await world.desk("check-out", barcode="L1", user="LEND-USER-1")
    answer = await world.send(needed("L1", "R-1", before))
    assert answer.problem == problem, answer
    assert world.count("request") == (0 if problem else 1)


async def test_a_title_waits_for_the_copy_that_is_back_first(world: World) -> None:
    """Of two copies on loan the one due first decides whether a title can be had in time."""
    await world.desk("check-out", barcode="L20", user="LEND-USER-1", due_date="2026-04-01")
    await world.desk("check-out", barcode="L20b", user="LEND-USER-2", due_date="2026-01-10")
    title = (
        "<BibliographicId><BibliographicRecordId><BibliographicRecordIdentifier>REC-LEND-20"
        "</BibliographicRecordIdentifier><AgencyId>LEND</AgencyId></BibliographicRecordId></BibliographicId>"
    )
    in_time = needed("L20", "R-1", "2026-01-20T12:00:00Z").replace(item_id("L20"), title)
    assert (await world.send(in_time)).problem is None
    too_soon = needed("L20", "R-2", "2026-01-08T12:00:00Z").replace(item_id("L20"), title)
    assert (await world.send(too_soon)).problem == "Item Not Available By Need Before Date"


async def test_requested_and_cancelled_twice_over_is_four_effects(world: World) -> None:
    """The very same words within the window mean the new request, located or not."""
    wish = (
        f"<RequestItem>{user_id('-')}<BibliographicId><BibliographicRecordId><BibliographicRecordIdentifier>none"
        "</BibliographicRecordIdentifier><AgencyId>LEND</AgencyId></BibliographicRecordId></BibliographicId>"
        f"{request_id('R-1')}<RequestType>Loan</RequestType><RequestScopeType>Item</RequestScopeType></RequestItem>"
    )
    cancel = f"<CancelRequestItem>{user_id('-')}{request_id('R-1')}<RequestType>Loan</RequestType></CancelRequestItem>"
    for _ in range(2):
        assert (await world.send(wish)).problem is None
        assert world.status("R-1") == "locate-failed"
        assert (await world.send(cancel)).problem is None
        assert world.status("R-1") == "cancelled"


async def test_a_request_for_nothing_is_told_that_it_names_nothing(world: World) -> None:
    """Not that its user is unknown: a pseudo-patron of another library is no user of ours."""
    title = (
        "<BibliographicId><BibliographicRecordId><BibliographicRecordIdentifier> </BibliographicRecordIdentifier>"
        "<AgencyId>THEM</AgencyId></BibliographicRecordId></BibliographicId>"
    )
    kind = "<RequestType>Loan</RequestType><RequestScopeType>Item</RequestScopeType>"
    answer = await world.send(f"<RequestItem>{user_id('WHO')}{title}{request_id('R-1')}{kind}</RequestItem>")
    assert (answer.problem, answer.text("ProblemElement")) == ("Needed Data Missing", "RequestItem/BibliographicId")


# ---------------------------------------------------------------------------------------------- from a branch

LOOK = f"<LookupItem>{item_id('LLAW')}<ItemElementType>Circulation Status</ItemElementType></LookupItem>"


async def _fetched_from_the_branch(world: World) -> None:
    """Loans leave from MAIN; LLAW belongs to LAW and has been taken from its shelf there."""
    await world.send(request_item("LLAW", "R-1"))
    done = await world.desk("scan-at-shelf", barcode="LLAW")
    assert done.instruction == "send to sharing library"
    assert "Main Library" in done.message


async def test_what_is_fetched_from_a_branch_travels_to_the_library_that_sends(world: World) -> None:
    """It is in transit until it is scanned in there, and only then on the list of what is to be shipped."""
    await _fetched_from_the_branch(world)
    assert (world.status("R-1"), world.item_status("LLAW")) == ("being-processed", "in-transit")
    assert tasks_of(world, "LLAW") == []
    assert (await world.send(LOOK)).text("CirculationStatus") == "In Transit Between Library Locations"
    again = await world.desk("scan-at-shelf", barcode="LLAW")
    assert (again.instruction, world.item_status("LLAW")) == ("send to sharing library", "in-transit")
    done = await world.desk("scan-in", barcode="LLAW")
    assert done.instruction == "ship"
    assert done.request is not None
    assert done.request.identifier == "R-1"
    assert (world.item_status("LLAW"), tasks_of(world, "LLAW")) == ("picked", ["ship"])
    assert (await world.send(LOOK)).text("CirculationStatus") == "Pending Transfer"
    once_more = await world.desk("scan-in", barcode="LLAW")
    assert (once_more.instruction, tasks_of(world, "LLAW")) == ("ship to next request", ["ship"])
    assert (await world.desk("scan-at-shelf", barcode="LLAW")).instruction == "ship"
    await world.desk("ship", barcode="LLAW")
    assert (world.status("R-1"), world.item_status("LLAW")) == ("shipped-physically", "on-loan")
    assert tasks_of(world, "LLAW") == []


@pytest.mark.parametrize("scans", [(), ("scan-at-shelf",), ("scan-at-shelf", "scan-in")])
async def test_a_check_out_is_a_fact_wherever_the_item_was_last_seen(world: World, scans: tuple[str, ...]) -> None:
    """On its shelf in the branch, under way, or arrived."""
    await world.send(request_item("LLAW", "R-1"))
    for scan in scans:
        await world.desk(scan, barcode="LLAW")
    assert (await world.send(check_out("LLAW", "R-1"))).problem is None
    assert (world.status("R-1"), world.item_status("LLAW"), tasks_of(world, "LLAW")) == (
        "shipped-physically",
        "on-loan",
        [],
    )


async def test_what_travels_can_be_shipped_though_nobody_has_scanned_it_in(world: World) -> None:
    await _fetched_from_the_branch(world)
    await world.desk("ship", barcode="LLAW")
    assert (world.status("R-1"), world.item_status("LLAW"), world.count("loan")) == ("shipped-physically", "on-loan", 1)


async def test_what_travels_for_a_request_that_is_cancelled_goes_home(world: World) -> None:
    await _fetched_from_the_branch(world)
    await world.desk("cancel", request="R-1")
    assert (world.item_status("LLAW"), tasks_of(world, "LLAW")) == ("in-transit", ["send-home"])
    done = await world.desk("scan-in", barcode="LLAW")
    assert (done.instruction, world.item_status("LLAW"), tasks_of(world, "LLAW")) == ("shelve", "available", [])


async def test_what_travels_for_one_request_is_nobody_elses(world: World) -> None:
    """A second request waits; another system of the library cannot call it available."""
    await _fetched_from_the_branch(world)
    await world.send(request_item("LLAW", "R-2"))
    assert world.status("R-2") == "created-lending-request"
    status = (
        f"<UpdateCirculationStatus>{item_id('LLAW')}<CirculationStatus>Available On Shelf</CirculationStatus>"
        "</UpdateCirculationStatus>"
    )
    assert (await world.send(status, partner="DISCOVERY")).problem == "Element Rule Violated"
    await world.desk("cancel", request="R-1")
    assert (world.status("R-2"), world.item_status("LLAW")) == ("being-processed", "requested")


async def test_what_is_lost_on_its_way_leaves_its_request_waiting(world: World) -> None:
    await _fetched_from_the_branch(world)
    status = (
        f"<UpdateCirculationStatus>{item_id('LLAW')}<CirculationStatus>Missing</CirculationStatus>"
        "</UpdateCirculationStatus>"
    )
    assert (await world.send(status, partner="DISCOVERY")).problem is None
    assert (world.status("R-1"), world.item_status("LLAW")) == ("created-lending-request", "missing")


async def test_a_partner_without_a_library_of_its_own_sends_from_the_first(world: World) -> None:
    """Its items come back there too."""
    await world.send(request_item("LLAW", "R-1"), partner="MANUAL")
    assert (await world.desk("scan-at-shelf", barcode="LLAW")).instruction == "send to sharing library"
    await world.send(check_out("LLAW", "R-1"), partner="MANUAL")
    assert (await world.desk("scan-in", barcode="LLAW")).instruction == "send home"
