"""Recalls: of what our users have, and of what is with a partner (semantics.md, Recall by the lender).

What we have borrowed is recalled by its lender; see `borrowing.recall`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ncipd.circulation import policy, wishes
from ncipd.circulation.clock import from_micros
from ncipd.circulation.lifecycle import Event, allows
from ncipd.circulation.model import Hold, Item, Loan, Micros, Recall, Request, Role, TaskKind
from ncipd.circulation.outgoing import header_to, item_id_of
from ncipd.ncip.messages import CancelRecallItem, RecallItem

if TYPE_CHECKING:
    from ncipd.circulation.unit import Circulation


def note_recall(
    circ: Circulation, loan: Loan, due_at: Micros | None, *, asked_by: str, hold: Hold | None = None
) -> Loan:
    """Write down that a loan is called back, by a partner or by ourselves (''), with the dates before and after."""
    request = circ.request(loan.request_id) if loan.request_id is not None else None
    circ.tx.insert(
        "insert_recall",
        agency=circ.agency.id,
        loan=loan.id,
        hold=hold.id if hold else None,
        asked_by=asked_by,
        due_at=due_at,
        was_due_at=loan.due_at,
        was_return_by=request.due_at if request is not None else None,
        placed_at=circ.occurred_at,
    )
    return circ.change_loan(loan, "set_loan_recalled", recalled_at=circ.occurred_at, due_at=due_at)


def recall_own(circ: Circulation, item: Item, loan: Loan, desired: Micros | None, *, fact: bool = False) -> Loan:
    """Call an item of ours back from the user who has it, once: an earlier due date, and the user is told.

    A `fact` has its due date as told; a wish never moves the date back.
    """
    user = loan.user_id
    if loan.recalled_at is not None or user is None:
        return loan
    wanted = policy.recall_due(policy.LOCAL, desired, circ.occurred_at, circ.agency.time_zone)
    due_at = policy.sooner(loan.due_at, wanted)
    if fact and desired is not None:
        due_at = desired
    loan = note_recall(circ, loan, due_at, asked_by=circ.partner.code if circ.by_message else "")
    title = circ.record(item.record_id).title or item.barcode
    told = f"{title} is wanted by somebody else; please bring it back by {from_micros(due_at):%Y-%m-%d}."
    circ.tell(user, "recalled", told)
    return loan


def can_be_asked_for(circ: Circulation, loan: Loan) -> bool:
    """Say whether the partner that has an item can be asked to send it back early."""
    request = circ.request(loan.request_id) if loan.request_id is not None else None
    partner = circ.partner_of(request) if request is not None else None
    if request is None or partner is None or not partner.recall_on_local_request:
        return False
    return allows(Role.LENDING, request.status, Event.RECALL)


def recall_shipped(circ: Circulation, item: Item, loan: Loan, hold: Hold | None, desired: Micros | None = None) -> str:
    """Ask the partner that has an item to send it back early, once; says in words what was done."""
    if loan.request_id is None:
        return "The item is out without a request; ask for it by hand."
    request = circ.request(loan.request_id)
    circ.about(request)
    partner = circ.partner_of(request)
    if loan.recalled_at is not None:
        return "The item has been recalled already."
    if not allows(Role.LENDING, request.status, Event.RECALL):
        return "The item is on its way back already."
    if partner is None or not partner.recall_on_local_request:
        return "The item is with a partner whose items are not recalled; the hold waits for its return."
    wanted = policy.recall_due(partner, desired, circ.occurred_at, circ.agency.time_zone)
    due_at = policy.sooner(loan.due_at, wanted)
    loan = note_recall(circ, loan, due_at, asked_by="", hold=hold)
    wishes.forget(circ, request)
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


# ---------------------------------------------------------------------------------------------- withdrawing it


def override(circ: Circulation, loan: Loan) -> Loan:
    """End the recall of a loan that was renewed in spite of it; staff are told."""
    if loan.recalled_at is None:
        return loan
    circ.tx.run("cancel_recall", loan=loan.id, at=circ.occurred_at)
    item = circ.item(loan.item_id)
    circ.ask_staff(Role.LENDING, TaskKind.REVIEW, item=item, note="it was renewed in spite of its recall")
    request = circ.request(loan.request_id) if loan.request_id is not None else None
    if request is not None and allows(request.role, request.status, Event.CANCEL_RECALL):
        circ.advance(request, Event.CANCEL_RECALL, "renewed in spite of it")
    return circ.change_loan(loan, "set_loan_recalled", recalled_at=None, due_at=loan.due_at)


def last_recall(circ: Circulation, loan: Loan) -> Recall | None:
    """Find the newest recall of a loan, withdrawn or not."""
    return circ.tx.one("last_recall_of_loan", Recall._make, loan=loan.id)


def withdraw(circ: Circulation, item: Item, loan: Loan, standing: Recall) -> Loan:
    """End a recall: the loan is due when it was due before, and who was asked to bring it back is told."""
    circ.tx.run("cancel_recall", loan=loan.id, at=circ.occurred_at)
    loan = circ.change_loan(loan, "set_loan_recalled", recalled_at=None, due_at=standing.was_due_at)
    request = circ.request(loan.request_id) if loan.request_id is not None else None
    if loan.user_id is not None:
        title = circ.record(item.record_id).title or item.barcode
        date = f" It is due on {from_micros(loan.due_at):%Y-%m-%d}." if loan.due_at is not None else ""
        circ.tell(loan.user_id, "recall withdrawn", f"You may keep {title} after all.{date}", request)
    if request is None:
        return loan
    circ.about(request)
    if allows(request.role, request.status, Event.CANCEL_RECALL):
        had_arrived = any(event == Event.ARRIVE for _, event, _, _ in circ.events(request))
        request = circ.advance(request, Event.CANCEL_RECALL)
        if had_arrived:
            circ.advance(request, Event.ARRIVE)
    circ.change_request(request, "set_request_due", due_at=standing.was_return_by)
    if request.role is Role.LENDING:
        _tell_partner(circ, item, loan, request)
    return loan


def _tell_partner(circ: Circulation, item: Item, loan: Loan, request: Request) -> None:
    circ.finish_tasks(request, TaskKind.RECALL_BY_HAND)
    partner = circ.partner_of(request)
    if partner is None or not partner.url:
        circ.ask_staff(
            Role.LENDING, TaskKind.REVIEW, request=request, item=item, note="tell its borrower that it may be kept"
        )
        return
    message = CancelRecallItem(initiation_header=header_to(circ, partner, request), item_id=item_id_of(item))
    circ.send(partner, message, request=request, loan=loan)
