"""ReportCirculationStatusChange: a borrower says not to have an item, or to have lost it (Z39.83-1 section 5.4.14)."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ncipd.circulation import claims, history, matching
from ncipd.circulation.clock import end_of_day, to_micros
from ncipd.circulation.identity import find_user
from ncipd.circulation.model import LoanMark
from ncipd.circulation.rows import loan_row
from ncipd.ncip.messages import (
    CirculationStatusChangeReported,
    ReportCirculationStatusChange,
    ReportCirculationStatusChangeResponse,
)
from ncipd.ncip.problems import Problem, ProblemType
from ncipd.services import answers, finding, serves

if TYPE_CHECKING:
    from ncipd.circulation.model import Item, Loan, Micros, User
    from ncipd.circulation.unit import Circulation
    from ncipd.ncip.elements import AuthenticationInput

Report = ReportCirculationStatusChange | CirculationStatusChangeReported


class Reported(NamedTuple):
    """What a report came to: the item, its loan, and the user of ours who had it."""

    item: Item
    loan: Loan
    user: User | None


@serves(ReportCirculationStatusChange)
def report_circulation_status_change(
    message: ReportCirculationStatusChange, circ: Circulation
) -> ReportCirculationStatusChangeResponse:
    """Mark the loan, send staff to search, or end the loan of what is lost and charge for it."""
    item, _, user = take_up(message, circ, "ReportCirculationStatusChange", message.authentication_input)
    return ReportCirculationStatusChangeResponse(
        item_id=message.item_id,
        user_id=message.user_id or (answers.user_id(circ, user) if user else None),
        item_optional_fields=answers.item_fields(circ, item, message.item_element_type),
        user_optional_fields=answers.user_fields(circ, user, message.user_element_type) if user else None,
    )


def take_up(message: Report, circ: Circulation, service: str, inputs: tuple[AuthenticationInput, ...] = ()) -> Reported:
    """Find the loan that is meant, and take up what is said of it.

    Raises Problem: Unknown Item, Unknown User, User Authentication Failed, Item Not Checked Out To This User, Element
    Rule Violated (returned in the future).
    """
    mark, returned_at = _said(message, circ, service)
    ids = matching.named(circ, item=message.item_id, user=message.user_id)
    item = finding.loaned_item(circ, ids, service)
    user = _user(message, circ, item, ids, service, inputs)
    loan = _loan(circ, item, user)
    if loan is None:
        raise Problem(
            ProblemType.ITEM_NOT_CHECKED_OUT_TO_THIS_USER,
            element=f"{service}/UserId/UserIdentifierValue",
            value=ids.user,
            detail=f"Item {ids.item} is not on loan to this user, or not through this partner; check both numbers.",
        )
    if loan.returned_at is None:
        loan = claims.report(circ, item, loan, mark, returned_at)
    else:
        circ.note("the loan that is meant is over; nothing was changed")
    return Reported(item, loan, user)


def _said(message: Report, circ: Circulation, service: str) -> tuple[LoanMark, Micros | None]:
    if message.item_reported_never_borrowed:
        return LoanMark.NEVER_BORROWED, None
    if message.item_reported_lost:
        return LoanMark.LOST, None
    if message.item_reported_missing or message.item_reported_returned is None:
        return LoanMark.MISSING, None
    date = message.item_reported_returned.date_reported_returned
    returned_at = to_micros(date, circ.zone)
    if returned_at > end_of_day(circ.now, circ.agency.time_zone):
        raise Problem(
            ProblemType.ELEMENT_RULE_VIOLATED,
            element=f"{service}/ItemReportedReturned/DateReportedReturned",
            value=date.isoformat(),
            detail="An item cannot have come back in the future; send the day on which it is said to have come back.",
        )
    return LoanMark.CLAIMED_RETURNED, returned_at


def _user(
    message: Report,
    circ: Circulation,
    item: Item,
    ids: matching.Named,
    service: str,
    inputs: tuple[AuthenticationInput, ...],
) -> User | None:
    """Find the user of ours who is meant; who has what we lent to a partner is never looked up."""
    if matching.is_local(circ.partner):
        return find_user(circ, message.user_id, inputs, service)
    if not item.temporary:
        return None
    return matching.one_user_of(circ, ids, service)


def _loan(circ: Circulation, item: Item, user: User | None) -> Loan | None:
    """Find the loan to this user or this partner, under way at the time that is told, or ended by the same report."""
    loan = circ.loan_of(item)
    if circ.mandated and (loan is None or circ.occurred_at < loan.out_at):
        loan = history.on_loan_at(circ, item, circ.occurred_at)
    if loan is None:
        last = circ.tx.one("last_loan", loan_row, item=item.id)
        loan = last if last is not None and last.mark == LoanMark.LOST else None
    if loan is None:
        return None
    theirs = loan.user_id == user.id if user is not None else loan.partner == circ.partner.code
    return loan if theirs else None
