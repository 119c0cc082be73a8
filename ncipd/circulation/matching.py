"""What a message is about: which side of our resource sharing, which request, which item (semantics.md).

Everything here only looks; nothing is changed.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from ncipd.circulation import identity
from ncipd.circulation.model import Item, Record, Request, Role, User
from ncipd.circulation.partner import PartnerRole, Sides
from ncipd.circulation.rows import request_row
from ncipd.ncip.problems import Problem, ProblemType

if TYPE_CHECKING:
    from ncipd.circulation.partner import Partner
    from ncipd.circulation.unit import Circulation
    from ncipd.ncip.elements import BibliographicId, ItemId, RequestId, UserId

DIGITAL_TYPES = frozenset({"digital", "non-returnable", "non-returnable copy"})


class Named(NamedTuple):
    """The ids that a message brings, trimmed; '' where it brings none.

    `identifier_agency` is kept with a request as it was sent, so that answers name it so; requests are told apart by it
    only where the partner says so (`request_agency_counts`).
    """

    identifier: str
    identifier_agency: str
    item: str
    user: str
    user_type: str = ""


def named(
    circ: Circulation, *, request: RequestId | None = None, item: ItemId | None = None, user: UserId | None = None
) -> Named:
    """Read the ids of a message as the partner's profile means them; a user may have been authenticated instead."""
    proven = identity.proven_user(circ) if user is None else None
    value, type_ = identity.value_and_type(user) if user else (proven.primary_id if proven else "", "")
    return Named(
        identifier=request.request_identifier_value.strip() if request else "",
        identifier_agency=request.agency_id.value.strip() if request and request.agency_id else "",
        item=item.item_identifier_value.strip() if item else "",
        user=value,
        user_type=type_,
    )


def record_numbers(titles: tuple[BibliographicId, ...], partner: Partner | None = None) -> tuple[tuple[str, str], ...]:
    """Read the numbers that name a title, as (value, code); the code is '' where an agency's own number is meant.

    A partner may call kinds of numbers otherwise than we do (`record_codes`).
    """
    called = partner.record_codes if partner is not None else {}
    numbers = []
    for title in titles:
        if title.bibliographic_record_id is not None:
            record = title.bibliographic_record_id
            code = record.bibliographic_record_identifier_code
            kind = code.value.strip() if code else ""
            numbers.append((record.bibliographic_record_identifier.strip(), called.get(kind, kind)))
        elif title.bibliographic_item_id is not None:
            number = title.bibliographic_item_id
            code = number.bibliographic_item_identifier_code
            kind = code.value.strip() if code else ""
            kind = called.get(kind, kind)
            numbers.append((plain_number(number.bibliographic_item_identifier.strip(), kind), kind))
    return tuple(numbers)


def plain_number(value: str, code: str) -> str:
    """Write an ISBN without hyphens and blanks and with a capital X, so that it is one however it is written.

    Numbers of other kinds stay as they are.
    """
    return re.sub(r"[\s-]", "", value).upper() if code.upper() == "ISBN" else value


def our_records(circ: Circulation, value: str, code: str = "") -> list[Record]:
    """Find the titles of ours with this number; what a partner has lent to us is none."""
    return [record for record in circ.records(value, code) if not record.temporary]


def our_item(circ: Circulation, barcode: str) -> Item | None:
    """Find a live item of our own by its barcode."""
    item = circ.item_by_barcode(barcode) if barcode else None
    return None if item is None or item.temporary else item


def borrowed_item(circ: Circulation, partner: Partner, value: str) -> Item | None:
    """Find a temporary item as its partner calls it, else by the barcode that we gave it; live ones first."""
    if not value:
        return None
    theirs = circ.temporary_items(partner.code, value)
    live = next((item for item in theirs if item.live), None)
    if live is not None:
        return live
    by_barcode = circ.item_by_barcode(value)
    if by_barcode is not None and by_barcode.temporary and by_barcode.partner == partner.code:
        return by_barcode
    gone = None if theirs or by_barcode is not None else circ.withdrawn_item(value)
    if gone is not None and gone.temporary and gone.partner == partner.code:
        return gone
    return theirs[0] if theirs else None


def item_called(circ: Circulation, value: str) -> Item | None:
    """Find the item that a partner names so, whichever side it is of: one of ours first, else one that it has sent."""
    return circ.item_by_barcode(value) or borrowed_item(circ, circ.partner, value)


def side_of(circ: Circulation, ids: Named, *, titles: tuple[tuple[str, str], ...] = (), wish: bool = False) -> Role:
    """Decide whether a message is about lending or borrowing, and write it down for the journal.

    The order is that of semantics.md: the partner's only side; an open request of this id; the item; and for
    RequestItem (`wish`) the user or the title. Raises Problem Unknown User where nothing tells.
    """
    role = _decide(circ, ids, titles, wish=wish)
    circ.side = role
    return role


def _decide(circ: Circulation, ids: Named, titles: tuple[tuple[str, str], ...], *, wish: bool) -> Role:
    partner = circ.partner
    if partner.sides is not Sides.BOTH:
        return Role.LENDING if partner.sides is Sides.LENDING else Role.BORROWING
    found = _role_of_request(circ, ids) or _role_of_item(circ, ids, wish=wish)
    if found is not None:
        return found
    if not wish:
        ended = called(circ, ids)
        return ended[0].role if ended else Role.LENDING
    if ids.user not in partner.pseudo_users:
        if users_of(circ, ids):
            return Role.BORROWING
        if not ids.item and not any(value for value, _ in titles):
            raise Problem(
                ProblemType.NEEDED_DATA_MISSING,
                element="RequestItem/BibliographicId",
                detail="Neither an item nor a title is named; send the ItemId, or a number of the title.",
            )
        if not any(our_records(circ, value, code) for value, code in titles):
            raise unknown_user("RequestItem", ids.user)
    return Role.LENDING


def _role_of_request(circ: Circulation, ids: Named) -> Role | None:
    if not ids.identifier:
        return None
    code, agency = circ.partner.code, ids.identifier_agency
    roles = [role for role in Role if circ.open_request(role, code, ids.identifier, agency) is not None]
    return roles[0] if len(roles) == 1 else None


def _role_of_item(circ: Circulation, ids: Named, *, wish: bool) -> Role | None:
    ours = our_item(circ, ids.item)
    loan = circ.loan_of(ours) if ours is not None else None
    if ours is not None and (wish or (loan is not None and loan.partner == circ.partner.code)):
        return Role.LENDING
    theirs = borrowed_item(circ, circ.partner, ids.item)
    if ours is None or theirs is None:
        return Role.LENDING if ours is not None else Role.BORROWING if theirs is not None else None
    return _role_of_twins(circ, ours, theirs)


def _role_of_twins(circ: Circulation, ours: Item, theirs: Item) -> Role:
    """An item of ours has the barcode by which the partner calls one of theirs: the one that is under way is meant."""
    if theirs.live:
        return Role.BORROWING
    last = [request for item in (ours, theirs) if (request := circ.last_request_of(item)) is not None]
    mine = [request for request in last if request.partner == circ.partner.code]
    return max(mine, key=lambda request: request.id).role if mine else Role.LENDING


def called(circ: Circulation, ids: Named) -> list[Request]:
    """Find all requests of the partner that a RequestId names, open and new ones first."""
    if not ids.identifier:
        return []
    found = circ.requests_called(circ.partner.code, ids.identifier)
    if not circ.partner.request_agency_counts:
        return found
    return [request for request in found if request.identifier_agency == ids.identifier_agency]


def open_request(circ: Circulation, role: Role, ids: Named, service: str, item: Item | None) -> Request | None:
    """Find the open request that a message is about: by its id, else the single one for its item or its title.

    Raises Problem Needed Data Missing where several would do and no RequestId tells them apart.
    """
    partner = circ.partner.code
    if ids.identifier:
        return circ.open_request(role, partner, ids.identifier, ids.identifier_agency)
    if item is None:
        return None
    of_item = [request for request in circ.open_requests_of(item) if (request.role, request.partner) == (role, partner)]
    if not of_item and role is Role.LENDING:
        of_record = circ.tx.all("open_requests_of_record", request_row, record=item.record_id)
        of_item = [request for request in of_record if (request.role, request.partner) == (role, partner)]
    return only(of_item, service, ids)


def only(found: list[Request], service: str, ids: Named) -> Request | None:
    """Give the one request of several that fit an item; raises Problem Needed Data Missing where there are more."""
    if len(found) > 1:
        raise Problem(
            ProblemType.NEEDED_DATA_MISSING,
            element=f"{service}/RequestId",
            detail=f"{len(found)} open requests fit item {ids.item}; send the RequestId to say which one is meant.",
        )
    return found[0] if found else None


def users_of(circ: Circulation, ids: Named) -> list[User]:
    """Find the users of ours that a UserId may name, by the partner's kind of identifier, else by its own."""
    if not ids.user or ids.user in circ.partner.pseudo_users:
        return []
    proven = identity.proven_user(circ)
    if proven is not None and proven.primary_id == ids.user:
        return [proven]
    return identity.users_called(circ, ids.user, ids.user_type)


def user_of(circ: Circulation, ids: Named) -> User | None:
    """Find the single user of ours that a UserId names."""
    users = users_of(circ, ids)
    return users[0] if len(users) == 1 else None


def one_user_of(circ: Circulation, ids: Named, service: str) -> User:
    """Find the single user of ours that a UserId names; raises Problem Unknown User, Non-Unique User."""
    return identity.one_user(circ, users_of(circ, ids), f"{service}/UserId/UserIdentifierValue", ids.user)


def unknown_user(service: str, value: str) -> Problem:
    """Say that nobody here has this identifier."""
    return Problem(
        ProblemType.UNKNOWN_USER,
        element=f"{service}/UserId/UserIdentifierValue",
        value=value,
        detail=f"No user here has the identifier {value!r}; check the number and the agreed kind of identifier.",
    )


def unknown_request(service: str, value: str) -> Problem:
    """Say that no request of this partner has this id."""
    return Problem(
        ProblemType.UNKNOWN_REQUEST,
        element=f"{service}/RequestId/RequestIdentifierValue",
        value=value,
        detail=f"This partner has no open request {value!r} here; check the id, or send the request first.",
    )


def is_local(partner: Partner) -> bool:
    """Say whether a partner speaks for our own users about our own items."""
    return partner.role in (PartnerRole.DISCOVERY, PartnerRole.ILS)
