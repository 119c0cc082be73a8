"""Deciding a partner's renewal wish where the partner's renewals are manual."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from ncipd.circulation import renewal
from ncipd.circulation.clock import from_micros
from ncipd.circulation.model import ItemState, Role
from ncipd.desk import Done, action, conflict, finding

if TYPE_CHECKING:
    from ncipd.circulation.model import Item, Loan, Request
    from ncipd.circulation.unit import Circulation


class ApproveRenewal(msgspec.Struct, forbid_unknown_fields=True):
    """`request`: whose renewal; `due_date`: another date than the one asked for."""

    request: str
    due_date: str | None = None


class RejectRenewal(msgspec.Struct, forbid_unknown_fields=True):
    """`request`: whose renewal; `reason`: why not."""

    request: str
    reason: str = ""


@action("approve-renewal", ApproveRenewal)
def approve_renewal(decision: ApproveRenewal, circ: Circulation) -> Done:
    """Grant a partner's renewal and tell the partner (ItemRenewed)."""
    request, item, loan = _what(circ, decision.request)
    renewed, told = renewal.approve(circ, request, item, loan, finding.moment(circ, decision.due_date))
    date = f"{from_micros(renewed.due_at):%Y-%m-%d}" if renewed.due_at else ""
    return Done(f"{item.barcode} is renewed until {date}. {_told(told)}", "", circ.request(request.id), item, renewed)


@action("reject-renewal", RejectRenewal)
def reject_renewal(decision: RejectRenewal, circ: Circulation) -> Done:
    """Refuse a partner's renewal and tell the partner (Item Not Renewed)."""
    request, item, loan = _what(circ, decision.request)
    told = renewal.reject(circ, request, item, loan, decision.reason)
    return Done(f"The renewal of {item.barcode} is refused. {_told(told)}", "", circ.request(request.id), item, loan)


def _told(told: bool) -> str:
    return "The partner is being told." if told else "The partner has no broker URL: tell it by hand."


def _what(circ: Circulation, name: str) -> tuple[Request, Item, Loan]:
    request = finding.request(circ, name, Role.LENDING)
    circ.about(request)
    for place in circ.request_items(request):
        if place.state is ItemState.OUT and place.loan_id is not None:
            return request, circ.item(place.item_id), circ.loan(place.loan_id)
    raise conflict("nothing-on-loan", f"Request {request.identifier} has nothing on loan.", field="request", value=name)
