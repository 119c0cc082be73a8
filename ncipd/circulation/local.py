"""Our own items and our own users: holds, loans and returns that no other library takes part in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ncipd.circulation import borrowing, conditions, fees, history, holds, policy, recall, shelf, shipping
from ncipd.circulation.catalogue import resource_of
from ncipd.circulation.errors import DeskError, ErrorKind
from ncipd.circulation.model import Hold, HoldState, Item, ItemStatus, Loan, Micros, User
from ncipd.ncip.problems import Problem, ProblemType
from ncipd.ncip.schemes import FiscalTransactionType

if TYPE_CHECKING:
    from ncipd.circulation.unit import Circulation
    from ncipd.ncip import elements as el


def place_hold(
    circ: Circulation,
    user: User,
    items: list[Item],
    *,
    any_copy: bool,
    pickup_library: int | None,
    asked: object = None,
    identifier: str = "",
) -> tuple[Hold, str]:
    """Take a user's request for an item or for any copy of a title; gives the hold and what happens next, in words.

    A copy on the shelf goes on the pick list. Where every copy is out to a partner, one of them is recalled.
    `identifier` is the partner's own number for the request. Raises what `may_request` raises, and Problem Duplicate
    Request where an open hold has that number.
    """
    if (same := holds.by_number(circ, identifier)) is not None and same.state in (HoldState.WAITING, HoldState.READY):
        raise Problem(
            ProblemType.DUPLICATE_REQUEST,
            element="RequestItem/RequestId/RequestIdentifierValue",
            value=identifier,
            detail=f"Request {identifier} is open already; a new request needs a new RequestIdentifierValue.",
        )
    lendable = may_request(circ, user, items, asked)
    hold = circ.add_hold(
        user.id,
        record=lendable[0].record_id if any_copy else None,
        item=None if any_copy else lendable[0].id,
        pickup_library=pickup_library,
        partner=circ.partner.code if identifier else "",
        identifier=identifier,
    )
    return hold, _serve(circ, hold, lendable)


def may_request(circ: Circulation, user: User, items: list[Item], asked: object = None) -> list[Item]:
    """Give those of the items that the user may request; never empty.

    `asked` is the message that may accept a fee and restrictions. What is mandated has been agreed already: neither the
    user's blocks nor the item's terms forbid it. Raises Problem: User Blocked, Duplicate Request, Item Does Not
    Circulate, User Ineligible To Request This Item, and Needed Data Missing until the terms are accepted.
    """
    refusal = policy.refuse_user(user, circ.blocks(user), policy.Action.REQUEST, circ.now)
    if refusal is not None and not circ.mandated:
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
    conditions.refuse_restricted(circ, lendable[0], user, conditions.Use.REQUEST, "RequestItem")
    if asked is not None:
        conditions.require_acceptance(circ, lendable[0], asked, "RequestItem")
    return lendable


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
    item, loan = next((one for one in away if recall.can_be_asked_for(circ, one[1])), away[0])
    return recall.recall_shipped(circ, item, loan, hold)


def check_out(
    circ: Circulation,
    item: Item,
    user: User,
    due_at: Micros | None,
    asked: object = None,
    *,
    charged_elsewhere: bool = False,
) -> Loan:
    """Lend an item of ours to a user of ours, for its fee; raises Problem or DeskError where the rules forbid it.

    `asked` is the message that may say which fee and restrictions the user has accepted; at the desk that is asked by
    word of mouth. What is mandated has happened already, and is put where it belongs in time.
    """
    out = circ.loan_of(item)
    ends = due_at or policy.user_due(policy.LOCAL, None, circ.occurred_at, circ.agency.time_zone)
    if circ.mandated:
        known = history.told_before(circ, item, lambda one: one.user_id == user.id)
        if known is not None:
            circ.note("the check-out is recorded already; nothing was changed")
            return known
        over = history.over_at(circ, item)
        if over is not None:
            past = history.write_loan(circ, item, over, ends, user=user.id)
            if not charged_elsewhere:
                fees.charge_use(circ, item, user, FiscalTransactionType.RENTAL, asked, loan=past)
            return past
        if out is not None:
            shipping.give_way(circ, item, out)
    elif out is not None:
        raise Problem(
            ProblemType.ITEM_ALREADY_CHECKED_OUT,
            element="CheckOutItem/ItemId/ItemIdentifierValue",
            value=item.barcode,
            detail=f"Item {item.barcode} is on loan already; check it in first.",
        )
    else:
        _refuse_check_out(circ, item, user)
        if asked is not None:
            conditions.require_acceptance(circ, item, asked, "CheckOutItem")
    mine = next((hold for hold in circ.holds_on(item) if hold.user_id == user.id), None)
    loan = circ.lend(item, ends, user=user.id)
    circ.set_item_status(item, ItemStatus.ON_LOAN)
    if mine is not None:
        circ.set_hold(mine, HoldState.FILLED, item=item.id)
        loan = circ.change_loan(loan, "set_loan_hold", hold=mine.id)
    shipping.take_away(circ, item)
    if not charged_elsewhere:
        fees.charge_use(circ, item, user, FiscalTransactionType.RENTAL, asked, loan=loan)
    return loan


def _refuse_check_out(circ: Circulation, item: Item, user: User) -> None:
    if not item.circulates:
        raise Problem(
            ProblemType.ITEM_DOES_NOT_CIRCULATE,
            element="CheckOutItem/ItemId/ItemIdentifierValue",
            value=item.barcode,
            detail=f"Item {item.barcode} is for use in the library only.",
        )
    refuse_loan(circ, user)
    conditions.refuse_restricted(circ, item, user, conditions.Use.CHECK_OUT, "CheckOutItem")
    ready = [hold for hold in circ.holds_on(item) if hold.state is HoldState.READY and hold.item_id == item.id]
    if not any(hold.user_id != user.id for hold in ready):
        return
    if circ.by_message:
        raise Problem(
            ProblemType.USER_INELIGIBLE_TO_CHECK_OUT_THIS_ITEM,
            element="CheckOutItem/ItemId/ItemIdentifierValue",
            value=item.barcode,
            detail=f"Item {item.barcode} is on the hold shelf for another user; put it back there.",
        )
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


def supply(circ: Circulation, item: Item, user: User, asked: object) -> el.ElectronicResource:
    """Give a user the electronic resource that an item stands for, once for its fee; it need not come back.

    Raises Problem: Resource Cannot Be Provided, User Blocked, and until its terms are accepted Needed Data Missing.
    """
    resource = resource_of(item)
    if resource is None:
        raise Problem(
            ProblemType.RESOURCE_CANNOT_BE_PROVIDED,
            element="CheckOutItem/ResourceDesired",
            value=item.barcode,
            detail=f"Item {item.barcode} is not there in electronic form; ask for the item itself, without "
            "ResourceDesired.",
        )
    if not circ.mandated:
        refusal = policy.refuse_user(user, circ.blocks(user), policy.Action.RESOURCE, circ.now)
        if refusal is not None:
            raise Problem(refusal.problem, element="CheckOutItem/UserId", value=user.primary_id, detail=refusal.detail)
    if not fees.was_charged(circ, item, user):
        conditions.require_acceptance(circ, item, asked, "CheckOutItem")
        fees.charge_use(circ, item, user, FiscalTransactionType.SERVICE_CHARGE, asked)
    return resource


def refuse_renewal(circ: Circulation, item: Item, loan: Loan) -> None:
    """Raise Problem User Blocked or User Ineligible To Renew This Item where the user may not renew now.

    Raises Problem Item Not Renewable for what the user says to have no longer.
    """
    if loan.user_id is None or circ.mandated:
        return
    user = circ.user(loan.user_id)
    refusal = policy.refuse_user(user, circ.blocks(user), policy.Action.RENEW, circ.now)
    if refusal is not None:
        raise Problem(refusal.problem, element="RenewItem/UserId", value=user.primary_id, detail=refusal.detail)
    conditions.refuse_restricted(circ, item, user, conditions.Use.RENEW, "RenewItem")
    if loan.mark:
        raise Problem(
            ProblemType.ITEM_NOT_RENEWABLE,
            element="RenewItem/ItemId/ItemIdentifierValue",
            value=item.barcode,
            detail=f"The loan is marked {loan.mark}: the user says not to have the item, so it cannot be kept longer.",
        )


def renew(circ: Circulation, item: Item, loan: Loan, wished: Micros | None, asked: object = None) -> Loan:
    """Judge a user's wish to keep an item of ours longer, for its fee; raises Problem where policy refuses it."""
    refuse_renewal(circ, item, loan)
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
    if asked is not None:
        conditions.require_acceptance(circ, item, asked, "RenewItem")
    renewed = circ.change_loan(loan, "set_loan_due", due_at=decided, renewals=1)
    if loan.user_id is not None:
        fees.charge_use(circ, item, circ.user(loan.user_id), FiscalTransactionType.RENEWAL_FEE, asked, loan=loan)
    return renewed
