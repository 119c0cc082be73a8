"""CheckInItem: an item is back with its lender, or on its way there (Z39.83-1 section 5.4.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ncipd.circulation import allocation, borrowing, fees, history, lending, matching, returning
from ncipd.circulation.allocation import Destination
from ncipd.circulation.lifecycle import Event
from ncipd.circulation.model import ItemState, ItemStatus, RequestStatus, Role, TaskKind
from ncipd.circulation.partner import NotOnLoan, PartnerRole
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
    ids = _as_known(circ, ids)
    borrowed = circ.item_by_barcode(ids.item) if matching.is_local(circ.partner) and ids.item else None
    if borrowed is not None and borrowed.temporary:
        return _brought_back(message, circ, borrowed, ids)
    if matching.side_of(circ, ids) is Role.BORROWING:
        return _sent_back(message, circ, ids)
    item = matching.our_item(circ, ids.item)
    digital = _digital_request(circ, ids, item)
    if digital is not None:
        circ.about(digital)
        if digital.status is RequestStatus.SHIPPED_DIGITALLY:
            circ.finish_tasks(digital)
            circ.advance(digital, Event.CHECK_IN)
            if item is not None:
                circ.touch("item", item.id)  # the answer rests on it, until it is copied again
        return CheckInItemResponse(item_id=message.item_id)
    if item is None:
        raise lending.unknown_item("CheckInItem", ids.item)
    return _came_back(message, circ, item, ids)


def _as_known(circ: Circulation, ids: matching.Named) -> matching.Named:
    """Leave a request id out that no request of the partner has, open or ended: the item says what is meant.

    One rule for both sides: the item is back, which is a fact whatever it was called, so its number is not refused for
    the sake of one that is optional and foreign to the message. An id that is known counts: it tells which of several
    is meant, that an earlier return is told again, or that the numbers contradict each other.
    """
    if not ids.identifier or matching.called(circ, ids):
        return ids
    circ.note(f"no request of this partner is called {ids.identifier!r}; the item says what is meant")
    return ids._replace(identifier="", identifier_agency="")


def _digital_request(circ: Circulation, ids: matching.Named, item: Item | None) -> Request | None:
    """Find the digital supply that is meant: by RequestId, else the one that waits for the end and knows the item."""
    if ids.identifier:
        found = matching.called(circ, ids)
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
    known = _known_request(circ, item, ids) if loan is None or not _is_theirs(circ, loan) else None
    if known is not None:
        circ.about(known)
    if circ.mandated and (told := history.check_in(circ, item, lambda one: _is_theirs(circ, one))) is not None:
        if loan is None and item.status in _SOUGHT and history.nothing_since(circ, item):
            return _found(message, circ, item)
        if told is history.Told.NEW and loan is None:
            _note_unexpected(circ, item, known)
        return _as_it_stands(message, circ, item)
    if loan is not None and _is_theirs(circ, loan):
        if _ended_before(circ, item, loan, ids):
            circ.note("the check-in is about an earlier loan than the present one; nothing was changed")
            return _as_it_stands(message, circ, item)
        _refuse_another(circ, item, loan, ids)
        _, destination = returning.check_in(circ, item, loan)
        return _as_it_stands(message, circ, item, destination, loan)
    if loan is None and item.status in _SOUGHT and (known is not None or matching.is_local(circ.partner)):
        return _found(message, circ, item)
    rule = circ.partner.check_in_not_on_loan
    by_rule = rule is NotOnLoan.SUCCESS or (rule is NotOnLoan.SUCCESS_IF_KNOWN and known is not None)
    if by_rule or _back_already(circ, item, known):
        _note_unexpected(circ, item, known)
        return _as_it_stands(message, circ, item)
    raise _not_checked_out(ids, "is not on loan to this partner, and no request of this partner was for it")


#: Statuses of an item that is thought to be nowhere; checked in, it is here.
_SOUGHT = frozenset({ItemStatus.LOST, ItemStatus.MISSING, ItemStatus.CLAIMED})


def _is_theirs(circ: Circulation, loan: Loan) -> bool:
    """Say whether a loan is the partner's to end: its own, for our systems any of our users, for our ILS any at all."""
    if loan.partner is not None and loan.partner == circ.partner.code:
        return True
    if not matching.is_local(circ.partner):
        return False
    return loan.user_id is not None or circ.partner.role is PartnerRole.ILS


def _found(message: CheckInItem, circ: Circulation, item: Item) -> CheckInItemResponse:
    returning.arrive(circ, item)
    circ.note("the item was thought to be lost; it is here")
    return _as_it_stands(message, circ, item, allocation.place_free_item(circ, circ.item(item.id), None))


def _as_it_stands(
    message: CheckInItem,
    circ: Circulation,
    item: Item,
    destination: Destination | None = None,
    loan: Loan | None = None,
) -> CheckInItemResponse:
    """Answer with the item as it now is, with where it goes, and for our own systems with who had it."""
    shown = matching.is_local(circ.partner) and answers.wants_user(circ, message.user_element_type)
    had = loan.user_id if loan is not None and shown else None
    user = circ.user(had) if had is not None and circ.partner.user_data else None
    return CheckInItemResponse(
        item_id=message.item_id,
        user_id=answers.user_id(circ, user) if user else None,
        routing_information=_routing(circ, item, destination) if destination is not None else None,
        fiscal_transaction_information=fees.told(circ, loan) if user else None,
        item_optional_fields=answers.item_fields(circ, item, message.item_element_type),
        user_optional_fields=answers.user_fields(circ, user, message.user_element_type) if user else None,
    )


def _not_checked_out(ids: matching.Named, why: str) -> Problem:
    return Problem(
        ProblemType.ITEM_NOT_CHECKED_OUT,
        element="CheckInItem/ItemId/ItemIdentifierValue",
        value=ids.item,
        detail=f"Item {ids.item} {why}.",
    )


def _brought_back(message: CheckInItem, circ: Circulation, item: Item, ids: matching.Named) -> CheckInItemResponse:
    """A user has brought a borrowed item back to a station of ours: it goes to its lender."""
    loan, request = circ.loan_of(item), circ.last_request_of(item)
    if circ.mandated and history.check_in(circ, item, lambda one: one.user_id is not None) is not None:
        return _as_it_stands(message, circ, item)
    if request is None or (loan is None and item.status is not ItemStatus.RETURNED):
        raise _not_checked_out(ids, "is not on loan to a user; it belongs to another library")
    circ.about(request)
    if loan is not None:
        borrowing.give_back(circ, request, item)
    return _as_it_stands(message, circ, item, Destination.LENDER, loan)


def _ended_before(circ: Circulation, item: Item, loan: Loan, ids: matching.Named) -> bool:
    """Say whether the RequestId names a request whose loan of this item is over, and not that of the present loan."""
    if not ids.identifier or loan.request_id is None or circ.request(loan.request_id).identifier == ids.identifier:
        return False
    named = matching.called(circ, ids)
    places = [circ.request_item(request, item) for request in named]
    return any(place is not None and place.state is ItemState.BACK for place in places)


def _refuse_another(circ: Circulation, item: Item, loan: Loan, ids: matching.Named) -> None:
    """Raise Problem Item Not Checked Out where RequestId names another request than the one the item is out for."""
    named = matching.called(circ, ids)
    if not named or circ.mandated or any(circ.request_item(request, item) is not None for request in named):
        return
    if loan.request_id not in {request.id for request in named}:
        raise _not_checked_out(ids, f"is not on loan for request {ids.identifier}; send its own RequestId, or none")


def _known_request(circ: Circulation, item: Item, ids: matching.Named) -> Request | None:
    """Find the request of this partner that knew the item, open or ended."""
    if ids.identifier:
        for request in matching.called(circ, ids):
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
    if place is not None and place.state in allocation.UNSENT:
        circ.ask_staff(
            Role.LENDING,
            TaskKind.REVIEW,
            request=known,
            item=item,
            note="the partner checked the item in, though it was never shipped from here",
        )


def _routing(circ: Circulation, item: Item, destination: Destination) -> el.RoutingInformation:
    """Say where the item goes now, without naming a user: the same of every item of a place."""
    where = (circ.agency.name, item.home_library_id, item.permanent_location_id, destination)
    return circ.of_places("routing", where, lambda: _directions(circ, item, destination))


_WORDS = {
    Destination.SHELF: "Return the item to its shelf.",
    Destination.HOME: "Send the item to its home library.",
    Destination.HOLD_SHELF: "Put the item on the hold shelf: a user is waiting for it.",
    Destination.PICK: "Keep the item: the next resource-sharing request is for it.",
    Destination.LENDER: "Send the item back to its library.",
}


def _directions(circ: Circulation, item: Item, destination: Destination) -> el.RoutingInformation:
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
    return el.RoutingInformation(routing_instructions=_WORDS[destination], destination=el.Destination(location=place))


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
    if circ.mandated and circ.occurred_at < borrowing.came_at(circ, request, item):
        circ.note("the check-in happened before the item came; nothing was changed")
    else:
        borrowing.complete(circ, request, item)
    return CheckInItemResponse(
        item_id=message.item_id,
        item_optional_fields=answers.item_fields(circ, item, message.item_element_type),
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
    for ended in matching.called(circ, ids):
        if ended.status not in (RequestStatus.COMPLETED, RequestStatus.RECEIVED_DIGITALLY):
            continue
        items = [circ.item(place.item_id) for place in circ.request_items(ended)]
        if not items or any(ids.item in (item.partner_item_id, item.barcode) for item in items):
            circ.about(ended)
            circ.note("the request has ended already; nothing was changed")
            return CheckInItemResponse(item_id=message.item_id)
    raise matching.unknown_request("CheckInItem", ids.identifier)
