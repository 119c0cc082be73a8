"""What a partner's answer to a message of ours means."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ncipd.circulation import renewal
from ncipd.circulation.clock import to_micros
from ncipd.circulation.model import Item, ItemState, Request, RequestStatus, Role, TaskKind
from ncipd.ncip.messages import RenewItemResponse

if TYPE_CHECKING:
    from ncipd.circulation.unit import Circulation
    from ncipd.ncip.elements import Problem
    from ncipd.ncip.types import Response


def settle(
    circ: Circulation,
    service: str,
    request_id: int | None,
    loan_id: int | None,
    response: Response | None,
    problems: tuple[Problem, ...],
) -> None:
    """Take an answer up: a renewal granted, refused or pending; anything else refused goes to staff."""
    if request_id is None:
        return
    request = circ.request(request_id)
    circ.about(request)
    item = circ.item(circ.loan(loan_id).item_id) if loan_id is not None else _item(circ, request)
    if service == "RenewItem":
        _renewed(circ, request, item, response, problems)
    elif problems:
        words = _words(problems)
        circ.note(f"the partner answered: {words}")
        circ.ask_staff(
            request.role, TaskKind.REVIEW, request=request, item=item, note=f"{service} was refused: {words}"
        )


def _renewed(
    circ: Circulation, request: Request, item: Item | None, response: Response | None, problems: tuple[Problem, ...]
) -> None:
    if request.role is not Role.BORROWING:
        return
    if problems:
        renewal.rejected_by_lender(circ, request, item, _words(problems))
        return
    if not isinstance(response, RenewItemResponse) or response.pending is not None:
        circ.note("the lender will answer later")
        return
    date = response.date_due or response.date_for_return
    if date is None:
        circ.note("the lender agreed without a date; its RenewItem or ItemRenewed must bring it")
        return
    if item is not None and request.status is RequestStatus.RENEW_REQUESTED:
        renewal.approved_by_lender(circ, request, item, to_micros(date, _zone(circ, request)))


def _zone(circ: Circulation, request: Request) -> str:
    """Give the time zone of an answer's dates without one: the partner's, else the agency's."""
    partner = circ.partner_of(request)
    return (partner.time_zone if partner else "") or circ.agency.time_zone


def _item(circ: Circulation, request: Request) -> Item | None:
    out = [place for place in circ.request_items(request) if place.state is ItemState.OUT]
    return circ.item(out[0].item_id) if out else None


def _words(problems: tuple[Problem, ...]) -> str:
    return "; ".join(
        f"{problem.problem_type.value}: {problem.problem_detail}"
        if problem.problem_detail
        else problem.problem_type.value
        for problem in problems
    )
