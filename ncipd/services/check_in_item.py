"""CheckInItem: an item is back with its lender, or on its way there (Z39.83-1 section 5.4.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ncipd.circulation import borrowing, lending, matching
from ncipd.circulation.clock import to_micros
from ncipd.circulation.lending import Destination
from ncipd.circulation.lifecycle import Event
from ncipd.circulation.model import ItemState, RequestStatus, Role, TaskKind
from ncipd.circulation.partner import NotOnLoan
from ncipd.ncip import elements as el
from ncipd.ncip.messages import CheckInItem, CheckInItemResponse
from ncipd.ncip.problems import Problem, ProblemType
from ncipd.ncip.schemes import LocationType
from ncipd.services import answers, serves

if TYPE_CHECKING:
    from ncipd.circulation.model import Item, Loan, Request
    from ncipd.circulation.unit import Circulation


@serves(CheckInItem)
def check_in_item(message: CheckInItem, circ: Circulation) -> CheckInItemResponse:
    """End what the ids name: the loan to a partner, or our borrowing of an item."""
    extra = message.ext
    request_id = extra.find(el.RequestId) if extra else None
    ids = matching.named(circ, request=request_id, item=message.item_id, user=extra.find(el.UserId) if extra else None)
    if matching.side_of(circ, ids) is Role.BORROWING:
        return _sent_back(message, circ, ids)
    item = matching.our_item(circ, ids.item)
    digital = _digital_request(circ, ids, item)
    if digital is not None:
        circ.about(digital)
        if digital.status is RequestStatus.SHIPPED_DIGITALLY:
            circ.finish_tasks(digital)
            circ.advance(digital, Event.CHECK_IN)
        return CheckInItemResponse(item_id=message.item_id)
    if item is None:
        raise lending.unknown_item("CheckInItem", ids.item)
    return _came_back(message, circ, item, ids)


def _digital_request(circ: Circulation, ids: matching.Named, item: Item | None) -> Request | None:
    """Find the digital supply that is meant: by RequestId, else the one that waits for the end and knows the item."""
    if ids.identifier:
        found = circ.requests_called(circ.partner.code, ids.identifier)
        newest = found[0] if found and found[0].role is Role.LENDING else None
        # a loan that became a copy on the way (ResourceDesired) is known by its status alone
        digital = newest is not None and (newest.digital or newest.status is RequestStatus.SHIPPED_DIGITALLY)
        return newest if digital else None
    if item is None or _lent_to_partner(circ, item) is not None:
        return None
    waiting = [
        request
        for request in circ.open_requests_of(item)
        if request.partner == circ.partner.code and request.status is RequestStatus.SHIPPED_DIGITALLY
    ]
    return matching.only(waiting, "CheckInItem", ids)


def _lent_to_partner(circ: Circulation, item: Item) -> Loan | None:
    loan = circ.loan_of(item)
    return loan if loan is not None and loan.partner == circ.partner.code else None


def _came_back(message: CheckInItem, circ: Circulation, item: Item, ids: matching.Named) -> CheckInItemResponse:
    loan = circ.loan_of(item)
    mine = loan is not None and loan.partner == circ.partner.code
    if loan is not None and (mine or (matching.is_local(circ.partner) and loan.user_id is not None)):
        if _older_than(message, circ, loan.out_at) or _ended_before(circ, item, loan, ids):
            circ.note("the check-in is about an earlier loan than the present one; nothing was changed")
            return CheckInItemResponse(
                item_id=message.item_id,
                item_optional_fields=answers.item_fields(circ, item, message.item_element_type),
            )
        _, destination = lending.check_in(circ, item, loan)
        return CheckInItemResponse(
            item_id=message.item_id,
            routing_information=_routing(circ, item, destination),
            item_optional_fields=answers.item_fields(circ, circ.item(item.id), message.item_element_type),
        )
    known = _known_request(circ, item, ids)
    if known is not None:
        circ.about(known)
    rule = circ.partner.check_in_not_on_loan
    by_rule = rule is NotOnLoan.SUCCESS or (rule is NotOnLoan.SUCCESS_IF_KNOWN and known is not None)
    if by_rule or _back_already(circ, item, known):
        _note_unexpected(circ, item, known)
        return CheckInItemResponse(
            item_id=message.item_id,
            item_optional_fields=answers.item_fields(circ, item, message.item_element_type),
        )
    raise Problem(
        ProblemType.ITEM_NOT_CHECKED_OUT,
        element="CheckInItem/ItemId/ItemIdentifierValue",
        value=ids.item,
        detail=f"Item {ids.item} is not on loan to this partner, and no request of this partner was for it.",
    )


def _older_than(message: CheckInItem, circ: Circulation, out_at: int) -> bool:
    action = message.mandated_action
    return action is not None and to_micros(action.date_event_occurred, circ.zone) < out_at


def _ended_before(circ: Circulation, item: Item, loan: Loan, ids: matching.Named) -> bool:
    """Say whether the RequestId names a request whose loan of this item is over, and not that of the present loan."""
    if not ids.identifier or loan.request_id is None or circ.request(loan.request_id).identifier == ids.identifier:
        return False
    named = circ.requests_called(circ.partner.code, ids.identifier)
    places = [circ.request_item(request, item) for request in named]
    return any(place is not None and place.state is ItemState.BACK for place in places)


def _known_request(circ: Circulation, item: Item, ids: matching.Named) -> Request | None:
    """Find the request of this partner that knew the item, open or ended."""
    if ids.identifier:
        for request in circ.requests_called(circ.partner.code, ids.identifier):
            if circ.request_item(request, item) is not None:
                return request
        return None
    last = circ.last_request_of(item)
    return last if last is not None and last.partner == circ.partner.code else None


def _back_already(circ: Circulation, item: Item, known: Request | None) -> bool:
    """Say whether the check-in has had its effect: told late, told again, or done at the desk before."""
    place = circ.request_item(known, item) if known is not None else None
    return place is not None and place.state is ItemState.BACK


def _note_unexpected(circ: Circulation, item: Item, known: Request | None) -> None:
    circ.note("nothing was on loan; nothing was changed")
    if known is None or not known.open:
        return
    place = circ.request_item(known, item)
    if place is not None and place.state in (ItemState.WANTED, ItemState.PICKED):
        circ.ask_staff(
            Role.LENDING,
            TaskKind.REVIEW,
            request=known,
            item=item,
            note="the partner checked the item in, though it was never shipped from here",
        )


def _routing(circ: Circulation, item: Item, destination: Destination) -> el.RoutingInformation:
    """Say where the item goes now, without naming a user."""
    words = {
        Destination.SHELF: "Return the item to its shelf.",
        Destination.HOME: "Send the item to its home library.",
        Destination.HOLD_SHELF: "Put the item on the hold shelf: a user is waiting for it.",
        Destination.PICK: "Keep the item: the next resource-sharing request is for it.",
    }
    library = circ.library_by_id(item.home_library_id)
    shelf = circ.location_by_id(item.permanent_location_id)
    names = [circ.agency.name, library.name if library else "", shelf.name if shelf else ""]
    instances = tuple(
        el.LocationNameInstance(location_name_level=level, location_name_value=name)
        for level, name in enumerate((name for name in names if name), 1)
    )
    place = el.Location(
        location_type=LocationType.PERMANENT_LOCATION.coded(),
        location_name=el.LocationName(location_name_instance=instances),
    )
    return el.RoutingInformation(routing_instructions=words[destination], destination=el.Destination(location=place))


def _sent_back(message: CheckInItem, circ: Circulation, ids: matching.Named) -> CheckInItemResponse:
    item = (
        matching.borrowed_item(circ, circ.partner, ids.item)
        if ids.identifier
        else borrowing.item_meant(circ, "CheckInItem", ids.item, ids.user)
    )
    request = matching.open_request(circ, Role.BORROWING, ids, "CheckInItem", item)
    if request is not None and ids.identifier:
        item = _item_of(circ, request, ids.item, item)
    elif request is None and ids.identifier:
        return _sent_back_before(message, circ, ids)
    elif item is not None:
        request = circ.last_request_of(item)
    if item is None or request is None:
        raise lending.unknown_item("CheckInItem", ids.item, hint="no item borrowed through this partner has this id")
    if message.mandated_action is not None and _older_than(message, circ, borrowing.came_at(circ, request, item)):
        circ.note("the check-in happened before the item came; nothing was changed")
    else:
        borrowing.complete(circ, request, item)
    return CheckInItemResponse(
        item_id=message.item_id,
        item_optional_fields=answers.item_fields(circ, circ.item(item.id), message.item_element_type),
    )


def _item_of(circ: Circulation, request: Request, value: str, found: Item | None) -> Item | None:
    """Find the item of a named request: the one called so, else its only one, where the name is nobody else's."""
    items = [circ.item(place.item_id) for place in circ.request_items(request) if place.state is not ItemState.DROPPED]
    called = [item for item in items if value in (item.partner_item_id, item.barcode)]
    if called:
        return max(called, key=lambda item: (item.live, item.id))
    live = [item for item in items if item.live]
    return live[0] if found is None and len(live) == 1 else None


def _sent_back_before(message: CheckInItem, circ: Circulation, ids: matching.Named) -> CheckInItemResponse:
    """Confirm a return by a request that has ended: the same item may be here again by now, for another request."""
    for ended in circ.requests_called(circ.partner.code, ids.identifier):
        if ended.status not in (RequestStatus.COMPLETED, RequestStatus.RECEIVED_DIGITALLY):
            continue
        items = [circ.item(place.item_id) for place in circ.request_items(ended)]
        if not items or any(ids.item in (item.partner_item_id, item.barcode) for item in items):
            circ.about(ended)
            circ.note("the request has ended already; nothing was changed")
            return CheckInItemResponse(item_id=message.item_id)
    raise matching.unknown_request("CheckInItem", ids.identifier)
