"""Scanning an item in: arrived from transit, or back from the library that had it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from ncipd.circulation.model import ItemStatus
from ncipd.desk import Done, action, finding
from ncipd.desk.return_item import own

if TYPE_CHECKING:
    from ncipd.circulation.unit import Circulation


class ScanIn(msgspec.Struct, forbid_unknown_fields=True):
    """`barcode`: the item scanned."""

    barcode: str


@action("scan-in", ScanIn)
def scan_in(scan: ScanIn, circ: Circulation) -> Done:
    """Scan an item in; a lent one is checked in and its request completed, before or after the partner's message."""
    gone = circ.withdrawn_item(scan.barcode) if circ.item_by_barcode(scan.barcode) is None else None
    if gone is not None:
        return Done(f"{scan.barcode} belongs to partner {gone.partner}: send it back.", "send back", None, gone)
    item = finding.item(circ, scan.barcode)
    if not item.temporary:
        return own(circ, item)
    request = circ.last_request_of(item)
    where = {
        ItemStatus.EXPECTED: ("receive it", "receive"),
        ItemStatus.RECEIVED: ("put it on the hold shelf", "hold shelf"),
        ItemStatus.IN_TRANSIT: ("put it on the hold shelf", "hold shelf"),
        ItemStatus.ON_HOLD_SHELF: ("it belongs on the hold shelf", "hold shelf"),
        ItemStatus.ON_LOAN: ("it is on loan here; use return if the user brought it", "return"),
    }
    words, instruction = where.get(item.status, (f"send it back to {item.partner}", "send back"))
    return Done(f"{item.barcode} is borrowed from another library: {words}.", instruction, request, item)
