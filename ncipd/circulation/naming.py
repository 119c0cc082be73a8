"""Requests that their partner knows by no identifier, and how they are found or come by one.

Version 1 and INN-Reach tell of a request by its user and item alone (ItemRequested), and some lend or deliver without
a RequestId. Such a request has an identifier made here, of which the partner knows nothing. Until the partner gives it
one of its own, it is the request that is meant by its item, as sent or as it came.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ncipd.circulation import matching
from ncipd.circulation.model import Request, Role
from ncipd.circulation.rows import request_row

if TYPE_CHECKING:
    from ncipd.circulation.unit import Circulation


FORMER = "former"
"""The type of the further id that a request had until its partner gave it another one."""


def settled(circ: Circulation, ids: matching.Named, service: str) -> matching.Named:
    """Give the ids of a message with those of the request that only its item names.

    A RequestId that nobody knows becomes the identifier of the one request for this item that has none of the
    partner's; without a RequestId, user and item of a borrowing request stand for it before anything has come. Raises
    Problem Needed Data Missing where several of these would do.
    """
    if not ids.item or matching.is_local(circ.partner):
        return ids
    if not ids.identifier:
        return _told_by_item(circ, ids, service)
    if not matching.called(circ, ids):
        found = _unnamed(circ, ids)
        if len(found) == 1:
            _adopt(circ, found[0], ids)
    return ids


def known_as(circ: Circulation, identifier: str) -> list[Request]:
    """Find the requests of the agency by an id that they had before, open and new ones first."""
    return circ.tx.all("requests_known_as", request_row, agency=circ.agency.id, identifier=identifier)


def _adopt(circ: Circulation, request: Request, ids: matching.Named) -> None:
    former = {"value": request.identifier, "type": FORMER}  # on pick slips and in answers, it may be there still
    circ.tx.run("insert_request_identifier", agency=circ.agency.id, request=request.id, **former)
    circ.change_request(request, "name_request", identifier=ids.identifier, identifier_agency=ids.identifier_agency)
    circ.about(request)
    circ.note(f"the request was known by its item alone; {circ.partner.code} calls it {ids.identifier!r} from now on")


def _told_by_item(circ: Circulation, ids: matching.Named, service: str) -> matching.Named:
    ours = matching.our_item(circ, ids.item)
    if ours is not None and any(request.partner == circ.partner.code for request in circ.open_requests_of(ours)):
        return ids
    found = [request for request in _unnamed(circ, ids) if request.role is Role.BORROWING] or asked_for(circ, ids)
    here = any(item.live for item in circ.temporary_items(circ.partner.code, ids.item))
    request = found[0] if len(found) == 1 else None if here else matching.only(found, service, ids)
    if request is None:
        return ids
    return ids._replace(identifier=request.identifier, identifier_agency=request.identifier_agency)


def asked_for(circ: Circulation, ids: matching.Named) -> list[Request]:
    """Find the open borrowing requests of the partner by which the user who is named asked for an item as it is named.

    So a request is known by its item before anything has come for it, whether or not it has an identifier too.
    """
    user = matching.user_of(circ, ids) if ids.item else None
    if user is None:
        return []
    return [
        request
        for request in circ.tx.all("open_requests_of_user", request_row, user=user.id)
        if (request.role, request.partner, request.item_as_sent) == (Role.BORROWING, circ.partner.code, ids.item)
    ]


def _unnamed(circ: Circulation, ids: matching.Named) -> list[Request]:
    """Find the open requests of the partner for an item that it knows by no identifier; the user tells them apart."""
    if circ.tx.one("has_unnamed_requests", agency=circ.agency.id, partner=circ.partner.code) is None:
        return []  # as with nearly every partner
    found = circ.tx.all(
        "unnamed_requests", request_row, agency=circ.agency.id, partner=circ.partner.code, item=ids.item
    )
    items = (matching.our_item(circ, ids.item), matching.borrowed_item(circ, circ.partner, ids.item))
    belonging = [request for item in items if item is not None for request in circ.open_requests_of(item)]
    mine = [one for one in belonging if one.identifier_made and one.partner == circ.partner.code]
    user = matching.user_of(circ, ids)
    fitting = [
        request
        for request in {one.id: one for one in (*found, *mine)}.values()
        if request.role is Role.LENDING or user is None or request.user_id in (None, user.id)
    ]
    same = [request for request in fitting if ids.user and request.user_as_sent == ids.user]
    return same if len(fitting) > 1 and same else fitting
