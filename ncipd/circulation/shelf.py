"""The hold shelf: items that wait for the user who is next."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ncipd.circulation import errands, policy
from ncipd.circulation.clock import days_later
from ncipd.circulation.model import HoldState, ItemStatus, Role, TaskKind

if TYPE_CHECKING:
    from ncipd.circulation.model import Hold, Item, Request
    from ncipd.circulation.unit import Circulation


def fill_next_hold(circ: Circulation, item: Item) -> bool:
    """Set an item that is free aside for the user who waits longest for it; says whether there was one."""
    for hold in circ.holds_on(item):
        if hold.state is HoldState.WAITING and hold.request_id is None:
            shelve(circ, item, hold, days=policy.LOCAL.hold_shelf_days)
            return True
    return False


def fetch_for_next_hold(circ: Circulation, item: Item) -> bool:
    """Ask staff to fetch an item that stands on its shelf for the user who waits longest; says if there was one."""
    for hold in circ.holds_on(item):
        if hold.state is HoldState.WAITING and hold.request_id is None:
            fetch(circ, item, hold)
            return True
    return False


def fetch(circ: Circulation, item: Item, hold: Hold) -> None:
    """Ask staff to fetch an item from its shelf for a user."""
    circ.set_hold(hold, HoldState.WAITING, item=item.id)
    circ.set_item_status(item, ItemStatus.REQUESTED)
    circ.finish_item_tasks(item, TaskKind.RESHELVE)
    circ.ask_staff(Role.LENDING, TaskKind.PICK, item=item, note="for the hold shelf")


def shelve(circ: Circulation, item: Item, hold: Hold, *, days: int, request: Request | None = None) -> None:
    """Put an item on the hold shelf and tell the user, with the last day to fetch it."""
    expires_at = hold.expires_at or days_later(circ.now, days, circ.agency.time_zone)
    circ.set_hold(hold, HoldState.READY, item=item.id, expires_at=expires_at)
    circ.set_item_status(item, ItemStatus.ON_HOLD_SHELF)
    circ.finish_item_tasks(item, TaskKind.SHELVE_HOLD, TaskKind.RESHELVE, TaskKind.SEND_HOME)
    errands.strike(circ, item, TaskKind.PICK)
    record = circ.record(item.record_id)
    circ.tell(
        hold.user_id, "available for pickup", f"{record.title or item.barcode} is ready for you to pick up.", request
    )


def release(circ: Circulation, item: Item) -> None:
    """Strike what the hold shelf still wanted with an item."""
    circ.finish_item_tasks(item, TaskKind.SHELVE_HOLD, TaskKind.RECEIVE)


def wanted_by_others(circ: Circulation, item: Item, *, than: int | None = None) -> bool:
    """Say whether somebody waits for this item: a hold on it, or on its title with no other copy free."""
    waiting = [
        hold
        for hold in circ.holds_on(item)
        if hold.state is HoldState.WAITING and hold.user_id != than and hold.request_id is None
    ]
    if any(hold.item_id == item.id for hold in waiting):
        return True
    if not waiting:
        return False
    free = sum(copy.status is ItemStatus.AVAILABLE for copy in circ.items_of(item.record_id) if copy.circulates)
    return len(waiting) > free


def ask_to_shelve(circ: Circulation, item: Item, request: Request) -> None:
    """Ask staff to put a received item on the hold shelf."""
    circ.ask_staff(Role.BORROWING, TaskKind.SHELVE_HOLD, request=request, item=item)
