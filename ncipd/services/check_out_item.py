"""CheckOutItem: an item has been shipped, or is lent to a user of ours (Z39.83-1 section 5.4.3)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ncipd.circulation import borrowing, conditions, fees, lending, local, matching, naming, policy, shipping
from ncipd.circulation.catalogue import resource_of
from ncipd.circulation.clock import optional_date, to_micros
from ncipd.circulation.handover import hand_over
from ncipd.circulation.identity import find_user
from ncipd.circulation.model import Role
from ncipd.ncip import elements as el
from ncipd.ncip.messages import CheckOutItem, CheckOutItemResponse
from ncipd.ncip.problems import Problem, ProblemType
from ncipd.services import answers, serves

if TYPE_CHECKING:
    from ncipd.circulation.model import Item, Loan, Micros, Request, User
    from ncipd.circulation.unit import Circulation


@serves(CheckOutItem)
def check_out_item(message: CheckOutItem, circ: Circulation) -> CheckOutItemResponse:
    """Record a shipment to a partner, the supply of a digital copy, or a loan to a user of ours."""
    ids = matching.named(circ, request=message.request_id, item=message.item_id, user=message.user_id)
    conditions.refuse_address(circ, message.shipping_information, "CheckOutItem")
    if matching.is_local(circ.partner):
        return _lend_locally(message, circ, ids)
    ids = naming.settled(circ, ids, "CheckOutItem")
    if matching.side_of(circ, ids) is Role.BORROWING:
        return _lend_borrowed(message, circ, ids)
    item = matching.our_item(circ, ids.item)
    request = matching.open_request(circ, Role.LENDING, ids, "CheckOutItem", item)
    if _is_digital(message, circ, request, ids):
        return _supply_digitally(message, circ, request, ids)
    if item is None:
        raise lending.unknown_item("CheckOutItem", ids.item)
    wished = to_micros(message.desired_date_due, circ.zone) if message.desired_date_due else None
    shipment = shipping.ship(
        circ, request, item, ids.identifier, wished, identifier_agency=ids.identifier_agency, user_as_sent=ids.user
    )
    return _answer(message, circ, item, shipment.loan)


def _is_digital(message: CheckOutItem, circ: Circulation, request: Request | None, ids: matching.Named) -> bool:
    if not circ.partner.digital:
        return False
    if request is not None:
        return bool(request.digital) or message.resource_desired
    if message.resource_desired:
        return True
    ended = matching.called(circ, ids)
    return bool(ended and ended[0].digital and ended[0].role is Role.LENDING)


def _supply_digitally(
    message: CheckOutItem, circ: Circulation, request: Request | None, ids: matching.Named
) -> CheckOutItemResponse:
    if request is None:
        request = next(iter(matching.called(circ, ids)), None)
    if request is None:
        raise matching.unknown_request("CheckOutItem", ids.identifier)
    shipping.ship_digitally(circ, request)
    item = matching.our_item(circ, ids.item)
    return CheckOutItemResponse(
        item_id=message.item_id,
        user_id=_user(message),
        non_returnable_flag=True,
        electronic_resource=resource_of(item) if item is not None and message.resource_desired else None,
    )


# ---------------------------------------------------------------------------------------------- to users of ours


def _lend_borrowed(message: CheckOutItem, circ: Circulation, ids: matching.Named) -> CheckOutItemResponse:
    """The broker tells that a user of ours has got what was borrowed for them."""
    item = borrowing.item_meant(circ, "CheckOutItem", ids.item, ids.user)
    if item is None or not (item.live or circ.mandated):
        raise lending.unknown_item("CheckOutItem", ids.item)
    request = circ.last_request_of(item)
    if request is None or request.user_id is None:
        raise matching.unknown_request("CheckOutItem", ids.identifier)
    named = matching.user_of(circ, ids)
    if named is not None and named.id != request.user_id:
        raise _for_another_user(ids)
    user = circ.user(request.user_id)
    loan = circ.loan_of(item) or hand_over(circ, request, item, user, circ.partner, _wished(message, circ))
    return _answer(message, circ, item, loan)


def _lend_locally(message: CheckOutItem, circ: Circulation, ids: matching.Named) -> CheckOutItemResponse:
    """A self-check or another system of ours lends to a user."""
    item = circ.item_by_barcode(ids.item) if ids.item else None
    if item is None:
        raise lending.unknown_item("CheckOutItem", ids.item)
    user = find_user(circ, message.user_id, message.authentication_input, "CheckOutItem")
    if message.resource_desired:
        resource = local.supply(circ, item, user, _accepted(message))
        return CheckOutItemResponse(
            item_id=message.item_id,
            user_id=message.user_id or answers.user_id(circ, user),
            non_returnable_flag=True,
            electronic_resource=resource,
            user_optional_fields=answers.user_fields(circ, user, message.user_element_type),
        )
    loan = circ.loan_of(item)
    if loan is None or loan.user_id != user.id:
        due_at = _wished(message, circ)
        if item.temporary:
            loan = _lend_borrowed_locally(circ, item, user, due_at, ids)
        else:
            loan = local.check_out(circ, item, user, due_at, _accepted(message))
    return _answer(message, circ, circ.item(item.id), loan, user)


def _lend_borrowed_locally(
    circ: Circulation, item: Item, user: User, due_at: Micros | None, ids: matching.Named
) -> Loan:
    request = circ.last_request_of(item)
    if request is None:
        raise lending.unknown_item("CheckOutItem", ids.item, hint="it came for no request; send it back")
    if request.user_id != user.id:
        raise _for_another_user(ids)
    if not circ.mandated:
        local.refuse_loan(circ, user)
    partner = circ.partner_of(request) or policy.LOCAL
    return hand_over(circ, request, item, user, partner, due_at)


def _accepted(message: CheckOutItem) -> conditions.Accepted:
    return conditions.Accepted(
        message.acknowledged_fee_amount,
        message.paid_fee_amount,
        message.acknowledged_item_use_restriction_type,
    )


def _wished(message: CheckOutItem, circ: Circulation) -> Micros | None:
    """Read the due date wished for; raises Problem Invalid Date for one that has passed."""
    if message.desired_date_due is None:
        return None
    wished = to_micros(message.desired_date_due, circ.zone)
    if wished > circ.occurred_at:
        return wished
    if circ.mandated:
        circ.note("the desired due date had passed; the usual loan period was given")
        return None
    raise Problem(
        ProblemType.INVALID_DATE,
        element="CheckOutItem/DesiredDateDue",
        value=message.desired_date_due.isoformat(),
        detail="The desired due date has passed; send a later one, or none for the usual loan period.",
    )


def _for_another_user(ids: matching.Named) -> Problem:
    return Problem(
        ProblemType.USER_INELIGIBLE_TO_CHECK_OUT_THIS_ITEM,
        element="CheckOutItem/UserId/UserIdentifierValue",
        value=ids.user,
        detail=f"Item {ids.item} was borrowed for another user and is lent to that user only.",
    )


def _answer(
    message: CheckOutItem, circ: Circulation, item: Item, loan: Loan | None, user: User | None = None
) -> CheckOutItemResponse:
    if loan is None:
        raise Problem(ProblemType.TEMPORARY_PROCESSING_FAILURE, detail="The loan was not made; send the message again.")
    return CheckOutItemResponse(
        item_id=message.item_id,
        user_id=message.user_id or (answers.user_id(circ, user) if user is not None else _user(message)),
        date_due=optional_date(loan.due_at),
        indeterminate_loan_period_flag=loan.due_at is None,
        renewal_count=loan.renewals,
        fiscal_transaction_information=fees.told(circ, loan) if user else None,
        item_optional_fields=answers.item_fields(circ, item, message.item_element_type),
        user_optional_fields=answers.user_fields(circ, user, message.user_element_type) if user else None,
    )


def _user(message: CheckOutItem) -> el.UserId:
    return message.user_id or el.UserId(user_identifier_value="-")
