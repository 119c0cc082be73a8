"""CreateItem: a new item, on its own or for a request (Z39.83-1 section 5.4.6)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ncipd.circulation import catalogue, matching
from ncipd.circulation.model import Item, ItemState, ItemStatus, Role
from ncipd.ncip import elements as el
from ncipd.ncip.messages import CreateItem, CreateItemResponse, ItemCreated
from ncipd.ncip.problems import Problem, ProblemType
from ncipd.services import answers, serves

if TYPE_CHECKING:
    from ncipd.circulation.unit import Circulation


@serves(CreateItem)
def create_item(message: CreateItem, circ: Circulation) -> CreateItemResponse:
    """Make an item: a temporary one for a broker or peer, one of our own for our own systems."""
    barcode = message.item_id.item_identifier_value.strip() if message.item_id else ""
    if barcode and circ.item_by_barcode(barcode) is not None:
        raise Problem(
            ProblemType.DUPLICATE_ITEM,
            element="CreateItem/ItemId/ItemIdentifierValue",
            value=barcode,
            detail=f"An item with the barcode {barcode!r} exists already; use UpdateItem, or another barcode.",
        )
    return CreateItemResponse(item_id=answers.item_id(make(message, circ, barcode or circ.new_id(), "CreateItem")))


def make(message: CreateItem | ItemCreated, circ: Circulation, barcode: str, service: str) -> Item:
    """Make the item that a message describes, with its title where nobody here knows that yet."""
    temporary = not matching.is_local(circ.partner)
    about = message.bibliographic_description
    record = None if temporary else catalogue.known_record(circ, about)
    library = circ.library(circ.partner.default_library) if circ.partner.default_library else None
    status = ItemStatus.AVAILABLE
    if message.circulation_status is not None:
        status = catalogue.status_named(service, message.circulation_status)
    item = circ.add_item(
        record if record is not None else catalogue.create_record(circ, about, temporary=temporary),
        barcode,
        status,
        temporary=int(temporary),
        partner=circ.partner.code if temporary else "",
        partner_item=barcode if temporary else "",
        home_library=(library or circ.libraries()[0]).id,
    )
    fields = el.AddItemFields(
        item_use_restriction_type=message.item_use_restriction_type,
        item_description=message.item_description,
        location=message.location,
        physical_condition=message.physical_condition,
        security_marker=message.security_marker,
        sensitization_flag=message.sensitization_flag,
    )
    item = catalogue.add_fields(circ, item, fields, service)
    if message.request_id is not None:
        _tie(circ, item, message.request_id, service)
    return item


def _tie(circ: Circulation, item: Item, request_id: el.RequestId, service: str) -> None:
    ids = matching.named(circ, request=request_id)
    sides = (Role.BORROWING, Role.LENDING) if item.temporary else (Role.LENDING, Role.BORROWING)
    for role in sides:
        request = circ.open_request(role, circ.partner.code, ids.identifier, ids.identifier_agency)
        if request is not None:
            circ.about(request)
            circ.add_request_item(request, item, ItemState.WANTED)
            return
    raise Problem(
        ProblemType.ELEMENT_RULE_VIOLATED,
        element=f"{service}/RequestId/RequestIdentifierValue",
        value=ids.identifier,
        detail=f"This partner has no open request {ids.identifier!r}; send the request first, or leave RequestId out.",
    )
