"""LookupRequest: where a request stands (Z39.83-1 section 5.3.3)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ncipd.circulation import matching
from ncipd.circulation.clock import from_micros, optional_date
from ncipd.circulation.model import Item, ItemState, Request
from ncipd.ncip import elements as el
from ncipd.ncip.messages import LookupRequest, LookupRequestResponse
from ncipd.ncip.problems import Problem, ProblemType
from ncipd.ncip.schemes import RequestElementType
from ncipd.ncip.types import Coded
from ncipd.services import answers, serves

if TYPE_CHECKING:
    from ncipd.circulation.unit import Circulation


@serves(LookupRequest, reads=True)
def lookup_request(message: LookupRequest, circ: Circulation) -> LookupRequestResponse:
    """Answer what was asked about a request, found by its id, or by user, item and type."""
    request = _find(message, circ)
    circ.about(request)
    item = _item(circ, request)
    wanted = answers.asked(circ, message.request_element_type)

    def wants(type_: RequestElementType) -> bool:
        return type_.value.casefold() in wanted

    user = circ.user(request.user_id) if request.user_id is not None and message.user_element_type else None
    pickup = circ.library_by_id(request.pickup_library_id) if request.pickup_library_id is not None else None
    return LookupRequestResponse(
        request_id=answers.request_id(request),
        item_id=answers.item_id(item) if item else None,
        user_id=_user_id(request) if wants(RequestElementType.USER_ID) else None,
        request_type=_coded(request.request_type) if wants(RequestElementType.REQUEST_TYPE) else None,
        request_scope_type=_coded(request.request_scope) if wants(RequestElementType.REQUEST_SCOPE_TYPE) else None,
        request_status_type=answers.request_status(request) if wants(RequestElementType.REQUEST_STATUS_TYPE) else None,
        need_before_date=optional_date(request.need_before) if wants(RequestElementType.NEED_BEFORE_DATE) else None,
        pickup_location=Coded(pickup.code) if pickup and wants(RequestElementType.PICKUP_LOCATION) else None,
        date_of_user_request=from_micros(request.created_at)
        if wants(RequestElementType.DATE_OF_USER_REQUEST)
        else None,
        item_optional_fields=answers.item_fields(circ, item, message.item_element_type) if item else None,
        user_optional_fields=answers.user_fields(circ, user, message.user_element_type) if user else None,
    )


def _find(message: LookupRequest, circ: Circulation) -> Request:
    if message.request_id is not None:
        value = message.request_id.request_identifier_value.strip()
        found = circ.requests_called(circ.partner.code, value)
        if not found:
            raise matching.unknown_request("LookupRequest", value)
        if len([request for request in found if request.open]) > 1:
            raise _several(value)
        return found[0]
    ids = matching.named(circ, item=message.item_id, user=message.user_id)
    item = circ.item_by_barcode(ids.item) or matching.borrowed_item(circ, circ.partner, ids.item)
    of_item = circ.open_requests_of(item) if item is not None else []
    mine = [
        request
        for request in of_item
        if request.partner == circ.partner.code and ids.user in ("", request.user_as_sent)
    ]
    if not mine:
        raise matching.unknown_request("LookupRequest", ids.item)
    if len(mine) > 1:
        raise _several(ids.item)
    return mine[0]


def _several(value: str) -> Problem:
    return Problem(
        ProblemType.NON_UNIQUE_REQUEST,
        element="LookupRequest/RequestId/RequestIdentifierValue",
        value=value,
        detail=f"Several open requests fit {value!r}; send the RequestId of the one that is meant.",
    )


def _item(circ: Circulation, request: Request) -> Item | None:
    places = [place for place in circ.request_items(request) if place.state is not ItemState.DROPPED]
    return circ.item(places[0].item_id) if places else None


def _user_id(request: Request) -> el.UserId | None:
    return el.UserId(user_identifier_value=request.user_as_sent) if request.user_as_sent else None


def _coded(value: str) -> Coded | None:
    return Coded(value) if value else None
