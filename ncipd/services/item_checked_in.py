"""ItemCheckedIn: an item is back, here or with its lender (Z39.83-1 section 5.5.5)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ncipd.circulation import borrowing, fees, lending, matching, returning, review
from ncipd.circulation.model import Role
from ncipd.circulation.partner import PartnerRole
from ncipd.ncip.messages import ItemCheckedIn, ItemCheckedInResponse
from ncipd.services import occurrence, serves

if TYPE_CHECKING:
    from ncipd.circulation.model import Item, Loan
    from ncipd.circulation.unit import Circulation

SERVICE = "ItemCheckedIn"


@serves(ItemCheckedIn)
def item_checked_in(message: ItemCheckedIn, circ: Circulation) -> ItemCheckedInResponse:
    """End the loan that is over; what a lender has back is completed."""
    ids = matching.named(circ, item=message.item_id, user=message.user_id)
    occurrence.take_as_fact(circ, message.ext)
    with review.kept(circ, SERVICE, f"item {ids.item}"):
        if matching.is_local(circ.partner):
            loan = _at_our_station(circ, ids)
        elif matching.side_of(circ, ids) is Role.BORROWING:
            loan = _with_its_lender(circ, ids)
        else:
            loan = _from_partner(circ, ids)
    if loan is not None and loan.user_id is not None:
        fees.take_up(circ, circ.user(loan.user_id), message.fiscal_transaction_information, loan, SERVICE)
    return ItemCheckedInResponse()


def _at_our_station(circ: Circulation, ids: matching.Named) -> Loan | None:
    item = circ.item_by_barcode(ids.item) if ids.item else None
    if item is None:
        raise lending.unknown_item(SERVICE, ids.item)
    loan = circ.loan_of(item)
    user = matching.user_of(circ, ids)
    if loan is None or (user is not None and loan.user_id != user.id):
        circ.note("it is not on loan to this user; nothing was changed")
        return None
    if occurrence.before(circ, loan):
        return None
    request = circ.last_request_of(item) if item.temporary else None
    if request is not None:
        circ.about(request)
        borrowing.give_back(circ, request, item)
    elif loan.user_id is not None or circ.partner.role is PartnerRole.ILS:
        returning.check_in(circ, item, loan)
    return loan


def _with_its_lender(circ: Circulation, ids: matching.Named) -> Loan | None:
    item = borrowing.item_meant(circ, SERVICE, ids.item, ids.user)
    request = circ.last_request_of(item) if item is not None else None
    if item is None or request is None:
        raise lending.unknown_item(SERVICE, ids.item, hint="no item borrowed through this partner has this id")
    loan = circ.loan_of(item)
    if circ.occurred_at < borrowing.came_at(circ, request, item):
        circ.note("told of a time before the item came; nothing was changed")
    elif item.live or request.open:
        borrowing.complete(circ, request, item)
    return loan


def _from_partner(circ: Circulation, ids: matching.Named) -> Loan | None:
    """A broker tells that what we lent is back; a peer library, that its reader has brought it back there."""
    item: Item | None = matching.our_item(circ, ids.item)
    if item is None:
        raise lending.unknown_item(SERVICE, ids.item)
    loan = circ.loan_of(item)
    if loan is None or loan.partner != circ.partner.code:
        circ.note("it is not on loan to this partner; nothing was changed")
    elif circ.partner.role is PartnerRole.PEER:
        circ.note("the reader of the other library has brought it back there; it is still out of ours")
    elif not occurrence.before(circ, loan):
        returning.check_in(circ, item, loan)
    return None
