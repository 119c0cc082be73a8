"""AgencyCreated: a partner tells of a new agency (Z39.83-1 section 5.5.1)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ncipd.circulation import agencies, review
from ncipd.circulation.model import Role
from ncipd.ncip.messages import AgencyCreated, AgencyCreatedResponse
from ncipd.services import serves

if TYPE_CHECKING:
    from ncipd.circulation.unit import Circulation


@serves(AgencyCreated)
def agency_created(message: AgencyCreated, circ: Circulation) -> AgencyCreatedResponse:
    """Keep the record unless the agency is known; one that is known otherwise is shown to staff and left as it is."""
    code = message.agency_id.value.strip()
    agency = agencies.known(circ, code)
    with review.kept(circ, "AgencyCreated", f"agency {code}", Role.LENDING):
        if agency is None:
            name = message.organization_name_information[0].organization_name
            agencies.create(circ, code, name, message, "AgencyCreated")
        elif agencies.says_more(circ, agency, message):
            raise agencies.duplicate("AgencyCreated", code)
        else:
            circ.note("the agency is known already; nothing was changed")
    return AgencyCreatedResponse()
