"""DeleteItem: the record of an item is no longer needed (Z39.83-1 section 5.4.9)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ncipd.circulation import borrowing, matching, returning
from ncipd.circulation.model import TaskKind
from ncipd.ncip.messages import DeleteItem, DeleteItemResponse
from ncipd.ncip.problems import Problem, ProblemType
from ncipd.services import serves
from ncipd.services.update_item import item_of

if TYPE_CHECKING:
    from ncipd.circulation.unit import Circulation


@serves(DeleteItem)
def delete_item(message: DeleteItem, circ: Circulation) -> DeleteItemResponse:
    """Withdraw an item; a temporary one ends its part of the request as a return to its lender does."""
    value = message.item_id.item_identifier_value.strip()
    gone = matching.borrowed_item(circ, circ.partner, value)
    if gone is not None and not gone.live:
        circ.note("the item is withdrawn already; nothing was changed")
        return DeleteItemResponse(item_id=message.item_id)
    item = item_of(circ, value, "DeleteItem")
    loan = circ.loan_of(item)
    if loan is not None and not circ.mandated:
        raise Problem(
            ProblemType.ELEMENT_RULE_VIOLATED,
            element="DeleteItem/ItemId/ItemIdentifierValue",
            value=value,
            detail=f"Item {value} is on loan; check it in before it is deleted.",
        )
    request = circ.last_request_of(item) if item.temporary else None
    if request is not None and request.open:
        borrowing.complete(circ, request, item)
        return DeleteItemResponse(item_id=message.item_id)
    if circ.open_requests_of(item) or circ.holds_on(item):
        raise Problem(
            ProblemType.ELEMENT_RULE_VIOLATED,
            element="DeleteItem/ItemId/ItemIdentifierValue",
            value=value,
            detail=f"Item {value} is wanted for an open request or hold; cancel that before it is deleted.",
        )
    if loan is not None:
        returning.give_back(circ, item, loan)
    circ.finish_item_tasks(item, *TaskKind)
    circ.change_item(circ.item(item.id), "withdraw_item")
    return DeleteItemResponse(item_id=message.item_id)
