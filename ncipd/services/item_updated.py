"""ItemUpdated: another system has changed data of an item (Z39.83-1 section 5.5.16)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ncipd.circulation.model import Role, TaskKind
from ncipd.ncip.messages import ItemUpdated, ItemUpdatedResponse
from ncipd.ncip.problems import Problem
from ncipd.services import serves
from ncipd.services.update_item import change, item_of

if TYPE_CHECKING:
    from ncipd.circulation.unit import Circulation


@serves(ItemUpdated)
def item_updated(message: ItemUpdated, circ: Circulation) -> ItemUpdatedResponse:
    """Take the changes up; what cannot be taken up is shown to staff, for the event itself cannot be refused."""
    value = message.item_id.item_identifier_value.strip()
    circ.take_as_fact()
    try:
        item_of(circ, value, "ItemUpdated")
    except Problem:
        circ.keep(
            Role.BORROWING, TaskKind.REVIEW, f"{circ.partner.code} tells of changes to item {value}, unknown here"
        )
        raise
    try:
        change(message, circ, "ItemUpdated")
    except Problem as problem:
        circ.keep(
            Role.BORROWING, TaskKind.REVIEW, f"{circ.partner.code} tells of changes to item {value}: {problem.detail}"
        )
        raise
    return ItemUpdatedResponse()
