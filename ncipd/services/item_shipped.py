"""ItemShipped: an item is on its way, to the borrower or home again (Z39.83-1 section 5.5.15)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ncipd.circulation import borrowing, matching, movement, naming, review, shipping, wishes
from ncipd.circulation.clock import when_told
from ncipd.circulation.lifecycle import Event, allows
from ncipd.circulation.model import Role, TaskKind
from ncipd.circulation.movement import Movement, Party
from ncipd.ncip.messages import ItemShipped, ItemShippedResponse
from ncipd.services import arriving, serves

if TYPE_CHECKING:
    from ncipd.circulation.unit import Circulation

SERVICE = "ItemShipped"


@serves(ItemShipped)
def item_shipped(message: ItemShipped, circ: Circulation) -> ItemShippedResponse:
    """Expect what the lender has sent, or know that the borrower has sent it back."""
    ids = matching.named(circ, request=message.request_id, item=message.item_id, user=message.user_id)
    with review.kept(circ, SERVICE, f"request {ids.identifier or '-'}, item {ids.item or '-'}"):
        circ.take_as_fact(when_told(message.date_shipped, circ.zone))
        ids = naming.settled(circ, ids, SERVICE)
        told = movement.shipped(circ, ids, movement.marked(message.ext), circ.occurred_at, SERVICE)
        if not movement.is_known(circ, told):
            _EFFECTS[told.request.role, told.by](message, circ, told)
    return ItemShippedResponse()


def _expect(message: ItemShipped, circ: Circulation, told: Movement) -> None:
    """The lender has sent it to us."""
    if told.item is not None:
        circ.note("the item is expected or here already")
    elif told.ids.item:
        arriving.take_in(message, circ, told.ids, told.request, waits=True)
    else:
        moved = circ.advance(told.request, Event.ANNOUNCE)
        if not any(task.kind is TaskKind.RECEIVE for task in circ.tasks_of(moved)):
            circ.ask_staff(Role.BORROWING, TaskKind.RECEIVE, request=moved)
    movement.write_down(circ, told, Event.ANNOUNCE)


def _left_us(message: ItemShipped, circ: Circulation, told: Movement) -> None:
    """We have sent it back to its lender, and a broker says so."""
    if allows(Role.BORROWING, told.request.status, Event.SEND_BACK):
        borrowing.send_back(circ, told.request, told.item, told.words)
    else:
        movement.contradicts(circ, told, f"the request is in status {told.request.status.value!r}")


def _left_for_borrower(message: ItemShipped, circ: Circulation, told: Movement) -> None:
    """We have sent it to the borrower, and a broker says so."""
    if told.request.digital and not allows(Role.LENDING, told.request.status, Event.SHIP):
        shipping.ship_digitally(circ, told.request)
    elif told.item is None:
        movement.contradicts(circ, told, "it is not known which item that was")
    else:
        shipping.ship(circ, told.request, told.item, told.request.identifier, None)
    movement.write_down(circ, told, Event.SHIP)


def _comes_home(message: ItemShipped, circ: Circulation, told: Movement) -> None:
    """The borrower has sent it back to us."""
    if not allows(Role.LENDING, told.request.status, Event.SEND_BACK):
        movement.contradicts(circ, told, f"the request is in status {told.request.status.value!r}")
        return
    circ.finish_tasks(told.request, TaskKind.DECIDE_RENEWAL)
    wishes.forget(circ, told.request)
    circ.advance(told.request, Event.SEND_BACK, told.words)


_EFFECTS = {
    (Role.BORROWING, Party.LENDER): _expect,
    (Role.BORROWING, Party.BORROWER): _left_us,
    (Role.LENDING, Party.LENDER): _left_for_borrower,
    (Role.LENDING, Party.BORROWER): _comes_home,
}
