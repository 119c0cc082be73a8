"""CancelRequestItem: a request is withdrawn (Z39.83-1 section 5.4.16)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ncipd.circulation import borrowing, holds, lending, matching, naming
from ncipd.circulation.model import HoldState, Role
from ncipd.ncip import elements as el
from ncipd.ncip.messages import CancelRequestItem, CancelRequestItemResponse
from ncipd.ncip.problems import Problem, ProblemType
from ncipd.services import answers, serves

if TYPE_CHECKING:
    from ncipd.circulation.model import Item, Request
    from ncipd.circulation.unit import Circulation


@serves(CancelRequestItem)
def cancel_request_item(message: CancelRequestItem, circ: Circulation) -> CancelRequestItemResponse:
    """Cancel the request that the ids name, by RequestId or by ItemId alone."""
    ids = matching.named(circ, request=message.request_id, item=message.item_id, user=message.user_id)
    if matching.is_local(circ.partner):
        return _cancel_hold(message, circ, ids)
    ids = naming.settled(circ, ids, "CancelRequestItem")
    role = matching.side_of(circ, ids)
    item = (
        matching.our_item(circ, ids.item)
        if role is Role.LENDING
        else matching.borrowed_item(circ, circ.partner, ids.item)
    )
    request = matching.open_request(circ, role, ids, "CancelRequestItem", item)
    if request is None:
        raise _nothing_open(circ, ids, item)
    (lending.cancel if role is Role.LENDING else borrowing.cancel)(circ, request)
    shown = request.user_id is not None and answers.wants_user(circ, message.user_element_type)
    user = circ.user(request.user_id) if request.user_id is not None and shown else None
    return CancelRequestItemResponse(
        request_id=message.request_id or answers.request_id(request),
        item_id=message.item_id,
        user_id=message.user_id or el.UserId(user_identifier_value=request.user_as_sent or "-"),
        item_optional_fields=answers.item_fields(circ, item, message.item_element_type) if item else None,
        user_optional_fields=answers.user_fields(circ, user, message.user_element_type) if user else None,
    )


def _cancel_hold(message: CancelRequestItem, circ: Circulation, ids: matching.Named) -> CancelRequestItemResponse:
    named = matching.one_user_of(circ, ids, "CancelRequestItem") if ids.user else None
    hold = holds.named(circ, ids, message.request_type)
    if hold is None:
        raise matching.unknown_request("CancelRequestItem", ids.identifier or ids.item)
    user = circ.user(hold.user_id)
    if named is not None and named != user:
        raise matching.unknown_request("CancelRequestItem", ids.identifier or ids.item)
    if hold.state in (HoldState.FILLED, HoldState.CANCELLED):
        raise Problem(
            ProblemType.REQUEST_ALREADY_PROCESSED,
            element="CancelRequestItem/RequestId/RequestIdentifierValue",
            value=ids.identifier,
            detail=f"The hold is {hold.state} already; there is nothing to cancel.",
        )
    holds.cancel(circ, hold)
    item = holds.item_of(circ, hold)
    return CancelRequestItemResponse(
        request_id=holds.request_id(circ, hold, message.request_id),
        item_id=message.item_id,
        user_id=answers.user_id(circ, user),
        item_optional_fields=answers.item_fields(circ, item, message.item_element_type) if item else None,
        user_optional_fields=answers.user_fields(circ, user, message.user_element_type),
    )


def _nothing_open(circ: Circulation, ids: matching.Named, item: Item | None) -> Exception:
    ended: Request | None = next(iter(matching.called(circ, ids)), None)
    if ended is not None:
        return lending.already_processed(ended, "CancelRequestItem/RequestId/RequestIdentifierValue")
    if ids.item and item is None and not ids.identifier:
        return lending.unknown_item("CancelRequestItem", ids.item)
    return matching.unknown_request("CancelRequestItem", ids.identifier or ids.item)
