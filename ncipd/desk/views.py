"""What staff look at: task lists, requests, items, users, as plain data for JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ncipd.circulation import wishes
from ncipd.circulation.clock import from_micros
from ncipd.circulation.lifecycle import TABLES
from ncipd.circulation.model import (
    STATUS_NAMES,
    HoldState,
    Item,
    ItemState,
    Loan,
    Notice,
    Request,
    RequestItem,
    RequestStatus,
    Role,
    User,
    UserIdentifier,
)
from ncipd.circulation.rows import hold_row, loan_row, request_row, task_row
from ncipd.desk import finding

if TYPE_CHECKING:
    from ncipd.circulation.model import Hold, Micros, Task
    from ncipd.circulation.unit import Circulation

Json = dict[str, Any]
PAGE = 500  # tasks read at a time


def moment(value: Micros | None) -> str | None:
    """Write a moment as ISO 8601 in UTC."""
    if value is None:
        return None
    return from_micros(value).isoformat(timespec="seconds").replace("+00:00", "Z")


# ---------------------------------------------------------------------------------------------- tasks


def tasks(circ: Circulation, role: Role | None, kind: str, after: int, most: int) -> list[Json]:
    """List what is to do, oldest first."""
    found: list[Task] = []
    for one in (role,) if role else tuple(Role):
        found += _tasks(circ, one, kind, after, most)
    return [task(circ, one) for one in sorted(found)[:most]]


def _tasks(circ: Circulation, role: Role, kind: str, after: int, most: int) -> list[Task]:
    """Read on until there are enough of the kind, or no more."""
    found: list[Task] = []
    while len(found) < most:
        page = circ.tx.all("open_tasks", task_row, agency=circ.agency.id, role=role, after=after, most=PAGE)
        found += [one for one in page if not kind or one.kind == kind]
        if len(page) < PAGE:
            break
        after = page[-1].id
    return found[:most]


def task(circ: Circulation, row: Task) -> Json:
    """Show one task with what it is about."""
    request = circ.request(row.request_id) if row.request_id is not None else None
    item = circ.item(row.item_id) if row.item_id is not None else None
    place = circ.location_by_id(item.permanent_location_id) if item else None
    return {
        "id": row.id,
        "kind": row.kind,
        "role": row.role,
        "request": request.identifier if request else None,
        "request_id": row.request_id,
        "item": item.barcode if item else None,
        "title": (circ.record(item.record_id).title if item else "") or (request.title if request else ""),
        "call_number": item.call_number if item else "",
        "location": place.name if place else "",
        "note": row.note,
        "created": moment(row.created_at),
    }


# ---------------------------------------------------------------------------------------------- requests


def requests(circ: Circulation, role: Role | None, status: str, identifier: str, most: int) -> list[Json]:
    """List open requests, newest first; by their id, ended ones too."""
    if identifier:
        found = finding.requests_named(circ, identifier)
        return [request_line(circ, one) for one in found if role is None or one.role is role]
    rows: list[Request] = []
    for one in (role,) if role else tuple(Role):
        for wanted in TABLES[one]:
            if wanted is not None and status in ("", wanted.value):
                rows += circ.tx.all(
                    "requests_by_status", request_row, agency=circ.agency.id, role=one, status=wanted, most=most
                )
    return [request_line(circ, one) for one in sorted(rows, key=lambda one: -one.id)[:most]]


def request_line(circ: Circulation, request: Request) -> Json:
    """Show a request in one line of a list, with the title of its item where the request itself came without one."""
    return {
        "id": request.id,
        "role": request.role,
        "partner": request.partner,
        "identifier": request.identifier,
        "status": request.status,
        "status_name": STATUS_NAMES[request.status],
        "open": bool(request.open),
        "digital": bool(request.digital),
        "title": request.title or _title_of_item(circ, request),
        "user": request.user_as_sent,
        "due_date": moment(request.due_at),
        "created": moment(request.created_at),
    }


def _title_of_item(circ: Circulation, request: Request) -> str:
    places = circ.request_items(request)
    return circ.record(circ.item(places[0].item_id).record_id).title if places else ""


def request(circ: Circulation, found: Request) -> Json:
    """Show one request with its items, what is to do, and its history."""
    events = circ.events(found)
    pickup = circ.library_by_id(found.pickup_library_id) if found.pickup_library_id is not None else None
    return {
        **request_line(circ, found),
        "author": found.author,
        "pickup_library": pickup.code if pickup else None,
        "renewal_forbidden": bool(found.renewal_forbidden),
        "desired_due_date": moment(_wished(circ, found)),
        "note": found.note,
        "items": [_place(circ, place) for place in circ.request_items(found)],
        "tasks": [task(circ, one) for one in circ.tasks_of(found)],
        "history": [
            {
                "at": moment(at),
                "event": event,
                "status": status,
                "status_name": STATUS_NAMES[RequestStatus(status)],
                "note": note,
            }
            for at, event, status, note in events
        ],
        "journal": [_journal(row) for row in circ.tx.all("journal_of_request", request=found.id)],
    }


def _wished(circ: Circulation, found: Request) -> Micros | None:
    """Give the date asked for in the renewal that is being decided, the latest where several volumes wait."""
    return max((loan.desired_due_at for loan in wishes.undecided(circ, found) if loan.desired_due_at), default=None)


def _place(circ: Circulation, place: RequestItem) -> Json:
    item = circ.item(place.item_id)
    loan = circ.loan(place.loan_id) if place.loan_id is not None else None
    return {
        "barcode": item.barcode,
        "partner_item_id": item.partner_item_id or None,
        "state": place.state,
        "item_status": item.status,
        "live": bool(item.live),
        "loan": loan_line(loan) if loan else None,
        "due_date": moment(loan.due_at) if loan else None,
        "renewals": loan.renewals if loan else 0,
        "desired_due_date": moment(loan.desired_due_at) if loan and loan.returned_at is None else None,
    }


def _journal(row: tuple[Any, ...]) -> Json:
    names = (
        "id",
        "at",
        "partner",
        "direction",
        "service",
        "verdict",
        "side",
        "correlation",
        "operator",
        "repairs",
        "note",
    )
    line = dict(zip(names, row, strict=True))
    return {**line, "at": moment(line["at"])}


def journal(circ: Circulation, before: int, most: int) -> list[Json]:
    """List the newest lines of the audit trail."""
    return [_journal(row) for row in circ.tx.all("journal_of_agency", agency=circ.agency.id, before=before, most=most)]


def pick_slip(circ: Circulation, found: Request) -> Json:
    """Give what is printed to fetch an item: what, where from, for whom, until when."""
    slips = []
    for place in circ.request_items(found):
        if place.state not in (ItemState.WANTED, ItemState.PICKED):
            continue
        item = circ.item(place.item_id)
        record = circ.record(item.record_id)
        shelf = circ.location_by_id(item.permanent_location_id)
        library = circ.library_by_id(item.home_library_id)
        slips.append(
            {
                "barcode": item.barcode,
                "title": record.title,
                "author": record.author,
                "call_number": item.call_number,
                "copy": item.copy_number,
                "volume": item.volume,
                "library": library.name if library else "",
                "location": shelf.name if shelf else "",
            }
        )
    return {
        "request": found.identifier,
        "id": found.id,
        "partner": found.partner,
        "ship_to": found.partner_agency or found.partner,
        "digital": bool(found.digital),
        "need_before": moment(found.need_before),
        "note": found.note,
        "items": slips,
        "printed": moment(circ.now),
    }


# ---------------------------------------------------------------------------------------------- items, loans, users


def loan_line(loan: Loan) -> Json:
    """Show a loan."""
    return {
        "id": loan.id,
        "to": "partner" if loan.partner else "user",
        "partner": loan.partner,
        "out": moment(loan.out_at),
        "due_date": moment(loan.due_at),
        "renewals": loan.renewals,
        "recalled": moment(loan.recalled_at),
        "returned": moment(loan.returned_at),
    }


def item(circ: Circulation, found: Item) -> Json:
    """Show an item: where it stands, and on what loan or request."""
    record = circ.record(found.record_id)
    loan = circ.loan_of(found)
    last = circ.last_request_of(found)
    library = circ.library_by_id(found.home_library_id)
    shelf = circ.location_by_id(found.permanent_location_id)
    lent_to = circ.location_by_id(found.temporary_location_id)
    return {
        "barcode": found.barcode,
        "partner_item_id": found.partner_item_id or None,
        "status": found.status,
        "live": bool(found.live),
        "temporary": bool(found.temporary),
        "partner": found.partner or None,
        "circulates": bool(found.circulates),
        "policy": found.policy,
        "title": record.title,
        "author": record.author,
        "call_number": found.call_number,
        "library": library.code if library else None,
        "location": shelf.code if shelf else None,
        "temporary_location": lent_to.code if lent_to else None,
        "loan": loan_line(loan) if loan else None,
        "request": request_line(circ, last) if last else None,
        "holds": [
            {"state": hold.state, "placed": moment(hold.placed_at), "expires": moment(hold.expires_at)}
            for hold in circ.holds_on(found)
            if hold.state in (HoldState.WAITING, HoldState.READY)
        ],
    }


def user(circ: Circulation, found: User) -> Json:
    """Show a user: who, what they have, what they wait for, what they were told."""
    identifiers = circ.tx.all("user_identifiers", UserIdentifier._make, user=found.id)
    loans = circ.tx.all("open_loans_of_user", loan_row, user=found.id)
    return {
        "primary_id": found.primary_id,
        "identifiers": [{"type": one.type, "value": one.value} for one in identifiers],
        "surname": found.surname,
        "given_name": found.given_name,
        "group": found.user_group,
        "expires": moment(found.expires_at),
        "blocks": [{"type": one.type, "until": moment(one.valid_to), "note": one.note} for one in circ.blocks(found)],
        "loans": [{**loan_line(loan), "barcode": circ.item(loan.item_id).barcode} for loan in loans],
        "requests": [
            request_line(circ, one) for one in circ.tx.all("open_requests_of_user", request_row, user=found.id)
        ],
        "holds": [_hold_of_user(circ, hold) for hold in circ.tx.all("open_holds_of_user", hold_row, user=found.id)],
        "notices": [
            {"type": one.type, "content": one.content, "created": moment(one.created_at)}
            for one in circ.tx.all("notices_of_user", Notice._make, user=found.id)
        ],
    }


def _hold_of_user(circ: Circulation, hold: Hold) -> Json:
    """Show what a user waits for: this item, or any copy of a title."""
    item = circ.item(hold.item_id) if hold.item_id is not None else None
    record = item.record_id if item is not None else hold.record_id
    return {
        "barcode": item.barcode if item is not None else None,
        "title": circ.record(record).title if record is not None else "",
        "state": hold.state,
        "placed": moment(hold.placed_at),
        "expires": moment(hold.expires_at),
    }


def find_item(circ: Circulation, barcode: str) -> Item:
    """Find an item by its barcode here or its partner's id, live or withdrawn."""
    withdrawn = None
    if circ.item_by_barcode(barcode) is None:
        for code in circ.partners:
            theirs = circ.temporary_items(code, barcode)
            if theirs:
                return theirs[0]
        withdrawn = circ.withdrawn_item(barcode)
    return withdrawn or finding.item(circ, barcode)


def outbox(circ: Circulation, states: tuple[str, ...], most: int) -> list[Json]:
    """List messages to partners by state, newest first."""
    names = (
        "id", "partner", "service", "request_id", "state", "attempts", "next_at", "error", "created_at", "settled_at",
        "body", "answer",
    )  # fmt: skip
    rows: list[Json] = []
    for state in states:
        for row in circ.tx.all("outbox_of_agency", agency=circ.agency.id, state=state, most=most):
            line = dict(zip(names, row, strict=True))
            for key in ("next_at", "created_at", "settled_at"):
                line[key] = moment(line[key])
            for key in ("body", "answer"):
                line[key] = line[key].decode("utf-8", "replace") if line[key] is not None else None
            rows.append(line)
    return sorted(rows, key=lambda line: -int(line["id"]))[:most]
