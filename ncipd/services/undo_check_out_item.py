"""UndoCheckOutItem: a check-out was made in error (Z39.83-1 section 5.4.4)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ncipd.circulation import account, history, lending, matching, undo
from ncipd.circulation.identity import find_user
from ncipd.circulation.model import LoanMark, RequestStatus, Role
from ncipd.circulation.rows import loan_row
from ncipd.ncip.messages import UndoCheckOutItem, UndoCheckOutItemResponse
from ncipd.ncip.problems import Problem, ProblemType
from ncipd.services import finding, serves

if TYPE_CHECKING:
    from ncipd.circulation.model import FiscalEntry, Item, Loan, Request
    from ncipd.circulation.unit import Circulation

SERVICE = "UndoCheckOutItem"


@serves(UndoCheckOutItem)
def undo_check_out_item(message: UndoCheckOutItem, circ: Circulation) -> UndoCheckOutItemResponse:
    """Take the loan back as if it had never been: request, item, hold and charges are as they were before."""
    ids = matching.named(circ, request=message.request_id, item=message.item_id, user=message.user_id)
    digital = _digital(circ, ids)
    if digital is not None:
        return _undo_digital(message, circ, digital)
    item = finding.loaned_item(circ, ids, SERVICE)
    user = _user_named(message, circ, item, ids)
    present = circ.loan_of(item)
    if circ.mandated and (present is None or circ.occurred_at < present.out_at):
        present = history.on_loan_at(circ, item, circ.occurred_at)
    loan = present or circ.tx.one("last_loan", loan_row, item=item.id)
    if loan is None or (present is None and loan.mark != LoanMark.UNDONE):
        raise _not_checked_out(ids, "it is not out; what has come back needs no undoing")
    _refuse_others(circ, loan, user, ids)
    reversed_: list[FiscalEntry] = []
    if loan.mark == LoanMark.UNDONE:
        circ.note("taken back already; nothing was changed")
    elif loan.returned_at is not None:
        undo.undo_past(circ, loan)
    else:
        reversed_ = undo.undo(circ, item, loan)
    return UndoCheckOutItemResponse(
        item_id=message.item_id,
        user_id=message.user_id,
        fiscal_transaction_information=account.information(circ, reversed_[-1])
        if reversed_ and matching.is_local(circ.partner) and circ.partner.user_data and circ.partner.user_accounts
        else None,
    )


def _digital(circ: Circulation, ids: matching.Named) -> Request | None:
    """Find the digital supply that is meant; it left no loan."""
    found = matching.called(circ, ids)
    newest = found[0] if found and found[0].role is Role.LENDING else None
    supplied = newest is not None and (newest.digital or newest.status is RequestStatus.SHIPPED_DIGITALLY)
    return newest if supplied else None


def _undo_digital(message: UndoCheckOutItem, circ: Circulation, request: Request) -> UndoCheckOutItemResponse:
    circ.about(request)
    if request.status is RequestStatus.SHIPPED_DIGITALLY:
        undo.undo_digital(circ, request)
    elif not request.open:
        raise lending.already_processed(request, f"{SERVICE}/RequestId/RequestIdentifierValue")
    else:
        circ.note("nothing had been supplied; nothing was changed")
    return UndoCheckOutItemResponse(item_id=message.item_id, user_id=message.user_id)


def _user_named(message: UndoCheckOutItem, circ: Circulation, item: Item, ids: matching.Named) -> int | None:
    """Find the user of ours that the message names; the UserId of a lending loan is never looked up."""
    if matching.is_local(circ.partner):
        if message.user_id is None and not message.authentication_input:
            return None
        return find_user(circ, message.user_id, message.authentication_input, SERVICE).id
    if not item.temporary or not ids.user or ids.user in circ.partner.pseudo_users:
        return None
    return matching.one_user_of(circ, ids, SERVICE).id


def _refuse_others(circ: Circulation, loan: Loan, user: int | None, ids: matching.Named) -> None:
    """Refuse to touch a loan that is somebody else's than the message says, or than the partner has a part in."""
    request = circ.request(loan.request_id) if loan.request_id is not None else None
    if not matching.is_local(circ.partner) and (request is None or request.partner != circ.partner.code):
        raise _not_checked_out(ids, "it is not on loan through this partner")
    if user is not None and loan.user_id != user:
        raise Problem(
            ProblemType.ITEM_NOT_CHECKED_OUT_TO_THIS_USER,
            element=f"{SERVICE}/UserId/UserIdentifierValue",
            value=ids.user,
            detail=f"Item {ids.item} is not on loan to this user; check the number of the user.",
        )
    if ids.identifier and (request is None or request.identifier != ids.identifier):
        raise matching.unknown_request(SERVICE, ids.identifier)


def _not_checked_out(ids: matching.Named, why: str) -> Problem:
    return Problem(
        ProblemType.ITEM_NOT_CHECKED_OUT,
        element=f"{SERVICE}/ItemId/ItemIdentifierValue",
        value=ids.item,
        detail=f"No check-out of item {ids.item} can be undone: {why}.",
    )
