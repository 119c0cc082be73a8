"""CheckOutItem: an item has been shipped, or is lent to a user of ours (Z39.83-1 section 5.4.3)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ncipd.circulation import borrowing, lending, local, matching
from ncipd.circulation.clock import optional_date, to_micros
from ncipd.circulation.identity import find_user
from ncipd.circulation.model import Role
from ncipd.ncip import elements as el
from ncipd.ncip.messages import CheckOutItem, CheckOutItemResponse
from ncipd.ncip.problems import Problem, ProblemType
from ncipd.services import answers, serves

if TYPE_CHECKING:
    from ncipd.circulation.model import Item, Loan, Request
    from ncipd.circulation.unit import Circulation


@serves(CheckOutItem)
def check_out_item(message: CheckOutItem, circ: Circulation) -> CheckOutItemResponse:
    """Record a shipment to a partner, the supply of a digital copy, or a loan to a user of ours."""
    ids = matching.named(circ, request=message.request_id, item=message.item_id, user=message.user_id)
    if matching.is_local(circ.partner):
        return _lend_locally(message, circ, ids)
    if matching.side_of(circ, ids) is Role.BORROWING:
        return _lend_borrowed(message, circ, ids)
    item = matching.our_item(circ, ids.item)
    request = matching.open_request(circ, Role.LENDING, ids, "CheckOutItem", item)
    if _is_digital(message, circ, request, ids):
        return _supply_digitally(message, circ, request, ids)
    if item is None:
        raise lending.unknown_item("CheckOutItem", ids.item)
    over = _over(message, circ, item, ids)
    if over is not None:
        circ.note("the check-out happened before a check-in that is recorded already; nothing was changed")
        return _answer(message, circ, item, over)
    wished = to_micros(message.desired_date_due, circ.zone) if message.desired_date_due else None
    shipment = lending.ship(
        circ, request, item, ids.identifier, wished, identifier_agency=ids.identifier_agency, user_as_sent=ids.user
    )
    return _answer(message, circ, item, shipment.loan)


def _over(message: CheckOutItem, circ: Circulation, item: Item, ids: matching.Named) -> Loan | None:
    """Find the loan that is told of after its end: a past fact never undoes a later one."""
    if message.mandated_action is None:
        return None
    happened = to_micros(message.mandated_action.date_event_occurred, circ.zone)
    last = circ.last_request_of(item)
    requests = circ.requests_called(circ.partner.code, ids.identifier) if ids.identifier else [last] if last else []
    for request in requests:
        place = circ.request_item(request, item) if request.partner == circ.partner.code else None
        loan = circ.loan(place.loan_id) if place is not None and place.loan_id is not None else None
        if loan is not None and loan.returned_at is not None and happened <= loan.returned_at:
            circ.about(request)
            return loan
    return None


def _is_digital(message: CheckOutItem, circ: Circulation, request: Request | None, ids: matching.Named) -> bool:
    if not circ.partner.digital:
        return False
    if request is not None:
        return bool(request.digital) or message.resource_desired
    if message.resource_desired:
        return True
    ended = circ.requests_called(circ.partner.code, ids.identifier) if ids.identifier else []
    return bool(ended and ended[0].digital and ended[0].role is Role.LENDING)


def _supply_digitally(
    message: CheckOutItem, circ: Circulation, request: Request | None, ids: matching.Named
) -> CheckOutItemResponse:
    if request is None:
        request = next(iter(circ.requests_called(circ.partner.code, ids.identifier)), None) if ids.identifier else None
    if request is None:
        raise matching.unknown_request("CheckOutItem", ids.identifier)
    lending.ship_digitally(circ, request)
    return CheckOutItemResponse(item_id=message.item_id, user_id=_user(message), non_returnable_flag=True)


def _lend_borrowed(message: CheckOutItem, circ: Circulation, ids: matching.Named) -> CheckOutItemResponse:
    item = matching.borrowed_item(circ, circ.partner, ids.item)
    if item is None or not item.live:
        raise lending.unknown_item("CheckOutItem", ids.item)
    request = circ.last_request_of(item)
    if request is None or request.user_id is None:
        raise matching.unknown_request("CheckOutItem", ids.identifier)
    loan = circ.loan_of(item)
    if loan is None:
        due = to_micros(message.desired_date_due, circ.zone) if message.desired_date_due else None
        user = circ.user(request.user_id)
        loan, _ = borrowing.lend(circ, request, item, user, circ.partner, due)
    return _answer(message, circ, item, loan)


def _lend_locally(message: CheckOutItem, circ: Circulation, ids: matching.Named) -> CheckOutItemResponse:
    item = matching.our_item(circ, ids.item)
    if item is None:
        raise lending.unknown_item("CheckOutItem", ids.item)
    user = find_user(circ, message.user_id, message.authentication_input, "CheckOutItem")
    loan = circ.loan_of(item)
    if loan is None or loan.user_id != user.id:
        due = to_micros(message.desired_date_due, circ.zone) if message.desired_date_due else None
        loan = local.check_out(circ, item, user, due, message)
    return _answer(message, circ, item, loan)


def _answer(message: CheckOutItem, circ: Circulation, item: Item, loan: Loan | None) -> CheckOutItemResponse:
    if loan is None:
        raise Problem(ProblemType.TEMPORARY_PROCESSING_FAILURE, detail="The loan was not made; send the message again.")
    return CheckOutItemResponse(
        item_id=message.item_id,
        user_id=_user(message),
        date_due=optional_date(loan.due_at),
        indeterminate_loan_period_flag=loan.due_at is None,
        renewal_count=loan.renewals,
        item_optional_fields=answers.item_fields(circ, item, message.item_element_type),
    )


def _user(message: CheckOutItem) -> el.UserId:
    return message.user_id or el.UserId(user_identifier_value="-")
