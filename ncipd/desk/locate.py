"""Naming the item for a request that could not be located."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from ncipd.circulation import lending
from ncipd.circulation.lifecycle import Event, allows
from ncipd.circulation.model import ItemStatus, Role
from ncipd.desk import Done, action, conflict, finding

if TYPE_CHECKING:
    from ncipd.circulation.unit import Circulation


class Locate(msgspec.Struct, forbid_unknown_fields=True):
    """`request`: the lending request; `barcode`: the item that fills it."""

    request: str
    barcode: str


@action("locate", Locate)
def locate(slip: Locate, circ: Circulation) -> Done:
    """Say which item fills a lending request; it goes on the pick list."""
    request = finding.request(circ, slip.request, Role.LENDING)
    item = finding.item(circ, slip.barcode)
    circ.about(request)
    if not allows(Role.LENDING, request.status, Event.LOCATE):
        raise conflict(
            "too-late", f"Request {request.identifier} is in status {request.status.value!r}.", field="request"
        )
    if item.temporary or item.status is not ItemStatus.AVAILABLE:
        raise conflict(
            "not-available", f"Item {item.barcode} is not available ({item.status.value}).", value=item.barcode
        )
    moved = lending.locate(circ, request, item)
    return Done(
        f"Item {item.barcode} is on the pick list for request {moved.identifier}.", "pick", moved, circ.item(item.id)
    )
