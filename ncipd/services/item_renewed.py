"""ItemRenewed: the lender has renewed an item that we have borrowed (Z39.83-1 section 5.5.11)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ncipd.circulation import borrowing, lending, matching, renewal
from ncipd.circulation.clock import to_micros
from ncipd.circulation.model import Role
from ncipd.ncip.messages import ItemRenewed, ItemRenewedResponse
from ncipd.services import serves

if TYPE_CHECKING:
    from ncipd.circulation.unit import Circulation


@serves(ItemRenewed)
def item_renewed(message: ItemRenewed, circ: Circulation) -> ItemRenewedResponse:
    """Take the new due date, whether or not we had asked for it."""
    ids = matching.named(circ, item=message.item_id, user=message.user_id)
    if matching.side_of(circ, ids) is Role.LENDING:
        if matching.our_item(circ, ids.item) is None:
            raise lending.unknown_item("ItemRenewed", ids.item)
        circ.note("told of a renewal of our own item; due dates of our items are set here, nothing was changed")
        return ItemRenewedResponse()
    item = borrowing.item_meant(circ, "ItemRenewed", ids.item, ids.user)
    request = circ.last_request_of(item) if item is not None else None
    if item is None or request is None:
        raise lending.unknown_item("ItemRenewed", ids.item, hint="no item borrowed through this partner has this id")
    renewal.approved_by_lender(circ, request, item, to_micros(message.date_due, circ.zone))
    return ItemRenewedResponse()
