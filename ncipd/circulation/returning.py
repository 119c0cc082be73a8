"""A copy of ours comes back from another library, and ends what it was out for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ncipd.circulation import allocation, claims
from ncipd.circulation.allocation import Destination
from ncipd.circulation.lifecycle import Event
from ncipd.circulation.model import Item, ItemState, ItemStatus, Loan, Request, TaskKind

if TYPE_CHECKING:
    from ncipd.circulation.unit import Circulation


def check_in(circ: Circulation, item: Item, loan: Loan) -> tuple[Request | None, Destination]:
    """Record that an item lent to a partner is back; says where it goes now."""
    request, back = give_back(circ, item, loan)
    return request, allocation.place_free_item(circ, back, request)


def give_back(circ: Circulation, item: Item, loan: Loan) -> tuple[Request | None, Item]:
    """End a loan to a partner, and its request with the last of its items; where the item goes is not said yet."""
    circ.finish_item_tasks(item, TaskKind.SEARCH)
    circ.return_loan(loan)
    version = circ.change_item(item, "set_item_home", status=ItemStatus.AVAILABLE)
    back = item._replace(status=ItemStatus.AVAILABLE, temporary_location_id=None, version=version)
    if loan.request_id is None:
        return None, back
    request = circ.request(loan.request_id)
    circ.about(request)
    places = circ.request_items(request)
    for place in places:
        if place.item_id == item.id:
            circ.set_request_item(place, ItemState.BACK)
    if any(place.state not in (ItemState.BACK, ItemState.DROPPED) for place in places if place.item_id != item.id):
        return request, back
    circ.finish_tasks(request)
    return circ.advance(request, Event.CHECK_IN), back


def arrive(circ: Circulation, item: Item) -> None:
    """An item that was under way, or thought lost, is here."""
    circ.finish_item_tasks(item, TaskKind.SEND_HOME, TaskKind.RESHELVE)
    claims.found(circ, item)
    circ.set_item_status(item, ItemStatus.AVAILABLE)


def complete_if_all_back(circ: Circulation, request: Request) -> Request:
    """End a request that has no item out any more."""
    if any(place.state not in (ItemState.BACK, ItemState.DROPPED) for place in circ.request_items(request)):
        return request
    circ.finish_tasks(request)
    return circ.advance(request, Event.CHECK_IN)
