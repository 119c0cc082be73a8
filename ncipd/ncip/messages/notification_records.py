"""Notification messages about records of agencies, items and users (Z39.83-1 section 5.5)."""

from __future__ import annotations

from datetime import datetime

from ncipd.ncip.elements import (
    AddAgencyFields,
    AddItemFields,
    AddUserFields,
    AgencyAddressInformation,
    AuthenticationPrompt,
    BibliographicDescription,
    BlockOrTrap,
    DeleteAgencyFields,
    DeleteItemFields,
    DeleteUserFields,
    FiscalTransactionInformation,
    InitiationHeader,
    ItemDescription,
    ItemId,
    Location,
    NameInformation,
    OrganizationNameInformation,
    PhysicalCondition,
    Problem,
    RequestId,
    ResponseHeader,
    UserAddressInformation,
    UserId,
    UserNoticeDetails,
    UserPrivilege,
)
from ncipd.ncip.types import Coded, Ext, Initiation, Response, element


@element
class AgencyCreated(Initiation):
    """Tells that the record of an agency has been created (Z39.83-1 section 5.5.1)."""

    initiation_header: InitiationHeader | None = None
    agency_id: Coded
    organization_name_information: tuple[OrganizationNameInformation, ...]
    agency_address_information: tuple[AgencyAddressInformation, ...] = ()
    authentication_prompt: tuple[AuthenticationPrompt, ...] = ()
    application_profile_supported_type: tuple[Coded, ...] = ()
    consortium_agreement: tuple[Coded, ...] = ()
    agency_user_privilege_type: tuple[Coded, ...] = ()
    ext: Ext | None = None


@element
class AgencyCreatedResponse(Response):
    """Says whether the news of the new agency was understood (Z39.83-1 section 5.5.1)."""

    response_header: ResponseHeader | None = None
    problem: tuple[Problem, ...] = ()
    ext: Ext | None = None


@element
class AgencyUpdated(Initiation):
    """Tells that the record of an agency has been changed (Z39.83-1 section 5.5.2)."""

    initiation_header: InitiationHeader | None = None
    agency_id: Coded
    delete_agency_fields: DeleteAgencyFields | None = None
    add_agency_fields: AddAgencyFields | None = None
    ext: Ext | None = None


@element
class AgencyUpdatedResponse(Response):
    """Says whether the news of the changed agency was understood (Z39.83-1 section 5.5.2)."""

    response_header: ResponseHeader | None = None
    problem: tuple[Problem, ...] = ()
    ext: Ext | None = None


@element
class ItemCreated(Initiation):
    """Tells that the record of an item has been created (Z39.83-1 section 5.5.7)."""

    initiation_header: InitiationHeader | None = None
    item_id: ItemId
    request_id: RequestId | None = None
    bibliographic_description: BibliographicDescription
    item_use_restriction_type: tuple[Coded, ...] = ()
    circulation_status: Coded | None = None
    item_description: ItemDescription | None = None
    location: tuple[Location, ...] = ()
    physical_condition: PhysicalCondition | None = None
    security_marker: Coded | None = None
    sensitization_flag: bool = False
    ext: Ext | None = None


@element
class ItemCreatedResponse(Response):
    """Says whether the news of the new item was understood (Z39.83-1 section 5.5.7)."""

    response_header: ResponseHeader | None = None
    problem: tuple[Problem, ...] = ()
    ext: Ext | None = None


@element
class ItemUpdated(Initiation):
    """Tells that the record of an item has been changed, but not its circulation status (Z39.83-1 section 5.5.16)."""

    initiation_header: InitiationHeader | None = None
    item_id: ItemId
    delete_item_fields: DeleteItemFields | None = None
    add_item_fields: AddItemFields | None = None
    ext: Ext | None = None


@element
class ItemUpdatedResponse(Response):
    """Says whether the news of the changed item was understood (Z39.83-1 section 5.5.16)."""

    response_header: ResponseHeader | None = None
    problem: tuple[Problem, ...] = ()
    ext: Ext | None = None


@element
class UserCreated(Initiation):
    """Tells that the record of a user has been created (Z39.83-1 section 5.5.17)."""

    initiation_header: InitiationHeader | None = None
    user_id: UserId
    name_information: NameInformation
    user_address_information: tuple[UserAddressInformation, ...] = ()
    date_of_birth: datetime | None = None
    user_language: tuple[Coded, ...] = ()
    user_privilege: tuple[UserPrivilege, ...] = ()
    block_or_trap: tuple[BlockOrTrap, ...] = ()
    ext: Ext | None = None


@element
class UserCreatedResponse(Response):
    """Says whether the news of the new user was understood (Z39.83-1 section 5.5.17)."""

    response_header: ResponseHeader | None = None
    problem: tuple[Problem, ...] = ()
    ext: Ext | None = None


@element
class UserUpdated(Initiation):
    """Tells that the record of a user has been changed (Z39.83-1 section 5.5.20)."""

    initiation_header: InitiationHeader | None = None
    user_id: UserId
    delete_user_fields: DeleteUserFields | None = None
    add_user_fields: AddUserFields | None = None
    ext: Ext | None = None


@element
class UserUpdatedResponse(Response):
    """Says whether the news of the changed user was understood (Z39.83-1 section 5.5.20)."""

    response_header: ResponseHeader | None = None
    problem: tuple[Problem, ...] = ()
    ext: Ext | None = None


@element
class UserFiscalTransactionCreated(Initiation):
    """Tells that a charge, payment or waiver has been posted on a user's account (Z39.83-1 section 5.5.18)."""

    initiation_header: InitiationHeader | None = None
    user_id: UserId
    fiscal_transaction_information: FiscalTransactionInformation
    ext: Ext | None = None


@element
class UserFiscalTransactionCreatedResponse(Response):
    """Says whether the news of the posted transaction was understood (Z39.83-1 section 5.5.18)."""

    response_header: ResponseHeader | None = None
    problem: tuple[Problem, ...] = ()
    ext: Ext | None = None


@element
class UserNoticeSent(Initiation):
    """Tells that a notice has been sent to a user (Z39.83-1 section 5.5.19)."""

    initiation_header: InitiationHeader | None = None
    user_id: UserId
    date_sent: datetime
    user_notice_details: UserNoticeDetails
    ext: Ext | None = None


@element
class UserNoticeSentResponse(Response):
    """Says whether the news of the sent notice was understood (Z39.83-1 section 5.5.19)."""

    response_header: ResponseHeader | None = None
    problem: tuple[Problem, ...] = ()
    ext: Ext | None = None
