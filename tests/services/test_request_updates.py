"""Requests that messages change, and requests made, changed and cancelled elsewhere."""

from __future__ import annotations

import pytest

from tests.services.world import Answer, World, item_id, request_id, user_id

EVERYTHING = (
    "User Id", "Request Type", "Request Scope Type", "Request Status Type", "Hold Queue Position",
    "Shipping Information", "Earliest Date Needed", "Need Before Date", "Pickup Location", "Pickup Expiry Date",
    "Date Of User Request", "Date Available", "Acknowledged Fee Amount", "Paid Fee Amount",
)  # fmt: skip
DETAILS = (
    "<ShippingInformation><ElectronicAddress><ElectronicAddressType>mailto</ElectronicAddressType>"
    "<ElectronicAddressData>desk@them.example</ElectronicAddressData></ElectronicAddress></ShippingInformation>"
    "<EarliestDateNeeded>2026-01-10T00:00:00Z</EarliestDateNeeded><NeedBeforeDate>2026-03-01T00:00:00Z</NeedBeforeDate>"
    "<PickupLocation>LAW</PickupLocation><PickupExpiryDate>2026-02-01T00:00:00Z</PickupExpiryDate>"
    "<AcknowledgedFeeAmount><CurrencyCode>EUR</CurrencyCode><MonetaryValue>500</MonetaryValue></AcknowledgedFeeAmount>"
    "<PaidFeeAmount><CurrencyCode>EUR</CurrencyCode><MonetaryValue>300</MonetaryValue></PaidFeeAmount>"
)


def request_item(barcode: str, request: str, details: str = "", user: str = "-") -> str:
    return (
        f"<RequestItem>{user_id(user)}{item_id(barcode)}{request_id(request) if request else ''}"
        f"<RequestType>Loan</RequestType><RequestScopeType>Item</RequestScopeType>{details}</RequestItem>"
    )


async def test_a_hold_answers_to_the_number_that_its_partner_gave_it(world: World) -> None:
    """A discovery layer that sends a RequestId of its own goes on with it; others know the hold by ours alone."""
    made = await world.send(request_item("L1", "WISH-7", user="LEND-USER-1"), partner="DISCOVERY")
    assert made.texts("RequestId/RequestIdentifierValue") == ["WISH-7"]
    again = await world.send(request_item("L2", "WISH-7", user="LEND-USER-1"), partner="DISCOVERY")
    assert (again.problem, again.text("ProblemElement")) == (
        "Duplicate Request",
        "RequestItem/RequestId/RequestIdentifierValue",
    )
    found = await look(world, "WISH-7", partner="DISCOVERY")
    assert found.texts("RequestId/RequestIdentifierValue") == ["WISH-7"]
    assert (await look(world, "WISH-7")).problem == "Unknown Request"
    item = await world.send(f"<LookupItem>{request_id('WISH-7')}</LookupItem>", partner="DISCOVERY")
    assert item.texts("ItemId/ItemIdentifierValue") == ["L1"]
    account = await world.send(
        f"<LookupUser>{user_id('LEND-USER-1')}<RequestedItemsDesired/></LookupUser>", partner="DISCOVERY"
    )
    assert account.texts("RequestedItem/RequestId/RequestIdentifierValue") == ["WISH-7"]
    cancel = (
        f"<CancelRequestItem>{user_id('LEND-USER-1')}{request_id('WISH-7')}<RequestType>Hold</RequestType>"
        "</CancelRequestItem>"
    )
    cancelled = await world.send(cancel, partner="DISCOVERY")
    assert cancelled.texts("RequestId/RequestIdentifierValue") == ["WISH-7"]
    assert world.item_status("L1") == "available"
    once_more = await world.send(request_item("L2", "WISH-7", user="LEND-USER-1"), partner="DISCOVERY")
    assert once_more.problem is None


async def look(world: World, request: str, partner: str = "BROKER", to: str = "LEND") -> Answer:
    wanted = "".join(f"<RequestElementType>{one}</RequestElementType>" for one in EVERYTHING)
    return await world.send(f"<LookupRequest>{request_id(request)}{wanted}</LookupRequest>", partner=partner, to=to)


async def test_what_a_request_brings_is_what_a_lookup_gives(world: World) -> None:
    """Every optional element of RequestItem, read back by LookupRequest."""
    assert (await world.send(request_item("L1", "R-1", DETAILS))).problem is None
    found = await look(world, "R-1")
    for path, value in (
        ("ElectronicAddressData", "desk@them.example"),
        ("EarliestDateNeeded", "2026-01-10T00:00:00Z"),
        ("NeedBeforeDate", "2026-03-01T00:00:00Z"),
        ("PickupExpiryDate", "2026-02-01T00:00:00Z"),
        ("AcknowledgedFeeAmount/MonetaryValue", "500"),
        ("PaidFeeAmount/MonetaryValue", "300"),
        ("RequestStatusType", "In Process"),
        ("UserId/UserIdentifierValue", "-"),
    ):
        assert found.text(path) == value, (path, found)


async def test_a_request_says_only_what_was_asked_for(world: World) -> None:
    """No element type, no element."""
    await world.send(request_item("L1", "R-1", DETAILS))
    bare = await world.send(f"<LookupRequest>{request_id('R-1')}</LookupRequest>")
    assert not bare.has("NeedBeforeDate")
    assert not bare.has("LookupRequestResponse/UserId")


def update(request: str, deleted: str = "", added: str = "") -> str:
    gone = f"<DeleteRequestFields>{deleted}</DeleteRequestFields>" if deleted else ""
    new = f"<AddRequestFields>{added}</AddRequestFields>" if added else ""
    return f"<UpdateRequestItem>{request_id(request)}{gone}{new}</UpdateRequestItem>"


def before(day: str) -> str:
    return f"<NeedBeforeDate>{day}T00:00:00Z</NeedBeforeDate>"


async def test_a_request_is_changed_by_deleting_and_adding(world: World) -> None:
    """The old date goes, the new one comes; a pickup library is added."""
    await world.send(request_item("L1", "R-1", before("2026-03-01")))
    pickup = "<PickupLocation>LAW</PickupLocation>"
    answer = await world.send(update("R-1", before("2026-03-01"), before("2026-04-01") + pickup))
    assert answer.problem is None, answer
    assert answer.text("UpdateRequestItemResponse/ItemId/ItemIdentifierValue") == "L1"
    found = await look(world, "R-1")
    assert (found.text("NeedBeforeDate"), found.text("PickupLocation")) == ("2026-04-01T00:00:00Z", "LAW")


async def test_a_change_that_does_not_fit_is_refused_whole(world: World) -> None:
    """Not there, there already, nothing, fixed, unknown place, unknown request, ended request."""
    await world.send(request_item("L1", "R-1", before("2026-03-01")))
    for message, problem in (
        (update("R-1", before("2026-05-01"), before("2026-04-01")), "Unable To Delete Element"),
        (update("R-1", added=before("2026-04-01")), "Unable To Add Element"),
        (update("R-1"), "Needed Data Missing"),
        (update("R-1", added=item_id("L2")), "Element Rule Violated"),
        (update("R-1", added="<PickupLocation>MOON</PickupLocation>"), "Element Rule Violated"),
        (update("R-none", added=before("2026-04-01")), "Unknown Request"),
    ):
        assert (await world.send(message)).problem == problem, message
    assert (await look(world, "R-1")).text("NeedBeforeDate") == "2026-03-01T00:00:00Z"
    await world.desk("cancel", request="R-1")
    ended = await world.send(update("R-1", before("2026-03-01"), before("2026-04-01")))
    assert ended.problem == "Request Already Processed"


async def test_another_partners_request_is_unknown(world: World) -> None:
    """What one broker asked for, another cannot see or change."""
    await world.send(request_item("L1", "R-1"))
    assert (await look(world, "R-1", partner="MANUAL")).problem == "Unknown Request"
    changed = await world.send(update("R-1", added=before("2026-04-01")), partner="MANUAL")
    assert changed.problem == "Unknown Request"


async def test_a_request_made_elsewhere_is_made_here_once(world: World) -> None:
    """ItemRequested twice, days apart, is one request; blocks do not refuse what has happened."""
    told = (
        f"<ItemRequested>{user_id('BORROW-BLOCKED')}<BibliographicId><BibliographicRecordId>"
        "<BibliographicRecordIdentifier>X-1</BibliographicRecordIdentifier><AgencyId>THEM</AgencyId>"
        f"</BibliographicRecordId></BibliographicId>{request_id('B-1')}<RequestType>Loan</RequestType>"
        "<RequestScopeType>Bibliographic Item</RequestScopeType></ItemRequested>"
    )
    for _ in range(2):
        answer = await world.send(told, to="BORROW")
        assert answer.problem is None, answer
        world.clock.pass_days(2)
    assert world.status("B-1", "BORROW") == "created-borrowing-request"
    assert world.count("request") == 1


async def test_a_request_cancelled_elsewhere_ends_here(world: World) -> None:
    """Before shipping it is cancelled; after, staff see it; unknown, staff see that too."""
    told = (
        f"<ItemRequestCancelled>{user_id('-')}{request_id('R-1')}<RequestType>Loan</RequestType></ItemRequestCancelled>"
    )
    await world.send(request_item("L1", "R-1"))
    for _ in range(2):
        assert (await world.send(told)).problem is None
        world.clock.pass_days(1)
    assert (world.status("R-1"), world.item_status("L1")) == ("cancelled", "available")
    await world.send(f"<CheckOutItem>{user_id('-')}{item_id('L2')}{request_id('R-2')}</CheckOutItem>")
    assert (await world.send(told.replace("R-1", "R-2"))).problem is None
    assert (world.status("R-2"), world.tasks()) == ("shipped-physically", ["review"])
    assert (await world.send(told.replace("R-1", "R-9"))).problem == "Unknown Request"
    assert world.tasks() == ["review", "review"]


async def test_a_request_changed_elsewhere_is_changed_here(world: World) -> None:
    """ItemRequestUpdated adds what it tells; what does not fit goes to staff."""
    await world.send(request_item("L1", "R-1"))
    told = (
        f"<ItemRequestUpdated>{request_id('R-1')}<AddRequestFields>{before('2026-04-01')}</AddRequestFields>"
        "</ItemRequestUpdated>"
    )
    assert (await world.send(told)).problem is None
    assert (await look(world, "R-1")).text("NeedBeforeDate") == "2026-04-01T00:00:00Z"
    gone = f"<DeleteRequestFields>{before('2026-07-01')}</DeleteRequestFields>"
    deleted = told.replace("<AddRequestFields>", f"{gone}<AddRequestFields>")
    assert (await world.send(deleted)).problem is None, "what it says to be gone is not there"
    assert world.tasks() == ["pick"]
    other = await world.send(told.replace("2026-04-01", "2026-05-01"))
    assert other.problem == "Unable To Add Element"
    assert "review" in world.tasks()


async def test_a_users_hold_is_placed_looked_up_and_cancelled(world: World) -> None:
    """Through a discovery layer: queue position, status, then the next user gets the item."""
    first = await world.send(request_item("L1", "", user="LEND-USER-1"), partner="DISCOVERY")
    second = await world.send(request_item("L1", "", user="LEND-USER-2"), partner="DISCOVERY")
    names = [one.text("RequestItemResponse/RequestId/RequestIdentifierValue") or "" for one in (first, second)]
    found = await look(world, names[1], partner="DISCOVERY")
    assert (found.text("HoldQueuePosition"), found.text("RequestType")) == ("2", "Loan"), found
    cancel = (
        f"<CancelRequestItem>{user_id('LEND-USER-{}')}{request_id('{}')}<RequestType>Hold</RequestType>"
        "</CancelRequestItem>"
    )
    not_mine = await world.send(cancel.format(2, names[0]), partner="DISCOVERY")
    assert not_mine.problem == "Unknown Request"
    assert (await world.send(cancel.format(1, names[0]), partner="DISCOVERY")).problem is None
    assert (await look(world, names[1], partner="DISCOVERY")).text("HoldQueuePosition") in ("1", None)
    world.clock.pass_days(1)
    again = await world.send(cancel.format(1, names[0]), partner="DISCOVERY")
    assert again.problem == "Request Already Processed"


@pytest.mark.parametrize("service", ["CancelRequestItem", "ItemRequestCancelled"])
async def test_a_hold_that_is_named_by_user_and_item_is_named_by_its_type_too(world: World, service: str) -> None:
    """Without RequestId the type is part of the name: what the user never asked for is not cancelled in its place."""
    await world.send(request_item("L1", "", user="LEND-USER-1"), partner="DISCOVERY")
    cancel = f"<{service}>{user_id('LEND-USER-1')}{item_id('L1')}<RequestType>{{}}</RequestType></{service}>"
    for other in ("Estimate", "Stack Retrieval", "Non-returnable Copy"):
        answer = await world.send(cancel.format(other), partner="DISCOVERY")
        assert answer.problem == "Unknown Request", other
    assert world.item_status("L1") == "requested"
    assert (await world.send(cancel.format("loan"), partner="DISCOVERY")).problem is None
    assert world.item_status("L1") == "available"
    await world.desk("request", user="LEND-USER-1", barcode="L1")
    assert (await world.send(cancel.format("Loan"), partner="DISCOVERY")).problem == "Unknown Request"
    assert (await world.send(cancel.format("Hold"), partner="DISCOVERY")).problem is None


async def test_a_hold_that_is_placed_again_is_cancelled_again_by_the_same_words(world: World) -> None:
    """The words mean the new one: the answer about the old one is not repeated, though nothing of that has changed."""

    def waiting() -> int:
        return world.ask(lambda circ: len(circ.holds_on(circ.item_by_barcode("L1"))))

    await world.desk("check-out", barcode="L1", user="LEND-USER-2")
    place = request_item("L1", "", user="LEND-USER-1")
    words = f"{user_id('LEND-USER-1')}{item_id('L1')}<RequestType>Hold</RequestType>"
    for _ in range(3):
        assert (await world.send(place, partner="DISCOVERY")).problem is None
        assert waiting() == 1
        for _ in range(2):  # told twice, it is cancelled once
            world.clock.pass_days(1 / 24 / 60)
            answer = await world.send(f"<CancelRequestItem>{words}</CancelRequestItem>", partner="DISCOVERY")
            assert (answer.problem, waiting()) == (None, 0)


async def test_a_request_can_name_several_volumes(world: World) -> None:
    """Every ItemId is on the pick list; one that is unknown refuses the whole request."""
    two = request_item("L1", "R-1").replace(item_id("L1"), item_id("L1") + item_id("L2"))
    assert (await world.send(two)).problem is None
    assert (world.item_status("L1"), world.item_status("L2")) == ("requested", "requested")
    assert world.tasks() == ["pick", "pick"]
    wrong = request_item("L3", "R-2").replace(item_id("L3"), item_id("L3") + item_id("nope"))
    assert (await world.send(wrong)).problem == "Unknown Item"
    assert world.item_status("L3") == "available"


async def test_a_users_hold_is_changed_by_message(world: World) -> None:
    """By its id, and by user, item and type: what is added is looked up, what does not fit is refused whole."""
    made = await world.send(request_item("L1", "", before("2026-03-01"), user="LEND-USER-1"), partner="DISCOVERY")
    name = made.text("RequestItemResponse/RequestId/RequestIdentifierValue") or ""
    by_item = f"{user_id('LEND-USER-1')}{item_id('L1')}<RequestType>Hold</RequestType>"
    pickup = "<PickupLocation>LAW</PickupLocation>"
    change = update(name, before("2026-03-01"), before("2026-04-01") + pickup)
    answer = await world.send(change.replace(request_id(name), by_item), partner="DISCOVERY")
    assert answer.text("UpdateRequestItemResponse/UserId/UserIdentifierValue") == "LEND-USER-1", answer
    found = await look(world, name, partner="DISCOVERY")
    assert (found.text("NeedBeforeDate"), found.text("PickupLocation")) == ("2026-04-01T00:00:00Z", "LAW")
    for message, problem in (
        (update(name, before("2026-05-01")), "Unable To Delete Element"),
        (update(name, added=before("2026-05-01")), "Unable To Add Element"),
        (update(name, added="<EarliestDateNeeded>2026-05-01T00:00:00Z</EarliestDateNeeded>"), "Element Rule Violated"),
        (update(name, added="<PickupLocation>MOON</PickupLocation>"), "Unable To Add Element"),
        (update(name).replace(request_id(name), by_item.replace("LEND-USER-1", "nobody")), "Unknown User"),
        (update(name).replace(request_id(name), by_item.replace("L1", "nothing")), "Unknown Item"),
    ):
        assert (await world.send(message, partner="DISCOVERY")).problem == problem, message
    assert (await look(world, name, partner="DISCOVERY")).text("NeedBeforeDate") == "2026-04-01T00:00:00Z"


async def test_what_is_needed_only_after_it_is_useless_is_refused(world: World) -> None:
    """EarliestDateNeeded after NeedBeforeDate, in a request and in a change of it."""
    early = "<EarliestDateNeeded>2026-05-01T00:00:00Z</EarliestDateNeeded>"
    refused = await world.send(request_item("L1", "R-1", early + before("2026-03-01")))
    assert refused.problem == "Element Rule Violated"
    await world.send(request_item("L1", "R-1", before("2026-03-01")))
    assert (await world.send(update("R-1", added=early))).problem == "Element Rule Violated"


async def test_a_request_told_of_is_of_when_the_user_asked_and_told_again_it_is_one(world: World) -> None:
    """DateOfUserRequest and DateAvailable are kept; a user's hold that is told of twice, otherwise worded, is one."""
    told = (
        f"<ItemRequested>{user_id('BORROW-USER-1')}<BibliographicId><BibliographicRecordId>"
        "<BibliographicRecordIdentifier>X-2</BibliographicRecordIdentifier><AgencyId>THEM</AgencyId>"
        f"</BibliographicRecordId></BibliographicId>{request_id('B-2')}<RequestType>Loan</RequestType>"
        "<RequestScopeType>Bibliographic Item</RequestScopeType><DateOfUserRequest>2026-01-01T08:00:00Z"
        "</DateOfUserRequest><DateAvailable>2026-02-02T00:00:00Z</DateAvailable></ItemRequested>"
    )
    assert (await world.send(told, to="BORROW")).problem is None
    found = await look(world, "B-2", to="BORROW")
    assert found.text("DateOfUserRequest") == "2026-01-01T08:00:00Z"
    assert found.text("DateAvailable") == "2026-02-02T00:00:00Z"
    hold = (
        f"<ItemRequested>{user_id('LEND-USER-1')}{item_id('L1')}<RequestType>Hold</RequestType>"
        "<RequestScopeType>Item</RequestScopeType>{}</ItemRequested>"
    )
    for more in ("", "<DateOfUserRequest>2026-01-01T08:00:00Z</DateOfUserRequest>"):
        assert (await world.send(hold.format(more), partner="DISCOVERY")).problem is None
    assert world.count("hold") == 1


async def test_a_users_hold_that_is_cancelled_elsewhere_ends_here(world: World) -> None:
    """ItemRequestCancelled from our own system, by user and item."""
    await world.send(request_item("L1", "", user="LEND-USER-1"), partner="DISCOVERY")
    told = (
        f"<ItemRequestCancelled>{user_id('LEND-USER-1')}{item_id('L1')}<RequestType>Hold</RequestType>"
        "</ItemRequestCancelled>"
    )
    assert (await world.send(told, partner="DISCOVERY")).problem is None
    assert world.count("hold WHERE state = 'cancelled'") == 1
    assert world.item_status("L1") == "available"
