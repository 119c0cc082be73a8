"""Taking back a check-out, or a digital supply, that was made in error."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from ncipd.circulation import undo
from ncipd.circulation.model import ItemStatus, RequestStatus, Role
from ncipd.desk import Done, action, conflict, finding

if TYPE_CHECKING:
    from ncipd.circulation.model import Item
    from ncipd.circulation.unit import Circulation


class UndoCheckOut(msgspec.Struct, forbid_unknown_fields=True):
    """`barcode`: what was lent or shipped in error; `request`: whose digital supply, where there is no item."""

    barcode: str = ""
    request: str = ""


@action("undo-check-out", UndoCheckOut)
def undo_check_out(slip: UndoCheckOut, circ: Circulation) -> Done:
    """Take back a check-out or shipment made in error: loan, request, hold and charges are as they were before."""
    if slip.request and not slip.barcode:
        return _digitally(circ, slip.request)
    item = finding.item(circ, finding.required(slip.barcode, "barcode", "the barcode of the item that is not out"))
    loan = circ.loan_of(item)
    if loan is None:
        raise conflict(
            "not-on-loan",
            f"Item {item.barcode} is not on loan, so there is no check-out to take back.",
            value=item.barcode,
            hint="What has come back is returned, and needs no undoing.",
        )
    reversed_ = undo.undo(circ, item, loan)
    charges = f" {len(reversed_)} charges are reversed." if reversed_ else ""
    now = circ.item(item.id)
    request = circ.request(loan.request_id) if loan.request_id is not None else None
    return Done(f"The check-out of {item.barcode} is taken back.{charges}", _goes(now), request, now, None)


def _goes(item: Item) -> str:
    """Say where the item that is here after all goes now."""
    return {
        ItemStatus.AVAILABLE: "shelve",
        ItemStatus.REQUESTED: "see the pick list",
        ItemStatus.PICKED: "ship to next request",
        ItemStatus.ON_HOLD_SHELF: "hold shelf",
        ItemStatus.RECEIVED: "hold shelf",
        ItemStatus.RETURNED: "send back",
    }.get(item.status, "")


def _digitally(circ: Circulation, name: str) -> Done:
    request = finding.request(circ, name, Role.LENDING)
    if request.status is not RequestStatus.SHIPPED_DIGITALLY:
        raise conflict(
            "not-supplied",
            f"Request {request.identifier} has no digital supply under way; its status is {request.status.value!r}.",
            field="request",
            value=name,
            hint="Name the item by its barcode where one was sent.",
        )
    undo.undo_digital(circ, request)
    return Done(f"The supply for request {request.identifier} is taken back.", "", circ.request(request.id))
