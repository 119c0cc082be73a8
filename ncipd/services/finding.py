"""The request or the item that a message means: by its id, or by user, item and type (Z39.83-1 5.3.3 and 5.4.21)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ncipd.circulation import borrowing, identity, lending, matching, naming
from ncipd.circulation.model import Item, ItemState, Request, Role
from ncipd.ncip.problems import Problem, ProblemType

if TYPE_CHECKING:
    from ncipd.circulation.unit import Circulation


def request_named(circ: Circulation, ids: matching.Named, service: str) -> Request:
    """Find the one request of this partner that the ids name, an open one before an ended one.

    Raises Problem Unknown Request, and Non-Unique Request where several are open.
    """
    if ids.identifier:
        found = matching.called(circ, ids) or [
            request for request in naming.known_as(circ, ids.identifier) if request.partner == circ.partner.code
        ]
    else:
        item = matching.item_called(circ, ids.item)
        of_item = circ.open_requests_of(item) if item is not None else naming.asked_for(circ, ids)
        proven = identity.proven_user(circ)
        found = [
            request
            for request in of_item
            if request.partner == circ.partner.code
            and (ids.user in ("", request.user_as_sent) or (proven is not None and request.user_id == proven.id))
        ]
    if not found:
        raise matching.unknown_request(service, ids.identifier or ids.item)
    if len([request for request in found if request.open]) > 1:
        raise Problem(
            ProblemType.NON_UNIQUE_REQUEST,
            element=f"{service}/RequestId/RequestIdentifierValue",
            value=ids.identifier or ids.item,
            detail=f"Several open requests fit {ids.identifier or ids.item!r}; send the RequestId of the one meant.",
        )
    return found[0]


def loaned_item(circ: Circulation, ids: matching.Named, service: str) -> Item:
    """Find the live item whose loan a message is about: ours or one that we borrowed, as the partner and the ids say.

    Raises Problem Unknown Item.
    """
    item: Item | None
    if matching.is_local(circ.partner):
        item = circ.item_by_barcode(ids.item) if ids.item else None
    elif matching.side_of(circ, ids) is Role.BORROWING:
        item = borrowing.item_meant(circ, service, ids.item, ids.user)
    else:
        item = matching.our_item(circ, ids.item)
    if item is None or not item.live:
        raise lending.unknown_item(service, ids.item)
    return item


def item_of(circ: Circulation, request: Request) -> Item | None:
    """Find the first item that belongs to a request."""
    places = [place for place in circ.request_items(request) if place.state is not ItemState.DROPPED]
    return circ.item(places[0].item_id) if places else None
