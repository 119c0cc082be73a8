"""Holds of our own users, as messages name them: `hold-12`, the partner's own number, or user, item and type."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from ncipd.circulation import allocation, errands, hold_details, matching
from ncipd.circulation.model import Hold, HoldState, ItemStatus, TaskKind
from ncipd.circulation.rows import hold_row
from ncipd.ncip import elements as el
from ncipd.ncip.schemes import RequestType

if TYPE_CHECKING:
    from ncipd.circulation.model import Item
    from ncipd.circulation.unit import Circulation
    from ncipd.ncip.types import Coded

PREFIX = "hold-"
_OWN = re.compile(rf"{PREFIX}([0-9]{{1,18}})")  # digits that a row's number can have


def named(circ: Circulation, ids: matching.Named, type_: Coded | None = None) -> Hold | None:
    """Find the hold that a message means, open or ended where it is named by its id; none where it names no hold.

    By user and item alone the type counts too (Z39.83-1 section 5.3.3): a hold answers to the type under which it was
    requested, and to *Hold*.
    """
    own = _OWN.fullmatch(ids.identifier)
    if own is not None:
        found = circ.tx.one("hold_by_id", hold_row, id=int(own[1]))
        return found if found is not None and found.agency_id == circ.agency.id and found.request_id is None else None
    if (called := by_number(circ, ids.identifier)) is not None:
        return called
    user = matching.user_of(circ, ids)
    item = matching.our_item(circ, ids.item)
    if user is None or item is None:
        return None
    mine = (hold for hold in circ.holds_on(item) if hold.user_id == user.id and hold.request_id is None)
    return next((hold for hold in mine if type_ is None or _is_of(hold, type_)), None)


def _is_of(hold: Hold, type_: Coded) -> bool:
    return type_.matches(RequestType.HOLD) or type_.matches(hold_details.request_type(hold).value)


def by_number(circ: Circulation, identifier: str) -> Hold | None:
    """Find the newest hold that the partner asked for under a number of its own."""
    if not identifier:
        return None
    return circ.tx.one("hold_named", hold_row, agency=circ.agency.id, partner=circ.partner.code, identifier=identifier)


def request_id(circ: Circulation, hold: Hold, sent: el.RequestId | None = None) -> el.RequestId:
    """Name a hold to a partner: as just `sent` where that names it, by the partner's own number, else by ours."""
    own = hold.identifier if hold.partner == circ.partner.code else ""
    value = own or f"{PREFIX}{hold.id}"
    if sent is not None and sent.request_identifier_value.strip() == value:
        return replace(sent, request_identifier_value=value)
    return el.RequestId(request_identifier_value=value)


def item_of(circ: Circulation, hold: Hold) -> Item | None:
    """Read the item that a hold is tied to."""
    return circ.item(hold.item_id) if hold.item_id is not None else None


def cancel(circ: Circulation, hold: Hold) -> None:
    """End a hold; what was set aside for it goes to whoever is next."""
    item = item_of(circ, hold)
    kept = item is not None and _is_kept_for(circ, item, hold)
    circ.set_hold(hold, HoldState.CANCELLED)
    if item is not None and kept:
        errands.strike(circ, item, TaskKind.PICK)
        allocation.free(circ, item, fetched=hold.state is HoldState.READY)


def _is_kept_for(circ: Circulation, item: Item, hold: Hold) -> bool:
    """Say whether an item stands on the hold shelf for this hold, or is being fetched for it: for the oldest, then."""
    if item.status is ItemStatus.ON_HOLD_SHELF:
        return hold.state is HoldState.READY
    if item.status is not ItemStatus.REQUESTED or allocation.set_aside_for(circ, item) is not None:
        return False
    return next((one.id for one in circ.holds_on(item) if one.item_id == item.id), None) == hold.id


def position(circ: Circulation, hold: Hold) -> int:
    """Give the place of a hold in its queue; the first is 1."""
    item = item_of(circ, hold)
    if item is not None:
        queue = circ.holds_on(item)
    elif hold.record_id is not None:
        queue = circ.tx.all("open_holds_of_record", hold_row, record=hold.record_id)
    else:
        queue = []
    return 1 + sum(other.id < hold.id for other in queue)
