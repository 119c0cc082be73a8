"""Recalls by us: a local user wants an item that is with a partner (semantics.md, Recall by the lender)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ncipd.circulation import policy
from ncipd.circulation.clock import from_micros
from ncipd.circulation.lifecycle import Event
from ncipd.circulation.model import Hold, Item, Loan, Micros, Role, TaskKind
from ncipd.circulation.outgoing import header_to, item_id_of
from ncipd.ncip.messages import RecallItem

if TYPE_CHECKING:
    from ncipd.circulation.unit import Circulation


def note_recall(
    circ: Circulation, loan: Loan, due_at: Micros | None, *, asked_by: str, hold: Hold | None = None
) -> Loan:
    """Write down that a loan is called back, by a partner or by ourselves (''), with the due date before and after."""
    circ.tx.insert(
        "insert_recall",
        agency=circ.agency.id,
        loan=loan.id,
        hold=hold.id if hold else None,
        asked_by=asked_by,
        due_at=due_at,
        was_due_at=loan.due_at,
        placed_at=circ.occurred_at,
    )
    return circ.change_loan(loan, "set_loan_recalled", recalled_at=circ.occurred_at, due_at=due_at)


def recall_shipped(circ: Circulation, item: Item, loan: Loan, hold: Hold | None) -> str:
    """Ask the partner that has an item to send it back early, once; says in words what was done."""
    if loan.request_id is None:
        return "The item is out without a request; ask for it by hand."
    request = circ.request(loan.request_id)
    circ.about(request)
    partner = circ.partner_of(request)
    if loan.recalled_at is not None:
        return "The item has been recalled already."
    if partner is None or not partner.recall_on_local_request:
        return "The item is with a partner whose items are not recalled; the hold waits for its return."
    due_at = policy.recall_due(partner, loan, None, circ.now, circ.agency.time_zone)
    loan = note_recall(circ, loan, due_at, asked_by="", hold=hold)
    circ.advance(request, Event.RECALL)
    circ.change_request(request, "set_request_due", due_at=due_at)
    circ.finish_tasks(request, TaskKind.DECIDE_RENEWAL)
    if not partner.url:
        circ.ask_staff(
            Role.LENDING, TaskKind.RECALL_BY_HAND, request=request, item=item, note="the partner has no broker URL"
        )
        return f"The recall cannot be sent: partner {partner.code} has no broker URL; recall the item by hand."
    message = RecallItem(
        initiation_header=header_to(circ, partner, request),
        item_id=item_id_of(item),
        desired_date_due=from_micros(due_at),
    )
    circ.send(partner, message, request=request, loan=loan)
    return f"The item is with {partner.name or partner.code}; a recall is being sent."
