"""ItemCreated: another system has made an item that concerns us (Z39.83-1 section 5.5.7)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ncipd.circulation import matching
from ncipd.circulation.model import Role, TaskKind
from ncipd.ncip.messages import ItemCreated, ItemCreatedResponse
from ncipd.ncip.problems import Problem
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
    try:
        make(message, circ, value, "ItemCreated")
    except Problem as problem:
        circ.keep(Role.BORROWING, TaskKind.REVIEW, f"{circ.partner.code} tells of item {value}: {problem.detail}")
        raise
    return ItemCreatedResponse()
