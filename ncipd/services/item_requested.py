"""ItemRequested: a request has been made elsewhere (Z39.83-1 section 5.5.14)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ncipd.circulation.model import Role, TaskKind
from ncipd.ncip.messages import ItemRequested, ItemRequestedResponse, RequestItem
from ncipd.ncip.problems import Problem
from ncipd.services import serves
from ncipd.services.request_item import request_item

if TYPE_CHECKING:
    from ncipd.circulation.unit import Circulation


@serves(ItemRequested)
def item_requested(message: ItemRequested, circ: Circulation) -> ItemRequestedResponse:
    """Make the request here too; it has been made, so policy has no say."""
    circ.mandated = True
    made = RequestItem(
        user_id=message.user_id,
        item_id=(message.item_id,) if message.item_id is not None else (),
        bibliographic_id=(message.bibliographic_id,) if message.bibliographic_id is not None else (),
        request_id=message.request_id,
        request_type=message.request_type,
        request_scope_type=message.request_scope_type,
        item_optional_fields=message.item_optional_fields,
        shipping_information=message.shipping_information,
        earliest_date_needed=message.earliest_date_needed,
        need_before_date=message.need_before_date,
        pickup_location=message.pickup_location,
        pickup_expiry_date=message.pickup_expiry_date,
    )
    try:
        request_item(made, circ)
    except Problem as problem:
        circ.keep(
            circ.side or Role.LENDING, TaskKind.REVIEW, f"{circ.partner.code} tells of a request: {problem.detail}"
        )
        raise
    return ItemRequestedResponse()
