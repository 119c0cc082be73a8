"""A copy of ours leaves for another library, as a volume or as a file; told once, again, or afterwards."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ncipd.circulation import allocation, claims, errands, history, lending, policy, returning
from ncipd.circulation.clock import days_later
from ncipd.circulation.lifecycle import Event, allows
from ncipd.circulation.model import (
    HoldState,
    Item,
    ItemState,
    ItemStatus,
    Loan,
    Micros,
    Request,
    RequestStatus,
    Role,
    TaskKind,
)
from ncipd.circulation.partner import OpenLoan
from ncipd.ncip.problems import Problem, ProblemType

if TYPE_CHECKING:
    from ncipd.circulation.unit import Circulation


class Shipment(NamedTuple):
    """What a check-out came to: the loan, or none where the supply is digital."""

    request: Request
    item: Item | None
    loan: Loan | None


def ship(
    circ: Circulation, request: Request | None, item: Item, identifier: str, wished: Micros | None, **sent: str
) -> Shipment:
    """Record that an item has left for a partner; the same shipment reported twice is one loan.

    `sent` are the ids as the partner wrote them (`identifier_agency`, `user_as_sent`).
    Raises Problem: Item Already Checked Out, Unknown Request, Element Rule Violated (date beyond the maximum).
    """
    out = circ.loan_of(item)
    same = _same_shipment(circ, request, out, identifier) if out is not None else None
    if out is not None and same is not None:
        return _confirm(circ, same, item, out, wished)
    past = _past_shipment(circ, request if identifier else None, item, identifier, wished, sent)
    if past is not None:
        return past
    if out is not None:
        _close_older(circ, item, out)
    due_at = _due(circ, request, wished)
    if request is None:
        request = _unannounced(circ, item, identifier, due_at, sent)
    else:
        circ.about(request)
        if request.digital and not allows(Role.LENDING, request.status, Event.SHIP):
            raise lending.already_processed(request, "CheckOutItem/RequestId/RequestIdentifierValue")
        allocation.free_wanted(circ, request, keep=item)
        request = circ.advance(request, Event.SHIP)
        request = circ.change_request(request, "set_request_due", due_at=due_at)
        circ.finish_tasks(request, *((TaskKind.LOCATE, TaskKind.PICK) if request.digital else (TaskKind.LOCATE,)))
        errands.strike(circ, item, TaskKind.PICK, TaskKind.SHIP, request=request)
    take_away(circ, item, request)
    partner = circ.partner_of(request)
    location = circ.location(partner.lending_location) if partner and partner.lending_location else None
    loan = circ.lend(item, due_at, partner=request.partner, request=request.id)
    circ.change_item(item, "set_item_lent", location=location.id if location else None)
    circ.add_request_item(request, item, ItemState.OUT, loan.id)
    return Shipment(request, item, loan)


def _past_shipment(
    circ: Circulation,
    request: Request | None,
    item: Item,
    identifier: str,
    wished: Micros | None,
    sent: dict[str, str],
) -> Shipment | None:
    """Write down a shipment that is told after it was over; None where the item may still be out on it."""
    if not circ.mandated:
        return None
    known = history.told_before(circ, item, lambda one: _same_shipment(circ, request, one, identifier) is not None)
    if known is not None and known.request_id is not None:
        told = circ.request(known.request_id)
        circ.about(told)
        circ.note("the check-out is recorded already, and so is what came after it; nothing was changed")
        return Shipment(told, item, known)
    over = history.over_at(circ, item)
    if over is None:
        return None
    due_at = _due(circ, request, wished)
    place = circ.request_item(request, item) if request is not None else None
    was_set_aside = (
        request is not None
        and place is not None
        and request.status is RequestStatus.BEING_PROCESSED
        and allocation.is_set_aside(request, place, item)
    )
    if request is None:
        request = _unannounced(circ, item, identifier, due_at, sent)
    else:
        circ.about(request)
        allocation.free_wanted(circ, request, keep=item)
        request = circ.advance(request, Event.SHIP)
    loan = history.write_loan(circ, item, over, due_at, partner=request.partner, request=request.id)
    circ.add_request_item(request, item, ItemState.BACK, loan.id)
    if place is not None and was_set_aside:
        allocation.put_back(circ, request, item, picked=place.state is ItemState.PICKED)
    return Shipment(returning.complete_if_all_back(circ, request), item, loan)


def _same_shipment(circ: Circulation, request: Request | None, loan: Loan, identifier: str) -> Request | None:
    if loan.request_id is None or loan.partner is None:
        return None
    holder = circ.request(loan.request_id)
    if circ.by_message and holder.partner != circ.partner.code:
        return None
    if request is not None:
        return holder if holder.id == request.id else None
    return holder if not identifier or holder.identifier == identifier else None


def _confirm(circ: Circulation, request: Request, item: Item, loan: Loan, wished: Micros | None) -> Shipment:
    circ.about(request)
    if circ.by_message and not loan.reported:
        due_at = _due(circ, request, wished) if wished is not None else loan.due_at
        if loan.recalled_at is not None and loan.due_at is not None and due_at is not None:
            due_at = min(due_at, loan.due_at)  # a recall since then stands
        loan = circ.change_loan(loan, "report_loan", due_at=due_at)
        if due_at != request.due_at:
            request = circ.change_request(request, "set_request_due", due_at=due_at)
        circ.note("confirms what the desk had shipped")
    return Shipment(request, item, loan)


def _close_older(circ: Circulation, item: Item, loan: Loan) -> None:
    own = circ.by_message and loan.partner == circ.partner.code
    if circ.mandated:
        give_way(circ, item, loan)
        return
    if not (own and circ.partner.open_loan is OpenLoan.CLOSE_OWN):
        raise Problem(
            ProblemType.ITEM_ALREADY_CHECKED_OUT,
            element="CheckOutItem/ItemId/ItemIdentifierValue",
            value=item.barcode,
            detail=f"Item {item.barcode} is still out on another loan; check it in first.",
        )
    circ.note(f"closed the older loan {loan.id} of the same partner")
    returning.give_back(circ, item, loan)


def give_way(circ: Circulation, item: Item, loan: Loan) -> None:
    """End a loan because the item is known to have gone out again after it; staff see that nobody checked it in."""
    circ.note(f"the item went out again while it was on loan {loan.id}, which was ended")
    circ.ask_staff(
        Role.LENDING, TaskKind.REVIEW, item=item, note="it went out again though nobody had checked it in before"
    )
    returning.give_back(circ, item, loan)


def _due(circ: Circulation, request: Request | None, wished: Micros | None) -> Micros:
    if wished is not None and wished <= circ.occurred_at:
        circ.note("the desired due date has passed; the usual loan period was given")
        wished = None
    partner = circ.partner if circ.by_message else circ.partner_of(request) if request is not None else None
    if circ.mandated:
        return wished or days_later(circ.occurred_at, (partner or policy.LOCAL).loan_days, circ.agency.time_zone)
    decided = policy.due_at_check_out(partner or policy.LOCAL, wished, circ.now, circ.agency.time_zone)
    if isinstance(decided, policy.Refusal):
        raise Problem(decided.problem, element="CheckOutItem/DesiredDateDue", detail=decided.detail)
    return decided


def _unannounced(circ: Circulation, item: Item, identifier: str, due_at: Micros, sent: dict[str, str]) -> Request:
    if circ.by_message and not circ.partner.check_out_without_request and not circ.mandated:
        raise Problem(
            ProblemType.UNKNOWN_REQUEST,
            element="CheckOutItem/RequestId/RequestIdentifierValue",
            value=identifier,
            detail=f"No open lending request {identifier!r} of this partner; send RequestItem before CheckOutItem.",
        )
    record = circ.record(item.record_id)
    return circ.add_request(
        Role.LENDING,
        Event.SHIP,
        identifier,
        record=record.id,
        title=record.title,
        author=record.author,
        due_at=due_at,
        item_as_sent=item.barcode,
        **sent,
    )


def take_away(circ: Circulation, item: Item, request: Request | None = None) -> None:
    """A copy has left, for this request or over the counter: it is not to be had for anything else."""
    circ.finish_item_tasks(item, TaskKind.RESHELVE, TaskKind.SEND_HOME, TaskKind.SHELVE_HOLD)
    if item.status is ItemStatus.LOST:
        claims.found(circ, item, leaving_for=request)
    if item.status is not ItemStatus.AVAILABLE:  # else it was not set aside for anybody
        _take_from_others(circ, item, request)
        _take_from_readers(circ, item)


def _take_from_others(circ: Circulation, item: Item, request: Request | None) -> None:
    """A copy that has left cannot fill the other requests that it was set aside for."""
    for other in circ.open_requests_of(item):
        place = circ.request_item(other, item)
        if (request is not None and other.id == request.id) or other.digital or place is None:
            continue
        if place.state not in (ItemState.WANTED, ItemState.PICKED):
            continue
        circ.set_request_item(place, ItemState.WAITING)
        errands.strike(circ, item, TaskKind.PICK, TaskKind.SHIP, request=other)
        if other.status is RequestStatus.BEING_PROCESSED and not allocation.has_set_aside(circ, other):
            whom = f"for request {request.identifier}" if request is not None else "to a user"
            circ.advance(other, Event.WAIT, f"item {item.barcode} went out {whom}")


def _take_from_readers(circ: Circulation, item: Item) -> None:
    """What has left is not to be put back, fetched or held for a user here; who waited for it goes on waiting."""
    for hold in circ.holds_on(item):
        if hold.item_id != item.id or hold.request_id is not None:
            continue
        circ.note(f"item {item.barcode} went out although a user here waits for it")
        if hold.state is HoldState.READY:
            circ.set_hold(hold, HoldState.WAITING)
    errands.strike(circ, item, TaskKind.PICK)


def ship_digitally(circ: Circulation, request: Request) -> Request:
    """Record that a digital copy was supplied: done at once, or waiting for the desk's or the partner's word."""
    circ.about(request)
    if request.status in (RequestStatus.SHIPPED_DIGITALLY, RequestStatus.COMPLETED):
        return request
    partner = circ.partner_of(request)
    waits = partner is not None and partner.receive_digitally
    event = Event.SHIP_DIGITALLY if waits else Event.SUPPLY_DIGITALLY
    if not allows(Role.LENDING, request.status, event):
        raise lending.already_processed(request, "CheckOutItem/RequestId/RequestIdentifierValue")
    circ.finish_tasks(request)
    moved = circ.advance(request, event)
    # The request still knows the volume that the copy was made from: CheckInItem may name that alone.
    allocation.let_go(circ, request, ItemState.BACK)
    for place in circ.request_items(request):  # what was answered about an earlier copy of it lapses
        circ.touch("item", place.item_id)
    if waits:
        circ.ask_staff(Role.LENDING, TaskKind.CONFIRM_DIGITAL, request=moved)
    return moved
