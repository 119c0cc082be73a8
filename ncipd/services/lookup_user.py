"""LookupUser: who a user is, what they may do, and what they have (Z39.83-1 section 5.3.4)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ncipd.circulation.clock import from_micros, optional_date
from ncipd.circulation.model import HoldState, ItemStatus, Loan, User
from ncipd.circulation.unit import hold_row, request_row
from ncipd.ncip import elements as el
from ncipd.ncip.messages import LookupUser, LookupUserResponse
from ncipd.ncip.problems import Problem, ProblemType
from ncipd.ncip.schemes import CirculationStatus, RequestStatusType, RequestType
from ncipd.ncip.types import Coded
from ncipd.services import answers, serves

if TYPE_CHECKING:
    from ncipd.circulation.unit import Circulation


@serves(LookupUser, reads=True)
def lookup_user(message: LookupUser, circ: Circulation) -> LookupUserResponse:
    """Answer what was asked about a user, and nothing else."""
    user = find_user(circ, message.user_id, message.authentication_input, "LookupUser")
    loans = circ.tx.all("open_loans_of_user", Loan._make, user=user.id) if message.loaned_items_desired else []
    return LookupUserResponse(
        user_id=answers.user_id(circ, user),
        loaned_items_count=_count_loans(circ, loans) if message.loaned_items_desired else (),
        loaned_item=tuple(_loaned(circ, loan) for loan in loans),
        requested_item=_requested(circ, user) if message.requested_items_desired else (),
        user_optional_fields=answers.user_fields(circ, user, message.user_element_type),
    )


def find_user(
    circ: Circulation, user_id: el.UserId | None, inputs: tuple[el.AuthenticationInput, ...], service: str
) -> User:
    """Find the one user that a message means.

    Raises Problem: Unknown User, Non-Unique User, User Authentication Failed (a PIN or password came, and none is
    kept here to compare it with).
    """
    if user_id is None:
        raise Problem(
            ProblemType.USER_AUTHENTICATION_FAILED,
            element=f"{service}/AuthenticationInput",
            detail="Users of this agency are known by UserId; no PINs or passwords are kept here to compare with. "
            f"Send a UserId instead of the {len(inputs)} AuthenticationInput.",
        )
    value = user_id.user_identifier_value.strip()
    kind = circ.partner.user_identifier_type
    users = circ.users(value, kind)
    if len(users) == 1:
        return users[0]
    element = f"{service}/UserId/UserIdentifierValue"
    if users:
        raise Problem(
            ProblemType.NON_UNIQUE_USER,
            element=element,
            value=value,
            detail=f"{len(users)} users have the identifier {value!r}; send one that only a single user has.",
        )
    wanted = f" of type {kind!r}" if kind else ""
    raise Problem(
        ProblemType.UNKNOWN_USER,
        element=element,
        value=value,
        detail=f"No user here has the identifier {value!r}{wanted}; check it, and the agreed kind of identifier.",
    )


def _count_loans(circ: Circulation, loans: list[Loan]) -> tuple[el.LoanedItemsCount, ...]:
    counts: dict[CirculationStatus, int] = {}
    for loan in loans:
        status = CirculationStatus.RECALLED if loan.recalled_at is not None else CirculationStatus.ON_LOAN
        counts[status] = counts.get(status, 0) + 1
    return tuple(
        el.LoanedItemsCount(circulation_status=status.coded(), loaned_item_count_value=count)
        for status, count in counts.items()
    )


def _loaned(circ: Circulation, loan: Loan) -> el.LoanedItem:
    item = circ.item(loan.item_id)
    record = circ.record(item.record_id)
    return el.LoanedItem(
        item_id=answers.item_id(item),
        date_due=optional_date(loan.due_at),
        indeterminate_loan_period_flag=loan.due_at is None,
        title=record.title or None,
        medium_type=Coded(record.medium) if record.medium else None,
    )


def _requested(circ: Circulation, user: User) -> tuple[el.RequestedItem, ...]:
    requested = [
        el.RequestedItem(
            request_id=answers.request_id(request),
            request_type=Coded(request.request_type) if request.request_type else RequestType.LOAN.coded(),
            request_status_type=answers.request_status(request),
            date_placed=from_micros(request.created_at),
            title=request.title or None,
        )
        for request in circ.tx.all("open_requests_of_user", request_row, user=user.id)
    ]
    for hold in circ.tx.all("open_holds_of_user", hold_row, user=user.id):
        if hold.request_id is not None:
            continue
        item = circ.item(hold.item_id) if hold.item_id is not None else None
        record = circ.record(hold.record_id or (item.record_id if item else 0))
        ready = hold.state is HoldState.READY and item is not None and item.status is ItemStatus.ON_HOLD_SHELF
        status = RequestStatusType.AVAILABLE_FOR_PICKUP if ready else RequestStatusType.IN_PROCESS
        requested.append(
            el.RequestedItem(
                item_id=answers.item_id(item) if item else None,
                request_id=None if item else el.RequestId(request_identifier_value=f"hold-{hold.id}"),
                request_type=RequestType.HOLD.coded(),
                request_status_type=status.coded(),
                date_placed=from_micros(hold.placed_at),
                pickup_expiry_date=optional_date(hold.expires_at),
                title=record.title or None,
            )
        )
    return tuple(requested)
