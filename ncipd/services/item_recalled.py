"""ItemRecalled: an item on loan has been called back (Z39.83-1 section 5.5.9)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ncipd.circulation import borrowing, lending, matching, recall, review
from ncipd.circulation.clock import not_after, to_micros
from ncipd.circulation.model import Role
from ncipd.ncip.messages import ItemRecalled, ItemRecalledResponse
from ncipd.services import occurrence, serves

if TYPE_CHECKING:
    from ncipd.circulation.model import Loan, Micros
    from ncipd.circulation.unit import Circulation

SERVICE = "ItemRecalled"


@serves(ItemRecalled)
def item_recalled(message: ItemRecalled, circ: Circulation) -> ItemRecalledResponse:
    """Take the earlier date, and tell the user who has the item."""
    ids = matching.named(circ, item=message.item_id, user=message.user_id)
    occurrence.take_as_fact(circ, message.ext)
    due_at = to_micros(message.date_due, circ.zone)
    with review.kept(circ, SERVICE, f"item {ids.item}"):
        if matching.is_local(circ.partner):
            _ours(circ, ids, due_at)
        elif matching.side_of(circ, ids) is Role.BORROWING:
            _borrowed(circ, ids, due_at)
        elif matching.our_item(circ, ids.item) is None:
            raise lending.unknown_item(SERVICE, ids.item)
        else:
            circ.note("told of a recall of our own item; we recall our items ourselves, nothing was changed")
    return ItemRecalledResponse()


def _ours(circ: Circulation, ids: matching.Named, due_at: Micros) -> None:
    item = circ.item_by_barcode(ids.item) if ids.item else None
    if item is None:
        raise lending.unknown_item(SERVICE, ids.item)
    loan = circ.loan_of(item)
    if loan is None or item.temporary:
        circ.note("it is not on loan from us; nothing was changed")
    elif _is_old_news(circ, loan, due_at):
        pass
    elif loan.recalled_at is not None:
        _sooner(circ, loan, due_at)
    elif loan.user_id is not None:
        recall.recall_own(circ, item, loan, due_at, fact=True)
    else:
        circ.note(recall.recall_shipped(circ, item, loan, None, due_at))


def _borrowed(circ: Circulation, ids: matching.Named, due_at: Micros) -> None:
    item = borrowing.item_meant(circ, SERVICE, ids.item, ids.user)
    request = circ.last_request_of(item) if item is not None else None
    if item is None or request is None:
        raise lending.unknown_item(SERVICE, ids.item, hint="no item borrowed through this partner has this id")
    circ.about(request)
    loan = circ.loan_of(item)
    if not item.live or not request.open:
        circ.note("the item has been sent back already; nothing was changed")
    elif loan is not None and _is_old_news(circ, loan, due_at):
        pass
    elif loan is not None and loan.recalled_at is not None:
        _sooner(circ, loan, due_at)
        borrowing.wanted_back(circ, request, due_at)
    else:
        borrowing.recall(circ, request, item, due_at, circ.partner)


def _is_old_news(circ: Circulation, loan: Loan, due_at: Micros) -> bool:
    """Say whether the recall was of an earlier loan, or is known and over: withdrawn since, or renewed in spite of."""
    if occurrence.before(circ, loan, due_at):
        return True
    last = recall.last_recall(circ, loan)
    if last is None or last.cancelled_at is None or not not_after(circ.occurred_at, last.cancelled_at):
        return False
    circ.note("told of a recall that is over; nothing was changed")
    return True


def _sooner(circ: Circulation, loan: Loan, due_at: Micros) -> None:
    if loan.due_at is None or due_at < loan.due_at:
        circ.change_loan(loan, "set_loan_recalled", recalled_at=loan.recalled_at, due_at=due_at)
    else:
        circ.note("recalled already; nothing was changed")
