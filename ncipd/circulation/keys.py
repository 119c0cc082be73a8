"""Where a partner's messages say what they are about: user, item, request and pickup library.

The standard has a place for each. Where a partner uses another (`user_key`, `item_key`, `request_key`, `pickup_key`),
the message is given to its service with everything in the standard's place, so that services know one form only. The
first place that holds something counts; a barcode where a record number may stand, and a pickup library, only where it
is one of ours.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from ncipd.circulation.model import ItemState
from ncipd.circulation.partner import ItemPlace, PickupPlace, RequestPlace, UserPlace
from ncipd.ncip.elements import ItemId, RequestId, UserId
from ncipd.ncip.messages import CheckInItem
from ncipd.ncip.types import Coded, Ext, Initiation, Leaf

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from ncipd.circulation.partner import Partner
    from ncipd.circulation.unit import Circulation

M = TypeVar("M", bound=Initiation)
Place = UserPlace | ItemPlace | RequestPlace | PickupPlace


class Found(NamedTuple):
    """What stands in one place of a message."""

    key: str
    place: Place
    value: str


def looked_up(message: Initiation, partner: Partner) -> list[Found]:
    """Tell what stands in each place where a partner's messages may name something, in the partner's order."""
    return [
        Found(key, place, _read(message, place, partner))
        for key, places in (
            ("user", partner.user_key),
            ("item", partner.item_key),
            ("request", partner.request_key),
            ("pickup", partner.pickup_key),
        )
        for place in dict.fromkeys(_where(message, place) for place in places)
    ]


def _where(message: Initiation, place: Place) -> Place:
    """Say where a service looks: a check-in has no place for user and request but its Ext, where repairs put them."""
    if not isinstance(message, CheckInItem):
        return place
    return (
        UserPlace.EXT if place is UserPlace.USER_ID else RequestPlace.EXT if place is RequestPlace.REQUEST_ID else place
    )


def placed(message: M, circ: Circulation) -> M:
    """Give a message with everything where the standard has it."""
    partner = circ.partner
    if not partner.looks_elsewhere:
        return message
    message = _with(message, "request_id", _request(message, partner))
    message = _with_item(message, _item(message, circ))
    message = _with(message, "user_id", _user(message, partner))
    return _with(message, "pickup_location", _pickup(message, circ))


# ---------------------------------------------------------------------------------------------- where things stand


def _text(value: object) -> str:
    return str(value).strip() if value is not None else ""


def _first(values: Iterable[Any]) -> Any:
    return next(iter(values), None)


def _item_id(message: Any, _partner: Partner | None = None) -> str:
    """Read ItemId, unless its type says that it holds the id of a request."""
    found = _item_element(message)
    return "" if found is None or _names_request(found) else found.item_identifier_value.strip()


def _item_element(message: Any) -> ItemId | None:
    found = getattr(message, "item_id", None)
    element: ItemId | None = _first(found) if isinstance(found, tuple) else found
    return element


def _names_request(item: ItemId) -> bool:
    type_ = item.item_identifier_type
    return type_ is not None and type_.value.strip().casefold().endswith("request id")


def _title_number(message: Any, kind: str) -> str:
    for title in getattr(message, "bibliographic_id", None) or ():
        number = getattr(title, f"bibliographic_{kind}_id")
        if number is not None:
            return _text(getattr(number, f"bibliographic_{kind}_identifier"))
    return ""


def _copy_number(message: Any, _partner: Partner) -> str:
    fields = getattr(message, "item_optional_fields", None)
    copy = fields.item_description if fields is not None else None
    return _text(copy.copy_number) if copy is not None else ""


def _request_id(message: Any, _partner: Partner | None = None) -> str:
    found = getattr(message, "request_id", None)
    return found.request_identifier_value.strip() if found is not None else ""


def _request_of_item(message: Any, _partner: Partner | None = None) -> str:
    """Read the id of the request whose item is meant."""
    item = _item_element(message)
    return item.item_identifier_value.strip() if item is not None and _names_request(item) else _request_id(message)


def _in_ext(message: Initiation, kind: type[UserId | RequestId]) -> Any:
    return message.ext.find(kind) if message.ext is not None else None


def _request_in_ext(message: Any, _partner: Partner) -> str:
    found = _in_ext(message, RequestId)
    return found.request_identifier_value.strip() if found is not None else ""


def _user_id(message: Any, _partner: Partner) -> str:
    found = getattr(message, "user_id", None)
    return found.user_identifier_value.strip() if found is not None else ""


def _user_in_ext(message: Any, _partner: Partner) -> str:
    found = _in_ext(message, UserId)
    return found.user_identifier_value.strip() if found is not None else ""


def _user_in_fields(message: Any, _partner: Partner) -> str:
    fields = getattr(message, "user_optional_fields", None)
    found = _first(fields.user_id) if fields is not None else None
    return found.user_identifier_value.strip() if found is not None else ""


def _to_agency(message: Any, partner: Partner) -> str:
    header = message.initiation_header
    code = header.to_agency_id.agency_id.value.strip() if header is not None else ""
    _, separator, library = code.partition(partner.agency_separator) if partner.agency_separator else ("", "", "")
    return library.strip() if separator else code


def _on_behalf(message: Any, _partner: Partner) -> str:
    header = message.initiation_header
    agency = header.on_behalf_of_agency if header is not None else None
    return agency.agency_id.value.strip() if agency is not None else ""


def _shipping(message: Any, _partner: Partner) -> str:
    information = getattr(message, "shipping_information", None)
    if information is None:
        return ""
    address = information.physical_address
    said = (address.physical_address_type if address else None, information.shipping_instructions)
    return next((text for one in (*said, information.shipping_note) if (text := _text(one))), "")


def _item_note(message: Any, _partner: Partner) -> str:
    found = message.ext.find("ItemNote") if message.ext is not None else None
    return _text(found.value) if isinstance(found, Leaf) else ""


def _read(message: Any, place: Place, partner: Partner) -> str:
    """Read what stands in a place; places of different keys may be called the same."""
    return _READ[type(place)][place](message, partner)


_READ: dict[type, dict[Any, Callable[[Any, Partner], str]]] = {
    UserPlace: {
        UserPlace.USER_ID: _user_id,
        UserPlace.USER_OPTIONAL_FIELDS: _user_in_fields,
        UserPlace.EXT: _user_in_ext,
    },
    ItemPlace: {
        ItemPlace.ITEM_ID: _item_id,
        ItemPlace.BIBLIOGRAPHIC_RECORD_ID: lambda message, _: _title_number(message, "record"),
        ItemPlace.BIBLIOGRAPHIC_ITEM_ID: lambda message, _: _title_number(message, "item"),
        ItemPlace.COPY_NUMBER: _copy_number,
        ItemPlace.REQUEST: _request_of_item,
    },
    RequestPlace: {
        RequestPlace.REQUEST_ID: _request_id,
        RequestPlace.EXT: _request_in_ext,
        RequestPlace.ITEM_ID: _item_id,
    },
    PickupPlace: {
        PickupPlace.PICKUP_LOCATION: lambda message, _: _text(getattr(message, "pickup_location", None)),
        PickupPlace.TO_AGENCY_ID: _to_agency,
        PickupPlace.ON_BEHALF_OF_AGENCY: _on_behalf,
        PickupPlace.SHIPPING_INFORMATION: _shipping,
        PickupPlace.ITEM_NOTE: _item_note,
    },
}


# ---------------------------------------------------------------------------------------------- what is meant


def _request(message: Any, partner: Partner) -> RequestId | None:
    """Give the RequestId that stands elsewhere; None where the standard's place holds it, or nothing does."""
    for place in partner.request_key:
        value = _read(message, place, partner)
        if not value:
            continue
        if place is RequestPlace.REQUEST_ID:
            return None
        if place is RequestPlace.EXT:
            found: RequestId = _in_ext(message, RequestId)
            return found
        return RequestId(request_identifier_value=value)
    return None


def _user(message: Any, partner: Partner) -> UserId | None:
    if getattr(message, "authentication_input", ()):
        return None  # it says who the user is, and proves it
    for place in partner.user_key:
        if not _read(message, place, partner):
            continue
        if place is UserPlace.USER_ID:
            return None
        found: UserId = (
            _in_ext(message, UserId) if place is UserPlace.EXT else _first(message.user_optional_fields.user_id)
        )
        return found
    return None


def _item(message: Any, circ: Circulation) -> str:
    """Give the barcode that stands elsewhere; '' where the standard's place holds it, or nothing does."""
    for place in circ.partner.item_key:
        value = _read(message, place, circ.partner)
        if not value:
            continue
        if place is ItemPlace.ITEM_ID:
            return ""
        if place is ItemPlace.REQUEST:
            value = _barcode_of_request(circ, value)
        elif circ.item_by_barcode(value) is None:
            value = ""
        if value:
            return value
    return ""


def _barcode_of_request(circ: Circulation, identifier: str) -> str:
    """Give the barcode of the one item of a request: of those that are out, if any are."""
    request = _first(circ.requests_called(circ.partner.code, identifier))
    places = circ.request_items(request) if request is not None else []
    out = [place for place in places if place.state is ItemState.OUT] or places
    return circ.item(out[0].item_id).barcode if len(out) == 1 else ""


def _pickup(message: Any, circ: Circulation) -> Coded | None:
    for place in circ.partner.pickup_key:
        value = _read(message, place, circ.partner)
        if value and circ.library(value) is not None:
            return None if place is PickupPlace.PICKUP_LOCATION else Coded(value)
    return None


# ---------------------------------------------------------------------------------------------- putting it there


def _with(message: M, field: str, value: RequestId | UserId | Coded | None) -> M:
    """Put a value into its field; an id that the message has no field for goes where repairs put it, into Ext."""
    if value is None:
        return message
    if field in message.__dataclass_fields__:
        return replace(message, **{field: value})
    if isinstance(value, Coded):
        return message
    others = _others(message, type(value))
    return replace(message, ext=Ext(children=(*others, value)))


def _others(message: Initiation, kind: type) -> Iterator[Any]:
    return (child for child in (message.ext.children if message.ext else ()) if not isinstance(child, kind))


def _with_item(message: M, barcode: str) -> M:
    if not barcode or "item_id" not in message.__dataclass_fields__:
        return message
    sent = _item_element(message)
    item = ItemId(item_identifier_value=barcode)
    if sent is not None and _names_request(sent):
        message = _with(message, "request_id", RequestId(request_identifier_value=sent.item_identifier_value.strip()))
    many = isinstance(getattr(message, "item_id"), tuple)  # noqa: B009 - not every message has it
    return replace(message, item_id=(item,) if many else item)
