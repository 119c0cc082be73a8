"""Our own items and our own users: holds, loans and returns that no other library takes part in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ncipd.circulation import borrowing, lending, policy, recall, shelf
from ncipd.circulation.errors import DeskError, ErrorKind
from ncipd.circulation.model import Hold, HoldState, Item, ItemStatus, Loan, Micros, User
from ncipd.ncip.problems import Problem, ProblemType

if TYPE_CHECKING:
    from ncipd.circulation.unit import Circulation


def place_hold(
    circ: Circulation, user: User, items: list[Item], *, any_copy: bool, pickup_library: int | None
) -> tuple[Hold, str]:
    """Take a user's request for an item or for any copy of a title; gives the hold and what happens next, in words.

    A copy on the shelf goes on the pick list. Where every copy is out to a partner, one of them is recalled.
    Raises Problem: User Blocked, Duplicate Request, Item Does Not Circulate.
    """
    refusal = policy.refuse_user(user, circ.blocks(user), policy.Action.REQUEST, circ.now)
    if refusal is not None:
        raise Problem(refusal.problem, element="RequestItem/UserId", value=user.primary_id, detail=refusal.detail)
    lendable = [item for item in items if item.circulates]
    if not lendable:
        raise Problem(
            ProblemType.ITEM_DOES_NOT_CIRCULATE,
            element="RequestItem/ItemId",
            value=items[0].barcode,
            detail="The item is for use in the library only and cannot be requested.",
        )
    if any(hold.user_id == user.id for hold in circ.holds_on(lendable[0])):
        raise Problem(
            ProblemType.DUPLICATE_REQUEST,
            element="RequestItem/UserId",
            value=user.primary_id,
            detail="The user already waits for this item.",
        )
    hold = circ.add_hold(
        user.id,
        record=lendable[0].record_id if any_copy else None,
        item=None if any_copy else lendable[0].id,
        pickup_library=pickup_library,
    )
    return hold, _serve(circ, hold, lendable)


def _serve(circ: Circulation, hold: Hold, items: list[Item]) -> str:
    free = [item for item in items if item.status is ItemStatus.AVAILABLE]
    if free:
        shelf.fetch(circ, free[0], hold)
        return f"Item {free[0].barcode} is on the pick list for the hold shelf."
    away = [(item, loan) for item in items if (loan := circ.loan_of(item)) is not None and loan.partner is not None]
    if not away:
        return "No copy is free; the user waits for the next one that comes back."
    if any(loan.recalled_at is not None for _, loan in away):
        return "A copy has been recalled already; the user waits for it."
    item, loan = away[0]
    return recall.recall_shipped(circ, item, loan, hold)


def check_out(circ: Circulation, item: Item, user: User, due_at: Micros | None, *, mandated: bool = False) -> Loan:
    """Lend an item of ours to a user of ours; raises Problem or DeskError where the rules forbid it.

    What is `mandated` has happened already: only another loan of the item contradicts it.
    """
    if circ.loan_of(item) is not None:
        raise Problem(
            ProblemType.ITEM_ALREADY_CHECKED_OUT,
            element="CheckOutItem/ItemId/ItemIdentifierValue",
            value=item.barcode,
            detail=f"Item {item.barcode} is on loan already; check it in first.",
        )
    ready = [hold for hold in circ.holds_on(item) if hold.state is HoldState.READY and hold.item_id == item.id]
    if not mandated:
        _refuse_check_out(circ, item, user, ready)
    mine = next((hold for hold in circ.holds_on(item) if hold.user_id == user.id), None)
    ends = due_at or policy.user_due(policy.LOCAL, None, circ.now, circ.agency.time_zone)
    loan = circ.lend(item, ends, user=user.id)
    circ.set_item_status(item, ItemStatus.ON_LOAN)
    if mine is not None:
        circ.set_hold(mine, HoldState.FILLED, item=item.id)
    lending.take_away(circ, item)
    return loan


def _refuse_check_out(circ: Circulation, item: Item, user: User, ready: list[Hold]) -> None:
    if not item.circulates:
        raise Problem(
            ProblemType.ITEM_DOES_NOT_CIRCULATE,
            element="CheckOutItem/ItemId/ItemIdentifierValue",
            value=item.barcode,
            detail=f"Item {item.barcode} is for use in the library only.",
        )
    refuse_loan(circ, user)
    if any(hold.user_id != user.id for hold in ready):
        raise DeskError(
            ErrorKind.CONFLICT,
            "held-for-another-user",
            f"Item {item.barcode} is on the hold shelf for another user.",
            field="barcode",
            value=item.barcode,
            hint="Put it back on the hold shelf.",
        )


def refuse_loan(circ: Circulation, user: User) -> None:
    """Raise Problem User Blocked or Maximum Check Outs Exceeded where a user may not borrow now."""
    refusal = policy.refuse_user(user, circ.blocks(user), policy.Action.CHECK_OUT, circ.now)
    if refusal is not None:
        raise Problem(refusal.problem, element="CheckOutItem/UserId", value=user.primary_id, detail=refusal.detail)
    borrowing.refuse_over_limit(circ, user, ProblemType.MAXIMUM_CHECK_OUTS_EXCEEDED, "CheckOutItem/UserId")


def refuse_renewal(circ: Circulation, loan: Loan) -> None:
    """Raise Problem User Blocked where the user who has the item may not renew now."""
    if loan.user_id is None:
        return
    user = circ.user(loan.user_id)
    refusal = policy.refuse_user(user, circ.blocks(user), policy.Action.RENEW, circ.now)
    if refusal is not None:
        raise Problem(refusal.problem, element="RenewItem/UserId", value=user.primary_id, detail=refusal.detail)


def renew(circ: Circulation, item: Item, loan: Loan, wished: Micros | None) -> Loan:
    """Judge a user's wish to keep an item of ours longer; raises Problem where policy refuses it."""
    refuse_renewal(circ, loan)
    decided = policy.judge_renewal(
        policy.LOCAL,
        loan,
        wished,
        circ.now,
        circ.agency.time_zone,
        wanted_by_others=shelf.wanted_by_others(circ, item, than=loan.user_id),
    )
    if isinstance(decided, policy.Refusal):
        raise Problem(
            decided.problem, element="RenewItem/ItemId/ItemIdentifierValue", value=item.barcode, detail=decided.detail
        )
    return circ.change_loan(loan, "set_loan_due", due_at=decided, renewals=1)
