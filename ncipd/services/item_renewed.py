"""ItemRenewed: a loan has been extended by its lender, or by another system of ours (Z39.83-1 section 5.5.11)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ncipd.circulation import borrowing, fees, lending, matching, recall, renewal, review
from ncipd.circulation.clock import to_micros
from ncipd.circulation.model import Role
from ncipd.ncip.messages import ItemRenewed, ItemRenewedResponse
from ncipd.services import serves

if TYPE_CHECKING:
    from ncipd.circulation.model import Item, Loan, Micros
    from ncipd.circulation.unit import Circulation

SERVICE = "ItemRenewed"


@serves(ItemRenewed)
def item_renewed(message: ItemRenewed, circ: Circulation) -> ItemRenewedResponse:
    """Take the new due date, whether or not we had asked for it."""
    ids = matching.named(circ, item=message.item_id, user=message.user_id)
    date = to_micros(message.date_due, circ.zone)
    loan: Loan | None = None
    with review.kept(circ, SERVICE, f"item {ids.item}"):
        if matching.is_local(circ.partner):
            loan = _by_our_system(message, circ, ids, date)
        elif matching.side_of(circ, ids) is Role.BORROWING:
            loan = _by_its_lender(circ, ids, date)
        elif (item := matching.our_item(circ, ids.item)) is None:
            raise lending.unknown_item(SERVICE, ids.item)
        else:
            _for_its_borrower(circ, item, date)
    if loan is not None and loan.user_id is not None:
        fees.take_up(circ, circ.user(loan.user_id), message.fiscal_transaction_information, loan, SERVICE)
    return ItemRenewedResponse()


def _for_its_borrower(circ: Circulation, item: Item, date: Micros) -> None:
    """Judge what a partner wants that gives commands as news (INN-Reach); of others it is no news."""
    loan = circ.loan_of(item)
    if not circ.partner.renewed_means_renew or loan is None or loan.partner != circ.partner.code:
        circ.note("told of a renewal of our own item; due dates of our items are set here, nothing was changed")
    elif loan.due_at is not None and date <= loan.due_at:
        circ.note("the item is lent until then already; nothing was changed")
    else:
        renewal.judge(circ, item, loan, date, circ.partner, SERVICE)


def _by_our_system(message: ItemRenewed, circ: Circulation, ids: matching.Named, date: Micros) -> Loan | None:
    item = circ.item_by_barcode(ids.item) if ids.item else None
    if item is None:
        raise lending.unknown_item(SERVICE, ids.item)
    loan = circ.loan_of(item)
    if loan is None or loan.user_id is None or item.temporary:
        circ.note("it is not on loan from us to a user; nothing was changed")
        return None
    told = renewal.believed(message.renewal_count)
    sooner = loan.due_at is None or date <= loan.due_at or loan.recalled_at is not None
    if sooner if told is None else told <= loan.renewals:
        circ.note("it was renewed, or recalled, later than that; nothing was changed")
        return loan
    loan = recall.override(circ, loan)
    return circ.change_loan(loan, "set_loan_due", due_at=date, renewals=1 if told is None else told - loan.renewals)


def _by_its_lender(circ: Circulation, ids: matching.Named, date: Micros) -> Loan | None:
    item = borrowing.item_meant(circ, SERVICE, ids.item, ids.user)
    request = circ.last_request_of(item) if item is not None else None
    if item is None or request is None:
        raise lending.unknown_item(SERVICE, ids.item, hint="no item borrowed through this partner has this id")
    return renewal.approved_by_lender(circ, request, item, date)
