"""LookupItemSet: the availability of many items at once, page by page (Z39.83-1 section 5.3.6).

One bad id never spoils the rest: its Problem stands where its data would have stood, for a title, a holdings set or an
item. A page token is opaque to others; it names the query that it belongs to, where to go on, and when it expires.
"""

from __future__ import annotations

import json
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from hashlib import blake2b
from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple

from ncipd.circulation import matching
from ncipd.circulation.clock import MINUTE, optional_date
from ncipd.circulation.dialect import problem_for
from ncipd.circulation.model import Item
from ncipd.circulation.rows import item_row
from ncipd.ncip import elements as el
from ncipd.ncip.codec import encode
from ncipd.ncip.messages import LookupItemSet, LookupItemSetResponse
from ncipd.ncip.problems import Problem, ProblemType
from ncipd.services import answers, holders, serves

if TYPE_CHECKING:
    from ncipd.circulation.unit import Circulation

_SET = re.compile(r"([0-9]{1,18})\.([0-9]{1,18})\.([0-9]{1,18})")  # record, library, location
MOST = 500  # items in one answer, whatever is asked for
TOKEN_MINUTES = 60
_ROWS = 2**63  # more than any row's number


class Place(NamedTuple):
    """Where a page goes on: at which of the ids asked for, and after which item."""

    at: int = 0
    after: int = 0


@serves(LookupItemSet, reads=True)
def lookup_item_set(message: LookupItemSet, circ: Circulation) -> LookupItemSetResponse:
    """Answer as many items as fit, in the order asked for, and a token where more remain."""
    query = _digest(message)
    place = _place(circ, query, message.next_item_token) if message.next_item_token else Place()
    room = min(message.maximum_items_count or MOST, MOST)
    found: list[el.BibInformation] = []
    asked = _asked(message)
    for index in range(place.at, len(asked)):
        after = place.after if index == place.at else 0
        title, used, last = _look(message, circ, asked[index], after, room)
        if title is not None:
            found.append(title)
        room -= used
        if last:
            return _page(found, _token(circ, query, Place(index, last)))
        if room <= 0 and index + 1 < len(asked):
            return _page(found, _token(circ, query, Place(index + 1)))
    if not found:
        raise _bad_token(message.next_item_token or "", "leads to nothing any more; ask again without a token")
    return _page(found, None)


def _page(found: list[el.BibInformation], token: str | None) -> LookupItemSetResponse:
    return LookupItemSetResponse(bib_information=tuple(found), next_item_token=token)


def _asked(message: LookupItemSet) -> list[el.BibliographicId | el.ItemId | str]:
    return [*message.bibliographic_id, *message.holdings_set_id, *message.item_id]


def _look(
    message: LookupItemSet, circ: Circulation, asked: el.BibliographicId | el.ItemId | str, after: int, room: int
) -> tuple[el.BibInformation | None, int, int]:
    """Answer one id: what was found, how many items that is, and the last item where more of it remain (else 0)."""
    if isinstance(asked, el.ItemId):
        return _of_item(message, circ, asked), 1, 0
    try:
        if isinstance(asked, str):
            items = _items_of_set(circ, asked, after, room + 1)
            record = items[0].record_id if items else 0
        else:
            record = _of_title(circ, asked)
            items = circ.tx.all(
                "items_of_record_after", item_row, record=record, agency=circ.agency.id, after=after, most=room + 1
            )
    except Problem as problem:
        return _refused(circ, asked, problem), 1, 0
    if not items and not after:
        return _refused(circ, asked, _unknown(asked)), 1, 0
    shown = items[:room]
    title = _title(message, circ, asked if isinstance(asked, el.BibliographicId) else None, record, shown)
    return (title if shown else None), len(shown), shown[-1].id if len(items) > room and shown else 0


def _of_title(circ: Circulation, asked: el.BibliographicId) -> int:
    for value, code in matching.record_numbers((asked,), circ.partner):
        found = matching.our_records(circ, value, code)
        if len(found) == 1:
            return found[0].id
        if found:
            raise Problem(
                ProblemType.NON_UNIQUE_ITEM,
                element="LookupItemSet/BibliographicId",
                value=value,
                detail=f"{len(found)} titles here have the number {value!r}; send one that only one of them has.",
            )
    raise _unknown(asked)


def _items_of_set(circ: Circulation, asked: str, after: int, most: int) -> list[Item]:
    named = _SET.fullmatch(asked.strip())
    if named is None:
        raise _unknown(asked)
    record, library, location = map(int, named.groups())
    return circ.tx.all(
        "items_of_set_after",
        item_row,
        record=record,
        library=library,
        location=location,
        agency=circ.agency.id,
        after=after,
        most=most,
    )


def _set_of(item: Item) -> str:
    """Name the holdings set of an item: its title's copies in one place."""
    return f"{item.record_id}.{item.home_library_id}.{item.permanent_location_id or 0}"


def _of_item(message: LookupItemSet, circ: Circulation, asked: el.ItemId) -> el.BibInformation:
    value = asked.item_identifier_value.strip()
    item = matching.item_called(circ, value)
    if item is None or not item.live:
        problem = problem_for(circ.partner, _unknown(asked), "LookupItemSet", circ.our_code)
        information = el.ItemInformation(item_id=asked, problem=(problem,))
        return el.BibInformation(holdings_set=(el.HoldingsSet(item_information=(information,)),))
    return _title(message, circ, None, item.record_id, [item])


# ---------------------------------------------------------------------------------------------- what is shown


def _title(
    message: LookupItemSet, circ: Circulation, asked: el.BibliographicId | None, record: int, items: list[Item]
) -> el.BibInformation:
    wanted = answers.asked(circ, message.item_element_type)
    sets = [
        _holdings(message, circ, name, list(copies))
        for name, copies in groupby(sorted(items, key=lambda item: (_set_of(item), item.id)), _set_of)
    ]
    waiting = circ.tx.one("count_waiting_holds_of_record", record=record) if "hold queue length" in wanted else None
    return el.BibInformation(
        bibliographic_id=asked,
        bibliographic_description=answers.description(circ, items[0])
        if items and "bibliographic description" in wanted
        else None,
        title_hold_queue_length=waiting[0] if waiting is not None else None,
        holdings_set=tuple(sets),
    )


def _holdings(message: LookupItemSet, circ: Circulation, name: str, items: list[Item]) -> el.HoldingsSet:
    wanted = answers.asked(circ, message.item_element_type)
    place = answers.locations(circ, items[0]) if "location" in wanted else ()
    numbers = {item.call_number for item in items}
    shared = numbers.pop() if len(numbers) == 1 and "item description" in wanted else ""
    return el.HoldingsSet(
        holdings_set_id=name,
        location=place[0] if place else None,
        call_number=shared or None,
        item_information=tuple(_information(message, circ, item) for item in items),
    )


def _information(message: LookupItemSet, circ: Circulation, item: Item) -> el.ItemInformation:
    loan = circ.loan_of(item) if "date due" in answers.asked(circ, message.item_element_type) else None
    types = [type_ for type_ in message.item_element_type if not type_.matches("Bibliographic Description")]
    dates = answers.dates_of_status(circ, item, types)
    return el.ItemInformation(
        item_id=answers.item_id(item),
        current_borrower=holders.borrower(circ, item) if message.current_borrower_desired else None,
        current_requester=holders.requesters(circ, item) if message.current_requesters_desired else (),
        date_due=optional_date(loan.due_at) if loan else None,
        item_optional_fields=answers.item_fields(circ, item, types),
        date_recalled=dates.recalled,
        hold_pickup_date=dates.pickup,
    )


def _refused(circ: Circulation, asked: el.BibliographicId | el.ItemId | str, problem: Problem) -> el.BibInformation:
    told = (problem_for(circ.partner, problem, "LookupItemSet", circ.our_code),)
    if isinstance(asked, str):
        return el.BibInformation(holdings_set=(el.HoldingsSet(holdings_set_id=asked, problem=told),))
    return el.BibInformation(bibliographic_id=asked if isinstance(asked, el.BibliographicId) else None, problem=told)


def _unknown(asked: el.BibliographicId | el.ItemId | str) -> Problem:
    if isinstance(asked, str):
        kind, value = "HoldingsSetId", asked
    elif isinstance(asked, el.ItemId):
        kind, value = "ItemId/ItemIdentifierValue", asked.item_identifier_value
    else:
        kind, value = "BibliographicId", next((number for number, _ in matching.record_numbers((asked,))), "")
    return Problem(
        ProblemType.UNKNOWN_ITEM,
        element=f"LookupItemSet/{kind}",
        value=value,
        detail=f"Nothing here has the number {value!r}; check the number and its kind.",
    )


# ---------------------------------------------------------------------------------------------- tokens


def _digest(message: LookupItemSet) -> str:
    """Name a query by what it asks: the ids in their order, the elements wanted, the maximum."""
    ids = [part if isinstance(part, str) else encode(part) for part in _asked(message)]
    rest = [str(type_) for type_ in message.item_element_type]
    flags = [message.current_borrower_desired, message.current_requesters_desired, message.maximum_items_count]
    return blake2b(json.dumps([ids, rest, flags]).encode(), digest_size=9).hexdigest()


def _token(circ: Circulation, query: str, place: Place) -> str:
    until = circ.now + TOKEN_MINUTES * MINUTE
    return urlsafe_b64encode(json.dumps([query, until, *place]).encode()).decode()


def _place(circ: Circulation, query: str, token: str) -> Place:
    try:
        of_query, until, index, after = json.loads(urlsafe_b64decode(token.strip().encode()))
        place = Place(index, after)
    except (ValueError, TypeError, RecursionError):
        of_query, until, place = "", 0, Place()
    if of_query != query or not all(type(number) is int and 0 <= number < _ROWS for number in place):
        raise _bad_token(
            token, "does not belong to this query; repeat the same ids, in the same order, with the same maximum"
        )
    if not isinstance(until, int) or circ.now > until:
        raise _bad_token(token, "has expired; ask again without a token")
    return place


def _bad_token(token: str, why: str) -> Problem:
    return Problem(
        ProblemType.ELEMENT_RULE_VIOLATED,
        element="LookupItemSet/NextItemToken",
        value=token,
        detail=f"The token {why}.",
    )
