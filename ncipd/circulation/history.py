"""Facts told late: what MandatedAction says has happened, put where it belongs in time (Z39.83-1 section 6.3).

Facts are ordered by DateEventOccurred, however late and in whatever order they are told; a past fact never undoes a
later one. A check-out after which something else is known to have happened with the item is written down as a loan that
is over. A check-in that ends no known loan is written down as the end of an unknown one, so that the check-out before
it, told after it, is known to be over.
"""

from __future__ import annotations

from enum import Enum, auto
from typing import TYPE_CHECKING

from ncipd.circulation.clock import not_after
from ncipd.circulation.model import LoanMark
from ncipd.circulation.rows import loan_row

if TYPE_CHECKING:
    from collections.abc import Callable

    from ncipd.circulation.model import Item, Loan, Micros
    from ncipd.circulation.unit import Circulation


class Told(Enum):
    """Whether a late fact was new."""

    NEW = auto()
    AGAIN = auto()


def on_loan_at(circ: Circulation, item: Item, moment: Micros) -> Loan | None:
    """Find the loan on which an item was at a moment; one that ended in that very moment was over."""
    loan = _begun_by(circ, item, moment)
    return loan if loan is not None and (loan.returned_at is None or loan.returned_at > moment) else None


def told_before(circ: Circulation, item: Item, is_same: Callable[[Loan], bool]) -> Loan | None:
    """Find the loan as which a check-out is recorded already, under way or over; `is_same` knows the borrower.

    With no other fact in between, a check-out that is told with an earlier time than it was recorded with is the same.
    """
    loan = _begun_by(circ, item, circ.occurred_at)
    if (
        loan is not None
        and (loan.returned_at is None or not_after(circ.occurred_at, loan.returned_at))
        and is_same(loan)
    ):
        return loan
    if loan is not None and (loan.returned_at is None or loan.returned_at > circ.occurred_at):
        return None
    following = _begun_after(circ, item)
    return following if following is not None and is_same(following) else None


def over_at(circ: Circulation, item: Item) -> Micros | None:
    """Say when a check-out was over at the latest: when the item next came back or went out; None: it may last."""
    around = on_loan_at(circ, item, circ.occurred_at)
    if around is not None:
        return around.returned_at
    following = _begun_after(circ, item)
    return following.out_at if following is not None else None


def nothing_since(circ: Circulation, item: Item) -> bool:
    """Say whether nothing is known to have happened with an item after what is being told."""
    return _begun_after(circ, item) is None


def write_loan(
    circ: Circulation,
    item: Item,
    over: Micros,
    due_at: Micros | None,
    *,
    user: int | None = None,
    partner: str | None = None,
    request: int | None = None,
) -> Loan:
    """Write down a loan that was over before it was told; who had the item until then had it no longer."""
    around = on_loan_at(circ, item, circ.occurred_at)
    if around is not None and around.out_at < circ.occurred_at:
        circ.change_loan(around, "return_loan", returned_at=circ.occurred_at)
    circ.note("told late: recorded as a loan that is over; where the item stands now was not changed")
    return _insert(circ, item, over, due_at, user=user, partner=partner, request=request)


def check_in(circ: Circulation, item: Item, is_theirs: Callable[[Loan], bool]) -> Told | None:
    """Record a check-in that does not end the present loan; None where it does, or may.

    Of the loans that it could have ended before, only those that `is_theirs` allows are touched.
    """
    at = circ.occurred_at
    loan = _begun_by(circ, item, at)
    if loan is not None and loan.returned_at is None:
        return None
    circ.note(
        "told late: the check-in is about an earlier loan than the present one; where the item stands was not changed"
    )
    if loan is not None and loan.returned_at is not None and loan.returned_at <= at and not_after(at, loan.returned_at):
        return Told.AGAIN
    if loan is not None and loan.returned_at is not None and loan.returned_at > at:
        if not is_theirs(loan):
            return Told.AGAIN
        _end_earlier(circ, item, loan)
        return Told.NEW
    _insert_return(circ, item, at)
    return Told.NEW


def _end_earlier(circ: Circulation, item: Item, loan: Loan) -> None:
    """End a loan when it really did; that the item came back later too, after another loan then, stays known."""
    later = loan.returned_at
    circ.change_loan(loan, "return_loan", returned_at=circ.occurred_at)
    following = _begun_after(circ, item)
    if later is not None and (following is None or following.out_at != later):
        _insert_return(circ, item, later)


def _insert_return(circ: Circulation, item: Item, at: Micros) -> None:
    _insert(circ, item, at, None, began=at, mark=LoanMark.RETURN)


def _insert(
    circ: Circulation,
    item: Item,
    over: Micros,
    due_at: Micros | None,
    *,
    user: int | None = None,
    partner: str | None = None,
    request: int | None = None,
    began: Micros | None = None,
    mark: str = "",
) -> Loan:
    number = circ.tx.insert(
        "insert_past_loan",
        agency=circ.agency.id,
        item=item.id,
        user=user,
        partner=partner,
        request=request,
        out_at=circ.occurred_at if began is None else began,
        due_at=due_at,
        returned_at=over,
        mark=mark,
    )
    circ.leave("loan", number)
    return circ.loan(number)


def _begun_by(circ: Circulation, item: Item, moment: Micros) -> Loan | None:
    return circ.tx.one("last_loan_begun", loan_row, item=item.id, at=moment)


def _begun_after(circ: Circulation, item: Item) -> Loan | None:
    return circ.tx.one("next_loan_begun", loan_row, item=item.id, at=circ.occurred_at)
