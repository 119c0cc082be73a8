"""UpdateCirculationStatus: an item is lost, found, missing, in process, ... (Z39.83-1 section 5.4.19)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ncipd.circulation import allocation, catalogue, returning
from ncipd.circulation.model import ItemStatus
from ncipd.ncip.messages import UpdateCirculationStatus, UpdateCirculationStatusResponse
from ncipd.ncip.problems import Problem, ProblemType
from ncipd.services import serves
from ncipd.services.update_item import item_of

if TYPE_CHECKING:
    from ncipd.circulation.model import Item
    from ncipd.circulation.unit import Circulation

#: Statuses that an item on loan can take without coming back first.
_WHILE_ON_LOAN = frozenset({ItemStatus.LOST, ItemStatus.MISSING, ItemStatus.CLAIMED})
#: Statuses of an item that is kept for somebody, or waits to be sent back. One of ours may be missed all the same.
_KEPT = frozenset(
    {
        ItemStatus.REQUESTED,
        ItemStatus.PICKED,
        ItemStatus.ON_HOLD_SHELF,
        ItemStatus.EXPECTED,
        ItemStatus.RECEIVED,
        ItemStatus.RETURNED,
    }
)


@serves(UpdateCirculationStatus)
def update_circulation_status(message: UpdateCirculationStatus, circ: Circulation) -> UpdateCirculationStatusResponse:
    """Set the status of an item; what only a loan, a hold or a recall brings about is not set by itself."""
    value = message.item_id.item_identifier_value.strip()
    item = item_of(circ, value, "UpdateCirculationStatus")
    status = catalogue.status_named("UpdateCirculationStatus", message.circulation_status)
    if circ.loan_of(item) is not None and status not in _WHILE_ON_LOAN:
        raise Problem(
            ProblemType.ELEMENT_RULE_VIOLATED,
            element="UpdateCirculationStatus/CirculationStatus",
            value=message.circulation_status.value,
            detail=f"Item {value} is on loan; check it in before its status is set.",
        )
    if _is_kept(circ, item) and (item.temporary or status not in _WHILE_ON_LOAN):
        raise Problem(
            ProblemType.ELEMENT_RULE_VIOLATED,
            element="UpdateCirculationStatus/CirculationStatus",
            value=message.circulation_status.value,
            detail=f"Item {value} is kept for a request or a hold ({item.status.value}); end that first.",
        )
    if item.status is not status:
        _set(circ, item, status)
    return UpdateCirculationStatusResponse(item_id=message.item_id)


def _is_kept(circ: Circulation, item: Item) -> bool:
    """Say whether an item is kept for somebody, be it on its way to where it is sent from."""
    return item.status in _KEPT or allocation.set_aside_for(circ, item) is not None


def _set(circ: Circulation, item: Item, status: ItemStatus) -> None:
    """Take the status with what follows from it: what is to be had goes to who waits for it; what is not, from them."""
    if status is ItemStatus.AVAILABLE:
        returning.arrive(circ, item)
        allocation.free(circ, circ.item(item.id), fetched=False)
        return
    if circ.loan_of(item) is None and _is_kept(circ, item):
        allocation.lose(circ, item)
    circ.set_item_status(item, status)
