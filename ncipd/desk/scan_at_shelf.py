"""Taking a requested item from its shelf."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from ncipd.circulation import allocation, lending
from ncipd.circulation.allocation import UNSENT
from ncipd.circulation.model import HoldState, ItemState, ItemStatus, Role
from ncipd.desk import Done, action, conflict, finding

if TYPE_CHECKING:
    from ncipd.circulation.model import Item, Request
    from ncipd.circulation.unit import Circulation


class ScanAtShelf(msgspec.Struct, forbid_unknown_fields=True):
    """`barcode`: what was scanned; `request`: for which request, where another copy is taken than the one listed."""

    barcode: str
    request: str = ""


@action("scan-at-shelf", ScanAtShelf)
def scan_at_shelf(scan: ScanAtShelf, circ: Circulation) -> Done:
    """Pick the item for the request that waits for it, and say where it goes next."""
    item = finding.item(circ, scan.barcode)
    if scan.request:
        request = finding.request(circ, scan.request, Role.LENDING)
        place = circ.request_item(request, item)
        if place is None or place.state is ItemState.DROPPED:
            request = lending.locate(circ, request, item)
            item = circ.item(item.id)
    else:
        waiting = [
            one
            for one in circ.open_requests_of(item)
            if one.role is Role.LENDING and (place := circ.request_item(one, item)) and place.state in UNSENT
        ]
        if not waiting:
            return _for_a_user(circ, item.barcode)
        request = allocation.set_aside_for(circ, item) or min(waiting, key=lambda one: one.id)
    circ.about(request)
    if not request.digital:
        _pick(circ, request, item)
    item = circ.item(item.id)
    to, instruction = _next(circ, request, item)
    return Done(
        f"{item.barcode} is picked for request {request.identifier}: {to}.",
        instruction,
        circ.request(request.id),
        item,
    )


def _next(circ: Circulation, request: Request, item: Item) -> tuple[str, str]:
    """Say where an item that was picked goes, in words and as an instruction."""
    whom = request.partner_agency or request.partner
    sender = allocation.sharing_library(circ, request)
    if request.digital:
        return "scan and send the copy", "deliver digitally"
    if item.status is ItemStatus.IN_TRANSIT and sender is not None:
        return f"send it to {sender.name}, which ships it to {whom}", "send to sharing library"
    return f"ship to {whom}", "ship"


def _pick(circ: Circulation, request: Request, item: Item) -> None:
    place = circ.request_item(request, item)
    if place is not None and place.state in UNSENT and item.status is ItemStatus.AVAILABLE:
        request = allocation.assign(circ, request, item)
    here, place = circ.item(item.id), circ.request_item(request, item)
    if place is None or not allocation.is_set_aside(request, place, here):
        raise conflict(
            "not-available",
            f"Request {request.identifier} is in status {request.status.value!r}, and item {item.barcode} is "
            f"{item.status.value}.",
            value=item.barcode,
        )
    lending.pick(circ, request, here)


def _for_a_user(circ: Circulation, barcode: str) -> Done:
    item = finding.item(circ, barcode)
    if any(hold.state is HoldState.WAITING for hold in circ.holds_on(item)):
        return Done(f"{barcode} is wanted by a user of ours: put it on the hold shelf.", "hold shelf", item=item)
    raise conflict("not-requested", f"Nothing is waiting for item {barcode}.", value=barcode, hint="Put it back.")
