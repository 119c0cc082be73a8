"""LookupItem: where an item stands (Z39.83-1 section 5.3.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ncipd.circulation import holds, lending, matching
from ncipd.circulation.model import Item, ItemState
from ncipd.ncip import elements as el
from ncipd.ncip.messages import LookupItem, LookupItemResponse
from ncipd.services import answers, holders, serves

if TYPE_CHECKING:
    from ncipd.circulation.unit import Circulation


@serves(LookupItem, reads=True)
def lookup_item(message: LookupItem, circ: Circulation) -> LookupItemResponse:
    """Answer what was asked about an item, named by its barcode or by a request."""
    request_id: el.RequestId | None = None
    if message.request_id is not None:
        request_id, item = _of_request(circ, message.request_id)
    else:
        item = _named(circ, message.item_id)
    if item is None:
        return LookupItemResponse(request_id=message.request_id)
    dates = answers.dates_of_status(circ, item, message.item_element_type)
    return LookupItemResponse(
        request_id=request_id,
        item_id=answers.item_id(item, message.item_id),
        item_transaction=_transaction(circ, message, item),
        item_optional_fields=answers.item_fields(circ, item, message.item_element_type),
        date_recalled=dates.recalled,
        hold_pickup_date=dates.pickup,
    )


def _named(circ: Circulation, item_id: el.ItemId | None) -> Item:
    value = item_id.item_identifier_value.strip() if item_id else ""
    item = matching.item_called(circ, value)
    if item is not None and item.live:
        return item
    raise lending.unknown_item("LookupItem", value)


def _of_request(circ: Circulation, request_id: el.RequestId) -> tuple[el.RequestId, Item | None]:
    ids = matching.named(circ, request=request_id)
    hold = holds.named(circ, ids) if matching.is_local(circ.partner) else None
    if hold is not None:
        return holds.request_id(circ, hold, request_id), holds.item_of(circ, hold)
    found = matching.called(circ, ids)
    if not found:
        raise matching.unknown_request("LookupItem", ids.identifier)
    places = [place for place in circ.request_items(found[0]) if place.state is not ItemState.DROPPED]
    return answers.request_id(found[0], request_id), circ.item(places[0].item_id) if places else None


def _transaction(circ: Circulation, message: LookupItem, item: Item) -> el.ItemTransaction | None:
    has = holders.borrower(circ, item) if message.current_borrower_desired else None
    want = holders.requesters(circ, item) if message.current_requesters_desired else ()
    return el.ItemTransaction(current_borrower=has, current_requester=want) if has or want else None
