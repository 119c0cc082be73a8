"""CreateAgency: an agency that is not known here yet (Z39.83-1 section 5.4.5)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ncipd.circulation import agencies
from ncipd.ncip.messages import CreateAgency, CreateAgencyResponse
from ncipd.ncip.problems import Problem, ProblemType
from ncipd.ncip.types import Coded
from ncipd.services import serves

if TYPE_CHECKING:
    from ncipd.circulation.unit import Circulation


@serves(CreateAgency)
def create_agency(message: CreateAgency, circ: Circulation) -> CreateAgencyResponse:
    """Keep the record of an agency; it is known here from then on, but not served."""
    code = message.agency_id.value.strip() if message.agency_id is not None else circ.new_id()
    if not code:
        raise Problem(
            ProblemType.ELEMENT_RULE_VIOLATED,
            element="CreateAgency/AgencyId",
            value="",
            detail="An agency's code cannot be empty; send one, or leave AgencyId out to be given one.",
        )
    if agencies.known(circ, code) is not None:
        raise agencies.duplicate("CreateAgency", code)
    agencies.create(circ, code, message.organization_name_information[0].organization_name, message, "CreateAgency")
    return CreateAgencyResponse(agency_id=message.agency_id or Coded(code))
