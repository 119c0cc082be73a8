"""Handing a borrowed item to the user it came for, told in time or late."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ncipd.circulation import borrowing, history, policy
from ncipd.circulation.lifecycle import Event, allows
from ncipd.circulation.model import Role, TaskKind
from ncipd.ncip.problems import Problem, ProblemType

if TYPE_CHECKING:
    from ncipd.circulation.model import Item, Loan, Micros, Request, User
    from ncipd.circulation.partner import Partner
    from ncipd.circulation.unit import Circulation

_LEFT = frozenset({Event.RETURN.value, Event.SEND_BACK.value, Event.COMPLETE.value})


def hand_over(
    circ: Circulation, request: Request, item: Item, user: User, partner: Partner, due_at: Micros | None
) -> Loan:
    """Lend a borrowed item to its user; one that nobody had received here has evidently come."""
    circ.about(request)
    past = _past_loan(circ, request, item, user, partner, due_at) if circ.mandated else None
    if past is not None:
        return past
    if circ.loan_of(item) is not None:
        raise Problem(
            ProblemType.ITEM_ALREADY_CHECKED_OUT,
            element="CheckOutItem/ItemId/ItemIdentifierValue",
            value=item.barcode,
            detail=f"Item {item.barcode} is on loan to somebody else; check it in first.",
        )
    if not allows(Role.BORROWING, request.status, Event.LOAN) and allows(Role.BORROWING, request.status, Event.RECEIVE):
        request = circ.advance(request, Event.RECEIVE, "it was lent before the desk had received it")
        circ.finish_item_tasks(item, TaskKind.RECEIVE)
    loan, _ = borrowing.lend(circ, request, item, user, partner, due_at)
    return loan


def _past_loan(
    circ: Circulation, request: Request, item: Item, user: User, partner: Partner, due_at: Micros | None
) -> Loan | None:
    known = history.told_before(circ, item, lambda one: one.user_id == user.id)
    if known is not None:
        circ.note("the check-out is recorded already; nothing was changed")
        return known
    over = history.over_at(circ, item) or _left_at(circ, request)
    if over is None and item.live:
        return None
    due = due_at or policy.user_due(partner, request.due_at, circ.occurred_at, circ.agency.time_zone)
    loan = history.write_loan(circ, item, over or circ.now, due, user=user.id, request=request.id)
    place = circ.request_item(request, item)
    if place is not None and place.loan_id is None:
        circ.set_request_item(place, place.state, loan.id)
    return loan


def _left_at(circ: Circulation, request: Request) -> Micros | None:
    """Say when the item left the user, as far as the request's history tells."""
    events = circ.events(request)
    return next((at for at, event, _, _ in events if event in _LEFT and at > circ.occurred_at), None)
