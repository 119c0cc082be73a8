"""RequestItem: another library wants an item of ours, or a user of ours one of theirs (Z39.83-1 section 5.4.15)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ncipd.circulation import borrowing, details, hold_details, holds, lending, local, matching
from ncipd.circulation.clock import to_micros
from ncipd.circulation.identity import find_user
from ncipd.circulation.model import Role
from ncipd.ncip import elements as el
from ncipd.ncip.messages import RequestItem, RequestItemResponse
from ncipd.ncip.problems import Problem, ProblemType
from ncipd.ncip.schemes import RequestScopeType, RequestType
from ncipd.services import answers, serves

if TYPE_CHECKING:
    from collections.abc import Callable

    from ncipd.circulation.model import Item, Request, User
    from ncipd.circulation.unit import Circulation


@serves(RequestItem)
def request_item(message: RequestItem, circ: Circulation) -> RequestItemResponse:
    """Make a lending request, a borrowing request or a local hold, as the partner and the ids say."""
    return requested(message, circ, made_id=circ.new_id)


def requested(message: RequestItem, circ: Circulation, made_id: Callable[[], str] = str) -> RequestItemResponse:
    """Do what a RequestItem says; `made_id` makes the identifier where it has none and the answer tells it."""
    ids = matching.named(circ, request=message.request_id, item=_item_sent(message), user=message.user_id)
    if matching.is_local(circ.partner):
        return _local(message, circ, ids)
    titles = matching.record_numbers(message.bibliographic_id, circ.partner)
    if matching.side_of(circ, ids, titles=titles, wish=True) is Role.LENDING:
        return _lend(message, circ, ids, titles, made_id)
    return _borrow(message, circ, ids, titles, made_id)


def _lend(
    message: RequestItem,
    circ: Circulation,
    ids: matching.Named,
    titles: tuple[tuple[str, str], ...],
    made_id: Callable[[], str],
) -> RequestItemResponse:
    title, author = _description(message)
    wish = lending.Wish(
        identifier=ids.identifier or made_id(),
        identifier_agency=ids.identifier_agency,
        barcode=ids.item,
        record_numbers=titles,
        request_type=message.request_type.value.strip(),
        request_scope=message.request_scope_type.value.strip(),
        digital=_is_digital(message, circ),
        user_as_sent=ids.user,
        need_before=to_micros(message.need_before_date, circ.zone) if message.need_before_date else None,
        title=title,
        author=author,
        note=_note(message),
        mandated=circ.mandated,
    )
    request, item = lending.request(circ, wish)
    for further in message.item_id[1:]:
        volume = wish._replace(barcode=further.item_identifier_value.strip())
        request = lending.add_volume(circ, request, volume)
    return _answer(message, circ, details.write(circ, request, message), item)


def _borrow(
    message: RequestItem,
    circ: Circulation,
    ids: matching.Named,
    titles: tuple[tuple[str, str], ...],
    made_id: Callable[[], str],
) -> RequestItemResponse:
    user = find_user(circ, message.user_id, message.authentication_input, "RequestItem")
    title, author = _description(message)
    wish = borrowing.Wish(
        identifier=ids.identifier or made_id(),
        identifier_agency=ids.identifier_agency,
        about=ids.item or next((value for value, _ in titles), ""),
        request_type=message.request_type.value.strip(),
        request_scope=message.request_scope_type.value.strip(),
        digital=_is_digital(message, circ),
        user=user,
        user_as_sent=ids.user,
        pickup_location=message.pickup_location.value.strip() if message.pickup_location else "",
        need_before=to_micros(message.need_before_date, circ.zone) if message.need_before_date else None,
        title=title,
        author=author,
        note=_note(message),
        mandated=circ.mandated,
    )
    request = borrowing.request(circ, wish)
    return _answer(message, circ, details.write(circ, request, message), None)


def _local(message: RequestItem, circ: Circulation, ids: matching.Named) -> RequestItemResponse:
    user = find_user(circ, message.user_id, message.authentication_input, "RequestItem")
    any_copy = not ids.item or message.request_scope_type.matches(RequestScopeType.BIBLIOGRAPHIC_ITEM)
    item = matching.our_item(circ, ids.item)
    if ids.item and item is None:
        raise lending.unknown_item("RequestItem", ids.item)
    items = [item] if item and not any_copy else circ.items_of(item.record_id) if item else []
    for value, code in matching.record_numbers(message.bibliographic_id, circ.partner):
        if not items:
            ours = matching.our_records(circ, value, code)
            items = [copy for record in ours for copy in circ.items_of(record.id)]
    if not items:
        raise Problem(
            ProblemType.UNKNOWN_ITEM,
            element="RequestItem/BibliographicId",
            detail="No title here has any of these numbers; check the number and its kind.",
        )
    if message.request_type.matches(RequestType.ESTIMATE):
        return _estimate(message, circ, user, local.may_request(circ, user, items, message)[0])
    pickup = circ.library(message.pickup_location.value) if message.pickup_location else None
    pickup_library = pickup.id if pickup else None
    hold, words = local.place_hold(
        circ,
        user,
        items,
        any_copy=any_copy,
        pickup_library=pickup_library,
        asked=message,
        identifier=ids.identifier,
    )
    hold_details.write(circ, hold, message)
    circ.note(words)
    return RequestItemResponse(
        request_id=message.request_id if hold.identifier else holds.request_id(circ, hold),
        item_id=answers.item_id(item, _item_sent(message)) if item else None,
        user_id=answers.user_id(circ, user),
        request_type=message.request_type,
        request_scope_type=message.request_scope_type,
        item_optional_fields=answers.item_fields(circ, items[0], message.item_element_type),
        user_optional_fields=answers.user_fields(circ, user, message.user_element_type),
    )


def _estimate(message: RequestItem, circ: Circulation, user: User, item: Item) -> RequestItemResponse:
    """Say that the user could have it, and request nothing."""
    circ.note("an estimate: nothing was requested")
    return RequestItemResponse(
        item_id=answers.item_id(item, _item_sent(message)),
        user_id=answers.user_id(circ, user),
        request_type=message.request_type,
        request_scope_type=message.request_scope_type,
        item_optional_fields=answers.item_fields(circ, item, message.item_element_type),
        user_optional_fields=answers.user_fields(circ, user, message.user_element_type),
    )


def _answer(message: RequestItem, circ: Circulation, request: Request, item: Item | None) -> RequestItemResponse:
    if item is not None and message.bibliographic_id and not message.item_id:
        fields: el.ItemOptionalFields | None = answers.located(circ, item)
    else:
        fields = answers.item_fields(circ, item, message.item_element_type) if item is not None else None
    shown = request.user_id is not None and answers.wants_user(circ, message.user_element_type)
    user = circ.user(request.user_id) if request.user_id is not None and shown else None
    return RequestItemResponse(
        request_id=message.request_id or answers.request_id(request),
        item_id=answers.item_id(item, _item_sent(message)) if item is not None else None,
        user_id=message.user_id or el.UserId(user_identifier_value=request.user_as_sent),
        request_type=message.request_type,
        request_scope_type=message.request_scope_type,
        item_optional_fields=fields,
        user_optional_fields=answers.user_fields(circ, user, message.user_element_type) if user else None,
    )


def _item_sent(message: RequestItem) -> el.ItemId | None:
    return message.item_id[0] if message.item_id else None


def _is_digital(message: RequestItem, circ: Circulation) -> bool:
    return circ.partner.digital and message.request_type.value.strip().casefold() in matching.DIGITAL_TYPES


def _description(message: RequestItem) -> tuple[str, str]:
    fields = message.item_optional_fields
    about = fields.bibliographic_description if fields else None
    return (about.title or "", about.author or "") if about else ("", "")


def _note(message: RequestItem) -> str:
    note = message.ext.find("ItemNote") if message.ext else None
    return str(getattr(note, "value", ""))
