"""Receiving an item of another library: by barcode alone where that says enough, else with the temporary-item form."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from ncipd.circulation import acceptance
from ncipd.circulation.lifecycle import Event, allows
from ncipd.circulation.model import Item, ItemStatus, Request, RequestStatus, Role, TaskKind
from ncipd.circulation.rows import item_row, request_row
from ncipd.desk import Done, action, conflict, finding
from ncipd.desk.scan_in import borrowed

if TYPE_CHECKING:
    from ncipd.circulation.partner import Partner
    from ncipd.circulation.unit import Circulation


class Receive(msgspec.Struct, forbid_unknown_fields=True):
    """The receiving form.

    `barcode`: scanned or newly stuck on; `request`: which request it came for; `partner_item_id`: what the lender calls
    it; then what the form says of the temporary item, the lender's date for return, and for whom and where.
    """

    barcode: str
    request: str = ""
    partner_item_id: str = ""
    title: str = ""
    author: str = ""
    call_number: str = ""
    item_policy: str = ""
    due_date: str | None = None
    note: str = ""
    partner: str = ""
    user: str = ""
    pickup_library: str = ""


@action("receive", Receive)
def receive(form: Receive, circ: Circulation) -> Done:
    """Take in an item that has come for a borrowing request, and say where it goes."""
    barcode = finding.required(form.barcode, "barcode", "the barcode on the item")
    announced = _announced(circ, form, barcode)
    if announced is not None:
        return _announced_item(circ, form, *announced)
    form = _from_network(circ, form, barcode)
    known = finding.request(circ, form.request, Role.BORROWING) if form.request else None
    taken = circ.item_by_barcode(barcode)
    if taken is not None and not (known is not None and taken.temporary and circ.request_item(known, taken)):
        raise conflict(
            "barcode-taken",
            f"Barcode {barcode} belongs to another item here.",
            value=barcode,
            hint="Stick a fresh barcode on it and scan that; say what the lender calls it in partner_item_id.",
        )
    if known is not None and not allows(Role.BORROWING, known.status, Event.RECEIVE):
        raise conflict(
            "request-not-open", f"Request {known.identifier} is in status {known.status.value!r}.", field="request"
        )
    if known is None and not form.user:
        raise conflict(
            "request-needed",
            f"Nothing here expects item {barcode}.",
            hint="Name the request that it came for, or the user and the partner to make one.",
            value=barcode,
        )
    partner = _partner(circ, form, known)
    request, item = acceptance.accept(circ, _arrival(circ, form, known, barcode), partner, known)
    if item is None:
        raise conflict("request-is-digital", f"Request {request.identifier} is for a digital copy.", field="request")
    return _done(circ, request, item)


def _announced(circ: Circulation, form: Receive, barcode: str) -> tuple[Request, Item] | None:
    """Find the item that is expected or here already: of the request that is named, else by its barcode or number."""
    known = finding.request(circ, form.request, Role.BORROWING) if form.request else None
    scanned = circ.item_by_barcode(barcode)
    if known is not None:
        candidates = [circ.item(place.item_id) for place in circ.request_items(known)]
    else:
        candidates = [scanned] if scanned is not None and scanned.temporary else []
        for partner in circ.partners:
            candidates += circ.temporary_items(partner, form.partner_item_id or barcode)
    item = _best(form, barcode, [item for item in candidates if item.live], by_request=known is not None)
    if item is None:
        _refuse_others(circ, known, scanned)
        return None
    request = known or circ.last_request_of(item)
    return (request, item) if request is not None else None


def _best(form: Receive, barcode: str, items: list[Item], *, by_request: bool) -> Item | None:
    """Choose: what is expected under this name, what is here under it, else the one that the request waits for."""
    names = {barcode, form.partner_item_id} - {""}
    named = [item for item in items if names & {item.barcode, item.partner_item_id}]
    expected = {item.id: item for item in named if item.status is ItemStatus.EXPECTED}
    if len(expected) > 1 and not by_request:
        raise conflict(
            "item-ambiguous",
            f"{len(expected)} items are expected that their libraries call {barcode}.",
            value=barcode,
            hint="Name the request that this one came for.",
        )
    waiting = [item for item in items if by_request and item.status is ItemStatus.EXPECTED]
    return next(iter((*expected.values(), *named, *waiting)), None)


def _refuse_others(circ: Circulation, known: Request | None, scanned: Item | None) -> None:
    """Say so where the item that was scanned has come for another request than the one that is named."""
    if known is None or scanned is None or not scanned.temporary:
        return
    came_for = circ.last_request_of(scanned)
    if came_for is not None:
        raise conflict(
            "for-another-request",
            f"Item {scanned.barcode} has come for request {came_for.identifier}.",
            field="request",
            value=came_for.identifier,
            hint="Scan it without naming a request, or check which parcel it was in.",
        )


def _announced_item(circ: Circulation, form: Receive, request: Request, item: Item) -> Done:
    circ.about(request)
    if item.status is not ItemStatus.EXPECTED:
        circ.note("received already, or recalled before it came")
        return borrowed(circ, item) if item.status in _BELONGS_ELSEWHERE else _done(circ, request, item)
    partner = _partner(circ, form, request)
    arrival = _arrival(circ, form, request, form.barcode)
    matches_theirs = form.barcode.strip() == item.partner_item_id
    arrival = arrival._replace(barcode=item.barcode if matches_theirs else form.barcode.strip())
    return _done(circ, *acceptance.receive(circ, request, item, arrival, partner))


#: Statuses of an item that no longer waits for its user here.
_BELONGS_ELSEWHERE = frozenset({ItemStatus.ON_LOAN, ItemStatus.RETURNED})


def _from_network(circ: Circulation, form: Receive, barcode: str) -> Receive:
    """Where barcodes are unique in our network, the barcode alone says what the item is and whose."""
    if form.request or not circ.agency.network:
        return form
    owned = circ.tx.all(
        "items_in_network", item_row, network=circ.agency.network, agency=circ.agency.id, barcode=barcode
    )
    if len(owned) != 1:
        return form
    waiting = circ.tx.all(
        "requests_by_status",
        request_row,
        agency=circ.agency.id,
        role=Role.BORROWING,
        status=RequestStatus.CREATED_BORROWING,
        most=500,
    )
    matching = [one for one in waiting if barcode == one.item_as_sent]
    record = circ.record(owned[0].record_id)
    return msgspec.structs.replace(
        form,
        request=str(matching[0].identifier) if len(matching) == 1 else form.request,
        title=form.title or record.title,
        author=form.author or record.author,
        call_number=form.call_number or owned[0].call_number,
        partner_item_id=form.partner_item_id or barcode,
    )


def _partner(circ: Circulation, form: Receive, known: Request | None) -> Partner:
    code = known.partner if known is not None else form.partner
    if not code and len(circ.partners) == 1:
        code = next(iter(circ.partners))
    partner = circ.partners.get(code)
    if partner is None:
        raise conflict(
            "partner-unknown",
            f"{code!r} is no partner of this agency." if code else "Which partner has sent it?",
            field="partner",
            value=code,
            hint=f"One of {', '.join(sorted(circ.partners))}.",
        )
    return partner


def _arrival(circ: Circulation, form: Receive, known: Request | None, barcode: str) -> acceptance.Arrival:
    user = finding.user(circ, form.user) if form.user else None
    if form.pickup_library:
        finding.library(circ, form.pickup_library)
    return acceptance.Arrival(
        identifier=known.identifier if known else form.request,
        identifier_agency=known.identifier_agency if known else "",
        partner_item=form.partner_item_id,
        barcode=barcode.strip(),
        user=user,
        user_as_sent=form.user,
        return_by=finding.moment(circ, form.due_date),
        renewal_forbidden=bool(known and known.renewal_forbidden),
        digital=False,
        circulate=False,
        pickup_location=form.pickup_library,
        pickup_expires=None,
        title=form.title,
        author=form.author,
        call_number=form.call_number,
        policy=form.item_policy,
        note=form.note,
    )


def _done(circ: Circulation, request: Request, item: Item) -> Done:
    circ.finish_tasks(request, TaskKind.RECEIVE)
    item = circ.item(item.id)
    request = circ.request(request.id)
    pickup = circ.library_by_id(request.pickup_library_id) if request.pickup_library_id is not None else None
    if item.status is ItemStatus.IN_TRANSIT and pickup is not None:
        return Done(
            f"{item.barcode} is received: send it to {pickup.name}, where it is picked up.",
            "send to pickup library",
            request,
            item,
        )
    return Done(f"{item.barcode} is received: put it on the hold shelf.", "hold shelf", request, item)
