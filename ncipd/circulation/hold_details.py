"""What a hold says beside who and what: until when, fetched where, at what cost; and how messages change it.

Changes are made as the standard has it: what is to be deleted goes first, then what is to be added comes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from ncipd.circulation import details, meaning, review
from ncipd.circulation.clock import optional_date, to_micros
from ncipd.circulation.model import Hold
from ncipd.ncip import elements as el
from ncipd.ncip.codec import decode_text, encode
from ncipd.ncip.schemes import RequestType
from ncipd.ncip.types import Coded

if TYPE_CHECKING:
    from ncipd.circulation.unit import Circulation

#: The fields that are kept as they came; the place and the day until which it is kept there have columns of their own.
_KEPT = (
    "shipping_information",
    "earliest_date_needed",
    "need_before_date",
    "date_available",
    "acknowledged_fee_amount",
    "paid_fee_amount",
)


class _Said(NamedTuple):
    """What a message names: the field, what it says there, and in what it is compared."""

    field: str
    part: Any
    compared: Any


def request_type(hold: Hold) -> Coded:
    """Give the type under which it was requested; what was placed at the desk is a *Hold*."""
    kept = _kept(hold)
    return (kept.request_type if kept else None) or RequestType.HOLD.coded()


def _kept(hold: Hold) -> el.AddRequestFields | None:
    return decode_text(hold.details, el.AddRequestFields) if hold.details else None


def of(circ: Circulation, hold: Hold) -> dict[str, Any]:
    """Read what a hold says, by the field of the messages; what it does not say is missing."""
    kept = _kept(hold)
    found = {name: part for name in _KEPT if (part := getattr(kept, name, None)) is not None}
    pickup = circ.library_by_id(hold.pickup_library_id) if hold.pickup_library_id is not None else None
    if pickup is not None:
        found["pickup_location"] = Coded(pickup.code)
    expires = optional_date(hold.expires_at)
    if expires is not None:
        found["pickup_expiry_date"] = expires
    return found


def write(circ: Circulation, hold: Hold, message: object) -> Hold:
    """Keep the details that a message brings, and the type of request that it makes."""
    brought = {said.field: said.part for said in _said(circ, message) if said.field != "pickup_location"}
    now = circ.hold(hold.id)
    type_ = getattr(message, "request_type", None)
    return _store(circ, now, of(circ, now) | brought, type_, "RequestItem")


def change(
    circ: Circulation,
    hold: Hold,
    deleted: el.DeleteRequestFields | None,
    added: el.AddRequestFields | None,
    service: str,
) -> Hold:
    """Delete, then add; raises Problem Unable To Delete Element, Unable To Add Element, Element Rule Violated."""
    found = of(circ, hold)
    for fields, where in ((deleted, f"{service}/DeleteRequestFields"), (added, f"{service}/AddRequestFields")):
        details.refuse_fixed(fields, where)
        for said in _said(circ, fields):
            present = _compared(circ, found.get(said.field))
            if fields is deleted:
                if meaning.same(present, said.compared):
                    del found[said.field]
                else:
                    review.already_so(circ, details.not_there(f"{where}/{details.element_of(said.field)}", said.part))
            elif present is not None and not meaning.same(present, said.compared):
                raise details.there_already(f"{where}/{details.element_of(said.field)}", said.part)
            else:
                found[said.field] = said.part
    return _store(circ, hold, found, request_type(hold), service)


def _said(circ: Circulation, source: object) -> list[_Said]:
    names = (*_KEPT, "pickup_location", "pickup_expiry_date")
    parts = [(name, getattr(source, name, None)) for name in names]
    return [_Said(name, part, _compared(circ, part)) for name, part in parts if part is not None]


def _compared(circ: Circulation, part: Any) -> Any:
    """Give what counts of a part: of a date the moment that it means."""
    return to_micros(part, circ.zone) if hasattr(part, "tzinfo") else part


def _store(circ: Circulation, hold: Hold, found: dict[str, Any], type_: Coded | None, service: str) -> Hold:
    pickup, expires = found.get("pickup_location"), found.get("pickup_expiry_date")
    kept = {name: found[name] for name in _KEPT if name in found}
    details.refuse_reversed(
        circ,
        _compared(circ, found.get("earliest_date_needed")),
        _compared(circ, found.get("need_before_date")),
        service,
    )
    return circ.change_hold(
        hold,
        "set_hold_details",
        pickup_library=details.library(circ, pickup.value, service) if pickup is not None else None,
        expires_at=_compared(circ, expires),
        details=encode(el.AddRequestFields(request_type=type_, **kept)),
    )
