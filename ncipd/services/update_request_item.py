"""UpdateRequestItem: what a request says is changed (Z39.83-1 section 5.4.21)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ncipd.circulation import details, hold_details, holds, lending, matching
from ncipd.circulation.clock import optional_date
from ncipd.circulation.model import Hold, HoldState, Request
from ncipd.ncip import elements as el
from ncipd.ncip.messages import ItemRequestUpdated, UpdateRequestItem, UpdateRequestItemResponse
from ncipd.ncip.problems import Problem, ProblemType
from ncipd.ncip.schemes import RequestScopeType, RequestType
from ncipd.ncip.types import Coded
from ncipd.services import answers, finding, serves

if TYPE_CHECKING:
    from ncipd.circulation.unit import Circulation


@serves(UpdateRequestItem)
def update_request_item(message: UpdateRequestItem, circ: Circulation) -> UpdateRequestItemResponse:
    """Delete, then add; all of it or nothing, and only while the request is open."""
    request = change(message, circ, "UpdateRequestItem")
    if isinstance(request, Hold):
        return _of_hold(message, circ, request)
    item = finding.item_of(circ, request)
    named = el.ItemId(item_identifier_value=request.item_as_sent)
    user = circ.user(request.user_id) if request.user_id is not None else None
    return UpdateRequestItemResponse(
        item_id=answers.item_id(item, message.item_id) if item else message.item_id or named,
        user_id=message.user_id or el.UserId(user_identifier_value=request.user_as_sent or "-"),
        request_type=Coded(request.request_type) if request.request_type else RequestType.LOAN.coded(),
        request_scope_type=Coded(request.request_scope) if request.request_scope else RequestScopeType.ITEM.coded(),
        date_available=optional_date(request.available_at),
        item_optional_fields=answers.item_fields(circ, item, message.item_element_type) if item else None,
        user_optional_fields=answers.user_fields(circ, user, message.user_element_type) if user else None,
    )


def _of_hold(message: UpdateRequestItem, circ: Circulation, hold: Hold) -> UpdateRequestItemResponse:
    user = circ.user(hold.user_id)
    item = holds.item_of(circ, hold)
    copy = item or circ.items_of(hold.record_id or 0)[0]
    said = hold_details.of(circ, hold)
    scope = RequestScopeType.ITEM if hold.record_id is None else RequestScopeType.BIBLIOGRAPHIC_ITEM
    return UpdateRequestItemResponse(
        item_id=answers.item_id(copy),
        user_id=answers.user_id(circ, user),
        request_type=hold_details.request_type(hold),
        request_scope_type=scope.coded(),
        date_available=said.get("date_available"),
        item_optional_fields=answers.item_fields(circ, copy, message.item_element_type),
        user_optional_fields=answers.user_fields(circ, user, message.user_element_type),
    )


def _hold_named(circ: Circulation, ids: matching.Named, type_: Coded | None, service: str) -> Hold | None:
    """Find the hold of one of our own users; raises Problem Unknown User, Unknown Item, Request Already Processed."""
    if not matching.is_local(circ.partner):
        return None
    if not ids.identifier:
        matching.one_user_of(circ, ids, service)
    if not ids.identifier and matching.our_item(circ, ids.item) is None:
        raise lending.unknown_item(service, ids.item)
    hold = holds.named(circ, ids, type_)
    if hold is not None and hold.state not in (HoldState.WAITING, HoldState.READY):
        raise Problem(
            ProblemType.REQUEST_ALREADY_PROCESSED,
            element=f"{service}/RequestId/RequestIdentifierValue",
            value=ids.identifier,
            detail=f"The hold is {hold.state} already; there is nothing to change.",
        )
    return hold


def change(message: UpdateRequestItem | ItemRequestUpdated, circ: Circulation, service: str) -> Request | Hold:
    """Carry out the deletions and additions of a message."""
    ids = matching.named(circ, request=message.request_id, item=message.item_id, user=message.user_id)
    deleted, added = message.delete_request_fields, message.add_request_fields
    request = _hold_named(circ, ids, message.request_type, service) or finding.request_named(circ, ids, service)
    if deleted is None and added is None:
        raise Problem(
            ProblemType.NEEDED_DATA_MISSING,
            element=f"{service}/AddRequestFields",
            detail="Nothing is to be deleted or added; send DeleteRequestFields, AddRequestFields or both.",
        )
    if isinstance(request, Hold):
        return hold_details.change(circ, request, deleted, added, service)
    circ.about(request)
    if not request.open:
        raise lending.already_processed(request, f"{service}/RequestId/RequestIdentifierValue")
    if deleted is not None:
        request = details.delete(circ, request, deleted, service)
    if added is not None:
        request = details.add(circ, request, added, service)
    return request
