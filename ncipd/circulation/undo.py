"""Taking back a check-out that was made in error: it is as if it had never been, charges included (section 5.4.4).

The row of the loan stays, marked undone, for the audit trail; nothing counts it. A lending request goes back to where
it was before shipping, a borrowed item to where it waited for its user, and a hold that the loan filled waits again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ncipd.circulation import account, allocation, lending, wishes
from ncipd.circulation.lifecycle import Event, allows
from ncipd.circulation.model import (
    HoldState,
    ItemState,
    ItemStatus,
    RequestStatus,
    Role,
    TaskKind,
)
from ncipd.circulation.movement import UNSHIPPED
from ncipd.circulation.rows import hold_row

if TYPE_CHECKING:
    from ncipd.circulation.model import FiscalEntry, Item, Loan, Request, RequestItem
    from ncipd.circulation.unit import Circulation


def undo(circ: Circulation, item: Item, loan: Loan) -> list[FiscalEntry]:
    """Take back the loan on which an item is out; gives the entries that reverse its charges."""
    request = circ.request(loan.request_id) if loan.request_id is not None else None
    if request is not None:
        circ.about(request)
    if loan.recalled_at is not None:
        circ.tx.run("cancel_recall", loan=loan.id, at=circ.occurred_at)
    circ.change_loan(loan, "undo_loan")
    circ.finish_item_tasks(item, TaskKind.SEARCH)
    reversed_ = account.reverse_for_loan(circ, loan)
    if request is None:
        _put_back_own(circ, item, loan)
    elif request.role is Role.LENDING:
        _unship(circ, item, request)
    else:
        _take_from_user(circ, item, loan, request)
    return reversed_


def undo_past(circ: Circulation, loan: Loan) -> None:
    """Take back a loan that is over: nothing that came after it changes."""
    circ.change_loan(loan, "undo_loan")
    account.reverse_for_loan(circ, loan)
    circ.note("the check-out taken back was over already; where the item stands now was not changed")


def _put_back_own(circ: Circulation, item: Item, loan: Loan) -> None:
    hold = circ.tx.one("hold_by_id", hold_row, id=loan.hold_id) if loan.hold_id is not None else None
    circ.change_item(item, "set_item_home", status=ItemStatus.AVAILABLE)
    if hold is None or hold.state is not HoldState.FILLED:
        allocation.place_free_item(circ, circ.item(item.id), None)
        return
    # A hold has a last day only once its item stands on the hold shelf.
    was_ready = hold.expires_at is not None
    circ.set_hold(hold, HoldState.READY if was_ready else HoldState.WAITING, item=item.id)
    circ.set_item_status(item, ItemStatus.ON_HOLD_SHELF if was_ready else ItemStatus.REQUESTED)
    if not was_ready:
        circ.ask_staff(Role.LENDING, TaskKind.PICK, item=item, note="for the hold shelf")


# ---------------------------------------------------------------------------------------------- lending


def _unship(circ: Circulation, item: Item, request: Request) -> None:
    place = circ.request_item(request, item)
    others = [other for other in circ.request_items(request) if other.item_id != item.id]
    was = _before_shipping(circ, request)
    before = ItemState(place.before) if place is not None and place.before else ItemState.DROPPED
    away = any(other.state is ItemState.OUT for other in others)  # then the request goes on with what it has
    set_aside = before in _SET_ASIDE and was is RequestStatus.BEING_PROCESSED and not away
    if place is not None:
        circ.set_request_item(place, before if before in allocation.UNSENT and not away else ItemState.DROPPED)
    circ.change_item(item, "set_item_home", status=_SET_ASIDE[before][0] if set_aside else ItemStatus.AVAILABLE)
    if set_aside:
        circ.ask_staff(Role.LENDING, _SET_ASIDE[before][1], request=request, item=item)
    if not away:
        if not set_aside and any(other.state is ItemState.BACK for other in others):
            circ.finish_tasks(request)
            circ.advance(request, Event.CHECK_IN)
        else:
            others_set_aside = any(other.state in _SET_ASIDE for other in others)
            _restart(circ, request, others, was=was, set_aside=set_aside or others_set_aside)
    if not set_aside:
        allocation.place_free_item(circ, circ.item(item.id), None)


#: What an item that is set aside for a request is, and what staff have to do with it.
_SET_ASIDE = {
    ItemState.WANTED: (ItemStatus.REQUESTED, TaskKind.PICK),
    ItemState.PICKED: (ItemStatus.PICKED, TaskKind.SHIP),
}


def _before_shipping(circ: Circulation, request: Request) -> RequestStatus | None:
    """Read what the request's status was when its first item left, last time; None where it began with that."""
    status = before = None
    for _, event, after, _ in circ.events(request):
        if event in (Event.SHIP, Event.SHIP_DIGITALLY) and (status is None or status in UNSHIPPED):
            before = status
        status = RequestStatus(after)
    return before


def _restart(
    circ: Circulation, request: Request, others: list[RequestItem], *, was: RequestStatus | None, set_aside: bool
) -> None:
    """Bring a request back to the status that it had before shipping."""
    circ.finish_tasks(request, TaskKind.DECIDE_RENEWAL, TaskKind.RECALL_BY_HAND)
    wishes.forget(circ, request)
    moved = circ.advance(request, Event.UNDO)
    moved = circ.change_request(moved, "set_request_due", due_at=None)
    if was is None:
        circ.finish_tasks(moved)
        circ.advance(moved, Event.CANCEL, "it had been made by the check-out")
    elif set_aside:
        circ.advance(moved, Event.LOCATE)
    elif was is RequestStatus.LOCATE_FAILED:
        circ.advance(moved, Event.MISS)
        circ.ask_staff(Role.LENDING, TaskKind.LOCATE, request=moved)
    elif was is RequestStatus.BEING_PROCESSED:
        _set_aside_again(circ, moved, others)


def _set_aside_again(circ: Circulation, request: Request, others: list[RequestItem]) -> None:
    """Another copy was sent than the one set aside: that one is set aside again, if it is free still."""
    for other in others:
        item = circ.item(other.item_id)
        if other.state is ItemState.DROPPED and item.live and item.status is ItemStatus.AVAILABLE:
            lending.locate(circ, request, item)
            return


def undo_digital(circ: Circulation, request: Request) -> None:
    """Take back a digital supply that nobody has confirmed; the request is to be supplied again."""
    circ.about(request)
    was = _before_shipping(circ, request)
    circ.finish_tasks(request)
    moved = circ.advance(request, Event.UNDO)
    if was is None:
        circ.advance(moved, Event.CANCEL, "it had been made by the check-out")
        return
    circ.ask_staff(Role.LENDING, TaskKind.PICK, request=moved, note="to be supplied digitally")


# ---------------------------------------------------------------------------------------------- borrowing


def _take_from_user(circ: Circulation, item: Item, loan: Loan, request: Request) -> None:
    """The item is here again and waits for its user, unless its lender has recalled it meanwhile."""
    wishes.forget(circ, request)
    moved = circ.advance(request, Event.UNDO) if allows(Role.BORROWING, request.status, Event.UNDO) else request
    if moved.status is RequestStatus.RECALLED_BY_PARTNER:
        circ.set_item_status(item, ItemStatus.RETURNED)
        circ.ask_staff(Role.BORROWING, TaskKind.RETURN_TO_PARTNER, request=moved, item=item, note="recalled")
        return
    circ.set_item_status(item, ItemStatus.RECEIVED)
    filled = [hold for hold in circ.holds_of(moved) if hold.item_id == item.id and hold.state is HoldState.FILLED]
    if filled:
        circ.set_hold(filled[-1], HoldState.WAITING)
    elif loan.user_id is not None:
        circ.add_hold(
            loan.user_id,
            record=item.record_id,
            item=item.id,
            request=moved.id,
            pickup_library=moved.pickup_library_id,
        )
    circ.ask_staff(Role.BORROWING, TaskKind.SHELVE_HOLD, request=moved, item=item)
