"""Renewals that are being decided, by staff or by the lender: each volume of a request has a wish of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ncipd.circulation.model import ItemState, Loan, Micros, Request, RequestStatus

if TYPE_CHECKING:
    from ncipd.circulation.lifecycle import Event
    from ncipd.circulation.unit import Circulation


def undecided(circ: Circulation, request: Request) -> list[Loan]:
    """List the loans of a request that somebody wishes to keep longer, until `desired_due_at`."""
    if request.status is not RequestStatus.RENEW_REQUESTED:
        return []
    places = [place for place in circ.request_items(request) if place.state is ItemState.OUT]
    loans = [circ.loan(place.loan_id) for place in places if place.loan_id is not None]
    return [loan for loan in loans if loan.returned_at is None and loan.desired_due_at is not None]


def make(circ: Circulation, loan: Loan, desired: Micros) -> Loan:
    """Write down until when a loan is wished to last; a second wish takes the place of the first."""
    return circ.change_loan(loan, "set_loan_wish", desired_due_at=desired)


def forget(circ: Circulation, request: Request) -> None:
    """Drop every wish of a request, which goes on otherwise."""
    for loan in undecided(circ, request):
        circ.change_loan(loan, "set_loan_wish", desired_due_at=None)


def decide(circ: Circulation, request: Request, event: Event, note: str = "") -> Request:
    """Move a request by what became of a wish, unless another of its volumes still waits for an answer."""
    if undecided(circ, request):
        circ.note("another volume of the request waits for a decision still")
        return request
    return circ.advance(request, event, note)
