"""ItemCheckedOut: an item has been lent elsewhere, or at a station of ours (Z39.83-1 section 5.5.6)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ncipd.circulation import borrowing, fees, lending, local, matching, naming, policy, renewal, review, shipping
from ncipd.circulation.clock import to_micros
from ncipd.circulation.handover import hand_over
from ncipd.circulation.identity import find_user
from ncipd.circulation.lifecycle import Event
from ncipd.circulation.model import RequestStatus, Role, TaskKind
from ncipd.circulation.partner import PartnerRole
from ncipd.circulation.rows import loan_row
from ncipd.ncip.messages import ItemCheckedOut, ItemCheckedOutResponse
from ncipd.ncip.problems import Problem, ProblemType
from ncipd.services import arriving, occurrence, serves

if TYPE_CHECKING:
    from ncipd.circulation.model import Item, Loan, Micros, Request
    from ncipd.circulation.unit import Circulation

SERVICE = "ItemCheckedOut"


@serves(ItemCheckedOut)
def item_checked_out(message: ItemCheckedOut, circ: Circulation) -> ItemCheckedOutResponse:
    """Record the loan: to a user of ours, or to the partner that has the item now."""
    ids = matching.named(circ, request=message.request_id, item=message.item_id, user=message.user_id)
    occurrence.take_as_fact(circ, message.ext)
    with review.kept(circ, SERVICE, f"item {ids.item}"):
        ids = naming.settled(circ, ids, SERVICE)
        if matching.is_local(circ.partner):
            _to_our_user(message, circ, ids)
        elif matching.side_of(circ, ids) is Role.BORROWING:
            _borrowed(message, circ, ids)
        else:
            _lent(message, circ, ids)
    return ItemCheckedOutResponse()


def _to_our_user(message: ItemCheckedOut, circ: Circulation, ids: matching.Named) -> None:
    item = circ.item_by_barcode(ids.item) if ids.item else None
    if item is None:
        raise lending.unknown_item(SERVICE, ids.item)
    user = find_user(circ, message.user_id, (), SERVICE)
    loan = circ.loan_of(item)
    if message.non_returnable_flag or message.electronic_resource_provided_flag:
        circ.note("what was supplied need not come back; no loan was made")
    elif loan is not None and loan.user_id == user.id and circ.occurred_at >= loan.out_at:
        loan = _dated(message, circ, loan)
    elif occurrence.told_of_earlier_loan(circ, item, _due(message, circ), lambda one: one.user_id == user.id):
        return
    elif not item.temporary:
        newest = _newest(circ, item)
        made = local.check_out(circ, item, user, _due(message, circ), charged_elsewhere=True)
        loan = _dated(message, circ, made, new=made.id > newest)
    else:
        request = circ.last_request_of(item)
        if request is None or request.user_id != user.id:
            raise Problem(
                ProblemType.USER_INELIGIBLE_TO_CHECK_OUT_THIS_ITEM,
                element=f"{SERVICE}/UserId/UserIdentifierValue",
                value=ids.user,
                detail=f"Item {ids.item} was borrowed from another library for another user.",
            )
        partner = circ.partner_of(request) or policy.LOCAL
        newest = _newest(circ, item)
        made = hand_over(circ, request, item, user, partner, _due(message, circ))
        loan = _dated(message, circ, made, new=made.id > newest)
    fees.take_up(circ, user, message.fiscal_transaction_information, loan, SERVICE)


def _borrowed(message: ItemCheckedOut, circ: Circulation, ids: matching.Named) -> None:
    """A broker tells that our user has it; a lender, that it has lent it to us."""
    item = borrowing.item_meant(circ, SERVICE, ids.item, ids.user)
    request = circ.last_request_of(item) if item is not None else None
    if item is None:
        request = circ.open_request(Role.BORROWING, circ.partner.code, ids.identifier, ids.identifier_agency)
        if request is None:
            raise lending.unknown_item(SERVICE, ids.item, hint="and this partner has no open request of this id")
        arriving.take_in(message, circ, ids, request, waits=True)
        return
    if request is None or request.user_id is None:
        raise matching.unknown_request(SERVICE, ids.identifier or ids.item)
    circ.about(request)
    if not request.open or not item.live:
        circ.note("the request has ended; nothing was changed")
        return
    if circ.partner.role is PartnerRole.PEER:
        due_at = _due(message, circ)
        if due_at is not None and due_at != request.due_at:
            circ.change_request(request, "set_request_due", due_at=due_at)
        return
    user = circ.user(request.user_id)
    known = circ.loan_of(item)
    newest = _newest(circ, item)
    loan = known or hand_over(circ, request, item, user, circ.partner, _due(message, circ))
    loan = _dated(message, circ, loan, new=loan.id > newest)
    fees.take_up(circ, user, message.fiscal_transaction_information, loan, SERVICE)


def _lent(message: ItemCheckedOut, circ: Circulation, ids: matching.Named) -> None:
    """Our item has left for the partner; or a peer library, which has it, has lent it on to its reader."""
    item = matching.our_item(circ, ids.item)
    request = matching.open_request(circ, Role.LENDING, ids, SERVICE, item)
    if request is not None and (request.digital or message.electronic_resource_provided_flag):
        shipping.ship_digitally(circ, request)
        return
    if item is None:
        raise lending.unknown_item(SERVICE, ids.item)
    loan = circ.loan_of(item)
    if loan is not None and _is_theirs(circ, loan):
        _has_it(message, circ, loan)
    elif loan is not None:
        _contradicts(circ, item)
    elif occurrence.told_of_earlier_loan(circ, item, _due(message, circ), lambda one: _is_theirs(circ, one)):
        return
    else:
        newest = _newest(circ, item)
        sent = {"identifier_agency": ids.identifier_agency, "user_as_sent": ids.user}
        shipment = shipping.ship(circ, request, item, ids.identifier, _due(message, circ), **sent)
        if shipment.loan is not None:
            _dated(message, circ, shipment.loan, shipment.request, new=shipment.loan.id > newest)


def _is_theirs(circ: Circulation, loan: Loan) -> bool:
    return loan.partner == circ.partner.code


def _newest(circ: Circulation, item: Item) -> int:
    """Give the number of the newest loan of an item, to know a new one by; 0 where it has none."""
    last = circ.tx.one("last_loan", loan_row, item=item.id)
    return last.id if last is not None else 0


def _has_it(message: ItemCheckedOut, circ: Circulation, loan: Loan) -> None:
    if occurrence.before(circ, loan):
        return
    request = circ.request(loan.request_id) if loan.request_id is not None else None
    if request is not None:
        circ.about(request)
    if circ.partner.role is not PartnerRole.PEER:
        _dated(message, circ, loan, request)
    elif request is not None and request.status is RequestStatus.SHIPPED_PHYSICALLY:
        circ.advance(request, Event.ARRIVE, "its reader has it")


def _contradicts(circ: Circulation, item: Item) -> None:
    note = f"{circ.partner.code} tells that it was checked out, but it is on another loan"
    circ.note(note)
    if not any(task.note == note for task in circ.tasks_about(item)):
        circ.ask_staff(Role.LENDING, TaskKind.REVIEW, item=item, note=note)


def _due(message: ItemCheckedOut, circ: Circulation) -> Micros | None:
    return to_micros(message.date_due, circ.zone) if message.date_due is not None else None


def _dated(
    message: ItemCheckedOut, circ: Circulation, loan: Loan, request: Request | None = None, *, new: bool = False
) -> Loan:
    """Give a loan the due date and the number of renewals that were told.

    Told again of a loan that a message had told before, the date is old news, unless the loan was renewed since.
    """
    due_at = None if message.indeterminate_loan_period_flag else _due(message, circ) or loan.due_at
    more = max((renewal.believed(message.renewal_count) or 0) - loan.renewals, 0)
    if loan.returned_at is not None or (loan.reported and not new and not more):
        circ.note("told before; nothing was changed")
        return loan
    if due_at == loan.due_at and not more and loan.reported:
        return loan
    if request is not None and request.due_at != due_at:
        circ.change_request(request, "set_request_due", due_at=due_at)
    loan = circ.change_loan(loan, "report_loan", due_at=due_at)
    return circ.change_loan(loan, "set_loan_due", due_at=due_at, renewals=more) if more else loan
