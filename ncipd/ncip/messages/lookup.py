"""Lookup messages: one system asks another what it knows (Z39.83-1 section 5.3)."""

from __future__ import annotations

from datetime import datetime

from ncipd.ncip.elements import (
    AcknowledgedFeeAmount,
    AgencyAddressInformation,
    AuthenticationInput,
    AuthenticationPrompt,
    BibInformation,
    BibliographicId,
    InitiationHeader,
    ItemId,
    ItemOptionalFields,
    ItemTransaction,
    LoanedItem,
    LoanedItemsCount,
    OrganizationNameInformation,
    PaidFeeAmount,
    Problem,
    RequestedItem,
    RequestedItemsCount,
    RequestId,
    ResponseHeader,
    ShippingInformation,
    UserFiscalAccount,
    UserId,
    UserOptionalFields,
)
from ncipd.ncip.types import Coded, Ext, Initiation, Ordinal, Response, element


@element
class LookupAgency(Initiation):
    """Asks for chosen data on one agency, such as its names, addresses and profiles (Z39.83-1 section 5.3.1)."""

    initiation_header: InitiationHeader | None = None
    agency_id: Coded
    agency_element_type: tuple[Coded, ...]
    ext: Ext | None = None


@element
class LookupAgencyResponse(Response):
    """Gives the data on the agency that were asked for, or says why not (Z39.83-1 section 5.3.1)."""

    choice = (
        "Problem+ | (AgencyId, OrganizationNameInformation*, AgencyAddressInformation*, AuthenticationPrompt*, "
        "ApplicationProfileSupportedType*, ConsortiumAgreement*, AgencyUserPrivilegeType*)"
    )

    response_header: ResponseHeader | None = None
    problem: tuple[Problem, ...] = ()
    agency_id: Coded | None = None
    organization_name_information: tuple[OrganizationNameInformation, ...] = ()
    agency_address_information: tuple[AgencyAddressInformation, ...] = ()
    authentication_prompt: tuple[AuthenticationPrompt, ...] = ()
    application_profile_supported_type: tuple[Coded, ...] = ()
    consortium_agreement: tuple[Coded, ...] = ()
    agency_user_privilege_type: tuple[Coded, ...] = ()
    ext: Ext | None = None


@element
class LookupItem(Initiation):
    """Asks for chosen data on one item, found by its own number or by that of a request (Z39.83-1 section 5.3.2)."""

    choice = "ItemId | RequestId"

    initiation_header: InitiationHeader | None = None
    item_id: ItemId | None = None
    request_id: RequestId | None = None
    item_element_type: tuple[Coded, ...] = ()
    current_borrower_desired: bool = False
    current_requesters_desired: bool = False
    ext: Ext | None = None


@element
class LookupItemResponse(Response):
    """Gives the data on the item that were asked for, or says why not (Z39.83-1 section 5.3.2)."""

    choice = (
        "Problem+ | ((ItemId | (RequestId, ItemId?)), HoldPickupDate?, DateRecalled?, ItemTransaction?, "
        "ItemOptionalFields?)"
    )

    response_header: ResponseHeader | None = None
    problem: tuple[Problem, ...] = ()
    request_id: RequestId | None = None
    item_id: ItemId | None = None
    hold_pickup_date: datetime | None = None
    date_recalled: datetime | None = None
    item_transaction: ItemTransaction | None = None
    item_optional_fields: ItemOptionalFields | None = None
    ext: Ext | None = None


@element
class LookupItemSet(Initiation):
    """Asks about many items at once, by titles, holdings sets or items, page by page (Z39.83-1 section 5.3.6)."""

    choice = "BibliographicId+ | HoldingsSetId+ | ItemId+"

    initiation_header: InitiationHeader | None = None
    bibliographic_id: tuple[BibliographicId, ...] = ()
    holdings_set_id: tuple[str, ...] = ()
    item_id: tuple[ItemId, ...] = ()
    item_element_type: tuple[Coded, ...] = ()
    current_borrower_desired: bool = False
    current_requesters_desired: bool = False
    maximum_items_count: Ordinal | None = None
    next_item_token: str | None = None
    ext: Ext | None = None


@element
class LookupItemSetResponse(Response):
    """Gives the titles and items found, and a token where more remain, or says why not (Z39.83-1 section 5.3.6)."""

    choice = "Problem+ | (BibInformation+, NextItemToken?)"

    response_header: ResponseHeader | None = None
    problem: tuple[Problem, ...] = ()
    bib_information: tuple[BibInformation, ...] = ()
    next_item_token: str | None = None
    ext: Ext | None = None


@element
class LookupRequest(Initiation):
    """Asks for chosen data on one request, found by its number or by user, item and type (Z39.83-1 section 5.3.3)."""

    choice = "((UserId | AuthenticationInput+), ItemId, RequestType) | RequestId"

    initiation_header: InitiationHeader | None = None
    user_id: UserId | None = None
    authentication_input: tuple[AuthenticationInput, ...] = ()
    item_id: ItemId | None = None
    request_type: Coded | None = None
    request_id: RequestId | None = None
    request_element_type: tuple[Coded, ...] = ()
    item_element_type: tuple[Coded, ...] = ()
    user_element_type: tuple[Coded, ...] = ()
    ext: Ext | None = None


@element
class LookupRequestResponse(Response):
    """Gives the data on the request that were asked for, or says why not (Z39.83-1 section 5.3.3)."""

    choice = (
        "Problem+ | ((ItemId | (RequestId, ItemId?)), UserId?, RequestType?, RequestScopeType?, RequestStatusType?, "
        "HoldQueuePosition?, ShippingInformation?, EarliestDateNeeded?, NeedBeforeDate?, PickupDate?, "
        "PickupLocation?, PickupExpiryDate?, DateOfUserRequest?, DateAvailable?, AcknowledgedFeeAmount?, "
        "PaidFeeAmount?, ItemOptionalFields?, UserOptionalFields?)"
    )

    response_header: ResponseHeader | None = None
    problem: tuple[Problem, ...] = ()
    request_id: RequestId | None = None
    item_id: ItemId | None = None
    user_id: UserId | None = None
    request_type: Coded | None = None
    request_scope_type: Coded | None = None
    request_status_type: Coded | None = None
    hold_queue_position: Ordinal | None = None
    shipping_information: ShippingInformation | None = None
    earliest_date_needed: datetime | None = None
    need_before_date: datetime | None = None
    pickup_date: datetime | None = None
    pickup_location: Coded | None = None
    pickup_expiry_date: datetime | None = None
    date_of_user_request: datetime | None = None
    date_available: datetime | None = None
    acknowledged_fee_amount: AcknowledgedFeeAmount | None = None
    paid_fee_amount: PaidFeeAmount | None = None
    item_optional_fields: ItemOptionalFields | None = None
    user_optional_fields: UserOptionalFields | None = None
    ext: Ext | None = None


@element
class LookupUser(Initiation):
    """Asks for chosen data on one user, and for their loans, requests or account (Z39.83-1 section 5.3.4)."""

    choice = "UserId | AuthenticationInput+"

    initiation_header: InitiationHeader | None = None
    user_id: UserId | None = None
    authentication_input: tuple[AuthenticationInput, ...] = ()
    user_element_type: tuple[Coded, ...] = ()
    loaned_items_desired: bool = False
    requested_items_desired: bool = False
    user_fiscal_account_desired: bool = False
    ext: Ext | None = None


@element
class LookupUserResponse(Response):
    """Gives the data on the user that were asked for, or says why not (Z39.83-1 section 5.3.4)."""

    choice = (
        "Problem+ | (UserId, UserFiscalAccount*, LoanedItemsCount*, LoanedItem*, RequestedItemsCount*, "
        "RequestedItem*, UserOptionalFields?)"
    )

    response_header: ResponseHeader | None = None
    problem: tuple[Problem, ...] = ()
    user_id: UserId | None = None
    user_fiscal_account: tuple[UserFiscalAccount, ...] = ()
    loaned_items_count: tuple[LoanedItemsCount, ...] = ()
    loaned_item: tuple[LoanedItem, ...] = ()
    requested_items_count: tuple[RequestedItemsCount, ...] = ()
    requested_item: tuple[RequestedItem, ...] = ()
    user_optional_fields: UserOptionalFields | None = None
    ext: Ext | None = None
