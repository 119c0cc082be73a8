"""Putting an item on the hold shelf for the user who waits for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from ncipd.circulation import allocation, policy, shelf
from ncipd.circulation.model import HoldState, ItemStatus
from ncipd.desk import Done, action, conflict, finding

if TYPE_CHECKING:
    from ncipd.circulation.unit import Circulation


class HoldShelf(msgspec.Struct, forbid_unknown_fields=True):
    """`barcode`: the item put on the shelf."""

    barcode: str


@action("hold-shelf", HoldShelf)
def hold_shelf(scan: HoldShelf, circ: Circulation) -> Done:
    """Put an item on the hold shelf and tell the user that it is there."""
    item = finding.item(circ, scan.barcode)
    holds = [hold for hold in circ.holds_on(item) if hold.state in (HoldState.WAITING, HoldState.READY)]
    request = circ.last_request_of(item) if item.temporary else None
    if item.temporary and request is not None:
        circ.about(request)
        holds = [hold for hold in holds if hold.request_id == request.id]
    if not holds:
        raise conflict("nobody-waits", f"Nobody waits for item {item.barcode}.", value=item.barcode)
    if circ.loan_of(item) is not None:
        raise conflict("on-loan", f"Item {item.barcode} is on loan; check it in first.", value=item.barcode)
    wanted = allocation.set_aside_for(circ, item)
    if wanted is not None:
        raise conflict(
            "set-aside",
            f"Item {item.barcode} is set aside for lending request {wanted.identifier}.",
            value=item.barcode,
            hint="Ship it; or cancel that request first.",
        )
    hold = holds[0]
    if hold.state is HoldState.READY and item.status is ItemStatus.ON_HOLD_SHELF:
        return Done(f"{item.barcode} is on the hold shelf already.", "hold shelf", request, item)
    partner = circ.partner_of(request) if request else None
    shelf.shelve(circ, item, hold, days=(partner or policy.LOCAL).hold_shelf_days, request=request)
    name = circ.user(hold.user_id).primary_id
    return Done(
        f"{item.barcode} is on the hold shelf for {name}, who has been told.", "hold shelf", request, circ.item(item.id)
    )
