"""ItemCreated: another system has made an item that concerns us (Z39.83-1 section 5.5.7)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ncipd.circulation import matching, review
from ncipd.ncip.messages import ItemCreated, ItemCreatedResponse
from ncipd.services import serves
from ncipd.services.create_item import make

if TYPE_CHECKING:
    from ncipd.circulation.unit import Circulation


@serves(ItemCreated)
def item_created(message: ItemCreated, circ: Circulation) -> ItemCreatedResponse:
    """Take the item up unless it is known; told twice, it is one item. What cannot be taken up is shown to staff."""
    value = message.item_id.item_identifier_value.strip()
    if circ.item_by_barcode(value) is not None or matching.borrowed_item(circ, circ.partner, value) is not None:
        circ.note("the item is known already; nothing was changed")
        return ItemCreatedResponse()
    with review.kept(circ, "ItemCreated", f"item {value}"):
        make(message, circ, value, "ItemCreated")
    return ItemCreatedResponse()
