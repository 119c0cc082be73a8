"""ItemRequested: a request has been made elsewhere (Z39.83-1 section 5.5.14)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ncipd.circulation import details, matching, naming
from ncipd.circulation.clock import to_micros
from ncipd.circulation.model import Role, TaskKind
from ncipd.ncip.messages import ItemRequested, ItemRequestedResponse, RequestItem
from ncipd.ncip.problems import Problem
from ncipd.services import serves
from ncipd.services.request_item import requested

if TYPE_CHECKING:
    from ncipd.circulation.unit import Circulation


@serves(ItemRequested)
def item_requested(message: ItemRequested, circ: Circulation) -> ItemRequestedResponse:
    """Make the request here too, as of when the user asked; it has been made, so policy has no say."""
    asked = message.date_of_user_request
    circ.take_as_fact(to_micros(asked, circ.zone) if asked is not None else None)
    if _known(message, circ):
        circ.note("the request is known already; nothing was changed")
        return ItemRequestedResponse()
    try:
        requested(_wish(message), circ)
    except Problem as problem:
        circ.keep(
            circ.side or Role.LENDING, TaskKind.REVIEW, f"{circ.partner.code} tells of a request: {problem.detail}"
        )
        raise
    if circ.request_id is not None:
        details.write(circ, circ.request(circ.request_id), message)
    return ItemRequestedResponse()


def _wish(message: ItemRequested) -> RequestItem:
    return RequestItem(
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


def _known(message: ItemRequested, circ: Circulation) -> bool:
    """Tell whether this user of this partner already waits for the item; with an item comes no RequestId to tell by."""
    if message.item_id is None:
        return False
    ids = matching.named(circ, item=message.item_id, user=message.user_id)
    if matching.is_local(circ.partner):
        user, item = matching.user_of(circ, ids), matching.our_item(circ, ids.item)
        return user is not None and item is not None and any(one.user_id == user.id for one in circ.holds_on(item))
    item = matching.our_item(circ, ids.item)
    if item is None:
        return bool(naming.asked_for(circ, ids))
    open_ = circ.open_requests_of(item)
    return any((one.partner, one.user_as_sent) == (circ.partner.code, ids.user) for one in open_)
