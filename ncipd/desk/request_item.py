"""A local user's request, taken at the desk."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from ncipd.circulation import local
from ncipd.circulation.errors import DeskError, ErrorKind
from ncipd.desk import Done, action, finding

if TYPE_CHECKING:
    from ncipd.circulation.unit import Circulation


class RequestForUser(msgspec.Struct, forbid_unknown_fields=True):
    """`user`: who wants it; `barcode`: this very item, or `record`: any copy of this title; `pickup_library`: where."""

    user: str
    barcode: str = ""
    record: str = ""
    pickup_library: str = ""


@action("request", RequestForUser)
def request_item(wish: RequestForUser, circ: Circulation) -> Done:
    """Place a hold for a user of ours; an item that is out to a partner is recalled."""
    user = finding.user(circ, wish.user)
    if wish.barcode:
        items = [finding.item(circ, wish.barcode)]
    else:
        number = finding.required(wish.record, "record", "a record number, or a barcode in `barcode`")
        items = [item for record in circ.records(number) for item in circ.items_of(record.id) if not item.temporary]
    if not items:
        raise DeskError(
            ErrorKind.NOT_FOUND,
            "record-not-found",
            f"No title with items has the number {wish.record!r}.",
            field="record",
        )
    library = finding.library(circ, wish.pickup_library) if wish.pickup_library else None
    _, words = local.place_hold(
        circ, user, items, any_copy=not wish.barcode, pickup_library=library.id if library else None
    )
    request = circ.request(circ.request_id) if circ.request_id is not None else None
    return Done(f"The hold for {user.primary_id} is placed. {words}", "", request, circ.item(items[0].id))
