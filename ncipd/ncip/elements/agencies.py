"""What is known and changed about an agency, and how it asks a user to log in."""

from __future__ import annotations

from ncipd.ncip.elements.addresses import AgencyAddressInformation
from ncipd.ncip.elements.names import OrganizationNameInformation
from ncipd.ncip.types import Coded, Element, Ext, element


@element
class PromptOutput(Element):
    """The text to show to a user who is asked to sign in."""

    authentication_prompt_data: str
    authentication_prompt_type: Coded
    ext: Ext | None = None


@element
class PromptInput(Element):
    """The kind of answer expected from a user who is asked to sign in."""

    authentication_input_type: Coded
    authentication_data_format_type: Coded
    sensitive_data_flag: bool = False
    ext: Ext | None = None


@element
class AuthenticationPrompt(Element):
    """What an agency asks of users who sign in: the text shown and the answer expected."""

    prompt_output: PromptOutput
    prompt_input: PromptInput
    ext: Ext | None = None


@element
class AddAgencyFields(Element):
    """Data to add to an agency's record."""

    organization_name_information: tuple[OrganizationNameInformation, ...] = ()
    agency_address_information: tuple[AgencyAddressInformation, ...] = ()
    authentication_prompt: tuple[AuthenticationPrompt, ...] = ()
    application_profile_supported_type: tuple[Coded, ...] = ()
    consortium_agreement: tuple[Coded, ...] = ()
    agency_user_privilege_type: tuple[Coded, ...] = ()
    ext: Ext | None = None


@element
class DeleteAgencyFields(Element):
    """Data to take out of an agency's record, before any are added."""

    organization_name_information: tuple[OrganizationNameInformation, ...] = ()
    agency_address_information: tuple[AgencyAddressInformation, ...] = ()
    authentication_prompt: tuple[AuthenticationPrompt, ...] = ()
    application_profile_supported_type: tuple[Coded, ...] = ()
    consortium_agreement: tuple[Coded, ...] = ()
    agency_user_privilege_type: tuple[Coded, ...] = ()
    ext: Ext | None = None
