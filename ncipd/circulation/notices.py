"""Notices to users: which kinds there are, what each is about, what it says (Z39.83-1 sections 5.4.17, 5.5.19)."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

from ncipd.circulation import matching
from ncipd.circulation.clock import DAY, to_micros, zone_info
from ncipd.ncip.currencies import currency, shown
from ncipd.ncip.problems import Problem, ProblemType

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from ncipd.circulation.model import Item, Micros, User
    from ncipd.circulation.unit import Circulation
    from ncipd.ncip import elements as el
    from ncipd.ncip.types import Coded

LATEST = 366 * DAY
"""How far ahead a notice is taken."""


class About(Enum):
    """What a notice is about: the element that says so."""

    ITEMS = "NoticeItem"
    ACCOUNT = "UserFiscalAccount"
    PRIVILEGE = "UserPrivilege"
    ANYTHING = "NoticeItem, UserFiscalAccount or UserPrivilege"


class Kind(NamedTuple):
    """A kind of notice: the subject of the letter, what it is about, and whether its items must be on loan."""

    subject: str
    about: About
    on_loan: bool = False


#: Every kind of notice that is sent here, by its NoticeType.
KINDS = {
    "account reminder": Kind("Your account", About.ACCOUNT),
    "available for pickup": Kind("Ready for you to pick up", About.ITEMS),
    "document delivered": Kind("Your document has come", About.ITEMS),
    "due earlier": Kind("Please return it earlier", About.ITEMS, on_loan=True),
    "due soon": Kind("Due soon", About.ITEMS, on_loan=True),
    "item lost": Kind("Reported lost", About.ITEMS),
    "item overdue": Kind("Overdue", About.ITEMS, on_loan=True),
    "not renewed": Kind("Not renewed", About.ITEMS, on_loan=True),
    "privilege reminder": Kind("Your library registration", About.PRIVILEGE),
    "recalled": Kind("Recalled", About.ITEMS, on_loan=True),
    "renewed": Kind("Renewed", About.ITEMS, on_loan=True),
    "request cancelled": Kind("Your request was cancelled", About.ITEMS),
    "general message": Kind("A message from the library", About.ANYTHING),
}


def subject(type_: str) -> str:
    """Give the subject of a letter of a kind, ours or one that only a partner knows."""
    kind = KINDS.get(type_)
    return kind.subject if kind else type_.strip().capitalize() or KINDS["general message"].subject


def kind_of(type_: Coded, service: str) -> str:
    """Read a NoticeType; raises Problem Unsupported Notice."""
    name = type_.value.strip().casefold()
    if name not in KINDS:
        raise Problem(
            ProblemType.UNSUPPORTED_NOTICE,
            element=f"{service}/UserNoticeDetails/NoticeType",
            value=type_.value,
            detail=f"Notices of type {type_.value!r} are not sent here; send one of {', '.join(KINDS)}.",
        )
    return name


def send_time(circ: Circulation, date: datetime | None, service: str) -> Micros:
    """Decide when a notice is sent; raises Problem Invalid Date (past), Element Rule Violated (too far ahead)."""
    if date is None or circ.mandated:
        return circ.occurred_at
    at = to_micros(date, circ.zone)
    if at < circ.now - DAY:
        raise Problem(
            ProblemType.INVALID_DATE,
            element=f"{service}/DateToSend",
            value=str(date),
            detail="DateToSend is past; leave it out to have the notice sent now.",
        )
    if at > circ.now + LATEST:
        raise Problem(
            ProblemType.ELEMENT_RULE_VIOLATED,
            element=f"{service}/DateToSend",
            value=str(date),
            detail="DateToSend is more than a year ahead; send the notice when its time has come.",
        )
    return max(at, circ.now)


def refuse_details(circ: Circulation, user: User, type_: str, details: el.UserNoticeDetails, service: str) -> None:
    """Raise Problem where a notice is not about what its kind is about.

    Element Rule Violated, Item Not Checked Out (to this user); Unknown Item comes from reading the items.
    """
    where = f"{service}/UserNoticeDetails"
    about = KINDS[type_].about
    if about not in (About.ANYTHING, _about(details)):
        raise Problem(
            ProblemType.ELEMENT_RULE_VIOLATED,
            element=f"{where}/{_about(details).value}",
            detail=f"A notice of type {type_!r} is about {about.value}; send that.",
        )
    if about is About.ANYTHING and not (details.notice_content or "").strip():
        raise Problem(
            ProblemType.ELEMENT_RULE_VIOLATED,
            element=f"{where}/NoticeContent",
            detail="A general message says nothing by itself; send its words as NoticeContent.",
        )
    for item in items(circ, details, service):
        loan = circ.loan_of(item)
        if KINDS[type_].on_loan and not circ.mandated and (loan is None or loan.user_id != user.id):
            raise Problem(
                ProblemType.ITEM_NOT_CHECKED_OUT,
                element=f"{where}/NoticeItem/ItemDetails/ItemId/ItemIdentifierValue",
                value=item.barcode,
                detail=f"Item {item.barcode} is not on loan to this user, so there is nothing to say about it.",
            )


def _about(details: el.UserNoticeDetails) -> About:
    if details.notice_item:
        return About.ITEMS
    return About.ACCOUNT if details.user_fiscal_account is not None else About.PRIVILEGE


def items(circ: Circulation, details: el.UserNoticeDetails, service: str) -> list[Item]:
    """Find the items that a notice is about; raises Problem Unknown Item."""
    found = []
    for one in details.notice_item:
        value = one.item_details.item_id.item_identifier_value.strip()
        item = matching.item_called(circ, value)
        if item is None:
            raise Problem(
                ProblemType.UNKNOWN_ITEM,
                element=f"{service}/UserNoticeDetails/NoticeItem/ItemDetails/ItemId/ItemIdentifierValue",
                value=value,
                detail=f"No item here has the barcode {value!r}; check the barcode.",
            )
        found.append(item)
    return found


# ---------------------------------------------------------------------------------------------- what it says


def text(circ: Circulation, details: el.UserNoticeDetails, service: str) -> str:
    """Write the letter: the words that were sent, then what it is about; raises Problem Invalid Amount."""
    words = (details.notice_content or "").strip()
    lines = list(_lines(circ, details, service))
    return "\n\n".join(part for part in (words, "\n".join(lines)) if part)


def _lines(circ: Circulation, details: el.UserNoticeDetails, service: str) -> Iterator[str]:
    for one in details.notice_item:
        item = one.item_details
        title = item.bibliographic_description.title or "Item"
        due = f", due {_day(circ, item.date_due)}" if item.date_due else ""
        owed = f", {_money(one.amount, service)}" if one.amount else ""
        yield f"{title} ({item.item_id.item_identifier_value.strip()}){due}{owed}"
    account = details.user_fiscal_account
    if account is not None:
        for entry in account.account_details:
            info = entry.fiscal_transaction_information
            what = info.fiscal_transaction_description or info.fiscal_transaction_type.value
            done = f"{info.fiscal_action_type.value}, {what}, {_money(info.amount, service)}"
            yield f"{_day(circ, entry.accrual_date)}: {done}"
        yield f"Balance: {_money(account.account_balance, service)}"
    privilege = details.user_privilege
    if privilege is not None:
        until = f", valid until {_day(circ, privilege.valid_to_date)}" if privilege.valid_to_date else ""
        yield f"{privilege.agency_user_privilege_type.value}{until}"


def _day(circ: Circulation, date: datetime) -> str:
    local = date.astimezone(zone_info(circ.agency.time_zone)) if date.tzinfo else date
    return f"{local:%Y-%m-%d}"


def _money(amount: el.Amount | el.AccountBalance, service: str) -> str:
    code = currency(amount.currency_code.value)
    if code is None:
        raise Problem(
            ProblemType.INVALID_AMOUNT,
            element=f"{service}/UserNoticeDetails//CurrencyCode",
            value=amount.currency_code.value,
            detail=f"{amount.currency_code.value!r} is no currency of ISO 4217; check the code.",
        )
    return shown(amount.monetary_value, code)


def queue(circ: Circulation, user: User, type_: str, content: str, *, send_at: Micros, sent_at: Micros | None) -> None:
    """Keep a notice: to be sent, or one that has been."""
    number = circ.tx.insert(
        "insert_timed_notice",
        agency=circ.agency.id,
        user=user.id,
        type=type_,
        content=content,
        created_at=circ.now,
        send_at=send_at,
        sent_at=sent_at,
    )
    circ.leave("notice", number)
