"""CirculationStatusUpdated: the lender's word on a renewal, or that an item is overdue (Z39.83-1 section 5.5.4)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ncipd.circulation import borrowing, lending, matching, renewal, review
from ncipd.circulation.lifecycle import Event, allows, next_status
from ncipd.circulation.model import RequestStatus, Role, TaskKind
from ncipd.ncip.messages import CirculationStatusUpdated, CirculationStatusUpdatedResponse
from ncipd.ncip.problems import Problem, ProblemType
from ncipd.ncip.schemes import CirculationStatus
from ncipd.services import serves

if TYPE_CHECKING:
    from ncipd.circulation.model import Item, Request
    from ncipd.circulation.unit import Circulation

SERVICE = "CirculationStatusUpdated"


@serves(CirculationStatusUpdated)
def circulation_status_updated(
    message: CirculationStatusUpdated, circ: Circulation
) -> CirculationStatusUpdatedResponse:
    """Take one of the three statuses that this notification may tell."""
    ids = matching.named(circ, item=message.item_id)
    status = CirculationStatus.named(message.circulation_status)
    told = (CirculationStatus.ITEM_NOT_RENEWED, CirculationStatus.RENEW_STILL_PENDING, CirculationStatus.ITEM_OVERDUE)
    if status not in told:
        raise Problem(
            ProblemType.UNKNOWN_VALUE_FROM_KNOWN_SCHEME,
            element="CirculationStatusUpdated/CirculationStatus",
            value=message.circulation_status.value,
            detail=f"This notification tells only {', '.join(told)}; use UpdateCirculationStatus for other statuses.",
        )
    with review.kept(circ, SERVICE, f"item {ids.item}"):
        found = _borrowed(circ, ids)
    if found is not None:
        item, request = found
        if status is CirculationStatus.ITEM_NOT_RENEWED:
            renewal.rejected_by_lender(circ, request, item, "the lender did not renew")
        elif status is CirculationStatus.ITEM_OVERDUE and request.open:
            _overdue(circ, item, request)
    return CirculationStatusUpdatedResponse()


def _borrowed(circ: Circulation, ids: matching.Named) -> tuple[Item, Request] | None:
    """Find the borrowed item that is meant, with its request; of our own items nothing that is told here is news."""
    if matching.is_local(circ.partner) or matching.side_of(circ, ids) is Role.LENDING:
        if matching.our_item(circ, ids.item) is None:
            raise lending.unknown_item(SERVICE, ids.item)
        circ.note("told of our own item, whose renewals and due dates are decided here; nothing was changed")
        return None
    item = borrowing.item_meant(circ, SERVICE, ids.item)
    request = circ.last_request_of(item) if item is not None else None
    if item is None or request is None:
        raise lending.unknown_item(SERVICE, ids.item, hint="no item borrowed through this partner has this id")
    circ.about(request)
    return item, request


def _overdue(circ: Circulation, item: Item, request: Request) -> None:
    """Tell staff and the user that the lender misses an item, once."""
    note = "the lender says it is overdue"
    asked = any(task.note == note for task in circ.tasks_of(request))
    can_move = allows(Role.BORROWING, request.status, Event.OVERDUE)
    following = next_status(Role.BORROWING, request.status, Event.OVERDUE) if can_move else request.status
    if following is request.status and (asked or following is RequestStatus.OVERDUE):
        circ.note("told before; nothing was changed")
        return
    if can_move:
        circ.advance(request, Event.OVERDUE)
    if not asked:
        circ.ask_staff(Role.BORROWING, TaskKind.REVIEW, request=request, item=item, note=note)
    if request.user_id is not None:
        title = circ.record(item.record_id).title or item.barcode
        circ.tell(request.user_id, "item overdue", f"{title} is overdue; please bring it back.", request)
