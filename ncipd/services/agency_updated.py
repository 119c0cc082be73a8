"""AgencyUpdated: a partner tells that data of an agency have changed (Z39.83-1 section 5.5.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ncipd.circulation import agencies, review
from ncipd.circulation.model import Role
from ncipd.ncip.messages import AgencyUpdated, AgencyUpdatedResponse
from ncipd.services import serves

if TYPE_CHECKING:
    from ncipd.circulation.unit import Circulation


@serves(AgencyUpdated)
def agency_updated(message: AgencyUpdated, circ: Circulation) -> AgencyUpdatedResponse:
    """Take the changes up, once; what they cannot be made of is shown to staff."""
    code = message.agency_id.value.strip()
    circ.take_as_fact()
    with review.kept(circ, "AgencyUpdated", f"agency {code}", Role.LENDING):
        agency = agencies.of_partner(circ, code, "AgencyUpdated")
        agencies.change(circ, agency, message.delete_agency_fields, message.add_agency_fields, "AgencyUpdated")
    return AgencyUpdatedResponse()
