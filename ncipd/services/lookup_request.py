"""LookupRequest: where a request stands (Z39.83-1 section 5.3.3)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ncipd.circulation import details, hold_details, holds, matching
from ncipd.circulation.clock import as_told, optional_date
from ncipd.circulation.model import Hold, HoldState, Request
from ncipd.ncip import elements as el
from ncipd.ncip.messages import LookupRequest, LookupRequestResponse
from ncipd.ncip.schemes import RequestElementType, RequestScopeType, RequestStatusType
from ncipd.ncip.types import Coded
from ncipd.services import answers, finding, serves

if TYPE_CHECKING:
    from typing import Any

    from ncipd.circulation.unit import Circulation


@serves(LookupRequest, reads=True)
def lookup_request(message: LookupRequest, circ: Circulation) -> LookupRequestResponse:
    """Answer what was asked about a request, found by its id, or by user, item and type."""
    ids = matching.named(circ, request=message.request_id, item=message.item_id, user=message.user_id)
    hold = holds.named(circ, ids, message.request_type) if matching.is_local(circ.partner) else None
    if hold is not None:
        return _of_hold(message, circ, hold)
    request = finding.request_named(circ, ids, "LookupRequest")
    circ.about(request)
    item = finding.item_of(circ, request)
    pickup = circ.library_by_id(request.pickup_library_id) if request.pickup_library_id is not None else None
    known: dict[RequestElementType, tuple[str, Any]] = {
        RequestElementType.USER_ID: ("user_id", _user_id(request.user_as_sent)),
        RequestElementType.REQUEST_TYPE: ("request_type", _coded(request.request_type)),
        RequestElementType.REQUEST_SCOPE_TYPE: ("request_scope_type", _coded(request.request_scope)),
        RequestElementType.REQUEST_STATUS_TYPE: ("request_status_type", answers.request_status(request)),
        RequestElementType.SHIPPING_INFORMATION: ("shipping_information", details.shipping_of(request)),
        RequestElementType.EARLIEST_DATE_NEEDED: ("earliest_date_needed", optional_date(request.earliest_needed)),
        RequestElementType.NEED_BEFORE_DATE: ("need_before_date", optional_date(request.need_before)),
        RequestElementType.PICKUP_LOCATION: ("pickup_location", Coded(pickup.code) if pickup else None),
        RequestElementType.PICKUP_EXPIRY_DATE: ("pickup_expiry_date", optional_date(_pickup_expires(circ, request))),
        RequestElementType.DATE_OF_USER_REQUEST: ("date_of_user_request", as_told(request.created_at)),
        RequestElementType.DATE_AVAILABLE: ("date_available", optional_date(request.available_at)),
        RequestElementType.ACKNOWLEDGED_FEE_AMOUNT: ("acknowledged_fee_amount", details.acknowledged_of(request)),
        RequestElementType.PAID_FEE_AMOUNT: ("paid_fee_amount", details.paid_of(request)),
    }
    shown = request.user_id is not None and answers.wants_user(circ, message.user_element_type)
    user = circ.user(request.user_id) if request.user_id is not None and shown else None
    return LookupRequestResponse(
        request_id=answers.request_id(request, message.request_id),
        item_id=answers.item_id(item, message.item_id) if item else None,
        item_optional_fields=answers.item_fields(circ, item, message.item_element_type) if item else None,
        user_optional_fields=answers.user_fields(circ, user, message.user_element_type) if user else None,
        **_asked(message, circ, known),
    )


def _pickup_expires(circ: Circulation, request: Request) -> int | None:
    """Say until when the item waits: as it was announced with the item, else as it was wished with the request."""
    announced = (hold.expires_at for hold in circ.holds_of(request) if hold.expires_at is not None)
    return next(announced, request.pickup_expires)


def _of_hold(message: LookupRequest, circ: Circulation, hold: Hold) -> LookupRequestResponse:
    item = holds.item_of(circ, hold)
    user = circ.user(hold.user_id)
    said = hold_details.of(circ, hold)
    status = {
        HoldState.READY: RequestStatusType.AVAILABLE_FOR_PICKUP,
        HoldState.CANCELLED: RequestStatusType.CANNOT_FULFILL_REQUEST,
    }.get(hold.state, RequestStatusType.IN_PROCESS)
    waits = hold.state is HoldState.WAITING
    scope = RequestScopeType.ITEM if hold.record_id is None else RequestScopeType.BIBLIOGRAPHIC_ITEM
    known: dict[RequestElementType, tuple[str, Any]] = {
        RequestElementType.USER_ID: ("user_id", answers.user_id(circ, user)),
        RequestElementType.REQUEST_TYPE: ("request_type", hold_details.request_type(hold)),
        RequestElementType.REQUEST_SCOPE_TYPE: ("request_scope_type", scope.coded()),
        RequestElementType.REQUEST_STATUS_TYPE: ("request_status_type", status.coded()),
        RequestElementType.HOLD_QUEUE_POSITION: ("hold_queue_position", holds.position(circ, hold) if waits else None),
        RequestElementType.DATE_OF_USER_REQUEST: ("date_of_user_request", as_told(hold.placed_at)),
        **{
            type_: (name, said[name])
            for type_ in RequestElementType
            if (name := type_.value.lower().replace(" ", "_")) in said
        },
    }
    return LookupRequestResponse(
        request_id=holds.request_id(circ, hold, message.request_id),
        item_id=answers.item_id(item, message.item_id) if item else None,
        item_optional_fields=answers.item_fields(circ, item, message.item_element_type) if item else None,
        user_optional_fields=answers.user_fields(circ, user, message.user_element_type),
        **_asked(message, circ, known),
    )


def _asked(
    message: LookupRequest, circ: Circulation, known: dict[RequestElementType, tuple[str, Any]]
) -> dict[str, Any]:
    """Keep of what is known only what was asked for."""
    wanted = answers.asked(circ, message.request_element_type)
    return {name: value for type_, (name, value) in known.items() if type_.value.casefold() in wanted}


def _user_id(value: str) -> el.UserId | None:
    return el.UserId(user_identifier_value=value) if value else None


def _coded(value: str) -> Coded | None:
    return Coded(value) if value else None
