"""LookupAgency: what is known of an agency (Z39.83-1 section 5.3.1)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ncipd.circulation import agencies
from ncipd.ncip.messages import LookupAgency, LookupAgencyResponse
from ncipd.ncip.schemes import AgencyElementType
from ncipd.ncip.types import Coded
from ncipd.services import answers, serves

if TYPE_CHECKING:
    from ncipd.circulation.unit import Circulation

_PART_OF = {
    AgencyElementType.ORGANIZATION_NAME_INFORMATION: "organization_name_information",
    AgencyElementType.AGENCY_ADDRESS_INFORMATION: "agency_address_information",
    AgencyElementType.AUTHENTICATION_PROMPT: "authentication_prompt",
    AgencyElementType.APPLICATION_PROFILE_SUPPORTED_TYPE: "application_profile_supported_type",
    AgencyElementType.CONSORTIUM_AGREEMENT: "consortium_agreement",
    AgencyElementType.AGENCY_USER_PRIVILEGE_TYPE: "agency_user_privilege_type",
}


@serves(LookupAgency, reads=True)
def lookup_agency(message: LookupAgency, circ: Circulation) -> LookupAgencyResponse:
    """Answer what was asked about an agency, served here or told of by a partner."""
    code = message.agency_id.value.strip()
    agency = agencies.known(circ, code)
    if agency is None:
        raise agencies.unknown("LookupAgency", code)
    parts = agencies.described(circ, agency)
    if agency.id == circ.agency.id and not parts["application_profile_supported_type"]:
        parts["application_profile_supported_type"] = [Coded(circ.partner.code)]
    wanted = answers.asked(circ, message.agency_element_type)
    given: dict[str, Any] = {
        part: tuple(parts[part]) for type_, part in _PART_OF.items() if type_.value.casefold() in wanted
    }
    return LookupAgencyResponse(agency_id=message.agency_id, **given)
