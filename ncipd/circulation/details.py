"""What a request says beside who and what: until when, where to, at what cost; and how messages change it.

Changes are made as the standard has it: what is to be deleted goes first, then what is to be added comes.
"""

from __future__ import annotations

from datetime import datetime
from itertools import groupby
from typing import TYPE_CHECKING, Any

from ncipd.circulation import meaning, review
from ncipd.circulation.account import LARGEST
from ncipd.circulation.clock import from_micros, to_micros
from ncipd.circulation.model import Request
from ncipd.ncip import elements as el
from ncipd.ncip.codec import decode_text, encode
from ncipd.ncip.problems import Problem, ProblemType
from ncipd.ncip.types import Coded

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ncipd.circulation.unit import Circulation

#: The columns that hold details, and what each holds when it holds nothing.
COLUMNS: dict[str, object] = {
    "earliest_needed": None,
    "need_before": None,
    "pickup_library_id": None,
    "pickup_expires": None,
    "available_at": None,
    "shipping": "",
    "fee_acknowledged": None,
    "fee_paid": None,
    "fee_currency": "",
}
_DATES = {
    "earliest_needed": "earliest_date_needed",
    "need_before": "need_before_date",
    "pickup_expires": "pickup_expiry_date",
    "available_at": "date_available",
}
#: The fields of messages that bring details.
FIELDS = (
    *_DATES.values(),
    "pickup_location",
    "shipping_information",
    "acknowledged_fee_amount",
    "paid_fee_amount",
)
#: What is part of what a request is, or follows from its history, and is not changed by a message.
_FIXED = {
    "user_id": "UserId",
    "item_id": "ItemId",
    "request_status_type": "RequestStatusType",
    "date_of_user_request": "DateOfUserRequest",
}


def write(circ: Circulation, request: Request, message: object) -> Request:
    """Keep the details that a message brings, where it brings any."""
    found = {column: value for column, value, _ in _values(circ, message, "RequestItem") if value is not None}
    return _store(circ, request, found, "RequestItem") if found else request


def delete(circ: Circulation, request: Request, fields: el.DeleteRequestFields, service: str) -> Request:
    """Take details out; raises Problem Unable To Delete Element for what is not there."""
    where = f"{service}/DeleteRequestFields"
    refuse_fixed(fields, where)
    cleared: dict[str, object] = {}
    for name, told in groupby(_values(circ, fields, service), lambda one: one[2]):
        columns = {column: value for column, value, _ in told}
        if all(_says(request, column, value) for column, value in columns.items()):
            cleared |= {column: COLUMNS[column] for column in columns}
        else:
            review.already_so(circ, not_there(f"{where}/{name}", getattr(fields, _field_of(name))))
    if any(cleared.get(fee, getattr(request, fee)) is not None for fee in ("fee_acknowledged", "fee_paid")):
        cleared.pop("fee_currency", None)  # it is that of the other fee too
    return _store(circ, request, cleared, service) if cleared else request


def add(circ: Circulation, request: Request, fields: el.AddRequestFields, service: str) -> Request:
    """Put details in; raises Problem Unable To Add Element for what is there already."""
    where = f"{service}/AddRequestFields"
    refuse_fixed(fields, where)
    added: dict[str, object] = {}
    for column, value, name in _values(circ, fields, service):
        if getattr(request, column) != COLUMNS[column] and not _says(request, column, value):
            raise there_already(f"{where}/{name}", getattr(fields, _field_of(name)))
        added[column] = value
    return _store(circ, request, added, service) if added else request


def _says(request: Request, column: str, value: object) -> bool:
    """Tell whether a request has this detail already, in these words or in others that mean the same."""
    kept = getattr(request, column)
    if column != "shipping" or not kept:
        return bool(kept == value)
    return meaning.same(shipping_of(request), decode_text(str(value), el.ShippingInformation))


def _store(circ: Circulation, request: Request, changes: dict[str, object], service: str) -> Request:
    values: dict[str, Any] = {column: changes.get(column, getattr(request, column)) for column in COLUMNS}
    refuse_reversed(circ, values["earliest_needed"], values["need_before"], service)
    return circ.change_request(request, "set_request_details", **values)


def _values(circ: Circulation, source: object, service: str) -> Iterator[tuple[str, object, str]]:
    """Give the columns that a message names, with the value it names and the element that names it."""
    for column, name in _DATES.items():
        date = getattr(source, name, None)
        if date is not None:
            yield column, to_micros(date, circ.zone), element_of(name)
    pickup = getattr(source, "pickup_location", None)
    if pickup is not None and service != "RequestItem":
        yield "pickup_library_id", library(circ, pickup.value, service), "PickupLocation"
    shipping = getattr(source, "shipping_information", None)
    if shipping is not None:
        yield "shipping", encode(shipping), "ShippingInformation"
    for column, name in (("fee_acknowledged", "acknowledged_fee_amount"), ("fee_paid", "paid_fee_amount")):
        fee = getattr(source, name, None)
        if fee is not None:
            _refuse_amount(fee, f"{service}/{element_of(name)}/MonetaryValue")
            yield column, fee.monetary_value, element_of(name)
            yield "fee_currency", fee.currency_code.value.strip(), element_of(name)


def _refuse_amount(fee: el.AcknowledgedFeeAmount | el.PaidFeeAmount, where: str) -> None:
    if not 0 <= fee.monetary_value <= LARGEST:
        raise Problem(
            ProblemType.INVALID_AMOUNT,
            element=where,
            value=str(fee.monetary_value),
            detail=f"A fee is 0 to {LARGEST} minor units of its currency; check the amount.",
        )


def refuse_reversed(circ: Circulation, earliest: int | None, latest: int | None, service: str) -> None:
    """Refuse what is needed only after it is useless, unless it is a fact; raises Problem Element Rule Violated."""
    if earliest is not None and latest is not None and earliest > latest and not circ.mandated:
        raise Problem(
            ProblemType.ELEMENT_RULE_VIOLATED,
            element=f"{service}/EarliestDateNeeded",
            value=from_micros(earliest).isoformat(),
            detail="EarliestDateNeeded is after NeedBeforeDate; exchange them or leave one out.",
        )


def element_of(field: str) -> str:
    """Spell the element of a field."""
    return field.title().replace("_", "")


def _field_of(element: str) -> str:
    return next(name for name in FIELDS if element_of(name) == element)


def not_there(where: str, part: object) -> Problem:
    """Say that what was to be deleted is not what the request says."""
    return Problem(
        ProblemType.UNABLE_TO_DELETE_ELEMENT,
        element=where,
        value=_words(part),
        detail="This is not what the request says, so it cannot be deleted; look the request up and compare.",
    )


def there_already(where: str, part: object) -> Problem:
    """Say that the request says otherwise already."""
    return Problem(
        ProblemType.UNABLE_TO_ADD_ELEMENT,
        element=where,
        value=_words(part),
        detail="The request says otherwise already and there can be only one; delete that in the same message.",
    )


def _words(part: object) -> str | None:
    if isinstance(part, datetime):
        return part.isoformat()
    if isinstance(part, Coded):
        return part.value
    amount = getattr(part, "monetary_value", None)
    return None if amount is None else str(amount)


def library(circ: Circulation, code: str, service: str) -> int:
    """Find the library that a PickupLocation names; raises Problem Element Rule Violated."""
    found = circ.library(code)
    if found is None:
        raise Problem(
            ProblemType.ELEMENT_RULE_VIOLATED,
            element=f"{service}/AddRequestFields/PickupLocation",
            value=code,
            detail=f"No library here has the code {code!r}; one of {', '.join(one.code for one in circ.libraries())}.",
        )
    return found.id


def refuse_fixed(fields: object, where: str) -> None:
    """Refuse to change what a request is; raises Problem Element Rule Violated."""
    for name, element in _FIXED.items():
        if getattr(fields, name, None) is not None:
            raise Problem(
                ProblemType.ELEMENT_RULE_VIOLATED,
                element=f"{where}/{element}",
                detail=f"{element} of a request is not changed; cancel the request and make another.",
            )


def shipping_of(request: Request) -> el.ShippingInformation | None:
    """Read where a request is to be shipped."""
    return decode_text(request.shipping, el.ShippingInformation) if request.shipping else None


def acknowledged_of(request: Request) -> el.AcknowledgedFeeAmount | None:
    """Read which fee was agreed to."""
    money = _money(request, request.fee_acknowledged)
    return el.AcknowledgedFeeAmount(**money) if money else None


def paid_of(request: Request) -> el.PaidFeeAmount | None:
    """Read which fee was paid."""
    money = _money(request, request.fee_paid)
    return el.PaidFeeAmount(**money) if money else None


def _money(request: Request, amount: int | None) -> dict[str, Any]:
    if amount is None:
        return {}
    return {"currency_code": Coded(request.fee_currency), "monetary_value": amount}
