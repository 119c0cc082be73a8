"""Writing down what borrowers say of items that they do not have."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from ncipd.circulation import claims
from ncipd.circulation.clock import end_of_day
from ncipd.circulation.errors import DeskError, ErrorKind
from ncipd.circulation.model import LoanMark
from ncipd.desk import Done, action, conflict, finding

if TYPE_CHECKING:
    from ncipd.circulation.model import Micros
    from ncipd.circulation.unit import Circulation


class Report(msgspec.Struct, forbid_unknown_fields=True):
    """`barcode`: the item on loan; `said`: what of it; `returned`: when it is said to have come back."""

    barcode: str
    said: str
    returned: str | None = None


SAID = {
    LoanMark.CLAIMED_RETURNED: "claimed returned; staff look for it",
    LoanMark.NEVER_BORROWED: "claimed never borrowed; staff look for it",
    LoanMark.MISSING: "reported missing; staff look for it",
    LoanMark.LOST: "lost; the loan is over",
}


@action("report", Report)
def report(slip: Report, circ: Circulation) -> Done:
    """Write down that a borrower has returned an item, never had it, misses it or has lost it."""
    mark, returned = _mark(slip.said), _returned(circ, slip)
    item = finding.item(circ, slip.barcode)
    loan = circ.loan_of(item)
    if loan is None:
        raise conflict(
            "not-on-loan",
            f"Item {item.barcode} is not on loan, so nobody can say anything of its loan.",
            value=item.barcode,
            hint="What is only not found here is searched for: see the task list.",
        )
    loan = claims.report(circ, item, loan, mark, returned if mark is LoanMark.CLAIMED_RETURNED else None)
    request = circ.request(loan.request_id) if loan.request_id is not None else None
    return Done(f"{item.barcode} is {SAID[mark]}.", "", request, circ.item(item.id), loan)


def _mark(said: str) -> LoanMark:
    found = next((mark for mark in SAID if mark.value == said.strip().casefold()), None)
    if found is None:
        raise DeskError(
            ErrorKind.INVALID,
            "said-unknown",
            f"{said!r} is nothing that can be said of a loan.",
            field="said",
            value=said,
            hint=f"One of {', '.join(SAID)}.",
        )
    return found


def _returned(circ: Circulation, slip: Report) -> Micros | None:
    moment = finding.moment(circ, slip.returned, "returned")
    if moment is not None and moment > end_of_day(circ.now, circ.agency.time_zone):
        raise DeskError(
            ErrorKind.INVALID,
            "date-in-future",
            "An item cannot have come back in the future.",
            field="returned",
            value=slip.returned,
        )
    return moment
