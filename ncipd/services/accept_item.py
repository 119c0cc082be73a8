"""AcceptItem: an item of another library has come for a user of ours (Z39.83-1 section 5.4.1)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ncipd.circulation import acceptance, catalogue, matching, naming
from ncipd.circulation.clock import to_micros
from ncipd.circulation.identity import find_user
from ncipd.circulation.model import Request, RequestStatus, Role
from ncipd.circulation.partner import Sides
from ncipd.ncip.messages import AcceptItem, AcceptItemResponse
from ncipd.ncip.problems import Problem, ProblemType
from ncipd.ncip.schemes import RequestedActionType
from ncipd.services import answers, serves

if TYPE_CHECKING:
    from ncipd.circulation.unit import Circulation
    from ncipd.ncip.types import Coded


@serves(AcceptItem)
def accept_item(message: AcceptItem, circ: Circulation) -> AcceptItemResponse:
    """Take the item in: request, temporary item, and hold or loan, as far as they do not exist yet."""
    if not circ.partner.serves(Sides.BORROWING):
        raise Problem(
            ProblemType.UNAUTHORIZED_SERVICE_FOR_SYSTEM,
            element="AcceptItem",
            detail=f"Partner {circ.partner.code} serves our lending side only; AcceptItem belongs to borrowing.",
        )
    ids = matching.named(circ, request=message.request_id, item=message.item_id, user=message.user_id)
    circ.side = Role.BORROWING
    if ids.user in circ.partner.pseudo_users:
        ids = ids._replace(user="")
    ids = naming.settled(circ, ids, "AcceptItem")
    known = circ.open_request(Role.BORROWING, circ.partner.code, ids.identifier, ids.identifier_agency)
    if known is None and (done := _delivered(message, circ, ids)) is not None:
        circ.about(done)
        circ.note("confirms a digital copy that was delivered already")
        return AcceptItemResponse(request_id=message.request_id, item_id=message.item_id)
    fields = message.item_optional_fields
    about = fields.bibliographic_description if fields else None
    copy = fields.item_description if fields else None
    circulate = _circulates(message.requested_action_type, circ)
    user = find_user(circ, message.user_id, (), "AcceptItem") if ids.user else None
    arrival = acceptance.Arrival(
        identifier=ids.identifier,
        identifier_agency=ids.identifier_agency,
        partner_item=ids.item,
        barcode="",
        user=user,
        user_as_sent=ids.user,
        return_by=to_micros(message.date_for_return, circ.zone) if message.date_for_return else None,
        renewal_forbidden=message.renewal_not_permitted,
        digital=_is_digital(message, circ, known is not None and bool(known.digital)),
        circulate=circulate,
        pickup_location=message.pickup_location.value.strip() if message.pickup_location else "",
        pickup_expires=to_micros(message.pickup_expiry_date, circ.zone) if message.pickup_expiry_date else None,
        title=(about.title or "") if about else "",
        author=(about.author or "") if about else "",
        call_number=(copy.call_number or "") if copy else "",
        policy="",
        note="",
    )
    _, item = acceptance.accept(circ, arrival, circ.partner, known)
    if item is not None and fields is not None:
        catalogue.restrict(circ, item, fields.item_use_restriction_type)
    return AcceptItemResponse(
        request_id=message.request_id,
        item_id=answers.item_id(item, message.item_id) if item is not None else message.item_id,
    )


def _circulates(action: Coded, circ: Circulation) -> bool:
    """Say whether the item goes to the user at once, or waits for them as everything else does.

    Partners have words of their own that begin alike (*Hold For Fulfillment*), some leave the element empty, and a
    value of a scheme of theirs is theirs to define: all of these hold the item. Raises Problem Element Rule Violated
    for a word that is none, unless the acceptance is mandated: then the item is in the building, and held.
    """
    word = action.value.strip().casefold()
    if word.startswith(("circulate", "hold")) or not word:
        return word.startswith("circulate")
    if circ.mandated or (action.scheme and action.scheme != RequestedActionType.HOLD_FOR_PICKUP.coded().scheme):
        circ.note(f"RequestedActionType {action.value!r} is not known here; the item is held for pickup")
        return False
    raise Problem(
        ProblemType.ELEMENT_RULE_VIOLATED,
        element="AcceptItem/RequestedActionType",
        value=action.value,
        detail=f"{action.value!r} is no action known here; send one of {', '.join(RequestedActionType)}.",
    )


def _delivered(message: AcceptItem, circ: Circulation, ids: matching.Named) -> Request | None:
    """Find the digital delivery that this message tells again: it left no item by which it could be known."""
    called = matching.called(circ, ids)
    return next(
        (
            request
            for request in called
            if request.status is RequestStatus.RECEIVED_DIGITALLY
            and _is_digital(message, circ, asked=bool(request.digital))
        ),
        None,
    )


def _is_digital(message: AcceptItem, circ: Circulation, asked: bool) -> bool:
    """Say whether a copy was delivered: by the flag, or as asked for, unless what has come must be returned."""
    returnable = message.date_for_return is not None or message.indeterminate_loan_period_flag
    return circ.partner.digital and (message.non_returnable_flag or (asked and not returnable))
