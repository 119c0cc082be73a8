"""Items on their way: which request a shipment or arrival is about, and who sent or received it (profiles.md 2.1, 3.1).

ItemShipped and ItemReceived are told in both directions. Who did it is said by a marker in Ext/NoticeContent
(`ShippedBy.Lender` and its like); a peer library without one speaks of itself; a broker may speak of either side, and
there the state of the request decides, as the last resort. A fact told again is known by its date and changes nothing.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from ncipd.circulation import borrowing, lending, matching
from ncipd.circulation.clock import SECOND, from_micros
from ncipd.circulation.model import Item, ItemState, ItemStatus, Request, RequestStatus, Role, TaskKind
from ncipd.circulation.partner import PartnerRole
from ncipd.ncip.problems import Problem, ProblemType
from ncipd.ncip.types import Leaf

if TYPE_CHECKING:
    from ncipd.circulation.model import Loan, Micros
    from ncipd.circulation.unit import Circulation
    from ncipd.ncip.types import Ext


class Party(StrEnum):
    """The two libraries of a request."""

    LENDER = "lender"
    BORROWER = "borrower"


class Movement(NamedTuple):
    """What is told: of which request and item, what they are called, who did it and when, in words."""

    request: Request
    item: Item | None
    ids: matching.Named
    by: Party
    words: str


UNSHIPPED = frozenset({RequestStatus.CREATED_LENDING, RequestStatus.LOCATE_FAILED, RequestStatus.BEING_PROCESSED})
_GOING_BACK = frozenset({RequestStatus.RETURNED_BY_PATRON, RequestStatus.RETURNED_TO_PARTNER})
_NOT_HERE = frozenset({RequestStatus.CREATED_BORROWING, RequestStatus.SHIPPED_PHYSICALLY})


def marked(ext: Ext | None) -> Party | None:
    """Read the marker that says who has shipped or received an item; none where there is none."""
    found = ext.find("NoticeContent") if ext is not None else None
    value = str(found.value) if isinstance(found, Leaf) else ""
    name = value.strip().rpartition(".")[2].casefold()
    return next((party for party in Party if party.value == name), None)


def shipped(circ: Circulation, ids: matching.Named, marker: Party | None, at: Micros, service: str) -> Movement:
    """Find what a shipment is about.

    Raises Problem: Unknown Request, Unknown Item, and Needed Data Missing where several requests would do.
    """
    request, item = _meant(circ, ids, marker, service)
    by = marker or _peer(circ, request)
    if by is None and request.role is Role.LENDING:
        loan = circ.loan_of(item) if item is not None else None
        by = Party.LENDER if _goes_out(request, loan, at) else Party.BORROWER
    elif by is None:
        back = request.status in _GOING_BACK or (item is not None and item.status is ItemStatus.RETURNED)
        by = Party.BORROWER if back else Party.LENDER
    return Movement(request, item, ids, by, _words(circ, "shipped", ids, at))


def _goes_out(request: Request, loan: Loan | None, at: Micros) -> bool:
    if request.status in UNSHIPPED or loan is None:
        return request.status in UNSHIPPED
    # The second in which it left is told of its leaving; once it has arrived there, of its coming back.
    on_its_way = request.status is RequestStatus.SHIPPED_PHYSICALLY
    return at // SECOND <= loan.out_at // SECOND if on_its_way else at <= loan.out_at


def received(circ: Circulation, ids: matching.Named, marker: Party | None, at: Micros, service: str) -> Movement:
    """Find what an arrival is about; raises Problem as `shipped` does."""
    request, item = _meant(circ, ids, marker, service)
    by = marker or _peer(circ, request)
    if by is None and request.role is Role.LENDING:
        by = Party.LENDER if request.status is RequestStatus.RETURNED_BY_PARTNER else Party.BORROWER
    elif by is None:
        by = Party.BORROWER if request.status in _NOT_HERE else Party.LENDER
    return Movement(request, item, ids, by, _words(circ, "received", ids, at))


def is_known(circ: Circulation, movement: Movement) -> bool:
    """Say whether a movement changes nothing any more: told before, or of a request that has ended."""
    circ.about(movement.request)
    if not movement.request.open:
        circ.note("the request has ended; nothing was changed")
        return True
    events = circ.events(movement.request)
    if any(note == movement.words for _, _, _, note in events):
        circ.note("told before; nothing was changed")
        return True
    return False


def write_down(circ: Circulation, movement: Movement, event: str) -> None:
    """Write a movement into the request's history, by which it is known when it is told again."""
    status = circ.request(movement.request.id).status
    circ.happened(movement.request.id, event, status, movement.words)


def contradicts(circ: Circulation, movement: Movement, why: str) -> None:
    """Show staff what was told and cannot be so; the event itself cannot be refused."""
    request = movement.request
    note = f"{circ.partner.code} tells that it was {movement.words}, but {why}"
    circ.note(note)
    circ.ask_staff(request.role, TaskKind.REVIEW, request=request, item=movement.item, note=note)
    write_down(circ, movement, "review")


def _words(circ: Circulation, verb: str, ids: matching.Named, at: Micros) -> str:
    return f"{verb} {from_micros(at):%Y-%m-%dT%H:%M:%SZ}" + (f", item {ids.item}" if ids.item else "")


def _peer(circ: Circulation, request: Request) -> Party | None:
    """Say who a peer library is: it speaks of itself."""
    if circ.partner.role is not PartnerRole.PEER:
        return None
    return Party.LENDER if request.role is Role.BORROWING else Party.BORROWER


# ---------------------------------------------------------------------------------------------- which request


def _meant(circ: Circulation, ids: matching.Named, marker: Party | None, service: str) -> tuple[Request, Item | None]:
    request = _named(circ, ids, marker, service) if ids.identifier else _of_item(circ, ids, service)
    circ.side = request.role
    return request, item_of(circ, request, ids.item)


def _named(circ: Circulation, ids: matching.Named, marker: Party | None, service: str) -> Request:
    found = matching.called(circ, ids)
    still_open = [request for request in found if request.open]
    if not found:
        raise matching.unknown_request(service, ids.identifier)
    roles = {request.role for request in still_open}
    if len(roles) < 2:
        return (still_open or found)[0]
    # We lend and borrow under the same id: news of one side is for the other.
    if marker is not None:
        role = Role.BORROWING if marker is Party.LENDER else Role.LENDING
    elif ids.item and (ours := matching.our_item(circ, ids.item)) is not None:
        role = Role.LENDING if any(circ.request_item(request, ours) for request in still_open) else Role.BORROWING
    else:
        raise Problem(
            ProblemType.NEEDED_DATA_MISSING,
            element=f"{service}/Ext/NoticeContent",
            value=ids.identifier,
            detail=f"Requests {ids.identifier!r} are open for lending and for borrowing; say who did it, as "
            "ShippedBy.Lender, ShippedBy.Borrower, ReceivedBy.Borrower or ReceivedBy.Lender.",
        )
    return next(request for request in still_open if request.role is role)


def _of_item(circ: Circulation, ids: matching.Named, service: str) -> Request:
    if matching.side_of(circ, ids) is Role.BORROWING:
        borrowed = borrowing.item_meant(circ, service, ids.item, ids.user)
        last = circ.last_request_of(borrowed) if borrowed is not None else None
        if last is None:
            raise lending.unknown_item(service, ids.item, hint="no item borrowed through this partner has this id")
        return last
    item = matching.our_item(circ, ids.item)
    if item is None:
        raise lending.unknown_item(service, ids.item)
    found = matching.open_request(circ, Role.LENDING, ids, service, item)
    last = found or circ.last_request_of(item)
    if last is None or last.partner != circ.partner.code:
        raise matching.unknown_request(service, ids.item)
    return last


def item_of(circ: Circulation, request: Request, value: str) -> Item | None:
    """Find the item of a request by what either side calls it, else its only one that is under way."""
    places = [place for place in circ.request_items(request) if place.state is not ItemState.DROPPED]
    items = [circ.item(place.item_id) for place in places]
    called = [item for item in items if value and value in (item.partner_item_id, item.barcode)]
    if called:
        return max(called, key=lambda item: (item.live, item.id))
    if request.role is Role.LENDING and value and (ours := matching.our_item(circ, value)) is not None:
        return ours
    if value and request.role is Role.BORROWING:
        return None
    moving = [circ.item(place.item_id) for place in places if place.state is not ItemState.BACK]
    return moving[0] if len(moving) == 1 else None
