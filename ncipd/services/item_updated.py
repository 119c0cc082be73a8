"""ItemUpdated: another system has changed data of an item (Z39.83-1 section 5.5.16)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ncipd.circulation import review
from ncipd.ncip.messages import ItemUpdated, ItemUpdatedResponse
from ncipd.services import serves
from ncipd.services.update_item import change

if TYPE_CHECKING:
    from ncipd.circulation.unit import Circulation


@serves(ItemUpdated)
def item_updated(message: ItemUpdated, circ: Circulation) -> ItemUpdatedResponse:
    """Take the changes up; what cannot be taken up is shown to staff, for the event itself cannot be refused."""
    circ.take_as_fact()
    with review.kept(circ, "ItemUpdated", f"item {message.item_id.item_identifier_value.strip()}"):
        change(message, circ, "ItemUpdated")
    return ItemUpdatedResponse()
