"""Scanning an item in: arrived from transit, or back from the library that had it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from ncipd.circulation.model import ItemStatus
from ncipd.desk import Done, action, finding
from ncipd.desk.return_item import own

if TYPE_CHECKING:
    from ncipd.circulation.model import Item
    from ncipd.circulation.unit import Circulation


class ScanIn(msgspec.Struct, forbid_unknown_fields=True):
    """`barcode`: the item scanned."""

    barcode: str


@action("scan-in", ScanIn)
def scan_in(scan: ScanIn, circ: Circulation) -> Done:
    """Scan an item in; a lent one is checked in and its request completed, before or after the partner's message."""
    gone = finding.withdrawn(circ, scan.barcode)
    if gone is not None:
        return gone
    item = finding.item(circ, scan.barcode)
    return borrowed(circ, item) if item.temporary else own(circ, item)


def borrowed(circ: Circulation, item: Item) -> Done:
    """Say where an item of another library belongs, as it stands; nothing is changed."""
    where = {
        ItemStatus.EXPECTED: ("receive it", "receive"),
        ItemStatus.RECEIVED: ("put it on the hold shelf", "hold shelf"),
        ItemStatus.IN_TRANSIT: ("put it on the hold shelf", "hold shelf"),
        ItemStatus.ON_HOLD_SHELF: ("it belongs on the hold shelf", "hold shelf"),
        ItemStatus.ON_LOAN: ("it is on loan here; use return if the user brought it", "return"),
    }
    words, instruction = where.get(item.status, (f"send it back to {item.partner}", "send back"))
    request = circ.last_request_of(item)
    return Done(f"{item.barcode} is borrowed from another library: {words}.", instruction, request, item)
