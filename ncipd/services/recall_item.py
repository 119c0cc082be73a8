"""RecallItem: the lender wants a borrowed item back early (Z39.83-1 section 5.4.11)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ncipd.circulation import borrowing, lending, matching
from ncipd.circulation.clock import optional_date, to_micros
from ncipd.circulation.model import Role
from ncipd.ncip.messages import RecallItem, RecallItemResponse
from ncipd.ncip.problems import Problem, ProblemType
from ncipd.services import answers, serves

if TYPE_CHECKING:
    from ncipd.circulation.unit import Circulation


@serves(RecallItem)
def recall_item(message: RecallItem, circ: Circulation) -> RecallItemResponse:
    """Recall an item that we have borrowed: from the user, or from the hold shelf straight back."""
    ids = matching.named(circ, item=message.item_id)
    if matching.side_of(circ, ids) is Role.LENDING:
        if matching.our_item(circ, ids.item) is None:
            raise lending.unknown_item("RecallItem", ids.item)
        raise Problem(
            ProblemType.ITEM_CANNOT_BE_RECALLED,
            element="RecallItem/ItemId/ItemIdentifierValue",
            value=ids.item,
            detail=f"Item {ids.item} is ours; a partner can recall only what it has lent to us.",
        )
    item = borrowing.item_meant(circ, "RecallItem", ids.item)
    if item is None:
        raise lending.unknown_item("RecallItem", ids.item, hint="no item borrowed through this partner has this id")
    request = circ.last_request_of(item)
    if not item.live or request is None or not request.open:
        raise Problem(
            ProblemType.ITEM_NOT_CHECKED_OUT,
            element="RecallItem/ItemId/ItemIdentifierValue",
            value=ids.item,
            detail=f"Item {ids.item} has been sent back already.",
        )
    desired = to_micros(message.desired_date_due, circ.zone) if message.desired_date_due else None
    loan = borrowing.recall(circ, request, item, desired, circ.partner)
    return RecallItemResponse(
        item_id=message.item_id,
        date_due=optional_date(loan.due_at) if loan is not None else None,
        item_optional_fields=answers.item_fields(circ, circ.item(item.id), message.item_element_type),
    )
