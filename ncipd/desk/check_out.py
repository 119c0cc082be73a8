"""Lending an item to a user at the desk."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from ncipd.circulation import borrowing, local, policy
from ncipd.circulation.clock import from_micros
from ncipd.circulation.errors import DeskError, ErrorKind
from ncipd.circulation.lifecycle import Event, allows
from ncipd.circulation.model import Role
from ncipd.desk import Done, action, conflict, finding

if TYPE_CHECKING:
    from ncipd.circulation.model import Item, Loan, Micros, User
    from ncipd.circulation.unit import Circulation


class CheckOut(msgspec.Struct, forbid_unknown_fields=True):
    """`barcode`: the item; `user`: any identifier of the user; `due_date`: when it is due, else by the rules."""

    barcode: str
    user: str
    due_date: str | None = None


@action("check-out", CheckOut)
def check_out(slip: CheckOut, circ: Circulation) -> Done:
    """Lend an item to a user, ours or borrowed for them."""
    item = finding.item(circ, slip.barcode)
    user = finding.user(circ, slip.user)
    due_at = finding.moment(circ, slip.due_date)
    if due_at is not None and due_at <= circ.now:
        raise DeskError(
            ErrorKind.INVALID, "date-passed", "The due date has passed already.", field="due_date", value=slip.due_date
        )
    loan = circ.loan_of(item)
    if loan is not None:
        whom = "this user" if loan.user_id == user.id else "somebody else"
        raise conflict("on-loan", f"Item {item.barcode} is on loan to {whom} already.", value=item.barcode)
    if item.temporary:
        return _borrowed(circ, item, user, due_at)
    return _done(circ, item, user, local.check_out(circ, item, user, due_at))


def _borrowed(circ: Circulation, item: Item, user: User, due_at: Micros | None) -> Done:
    request = circ.last_request_of(item)
    if request is None or not request.open:
        raise conflict(
            "not-requested", f"Item {item.barcode} came for no open request.", value=item.barcode, hint="Send it back."
        )
    circ.about(request)
    if request.user_id != user.id:
        raise conflict(
            "for-another-user",
            f"Item {item.barcode} was borrowed for another user.",
            field="user",
            value=user.primary_id,
        )
    if not allows(Role.BORROWING, request.status, Event.LOAN):
        raise conflict(
            "cannot-be-lent",
            f"Request {request.identifier} is in status {request.status.value!r}.",
            value=item.barcode,
            hint="Send the item back to its library.",
        )
    local.refuse_loan(circ, user)
    loan, moved = borrowing.lend(circ, request, item, user, circ.partner_of(request) or policy.LOCAL, due_at)
    done = _done(circ, item, user, loan)
    return done._replace(request=moved)


def _done(circ: Circulation, item: Item, user: User, loan: Loan) -> Done:
    due = f"{from_micros(loan.due_at):%Y-%m-%d}" if loan.due_at else "without a due date"
    return Done(
        f"{item.barcode} is lent to {user.primary_id} until {due}.", "hand over", None, circ.item(item.id), loan
    )
