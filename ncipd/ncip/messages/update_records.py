"""Update messages about records of agencies, items and users (Z39.83-1 section 5.4)."""

from __future__ import annotations

from datetime import datetime

from ncipd.ncip.elements import (
    AddAgencyFields,
    AddItemFields,
    AddUserFields,
    AgencyAddressInformation,
    AuthenticationInput,
    AuthenticationPrompt,
    BibliographicDescription,
    BlockOrTrap,
    DeleteAgencyFields,
    DeleteItemFields,
    DeleteUserFields,
    FiscalTransactionInformation,
    FiscalTransactionReferenceId,
    InitiationHeader,
    ItemDescription,
    ItemId,
    Location,
    MandatedAction,
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
class CreateAgency(Initiation):
    """Asks to create the record of an agency (Z39.83-1 section 5.4.5)."""

    initiation_header: InitiationHeader | None = None
    mandated_action: MandatedAction | None = None
    agency_id: Coded | None = None
    organization_name_information: tuple[OrganizationNameInformation, ...]
    agency_address_information: tuple[AgencyAddressInformation, ...] = ()
    authentication_prompt: tuple[AuthenticationPrompt, ...] = ()
    application_profile_supported_type: tuple[Coded, ...] = ()
    consortium_agreement: tuple[Coded, ...] = ()
    agency_user_privilege_type: tuple[Coded, ...] = ()
    ext: Ext | None = None


@element
class CreateAgencyResponse(Response):
    """Gives the identifier of the agency that was created, or says why not (Z39.83-1 section 5.4.5)."""

    choice = "Problem+ | AgencyId"

    response_header: ResponseHeader | None = None
    problem: tuple[Problem, ...] = ()
    agency_id: Coded | None = None
    ext: Ext | None = None


@element
class UpdateAgency(Initiation):
    """Asks to take out and then add data in an agency's record (Z39.83-1 section 5.4.18)."""

    initiation_header: InitiationHeader | None = None
    mandated_action: MandatedAction | None = None
    agency_id: Coded
    delete_agency_fields: DeleteAgencyFields | None = None
    add_agency_fields: AddAgencyFields | None = None
    ext: Ext | None = None


@element
class UpdateAgencyResponse(Response):
    """Confirms that the agency's record was changed, or says why not (Z39.83-1 section 5.4.18)."""

    choice = "Problem+ | AgencyId"

    response_header: ResponseHeader | None = None
    problem: tuple[Problem, ...] = ()
    agency_id: Coded | None = None
    ext: Ext | None = None


@element
class CreateItem(Initiation):
    """Asks to create the record of an item, on its own or for a request (Z39.83-1 section 5.4.6)."""

    initiation_header: InitiationHeader | None = None
    mandated_action: MandatedAction | None = None
    item_id: ItemId | None = None
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
class CreateItemResponse(Response):
    """Gives the identifier of the item that was created, or says why not (Z39.83-1 section 5.4.6)."""

    choice = "Problem+ | ItemId"

    response_header: ResponseHeader | None = None
    problem: tuple[Problem, ...] = ()
    item_id: ItemId | None = None
    ext: Ext | None = None


@element
class UpdateItem(Initiation):
    """Asks to take out and then add data of an item, but not its circulation status (Z39.83-1 section 5.4.20)."""

    initiation_header: InitiationHeader | None = None
    mandated_action: MandatedAction | None = None
    item_id: ItemId
    delete_item_fields: DeleteItemFields | None = None
    add_item_fields: AddItemFields | None = None
    ext: Ext | None = None


@element
class UpdateItemResponse(Response):
    """Confirms that the item's record was changed, or says why not (Z39.83-1 section 5.4.20)."""

    choice = "Problem+ | ItemId"

    response_header: ResponseHeader | None = None
    problem: tuple[Problem, ...] = ()
    item_id: ItemId | None = None
    ext: Ext | None = None


@element
class DeleteItem(Initiation):
    """Asks to delete the record of an item, for example a temporary one (Z39.83-1 section 5.4.9)."""

    initiation_header: InitiationHeader | None = None
    mandated_action: MandatedAction | None = None
    item_id: ItemId
    ext: Ext | None = None


@element
class DeleteItemResponse(Response):
    """Confirms that the item's record was deleted, or says why not (Z39.83-1 section 5.4.9)."""

    choice = "Problem+ | ItemId"

    response_header: ResponseHeader | None = None
    problem: tuple[Problem, ...] = ()
    item_id: ItemId | None = None
    ext: Ext | None = None


@element
class CreateUser(Initiation):
    """Asks to create the record of a user (Z39.83-1 section 5.4.7)."""

    choice = "(UserId | AuthenticationInput+)?"

    initiation_header: InitiationHeader | None = None
    mandated_action: MandatedAction | None = None
    user_id: UserId | None = None
    authentication_input: tuple[AuthenticationInput, ...] = ()
    name_information: NameInformation
    user_address_information: tuple[UserAddressInformation, ...] = ()
    date_of_birth: datetime | None = None
    user_language: tuple[Coded, ...] = ()
    user_privilege: tuple[UserPrivilege, ...] = ()
    block_or_trap: tuple[BlockOrTrap, ...] = ()
    ext: Ext | None = None


@element
class CreateUserResponse(Response):
    """Gives the identifier of the user that was created, or says why not (Z39.83-1 section 5.4.7)."""

    choice = "Problem+ | UserId"

    response_header: ResponseHeader | None = None
    problem: tuple[Problem, ...] = ()
    user_id: UserId | None = None
    ext: Ext | None = None


@element
class UpdateUser(Initiation):
    """Asks to take out and then add data in a user's record (Z39.83-1 section 5.4.22)."""

    choice = "UserId | AuthenticationInput+"

    initiation_header: InitiationHeader | None = None
    mandated_action: MandatedAction | None = None
    user_id: UserId | None = None
    authentication_input: tuple[AuthenticationInput, ...] = ()
    delete_user_fields: DeleteUserFields | None = None
    add_user_fields: AddUserFields | None = None
    ext: Ext | None = None


@element
class UpdateUserResponse(Response):
    """Confirms that the user's record was changed, or says why not (Z39.83-1 section 5.4.22)."""

    choice = "Problem+ | UserId"

    response_header: ResponseHeader | None = None
    problem: tuple[Problem, ...] = ()
    user_id: UserId | None = None
    ext: Ext | None = None


@element
class DeleteUser(Initiation):
    """Asks to delete the record of a user, for example a temporary one (Z39.83-1 section 5.4.10)."""

    choice = "UserId | AuthenticationInput+"

    initiation_header: InitiationHeader | None = None
    mandated_action: MandatedAction | None = None
    user_id: UserId | None = None
    authentication_input: tuple[AuthenticationInput, ...] = ()
    ext: Ext | None = None


@element
class DeleteUserResponse(Response):
    """Confirms that the user's record was deleted, or says why not (Z39.83-1 section 5.4.10)."""

    choice = "Problem+ | UserId"

    response_header: ResponseHeader | None = None
    problem: tuple[Problem, ...] = ()
    user_id: UserId | None = None
    ext: Ext | None = None


@element
class CreateUserFiscalTransaction(Initiation):
    """Asks to post a charge, payment or waiver on a user's account (Z39.83-1 section 5.4.8)."""

    choice = "UserId | AuthenticationInput+"

    initiation_header: InitiationHeader | None = None
    mandated_action: MandatedAction | None = None
    user_id: UserId | None = None
    authentication_input: tuple[AuthenticationInput, ...] = ()
    fiscal_transaction_information: FiscalTransactionInformation
    ext: Ext | None = None


@element
class CreateUserFiscalTransactionResponse(Response):
    """Gives the number of the transaction that was posted, or says why not (Z39.83-1 section 5.4.8)."""

    choice = "Problem+ | (UserId, FiscalTransactionReferenceId)"

    response_header: ResponseHeader | None = None
    problem: tuple[Problem, ...] = ()
    user_id: UserId | None = None
    fiscal_transaction_reference_id: FiscalTransactionReferenceId | None = None
    ext: Ext | None = None


@element
class SendUserNotice(Initiation):
    """Asks to send a notice to a user, now or on a later day (Z39.83-1 section 5.4.17)."""

    initiation_header: InitiationHeader | None = None
    mandated_action: MandatedAction | None = None
    user_id: UserId
    date_to_send: datetime | None = None
    user_notice_details: UserNoticeDetails
    ext: Ext | None = None


@element
class SendUserNoticeResponse(Response):
    """Says when the notice was or will be sent, or why not (Z39.83-1 section 5.4.17)."""

    choice = "Problem+ | (UserId, (DateSent | DateWillSend)?)"

    response_header: ResponseHeader | None = None
    problem: tuple[Problem, ...] = ()
    user_id: UserId | None = None
    date_sent: datetime | None = None
    date_will_send: datetime | None = None
    ext: Ext | None = None
