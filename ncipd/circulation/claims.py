"""What borrowers say of items that they do not have: returned long ago, never borrowed, lost, missing (section 5.4.14).

A claim leaves the loan open and sends staff to the shelf; the item coming back ends it. A loss ends the loan, charges
our user for a replacement, and tells the lender of a borrowed item.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ncipd.circulation import account, fees
from ncipd.circulation.clock import from_micros
from ncipd.circulation.lifecycle import Event, allows
from ncipd.circulation.model import ItemState, ItemStatus, LoanMark, Role, TaskKind
from ncipd.circulation.outgoing import header_to, item_id_for, user_id_for
from ncipd.circulation.rows import loan_row
from ncipd.ncip.messages import CirculationStatusChangeReported

if TYPE_CHECKING:
    from ncipd.circulation.model import Item, Loan, Micros, Request
    from ncipd.circulation.unit import Circulation

_CLAIMS = {
    LoanMark.CLAIMED_RETURNED: (ItemStatus.CLAIMED, "its borrower says that it came back"),
    LoanMark.NEVER_BORROWED: (ItemStatus.CLAIMED, "its borrower says that it was never borrowed"),
    LoanMark.MISSING: (ItemStatus.MISSING, "its borrower says that it is missing"),
}


def report(circ: Circulation, item: Item, loan: Loan, mark: LoanMark, returned_at: Micros | None = None) -> Loan:
    """Take up what a borrower says of an item on loan, once; `returned_at` is when it is said to have come back."""
    request = circ.request(loan.request_id) if loan.request_id is not None else None
    if request is not None:
        circ.about(request)
    if loan.mark == mark:
        circ.note("reported already; nothing was changed")
        return loan
    if mark is LoanMark.LOST:
        return _lose(circ, item, loan, request)
    status, words = _CLAIMS[mark]
    loan = circ.change_loan(loan, "mark_loan", mark=mark, claimed_at=returned_at)
    circ.set_item_status(item, status)
    if returned_at is not None:
        words = f"{words} on {from_micros(returned_at):%Y-%m-%d}"
    circ.finish_item_tasks(item, TaskKind.SEARCH)
    circ.ask_staff(_side(item), TaskKind.SEARCH, request=request, item=item, note=words)
    return loan


def _side(item: Item) -> Role:
    return Role.BORROWING if item.temporary else Role.LENDING


def _lose(circ: Circulation, item: Item, loan: Loan, request: Request | None) -> Loan:
    marked = circ.change_loan(loan, "mark_loan", mark=LoanMark.LOST, claimed_at=None)
    circ.return_loan(marked)
    if loan.recalled_at is not None:
        circ.tx.run("cancel_recall", loan=loan.id, at=circ.occurred_at)
    circ.set_item_status(item, ItemStatus.LOST)
    circ.finish_item_tasks(item, TaskKind.SEARCH)
    words = "reported lost by its borrower"
    if loan.user_id is not None:
        user = circ.user(loan.user_id)
        title = circ.record(item.record_id).title or item.barcode
        circ.tell(user.id, "item lost", f"{title} is recorded as lost.", request)
        if not item.temporary and not fees.charge_replacement(circ, item, user, marked):
            words += "; what replaces it is not known here and was not charged"
    circ.ask_staff(_side(item), TaskKind.REVIEW, request=request, item=item, note=words)
    if request is not None and request.open:
        _end_part(circ, item, request)
    return circ.loan(loan.id)


def _end_part(circ: Circulation, item: Item, request: Request) -> None:
    """Say what a lost item means for its request; while other volumes are out, they go on.

    A lost volume of ours is no longer part of the request. A borrowed one is, until its lender has checked it in.
    """
    others = [place for place in circ.request_items(request) if place.item_id != item.id]
    place = circ.request_item(request, item)
    others_out = any(other.state is ItemState.OUT for other in others)
    if place is not None and others_out and request.role is Role.LENDING:
        circ.set_request_item(place, ItemState.DROPPED)
        return
    if not others_out:
        circ.finish_tasks(request, TaskKind.DECIDE_RENEWAL)
        if allows(request.role, request.status, Event.LOSE):
            circ.advance(request, Event.LOSE, f"item {item.barcode}")
    partner = circ.partner_of(request)
    if request.role is Role.LENDING or partner is None or not partner.url:
        return
    if circ.by_message and circ.partner.code == partner.code:
        return
    message = CirculationStatusChangeReported(
        initiation_header=header_to(circ, partner, request),
        item_id=item_id_for(item),
        user_id=user_id_for(request),
        item_reported_lost=True,
    )
    circ.send(partner, message, request=request)


def found(circ: Circulation, item: Item, *, leaving_for: Request | None = None) -> None:
    """Take up that an item which was searched for, or thought lost, is here; or was, and leaves for a request."""
    circ.finish_item_tasks(item, TaskKind.SEARCH)
    if item.status is not ItemStatus.LOST:
        return
    last = circ.tx.one("last_loan", loan_row, item=item.id)
    if last is not None and last.mark == LoanMark.LOST and account.of_loan(circ, last):
        circ.ask_staff(
            Role.LENDING, TaskKind.REVIEW, item=item, note="it is back; its borrower had been charged for its loss"
        )
    for request in circ.open_requests_of(item):
        place = circ.request_item(request, item)
        if request.role is not Role.LENDING or place is None or place.state is not ItemState.OUT:
            continue
        if leaving_for is not None and request.id == leaving_for.id:
            continue
        circ.about(request)
        circ.set_request_item(place, ItemState.BACK)
        others = [other.state for other in circ.request_items(request) if other.item_id != item.id]
        if all(state in (ItemState.BACK, ItemState.DROPPED) for state in others):
            circ.finish_tasks(request)
            circ.advance(request, Event.CHECK_IN)
