"""UpdateAgency: data of an agency are taken out and put in (Z39.83-1 section 5.4.18)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ncipd.circulation import agencies
from ncipd.ncip.messages import UpdateAgency, UpdateAgencyResponse
from ncipd.ncip.problems import Problem, ProblemType
from ncipd.services import serves

if TYPE_CHECKING:
    from ncipd.circulation.unit import Circulation


@serves(UpdateAgency)
def update_agency(message: UpdateAgency, circ: Circulation) -> UpdateAgencyResponse:
    """Delete, then add; all of it or nothing."""
    agency = agencies.of_partner(circ, message.agency_id.value, "UpdateAgency")
    if message.delete_agency_fields is None and message.add_agency_fields is None:
        raise Problem(
            ProblemType.NEEDED_DATA_MISSING,
            element="UpdateAgency/AddAgencyFields",
            detail="Nothing is to be deleted or added; send DeleteAgencyFields, AddAgencyFields or both.",
        )
    agencies.change(circ, agency, message.delete_agency_fields, message.add_agency_fields, "UpdateAgency")
    return UpdateAgencyResponse(agency_id=message.agency_id)
