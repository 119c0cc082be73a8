"""Update messages about loans (Z39.83-1 section 5.4)."""

from __future__ import annotations

from datetime import datetime

from ncipd.ncip.elements import (
    AcknowledgedFeeAmount,
    AuthenticationInput,
    ElectronicResource,
    FiscalTransactionInformation,
    InitiationHeader,
    ItemId,
    ItemOptionalFields,
    ItemReportedReturned,
    MandatedAction,
    PaidFeeAmount,
    Pending,
    Problem,
    RequestId,
    RequiredFeeAmount,
    ResponseHeader,
    RoutingInformation,
    ShippingInformation,
    UserId,
    UserOptionalFields,
)
from ncipd.ncip.types import Coded, Count, Ext, Initiation, Response, element


@element
class AcceptItem(Initiation):
    """Tells the borrowing library to take in an item of another agency for a request (Z39.83-1 section 5.4.1)."""

    choice = "(DateForReturn | IndeterminateLoanPeriodFlag | NonReturnableFlag)?"

    initiation_header: InitiationHeader | None = None
    mandated_action: MandatedAction | None = None
    request_id: RequestId
    requested_action_type: Coded
    user_id: UserId | None = None
    item_id: ItemId | None = None
    date_for_return: datetime | None = None
    indeterminate_loan_period_flag: bool = False
    non_returnable_flag: bool = False
    renewal_not_permitted: bool = False
    fiscal_transaction_information: FiscalTransactionInformation | None = None
    item_optional_fields: ItemOptionalFields | None = None
    user_optional_fields: UserOptionalFields | None = None
    pickup_location: Coded | None = None
    pickup_expiry_date: datetime | None = None
    ext: Ext | None = None


@element
class AcceptItemResponse(Response):
    """Confirms that the item was taken in, with the number given to it, or says why not (Z39.83-1 section 5.4.1)."""

    choice = "Problem+ | (RequestId, ItemId?)"

    response_header: ResponseHeader | None = None
    problem: tuple[Problem, ...] = ()
    request_id: RequestId | None = None
    item_id: ItemId | None = None
    ext: Ext | None = None


@element
class CheckInItem(Initiation):
    """Asks to end the loan of an item that has come back (Z39.83-1 section 5.4.2)."""

    initiation_header: InitiationHeader | None = None
    mandated_action: MandatedAction | None = None
    item_id: ItemId
    item_element_type: tuple[Coded, ...] = ()
    user_element_type: tuple[Coded, ...] = ()
    ext: Ext | None = None


@element
class CheckInItemResponse(Response):
    """Confirms that the loan has ended and says where the item goes next, or says why not (Z39.83-1 section 5.4.2)."""

    choice = (
        "Problem+ | (ItemId, UserId?, RoutingInformation?, FiscalTransactionInformation?, ItemOptionalFields?, "
        "UserOptionalFields?)"
    )

    response_header: ResponseHeader | None = None
    problem: tuple[Problem, ...] = ()
    item_id: ItemId | None = None
    user_id: UserId | None = None
    routing_information: RoutingInformation | None = None
    fiscal_transaction_information: FiscalTransactionInformation | None = None
    item_optional_fields: ItemOptionalFields | None = None
    user_optional_fields: UserOptionalFields | None = None
    ext: Ext | None = None


@element
class CheckOutItem(Initiation):
    """Asks to lend an item to a user (Z39.83-1 section 5.4.3)."""

    choice = "UserId | AuthenticationInput+"

    initiation_header: InitiationHeader | None = None
    mandated_action: MandatedAction | None = None
    user_id: UserId | None = None
    authentication_input: tuple[AuthenticationInput, ...] = ()
    item_id: ItemId
    request_id: RequestId | None = None
    acknowledged_fee_amount: AcknowledgedFeeAmount | None = None
    paid_fee_amount: PaidFeeAmount | None = None
    acknowledged_item_use_restriction_type: tuple[Coded, ...] = ()
    shipping_information: ShippingInformation | None = None
    resource_desired: bool = False
    desired_date_due: datetime | None = None
    item_element_type: tuple[Coded, ...] = ()
    user_element_type: tuple[Coded, ...] = ()
    ext: Ext | None = None


@element
class CheckOutItemResponse(Response):
    """Confirms the loan and says when it is due, or says why not and what must be accepted (Z39.83-1 section 5.4.3)."""

    choice = (
        "(Problem+, RequiredFeeAmount?, RequiredItemUseRestrictionType*) | (ItemId, UserId, (DateDue | "
        "IndeterminateLoanPeriodFlag | NonReturnableFlag), RenewalCount?, ElectronicResource?, "
        "FiscalTransactionInformation?, ItemOptionalFields?, UserOptionalFields?)"
    )

    response_header: ResponseHeader | None = None
    problem: tuple[Problem, ...] = ()
    required_fee_amount: RequiredFeeAmount | None = None
    required_item_use_restriction_type: tuple[Coded, ...] = ()
    item_id: ItemId | None = None
    user_id: UserId | None = None
    date_due: datetime | None = None
    indeterminate_loan_period_flag: bool = False
    non_returnable_flag: bool = False
    renewal_count: Count | None = None
    electronic_resource: ElectronicResource | None = None
    fiscal_transaction_information: FiscalTransactionInformation | None = None
    item_optional_fields: ItemOptionalFields | None = None
    user_optional_fields: UserOptionalFields | None = None
    ext: Ext | None = None


@element
class UndoCheckOutItem(Initiation):
    """Asks to take back a check-out that was made in error, charges included (Z39.83-1 section 5.4.4)."""

    choice = "(UserId | AuthenticationInput+)?"

    initiation_header: InitiationHeader | None = None
    mandated_action: MandatedAction | None = None
    item_id: ItemId
    user_id: UserId | None = None
    authentication_input: tuple[AuthenticationInput, ...] = ()
    request_id: RequestId | None = None
    ext: Ext | None = None


@element
class UndoCheckOutItemResponse(Response):
    """Confirms that the check-out was taken back, or says why not (Z39.83-1 section 5.4.4)."""

    choice = "Problem+ | (ItemId, UserId?, FiscalTransactionInformation?)"

    response_header: ResponseHeader | None = None
    problem: tuple[Problem, ...] = ()
    item_id: ItemId | None = None
    user_id: UserId | None = None
    fiscal_transaction_information: FiscalTransactionInformation | None = None
    ext: Ext | None = None


@element
class RecallItem(Initiation):
    """Asks to call an item back from its borrower before its time (Z39.83-1 section 5.4.11)."""

    initiation_header: InitiationHeader | None = None
    mandated_action: MandatedAction | None = None
    item_id: ItemId
    desired_date_due: datetime | None = None
    shipping_information: ShippingInformation | None = None
    item_element_type: tuple[Coded, ...] = ()
    user_element_type: tuple[Coded, ...] = ()
    ext: Ext | None = None


@element
class RecallItemResponse(Response):
    """Confirms the recall, with the new due date if it changed, or says why not (Z39.83-1 section 5.4.11)."""

    choice = (
        "Problem+ | (ItemId, UserId?, DateDue?, FiscalTransactionInformation?, ItemOptionalFields?, "
        "UserOptionalFields?)"
    )

    response_header: ResponseHeader | None = None
    problem: tuple[Problem, ...] = ()
    item_id: ItemId | None = None
    user_id: UserId | None = None
    date_due: datetime | None = None
    fiscal_transaction_information: FiscalTransactionInformation | None = None
    item_optional_fields: ItemOptionalFields | None = None
    user_optional_fields: UserOptionalFields | None = None
    ext: Ext | None = None


@element
class CancelRecallItem(Initiation):
    """Asks to withdraw an earlier recall (Z39.83-1 section 5.4.12)."""

    initiation_header: InitiationHeader | None = None
    mandated_action: MandatedAction | None = None
    item_id: ItemId
    item_element_type: tuple[Coded, ...] = ()
    user_element_type: tuple[Coded, ...] = ()
    ext: Ext | None = None


@element
class CancelRecallItemResponse(Response):
    """Confirms that the recall was withdrawn, or says why not (Z39.83-1 section 5.4.12)."""

    choice = "Problem+ | (ItemId, UserId?, FiscalTransactionInformation?, ItemOptionalFields?, UserOptionalFields?)"

    response_header: ResponseHeader | None = None
    problem: tuple[Problem, ...] = ()
    item_id: ItemId | None = None
    user_id: UserId | None = None
    fiscal_transaction_information: FiscalTransactionInformation | None = None
    item_optional_fields: ItemOptionalFields | None = None
    user_optional_fields: UserOptionalFields | None = None
    ext: Ext | None = None


@element
class RenewItem(Initiation):
    """Asks to extend a loan (Z39.83-1 section 5.4.13)."""

    choice = "UserId | AuthenticationInput+"

    initiation_header: InitiationHeader | None = None
    mandated_action: MandatedAction | None = None
    user_id: UserId | None = None
    authentication_input: tuple[AuthenticationInput, ...] = ()
    item_id: ItemId
    item_element_type: tuple[Coded, ...] = ()
    user_element_type: tuple[Coded, ...] = ()
    desired_date_due: datetime | None = None
    desired_date_for_return: datetime | None = None
    acknowledged_fee_amount: AcknowledgedFeeAmount | None = None
    paid_fee_amount: PaidFeeAmount | None = None
    acknowledged_item_use_restriction_type: tuple[Coded, ...] = ()
    ext: Ext | None = None


@element
class RenewItemResponse(Response):
    """Gives the new due date, says that the decision is pending, or says why not (Z39.83-1 section 5.4.13)."""

    choice = (
        "(Problem+, RequiredFeeAmount?, RequiredItemUseRestrictionType*) | Pending | (ItemId, UserId?, DateDue?, "
        "DateForReturn?, RenewalCount?, FiscalTransactionInformation?, ItemOptionalFields?, UserOptionalFields?)"
    )

    response_header: ResponseHeader | None = None
    problem: tuple[Problem, ...] = ()
    required_fee_amount: RequiredFeeAmount | None = None
    required_item_use_restriction_type: tuple[Coded, ...] = ()
    pending: Pending | None = None
    item_id: ItemId | None = None
    user_id: UserId | None = None
    date_due: datetime | None = None
    date_for_return: datetime | None = None
    renewal_count: Count | None = None
    fiscal_transaction_information: FiscalTransactionInformation | None = None
    item_optional_fields: ItemOptionalFields | None = None
    user_optional_fields: UserOptionalFields | None = None
    ext: Ext | None = None


@element
class ReportCirculationStatusChange(Initiation):
    """Reports that a user claims an item returned, never borrowed, lost or missing (Z39.83-1 section 5.4.14)."""

    choice = (
        "UserId | AuthenticationInput+",
        "ItemReportedReturned | ItemReportedNeverBorrowed | ItemReportedLost | ItemReportedMissing",
    )

    initiation_header: InitiationHeader | None = None
    mandated_action: MandatedAction | None = None
    item_id: ItemId
    user_id: UserId | None = None
    authentication_input: tuple[AuthenticationInput, ...] = ()
    item_reported_returned: ItemReportedReturned | None = None
    item_reported_never_borrowed: bool = False
    item_reported_lost: bool = False
    item_reported_missing: bool = False
    item_element_type: tuple[Coded, ...] = ()
    user_element_type: tuple[Coded, ...] = ()
    ext: Ext | None = None


@element
class ReportCirculationStatusChangeResponse(Response):
    """Confirms that the report was recorded, or says why not (Z39.83-1 section 5.4.14)."""

    choice = "Problem+ | (ItemId, UserId?, ItemOptionalFields?, UserOptionalFields?)"

    response_header: ResponseHeader | None = None
    problem: tuple[Problem, ...] = ()
    item_id: ItemId | None = None
    user_id: UserId | None = None
    item_optional_fields: ItemOptionalFields | None = None
    user_optional_fields: UserOptionalFields | None = None
    ext: Ext | None = None


@element
class UpdateCirculationStatus(Initiation):
    """Asks to set the circulation status of an item (Z39.83-1 section 5.4.19)."""

    initiation_header: InitiationHeader | None = None
    mandated_action: MandatedAction | None = None
    item_id: ItemId
    circulation_status: Coded
    ext: Ext | None = None


@element
class UpdateCirculationStatusResponse(Response):
    """Confirms that the item's status was set, or says why not (Z39.83-1 section 5.4.19)."""

    choice = "Problem+ | ItemId"

    response_header: ResponseHeader | None = None
    problem: tuple[Problem, ...] = ()
    item_id: ItemId | None = None
    ext: Ext | None = None
