"""UpdateItem: data of an item are taken out and put in (Z39.83-1 section 5.4.20)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ncipd.circulation import catalogue, lending, matching
from ncipd.circulation.model import Item
from ncipd.ncip.messages import ItemUpdated, UpdateItem, UpdateItemResponse
from ncipd.ncip.problems import Problem, ProblemType
from ncipd.services import serves

if TYPE_CHECKING:
    from ncipd.circulation.unit import Circulation


@serves(UpdateItem)
def update_item(message: UpdateItem, circ: Circulation) -> UpdateItemResponse:
    """Delete, then add; all of it or nothing. Circulation status has its own service."""
    change(message, circ, "UpdateItem")
    return UpdateItemResponse(item_id=message.item_id)


def change(message: UpdateItem | ItemUpdated, circ: Circulation, service: str) -> Item:
    """Carry out the deletions and additions of a message."""
    item = item_of(circ, message.item_id.item_identifier_value.strip(), service)
    deleted, added = message.delete_item_fields, message.add_item_fields
    if deleted is None and added is None:
        raise Problem(
            ProblemType.NEEDED_DATA_MISSING,
            element=f"{service}/AddItemFields",
            detail="Nothing is to be deleted or added; send DeleteItemFields, AddItemFields or both.",
        )
    if deleted is not None:
        item = catalogue.delete_fields(circ, item, deleted, service)
    if added is not None:
        item = catalogue.add_fields(circ, item, added, service)
    return item


def item_of(circ: Circulation, value: str, service: str) -> Item:
    """Find the item that a partner may change: any for our own systems, for others what they have lent to us.

    Raises Problem Unknown Item, and Item Access Denied for an item of ours that the partner may not touch.
    """
    if matching.is_local(circ.partner):
        item = circ.item_by_barcode(value)
    else:
        item = matching.borrowed_item(circ, circ.partner, value)
        if (item is None or not item.live) and matching.our_item(circ, value) is not None:
            raise Problem(
                ProblemType.ITEM_ACCESS_DENIED,
                element=f"{service}/ItemId/ItemIdentifierValue",
                value=value,
                detail=f"Item {value} is ours; only our own systems change it.",
            )
    if item is None or not item.live:
        raise lending.unknown_item(service, value)
    return item
