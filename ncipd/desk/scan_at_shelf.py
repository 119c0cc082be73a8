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
    to = "scan and send the copy" if request.digital else f"ship to {request.partner_agency or request.partner}"
    return Done(
        f"{item.barcode} is picked for request {request.identifier}: {to}.",
        "deliver digitally" if request.digital else "ship",
        circ.request(request.id),
        circ.item(item.id),
    )


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
