"""CancelRecallItem: an item that was recalled may be kept after all (Z39.83-1 section 5.4.12)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ncipd.circulation import borrowing, lending, matching, recall
from ncipd.circulation.model import ItemStatus, Role
from ncipd.circulation.rows import loan_row
from ncipd.ncip.messages import CancelRecallItem, CancelRecallItemResponse, ItemRecallCancelled
from ncipd.ncip.problems import Problem, ProblemType
from ncipd.services import answers, serves

if TYPE_CHECKING:
    from ncipd.circulation.model import Item
    from ncipd.circulation.unit import Circulation


@serves(CancelRecallItem)
def cancel_recall_item(message: CancelRecallItem, circ: Circulation) -> CancelRecallItemResponse:
    """Withdraw the recall of what a user of ours has, or of what we have lent to a partner."""
    item = withdraw(message, circ, "CancelRecallItem")
    shown = matching.is_local(circ.partner) and answers.wants_user(circ, message.user_element_type)
    loan = circ.loan_of(item) if shown else None
    user = circ.user(loan.user_id) if loan is not None and loan.user_id is not None else None
    return CancelRecallItemResponse(
        item_id=message.item_id,
        item_optional_fields=answers.item_fields(circ, item, message.item_element_type),
        user_optional_fields=answers.user_fields(circ, user, message.user_element_type) if user else None,
    )


def withdraw(message: CancelRecallItem | ItemRecallCancelled, circ: Circulation, service: str) -> Item:
    """Withdraw the recall that a partner has made, once.

    Raises Problem: Unknown Item, Item Not Checked Out (it was never lent, or is back without having been recalled),
    Recall Cannot Be Cancelled At This Time (it is back, nothing was recalled, or somebody else has recalled it).
    """
    value = message.item_id.item_identifier_value.strip()
    item = _item(circ, value, service)
    loan = circ.loan_of(item)
    if loan is None and item.status is ItemStatus.RETURNED:
        raise _not_now(service, value, "the item is on its way back")
    latest = loan or circ.tx.one("last_loan", loan_row, item=item.id)
    if latest is None or (loan is None and latest.recalled_at is None):
        raise Problem(
            ProblemType.ITEM_NOT_CHECKED_OUT,
            element=f"{service}/ItemId/ItemIdentifierValue",
            value=value,
            detail=f"Item {value} is not on loan, so no recall of it can stand.",
        )
    if loan is None:
        raise _not_now(service, value, "the item has come back already")
    last = recall.last_recall(circ, loan)
    if last is None:
        raise _not_now(service, value, "it has not been recalled")
    if not _is_theirs(circ, last.asked_by):
        raise _not_now(service, value, "somebody else has recalled it")
    if last.cancelled_at is not None:
        circ.note("withdrawn already; nothing was changed")
    elif last.hold_id is not None and not circ.mandated:
        raise _not_now(service, value, "a user waits for it; the hold must be cancelled first")
    else:
        recall.withdraw(circ, item, loan, last)
    return item


def _item(circ: Circulation, value: str, service: str) -> Item:
    ids = matching.Named("", "", value, "")
    if matching.is_local(circ.partner):
        item = circ.item_by_barcode(value) if value else None
    elif matching.side_of(circ, ids) is Role.BORROWING:
        item = borrowing.item_meant(circ, service, value)
    else:
        item = matching.our_item(circ, value)
    if item is None or not item.live:
        raise lending.unknown_item(service, value)
    return item


def _is_theirs(circ: Circulation, asked_by: str) -> bool:
    """Say whether a recall is this partner's to withdraw; our own systems withdraw whatever we have recalled."""
    if not matching.is_local(circ.partner):
        return asked_by == circ.partner.code
    by = circ.partners.get(asked_by)
    return not asked_by or by is None or matching.is_local(by)


def _not_now(service: str, value: str, why: str) -> Problem:
    return Problem(
        ProblemType.RECALL_CANNOT_BE_CANCELLED_AT_THIS_TIME,
        element=f"{service}/ItemId/ItemIdentifierValue",
        value=value,
        detail=f"The recall of item {value} cannot be withdrawn: {why}.",
    )
