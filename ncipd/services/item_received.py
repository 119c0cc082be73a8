"""ItemReceived: an item has come, at the borrower or home again (Z39.83-1 section 5.5.10)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ncipd.circulation import borrowing, matching, movement, naming, returning, review, shipping
from ncipd.circulation.clock import when_told
from ncipd.circulation.lifecycle import Event, allows
from ncipd.circulation.model import ItemState, ItemStatus, Role
from ncipd.circulation.movement import Movement, Party
from ncipd.ncip.messages import ItemReceived, ItemReceivedResponse
from ncipd.services import arriving, serves

if TYPE_CHECKING:
    from ncipd.circulation.unit import Circulation

SERVICE = "ItemReceived"


@serves(ItemReceived)
def item_received(message: ItemReceived, circ: Circulation) -> ItemReceivedResponse:
    """Know that the borrower has it, or that its lender has it back."""
    ids = matching.named(circ, request=message.request_id, item=message.item_id, user=message.user_id)
    with review.kept(circ, SERVICE, f"request {ids.identifier or '-'}, item {ids.item}"):
        circ.take_as_fact(when_told(message.date_received, circ.zone))
        ids = naming.settled(circ, ids, SERVICE)
        told = movement.received(circ, ids, movement.marked(message.ext), circ.occurred_at, SERVICE)
        if not movement.is_known(circ, told):
            _EFFECTS[told.request.role, told.by](message, circ, told)
    return ItemReceivedResponse()


def _borrower_has_it(message: ItemReceived, circ: Circulation, told: Movement) -> None:
    """What we lent has arrived; if nobody had recorded that it left, it has."""
    request = told.request
    if request.status in movement.UNSHIPPED and told.item is not None and not request.digital:
        movement.contradicts(circ, told, "nobody had recorded that it was shipped")
        request = shipping.ship(circ, request, told.item, request.identifier, None).request
    if not allows(Role.LENDING, request.status, Event.ARRIVE):
        movement.contradicts(circ, told, f"the request is in status {request.status.value!r}")
        return
    moved = circ.advance(request, Event.ARRIVE, told.words)
    if not moved.open:
        circ.finish_tasks(moved)


def _back_home(message: ItemReceived, circ: Circulation, told: Movement) -> None:
    """What we lent is back, and a broker says so."""
    loan = circ.loan_of(told.item) if told.item is not None else None
    if told.item is None or loan is None or loan.request_id != told.request.id or circ.occurred_at < loan.out_at:
        circ.note("it is not out for this request; nothing was changed")
    else:
        returning.check_in(circ, told.item, loan)


def _here(message: ItemReceived, circ: Circulation, told: Movement) -> None:
    """What we borrow has come, and a broker says so."""
    if told.item is None:
        arriving.take_in(message, circ, told.ids, told.request, waits=False)
    elif told.item.status is ItemStatus.EXPECTED:
        arriving.receive(message, circ, told.ids, told.request, told.item)
    movement.write_down(circ, told, Event.RECEIVE)


def _lender_has_it(message: ItemReceived, circ: Circulation, told: Movement) -> None:
    """What we borrowed is back with its lender."""
    if told.item is not None and circ.occurred_at < borrowing.came_at(circ, told.request, told.item):
        circ.note("that was before the item came; nothing was changed")
        return
    places = [place for place in circ.request_items(told.request) if place.state is not ItemState.DROPPED]
    meant = [told.item] if told.item is not None else [circ.item(place.item_id) for place in places]
    if len(meant) > 1:
        movement.contradicts(circ, told, "no item of the request is called so")
        return
    for item in meant:
        borrowing.complete(circ, circ.request(told.request.id), item)
    if not meant:
        circ.finish_tasks(told.request)
        circ.advance(told.request, Event.COMPLETE, told.words)


_EFFECTS = {
    (Role.LENDING, Party.BORROWER): _borrower_has_it,
    (Role.LENDING, Party.LENDER): _back_home,
    (Role.BORROWING, Party.BORROWER): _here,
    (Role.BORROWING, Party.LENDER): _lender_has_it,
}
