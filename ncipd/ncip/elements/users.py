"""What is known and changed about a user."""

from __future__ import annotations

from datetime import datetime

from ncipd.ncip.elements.addresses import UserAddressInformation
from ncipd.ncip.elements.fiscal import Amount
from ncipd.ncip.elements.ids import PreviousUserId, UserId
from ncipd.ncip.elements.names import NameInformation
from ncipd.ncip.types import Coded, Element, Ext, element


@element
class AuthenticationInput(Element):
    """What a user typed or presented to prove who they are, in place of a user identifier."""

    authentication_input_data: str
    authentication_data_format_type: Coded
    authentication_input_type: Coded
    ext: Ext | None = None


@element
class UserPrivilegeFee(Element):
    """The fee paid or owed for a privilege, and how it is paid."""

    amount: Amount
    payment_method_type: Coded | None = None
    ext: Ext | None = None


@element
class UserPrivilegeStatus(Element):
    """The state of a privilege, for example active or cancelled, and since when."""

    user_privilege_status_type: Coded
    date_of_user_privilege_status: datetime | None = None
    ext: Ext | None = None


@element
class UserPrivilege(Element):
    """What a user may do at an agency: the privilege, its validity, fee, status and description."""

    agency_id: Coded
    agency_user_privilege_type: Coded
    valid_from_date: datetime | None = None
    valid_to_date: datetime | None = None
    user_privilege_fee: UserPrivilegeFee | None = None
    user_privilege_status: UserPrivilegeStatus | None = None
    user_privilege_description: str | None = None
    ext: Ext | None = None


@element
class BlockOrTrap(Element):
    """A block on a user, or a note that stops staff when the user turns up, set by an agency."""

    agency_id: Coded
    block_or_trap_type: Coded
    valid_from_date: datetime | None = None
    valid_to_date: datetime | None = None
    ext: Ext | None = None


@element
class UserOptionalFields(Element):
    """Data on a user that were asked for, or sent along: names, addresses, privileges, blocks."""

    name_information: NameInformation | None = None
    user_address_information: tuple[UserAddressInformation, ...] = ()
    date_of_birth: datetime | None = None
    user_language: tuple[Coded, ...] = ()
    user_privilege: tuple[UserPrivilege, ...] = ()
    block_or_trap: tuple[BlockOrTrap, ...] = ()
    user_id: tuple[UserId, ...] = ()
    previous_user_id: tuple[PreviousUserId, ...] = ()
    ext: Ext | None = None


@element
class AddUserFields(Element):
    """Data to add to a user's record."""

    authentication_input: tuple[AuthenticationInput, ...] = ()
    name_information: NameInformation | None = None
    user_address_information: tuple[UserAddressInformation, ...] = ()
    date_of_birth: datetime | None = None
    user_language: tuple[Coded, ...] = ()
    user_privilege: tuple[UserPrivilege, ...] = ()
    block_or_trap: tuple[BlockOrTrap, ...] = ()
    ext: Ext | None = None


@element
class DeleteUserFields(Element):
    """Data to take out of a user's record, before any are added."""

    authentication_input: tuple[AuthenticationInput, ...] = ()
    name_information: NameInformation | None = None
    user_address_information: tuple[UserAddressInformation, ...] = ()
    date_of_birth: datetime | None = None
    user_language: tuple[Coded, ...] = ()
    user_privilege: tuple[UserPrivilege, ...] = ()
    block_or_trap: tuple[BlockOrTrap, ...] = ()
    ext: Ext | None = None
