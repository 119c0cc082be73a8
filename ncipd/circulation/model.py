"""The rows of the store as the domain sees them, and the words their columns may hold.

Times are integers, microseconds since 1970 in UTC (`Micros`); flags are 0/1; ids are integers private to the store.
A row type's fields are in the order of the columns that `store/queries.sql` selects for it.
"""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

Micros = int


class Role(StrEnum):
    """Our role in a request."""

    LENDING = "lending"
    BORROWING = "borrowing"


class ItemStatus(StrEnum):
    """Where an item stands in circulation."""

    AVAILABLE = "available"
    REQUESTED = "requested"  # a lending request waits for it on the shelf
    PICKED = "picked"  # taken from the shelf for a lending request, and where it is shipped from
    ON_LOAN = "on-loan"
    ON_HOLD_SHELF = "on-hold-shelf"
    IN_TRANSIT = "in-transit"
    EXPECTED = "expected"  # a temporary item announced, not yet received at the desk
    RECEIVED = "received"  # a temporary item in the building, not yet on the hold shelf
    RETURNED = "returned"  # a temporary item to be sent back to its lender
    RESHELVING = "reshelving"
    IN_PROCESS = "in-process"
    ON_ORDER = "on-order"
    LOST = "lost"
    MISSING = "missing"
    CLAIMED = "claimed"
    NOT_AVAILABLE = "not-available"
    WITHDRAWN = "withdrawn"


class RequestStatus(StrEnum):
    """Statuses of lending and borrowing requests (profiles.md sections 2.2 and 2.3)."""

    # lending
    CREATED_LENDING = "created-lending-request"
    LOCATE_FAILED = "locate-failed"
    BEING_PROCESSED = "being-processed"
    RECEIVED_BY_PARTNER = "received-by-partner"
    RECALLED = "recalled"
    RENEW_REJECTED = "renew-rejected"
    RETURNED_BY_PARTNER = "returned-by-partner"
    LOST = "lost"
    # borrowing
    CREATED_BORROWING = "created-borrowing-request"
    RECEIVED_PHYSICALLY = "physically-received-by-library"
    RECEIVED_DIGITALLY = "digitally-received-by-library"
    LOANED = "loaned-item-to-patron"
    RENEWED_BY_PARTNER = "renewed-by-partner"
    RENEW_NOT_ACCEPTED = "renew-request-not-accepted"
    RECALLED_BY_PARTNER = "recalled-by-partner"
    OVERDUE = "overdue-request"
    REPORTED_LOST = "report-lost-item-to-partner"
    RETURNED_BY_PATRON = "returned-by-patron"
    RETURNED_TO_PARTNER = "returned-item-to-partner"
    # both
    SHIPPED_PHYSICALLY = "shipped-physically"
    SHIPPED_DIGITALLY = "shipped-digitally"
    RENEW_REQUESTED = "renew-requested"
    RENEWED = "renewed"
    CANCELLED = "cancelled"
    COMPLETED = "request-completed"


#: What the field calls each status (profiles.md sections 2.2 and 2.3).
STATUS_NAMES: dict[RequestStatus, str] = {
    RequestStatus.CREATED_LENDING: "Created lending request",
    RequestStatus.LOCATE_FAILED: "Locate failed",
    RequestStatus.BEING_PROCESSED: "Being processed",
    RequestStatus.RECALLED: "Recalled by library",
    RequestStatus.RENEW_REJECTED: "Renew rejected",
    RequestStatus.RECEIVED_BY_PARTNER: "Received by partner",
    RequestStatus.RETURNED_BY_PARTNER: "Returned by partner",
    RequestStatus.LOST: "Lost",
    RequestStatus.CREATED_BORROWING: "Created borrowing request",
    RequestStatus.RECEIVED_PHYSICALLY: "Physically received by library",
    RequestStatus.RECEIVED_DIGITALLY: "Digitally received by library",
    RequestStatus.LOANED: "Loaned item to patron",
    RequestStatus.RENEWED_BY_PARTNER: "Renewed by partner",
    RequestStatus.RENEW_NOT_ACCEPTED: "Renew request not accepted",
    RequestStatus.RECALLED_BY_PARTNER: "Recalled by partner",
    RequestStatus.OVERDUE: "Overdue request",
    RequestStatus.REPORTED_LOST: "Report lost item to partner",
    RequestStatus.RETURNED_BY_PATRON: "Returned by patron",
    RequestStatus.RETURNED_TO_PARTNER: "Returned item to partner",
    RequestStatus.SHIPPED_PHYSICALLY: "Shipped physically",
    RequestStatus.SHIPPED_DIGITALLY: "Shipped digitally",
    RequestStatus.RENEW_REQUESTED: "Renew requested",
    RequestStatus.RENEWED: "Renewed",
    RequestStatus.CANCELLED: "Cancelled",
    RequestStatus.COMPLETED: "Request completed",
}


class ItemState(StrEnum):
    """Where one item of a request stands."""

    WAITING = "waiting"  # no copy is set aside: it is out, or set aside for somebody else
    WANTED = "wanted"
    PICKED = "picked"
    OUT = "out"  # shipped (lending) or in the building or with the user (borrowing)
    BACK = "back"  # returned to where it came from
    DROPPED = "dropped"  # no longer part of the request


class TaskKind(StrEnum):
    """What staff are asked to do."""

    PICK = "pick"
    LOCATE = "locate"
    SHIP = "ship"
    DELIVER_DIGITALLY = "deliver-digitally"
    CONFIRM_DIGITAL = "confirm-digital"
    RESHELVE = "reshelve"
    SEND_HOME = "send-home"
    DECIDE_RENEWAL = "decide-renewal"
    RECEIVE = "receive"
    SHELVE_HOLD = "shelve-hold"
    RETURN_TO_PARTNER = "return-to-partner"
    RECALL_BY_HAND = "recall-by-hand"
    SEARCH = "search"  # look for an item that is said to be back, or to be missing
    RENEW_BY_HAND = "renew-by-hand"
    REVIEW = "review"


class HoldState(StrEnum):
    """Where a local user's hold stands."""

    WAITING = "waiting"
    READY = "ready"
    FILLED = "filled"
    CANCELLED = "cancelled"


class LoanMark(StrEnum):
    """What is said of a loan beside out and back."""

    CLAIMED_RETURNED = "claimed-returned"
    NEVER_BORROWED = "never-borrowed"
    MISSING = "missing"
    LOST = "lost"
    UNDONE = "undone"  # made in error: it never was
    RETURN = "return"  # only its end is known


class Agency(NamedTuple):
    """An institution: served here, or only known here because a partner told of it."""

    id: int
    code: str
    name: str
    time_zone: str
    network: str
    served: int = 1


class Library(NamedTuple):
    """A library of an agency."""

    id: int
    agency_id: int
    code: str
    name: str


class Location(NamedTuple):
    """A place in a library where items stand."""

    id: int
    agency_id: int
    library_id: int
    code: str
    name: str


class User(NamedTuple):
    """A person who borrows at an agency (the standard's *user*)."""

    id: int
    agency_id: int
    primary_id: str
    surname: str
    given_name: str
    user_group: str
    language: str
    born_at: Micros | None
    expires_at: Micros | None
    loan_limit: int | None
    note: str
    name: str = ""
    version: int = 1


class UserIdentifier(NamedTuple):
    """One of the values by which a user is known."""

    user_id: int
    type: str
    value: str


class UserAddress(NamedTuple):
    """A way to reach a user: `kind` is an electronic address type (mailto, tel) or "postal"."""

    user_id: int
    role: str
    kind: str
    data: str
    locality: str
    region: str
    country: str
    postal_code: str
    valid_from: Micros | None = None
    valid_to: Micros | None = None
    content: str = ""


class UserPrivilege(NamedTuple):
    """What an agency lets a user do, and until when."""

    user_id: int
    type: str
    status: str
    valid_from: Micros | None
    valid_to: Micros | None
    description: str
    content: str = ""


class UserBlock(NamedTuple):
    """A block or trap on a user (NCIP BlockOrTrap)."""

    user_id: int
    type: str
    valid_from: Micros | None
    valid_to: Micros | None
    note: str
    agency: str = ""


class UserPreviousIdentifier(NamedTuple):
    """A value by which a user was known before, and until when."""

    user_id: int
    agency: str
    value: str
    valid_from: Micros | None
    valid_to: Micros | None


class UserSecret(NamedTuple):
    """The argon2 hash of a PIN or password, and how often in a row it was guessed wrong."""

    user_id: int
    kind: str
    hash: str
    failures: int
    locked_until: Micros | None


class FiscalEntry(NamedTuple):
    """A charge, payment or waiver on a user's account, in minor units; what the user owes is the sum of the effects."""

    id: int
    agency_id: int
    user_id: int
    reference_agency: str
    reference: str
    action: str
    type: str
    amount: int
    effect: int
    currency: str
    accrued_at: Micros
    valid_from: Micros | None
    valid_to: Micros | None
    payment_method: str
    description: str
    related: str
    request: str
    item_id: int | None
    loan_id: int | None


class Record(NamedTuple):
    """A bibliographic record."""

    id: int
    agency_id: int
    temporary: int
    title: str
    author: str
    publisher: str
    place: str
    published: str
    edition: str
    medium: str
    language: str
    level: str
    series: str
    component_title: str
    component_author: str
    further: str


class RecordIdentifier(NamedTuple):
    """A number by which a record is known: local number, OCLC, ISBN, ISSN, ..."""

    record_id: int
    code: str
    value: str


class Item(NamedTuple):
    """A copy. `live` items have a barcode unique in their agency; a withdrawn one keeps its for later scans."""

    id: int
    agency_id: int
    record_id: int
    barcode: str
    live: int
    status: ItemStatus
    temporary: int
    partner: str
    partner_item_id: str
    circulates: int
    policy: str
    call_number: str
    copy_number: str
    volume: str
    home_library_id: int
    permanent_location_id: int | None
    temporary_location_id: int | None
    note: str
    pieces: int | None
    condition_type: str
    condition_details: str
    security_marker: str
    sensitize: int
    resource: str
    fee_amount: int | None
    fee_currency: str
    price_amount: int | None
    price_currency: str
    version: int


class Request(NamedTuple):
    """A resource-sharing request, seen from our side."""

    id: int
    agency_id: int
    role: Role
    partner: str
    identifier: str
    identifier_agency: str
    open: int
    status: RequestStatus
    digital: int
    request_type: str
    request_scope: str
    user_id: int | None
    user_as_sent: str
    item_as_sent: str
    record_id: int | None
    title: str
    author: str
    pickup_library_id: int | None
    partner_agency: str
    our_agency_code: str
    due_at: Micros | None
    need_before: Micros | None
    renewal_forbidden: int
    note: str
    created_at: Micros
    version: int
    earliest_needed: Micros | None
    pickup_expires: Micros | None
    available_at: Micros | None
    shipping: str
    fee_acknowledged: int | None
    fee_paid: int | None
    fee_currency: str
    identifier_made: int = 0  # here, and the partner was not told it


class RequestItem(NamedTuple):
    """One item of a request, with its loan once it has one."""

    id: int
    request_id: int
    item_id: int
    loan_id: int | None
    state: ItemState
    version: int
    before: str = ""


class Loan(NamedTuple):
    """An item out: to a user or to a partner, never to both."""

    id: int
    agency_id: int
    item_id: int
    user_id: int | None
    partner: str | None
    request_id: int | None
    out_at: Micros
    due_at: Micros | None
    renewals: int
    recalled_at: Micros | None
    returned_at: Micros | None
    reported: int
    version: int
    mark: str = ""
    claimed_at: Micros | None = None
    renewed_at: Micros | None = None
    hold_id: int | None = None
    desired_due_at: Micros | None = None  # of a renewal that is being decided


class Recall(NamedTuple):
    """A loan called back: by whom, for which hold, and the dates before it: the loan's, and its request's."""

    id: int
    agency_id: int
    loan_id: int
    hold_id: int | None
    asked_by: str
    due_at: Micros | None
    was_due_at: Micros | None
    placed_at: Micros
    cancelled_at: Micros | None
    was_return_by: Micros | None


class Hold(NamedTuple):
    """A user's claim on an item or a record of the agency."""

    id: int
    agency_id: int
    user_id: int
    record_id: int | None
    item_id: int | None
    request_id: int | None
    pickup_library_id: int | None
    state: HoldState
    placed_at: Micros
    expires_at: Micros | None
    details: str
    partner: str
    identifier: str
    version: int


class Task(NamedTuple):
    """Something staff have to do."""

    id: int
    agency_id: int
    role: Role
    kind: TaskKind
    request_id: int | None
    item_id: int | None
    note: str
    created_at: Micros
    done_at: Micros | None


class Notice(NamedTuple):
    """A message to a user."""

    id: int
    user_id: int
    request_id: int | None
    type: str
    content: str
    created_at: Micros
    send_at: Micros
    sent_at: Micros | None
    attempts: int
    error: str
