"""Taking an item back from a user: the operator is told what to do with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from ncipd.circulation import allocation, borrowing, lending, returning
from ncipd.circulation.allocation import Destination
from ncipd.circulation.model import ItemStatus
from ncipd.desk import Done, action, finding

if TYPE_CHECKING:
    from ncipd.circulation.model import Item
    from ncipd.circulation.unit import Circulation


class Return(msgspec.Struct, forbid_unknown_fields=True):
    """`barcode`: the item that came back."""

    barcode: str


WORDS = {
    Destination.SHELF: "put it back on its shelf",
    Destination.HOME: "send it to its home library",
    Destination.HOLD_SHELF: "put it on the hold shelf; the user has been told",
    Destination.PICK: "keep it for the next lending request",
}


@action("return", Return)
def return_item(scan: Return, circ: Circulation) -> Done:
    """Take an item back and say where it goes: to its lender, the shelf, its home library or the next user."""
    gone = finding.withdrawn(circ, scan.barcode)
    if gone is not None:
        return gone
    item = finding.item(circ, scan.barcode)
    if item.temporary:
        return _borrowed(circ, item)
    return own(circ, item)


def _borrowed(circ: Circulation, item: Item) -> Done:
    request = circ.last_request_of(item)
    if request is None:
        return Done(f"{item.barcode} belongs to partner {item.partner}: send it back.", "send back", None, item)
    circ.about(request)
    whom = request.partner_agency or request.partner
    if item.status is ItemStatus.RETURNED:
        return Done(f"{item.barcode} is returned already: send it back to {whom}.", "send back", request, item)
    moved = borrowing.give_back(circ, request, item)
    return Done(f"{item.barcode} is returned: send it back to {whom}.", "send back", moved, circ.item(item.id))


def own(circ: Circulation, item: Item) -> Done:
    """Take back an item of ours, from a user, from a partner, or found on a table."""
    arrived = lending.arrive(circ, item)
    if arrived is not None:
        whom = arrived.partner_agency or arrived.partner
        return Done(
            f"{item.barcode} has come for request {arrived.identifier}: ship to {whom}.",
            "ship",
            arrived,
            circ.item(item.id),
        )
    loan = circ.loan_of(item)
    if loan is not None:
        request, destination = returning.check_in(circ, item, loan)
    elif item.status in (
        ItemStatus.IN_TRANSIT,
        ItemStatus.RESHELVING,
        ItemStatus.LOST,
        ItemStatus.MISSING,
        ItemStatus.CLAIMED,
    ):
        returning.arrive(circ, item)
        request, destination = None, allocation.place_free_item(circ, circ.item(item.id), None)
    elif item.status in (ItemStatus.REQUESTED, ItemStatus.PICKED):
        return Done(f"{item.barcode} is wanted for a request: keep it.", Destination.PICK, None, item)
    elif item.status is ItemStatus.ON_HOLD_SHELF:
        return Done(f"{item.barcode} belongs on the hold shelf.", Destination.HOLD_SHELF, None, item)
    else:
        request, destination = None, Destination.SHELF
    return Done(
        f"{item.barcode} is back: {WORDS[destination]}.",
        destination,
        circ.request(request.id) if request else None,
        circ.item(item.id),
        circ.loan(loan.id) if loan else None,
    )
