"""Who has an item and who waits for it, for those who may know."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ncipd.circulation import matching
from ncipd.circulation.model import HoldState
from ncipd.ncip import elements as el
from ncipd.services import answers

if TYPE_CHECKING:
    from ncipd.circulation.model import Item
    from ncipd.circulation.unit import Circulation


def borrower(circ: Circulation, item: Item) -> el.CurrentBorrower | None:
    """Name who has an item: a user of ours to our own systems, and to a partner the one whom it lent it to itself."""
    loan = circ.loan_of(item)
    if loan is None:
        return None
    if loan.user_id is not None:
        if not _may_know(circ):
            return None
        return el.CurrentBorrower(user_id=answers.user_id(circ, circ.user(loan.user_id)))
    if loan.partner != circ.partner.code or loan.request_id is None:
        return None
    sent = circ.request(loan.request_id).user_as_sent
    return el.CurrentBorrower(user_id=el.UserId(user_identifier_value=sent)) if sent else None


def requesters(circ: Circulation, item: Item) -> tuple[el.CurrentRequester, ...]:
    """Name who waits for an item, the first in the queue first; to our own systems only."""
    if not _may_know(circ):
        return ()
    waiting = [hold for hold in circ.holds_on(item) if hold.state in (HoldState.WAITING, HoldState.READY)]
    return tuple(el.CurrentRequester(user_id=answers.user_id(circ, circ.user(hold.user_id))) for hold in waiting)


def _may_know(circ: Circulation) -> bool:
    """Answers to partners never name another user; our own systems may see users where they may see their data."""
    return matching.is_local(circ.partner) and circ.partner.user_data
