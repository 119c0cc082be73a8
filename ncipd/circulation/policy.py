"""What the rules say, as pure functions: dates in, a date or a refusal out. Nothing here reads or writes the store."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from ncipd.circulation.clock import days_earlier, days_later, end_of_day
from ncipd.circulation.partner import BeyondMaximum, Partner
from ncipd.ncip.problems import ProblemType

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ncipd.circulation.model import Loan, Micros, User, UserBlock


class Action(StrEnum):
    """What a user wants to do; the value is the BlockOrTrapType that forbids it."""

    REQUEST = "Block Request Item"
    CHECK_OUT = "Block Check Out"
    RENEW = "Block Renewal"
    HOLD = "Block Hold"
    RESOURCE = "Block Electronic Resource Access"


class Refusal(NamedTuple):
    """Why a wish is not granted: the standard's problem type, and a sentence for people."""

    problem: ProblemType
    detail: str


def refuse_user(user: User, blocks: Iterable[UserBlock], action: Action, now: Micros) -> Refusal | None:
    """Say whether a user may not do this now: card expired, or blocked."""
    if user.expires_at is not None and user.expires_at < now:
        return Refusal(
            ProblemType.USER_BLOCKED, "The user's registration has expired; it must be renewed at the library first."
        )
    for block in blocks:
        kind = block.type.strip().casefold()
        applies = kind == action.value.casefold() or (kind.startswith("block") and kind not in _SPECIFIC_BLOCKS)
        if applies and (block.valid_from or 0) <= now and (block.valid_to is None or now <= block.valid_to):
            return Refusal(
                ProblemType.USER_BLOCKED,
                f"The user is blocked ({block.type}); the block must be lifted at the library first.",
            )
    return None


_SPECIFIC_BLOCKS = frozenset(
    {
        "block check out",
        "block electronic resource access",
        "block hold",
        "block recall",
        "block renewal",
        "block request item",
    }
)


def due_at_check_out(partner: Partner, wished: Micros | None, now: Micros, zone: str) -> Micros | Refusal:
    """Decide the due date of an item shipped through a partner; the longest loan caps the usual period too."""
    latest = latest_due(partner, now, zone)
    wished = wished if partner.honour_desired_date else None
    due_at = wished if wished is not None else days_later(now, partner.loan_days, zone)
    if latest is None or due_at <= latest:
        return due_at
    if wished is None or partner.due_date_beyond_maximum is BeyondMaximum.CAP:
        return latest
    return Refusal(
        ProblemType.ELEMENT_RULE_VIOLATED,
        f"DesiredDateDue lies beyond the longest loan of {partner.maximum_loan_days} days; ask for an earlier date.",
    )


def latest_due(partner: Partner, out_at: Micros, zone: str) -> Micros | None:
    """Give the last moment that a loan which began at `out_at` may be due; None where there is no limit."""
    return days_later(out_at, partner.maximum_loan_days, zone) if partner.maximum_loan_days else None


def judge_renewal(
    partner: Partner, loan: Loan, wished: Micros | None, now: Micros, zone: str, *, wanted_by_others: bool
) -> Micros | Refusal:
    """Judge a wish to keep an item longer: the new due date, or the refusal (semantics.md, Renewal)."""
    if wanted_by_others or loan.recalled_at is not None:
        return Refusal(
            ProblemType.RENEWAL_NOT_ALLOWED_ITEM_HAS_OUTSTANDING_REQUESTS,
            "The item is wanted by somebody else or has been recalled; it must be returned when due.",
        )
    if loan.renewals >= partner.maximum_renewals:
        return Refusal(
            ProblemType.MAXIMUM_RENEWALS_EXCEEDED,
            f"The loan has been renewed {loan.renewals} times; {partner.maximum_renewals} are allowed.",
        )
    current = max(loan.due_at or now, now)  # of an overdue loan, the days that are over are not to be had
    target = wished if wished is not None else days_later(current, partner.renewal_days, zone)
    latest = latest_due(partner, loan.out_at, zone)
    if latest is not None and target > latest:
        if latest <= current:
            return Refusal(
                ProblemType.ITEM_NOT_RENEWABLE,
                f"The loan has reached its longest duration of {partner.maximum_loan_days} days.",
            )
        if wished is not None and partner.renewal_beyond_maximum is BeyondMaximum.REJECT:
            return Refusal(
                ProblemType.ITEM_NOT_RENEWABLE,
                f"The desired date is beyond the longest loan of {partner.maximum_loan_days} days; ask for less.",
            )
        target = latest
    if target <= current:
        return Refusal(
            ProblemType.ITEM_NOT_RENEWABLE,
            "The due date would not move: the desired date is not later than the present one.",
        )
    return target


def user_due(partner: Partner, return_by: Micros | None, now: Micros, zone: str) -> Micros:
    """Decide when a borrowed item is due for the user, from the lender's date for return.

    The days that the partner's setting takes off give way where they have begun already: nobody can bring back
    yesterday what they get today. Then it is due today, but never later than the lender said.
    """
    if return_by is None:
        return days_later(now, partner.loan_days, zone)
    due_at = days_earlier(return_by, partner.user_due_days_earlier, zone)
    return due_at if due_at > now else min(return_by, end_of_day(now, zone))


def recall_due(partner: Partner, desired: Micros | None, now: Micros, zone: str) -> Micros:
    """Say until when a recall asks for the item: until the date that it names, else the days that it leaves."""
    return desired if desired is not None else days_later(now, partner.recall_days, zone)


def sooner(due_at: Micros | None, asked: Micros) -> Micros:
    """Give the earlier of a date and the one that a recall asks for: a recall never moves a date to a later day."""
    return asked if due_at is None else min(due_at, asked)


#: The rules for loans to our own users, which no partner record describes.
LOCAL = Partner(code="", agency="")
