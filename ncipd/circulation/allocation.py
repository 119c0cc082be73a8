"""Which copy is set aside for which lending request, and where a copy goes that is free again.

A request of several volumes may have one set aside while it waits for another: each place in it says for itself how it
stands. Of a request that waits as a whole, nothing is set aside.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from ncipd.circulation import errands, shelf
from ncipd.circulation.lifecycle import Event
from ncipd.circulation.model import (
    HoldState,
    Item,
    ItemState,
    ItemStatus,
    Library,
    Request,
    RequestItem,
    RequestStatus,
    Role,
    TaskKind,
)
from ncipd.circulation.rows import only_column

if TYPE_CHECKING:
    from ncipd.circulation.unit import Circulation


_WAITS = frozenset({RequestStatus.CREATED_LENDING, RequestStatus.LOCATE_FAILED})
#: The places of a request for which a copy is set aside, and how such a copy stands.
_KEPT = {
    ItemState.WANTED: frozenset({ItemStatus.REQUESTED}),
    ItemState.PICKED: frozenset({ItemStatus.PICKED, ItemStatus.IN_TRANSIT}),
}
#: The places of a request whose items have not left for it.
UNSENT = frozenset({*_KEPT, ItemState.WAITING})


class Destination(StrEnum):
    """Where an item that came back goes."""

    SHELF = "shelve"
    HOME = "send home"
    HOLD_SHELF = "hold shelf"
    PICK = "ship to next request"
    LENDER = "send back"


def assign(circ: Circulation, request: Request, item: Item, note: str = "") -> Request:
    """Set a free copy aside for a request that waits for it, as a whole or with this volume."""
    moved = circ.advance(request, Event.LOCATE, note) if request.status in _WAITS else request
    reserve(circ, moved, item)
    return moved


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
    numbers = circ.tx.all("requests_waiting_for_item", only_column, record=item.record_id, item=item.id)
    for number in sorted(set(numbers)):  # the longest waiting first
        waiting = circ.request(number)
        named = {place.item_id for place in circ.request_items(waiting) if place.state in UNSENT}
        if not named or item.id in named:
            return assign(circ, waiting, item, f"item {item.barcode} became available")
    return None


def is_set_aside(request: Request, place: RequestItem, item: Item) -> bool:
    """Say whether an item is kept for this request: on its shelf, on its way to where it leaves from, or there."""
    kept = _KEPT.get(place.state, frozenset())
    return item.status in kept and request.status not in _WAITS


def has_set_aside(circ: Circulation, request: Request) -> bool:
    """Say whether any copy is kept for a request."""
    return any(is_set_aside(request, place, circ.item(place.item_id)) for place in circ.request_items(request))


def set_aside_for(circ: Circulation, item: Item) -> Request | None:
    """Find the request that has an item set aside."""
    for request in circ.open_requests_of(item):
        place = circ.request_item(request, item) if request.role is Role.LENDING else None
        if place is not None and is_set_aside(request, place, item):
            return request
    return None


def free_wanted(circ: Circulation, request: Request, *, keep: Item) -> None:
    """Free the copy that was set aside when another one goes in its place: the same volume, where there are several."""
    places = circ.request_items(request)
    if any(place.item_id == keep.id and place.state is not ItemState.DROPPED for place in places):
        return
    unsent = [place for place in places if place.state in UNSENT]
    same = [place for place in unsent if _is_same_volume(circ.item(place.item_id), keep)]
    _let_go(circ, request, same[:1] or unsent, ItemState.DROPPED)


def _is_same_volume(one: Item, other: Item) -> bool:
    return (one.record_id, one.volume) == (other.record_id, other.volume)


def let_go(circ: Circulation, request: Request, state: ItemState) -> None:
    """Take the items not sent out of a request that stood as given; what it had set aside is free again.

    A request that waits for its turn, or for a copy only, has set nothing aside: the item is another's.
    """
    _let_go(circ, request, [place for place in circ.request_items(request) if place.state in UNSENT], state)


def _let_go(circ: Circulation, request: Request, places: list[RequestItem], state: ItemState) -> None:
    for place in places:
        circ.set_request_item(place, state)
        item = circ.item(place.item_id)
        if is_set_aside(request, place, item):
            put_back(circ, request, item, picked=place.state is ItemState.PICKED)


def lose(circ: Circulation, item: Item) -> None:
    """Let who an item was kept for go on waiting, since it is not to be had; staff hear of it."""
    request = set_aside_for(circ, item)
    place = circ.request_item(request, item) if request is not None else None
    if request is not None and place is not None:
        note = f"item {item.barcode} was set aside for it and is not to be had"
        circ.set_request_item(place, ItemState.WAITING)
        errands.strike(circ, item, TaskKind.PICK, TaskKind.SHIP, request=request)
        circ.ask_staff(Role.LENDING, TaskKind.REVIEW, request=request, item=item, note=note)
        if not has_set_aside(circ, request):
            circ.advance(request, Event.WAIT, note)
    errands.strike(circ, item, TaskKind.PICK)
    for hold in circ.holds_on(item):
        if hold.state is HoldState.READY and hold.item_id == item.id:
            circ.set_hold(hold, HoldState.WAITING)


def sharing_library(circ: Circulation, request: Request | None) -> Library | None:
    """Find the library of ours from which the items of a request leave, and to which they come back."""
    partner = circ.partner_of(request) if request else None
    if partner is None:
        return None
    return circ.library(partner.default_library) if partner.default_library else circ.libraries()[0]


def place_free_item(circ: Circulation, item: Item, request: Request | None) -> Destination:
    """Decide where an item that is free again goes: the next hold, the next request, its home library, the shelf."""
    if shelf.fill_next_hold(circ, item):
        return Destination.HOLD_SHELF
    if serve_waiting(circ, item) is not None:
        return Destination.PICK
    here = sharing_library(circ, request)
    if here is not None and here.id != item.home_library_id:
        circ.set_item_status(item, ItemStatus.IN_TRANSIT)
        circ.ask_staff(Role.LENDING, TaskKind.SEND_HOME, request=request, item=item)
        return Destination.HOME
    if item.status is not ItemStatus.AVAILABLE:
        circ.set_item_status(item, ItemStatus.AVAILABLE)
    return Destination.SHELF


def put_back(circ: Circulation, request: Request, item: Item, *, picked: bool) -> None:
    """Free a copy that was set aside for a request."""
    errands.strike(circ, item, TaskKind.PICK, TaskKind.SHIP, request=request)
    free(circ, item, request, fetched=picked)


def free(circ: Circulation, item: Item, request: Request | None = None, *, fetched: bool) -> None:
    """Let a copy go to whoever is next: what has been fetched from its shelf goes there, or is to be put back."""
    if fetched:
        if place_free_item(circ, item, request) is Destination.SHELF:
            circ.ask_staff(Role.LENDING, TaskKind.RESHELVE, request=request, item=item)
    else:
        circ.set_item_status(item, ItemStatus.AVAILABLE)
        if not shelf.fetch_for_next_hold(circ, item):
            serve_waiting(circ, item)
