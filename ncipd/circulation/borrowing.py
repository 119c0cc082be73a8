"""The borrowing side: an item of another library is wanted, lent to our user, recalled, and goes back."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ncipd.circulation import matching, policy, shelf
from ncipd.circulation.lifecycle import Event, allows
from ncipd.circulation.model import (
    HoldState,
    Item,
    ItemState,
    ItemStatus,
    Library,
    Loan,
    Micros,
    Request,
    Role,
    TaskKind,
    User,
)
from ncipd.circulation.partner import Partner
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
        pickup_library=pickup_library(circ, wish.pickup_location, circ.partner).id,
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
        value=identifier or None,
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


def pickup_library(circ: Circulation, code: str, partner: Partner) -> Library:
    """Find where the user fetches an item: the library of this code, else the partner's usual one, else the first."""
    for wanted in (code, partner.pickup_library, partner.default_library):
        library = circ.library(wanted) if wanted else None
        if library is not None:
            return library
        if wanted:
            circ.note(f"no library has the code {wanted!r}; the usual pickup library was taken")
    return circ.libraries()[0]


def user_of(request: Request) -> int:
    """Give the number of the user that a borrowing request is for; raises LookupError where it has none."""
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
        circ.tell(user_of(moved), "recalled", f"{title} was recalled by its library before you could fetch it.", moved)
        return None
    loan = note_recall(circ, loan, policy.sooner(loan.due_at, wanted), asked_by=partner.code)
    wanted_back(circ, moved, wanted)
    circ.tell(user_of(moved), "recalled", f"{title} was recalled by its library; please bring it back early.", moved)
    return loan


def wanted_back(circ: Circulation, request: Request, moment: Micros) -> None:
    """Move the lender's date for return forward to when it wants its item back; never to a later day."""
    if policy.sooner(request.due_at, moment) != request.due_at:
        circ.change_request(request, "set_request_due", due_at=moment)
