"""Fiscal transactions as messages ask for them: read, and judged against the account (Z39.83-1 section 5.4.8)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ncipd.circulation import account, holds, matching
from ncipd.circulation.account import LARGEST, REFUND, Key, Posting
from ncipd.circulation.clock import to_micros
from ncipd.circulation.rows import request_row
from ncipd.ncip.currencies import DIGITS, currency, shown
from ncipd.ncip.problems import Problem, ProblemType
from ncipd.ncip.schemes import FiscalActionType, FiscalTransactionType

if TYPE_CHECKING:
    from ncipd.circulation.model import FiscalEntry, Item, User
    from ncipd.circulation.unit import Circulation
    from ncipd.ncip import elements as el
    from ncipd.ncip.types import Coded

_LETS_OFF = frozenset({FiscalActionType.WAIVE, FiscalActionType.FORGIVE, FiscalActionType.WRITE_OFF})
_ACTIONS = (*(action.value for action in FiscalActionType), REFUND)


def asked(circ: Circulation, user: User, info: el.FiscalTransactionInformation, service: str) -> Posting:
    """Read what a message posts, and judge what can be judged without the account.

    Raises Problem: Invalid Amount, Element Rule Violated, Unknown Value From Known Scheme, Unknown Item, Unknown
    Request.
    """
    where = f"{service}/FiscalTransactionInformation"
    named = info.fiscal_transaction_reference_id
    item = _item(circ, info, where)
    loan = circ.loan_of(item) if item is not None else None
    posting = Posting(
        action=_action(info.fiscal_action_type, where),
        type=_type(info.fiscal_transaction_type, where),
        amount=info.amount.monetary_value,
        currency=_currency(info.amount, where),
        key=_key(circ, named.agency_id, named.fiscal_transaction_identifier_value) if named else ("", ""),
        valid_from=to_micros(info.valid_from_date, circ.zone) if info.valid_from_date else None,
        valid_to=to_micros(info.valid_to_date, circ.zone) if info.valid_to_date else None,
        payment_method=info.payment_method_type.value.strip() if info.payment_method_type else "",
        description=(info.fiscal_transaction_description or "").strip(),
        related=tuple(
            _key(circ, one.agency_id, one.fiscal_transaction_identifier_value)
            for one in info.related_fiscal_transaction_reference_id
        ),
        request=_request(circ, info, where),
        item=item.id if item else None,
        loan=loan.id if loan is not None and loan.user_id == user.id else None,
    )
    if not 0 < posting.amount <= LARGEST:
        raise _invalid_amount(where, info.amount, "An amount is above 0; FiscalActionType says what it does.")
    if posting.valid_from is not None and posting.valid_to is not None and posting.valid_to < posting.valid_from:
        raise Problem(
            ProblemType.ELEMENT_RULE_VIOLATED,
            element=f"{where}/ValidToDate",
            value=str(info.valid_to_date),
            detail="ValidToDate lies before ValidFromDate; send the later date as ValidToDate.",
        )
    return posting


def posted(circ: Circulation, posting: Posting) -> FiscalEntry | None:
    """Find the entry that has the number of a posting."""
    return account.find(circ, posting.key) if posting.key[1] else None


def is_same(entry: FiscalEntry, posting: Posting, user: User) -> bool:
    """Say whether an entry is what would be posted."""
    return (entry.user_id, entry.action, entry.type, entry.amount, entry.currency) == (
        user.id,
        posting.action,
        posting.type,
        posting.amount,
        posting.currency,
    )


def duplicate(posting: Posting, service: str) -> Problem:
    """Say that a number has been used."""
    return Problem(
        ProblemType.DUPLICATE_FISCAL_TRANSACTION,
        element=f"{service}/FiscalTransactionInformation/FiscalTransactionReferenceId/FiscalTransactionIdentifierValue",
        value=posting.key[1],
        detail=f"Transaction {posting.key[1]!r} has been posted already; a new transaction needs a number of its own.",
    )


def judged(circ: Circulation, user: User, posting: Posting, service: str, *, fact: bool) -> Posting:
    """Judge a posting against the account; gives it with what follows from the entries that it is about.

    What has happened elsewhere (`fact`) is not measured by what is owed. Raises Problem: Element Rule Violated
    (unknown related transaction), Needed Data Missing, Unable To Add Element (cancelled already), Invalid Amount (more
    than is owed, or other than what is cancelled).
    """
    where = f"{service}/FiscalTransactionInformation"
    related = _related(circ, user, posting, where)
    if posting.action == FiscalActionType.CANCEL:
        if related or not fact:
            _refuse_cancelling(circ, user, posting, related, where)
    elif posting.action in _LETS_OFF and not fact:
        owed = account.balances(circ, user).get(posting.currency, 0)
        if related:
            owed = min(owed, sum(entry.effect for entry in related if entry.currency == posting.currency))
        if posting.amount > owed:
            raise _invalid_amount(where, posting, f"The user owes {shown(max(owed, 0), posting.currency)} for this.")
    if related and posting.loan is None:
        return replace(posting, item=posting.item or related[0].item_id, loan=related[0].loan_id)
    return posting


def _refuse_cancelling(circ: Circulation, user: User, posting: Posting, related: list[FiscalEntry], where: str) -> None:
    element = f"{where}/RelatedFiscalTransactionReferenceId"
    if not related:
        raise Problem(
            ProblemType.NEEDED_DATA_MISSING, element=element, detail="Say by its number which transaction is cancelled."
        )
    gone = account.cancelled(circ, user)
    for entry in related:
        if entry.action == FiscalActionType.CANCEL or account.key_of(entry) in gone:
            raise Problem(
                ProblemType.UNABLE_TO_ADD_ELEMENT,
                element=f"{element}/FiscalTransactionIdentifierValue",
                value=entry.reference,
                detail=f"Transaction {entry.reference!r} is cancelled already, or is a cancellation itself.",
            )
    total = abs(sum(entry.effect for entry in related))
    if any(entry.currency != posting.currency for entry in related) or total != posting.amount:
        raise _invalid_amount(where, posting, f"What is cancelled is {shown(total, related[0].currency)}; send that.")


def _related(circ: Circulation, user: User, posting: Posting, where: str) -> list[FiscalEntry]:
    found = []
    for key in dict.fromkeys(posting.related):
        entry = account.find(circ, key)
        if entry is None or entry.user_id != user.id:
            raise Problem(
                ProblemType.ELEMENT_RULE_VIOLATED,
                element=f"{where}/RelatedFiscalTransactionReferenceId/FiscalTransactionIdentifierValue",
                value=key[1],
                detail=f"The user's account has no transaction {key[1]!r}; look the account up for its numbers.",
            )
        found.append(entry)
    return found


# ---------------------------------------------------------------------------------------------- reading


def _key(circ: Circulation, agency: Coded, number: str) -> Key:
    """Read a transaction's number; ours have no agency, whichever of our codes the message used."""
    ours = agency.value.strip().upper() in {code.upper() for code in (circ.agency.code, circ.our_code)}
    return "" if ours else agency.value.strip(), number.strip()


def _action(type_: Coded, where: str) -> str:
    found = next((action for action in _ACTIONS if type_.matches(action)), None)
    if found is not None:
        return found
    known = type_.scheme == FiscalActionType.scheme
    raise Problem(
        ProblemType.UNKNOWN_VALUE_FROM_KNOWN_SCHEME if known else ProblemType.ELEMENT_RULE_VIOLATED,
        element=f"{where}/FiscalActionType",
        value=type_.value,
        detail=f"{type_.value!r} does nothing to an account here; send one of {', '.join(_ACTIONS)}.",
    )


def _type(type_: Coded, where: str) -> str:
    """Read what the money is for; any word is kept, unless it claims to be on the standard's list and is not."""
    found = FiscalTransactionType.named(type_)
    if found is None and type_.scheme == FiscalTransactionType.scheme:
        raise Problem(
            ProblemType.UNKNOWN_VALUE_FROM_KNOWN_SCHEME,
            element=f"{where}/FiscalTransactionType",
            value=type_.value,
            detail=f"{type_.value!r} is not on the list it claims; send one of {', '.join(FiscalTransactionType)}.",
        )
    return found.value if found else type_.value.strip()


def _currency(amount: el.Amount, where: str) -> str:
    found = currency(amount.currency_code.value)
    if found is None:
        raise Problem(
            ProblemType.INVALID_AMOUNT,
            element=f"{where}/Amount/CurrencyCode",
            value=amount.currency_code.value,
            detail=f"{amount.currency_code.value!r} is none of the {len(DIGITS)} currencies of ISO 4217 known here.",
        )
    return found


def _item(circ: Circulation, info: el.FiscalTransactionInformation, where: str) -> Item | None:
    if info.item_details is None:
        return None
    value = info.item_details.item_id.item_identifier_value.strip()
    item = matching.item_called(circ, value)
    if item is None:
        raise Problem(
            ProblemType.UNKNOWN_ITEM,
            element=f"{where}/ItemDetails/ItemId/ItemIdentifierValue",
            value=value,
            detail=f"No item here has the barcode {value!r}; check it, or leave ItemDetails out.",
        )
    return item


def _request(circ: Circulation, info: el.FiscalTransactionInformation, where: str) -> str:
    if info.request_id is None:
        return ""
    ids = matching.named(circ, request=info.request_id)
    known = bool(matching.called(circ, ids)) or holds.named(circ, ids) is not None
    if not known and matching.is_local(circ.partner):
        known = bool(circ.tx.all("requests_named", request_row, agency=circ.agency.id, identifier=ids.identifier))
    if not known:
        raise Problem(
            ProblemType.UNKNOWN_REQUEST,
            element=f"{where}/RequestId/RequestIdentifierValue",
            value=ids.identifier,
            detail=f"No request here is called {ids.identifier!r}; check it, or leave RequestId out.",
        )
    return ids.identifier


def _invalid_amount(where: str, amount: el.Amount | Posting, detail: str) -> Problem:
    if isinstance(amount, Posting):
        value = f"{amount.amount} {amount.currency}"
    else:
        value = f"{amount.monetary_value} {amount.currency_code.value}"
    return Problem(ProblemType.INVALID_AMOUNT, element=f"{where}/Amount/MonetaryValue", value=value, detail=detail)
