"""Update messages about requests (Z39.83-1 section 5.4)."""

from __future__ import annotations

from datetime import datetime

from ncipd.ncip.elements import (
    AcknowledgedFeeAmount,
    AddRequestFields,
    AuthenticationInput,
    BibliographicId,
    DeleteRequestFields,
    FiscalTransactionInformation,
    InitiationHeader,
    ItemId,
    ItemOptionalFields,
    MandatedAction,
    PaidFeeAmount,
    Problem,
    RequestId,
    RequiredFeeAmount,
    ResponseHeader,
    ShippingInformation,
    UserId,
    UserOptionalFields,
)
from ncipd.ncip.types import Coded, Ext, Initiation, Response, element


@element
class RequestItem(Initiation):
    """Asks for items or titles on behalf of a user: a loan, a hold, a copy, an estimate (Z39.83-1 section 5.4.15)."""

    choice = ("UserId | AuthenticationInput+", "ItemId+ | (BibliographicId+, ItemId*)")

    initiation_header: InitiationHeader | None = None
    mandated_action: MandatedAction | None = None
    user_id: UserId | None = None
    authentication_input: tuple[AuthenticationInput, ...] = ()
    bibliographic_id: tuple[BibliographicId, ...] = ()
    item_id: tuple[ItemId, ...] = ()
    request_id: RequestId | None = None
    request_type: Coded
    request_scope_type: Coded
    item_optional_fields: ItemOptionalFields | None = None
    shipping_information: ShippingInformation | None = None
    earliest_date_needed: datetime | None = None
    need_before_date: datetime | None = None
    pickup_location: Coded | None = None
    pickup_expiry_date: datetime | None = None
    acknowledged_fee_amount: AcknowledgedFeeAmount | None = None
    paid_fee_amount: PaidFeeAmount | None = None
    acknowledged_item_use_restriction_type: tuple[Coded, ...] = ()
    item_element_type: tuple[Coded, ...] = ()
    user_element_type: tuple[Coded, ...] = ()
    ext: Ext | None = None


@element
class RequestItemResponse(Response):
    """Confirms the request, with its number, or says why not and what must be accepted (Z39.83-1 section 5.4.15)."""

    choice = (
        "(Problem+, RequiredFeeAmount?, RequiredItemUseRestrictionType*) | ((ItemId | (RequestId, ItemId?)), UserId, "
        "RequestType, RequestScopeType, ShippingInformation?, DateAvailable?, HoldPickupDate?, "
        "FiscalTransactionInformation?, ItemOptionalFields?, UserOptionalFields?)"
    )

    response_header: ResponseHeader | None = None
    problem: tuple[Problem, ...] = ()
    required_fee_amount: RequiredFeeAmount | None = None
    required_item_use_restriction_type: tuple[Coded, ...] = ()
    request_id: RequestId | None = None
    item_id: ItemId | None = None
    user_id: UserId | None = None
    request_type: Coded | None = None
    request_scope_type: Coded | None = None
    shipping_information: ShippingInformation | None = None
    date_available: datetime | None = None
    hold_pickup_date: datetime | None = None
    fiscal_transaction_information: FiscalTransactionInformation | None = None
    item_optional_fields: ItemOptionalFields | None = None
    user_optional_fields: UserOptionalFields | None = None
    ext: Ext | None = None


@element
class CancelRequestItem(Initiation):
    """Asks to cancel a request (Z39.83-1 section 5.4.16)."""

    choice = ("UserId | AuthenticationInput+", "ItemId | (RequestId, ItemId?)")

    initiation_header: InitiationHeader | None = None
    mandated_action: MandatedAction | None = None
    user_id: UserId | None = None
    authentication_input: tuple[AuthenticationInput, ...] = ()
    request_id: RequestId | None = None
    item_id: ItemId | None = None
    request_type: Coded
    request_scope_type: Coded | None = None
    acknowledged_fee_amount: AcknowledgedFeeAmount | None = None
    paid_fee_amount: PaidFeeAmount | None = None
    item_element_type: tuple[Coded, ...] = ()
    user_element_type: tuple[Coded, ...] = ()
    ext: Ext | None = None


@element
class CancelRequestItemResponse(Response):
    """Confirms that the request was cancelled, or says why not (Z39.83-1 section 5.4.16)."""

    choice = (
        "Problem+ | ((ItemId | (RequestId, ItemId?)), UserId, FiscalTransactionInformation?, ItemOptionalFields?, "
        "UserOptionalFields?)"
    )

    response_header: ResponseHeader | None = None
    problem: tuple[Problem, ...] = ()
    request_id: RequestId | None = None
    item_id: ItemId | None = None
    user_id: UserId | None = None
    fiscal_transaction_information: FiscalTransactionInformation | None = None
    item_optional_fields: ItemOptionalFields | None = None
    user_optional_fields: UserOptionalFields | None = None
    ext: Ext | None = None


@element
class UpdateRequestItem(Initiation):
    """Asks to take out and then add data in a request (Z39.83-1 section 5.4.21)."""

    choice = "((UserId | AuthenticationInput+), ItemId, RequestType) | RequestId"

    initiation_header: InitiationHeader | None = None
    mandated_action: MandatedAction | None = None
    user_id: UserId | None = None
    authentication_input: tuple[AuthenticationInput, ...] = ()
    item_id: ItemId | None = None
    request_type: Coded | None = None
    request_id: RequestId | None = None
    delete_request_fields: DeleteRequestFields | None = None
    add_request_fields: AddRequestFields | None = None
    item_element_type: tuple[Coded, ...] = ()
    user_element_type: tuple[Coded, ...] = ()
    ext: Ext | None = None


@element
class UpdateRequestItemResponse(Response):
    """Confirms that the request was changed, or says why not and what must be accepted (Z39.83-1 section 5.4.21)."""

    choice = (
        "(Problem+, RequiredFeeAmount?, RequiredItemUseRestrictionType*) | (ItemId, UserId, RequestType, "
        "RequestScopeType, DateAvailable?, HoldPickupDate?, FiscalTransactionInformation?, ItemOptionalFields?, "
        "UserOptionalFields?)"
    )

    response_header: ResponseHeader | None = None
    problem: tuple[Problem, ...] = ()
    required_fee_amount: RequiredFeeAmount | None = None
    required_item_use_restriction_type: tuple[Coded, ...] = ()
    item_id: ItemId | None = None
    user_id: UserId | None = None
    request_type: Coded | None = None
    request_scope_type: Coded | None = None
    date_available: datetime | None = None
    hold_pickup_date: datetime | None = None
    fiscal_transaction_information: FiscalTransactionInformation | None = None
    item_optional_fields: ItemOptionalFields | None = None
    user_optional_fields: UserOptionalFields | None = None
    ext: Ext | None = None
