"""The lending side: another library wants, gets and returns an item of ours (semantics.md, Lending).

The pseudo-patron in UserId is never looked up here: it is echoed, and that is all.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from ncipd.circulation import claims, history, policy, shelf
from ncipd.circulation.clock import days_later
from ncipd.circulation.errors import DeskError, ErrorKind
from ncipd.circulation.lifecycle import Event, allows
from ncipd.circulation.model import (
    HoldState,
    Item,
    ItemState,
    ItemStatus,
    Loan,
    Micros,
    Record,
    Request,
    RequestStatus,
    Role,
    TaskKind,
)
from ncipd.circulation.partner import OpenLoan
from ncipd.circulation.rows import request_row
from ncipd.ncip.problems import Problem, ProblemType

if TYPE_CHECKING:
    from ncipd.circulation.unit import Circulation


class Wish(NamedTuple):
    """What RequestItem asks of a lender."""

    identifier: str
    identifier_agency: str
    barcode: str
    record_numbers: tuple[tuple[str, str], ...]  # (value, code), any of which names the title
    request_type: str
    request_scope: str
    digital: bool
    user_as_sent: str
    need_before: Micros | None
    title: str
    author: str
    note: str
    mandated: bool = False  # it has happened already: policy has no say


class Shipment(NamedTuple):
    """What a check-out came to: the loan, or none where the supply is digital."""

    request: Request
    item: Item | None
    loan: Loan | None


class Destination(StrEnum):
    """Where an item that came back goes."""

    SHELF = "shelve"
    HOME = "send home"
    HOLD_SHELF = "hold shelf"
    PICK = "ship to next request"
    LENDER = "send back"


# ---------------------------------------------------------------------------------------------- requests


def request(circ: Circulation, wish: Wish) -> tuple[Request, Item | None]:
    """Take a lending request: located and on the pick list, waiting, or for staff to locate.

    Raises Problem: Unknown Item, Item Does Not Circulate, Item Not Available By Need Before Date, Duplicate Request.
    """
    known = circ.open_request(Role.LENDING, circ.partner.code, wish.identifier, wish.identifier_agency)
    if known is not None:
        return _same_again(circ, known, wish)
    item, record = _locate(circ, wish)
    if wish.digital:
        event = Event.MISS if record is None else Event.WAIT
    elif item is not None and item.status is ItemStatus.AVAILABLE:
        event = Event.LOCATE
    else:
        event = Event.MISS if record is None else Event.WAIT
    if event is Event.WAIT and not wish.digital and not wish.mandated:
        _refuse_waiting(circ, wish, [item] if item and wish.barcode else circ.items_of(record.id) if record else [])
    made = circ.add_request(
        Role.LENDING,
        event,
        wish.identifier,
        identifier_agency=wish.identifier_agency,
        digital=int(wish.digital),
        request_type=wish.request_type,
        request_scope=wish.request_scope,
        user_as_sent=wish.user_as_sent,
        item_as_sent=wish.barcode or next((value for value, _ in wish.record_numbers), ""),
        record=record.id if record else None,
        title=(record.title if record else "") or wish.title,
        author=(record.author if record else "") or wish.author,
        need_before=wish.need_before,
        note=wish.note,
    )
    if event is Event.LOCATE and item is not None:
        _reserve(circ, made, item)
    elif wish.digital and record is not None:
        _ask_for_copy(circ, made, item)
    elif event is Event.MISS:
        circ.ask_staff(Role.LENDING, TaskKind.LOCATE, request=made, note="no single title here matches the request")
    elif item is not None and wish.barcode:
        circ.add_request_item(made, item, ItemState.WANTED)
    return made, item if event is not Event.MISS else None


def add_volume(circ: Circulation, request: Request, barcode: str) -> None:
    """Make one more item part of a request that names several; raises Problem as for a single one."""
    item = circ.item_by_barcode(barcode)
    if item is None or item.temporary:
        raise unknown_item("RequestItem", barcode)
    if not item.circulates and not circ.mandated:
        raise _does_not_circulate(barcode)
    if circ.request_item(request, item) is not None:
        return
    if item.status is ItemStatus.AVAILABLE and not request.digital:
        _reserve(circ, request, item)
    else:
        circ.add_request_item(request, item, ItemState.WANTED)


def _same_again(circ: Circulation, known: Request, wish: Wish) -> tuple[Request, Item | None]:
    circ.about(known)
    places = [place for place in circ.request_items(known) if place.state is not ItemState.DROPPED]
    items = [circ.item(place.item_id) for place in places]
    asked = wish.barcode or next((value for value, _ in wish.record_numbers), "")
    if asked not in (known.item_as_sent, *(item.barcode for item in items)):
        raise Problem(
            ProblemType.DUPLICATE_REQUEST,
            element="RequestItem/RequestId/RequestIdentifierValue",
            value=wish.identifier,
            detail=f"Request {wish.identifier} is open already, for {known.item_as_sent or known.title!r}; "
            "a new request needs a new RequestIdentifierValue.",
        )
    return known, items[0] if items else None


def _locate(circ: Circulation, wish: Wish) -> tuple[Item | None, Record | None]:
    if wish.barcode:
        item = circ.item_by_barcode(wish.barcode)
        if item is None or item.temporary:
            raise unknown_item("RequestItem", wish.barcode)
        if not item.circulates and not wish.mandated:
            raise _does_not_circulate(wish.barcode)
        return item, circ.record(item.record_id)
    for value, code in wish.record_numbers:
        wanted = circ.partner.record_identifier_code or code
        records = [record for record in circ.records(value, wanted) if not record.temporary]
        if len(records) == 1:
            return _choose(circ, records[0], value), records[0]
    return None, None


def _choose(circ: Circulation, record: Record, number: str) -> Item | None:
    items = circ.items_of(record.id)
    lendable = [item for item in items if item.circulates]
    if items and not lendable:
        raise _does_not_circulate(number)
    available = [item for item in lendable if item.status is ItemStatus.AVAILABLE]
    return next(iter(available or lendable), None)


def _does_not_circulate(value: str) -> Problem:
    return Problem(
        ProblemType.ITEM_DOES_NOT_CIRCULATE,
        element="RequestItem/ItemId/ItemIdentifierValue",
        value=value,
        detail=f"Item {value} is for use in the library only and is never lent; ask another lender.",
    )


def unknown_item(service: str, value: str, *, hint: str = "check the barcode") -> Problem:
    """Say that no live item has this barcode."""
    return Problem(
        ProblemType.UNKNOWN_ITEM,
        element=f"{service}/ItemId/ItemIdentifierValue",
        value=value,
        detail=f"No item here has the barcode {value!r}; {hint}.",
    )


def _refuse_waiting(circ: Circulation, wish: Wish, items: list[Item]) -> None:
    """Refuse what this partner does not wait for, or what comes back only after it is needed."""
    too_late = wish.need_before is not None and wish.need_before < _free_from(circ, items)
    if circ.partner.refuse_unavailable or too_late:
        why = (
            "comes back only after it is needed" if too_late else "is not available now, and this partner does not wait"
        )
        raise Problem(
            ProblemType.ITEM_NOT_AVAILABLE_BY_NEED_BEFORE_DATE,
            element="RequestItem/ItemId/ItemIdentifierValue" if wish.barcode else "RequestItem/BibliographicId",
            value=wish.barcode or next((value for value, _ in wish.record_numbers), ""),
            detail=f"The item {why}; ask another lender.",
        )


def _free_from(circ: Circulation, items: list[Item]) -> Micros:
    """Say from when one of these may be free: what is on loan when it is due, anything else perhaps at once."""
    loans = [circ.loan_of(item) for item in items if item.circulates]
    return min((max(loan.due_at or circ.now, circ.now) if loan else circ.now for loan in loans), default=circ.now)


def _reserve(circ: Circulation, request: Request, item: Item) -> None:
    circ.add_request_item(request, item, ItemState.WANTED)
    circ.set_item_status(item, ItemStatus.REQUESTED)
    circ.finish_item_tasks(item, TaskKind.RESHELVE)
    circ.ask_staff(Role.LENDING, TaskKind.PICK, request=request, item=item)


def _ask_for_copy(circ: Circulation, request: Request, item: Item | None) -> None:
    """Ask staff to scan an item; where it stands is nobody else's business."""
    if item is not None:
        circ.add_request_item(request, item, ItemState.WANTED)
    circ.ask_staff(Role.LENDING, TaskKind.PICK, request=request, item=item, note="to be supplied digitally")


def serve_waiting(circ: Circulation, item: Item) -> Request | None:
    """Give an item that has become free to the lending request that waits longest for it or its title."""
    if not item.circulates:
        return None
    for waiting in circ.tx.all("waiting_requests_of_record", request_row, record=item.record_id):
        named = {place.item_id for place in circ.request_items(waiting) if place.state is ItemState.WANTED}
        if not named or item.id in named:
            moved = circ.advance(waiting, Event.LOCATE, f"item {item.barcode} became available")
            _reserve(circ, moved, item)
            return moved
    return None


def set_aside_for(circ: Circulation, item: Item) -> Request | None:
    """Find the request that has an item set aside, on its shelf or picked."""
    for request in circ.open_requests_of(item):
        place = circ.request_item(request, item) if request.status is RequestStatus.BEING_PROCESSED else None
        if place is not None and place.state in (ItemState.WANTED, ItemState.PICKED):
            return request
    return None


def locate(circ: Circulation, request: Request, item: Item) -> Request:
    """Staff name the item that fills a request that could not be located, or another copy of one that could.

    Raises DeskError where the item is not free.
    """
    if item.temporary or item.status is not ItemStatus.AVAILABLE:
        raise DeskError(
            ErrorKind.CONFLICT,
            "not-available",
            f"Item {item.barcode} is not available ({item.status.value}).",
            field="barcode",
            value=item.barcode,
            hint="Take another copy.",
        )
    _free_wanted(circ, request, keep=item)
    moved = circ.advance(request, Event.WAIT if request.digital else Event.LOCATE, f"item {item.barcode}")
    circ.finish_tasks(request, TaskKind.LOCATE, TaskKind.PICK)
    if request.digital:
        _ask_for_copy(circ, moved, item)
    else:
        _reserve(circ, moved, item)
    return circ.change_request(
        moved,
        "set_request_record",
        record=item.record_id,
        title=circ.record(item.record_id).title,
        author=request.author,
    )


# ---------------------------------------------------------------------------------------------- shipping


def pick(circ: Circulation, request: Request, item: Item) -> None:
    """Staff have taken the item from the shelf."""
    place = circ.request_item(request, item)
    if place is not None and place.state is ItemState.WANTED:
        circ.set_request_item(place, ItemState.PICKED)
        circ.set_item_status(item, ItemStatus.PICKED)
        circ.finish_tasks(request, TaskKind.PICK)
        circ.ask_staff(Role.LENDING, TaskKind.SHIP, request=request, item=item)


def ship(
    circ: Circulation, request: Request | None, item: Item, identifier: str, wished: Micros | None, **sent: str
) -> Shipment:
    """Record that an item has left for a partner; the same shipment reported twice is one loan.

    `sent` are the ids as the partner wrote them (`identifier_agency`, `user_as_sent`).
    Raises Problem: Item Already Checked Out, Unknown Request, Element Rule Violated (date beyond the maximum).
    """
    out = circ.loan_of(item)
    same = _same_shipment(circ, request, out, identifier) if out is not None else None
    if out is not None and same is not None:
        return _confirm(circ, same, item, out, wished)
    past = _past_shipment(circ, request if identifier else None, item, identifier, wished, sent)
    if past is not None:
        return past
    if out is not None:
        _close_older(circ, item, out)
    due_at = _due(circ, request, wished)
    if request is None:
        request = _unannounced(circ, item, identifier, due_at, sent)
    else:
        circ.about(request)
        if request.digital and not allows(Role.LENDING, request.status, Event.SHIP):
            raise already_processed(request, "CheckOutItem/RequestId/RequestIdentifierValue")
        _free_wanted(circ, request, keep=item)
        request = circ.advance(request, Event.SHIP)
        request = circ.change_request(request, "set_request_due", due_at=due_at)
        circ.finish_tasks(request, TaskKind.PICK, TaskKind.SHIP, TaskKind.LOCATE)
    take_away(circ, item, request)
    partner = circ.partner_of(request)
    location = circ.location(partner.lending_location) if partner and partner.lending_location else None
    loan = circ.lend(item, due_at, partner=request.partner, request=request.id)
    circ.change_item(item, "set_item_lent", location=location.id if location else None)
    circ.add_request_item(request, item, ItemState.OUT, loan.id)
    return Shipment(request, item, loan)


def _past_shipment(
    circ: Circulation,
    request: Request | None,
    item: Item,
    identifier: str,
    wished: Micros | None,
    sent: dict[str, str],
) -> Shipment | None:
    """Write down a shipment that is told after it was over; None where the item may still be out on it."""
    if not circ.mandated:
        return None
    known = history.told_before(circ, item, lambda one: _same_shipment(circ, request, one, identifier) is not None)
    if known is not None and known.request_id is not None:
        told = circ.request(known.request_id)
        circ.about(told)
        circ.note("the check-out is recorded already, and so is what came after it; nothing was changed")
        return Shipment(told, item, known)
    over = history.over_at(circ, item)
    if over is None:
        return None
    due_at = _due(circ, request, wished)
    place = circ.request_item(request, item) if request is not None else None
    was_set_aside = (
        request is not None
        and request.status is RequestStatus.BEING_PROCESSED
        and item.status in (ItemStatus.REQUESTED, ItemStatus.PICKED)
    )
    if request is None:
        request = _unannounced(circ, item, identifier, due_at, sent)
    else:
        circ.about(request)
        _free_wanted(circ, request, keep=item)
        request = circ.advance(request, Event.SHIP)
    loan = history.write_loan(circ, item, over, due_at, partner=request.partner, request=request.id)
    circ.add_request_item(request, item, ItemState.BACK, loan.id)
    if place is not None and was_set_aside and place.state in (ItemState.WANTED, ItemState.PICKED):
        _put_back(circ, request, item, picked=place.state is ItemState.PICKED)
    return Shipment(_complete_if_all_back(circ, request), item, loan)


def _complete_if_all_back(circ: Circulation, request: Request) -> Request:
    if any(place.state not in (ItemState.BACK, ItemState.DROPPED) for place in circ.request_items(request)):
        return request
    circ.finish_tasks(request)
    return circ.advance(request, Event.CHECK_IN)


def _same_shipment(circ: Circulation, request: Request | None, loan: Loan, identifier: str) -> Request | None:
    if loan.request_id is None or loan.partner is None:
        return None
    holder = circ.request(loan.request_id)
    if circ.by_message and holder.partner != circ.partner.code:
        return None
    if request is not None:
        return holder if holder.id == request.id else None
    return holder if not identifier or holder.identifier == identifier else None


def _confirm(circ: Circulation, request: Request, item: Item, loan: Loan, wished: Micros | None) -> Shipment:
    circ.about(request)
    if circ.by_message and not loan.reported:
        due_at = _due(circ, request, wished) if wished is not None else loan.due_at
        if loan.recalled_at is not None and loan.due_at is not None and due_at is not None:
            due_at = min(due_at, loan.due_at)  # a recall since then stands
        loan = circ.change_loan(loan, "report_loan", due_at=due_at)
        if due_at != request.due_at:
            request = circ.change_request(request, "set_request_due", due_at=due_at)
        circ.note("confirms what the desk had shipped")
    return Shipment(request, item, loan)


def _close_older(circ: Circulation, item: Item, loan: Loan) -> None:
    own = circ.by_message and loan.partner == circ.partner.code
    if circ.mandated:
        give_way(circ, item, loan)
        return
    if not (own and circ.partner.open_loan is OpenLoan.CLOSE_OWN):
        raise Problem(
            ProblemType.ITEM_ALREADY_CHECKED_OUT,
            element="CheckOutItem/ItemId/ItemIdentifierValue",
            value=item.barcode,
            detail=f"Item {item.barcode} is still out on another loan; check it in first.",
        )
    circ.note(f"closed the older loan {loan.id} of the same partner")
    _give_back(circ, item, loan)


def give_way(circ: Circulation, item: Item, loan: Loan) -> None:
    """End a loan because the item is known to have gone out again after it; staff see that nobody checked it in."""
    circ.note(f"the item went out again while it was on loan {loan.id}, which was ended")
    circ.ask_staff(
        Role.LENDING, TaskKind.REVIEW, item=item, note="it went out again though nobody had checked it in before"
    )
    _give_back(circ, item, loan)


def _due(circ: Circulation, request: Request | None, wished: Micros | None) -> Micros:
    if wished is not None and wished <= circ.occurred_at:
        circ.note("the desired due date has passed; the usual loan period was given")
        wished = None
    partner = circ.partner if circ.by_message else circ.partner_of(request) if request is not None else None
    if circ.mandated:
        return wished or days_later(circ.occurred_at, (partner or policy.LOCAL).loan_days, circ.zone)
    decided = policy.due_at_check_out(partner or policy.LOCAL, wished, circ.now, circ.zone)
    if isinstance(decided, policy.Refusal):
        raise Problem(decided.problem, element="CheckOutItem/DesiredDateDue", detail=decided.detail)
    return decided


def _unannounced(circ: Circulation, item: Item, identifier: str, due_at: Micros, sent: dict[str, str]) -> Request:
    if circ.by_message and not circ.partner.check_out_without_request and not circ.mandated:
        raise Problem(
            ProblemType.UNKNOWN_REQUEST,
            element="CheckOutItem/RequestId/RequestIdentifierValue",
            value=identifier,
            detail=f"No open lending request {identifier!r} of this partner; send RequestItem before CheckOutItem.",
        )
    record = circ.record(item.record_id)
    return circ.add_request(
        Role.LENDING,
        Event.SHIP,
        identifier or circ.new_id(),
        record=record.id,
        title=record.title,
        author=record.author,
        due_at=due_at,
        item_as_sent=item.barcode,
        **sent,
    )


def _free_wanted(circ: Circulation, request: Request, *, keep: Item) -> None:
    """Free the copy that was set aside when another one goes in its place."""
    places = circ.request_items(request)
    if any(place.item_id == keep.id and place.state is not ItemState.DROPPED for place in places):
        return
    _let_go(circ, request, ItemState.DROPPED)


def _let_go(circ: Circulation, request: Request, state: ItemState) -> None:
    """Take the items not sent out of a request that stood as given; what it had set aside is free again.

    A request that waits for its turn, or for a copy only, has set nothing aside: the item is another's.
    """
    for place in circ.request_items(request):
        if place.state not in (ItemState.WANTED, ItemState.PICKED):
            continue
        circ.set_request_item(place, state)
        item = circ.item(place.item_id)
        if request.status is RequestStatus.BEING_PROCESSED and item.status in (ItemStatus.REQUESTED, ItemStatus.PICKED):
            _put_back(circ, request, item, picked=place.state is ItemState.PICKED)


def take_away(circ: Circulation, item: Item, request: Request | None = None) -> None:
    """A copy has left, for this request or over the counter: it is not to be had for anything else."""
    circ.finish_item_tasks(item, TaskKind.RESHELVE, TaskKind.SEND_HOME, TaskKind.SHELVE_HOLD)
    if item.status is ItemStatus.LOST:
        claims.found(circ, item, leaving_for=request)
    if item.status is not ItemStatus.AVAILABLE:  # else it was not set aside for anybody
        _take_from_others(circ, item, request)
        _take_from_readers(circ, item)


def _take_from_others(circ: Circulation, item: Item, request: Request | None) -> None:
    """A copy that has left cannot fill the other requests that it was set aside for."""
    for other in circ.open_requests_of(item):
        place = circ.request_item(other, item)
        if (request is not None and other.id == request.id) or other.digital or place is None:
            continue
        if place.state not in (ItemState.WANTED, ItemState.PICKED):
            continue
        circ.set_request_item(place, ItemState.WANTED)
        circ.finish_tasks(other, TaskKind.PICK, TaskKind.SHIP)
        if other.status is RequestStatus.BEING_PROCESSED:
            whom = f"for request {request.identifier}" if request is not None else "to a user"
            circ.advance(other, Event.WAIT, f"item {item.barcode} went out {whom}")


def _take_from_readers(circ: Circulation, item: Item) -> None:
    """What has left is not to be put back, fetched or held for a user here; who waited for it goes on waiting."""
    for hold in circ.holds_on(item):
        if hold.item_id != item.id or hold.request_id is not None:
            continue
        circ.note(f"item {item.barcode} went out although a user here waits for it")
        if hold.state is HoldState.READY:
            circ.set_hold(hold, HoldState.WAITING)
    for task in circ.tasks_about(item):
        if task.kind is TaskKind.PICK and task.request_id is None:
            circ.tx.run("finish_task", id=task.id, agency=circ.agency.id, at=circ.now)


def ship_digitally(circ: Circulation, request: Request) -> Request:
    """Record that a digital copy was supplied: done at once, or waiting for the desk's or the partner's word."""
    circ.about(request)
    if request.status in (RequestStatus.SHIPPED_DIGITALLY, RequestStatus.COMPLETED):
        return request
    partner = circ.partner_of(request)
    waits = partner is not None and partner.receive_digitally
    event = Event.SHIP_DIGITALLY if waits else Event.SUPPLY_DIGITALLY
    if not allows(Role.LENDING, request.status, event):
        raise already_processed(request, "CheckOutItem/RequestId/RequestIdentifierValue")
    circ.finish_tasks(request)
    moved = circ.advance(request, event)
    # The request still knows the volume that the copy was made from: CheckInItem may name that alone.
    _let_go(circ, request, ItemState.BACK)
    if waits:
        circ.ask_staff(Role.LENDING, TaskKind.CONFIRM_DIGITAL, request=moved)
    return moved


# ---------------------------------------------------------------------------------------------- return and cancel


def check_in(circ: Circulation, item: Item, loan: Loan) -> tuple[Request | None, Destination]:
    """Record that an item lent to a partner is back; says where it goes now."""
    request, back = _give_back(circ, item, loan)
    return request, place_free_item(circ, back, request)


def _give_back(circ: Circulation, item: Item, loan: Loan) -> tuple[Request | None, Item]:
    circ.finish_item_tasks(item, TaskKind.SEARCH)
    circ.return_loan(loan)
    version = circ.change_item(item, "set_item_home", status=ItemStatus.AVAILABLE)
    back = item._replace(status=ItemStatus.AVAILABLE, temporary_location_id=None, version=version)
    if loan.request_id is None:
        return None, back
    request = circ.request(loan.request_id)
    circ.about(request)
    places = circ.request_items(request)
    for place in places:
        if place.item_id == item.id:
            circ.set_request_item(place, ItemState.BACK)
    if any(place.state not in (ItemState.BACK, ItemState.DROPPED) for place in places if place.item_id != item.id):
        return request, back
    circ.finish_tasks(request)
    return circ.advance(request, Event.CHECK_IN), back


def place_free_item(circ: Circulation, item: Item, request: Request | None) -> Destination:
    """Decide where an item that is free again goes: the next hold, the next request, its home library, the shelf."""
    if shelf.fill_next_hold(circ, item):
        return Destination.HOLD_SHELF
    if serve_waiting(circ, item) is not None:
        return Destination.PICK
    partner = circ.partner_of(request) if request else None
    here = circ.library(partner.default_library) if partner and partner.default_library else None
    if here is not None and here.id != item.home_library_id:
        circ.set_item_status(item, ItemStatus.IN_TRANSIT)
        circ.ask_staff(Role.LENDING, TaskKind.SEND_HOME, request=request, item=item)
        return Destination.HOME
    if item.status is not ItemStatus.AVAILABLE:
        circ.set_item_status(item, ItemStatus.AVAILABLE)
    return Destination.SHELF


def arrive(circ: Circulation, item: Item) -> None:
    """An item that was under way, or thought lost, is here."""
    circ.finish_item_tasks(item, TaskKind.SEND_HOME, TaskKind.RESHELVE)
    claims.found(circ, item)
    circ.set_item_status(item, ItemStatus.AVAILABLE)


def _put_back(circ: Circulation, request: Request, item: Item, *, picked: bool) -> None:
    circ.finish_tasks(request, TaskKind.PICK, TaskKind.SHIP)
    if picked:
        if place_free_item(circ, item, request) is Destination.SHELF:
            circ.ask_staff(Role.LENDING, TaskKind.RESHELVE, request=request, item=item)
    else:
        circ.set_item_status(item, ItemStatus.AVAILABLE)
        if not shelf.fetch_for_next_hold(circ, item):
            serve_waiting(circ, item)


def cancel(circ: Circulation, request: Request, note: str = "") -> Request:
    """Cancel a lending request that has not been shipped; raises Problem Request Already Processed where it has."""
    circ.about(request)
    if not allows(Role.LENDING, request.status, Event.CANCEL):
        raise already_processed(request, "CancelRequestItem/RequestId/RequestIdentifierValue")
    moved = circ.advance(request, Event.CANCEL, note)
    circ.finish_tasks(request)
    _let_go(circ, request, ItemState.DROPPED)
    return moved


def already_processed(request: Request, element: str) -> Problem:
    """Say that a request is too far along for this."""
    return Problem(
        ProblemType.REQUEST_ALREADY_PROCESSED,
        element=element,
        value=request.identifier,
        detail=f"Request {request.identifier} is in status {request.status.value!r}; this can no longer be done.",
    )
