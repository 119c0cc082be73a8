"""ItemRequestCancelled: a request has been cancelled elsewhere (Z39.83-1 section 5.5.12)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ncipd.circulation import borrowing, holds, lending, matching, review
from ncipd.circulation.lifecycle import Event, allows
from ncipd.circulation.model import HoldState, Role, TaskKind
from ncipd.ncip.messages import ItemRequestCancelled, ItemRequestCancelledResponse
from ncipd.services import finding, serves

if TYPE_CHECKING:
    from ncipd.circulation.unit import Circulation


@serves(ItemRequestCancelled)
def item_request_cancelled(message: ItemRequestCancelled, circ: Circulation) -> ItemRequestCancelledResponse:
    """End the request here too; one that is too far along goes to staff, for the event itself cannot be refused."""
    ids = matching.named(circ, request=message.request_id, item=message.item_id, user=message.user_id)
    hold = holds.named(circ, ids, message.request_type) if matching.is_local(circ.partner) else None
    if hold is not None and matching.user_of(circ, ids) == circ.user(hold.user_id):
        if hold.state in (HoldState.WAITING, HoldState.READY):
            holds.cancel(circ, hold)
        else:
            circ.note("the hold had ended already; nothing was changed")
        return ItemRequestCancelledResponse()
    with review.kept(circ, "ItemRequestCancelled", f"request {ids.identifier or '-'}, item {ids.item}", Role.LENDING):
        request = finding.request_named(circ, ids, "ItemRequestCancelled")
    circ.about(request)
    if not request.open:
        circ.note("the request had ended already; nothing was changed")
    elif allows(request.role, request.status, Event.CANCEL):
        cancel = lending.cancel if request.role is Role.LENDING else borrowing.cancel
        cancel(circ, request, "cancelled elsewhere")
    else:
        note = f"{circ.partner.code} cancelled it in status {request.status.value!r}"
        circ.ask_staff(request.role, TaskKind.REVIEW, request=request, note=note)
    return ItemRequestCancelledResponse()
