"""What the use of an item costs a user, and what a lost one does: entries of the user's account."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ncipd.circulation import account
from ncipd.circulation.account import Posting
from ncipd.ncip.schemes import FiscalActionType, FiscalTransactionType

if TYPE_CHECKING:
    from ncipd.circulation.model import Item, Loan, User
    from ncipd.circulation.unit import Circulation


def charge_use(
    circ: Circulation, item: Item, user: User, type_: FiscalTransactionType, asked: object, *, loan: Loan | None = None
) -> None:
    """Charge the fee of an item, where it has one; what the message says is paid already (PaidFeeAmount) is paid."""
    if not item.fee_amount:
        return
    charged = account.charge(circ, user, type_, item.fee_amount, item.fee_currency, loan=loan, item=item)
    paid = getattr(asked, "paid_fee_amount", None)
    if paid is None or not paid.currency_code.matches(item.fee_currency) or paid.monetary_value <= 0:
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


def charge_replacement(circ: Circulation, item: Item, user: User, loan: Loan) -> None:
    """Charge what replaces a lost item, where its price is known."""
    if item.fee_amount:
        account.charge(
            circ,
            user,
            FiscalTransactionType.BOOK_REPLACEMENT_CHARGE,
            item.fee_amount,
            item.fee_currency,
            loan=loan,
            item=item,
            description="the item was reported lost",
        )


def was_charged(circ: Circulation, item: Item, user: User) -> bool:
    """Say whether a user has been charged for an electronic resource before, and the charge stands."""
    gone = account.cancelled(circ, user)
    return any(
        entry.item_id == item.id and entry.loan_id is None and entry.effect > 0 and account.key_of(entry) not in gone
        for entry in account.entries(circ, user)
    )
