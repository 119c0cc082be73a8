"""CirculationStatusChangeReported: elsewhere a borrower has said not to have an item (Z39.83-1 section 5.5.3)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ncipd.circulation import fees, review
from ncipd.ncip.messages import CirculationStatusChangeReported, CirculationStatusChangeReportedResponse
from ncipd.services import serves
from ncipd.services.report_circulation_status_change import take_up

if TYPE_CHECKING:
    from ncipd.circulation.unit import Circulation

SERVICE = "CirculationStatusChangeReported"


@serves(CirculationStatusChangeReported)
def circulation_status_change_reported(
    message: CirculationStatusChangeReported, circ: Circulation
) -> CirculationStatusChangeReportedResponse:
    """Take up what was said of the loan, and what was charged for it."""
    with review.kept(circ, SERVICE, f"item {message.item_id.item_identifier_value}"):
        reported = take_up(message, circ, SERVICE)
    if reported.user is not None:
        fees.take_up(circ, reported.user, message.fiscal_transaction_information, reported.loan, SERVICE)
    return CirculationStatusChangeReportedResponse()
