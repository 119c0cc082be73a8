"""What some partners need in an answer that settings cannot express: functions that a profile names (`quirks`).

Each takes the message and its answer, and gives the answer as the partner needs it. It must still obey the grammar.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ncipd.circulation.partner import Quirk
from ncipd.ncip.elements import ItemId, RequestId, UserId, UserOptionalFields
from ncipd.ncip.messages import (
    CheckInItemResponse,
    ItemReceivedResponse,
    ItemRequestedResponse,
    ItemShippedResponse,
    RequestItemResponse,
)
from ncipd.ncip.types import Coded, Ext

if TYPE_CHECKING:
    from collections.abc import Callable

    from ncipd.circulation.partner import Partner
    from ncipd.ncip.types import Initiation, Response


def answered(partner: Partner, message: Initiation, response: Response) -> Response:
    """Give an answer as the quirks of a partner want it."""
    for quirk in partner.quirks:
        response = QUIRKS[quirk](message, response)
    return response


def _empty_user_fields(_message: Initiation, response: Any) -> Response:
    """SHAREit reads UserOptionalFields of every CheckInItemResponse."""
    if isinstance(response, CheckInItemResponse) and not response.problem and response.user_optional_fields is None:
        return replace(response, user_optional_fields=UserOptionalFields())
    found: Response = response
    return found


def _ids_in_ext(message: Any, response: Any) -> Response:
    """NNCIPP has the ids repeated where the grammar leaves a response empty."""
    wanted: tuple[type, ...] = ()
    if isinstance(response, ItemShippedResponse | ItemReceivedResponse):
        wanted = (RequestId,)
    elif isinstance(response, ItemRequestedResponse):
        wanted = (UserId, ItemId)
    named = (getattr(message, name, None) for name in ("user_id", "item_id", "request_id"))
    ids: tuple[Any, ...] = tuple(one for one in named if isinstance(one, wanted)) if wanted else ()
    found: Response = replace(response, ext=Ext(children=ids)) if ids and response.ext is None else response
    return found


def _item_barcode(_message: Initiation, response: Any) -> Response:
    """CrossLink takes a barcode from an ItemId of this type only."""
    found: Response = response
    if isinstance(response, RequestItemResponse) and response.item_id is not None:
        return replace(response, item_id=replace(response.item_id, item_identifier_type=Coded("Item Barcode")))
    return found


QUIRKS: dict[Quirk, Callable[[Initiation, Response], Response]] = {
    Quirk.EMPTY_USER_OPTIONAL_FIELDS: _empty_user_fields,
    Quirk.IDS_IN_EXT: _ids_in_ext,
    Quirk.ITEM_BARCODE: _item_barcode,
}
