"""Sending an item, or a digital copy, to the library that asked for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from ncipd.circulation import allocation, shipping
from ncipd.circulation.clock import from_micros
from ncipd.circulation.model import RequestStatus, Role
from ncipd.desk import Done, action, conflict, finding

if TYPE_CHECKING:
    from ncipd.circulation.model import Item, Request
    from ncipd.circulation.unit import Circulation


class Ship(msgspec.Struct, forbid_unknown_fields=True):
    """`barcode`: the item; `request`: for which request; `due_date`: when it is due; `digital`: a copy was sent."""

    barcode: str = ""
    request: str = ""
    due_date: str | None = None
    digital: bool = False


@action("ship", Ship)
def ship(sent: Ship, circ: Circulation) -> Done:
    """Record that an item or a digital copy has left for the partner that asked for it."""
    if sent.digital:
        return _digitally(circ, finding.required(sent.request, "request", "the request that the copy was sent for"))
    item = finding.item(circ, finding.required(sent.barcode, "barcode", "the barcode of the item sent"))
    request = finding.request(circ, sent.request, Role.LENDING) if sent.request else _request_for(circ, item)
    if request.digital:
        raise conflict("request-is-digital", f"Request {request.identifier} is for a digital copy.", field="request")
    shipment = shipping.ship(circ, request, item, request.identifier, finding.coming(circ, sent.due_date))
    loan = shipment.loan
    due = f", due {from_micros(loan.due_at):%Y-%m-%d}" if loan and loan.due_at else ""
    whom = request.partner_agency or request.partner
    return Done(
        f"{item.barcode} is shipped to {whom} for request {request.identifier}{due}.",
        "send",
        circ.request(request.id),
        circ.item(item.id),
        loan,
    )


def _request_for(circ: Circulation, item: Item) -> Request:
    loan = circ.loan_of(item)
    if loan is not None and loan.request_id is not None:
        return circ.request(loan.request_id)
    waiting = [
        request
        for request in circ.open_requests_of(item)
        if request.role is Role.LENDING
        and (place := circ.request_item(request, item)) is not None
        and place.state in allocation.UNSENT
    ]
    if not waiting:
        raise conflict(
            "not-requested",
            f"No lending request waits for item {item.barcode}.",
            value=item.barcode,
            hint="Name the request to send this copy instead of the one listed.",
        )
    held = allocation.set_aside_for(circ, item)
    return held or min(waiting, key=lambda request: (request.digital, request.id))


def _digitally(circ: Circulation, name: str) -> Done:
    request = finding.request(circ, name, Role.LENDING)
    if not request.digital:
        raise conflict("request-is-physical", f"Request {request.identifier} is for the item itself.", field="request")
    moved = shipping.ship_digitally(circ, request)
    waits = moved.status is RequestStatus.SHIPPED_DIGITALLY
    text = "it completes when its arrival is confirmed" if waits else "the request is completed"
    return Done(f"Request {moved.identifier} is supplied digitally; {text}.", "confirm digital" if waits else "", moved)
