"""The borrowing side: an item of another library comes, is lent to our user, and goes back."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ncipd.circulation import matching, policy, shelf
from ncipd.circulation.clock import from_micros
from ncipd.circulation.errors import DeskError, ErrorKind
from ncipd.circulation.lifecycle import Event, allows
from ncipd.circulation.model import (
    HoldState,
    Item,
    ItemState,
    ItemStatus,
    Library,
    Loan,
    Micros,
    Record,
    Request,
    RequestStatus,
    Role,
    TaskKind,
    User,
)
from ncipd.circulation.partner import BarcodeRule, Partner, TemporaryBarcode
from ncipd.circulation.recall import note_recall
from ncipd.circulation.rows import request_row
from ncipd.ncip.problems import Problem, ProblemType

if TYPE_CHECKING:
    from ncipd.circulation.unit import Circulation


class Wish(NamedTuple):
    """What RequestItem asks for a user of ours."""

    identifier: str
    identifier_agency: str
    about: str  # the item or record number as sent: what makes two wishes the same
    request_type: str
    request_scope: str
    digital: bool
    user: User
    user_as_sent: str
    pickup_location: str
    need_before: Micros | None
    title: str
    author: str
    note: str
    mandated: bool = False  # it has happened already: policy has no say


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


def request(circ: Circulation, wish: Wish) -> Request:
    """Take a borrowing request for a user; raises Problem User Blocked, Duplicate Request and their like."""
    known = circ.open_request(Role.BORROWING, circ.partner.code, wish.identifier, wish.identifier_agency)
    if known is not None:
        circ.about(known)
        if known.user_id == wish.user.id and known.item_as_sent == wish.about:
            return known
        raise _duplicate(wish.identifier, f"Request {wish.identifier} is open already, for something else")
    if not wish.mandated:
        _refuse_wish(circ, wish)
    mine = circ.tx.all("open_requests_of_user", request_row, user=wish.user.id)
    if wish.about and any(other.item_as_sent == wish.about for other in mine):
        raise _duplicate(wish.identifier, f"This user already has an open request for {wish.about}")
    return circ.add_request(
        Role.BORROWING,
        Event.REQUEST,
        wish.identifier,
        identifier_agency=wish.identifier_agency,
        digital=int(wish.digital),
        request_type=wish.request_type,
        request_scope=wish.request_scope,
        user=wish.user.id,
        user_as_sent=wish.user_as_sent,
        item_as_sent=wish.about,
        title=wish.title,
        author=wish.author,
        need_before=wish.need_before,
        pickup_library=_pickup(circ, wish.pickup_location, circ.partner).id,
        note=wish.note,
    )


def _refuse_wish(circ: Circulation, wish: Wish) -> None:
    refusal = policy.refuse_user(wish.user, circ.blocks(wish.user), policy.Action.REQUEST, circ.now)
    if refusal is not None:
        raise Problem(refusal.problem, element="RequestItem/UserId", value=wish.user_as_sent, detail=refusal.detail)
    refuse_over_limit(circ, wish.user, ProblemType.USER_INELIGIBLE_TO_REQUEST_THIS_ITEM, "RequestItem/UserId")


def _duplicate(identifier: str, what: str) -> Problem:
    return Problem(
        ProblemType.DUPLICATE_REQUEST,
        element="RequestItem/RequestId/RequestIdentifierValue",
        value=identifier,
        detail=f"{what}; it must be cancelled or filled before another is made.",
    )


def refuse_over_limit(circ: Circulation, user: User, problem: ProblemType, element: str) -> None:
    """Refuse a user who has as many loans as allowed."""
    if user.loan_limit is None:
        return
    row = circ.tx.one("count_open_loans_of_user", user=user.id)
    if row is not None and row[0] >= user.loan_limit:
        raise Problem(
            problem,
            element=element,
            value=user.primary_id,
            detail=f"The user has {row[0]} items on loan and may have {user.loan_limit}; one must come back first.",
        )


def item_meant(circ: Circulation, service: str, number: str, user: str = "") -> Item | None:
    """Find the borrowed item that the partner means by a number, live ones first.

    Two lenders may number alike; then the user tells them apart, named as the partner names them. Raises Problem
    Needed Data Missing where nothing does.
    """
    alike = [item for item in circ.temporary_items(circ.partner.code, number) if item.live] if number else []
    if len(alike) > 1 and user:
        theirs = [item for item in alike if (last := circ.last_request_of(item)) and last.user_as_sent == user]
        alike = theirs or alike
    if len(alike) > 1:
        raise Problem(
            ProblemType.NEEDED_DATA_MISSING,
            element=f"{service}/ItemId/ItemIdentifierValue",
            value=number,
            detail=f"{len(alike)} items that were borrowed through this partner are called {number}; say which one is "
            "meant by its RequestId or UserId, or by the barcode that the answer to its AcceptItem gave.",
        )
    return alike[0] if alike else matching.borrowed_item(circ, circ.partner, number)


# ---------------------------------------------------------------------------------------------- arrival


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
        circ.tell(_user_of(request), "due earlier", told, request)


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
        arrival.identifier or circ.new_id(),
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
        pickup_library=_pickup(circ, arrival.pickup_location, partner).id,
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
        pickup = _pickup(circ, arrival.pickup_location, partner).id
    return circ.change_request(
        known,
        "complete_request_facts",
        user=user.id,
        due_at=arrival.return_by if arrival.return_by is not None else known.due_at,
        pickup_library=pickup,
        renewal_forbidden=int(arrival.renewal_forbidden or known.renewal_forbidden),
        digital=0,
    )


def _pickup(circ: Circulation, code: str, partner: Partner) -> Library:
    for wanted in (code, partner.pickup_library, partner.default_library):
        library = circ.library(wanted) if wanted else None
        if library is not None:
            return library
        if wanted:
            circ.note(f"no library has the code {wanted!r}; the usual pickup library was taken")
    return circ.libraries()[0]


def _outdate_items(circ: Circulation, partner: Partner, partner_item: str) -> None:
    """Let what was answered about earlier items of this number lapse: the same words now mean the new one."""
    for earlier in circ.temporary_items(partner.code, partner_item) if partner_item else ():
        circ.touch("item", earlier.id)


def _make_item(circ: Circulation, arrival: Arrival, request: Request, partner: Partner) -> Item:
    _outdate_items(circ, partner, arrival.partner_item)
    title = arrival.title or request.title
    record = circ.add_record(temporary=True, title=title, author=arrival.author or request.author)
    place = circ.location(partner.borrowing_location) if partner.borrowing_location else None
    home = circ.library(partner.default_library) if partner.default_library else None
    waits = circ.by_message and not partner.automatic_receive
    return circ.add_item(
        record,
        _free_barcode(circ, arrival.barcode or _usual_barcode(circ, arrival, partner), partner),
        ItemStatus.EXPECTED if waits else ItemStatus.RECEIVED,
        temporary=1,
        partner=partner.code,
        partner_item=arrival.partner_item,
        policy=arrival.policy or partner.item_policy,
        call_number=arrival.call_number,
        home_library=(home or circ.libraries()[0]).id,
        temporary_location=place.id if place else None,
        note=arrival.note,
    )


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
        loan, request = lend(circ, request, item, user, partner)
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
    user = circ.user(_user_of(request))
    return _received(circ, request, circ.item(item.id), user, arrival, partner)


def _describe(circ: Circulation, request: Request, item: Item, arrival: Arrival, partner: Partner) -> Request:
    """Write what the receiving form says of the title and of the request; what it leaves out stays as announced."""
    record = circ.record(item.record_id)
    if arrival.title or arrival.author:
        told = record._replace(title=arrival.title or record.title, author=arrival.author or record.author)._asdict()
        circ.describe(record.id, **{name: told[name] for name in Record._fields[3:]})
    pickup = request.pickup_library_id
    if arrival.pickup_location:
        pickup = _pickup(circ, arrival.pickup_location, partner).id
    return circ.change_request(
        request,
        "complete_request_facts",
        user=request.user_id,
        due_at=arrival.return_by if arrival.return_by is not None else request.due_at,
        pickup_library=pickup,
        renewal_forbidden=request.renewal_forbidden,
        digital=request.digital,
    )


# ---------------------------------------------------------------------------------------------- with the user


def _user_of(request: Request) -> int:
    if request.user_id is None:
        message = f"borrowing request {request.id} has no user"
        raise LookupError(message)
    return request.user_id


def lend(
    circ: Circulation, request: Request, item: Item, user: User, partner: Partner, due_at: Micros | None = None
) -> tuple[Loan, Request]:
    """Lend a borrowed item to the user that it came for."""
    ends = due_at if due_at is not None else policy.user_due(partner, request.due_at, circ.now, circ.agency.time_zone)
    moved = circ.advance(request, Event.LOAN)
    loan = circ.lend(item, ends, user=user.id, request=request.id)
    place = circ.request_item(request, item)
    if place is not None:
        circ.set_request_item(place, ItemState.OUT, loan.id)
    circ.set_item_status(item, ItemStatus.ON_LOAN)
    _end_holds(circ, request, item, HoldState.FILLED)
    shelf.release(circ, item)
    circ.finish_item_tasks(item, TaskKind.RETURN_TO_PARTNER)
    return loan, moved


def _end_holds(circ: Circulation, request: Request, item: Item, state: HoldState) -> None:
    for hold in circ.holds_of(request):
        if hold.item_id == item.id and hold.state in (HoldState.WAITING, HoldState.READY):
            circ.set_hold(hold, state)


def give_back(circ: Circulation, request: Request, item: Item) -> Request:
    """The user has brought a borrowed item back, or never fetched it: it waits to be sent to its lender."""
    loan = circ.loan_of(item)
    if loan is not None:
        circ.return_loan(loan)
    _end_holds(circ, request, item, HoldState.CANCELLED)
    shelf.release(circ, item)
    circ.finish_item_tasks(item, TaskKind.SEARCH)
    circ.set_item_status(item, ItemStatus.RETURNED)
    circ.ask_staff(Role.BORROWING, TaskKind.RETURN_TO_PARTNER, request=request, item=item)
    others = [
        place for place in circ.request_items(request) if place.item_id != item.id and place.state is ItemState.OUT
    ]
    still_here = [other for place in others if (other := circ.item(place.item_id)).status is not ItemStatus.RETURNED]
    if still_here:
        return request
    return circ.advance(request, Event.RETURN)


def came_at(circ: Circulation, request: Request, item: Item) -> Micros:
    """Say when a borrowed item came, as far as hold and loan tell; else when its request was made."""
    moments = [hold.placed_at for hold in circ.holds_of(request) if hold.item_id == item.id]
    place = circ.request_item(request, item)
    if place is not None and place.loan_id is not None:
        moments.append(circ.loan(place.loan_id).out_at)
    return min(moments, default=request.created_at)


def complete(circ: Circulation, request: Request, item: Item) -> Request:
    """The partner says that an item went back: whatever is open ends, and the temporary item is withdrawn."""
    circ.about(request)
    loan = circ.loan_of(item)
    if loan is not None:
        circ.return_loan(loan)
        circ.note("the partner checked it in while it was on loan here; the loan was ended")
    _end_holds(circ, request, item, HoldState.CANCELLED)
    circ.finish_item_tasks(item, *TaskKind)
    place = circ.request_item(request, item)
    if place is not None and place.state is not ItemState.BACK:
        circ.set_request_item(place, ItemState.BACK)
    if item.live:
        circ.change_item(item, "withdraw_item")
    if not request.open:
        return request
    if all(other.state in (ItemState.BACK, ItemState.DROPPED) for other in circ.request_items(request)):
        circ.finish_tasks(request)
        return circ.advance(request, Event.COMPLETE)
    return request


def send_back(circ: Circulation, request: Request, item: Item | None, note: str = "") -> Request:
    """Know that an item, or all that came for a request, has left for its lender; who had it has it no longer."""
    circ.about(request)
    for place in circ.request_items(request):
        if place.state is not ItemState.OUT or (item is not None and place.item_id != item.id):
            continue
        sent = circ.item(place.item_id)
        loan = circ.loan_of(sent)
        if loan is not None:
            circ.return_loan(loan)
            circ.note("it was sent back while it was on loan here; the loan was ended")
        _end_holds(circ, request, sent, HoldState.CANCELLED)
        circ.finish_item_tasks(sent, *TaskKind)
        circ.change_item(sent, "withdraw_item")
        circ.set_request_item(place, ItemState.BACK)
    if any(place.state is ItemState.OUT for place in circ.request_items(request)):
        return request
    return circ.advance(request, Event.SEND_BACK, note)


def cancel(circ: Circulation, request: Request, note: str = "") -> Request:
    """Cancel a borrowing request that nothing has come for; raises Problem Request Already Processed."""
    circ.about(request)
    if not allows(Role.BORROWING, request.status, Event.CANCEL):
        raise Problem(
            ProblemType.REQUEST_ALREADY_PROCESSED,
            element="CancelRequestItem/RequestId/RequestIdentifierValue",
            value=request.identifier,
            detail=f"Request {request.identifier} is in status {request.status.value!r}: the item has come already.",
        )
    circ.finish_tasks(request)
    return circ.advance(request, Event.CANCEL, note)


def recall(circ: Circulation, request: Request, item: Item, desired: Micros | None, partner: Partner) -> Loan | None:
    """The lender wants the item back: an earlier due date for the user, or straight back if nobody has fetched it.

    Both due dates move, the lender's on the request and the user's on the loan, and neither of them to a later day.
    """
    circ.about(request)
    loan = circ.loan_of(item)
    if item.status is ItemStatus.RETURNED or (loan is not None and loan.recalled_at is not None):
        return loan
    moved = circ.advance(request, Event.RECALL)
    title = circ.record(item.record_id).title or item.barcode
    wanted = policy.recall_due(partner, desired, circ.now, circ.agency.time_zone)
    if loan is None:
        wanted_back(circ, moved, wanted)
        _end_holds(circ, moved, item, HoldState.CANCELLED)
        shelf.release(circ, item)
        circ.set_item_status(item, ItemStatus.RETURNED)
        circ.ask_staff(
            Role.BORROWING, TaskKind.RETURN_TO_PARTNER, request=moved, item=item, note="recalled before pickup"
        )
        circ.tell(_user_of(moved), "recalled", f"{title} was recalled by its library before you could fetch it.", moved)
        return None
    loan = note_recall(circ, loan, policy.sooner(loan.due_at, wanted), asked_by=partner.code)
    wanted_back(circ, moved, wanted)
    circ.tell(_user_of(moved), "recalled", f"{title} was recalled by its library; please bring it back early.", moved)
    return loan


def wanted_back(circ: Circulation, request: Request, moment: Micros) -> None:
    """Move the lender's date for return forward to when it wants its item back; never to a later day."""
    if policy.sooner(request.due_at, moment) != request.due_at:
        circ.change_request(request, "set_request_due", due_at=moment)
