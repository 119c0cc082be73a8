"""What our own messages to a partner say about who we are and what they are about."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ncipd.ncip.elements import FromAgencyId, InitiationHeader, ItemId, ToAgencyId, UserId
from ncipd.ncip.schemes import ItemIdentifierType
from ncipd.ncip.types import Coded

if TYPE_CHECKING:
    from ncipd.circulation.model import Item, Request
    from ncipd.circulation.partner import Partner
    from ncipd.circulation.unit import Circulation


def header_to(circ: Circulation, partner: Partner, request: Request) -> InitiationHeader:
    """Address a message as the partner addressed us when the request was made (profiles.md section 1.2)."""
    ours = request.our_agency_code or circ.agency.code
    theirs = request.partner_agency or next(iter(partner.agency_ids), partner.code)
    return InitiationHeader(
        from_agency_id=FromAgencyId(agency_id=Coded(ours)),
        to_agency_id=ToAgencyId(agency_id=Coded(theirs)),
        application_profile_type=Coded(partner.code),
    )


def item_id_of(item: Item) -> ItemId:
    """Name an item of ours by its barcode."""
    return ItemId(item_identifier_type=ItemIdentifierType.BARCODE.coded(), item_identifier_value=item.barcode)


def item_id_for(item: Item) -> ItemId:
    """Name a borrowed item as its partner does."""
    return ItemId(
        item_identifier_type=ItemIdentifierType.BARCODE.coded(),
        item_identifier_value=item.partner_item_id or item.barcode,
    )


def user_id_for(request: Request) -> UserId:
    """Name the user of a request as the partner did."""
    return UserId(user_identifier_value=request.user_as_sent or request.identifier)
