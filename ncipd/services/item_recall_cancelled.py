"""ItemRecallCancelled: an item that had been recalled may be kept after all (Z39.83-1 section 5.5.8)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ncipd.circulation import review
from ncipd.ncip.messages import ItemRecallCancelled, ItemRecallCancelledResponse
from ncipd.ncip.problems import Problem, ProblemType
from ncipd.services import occurrence, serves
from ncipd.services.cancel_recall_item import withdraw

if TYPE_CHECKING:
    from ncipd.circulation.unit import Circulation

SERVICE = "ItemRecallCancelled"
_NOTHING_TO_DO = (ProblemType.ITEM_NOT_CHECKED_OUT, ProblemType.RECALL_CANNOT_BE_CANCELLED_AT_THIS_TIME)


@serves(ItemRecallCancelled)
def item_recall_cancelled(message: ItemRecallCancelled, circ: Circulation) -> ItemRecallCancelledResponse:
    """Withdraw the recall here too; where none of this partner's stands, there is nothing to do."""
    occurrence.take_as_fact(circ, message.ext)
    with review.kept(circ, SERVICE, f"item {message.item_id.item_identifier_value}"):
        try:
            withdraw(message, circ, SERVICE)
        except Problem as problem:
            if problem.type not in _NOTHING_TO_DO:
                raise
            circ.note(problem.detail)
    return ItemRecallCancelledResponse()
