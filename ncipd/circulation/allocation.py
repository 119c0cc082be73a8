"""Which copy is set aside for which lending request, and where a copy goes that is free again."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from ncipd.circulation import shelf
from ncipd.circulation.lifecycle import Event
from ncipd.circulation.model import Item, ItemState, ItemStatus, Request, RequestStatus, Role, TaskKind
from ncipd.circulation.rows import only_column

if TYPE_CHECKING:
    from ncipd.circulation.unit import Circulation


class Destination(StrEnum):
    """Where an item that came back goes."""

    SHELF = "shelve"
    HOME = "send home"
    HOLD_SHELF = "hold shelf"
    PICK = "ship to next request"
    LENDER = "send back"


def reserve(circ: Circulation, request: Request, item: Item) -> None:
    """Set a copy aside for a request, and have staff fetch it."""
    circ.add_request_item(request, item, ItemState.WANTED)
    circ.set_item_status(item, ItemStatus.REQUESTED)
    circ.finish_item_tasks(item, TaskKind.RESHELVE)
    circ.ask_staff(Role.LENDING, TaskKind.PICK, request=request, item=item)


def serve_waiting(circ: Circulation, item: Item) -> Request | None:
    """Give an item that has become free to the lending request that waits longest for it or its title."""
    if not item.circulates:
        return None
    for number in circ.tx.all("waiting_requests_of_record", only_column, record=item.record_id):
        waiting = circ.request(number)
        named = {place.item_id for place in circ.request_items(waiting) if place.state is ItemState.WANTED}
        if not named or item.id in named:
            moved = circ.advance(waiting, Event.LOCATE, f"item {item.barcode} became available")
            reserve(circ, moved, item)
            return moved
    return None


def set_aside_for(circ: Circulation, item: Item) -> Request | None:
    """Find the request that has an item set aside, on its shelf or picked."""
    for request in circ.open_requests_of(item):
        place = circ.request_item(request, item) if request.status is RequestStatus.BEING_PROCESSED else None
        if place is not None and place.state in (ItemState.WANTED, ItemState.PICKED):
            return request
    return None


def free_wanted(circ: Circulation, request: Request, *, keep: Item) -> None:
    """Free the copy that was set aside when another one goes in its place."""
    places = circ.request_items(request)
    if any(place.item_id == keep.id and place.state is not ItemState.DROPPED for place in places):
        return
    let_go(circ, request, ItemState.DROPPED)


def let_go(circ: Circulation, request: Request, state: ItemState) -> None:
    """Take the items not sent out of a request that stood as given; what it had set aside is free again.

    A request that waits for its turn, or for a copy only, has set nothing aside: the item is another's.
    """
    for place in circ.request_items(request):
        if place.state not in (ItemState.WANTED, ItemState.PICKED):
            continue
        circ.set_request_item(place, state)
        item = circ.item(place.item_id)
        if request.status is RequestStatus.BEING_PROCESSED and item.status in (ItemStatus.REQUESTED, ItemStatus.PICKED):
            put_back(circ, request, item, picked=place.state is ItemState.PICKED)


def place_free_item(circ: Circulation, item: Item, request: Request | None) -> Destination:
    """Decide where an item that is free again goes: the next hold, the next request, its home library, the shelf."""
    if shelf.fill_next_hold(circ, item):
        return Destination.HOLD_SHELF
    if serve_waiting(circ, item) is not None:
        return Destination.PICK
    partner = circ.partner_of(request) if request else None
    here = circ.library(partner.default_library) if partner and partner.default_library else None
    if here is not None and here.id != item.home_library_id:
        circ.set_item_status(item, ItemStatus.IN_TRANSIT)
        circ.ask_staff(Role.LENDING, TaskKind.SEND_HOME, request=request, item=item)
        return Destination.HOME
    if item.status is not ItemStatus.AVAILABLE:
        circ.set_item_status(item, ItemStatus.AVAILABLE)
    return Destination.SHELF


def put_back(circ: Circulation, request: Request, item: Item, *, picked: bool) -> None:
    """Free a copy that was set aside: what is off its shelf already goes to whoever is next, or back there."""
    circ.finish_tasks(request, TaskKind.PICK, TaskKind.SHIP)
    if picked:
        if place_free_item(circ, item, request) is Destination.SHELF:
            circ.ask_staff(Role.LENDING, TaskKind.RESHELVE, request=request, item=item)
    else:
        circ.set_item_status(item, ItemStatus.AVAILABLE)
        if not shelf.fetch_for_next_hold(circ, item):
            serve_waiting(circ, item)
