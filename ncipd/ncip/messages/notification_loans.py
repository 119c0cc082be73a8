"""Notification messages about loans and requests (Z39.83-1 section 5.5)."""

from __future__ import annotations

from datetime import datetime

from ncipd.ncip.elements import (
    AddRequestFields,
    BibliographicId,
    DeleteRequestFields,
    FiscalTransactionInformation,
    InitiationHeader,
    ItemId,
    ItemOptionalFields,
    ItemReportedReturned,
    Problem,
    RequestId,
    ResponseHeader,
    RoutingInformation,
    ShippingInformation,
    UserId,
    UserOptionalFields,
)
from ncipd.ncip.types import Coded, Count, Ext, Initiation, Response, element


@element
class CirculationStatusChangeReported(Initiation):
    """Tells that an item was reported returned, never borrowed, lost or missing (Z39.83-1 section 5.5.3)."""

    choice = "ItemReportedReturned | ItemReportedNeverBorrowed | ItemReportedLost | ItemReportedMissing"

    initiation_header: InitiationHeader | None = None
    item_id: ItemId
    user_id: UserId
    item_reported_returned: ItemReportedReturned | None = None
    item_reported_never_borrowed: bool = False
    item_reported_lost: bool = False
    item_reported_missing: bool = False
    item_optional_fields: ItemOptionalFields | None = None
    user_optional_fields: UserOptionalFields | None = None
    fiscal_transaction_information: FiscalTransactionInformation | None = None
    ext: Ext | None = None


@element
class CirculationStatusChangeReportedResponse(Response):
    """Says whether the news of the reported item was understood (Z39.83-1 section 5.5.3)."""

    response_header: ResponseHeader | None = None
    problem: tuple[Problem, ...] = ()
    ext: Ext | None = None


@element
class CirculationStatusUpdated(Initiation):
    """Tells that a renewal is still undecided or was refused, or that an item is overdue (Z39.83-1 section 5.5.4)."""

    initiation_header: InitiationHeader | None = None
    item_id: ItemId
    circulation_status: Coded
    ext: Ext | None = None


@element
class CirculationStatusUpdatedResponse(Response):
    """Says whether the news of the item's status was understood (Z39.83-1 section 5.5.4)."""

    response_header: ResponseHeader | None = None
    problem: tuple[Problem, ...] = ()
    ext: Ext | None = None


@element
class ItemCheckedIn(Initiation):
    """Tells that an item has been checked in (Z39.83-1 section 5.5.5)."""

    initiation_header: InitiationHeader | None = None
    user_id: UserId | None = None
    item_id: ItemId
    routing_information: RoutingInformation | None = None
    fiscal_transaction_information: FiscalTransactionInformation | None = None
    item_optional_fields: ItemOptionalFields | None = None
    user_optional_fields: UserOptionalFields | None = None
    ext: Ext | None = None


@element
class ItemCheckedInResponse(Response):
    """Says whether the news of the check-in was understood (Z39.83-1 section 5.5.5)."""

    response_header: ResponseHeader | None = None
    problem: tuple[Problem, ...] = ()
    ext: Ext | None = None


@element
class ItemCheckedOut(Initiation):
    """Tells that an item has been lent to a user, and until when (Z39.83-1 section 5.5.6)."""

    choice = "DateDue | IndeterminateLoanPeriodFlag | NonReturnableFlag"

    initiation_header: InitiationHeader | None = None
    user_id: UserId
    item_id: ItemId
    request_id: RequestId | None = None
    date_due: datetime | None = None
    indeterminate_loan_period_flag: bool = False
    non_returnable_flag: bool = False
    electronic_resource_provided_flag: bool = False
    renewal_count: Count | None = None
    fiscal_transaction_information: FiscalTransactionInformation | None = None
    shipping_information: ShippingInformation | None = None
    item_optional_fields: ItemOptionalFields | None = None
    user_optional_fields: UserOptionalFields | None = None
    ext: Ext | None = None


@element
class ItemCheckedOutResponse(Response):
    """Says whether the news of the check-out was understood (Z39.83-1 section 5.5.6)."""

    response_header: ResponseHeader | None = None
    problem: tuple[Problem, ...] = ()
    ext: Ext | None = None


@element
class ItemRecallCancelled(Initiation):
    """Tells that the recall of an item has been withdrawn (Z39.83-1 section 5.5.8)."""

    initiation_header: InitiationHeader | None = None
    user_id: UserId | None = None
    item_id: ItemId
    fiscal_transaction_information: FiscalTransactionInformation | None = None
    item_optional_fields: ItemOptionalFields | None = None
    user_optional_fields: UserOptionalFields | None = None
    ext: Ext | None = None


@element
class ItemRecallCancelledResponse(Response):
    """Says whether the news of the withdrawn recall was understood (Z39.83-1 section 5.5.8)."""

    response_header: ResponseHeader | None = None
    problem: tuple[Problem, ...] = ()
    ext: Ext | None = None


@element
class ItemRecalled(Initiation):
    """Tells that an item has been called back, and when it is due now (Z39.83-1 section 5.5.9)."""

    initiation_header: InitiationHeader | None = None
    user_id: UserId | None = None
    item_id: ItemId
    date_due: datetime
    shipping_information: ShippingInformation | None = None
    item_optional_fields: ItemOptionalFields | None = None
    user_optional_fields: UserOptionalFields | None = None
    ext: Ext | None = None


@element
class ItemRecalledResponse(Response):
    """Says whether the news of the recall was understood (Z39.83-1 section 5.5.9)."""

    response_header: ResponseHeader | None = None
    problem: tuple[Problem, ...] = ()
    ext: Ext | None = None


@element
class ItemReceived(Initiation):
    """Tells that an item has arrived (Z39.83-1 section 5.5.10)."""

    initiation_header: InitiationHeader | None = None
    item_id: ItemId
    user_id: UserId | None = None
    request_id: RequestId | None = None
    date_received: datetime
    item_optional_fields: ItemOptionalFields | None = None
    user_optional_fields: UserOptionalFields | None = None
    ext: Ext | None = None


@element
class ItemReceivedResponse(Response):
    """Says whether the news of the arrival was understood (Z39.83-1 section 5.5.10)."""

    response_header: ResponseHeader | None = None
    problem: tuple[Problem, ...] = ()
    ext: Ext | None = None


@element
class ItemRenewed(Initiation):
    """Tells that a loan has been extended, and when it is due now (Z39.83-1 section 5.5.11)."""

    initiation_header: InitiationHeader | None = None
    user_id: UserId | None = None
    item_id: ItemId
    date_due: datetime
    renewal_count: Count | None = None
    fiscal_transaction_information: FiscalTransactionInformation | None = None
    item_optional_fields: ItemOptionalFields | None = None
    user_optional_fields: UserOptionalFields | None = None
    ext: Ext | None = None


@element
class ItemRenewedResponse(Response):
    """Says whether the news of the renewal was understood (Z39.83-1 section 5.5.11)."""

    response_header: ResponseHeader | None = None
    problem: tuple[Problem, ...] = ()
    ext: Ext | None = None


@element
class ItemRequestCancelled(Initiation):
    """Tells that a request has been cancelled (Z39.83-1 section 5.5.12)."""

    choice = "ItemId | (RequestId, ItemId?)"

    initiation_header: InitiationHeader | None = None
    user_id: UserId
    request_id: RequestId | None = None
    item_id: ItemId | None = None
    request_type: Coded
    request_scope_type: Coded | None = None
    fiscal_transaction_information: FiscalTransactionInformation | None = None
    item_optional_fields: ItemOptionalFields | None = None
    user_optional_fields: UserOptionalFields | None = None
    ext: Ext | None = None


@element
class ItemRequestCancelledResponse(Response):
    """Says whether the news of the cancelled request was understood (Z39.83-1 section 5.5.12)."""

    response_header: ResponseHeader | None = None
    problem: tuple[Problem, ...] = ()
    ext: Ext | None = None


@element
class ItemRequestUpdated(Initiation):
    """Tells that a request has been changed (Z39.83-1 section 5.5.13)."""

    choice = "(UserId, ItemId, RequestType) | RequestId"

    initiation_header: InitiationHeader | None = None
    user_id: UserId | None = None
    item_id: ItemId | None = None
    request_type: Coded | None = None
    request_id: RequestId | None = None
    delete_request_fields: DeleteRequestFields | None = None
    add_request_fields: AddRequestFields | None = None
    item_optional_fields: ItemOptionalFields | None = None
    user_optional_fields: UserOptionalFields | None = None
    ext: Ext | None = None


@element
class ItemRequestUpdatedResponse(Response):
    """Says whether the news of the changed request was understood (Z39.83-1 section 5.5.13)."""

    response_header: ResponseHeader | None = None
    problem: tuple[Problem, ...] = ()
    ext: Ext | None = None


@element
class ItemRequested(Initiation):
    """Tells that a request has been made (Z39.83-1 section 5.5.14)."""

    choice = "ItemId | (BibliographicId, RequestId)"

    initiation_header: InitiationHeader | None = None
    user_id: UserId
    item_id: ItemId | None = None
    bibliographic_id: BibliographicId | None = None
    request_id: RequestId | None = None
    request_type: Coded
    request_scope_type: Coded
    shipping_information: ShippingInformation | None = None
    earliest_date_needed: datetime | None = None
    need_before_date: datetime | None = None
    pickup_location: Coded | None = None
    pickup_expiry_date: datetime | None = None
    date_of_user_request: datetime | None = None
    date_available: datetime | None = None
    item_optional_fields: ItemOptionalFields | None = None
    user_optional_fields: UserOptionalFields | None = None
    ext: Ext | None = None


@element
class ItemRequestedResponse(Response):
    """Says whether the news of the request was understood (Z39.83-1 section 5.5.14)."""

    response_header: ResponseHeader | None = None
    problem: tuple[Problem, ...] = ()
    ext: Ext | None = None


@element
class ItemShipped(Initiation):
    """Tells that an item has been sent off, when and where to (Z39.83-1 section 5.5.15)."""

    choice = "ItemId | (RequestId, ItemId?)"

    initiation_header: InitiationHeader | None = None
    request_id: RequestId | None = None
    item_id: ItemId | None = None
    user_id: UserId | None = None
    date_shipped: datetime
    shipping_information: ShippingInformation
    item_optional_fields: ItemOptionalFields | None = None
    user_optional_fields: UserOptionalFields | None = None
    ext: Ext | None = None


@element
class ItemShippedResponse(Response):
    """Says whether the news of the shipment was understood (Z39.83-1 section 5.5.15)."""

    response_header: ResponseHeader | None = None
    problem: tuple[Problem, ...] = ()
    ext: Ext | None = None
