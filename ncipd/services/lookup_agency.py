"""LookupAgency: what an agency is called and whom it serves (Z39.83-1 section 5.3.1)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ncipd.circulation.model import Agency
from ncipd.ncip import elements as el
from ncipd.ncip.messages import LookupAgency, LookupAgencyResponse
from ncipd.ncip.problems import Problem, ProblemType
from ncipd.ncip.schemes import AgencyElementType, OrganizationNameType
from ncipd.ncip.types import Coded
from ncipd.services import answers, serves

if TYPE_CHECKING:
    from ncipd.circulation.unit import Circulation


@serves(LookupAgency, reads=True)
def lookup_agency(message: LookupAgency, circ: Circulation) -> LookupAgencyResponse:
    """Answer what was asked about an agency served here."""
    code = message.agency_id.value.strip()
    agency = circ.tx.one("agency_by_code", Agency._make, folded=code.upper())
    if agency is None:
        raise Problem(
            ProblemType.UNKNOWN_AGENCY,
            element="LookupAgency/AgencyId",
            value=code,
            detail=f"No agency served here is called {code!r}; ask its own system.",
        )
    wanted = answers.asked(circ, message.agency_element_type)

    def wants(type_: AgencyElementType) -> bool:
        return type_.value.casefold() in wanted

    name = el.OrganizationNameInformation(
        organization_name_type=OrganizationNameType.OFFICIAL_NAME.coded(), organization_name=agency.name
    )
    profiles = tuple(Coded(code) for code in sorted(circ.partners)) if agency.id == circ.agency.id else ()
    return LookupAgencyResponse(
        agency_id=message.agency_id,
        organization_name_information=(name,) if wants(AgencyElementType.ORGANIZATION_NAME_INFORMATION) else (),
        application_profile_supported_type=profiles
        if wants(AgencyElementType.APPLICATION_PROFILE_SUPPORTED_TYPE)
        else (),
    )
