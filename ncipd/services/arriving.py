"""What notifications say of an item that is coming, as the desk and AcceptItem would say it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from ncipd.circulation import acceptance, policy
from ncipd.circulation.clock import to_micros

if TYPE_CHECKING:
    from ncipd.circulation import matching
    from ncipd.circulation.model import Item, Request
    from ncipd.circulation.unit import Circulation
    from ncipd.ncip.messages import ItemCheckedOut, ItemReceived, ItemShipped

    Told = ItemShipped | ItemReceived | ItemCheckedOut


def take_in(message: Told, circ: Circulation, ids: matching.Named, request: Request, *, waits: bool) -> None:
    """Make the temporary item of an item that is under way, to be received at the desk, or that has come."""
    partner = msgspec.structs.replace(circ.partner, automatic_receive=not waits)
    acceptance.accept(circ, _arrival(message, circ, ids, request), partner, request)


def receive(message: Told, circ: Circulation, ids: matching.Named, request: Request, item: Item) -> None:
    """Receive a temporary item that was expected."""
    partner = circ.partner_of(request) or policy.LOCAL
    acceptance.receive(circ, request, item, _arrival(message, circ, ids, request), partner)


def _arrival(message: Told, circ: Circulation, ids: matching.Named, request: Request) -> acceptance.Arrival:
    fields = message.item_optional_fields
    about = fields.bibliographic_description if fields else None
    copy = fields.item_description if fields else None
    due = getattr(message, "date_due", None) or (fields.date_due if fields else None)
    return acceptance.Arrival(
        identifier=request.identifier,
        identifier_agency=request.identifier_agency,
        partner_item=ids.item,
        barcode="",
        user=None,
        user_as_sent=request.user_as_sent,
        return_by=to_micros(due, circ.zone) if due is not None else None,
        renewal_forbidden=False,
        digital=bool(request.digital) and circ.partner.digital,
        circulate=False,
        pickup_location="",
        pickup_expires=None,
        title=(about.title or "") if about else "",
        author=(about.author or "") if about else "",
        call_number=(copy.call_number or "") if copy else "",
        policy="",
        note="",
    )
