"""RenewItem: a wish to keep an item longer, or the lender's word on ours (Z39.83-1 section 5.4.13)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ncipd.circulation import borrowing, conditions, fees, history, lending, local, matching, policy, renewal
from ncipd.circulation.clock import days_later, from_micros, optional_date, to_micros
from ncipd.circulation.identity import find_user
from ncipd.circulation.model import Role
from ncipd.ncip import elements as el
from ncipd.ncip.messages import RenewItem, RenewItemResponse
from ncipd.ncip.problems import Problem, ProblemType
from ncipd.services import answers, serves

if TYPE_CHECKING:
    from ncipd.circulation.model import Item, Loan, Micros, User
    from ncipd.circulation.unit import Circulation


@serves(RenewItem)
def renew_item(message: RenewItem, circ: Circulation) -> RenewItemResponse:
    """Judge a partner's wish, take a lender's approval, or pass a user's wish on.

    Within the partner's resend window the same message is the same wish, and after it a new one: what became of the
    wish meanwhile (staff decided it, say) does not count, only whether the item has moved.
    """
    response = _renew(message, circ)
    circ.holds_until_moved()
    return response


def _renew(message: RenewItem, circ: Circulation) -> RenewItemResponse:
    ids = matching.named(circ, item=message.item_id, user=message.user_id)
    desired = message.desired_date_due or message.desired_date_for_return
    wished = to_micros(desired, circ.zone) if desired else None
    if matching.is_local(circ.partner):
        return _user_wishes(message, circ, ids, wished)
    if matching.side_of(circ, ids) is Role.BORROWING:
        return _lender_approves(message, circ, ids, wished)
    item = matching.our_item(circ, ids.item)
    if item is None:
        raise lending.unknown_item("RenewItem", ids.item)
    loan = _loan_meant(circ, item)
    if loan is None or loan.partner != circ.partner.code:
        raise _not_checked_out(ids.item)
    if loan.returned_at is not None:
        return _answer(message, circ, item, loan)
    if circ.mandated:
        return _answer(message, circ, item, renewal.record(circ, loan, wished, circ.partner))
    outcome = renewal.judge(circ, item, loan, wished, circ.partner)
    if outcome.pending_until is not None:
        return _pending(outcome.pending_until)
    return _answer(message, circ, item, outcome.loan)


def _loan_meant(circ: Circulation, item: Item) -> Loan | None:
    """Find the loan that was renewed: the present one, or the one that was then, where that is over."""
    past = history.on_loan_at(circ, item, circ.occurred_at) if circ.mandated else None
    if past is not None and past.returned_at is not None:
        circ.note("the loan renewed is over; nothing was changed")
        return past
    return circ.loan_of(item)


def _user_wishes(message: RenewItem, circ: Circulation, ids: matching.Named, wished: int | None) -> RenewItemResponse:
    """A discovery layer speaks for a user of ours: judged here for our items, sent on for borrowed ones."""
    item = circ.item_by_barcode(ids.item) if ids.item else None
    if item is None:
        raise lending.unknown_item("RenewItem", ids.item)
    user = find_user(circ, message.user_id, message.authentication_input, "RenewItem")
    loan = _loan_meant(circ, item)
    if loan is None or loan.user_id != user.id:
        raise _not_checked_out(ids.item)
    if loan.returned_at is not None:
        return _answer(message, circ, item, loan, user)
    if not item.temporary:
        renewed = (
            renewal.record(circ, loan, wished, policy.LOCAL)
            if circ.mandated
            else local.renew(circ, item, loan, wished, _accepted(message))
        )
        return _answer(message, circ, item, renewed, user)
    request = circ.last_request_of(item)
    if request is None:
        raise _not_checked_out(ids.item)
    local.refuse_renewal(circ, item, loan)
    renewal.ask_lender(circ, request, item, loan, wished)
    return _pending(days_later(circ.now, circ.partner.renewal_reply_days, circ.agency.time_zone))


def _lender_approves(message: RenewItem, circ: Circulation, ids: matching.Named, date: int | None) -> RenewItemResponse:
    item = borrowing.item_meant(circ, "RenewItem", ids.item, ids.user)
    if item is None or not item.live:
        raise lending.unknown_item("RenewItem", ids.item, hint="no item borrowed through this partner has this id")
    request = circ.last_request_of(item)
    if request is None or not request.open:
        raise _not_checked_out(ids.item)
    if date is None:
        raise Problem(
            ProblemType.NEEDED_DATA_MISSING,
            element="RenewItem/DesiredDateDue",
            detail="An approved renewal needs the new date: send it as DesiredDateDue.",
        )
    loan = renewal.approved_by_lender(circ, request, item, date)
    if loan is None:
        return RenewItemResponse(item_id=message.item_id, user_id=message.user_id, date_due=from_micros(date))
    return _answer(message, circ, item, loan)


def _not_checked_out(value: str) -> Problem:
    return Problem(
        ProblemType.ITEM_NOT_CHECKED_OUT,
        element="RenewItem/ItemId/ItemIdentifierValue",
        value=value,
        detail=f"Item {value} is not on loan here through this partner, so there is nothing to renew.",
    )


def _accepted(message: RenewItem) -> conditions.Accepted:
    return conditions.Accepted(
        message.acknowledged_fee_amount,
        message.paid_fee_amount,
        message.acknowledged_item_use_restriction_type,
    )


def _pending(until: Micros) -> RenewItemResponse:
    return RenewItemResponse(pending=el.Pending(date_of_expected_reply=from_micros(until)))


def _answer(
    message: RenewItem, circ: Circulation, item: Item, loan: Loan, user: User | None = None
) -> RenewItemResponse:
    return RenewItemResponse(
        item_id=message.item_id,
        user_id=message.user_id or (answers.user_id(circ, user) if user else None),
        date_due=optional_date(loan.due_at),
        renewal_count=loan.renewals,
        fiscal_transaction_information=fees.told(circ, loan) if user else None,
        item_optional_fields=answers.item_fields(circ, item, message.item_element_type),
        user_optional_fields=answers.user_fields(circ, user, message.user_element_type) if user else None,
    )
