"""ItemRequestUpdated: another system has changed what a request says (Z39.83-1 section 5.5.13)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ncipd.circulation.model import Role, TaskKind
from ncipd.ncip.messages import ItemRequestUpdated, ItemRequestUpdatedResponse
from ncipd.ncip.problems import Problem
from ncipd.services import serves
from ncipd.services.update_request_item import change

if TYPE_CHECKING:
    from ncipd.circulation.unit import Circulation


@serves(ItemRequestUpdated)
def item_request_updated(message: ItemRequestUpdated, circ: Circulation) -> ItemRequestUpdatedResponse:
    """Take the changes up; what does not fit the request as it is known here is shown to staff."""
    circ.take_as_fact()
    try:
        change(message, circ, "ItemRequestUpdated")
    except Problem as problem:
        note = f"{circ.partner.code} tells of a changed request: {problem.detail}"
        circ.keep(circ.side or Role.LENDING, TaskKind.REVIEW, note)
        raise
    return ItemRequestUpdatedResponse()
