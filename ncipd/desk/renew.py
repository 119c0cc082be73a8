"""Renewing for a user."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from ncipd.circulation import local, renewal
from ncipd.circulation.clock import from_micros
from ncipd.desk import Done, action, conflict, finding

if TYPE_CHECKING:
    from ncipd.circulation.unit import Circulation


class Renew(msgspec.Struct, forbid_unknown_fields=True):
    """`barcode`: the item on loan; `due_date`: the date wished for, else by the rules."""

    barcode: str
    due_date: str | None = None


@action("renew", Renew)
def renew(slip: Renew, circ: Circulation) -> Done:
    """Renew a user's loan: at once for our own item, by asking the lender for a borrowed one."""
    item = finding.item(circ, slip.barcode)
    loan = circ.loan_of(item)
    if loan is None or loan.user_id is None:
        raise conflict("not-on-loan", f"Item {item.barcode} is not on loan to a user.", value=item.barcode)
    wished = finding.moment(circ, slip.due_date)
    if not item.temporary:
        renewed = local.renew(circ, item, loan, wished)
        date = f"{from_micros(renewed.due_at):%Y-%m-%d}" if renewed.due_at else "without a date"
        return Done(f"{item.barcode} is renewed until {date}.", "", None, item, renewed)
    request = circ.last_request_of(item)
    if request is None:
        raise conflict("not-requested", f"Item {item.barcode} came for no request.", value=item.barcode)
    local.refuse_renewal(circ, item, loan)
    asked = renewal.ask_lender(circ, request, item, loan, wished)
    return Done(
        f"The lender is being asked to renew {item.barcode} until {from_micros(asked):%Y-%m-%d}.",
        "wait",
        circ.request(request.id),
        item,
        loan,
    )
