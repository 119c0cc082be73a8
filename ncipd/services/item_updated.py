"""ItemUpdated: another system has changed data of an item (Z39.83-1 section 5.5.16)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ncipd.circulation.model import Role, TaskKind
from ncipd.ncip.messages import ItemUpdated, ItemUpdatedResponse
from ncipd.ncip.problems import Problem, ProblemType
from ncipd.services import serves
from ncipd.services.update_item import change, item_of

if TYPE_CHECKING:
    from ncipd.circulation.unit import Circulation

_TOLD_BEFORE = (ProblemType.UNABLE_TO_DELETE_ELEMENT, ProblemType.UNABLE_TO_ADD_ELEMENT)


@serves(ItemUpdated)
def item_updated(message: ItemUpdated, circ: Circulation) -> ItemUpdatedResponse:
    """Take the changes up; what cannot be taken up is shown to staff, for the event itself cannot be refused."""
    value = message.item_id.item_identifier_value.strip()
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
        if problem.type in _TOLD_BEFORE:
            circ.keep(
                Role.BORROWING, TaskKind.REVIEW, f"item {value} differs from what {circ.partner.code} has changed"
            )
        raise
    return ItemUpdatedResponse()
