"""When what a notification tells has happened, for those that have no element of their own for it.

ItemCheckedIn, ItemCheckedOut, ItemRecalled, ItemRecallCancelled: where the sender says the moment (DateEventOccurred in
Ext, alone or in a MandatedAction) their order in time is known, and a copy that comes again after the item has gone out
and come back once more changes nothing. Where it says none, the dates that the message is about tell an old copy as far
as they can (nothing is lent until yesterday), and else the state decides.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from ncipd.circulation.clock import when_told
from ncipd.circulation.rows import loan_row
from ncipd.ncip.elements import MandatedAction
from ncipd.ncip.types import Leaf

if TYPE_CHECKING:
    from collections.abc import Callable

    from ncipd.circulation.model import Item, Loan, Micros
    from ncipd.circulation.unit import Circulation
    from ncipd.ncip.types import Ext


def take_as_fact(circ: Circulation, ext: Ext | None) -> None:
    """Take what a message tells as a fact, of when it says, else of now."""
    circ.take_as_fact(_moment(circ, ext))


def _moment(circ: Circulation, ext: Ext | None) -> Micros | None:
    action = ext.find(MandatedAction) if ext is not None else None
    if action is not None:
        return when_told(action.date_event_occurred, circ.zone)
    alone = ext.find("DateEventOccurred") if ext is not None else None
    date = alone.value if isinstance(alone, Leaf) else None
    return when_told(date, circ.zone) if isinstance(date, datetime) else None


def before(circ: Circulation, loan: Loan, date: Micros | None = None) -> bool:
    """Say whether what is told, or the `date` that it brings, is of a time before a loan began; and note it."""
    if circ.occurred_at >= loan.out_at and (date is None or date > loan.out_at):
        return False
    circ.note("told of a time before the present loan; nothing was changed")
    return True


def told_of_earlier_loan(circ: Circulation, item: Item, due_at: Micros | None, is_same: Callable[[Loan], bool]) -> bool:
    """Say whether a check-out is one that is over: due before the same borrower brought the item back; and note it."""
    last = circ.tx.one("last_loan", loan_row, item=item.id)
    if last is None or last.returned_at is None or due_at is None or due_at > last.returned_at or not is_same(last):
        return False
    circ.note("told of a check-out that is over; nothing was changed")
    return True
