"""LookupUser: who a user is, what they may do, and what they have (Z39.83-1 section 5.3.4)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ncipd.circulation import account, hold_details, holds
from ncipd.circulation.clock import as_told, optional_date
from ncipd.circulation.identity import find_user, refuse_without_access
from ncipd.circulation.model import Hold, HoldState, ItemStatus, Loan, Request, User
from ncipd.circulation.rows import hold_row, loan_row, request_row
from ncipd.ncip import elements as el
from ncipd.ncip.messages import LookupUser, LookupUserResponse
from ncipd.ncip.schemes import CirculationStatus, RequestStatusType, RequestType
from ncipd.ncip.types import Coded
from ncipd.services import answers, finding, serves

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ncipd.circulation.unit import Circulation


@serves(LookupUser, reads=True)
def lookup_user(message: LookupUser, circ: Circulation) -> LookupUserResponse:
    """Answer what was asked about a user, and nothing else."""
    refuse_without_access(circ, "LookupUser")
    user = find_user(circ, message.user_id, message.authentication_input, "LookupUser")
    account_desired = message.user_fiscal_account_desired and circ.partner.user_accounts
    loans = circ.tx.all("open_loans_of_user", loan_row, user=user.id) if message.loaned_items_desired else []
    requested = tuple(_requested(circ, user)) if message.requested_items_desired else ()
    return LookupUserResponse(
        user_id=answers.user_id(circ, user),
        user_fiscal_account=account.accounts(circ, user) if account_desired else (),
        loaned_items_count=_count_loans(circ, user) if message.loaned_items_desired else (),
        loaned_item=tuple(_loaned(circ, loan) for loan in loans),
        requested_items_count=_count_requests(requested),
        requested_item=requested,
        user_optional_fields=answers.user_fields(circ, user, message.user_element_type),
    )


def _count_loans(circ: Circulation, user: User) -> tuple[el.LoanedItemsCount, ...]:
    counts: dict[CirculationStatus, int] = {}
    for status, recalled, count in circ.tx.all("count_loans_of_user_by_status", user=user.id):
        name = answers.status_on_loan(ItemStatus(status), recalled=bool(recalled))
        counts[name] = counts.get(name, 0) + count
    return tuple(
        el.LoanedItemsCount(circulation_status=name.coded(), loaned_item_count_value=count)
        for name, count in counts.items()
    )


def _loaned(circ: Circulation, loan: Loan) -> el.LoanedItem:
    item = circ.item(loan.item_id)
    record = circ.record(item.record_id)
    return el.LoanedItem(
        item_id=answers.item_id(item),
        bibliographic_id=answers.bibliographic_ids(circ, record.id),
        date_due=optional_date(loan.due_at),
        indeterminate_loan_period_flag=loan.due_at is None,
        amount=account.owed_for_loan(circ, loan) if circ.partner.user_accounts else None,
        title=record.title or None,
        medium_type=answers.medium(record.medium),
    )


def _requested(circ: Circulation, user: User) -> Iterable[el.RequestedItem]:
    for request in circ.tx.all("open_requests_of_user", request_row, user=user.id):
        yield _of_request(circ, request)
    for hold in circ.tx.all("open_holds_of_user", hold_row, user=user.id):
        if hold.request_id is None:
            yield _of_hold(circ, hold)


def _of_request(circ: Circulation, request: Request) -> el.RequestedItem:
    item = finding.item_of(circ, request)
    hold = next((one for one in circ.holds_of(request) if one.state is HoldState.READY), None)
    return el.RequestedItem(
        request_id=answers.request_id(request),
        item_id=answers.item_id(item) if item else None,
        bibliographic_id=answers.bibliographic_ids(circ, request.record_id) if request.record_id else (),
        request_type=Coded(request.request_type) if request.request_type else RequestType.LOAN.coded(),
        request_status_type=answers.request_status(request),
        date_placed=as_told(request.created_at),
        pickup_location=_pickup(circ, request.pickup_library_id),
        pickup_expiry_date=optional_date(hold.expires_at if hold else request.pickup_expires),
        title=request.title or None,
        medium_type=answers.medium(circ.record(item.record_id).medium) if item else None,
    )


def _of_hold(circ: Circulation, hold: Hold) -> el.RequestedItem:
    item = holds.item_of(circ, hold)
    record = circ.record(hold.record_id or (item.record_id if item else 0))
    ready = hold.state is HoldState.READY and item is not None and item.status is ItemStatus.ON_HOLD_SHELF
    status = RequestStatusType.AVAILABLE_FOR_PICKUP if ready else RequestStatusType.IN_PROCESS
    return el.RequestedItem(
        request_id=holds.request_id(circ, hold),
        item_id=answers.item_id(item) if item else None,
        bibliographic_id=answers.bibliographic_ids(circ, record.id),
        request_type=hold_details.request_type(hold),
        request_status_type=status.coded(),
        date_placed=as_told(hold.placed_at),
        pickup_location=_pickup(circ, hold.pickup_library_id),
        pickup_expiry_date=optional_date(hold.expires_at),
        hold_queue_position=None if ready else holds.position(circ, hold),
        title=record.title or None,
        medium_type=answers.medium(record.medium),
    )


def _pickup(circ: Circulation, library: int | None) -> Coded | None:
    found = circ.library_by_id(library) if library is not None else None
    return Coded(found.code) if found else None


def _count_requests(requested: Iterable[el.RequestedItem]) -> tuple[el.RequestedItemsCount, ...]:
    counts: dict[Coded, int] = {}
    for one in requested:
        counts[one.request_type] = counts.get(one.request_type, 0) + 1
    return tuple(
        el.RequestedItemsCount(request_type=type_, requested_item_count_value=count) for type_, count in counts.items()
    )
