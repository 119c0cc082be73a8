"""The lending side: another library wants an item of ours (semantics.md, Lending).

The pseudo-patron in UserId is never looked up here: it is echoed, and that is all.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ncipd.circulation import allocation, errands, matching
from ncipd.circulation.errors import DeskError, ErrorKind
from ncipd.circulation.lifecycle import Event, allows
from ncipd.circulation.model import Item, ItemState, ItemStatus, Micros, Record, Request, Role, TaskKind
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


def request(circ: Circulation, wish: Wish) -> tuple[Request, Item | None]:
    """Take a lending request: located and on the pick list, waiting, or for staff to locate.

    Raises Problem: Unknown Item, Item Does Not Circulate, Item Not Available By Need Before Date, Duplicate Request,
    and Needed Data Missing where nothing says what is wanted.
    """
    known = circ.open_request(Role.LENDING, circ.partner.code, wish.identifier, wish.identifier_agency)
    if known is not None:
        return _same_again(circ, known, wish)
    if not (wish.barcode or wish.title or wish.mandated or any(value for value, _ in wish.record_numbers)):
        raise Problem(
            ProblemType.NEEDED_DATA_MISSING,
            element="RequestItem/BibliographicId",
            detail="Neither an item nor a title is named; send the ItemId, a number of the title, or its Title.",
        )
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
        allocation.reserve(circ, made, item)
    elif wish.digital and record is not None:
        _ask_for_copy(circ, made, item)
    elif event is Event.MISS:
        circ.ask_staff(Role.LENDING, TaskKind.LOCATE, request=made, note="no single title here matches the request")
    elif item is not None and wish.barcode:
        circ.add_request_item(made, item, ItemState.WAITING)
    return made, item if event is not Event.MISS else None


def add_volume(circ: Circulation, request: Request, wish: Wish) -> Request:
    """Make one more item part of a request that names several; raises Problem as for a single one."""
    item = _item_named(circ, wish)
    if circ.request_item(request, item) is not None:
        return request
    if request.digital:
        _ask_for_copy(circ, request, item)
    elif item.status is ItemStatus.AVAILABLE:
        return allocation.assign(circ, request, item)
    else:
        if not wish.mandated:
            _refuse_waiting(circ, wish, [item])
        circ.add_request_item(request, item, ItemState.WAITING)
    return request


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
        item = _item_named(circ, wish)
        return item, circ.record(item.record_id)
    for value, code in wish.record_numbers:
        wanted = circ.partner.record_identifier_code or code
        records = matching.our_records(circ, value, wanted)
        if len(records) == 1:
            return _choose(circ, records[0], value), records[0]
    return None, None


def _item_named(circ: Circulation, wish: Wish) -> Item:
    item = circ.item_by_barcode(wish.barcode)
    if item is None or item.temporary:
        raise unknown_item("RequestItem", wish.barcode)
    if not item.circulates and not wish.mandated:
        raise _does_not_circulate(wish.barcode)
    return item


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


def _ask_for_copy(circ: Circulation, request: Request, item: Item | None) -> None:
    """Ask staff to scan an item; where it stands is nobody else's business."""
    if item is not None:
        circ.add_request_item(request, item, ItemState.WANTED)
    circ.ask_staff(Role.LENDING, TaskKind.PICK, request=request, item=item, note="to be supplied digitally")


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
    allocation.free_wanted(circ, request, keep=item)
    moved = circ.advance(request, Event.WAIT if request.digital else Event.LOCATE, f"item {item.barcode}")
    circ.finish_tasks(request, TaskKind.LOCATE, TaskKind.PICK)
    if request.digital:
        _ask_for_copy(circ, moved, item)
    else:
        allocation.reserve(circ, moved, item)
    return circ.change_request(
        moved,
        "set_request_record",
        record=item.record_id,
        title=circ.record(item.record_id).title,
        author=request.author,
    )


def pick(circ: Circulation, request: Request, item: Item) -> None:
    """Staff have taken the item from the shelf; from a branch it travels to the library that sends it."""
    place = circ.request_item(request, item)
    if place is None or place.state is not ItemState.WANTED:
        return
    circ.set_request_item(place, ItemState.PICKED)
    errands.strike(circ, item, TaskKind.PICK, request=request)
    sender = allocation.sharing_library(circ, request)
    if sender is not None and sender.id != item.home_library_id:
        circ.set_item_status(item, ItemStatus.IN_TRANSIT)
    else:
        _ask_to_ship(circ, request, item)


def arrive(circ: Circulation, item: Item) -> Request | None:
    """An item fetched from a branch has come to the library that sends it; says for which request, if for any."""
    request = allocation.set_aside_for(circ, item) if item.status is ItemStatus.IN_TRANSIT else None
    if request is not None:
        circ.about(request)
        _ask_to_ship(circ, request, item)
    return request


def _ask_to_ship(circ: Circulation, request: Request, item: Item) -> None:
    circ.set_item_status(item, ItemStatus.PICKED)
    circ.ask_staff(Role.LENDING, TaskKind.SHIP, request=request, item=item)


def cancel(circ: Circulation, request: Request, note: str = "") -> Request:
    """Cancel a lending request that has not been shipped; raises Problem Request Already Processed where it has."""
    circ.about(request)
    if not allows(Role.LENDING, request.status, Event.CANCEL):
        raise already_processed(request, "CancelRequestItem/RequestId/RequestIdentifierValue")
    moved = circ.advance(request, Event.CANCEL, note)
    circ.finish_tasks(request)
    allocation.let_go(circ, request, ItemState.DROPPED)
    return moved


def already_processed(request: Request, element: str) -> Problem:
    """Say that a request is too far along for this."""
    return Problem(
        ProblemType.REQUEST_ALREADY_PROCESSED,
        element=element,
        value=request.identifier,
        detail=f"Request {request.identifier} is in status {request.status.value!r}; this can no longer be done.",
    )
