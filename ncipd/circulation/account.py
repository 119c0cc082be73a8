"""Users' accounts: what is charged, paid, waived and cancelled, in minor units of a currency (Z39.83-1 section 5.4.8).

An entry is never changed. What a user owes in a currency is the sum of the entries' effects: charges add to it,
payments and waivers take from it, a cancellation takes back what it cancels.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ncipd.circulation.clock import as_told, optional_date
from ncipd.circulation.model import FiscalEntry
from ncipd.circulation.rows import only_column
from ncipd.ncip import elements as el
from ncipd.ncip.schemes import CURRENCY_CODE, FiscalActionType, FiscalTransactionType, ItemIdentifierType
from ncipd.ncip.types import Coded

if TYPE_CHECKING:
    from ncipd.circulation.model import Item, Loan, Micros, User
    from ncipd.circulation.unit import Circulation

REFUND = "Refund"
"""Money handed back to the user; not on the standard's list, which is open."""

_CHARGES = frozenset({FiscalActionType.ASSESS.value, FiscalActionType.PENALTY.value, REFUND})
MOST_SHOWN = 500  # entries
LARGEST = 10**15
"""The largest amount taken, in minor units: beyond it somebody has mistyped."""
Key = tuple[str, str]
"""What an entry is called: who numbered it ('' = we did), and its number."""


@dataclass(frozen=True, slots=True)
class Posting:
    """Something to be posted; `amount` is in minor units and above 0."""

    action: str
    type: str
    amount: int
    currency: str
    key: Key = ("", "")
    valid_from: Micros | None = None
    valid_to: Micros | None = None
    payment_method: str = ""
    description: str = ""
    related: tuple[Key, ...] = ()
    request: str = ""
    item: int | None = None
    loan: int | None = None


# ---------------------------------------------------------------------------------------------- what there is


def balances(circ: Circulation, user: User) -> dict[str, int]:
    """Add up what a user owes, by currency; currencies in which nothing was ever posted are not in it."""
    return dict(circ.tx.all("fiscal_balances", user=user.id))


def entries(circ: Circulation, user: User) -> list[FiscalEntry]:
    """List the newest entries of a user's account, the oldest of them first."""
    return circ.tx.all("fiscal_entries_of_user", FiscalEntry._make, user=user.id, most=MOST_SHOWN)[::-1]


def of_loan(circ: Circulation, loan: Loan) -> list[FiscalEntry]:
    """List what was charged and paid for a loan."""
    return circ.tx.all("fiscal_entries_of_loan", FiscalEntry._make, loan=loan.id)


def owed_for_loan(circ: Circulation, loan: Loan) -> el.Amount | None:
    """Say what is owed for a loan, in the currency of its first charge; None where it is nothing."""
    found = of_loan(circ, loan)
    owed = sum(entry.effect for entry in found if entry.currency == found[0].currency)
    return _amount(owed, found[0].currency) if owed else None


def latest_for_loan(circ: Circulation, loan: Loan) -> el.FiscalTransactionInformation | None:
    """Give the newest entry for a loan, for answers that have a place for one."""
    found = of_loan(circ, loan)
    return information(circ, found[-1]) if found else None


def find(circ: Circulation, key: Key) -> FiscalEntry | None:
    """Find an entry by its number, whoever's account it is on."""
    return circ.tx.one(
        "fiscal_entry_by_reference", FiscalEntry._make, agency=circ.agency.id, reference_agency=key[0], reference=key[1]
    )


def key_of(entry: FiscalEntry) -> Key:
    """Give what an entry is called."""
    return entry.reference_agency, entry.reference


def cancelled(circ: Circulation, user: User) -> set[Key]:
    """Give what has been cancelled on a user's account."""
    lists = circ.tx.all("fiscal_cancellations_of_user", only_column, user=user.id)
    return {(agency, reference) for text in lists if text for agency, reference in json.loads(text)}


# ---------------------------------------------------------------------------------------------- posting


def charge(
    circ: Circulation,
    user: User,
    type: FiscalTransactionType,
    amount: int,
    currency: str,
    *,
    loan: Loan | None = None,
    item: Item | None = None,
    request: str = "",
    description: str = "",
    action: FiscalActionType = FiscalActionType.ASSESS,
) -> FiscalEntry:
    """Charge a user; `amount` in minor units, above 0."""
    posting = Posting(
        action=action.value,
        type=type.value,
        amount=amount,
        currency=currency,
        description=description,
        request=request,
        item=item.id if item else loan.item_id if loan else None,
        loan=loan.id if loan else None,
    )
    return post(circ, user, posting)


def reverse_for_loan(circ: Circulation, loan: Loan) -> list[FiscalEntry]:
    """Cancel what was charged for a loan, as if it had never been; what was paid is then to the user's credit."""
    if loan.user_id is None:
        return []
    user = circ.user(loan.user_id)
    gone = cancelled(circ, user)
    charges = [one for one in of_loan(circ, loan) if one.effect > 0 and key_of(one) not in gone]
    return [
        post(
            circ,
            user,
            Posting(
                action=FiscalActionType.CANCEL.value,
                type=one.type,
                amount=one.effect,
                currency=one.currency,
                related=(key_of(one),),
                item=one.item_id,
                loan=loan.id,
            ),
        )
        for one in charges
    ]


def post(circ: Circulation, user: User, posting: Posting) -> FiscalEntry:
    """Write an entry that has been judged, and read it back."""
    effect = posting.amount if posting.action in _CHARGES else -posting.amount
    if posting.action == FiscalActionType.CANCEL and posting.related:
        effect = -sum(entry.effect for key in posting.related if (entry := find(circ, key)) is not None)
    number = circ.tx.insert(
        "insert_fiscal_entry",
        agency=circ.agency.id,
        user=user.id,
        reference_agency=posting.key[0],
        reference=posting.key[1] or f"F-{circ.new_id()}",
        action=posting.action,
        type=posting.type,
        amount=posting.amount,
        effect=effect,
        currency=posting.currency,
        accrued_at=circ.occurred_at,
        valid_from=posting.valid_from,
        valid_to=posting.valid_to,
        payment_method=posting.payment_method,
        description=posting.description,
        related=json.dumps(posting.related) if posting.related else "",
        request=posting.request,
        item=posting.item,
        loan=posting.loan,
    )
    circ.leave("fiscal_entry", number)
    entry = circ.tx.one("fiscal_entry_by_id", FiscalEntry._make, id=number)
    if entry is None:
        message = f"the store did not keep fiscal entry {number}"
        raise LookupError(message)
    return entry


# ---------------------------------------------------------------------------------------------- in answers


def accounts(circ: Circulation, user: User) -> tuple[el.UserFiscalAccount, ...]:
    """Give a user's account in each currency: the balance of all entries, and the newest of them."""
    found = entries(circ, user)
    return tuple(
        el.UserFiscalAccount(
            account_balance=el.AccountBalance(currency_code=Coded(code, CURRENCY_CODE), monetary_value=owed),
            account_details=tuple(
                el.AccountDetails(
                    accrual_date=as_told(entry.accrued_at),
                    fiscal_transaction_information=information(circ, entry),
                )
                for entry in found
                if entry.currency == code
            ),
        )
        for code, owed in balances(circ, user).items()
    )


def information(circ: Circulation, entry: FiscalEntry) -> el.FiscalTransactionInformation:
    """Tell of an entry as messages do."""
    return el.FiscalTransactionInformation(
        fiscal_action_type=_coded(entry.action, FiscalActionType),
        fiscal_transaction_reference_id=reference(circ, entry),
        related_fiscal_transaction_reference_id=tuple(
            el.RelatedFiscalTransactionReferenceId(
                agency_id=Coded(agency or circ.our_code), fiscal_transaction_identifier_value=number
            )
            for agency, number in (json.loads(entry.related) if entry.related else ())
        ),
        fiscal_transaction_type=_coded(entry.type, FiscalTransactionType),
        valid_from_date=optional_date(entry.valid_from),
        valid_to_date=optional_date(entry.valid_to),
        amount=_amount(entry.amount, entry.currency),
        payment_method_type=Coded(entry.payment_method) if entry.payment_method else None,
        fiscal_transaction_description=entry.description or None,
        request_id=el.RequestId(request_identifier_value=entry.request) if entry.request else None,
        item_details=_item_details(circ, entry),
    )


def reference(circ: Circulation, entry: FiscalEntry) -> el.FiscalTransactionReferenceId:
    """Name an entry as messages do."""
    return el.FiscalTransactionReferenceId(
        agency_id=Coded(entry.reference_agency or circ.our_code), fiscal_transaction_identifier_value=entry.reference
    )


def _item_details(circ: Circulation, entry: FiscalEntry) -> el.ItemDetails | None:
    if entry.item_id is None:
        return None
    item = circ.item(entry.item_id)
    record = circ.record(item.record_id)
    loan = circ.loan(entry.loan_id) if entry.loan_id is not None else None
    return el.ItemDetails(
        item_id=el.ItemId(item_identifier_type=ItemIdentifierType.BARCODE.coded(), item_identifier_value=item.barcode),
        bibliographic_description=el.BibliographicDescription(author=record.author or None, title=record.title or None),
        date_checked_out=as_told(loan.out_at) if loan else None,
        date_due=optional_date(loan.due_at) if loan else None,
        indeterminate_loan_period_flag=loan is not None and loan.due_at is None,
        date_returned=as_told(loan.returned_at) if loan and loan.returned_at is not None else None,
    )


def _amount(amount: int, code: str) -> el.Amount:
    return el.Amount(currency_code=Coded(code, CURRENCY_CODE), monetary_value=amount)


def _coded(value: str, scheme: type[FiscalActionType | FiscalTransactionType]) -> Coded:
    known = scheme.named(value)
    return known.coded() if known else Coded(value)
