"""An item of another library comes: announced or not, for a request or for none, and is taken in for its user."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ncipd.circulation import borrowing, catalogue, policy, shelf
from ncipd.circulation.clock import from_micros
from ncipd.circulation.errors import DeskError, ErrorKind
from ncipd.circulation.lifecycle import Event, allows
from ncipd.circulation.model import (
    Item,
    ItemState,
    ItemStatus,
    Location,
    Micros,
    Record,
    Request,
    RequestStatus,
    Role,
    TaskKind,
    User,
)
from ncipd.circulation.partner import BarcodeRule, Partner, TemporaryBarcode
from ncipd.ncip.problems import Problem, ProblemType

if TYPE_CHECKING:
    from ncipd.circulation.unit import Circulation


class Arrival(NamedTuple):
    """What AcceptItem or the receiving desk says of an item that has come."""

    identifier: str
    identifier_agency: str
    partner_item: str
    barcode: str  # '' = the partner's item id, or a made-up one
    user: User | None
    user_as_sent: str
    return_by: Micros | None
    renewal_forbidden: bool
    digital: bool
    circulate: bool
    pickup_location: str
    pickup_expires: Micros | None
    title: str
    author: str
    call_number: str
    policy: str
    note: str


def accept(circ: Circulation, arrival: Arrival, partner: Partner, known: Request | None) -> tuple[Request, Item | None]:
    """Take in an item for a request, making what does not exist yet; the same arrival twice is one item.

    Blocks never refuse it: staff see them. Raises Problem Unknown User (nobody to take it in for) and Cannot Accept
    Item (the barcode is taken and the partner's rule is to refuse).
    """
    user = arrival.user or (circ.user(known.user_id) if known and known.user_id else None)
    if user is None:
        raise Problem(
            ProblemType.UNKNOWN_USER if arrival.user_as_sent else ProblemType.NEEDED_DATA_MISSING,
            element="AcceptItem/UserId",
            value=arrival.user_as_sent or None,
            detail="No user here has this identifier, and no open request says for whom the item is; send the UserId "
            "of a registered user.",
        )
    if known is not None:
        circ.about(known)
        same = _same_arrival(circ, known, arrival)
        if same is not None:
            request, item = _confirm(circ, known, same, arrival)
            if item.status is ItemStatus.EXPECTED and circ.by_message and partner.automatic_receive:
                return receive(circ, request, item, arrival, partner)
            return request, item
    if arrival.digital:
        return _accept_digitally(circ, arrival, known, user, partner), None
    request = _request_for(circ, arrival, known, user, partner)
    item = _make_item(circ, arrival, request, partner)
    circ.add_request_item(request, item, ItemState.OUT)
    _warn_of_blocks(circ, user, request)
    if not partner.automatic_receive and circ.by_message:
        circ.ask_staff(Role.BORROWING, TaskKind.RECEIVE, request=request, item=item)
        return request, item
    return _received(circ, request, item, user, arrival, partner)


def _same_arrival(circ: Circulation, request: Request, arrival: Arrival) -> Item | None:
    """Find the item that this arrival has made already, by message or at the desk."""
    unnamed = []
    for place in circ.request_items(request):
        item = circ.item(place.item_id)
        if not item.live or place.state is not ItemState.OUT:
            continue
        if arrival.partner_item in (item.partner_item_id, item.barcode) or not arrival.partner_item:
            return item
        if not item.partner_item_id:
            unnamed.append(item)
    return unnamed[0] if len(unnamed) == 1 else None


def _confirm(circ: Circulation, request: Request, item: Item, arrival: Arrival) -> tuple[Request, Item]:
    if arrival.partner_item and not item.partner_item_id:
        circ.change_item(item, "set_partner_item", partner_item=arrival.partner_item)
    due_at = request.due_at if request.due_at is not None else arrival.return_by
    forbidden = int(arrival.renewal_forbidden or request.renewal_forbidden)
    if (due_at, forbidden) != (request.due_at, request.renewal_forbidden):
        request = circ.change_request(
            request,
            "complete_request_facts",
            user=request.user_id,
            due_at=due_at,
            pickup_library=request.pickup_library_id,
            renewal_forbidden=forbidden,
            digital=request.digital,
        )
        _keep_within(circ, request, item)
    circ.note("confirms an item that is here already")
    return request, circ.item(item.id)


def _keep_within(circ: Circulation, request: Request, item: Item) -> None:
    """Shorten a loan that the desk made before the lender's date was known; the user is told."""
    loan, partner = circ.loan_of(item), circ.partner_of(request) or policy.LOCAL
    if loan is None or loan.due_at is None or request.due_at is None:
        return
    latest = policy.user_due(partner, request.due_at, circ.now, circ.agency.time_zone)
    if loan.due_at > latest:
        circ.change_loan(loan, "set_loan_due", due_at=latest, renewals=0)
        title = circ.record(item.record_id).title or item.barcode
        told = f"{title} is due earlier than you were told: {from_micros(latest):%Y-%m-%d}."
        circ.tell(borrowing.user_of(request), "due earlier", told, request)


def _accept_digitally(
    circ: Circulation, arrival: Arrival, known: Request | None, user: User, partner: Partner
) -> Request:
    if known is None:
        request = _new_request(circ, arrival, user, partner, Event.RECEIVE_DIGITALLY, digital=1)
    else:
        request = circ.advance(known, Event.RECEIVE_DIGITALLY)
        circ.finish_tasks(request)
    circ.tell(
        user.id, "document delivered", f"{request.title or 'The document you asked for'} has been delivered.", request
    )
    return request


def _new_request(
    circ: Circulation, arrival: Arrival, user: User, partner: Partner, event: Event, digital: int = 0
) -> Request:
    return circ.add_request(
        Role.BORROWING,
        event,
        arrival.identifier,
        identifier_agency=arrival.identifier_agency,
        partner=partner.code,
        digital=digital,
        user=user.id,
        user_as_sent=arrival.user_as_sent or user.primary_id,
        item_as_sent=arrival.partner_item,
        title=arrival.title,
        author=arrival.author,
        due_at=arrival.return_by,
        renewal_forbidden=int(arrival.renewal_forbidden),
        pickup_library=borrowing.pickup_library(circ, arrival.pickup_location, partner).id,
    )


def _unasked(circ: Circulation, arrival: Arrival, user: User, partner: Partner, event: Event) -> Request:
    """Make a request for what no open one waits for; staff hear of it where one had been cancelled."""
    earlier = circ.requests_called(partner.code, arrival.identifier) if arrival.identifier else []
    made = _new_request(circ, arrival, user, partner, event)
    if any((one.role, one.status) == (Role.BORROWING, RequestStatus.CANCELLED) for one in earlier[:1]):
        note = "the request had been cancelled; the item came all the same"
        circ.ask_staff(Role.BORROWING, TaskKind.REVIEW, request=made, note=note)
    return made


def _request_for(circ: Circulation, arrival: Arrival, known: Request | None, user: User, partner: Partner) -> Request:
    waits = circ.by_message and not partner.automatic_receive
    event = Event.ANNOUNCE if waits else Event.RECEIVE
    if known is None:
        return _unasked(circ, arrival, user, partner, event)
    if arrival.user is not None and known.user_id not in (None, arrival.user.id):
        circ.note("AcceptItem names another user than the request did; the item is for the user of AcceptItem")
        circ.ask_staff(Role.BORROWING, TaskKind.REVIEW, request=known, note="the item came for another user than asked")
    known = circ.advance(known, event)
    pickup = known.pickup_library_id
    if arrival.pickup_location or pickup is None:
        pickup = borrowing.pickup_library(circ, arrival.pickup_location, partner).id
    return circ.change_request(
        known,
        "complete_request_facts",
        user=user.id,
        due_at=arrival.return_by if arrival.return_by is not None else known.due_at,
        pickup_library=pickup,
        renewal_forbidden=int(arrival.renewal_forbidden or known.renewal_forbidden),
        digital=0,
    )


def _outdate_items(circ: Circulation, partner: Partner, partner_item: str) -> None:
    """Let what was answered about earlier items of this number lapse: the same words now mean the new one."""
    for earlier in circ.temporary_items(partner.code, partner_item) if partner_item else ():
        circ.touch("item", earlier.id)


def _make_item(circ: Circulation, arrival: Arrival, request: Request, partner: Partner) -> Item:
    waits = circ.by_message and not partner.automatic_receive
    status = ItemStatus.EXPECTED if waits else ItemStatus.RECEIVED
    place = circ.location(partner.borrowing_location) if partner.borrowing_location else None
    created = _created_before(circ, arrival, request, partner)
    if created is not None:
        return _take_up(circ, created, arrival, partner, status, place)
    _outdate_items(circ, partner, arrival.partner_item)
    title = arrival.title or request.title
    record = circ.add_record(temporary=True, title=title, author=arrival.author or request.author)
    home = circ.library(partner.default_library) if partner.default_library else None
    return circ.add_item(
        record,
        _free_barcode(circ, arrival.barcode or _usual_barcode(circ, arrival, partner), partner),
        status,
        temporary=1,
        partner=partner.code,
        partner_item=arrival.partner_item,
        policy=arrival.policy or partner.item_policy,
        call_number=arrival.call_number,
        home_library=(home or circ.libraries()[0]).id,
        temporary_location=place.id if place else None,
        note=arrival.note,
    )


def _created_before(circ: Circulation, arrival: Arrival, request: Request, partner: Partner) -> Item | None:
    """Find the temporary item that the partner has made with CreateItem, for this request or for none."""
    if not arrival.partner_item:
        return None
    for item in circ.temporary_items(partner.code, arrival.partner_item):
        last = circ.last_request_of(item)
        place = circ.request_item(last, item) if last is not None else None
        is_for_this = place is not None and place.request_id == request.id and place.state is ItemState.WANTED
        if item.live and (last is None or is_for_this):
            return item
    return None


def _take_up(
    circ: Circulation, item: Item, arrival: Arrival, partner: Partner, status: ItemStatus, place: Location | None
) -> Item:
    circ.note("the partner had made the item before (CreateItem)")
    scanned = arrival.barcode or item.barcode
    circ.change_item(
        item,
        "describe_temporary_item",
        barcode=_free_barcode(circ, scanned, partner) if scanned != item.barcode else scanned,
        call_number=arrival.call_number or item.call_number,
        policy=arrival.policy or item.policy or partner.item_policy,
        note=arrival.note or item.note,
        status=status,
    )
    now = circ.item(item.id)
    return now if place is None else catalogue.write(circ, now, {"temporary_location_id": place.id})


def _usual_barcode(circ: Circulation, arrival: Arrival, partner: Partner) -> str:
    """Give the barcode that a temporary item of this partner has; '' = one is made."""
    match partner.temporary_barcode:
        case TemporaryBarcode.REQUEST_ID:
            return arrival.identifier
        case TemporaryBarcode.ITEM_ID_AND_AGENCY:
            return f"{arrival.partner_item}{circ.partner_agency}" if arrival.partner_item else ""
        case TemporaryBarcode.MADE:
            return ""
        case _:
            return arrival.partner_item


def _free_barcode(circ: Circulation, wanted: str, partner: Partner) -> str:
    """Find a barcode that no live item has, by the partner's rule."""
    if wanted and circ.item_by_barcode(wanted) is None:
        return wanted
    if wanted and partner.barcode_rule is BarcodeRule.REFUSE:
        raise Problem(
            ProblemType.CANNOT_ACCEPT_ITEM,
            element="AcceptItem/ItemId/ItemIdentifierValue",
            value=wanted,
            detail=f"Barcode {wanted} belongs to another item here; send the item under another barcode.",
        )
    if wanted and partner.barcode_rule is BarcodeRule.PREFIX:
        for attempt in range(1, 100):
            candidate = f"{partner.barcode_prefix}{wanted}" + (f"-{attempt}" if attempt > 1 else "")
            if circ.item_by_barcode(candidate) is None:
                return candidate
    return f"{partner.barcode_prefix}{circ.new_id()}"


def _warn_of_blocks(circ: Circulation, user: User, request: Request) -> None:
    refusal = policy.refuse_user(user, circ.blocks(user), policy.Action.CHECK_OUT, circ.now)
    if refusal is not None:
        circ.ask_staff(Role.BORROWING, TaskKind.REVIEW, request=request, note=refusal.detail)


def _received(
    circ: Circulation, request: Request, item: Item, user: User, arrival: Arrival, partner: Partner
) -> tuple[Request, Item]:
    if arrival.circulate and allows(Role.BORROWING, request.status, Event.LOAN):
        loan, request = borrowing.lend(circ, request, item, user, partner)
        circ.note(f"circulated at once, loan {loan.id}")
        return request, circ.item(item.id)
    circ.add_hold(
        user.id,
        record=item.record_id,
        item=item.id,
        request=request.id,
        pickup_library=request.pickup_library_id,
        expires_at=arrival.pickup_expires,
    )
    home = circ.library_by_id(item.home_library_id)
    if request.pickup_library_id is not None and home is not None and request.pickup_library_id != home.id:
        circ.set_item_status(item, ItemStatus.IN_TRANSIT)
    shelf.ask_to_shelve(circ, item, request)
    return request, circ.item(item.id)


def receive(
    circ: Circulation, request: Request, item: Item, arrival: Arrival, partner: Partner
) -> tuple[Request, Item]:
    """The desk receives an item that AcceptItem announced, with what the receiving form says of it."""
    barcode = arrival.barcode or item.barcode
    if barcode != item.barcode and circ.item_by_barcode(barcode) is not None:
        raise DeskError(
            ErrorKind.CONFLICT,
            "barcode-taken",
            f"Barcode {barcode} belongs to another item here.",
            field="barcode",
            value=barcode,
            hint="Stick a fresh barcode on the item and scan that one.",
        )
    circ.change_item(
        item,
        "describe_temporary_item",
        barcode=barcode,
        call_number=arrival.call_number or item.call_number,
        policy=arrival.policy or item.policy,
        note=arrival.note or item.note,
        status=ItemStatus.RECEIVED,
    )
    request = circ.advance(request, Event.RECEIVE)
    request = _describe(circ, request, item, arrival, partner)
    circ.finish_item_tasks(item, TaskKind.RECEIVE)
    user = circ.user(borrowing.user_of(request))
    return _received(circ, request, circ.item(item.id), user, arrival, partner)


def _describe(circ: Circulation, request: Request, item: Item, arrival: Arrival, partner: Partner) -> Request:
    """Write what the receiving form says of the title and of the request; what it leaves out stays as announced."""
    record = circ.record(item.record_id)
    if arrival.title or arrival.author:
        told = record._replace(title=arrival.title or record.title, author=arrival.author or record.author)._asdict()
        circ.describe(record.id, **{name: told[name] for name in Record._fields[3:]})
    pickup = request.pickup_library_id
    if arrival.pickup_location:
        pickup = borrowing.pickup_library(circ, arrival.pickup_location, partner).id
    return circ.change_request(
        request,
        "complete_request_facts",
        user=request.user_id,
        due_at=arrival.return_by if arrival.return_by is not None else request.due_at,
        pickup_library=pickup,
        renewal_forbidden=request.renewal_forbidden,
        digital=request.digital,
    )
