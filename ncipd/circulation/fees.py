"""What the use of an item costs a user, what a lost one does, and what partners say it cost: entries of an account."""

from __future__ import annotations

from dataclasses import replace
from hashlib import blake2b
from typing import TYPE_CHECKING

from ncipd.circulation import account, transactions
from ncipd.circulation.account import LARGEST, Posting
from ncipd.circulation.model import Role, TaskKind
from ncipd.ncip.codec import encode
from ncipd.ncip.problems import Problem
from ncipd.ncip.schemes import FiscalActionType, FiscalTransactionType

if TYPE_CHECKING:
    from ncipd.circulation.model import Item, Loan, User
    from ncipd.circulation.unit import Circulation
    from ncipd.ncip import elements as el


def charge_use(
    circ: Circulation, item: Item, user: User, type_: FiscalTransactionType, asked: object, *, loan: Loan | None = None
) -> None:
    """Charge the fee of an item, where it has one; what the message says is paid already (PaidFeeAmount) is paid."""
    if not item.fee_amount:
        return
    charged = account.charge(circ, user, type_, item.fee_amount, item.fee_currency, loan=loan, item=item)
    paid = getattr(asked, "paid_fee_amount", None)
    if paid is None or not paid.currency_code.matches(item.fee_currency):
        return
    if not 0 < paid.monetary_value <= LARGEST:
        circ.note(f"PaidFeeAmount {paid.monetary_value} is no payment and was not posted")
        return
    posting = Posting(
        action=FiscalActionType.PAYMENT.value,
        type=type_.value,
        amount=paid.monetary_value,
        currency=item.fee_currency,
        related=(account.key_of(charged),),
        item=item.id,
        loan=loan.id if loan else None,
    )
    account.post(circ, user, posting)


def charge_replacement(circ: Circulation, item: Item, user: User, loan: Loan) -> bool:
    """Charge what replaces a lost item; says whether its price is known, and so charged."""
    if not item.price_amount:
        return False
    account.charge(
        circ,
        user,
        FiscalTransactionType.BOOK_REPLACEMENT_CHARGE,
        item.price_amount,
        item.price_currency,
        loan=loan,
        item=item,
        description="the item was reported lost",
    )
    return True


def told(circ: Circulation, loan: Loan | None) -> el.FiscalTransactionInformation | None:
    """Give what was last posted for a loan, where the partner may see it."""
    if loan is None or loan.user_id is None or not (circ.partner.user_data and circ.partner.user_accounts):
        return None
    return account.latest_for_loan(circ, loan)


def take_up(
    circ: Circulation, user: User, info: el.FiscalTransactionInformation | None, loan: Loan | None, service: str
) -> None:
    """Post what a notification says was charged or paid with the event that it tells, once.

    What cannot be posted is shown to staff: the event itself has happened all the same.
    """
    if info is None:
        return
    try:
        posting = transactions.asked(circ, user, info, service)
        if not posting.key[1]:
            posting = replace(posting, key=(circ.partner.code, _number(info, loan, service)))
        if transactions.posted(circ, posting) is not None:
            circ.note(f"transaction {posting.key[1]} was known already")
            return
        if posting.loan is None and loan is not None and loan.user_id == user.id:
            posting = replace(posting, loan=loan.id)
        account.post(circ, user, transactions.judged(circ, user, posting, service, fact=True))
    except Problem as problem:
        words = f"{circ.partner.code} told with {service} of a transaction that cannot be posted: {problem.detail}"
        circ.keep(circ.side or Role.LENDING, TaskKind.REVIEW, words)


def _number(info: el.FiscalTransactionInformation, loan: Loan | None, service: str) -> str:
    """Make the number of a transaction that has none, the same for the same event, so that it counts once."""
    content = f"{service} {loan.id if loan else ''} {encode(info)}"
    return f"N-{blake2b(content.encode(), digest_size=12).hexdigest()}"


def was_charged(circ: Circulation, item: Item, user: User) -> bool:
    """Say whether a user has been charged for an electronic resource before, and the charge stands."""
    gone = account.cancelled(circ, user)
    return any(
        entry.item_id == item.id and entry.loan_id is None and entry.effect > 0 and account.key_of(entry) not in gone
        for entry in account.entries(circ, user)
    )
