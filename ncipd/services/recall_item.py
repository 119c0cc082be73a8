"""RecallItem: an item on loan is wanted back early (Z39.83-1 section 5.4.11)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ncipd.circulation import borrowing, conditions, history, lending, matching, recall
from ncipd.circulation.clock import optional_date, to_micros
from ncipd.circulation.model import Role
from ncipd.ncip.messages import RecallItem, RecallItemResponse
from ncipd.ncip.problems import Problem, ProblemType
from ncipd.services import answers, serves

if TYPE_CHECKING:
    from ncipd.circulation.model import Item, Loan, Micros
    from ncipd.circulation.unit import Circulation


@serves(RecallItem)
def recall_item(message: RecallItem, circ: Circulation) -> RecallItemResponse:
    """Recall what we have borrowed, for its lender; what we have lent, for our own systems."""
    ids = matching.named(circ, item=message.item_id)
    conditions.refuse_address(circ, message.shipping_information, "RecallItem")
    desired = to_micros(message.desired_date_due, circ.zone) if message.desired_date_due else None
    if matching.is_local(circ.partner):
        return _recall_ours(message, circ, ids.item, desired)
    if matching.side_of(circ, ids) is Role.LENDING:
        if matching.our_item(circ, ids.item) is None:
            raise lending.unknown_item("RecallItem", ids.item)
        raise _cannot(ids.item, f"Item {ids.item} is ours; a partner can recall only what it has lent to us.")
    item = borrowing.item_meant(circ, "RecallItem", ids.item)
    if item is None:
        raise lending.unknown_item("RecallItem", ids.item, hint="no item borrowed through this partner has this id")
    request = circ.last_request_of(item)
    if not item.live or request is None or not request.open:
        if circ.mandated and request is not None:
            circ.about(request)
            circ.note("the item recalled has been sent back since; nothing was changed")
            return _answer(message, circ, item, None)
        raise _not_checked_out(ids.item, "has been sent back already")
    loan = borrowing.recall(circ, request, item, desired, circ.partner)
    return _answer(message, circ, item, loan)


def _recall_ours(message: RecallItem, circ: Circulation, barcode: str, desired: Micros | None) -> RecallItemResponse:
    item = circ.item_by_barcode(barcode) if barcode else None
    if item is None:
        raise lending.unknown_item("RecallItem", barcode)
    loan = circ.loan_of(item)
    past = history.on_loan_at(circ, item, circ.occurred_at) if circ.mandated else None
    if past is not None and past.returned_at is not None:
        circ.note("the loan recalled is over; nothing was changed")
        return _answer(message, circ, item, None)
    if loan is None:
        raise _not_checked_out(barcode, "is not on loan")
    if item.temporary:
        raise _cannot(barcode, f"Item {barcode} belongs to partner {item.partner}; only its lender recalls it.")
    if loan.mark and not circ.mandated:
        raise _cannot(barcode, f"The loan of item {barcode} is marked {loan.mark}: its borrower says not to have it.")
    if loan.user_id is not None:
        return _answer(message, circ, item, recall.recall_own(circ, item, loan, desired))
    words = recall.recall_shipped(circ, item, loan, None, desired)
    circ.note(words)
    loan = circ.loan(loan.id)
    if loan.recalled_at is None:
        raise _cannot(barcode, words)
    return _answer(message, circ, item, loan)


def _answer(message: RecallItem, circ: Circulation, item: Item, loan: Loan | None) -> RecallItemResponse:
    """Answer with the new date, and to our own systems with who has the item, where they ask for that."""
    asked = matching.is_local(circ.partner) and answers.wants_user(circ, message.user_element_type)
    user = circ.user(loan.user_id) if asked and loan is not None and loan.user_id is not None else None
    return RecallItemResponse(
        item_id=message.item_id,
        date_due=optional_date(loan.due_at) if loan is not None else None,
        item_optional_fields=answers.item_fields(circ, item, message.item_element_type),
        user_optional_fields=answers.user_fields(circ, user, message.user_element_type) if user else None,
    )


def _cannot(value: str, why: str) -> Problem:
    return Problem(
        ProblemType.ITEM_CANNOT_BE_RECALLED,
        element="RecallItem/ItemId/ItemIdentifierValue",
        value=value,
        detail=why,
    )


def _not_checked_out(value: str, why: str) -> Problem:
    return Problem(
        ProblemType.ITEM_NOT_CHECKED_OUT,
        element="RecallItem/ItemId/ItemIdentifierValue",
        value=value,
        detail=f"Item {value} {why}; there is nothing to recall.",
    )
