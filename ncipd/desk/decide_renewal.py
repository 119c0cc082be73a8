"""Deciding a partner's renewal wish where the partner's renewals are manual."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from ncipd.circulation import renewal
from ncipd.circulation.clock import from_micros
from ncipd.circulation.model import Role
from ncipd.desk import Done, action, finding

if TYPE_CHECKING:
    from ncipd.circulation.model import Item, Loan, Request
    from ncipd.circulation.unit import Circulation


class ApproveRenewal(msgspec.Struct, forbid_unknown_fields=True):
    """`request`: whose renewal; `due_date`: another date than the one asked for; `barcode`: of which volume."""

    request: str
    due_date: str | None = None
    barcode: str = ""


class RejectRenewal(msgspec.Struct, forbid_unknown_fields=True):
    """`request`: whose renewal; `reason`: why not; `barcode`: of which volume, where several wait."""

    request: str
    reason: str = ""
    barcode: str = ""


@action("approve-renewal", ApproveRenewal)
def approve_renewal(decision: ApproveRenewal, circ: Circulation) -> Done:
    """Grant a partner's renewal and tell the partner (ItemRenewed)."""
    request, item, loan = _what(circ, decision.request, decision.barcode)
    renewed, told = renewal.approve(circ, request, item, loan, finding.coming(circ, decision.due_date))
    date = f"{from_micros(renewed.due_at):%Y-%m-%d}" if renewed.due_at else ""
    return Done(f"{item.barcode} is renewed until {date}. {_told(told)}", "", circ.request(request.id), item, renewed)


@action("reject-renewal", RejectRenewal)
def reject_renewal(decision: RejectRenewal, circ: Circulation) -> Done:
    """Refuse a partner's renewal and tell the partner (Item Not Renewed)."""
    request, item, loan = _what(circ, decision.request, decision.barcode)
    told = renewal.reject(circ, request, item, loan, decision.reason)
    return Done(f"The renewal of {item.barcode} is refused. {_told(told)}", "", circ.request(request.id), item, loan)


def _told(told: bool) -> str:
    return "The partner is being told." if told else "The partner has no broker URL: tell it by hand."


def _what(circ: Circulation, name: str, barcode: str) -> tuple[Request, Item, Loan]:
    request = finding.request(circ, name, Role.LENDING)
    circ.about(request)
    return (request, *renewal.waiting(circ, request, barcode))
