"""Renewals: a wish judged here, a wish sent on to the lender, and the lender's word (semantics.md, Renewal)."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ncipd.circulation import policy, recall, shelf, wishes
from ncipd.circulation.clock import days_later, from_micros, not_after
from ncipd.circulation.errors import DeskError, ErrorKind
from ncipd.circulation.lifecycle import Event, allows
from ncipd.circulation.model import Item, Loan, Micros, Request, RequestStatus, Role, TaskKind
from ncipd.circulation.outgoing import header_to, item_id_for, item_id_of, user_id_for
from ncipd.ncip.messages import CirculationStatusUpdated, ItemRenewed, RenewItem
from ncipd.ncip.problems import Problem, ProblemType
from ncipd.ncip.schemes import CirculationStatus

if TYPE_CHECKING:
    from ncipd.circulation.partner import Partner
    from ncipd.circulation.unit import Circulation

MOST_RENEWALS = 10_000  # of a loan that are believed


class Outcome(NamedTuple):
    """What became of a wish: the loan as it now stands, or pending until when."""

    loan: Loan
    pending_until: Micros | None = None


def record(circ: Circulation, loan: Loan, wished: Micros | None, partner: Partner) -> Loan:
    """Write down a renewal of an item of ours that has happened already, once; nothing later is undone by it."""
    at = circ.occurred_at
    if loan.renewed_at is not None and not_after(at, loan.renewed_at):
        circ.note("this renewal or a later one is recorded already; nothing was changed")
        return loan
    request = circ.request(loan.request_id) if loan.request_id is not None else None
    usual = days_later(max(loan.due_at or at, at), partner.renewal_days, circ.agency.time_zone)
    due_at = wished if wished is not None else usual
    if loan.recalled_at is not None and loan.recalled_at > at:
        circ.note("it was recalled after it had been renewed; the recall and its date stand")
        return circ.change_loan(loan, "set_loan_renewed", due_at=loan.due_at, renewed_at=at)
    loan = recall.override(circ, loan)
    renewed = circ.change_loan(loan, "set_loan_renewed", due_at=due_at, renewed_at=at)
    if request is not None and request.open:
        circ.about(request)
        request = circ.request(request.id)
        circ.finish_item_tasks(circ.item(loan.item_id), TaskKind.DECIDE_RENEWAL)
        wishes.decide(circ, request, Event.APPROVE_RENEWAL)
        circ.change_request(request, "set_request_due", due_at=due_at)
    return renewed


def judge(
    circ: Circulation, item: Item, loan: Loan, wished: Micros | None, partner: Partner, service: str = "RenewItem"
) -> Outcome:
    """Judge a wish to keep an item of ours longer, told by `service`; raises Problem where policy refuses it.

    Where the partner's renewals are manual the wish waits for staff; told again, it takes the place of the one before.
    """
    request = circ.request(loan.request_id) if loan.request_id is not None else None
    recalled = request is not None and request.status is RequestStatus.RECALLED
    on_its_way = request is not None and request.status is RequestStatus.RETURNED_BY_PARTNER
    if on_its_way or loan.mark:
        raise Problem(
            ProblemType.ITEM_NOT_RENEWABLE,
            element=f"{service}/ItemId/ItemIdentifierValue",
            value=item.barcode,
            detail=f"Item {item.barcode} is on its way back, or reported {loan.mark}; it cannot be kept longer.",
        )
    decided = policy.judge_renewal(
        partner,
        loan,
        wished,
        circ.now,
        circ.agency.time_zone,
        wanted_by_others=recalled or shelf.wanted_by_others(circ, item, than=loan.user_id),
    )
    if isinstance(decided, policy.Refusal):
        if request is not None:
            circ.about(request)
            circ.note(f"renewal refused: {decided.detail}")
        raise Problem(
            decided.problem, element=f"{service}/ItemId/ItemIdentifierValue", value=item.barcode, detail=decided.detail
        )
    if request is None or partner.automatic_renewal:
        return Outcome(_grant(circ, request, loan, decided))
    circ.about(request)
    until = days_later(circ.now, partner.renewal_reply_days, circ.agency.time_zone)
    known = any(one.id == loan.id for one in wishes.undecided(circ, request))
    loan = wishes.make(circ, loan, decided)
    if request.status is not RequestStatus.RENEW_REQUESTED:
        circ.advance(request, Event.WISH_RENEWAL)
    if not known:
        circ.ask_staff(Role.LENDING, TaskKind.DECIDE_RENEWAL, request=request, item=item)
    return Outcome(loan, until)


def _grant(circ: Circulation, request: Request | None, loan: Loan, due_at: Micros) -> Loan:
    renewed = circ.change_loan(loan, "set_loan_due", due_at=due_at, renewals=1)
    if request is not None:
        circ.about(request)
        wishes.decide(circ, request, Event.APPROVE_RENEWAL)
        circ.change_request(request, "set_request_due", due_at=due_at)
    return renewed


def believed(told: int | None) -> int | None:
    """Give how often a loan is told to have been renewed; a number that cannot be meant is none."""
    return told if told is not None and told <= MOST_RENEWALS else None


# ---------------------------------------------------------------------------------------------- staff decide


def approve(circ: Circulation, request: Request, item: Item, loan: Loan, due_at: Micros | None) -> tuple[Loan, bool]:
    """Staff grant a partner's wish; says whether the partner is being told (ItemRenewed)."""
    ends = due_at if due_at is not None else loan.desired_due_at
    if ends is None or (loan.due_at is not None and ends <= loan.due_at):
        raise DeskError(
            ErrorKind.INVALID,
            "date-not-later",
            "The new due date must be later than the present one.",
            field="due_date",
        )
    circ.finish_item_tasks(item, TaskKind.DECIDE_RENEWAL)
    renewed = _grant(circ, request, loan, ends)
    partner = circ.partner_of(request)
    if partner is None or not partner.url:
        return renewed, False
    message = ItemRenewed(
        initiation_header=header_to(circ, partner, request),
        user_id=user_id_for(request),
        item_id=item_id_of(item),
        date_due=from_micros(ends),
        renewal_count=renewed.renewals,
    )
    circ.send(partner, message, request=request, loan=loan)
    return renewed, True


def reject(circ: Circulation, request: Request, item: Item, loan: Loan, reason: str) -> bool:
    """Staff refuse a partner's wish; says whether the partner is being told ("Item Not Renewed")."""
    circ.finish_item_tasks(item, TaskKind.DECIDE_RENEWAL)
    loan = circ.change_loan(loan, "set_loan_wish", desired_due_at=None)
    wishes.decide(circ, request, Event.REJECT_RENEWAL, reason)
    partner = circ.partner_of(request)
    if partner is None or not partner.url:
        return False
    message = CirculationStatusUpdated(
        initiation_header=header_to(circ, partner, request),
        item_id=item_id_of(item),
        circulation_status=CirculationStatus.ITEM_NOT_RENEWED.coded(),
    )
    circ.send(partner, message, request=request, loan=loan)
    return True


def waiting(circ: Circulation, request: Request, barcode: str = "") -> tuple[Item, Loan]:
    """Find the volume whose renewal staff decide; raises DeskError where none waits, or several and none is named."""
    found = [(circ.item(loan.item_id), loan) for loan in wishes.undecided(circ, request)]
    if barcode.strip():
        found = [one for one in found if one[0].barcode == barcode.strip()]
    if not found:
        raise DeskError(
            ErrorKind.CONFLICT,
            "no-renewal-waiting",
            f"No renewal of request {request.identifier} waits for a decision; its status is {request.status.value!r}.",
            field="barcode" if barcode else "request",
            value=barcode or request.identifier,
        )
    if len(found) > 1:
        raise DeskError(
            ErrorKind.CONFLICT,
            "which-volume",
            f"Renewals of {len(found)} volumes of request {request.identifier} wait for a decision.",
            field="barcode",
            hint=f"Name one of them: {', '.join(item.barcode for item, _ in found)}.",
        )
    return found[0]


# ---------------------------------------------------------------------------------------------- the lender decides


def ask_lender(circ: Circulation, request: Request, item: Item, loan: Loan, wished: Micros | None) -> Micros:
    """Send a user's wish on to the lender's side; gives the date asked for.

    Where the message cannot be sent, a wish that came by message waits for staff to ask by hand; at the desk that is
    said at once. Raises Problem: the lender takes no renewals, the item is recalled; DeskError `partner-has-no-url`.
    """
    circ.about(request)
    partner = circ.partner_of(request)
    if request.renewal_forbidden:
        raise Problem(
            ProblemType.ITEM_NOT_RENEWABLE,
            element="RenewItem/ItemId/ItemIdentifierValue",
            value=item.barcode,
            detail="The lending library takes no renewals of this item.",
        )
    if not allows(Role.BORROWING, request.status, Event.WISH_RENEWAL):
        raise Problem(
            ProblemType.RENEWAL_NOT_ALLOWED_ITEM_HAS_OUTSTANDING_REQUESTS
            if request.status is RequestStatus.RECALLED_BY_PARTNER
            else ProblemType.ITEM_NOT_RENEWABLE,
            element="RenewItem/ItemId/ItemIdentifierValue",
            value=item.barcode,
            detail=f"The request is in status {request.status.value!r}, which does not allow a renewal.",
        )
    sendable = partner is not None and partner.url
    if not sendable and not circ.by_message:
        raise DeskError(
            ErrorKind.CONFLICT,
            "partner-has-no-url",
            f"The renewal cannot be sent: partner {request.partner} has no broker URL.",
            field="request",
            value=request.identifier,
            hint="Set `url` of this partner in the configuration, or renew in the partner's own system.",
        )
    current = max(loan.due_at or circ.now, circ.now)
    usual = (partner or policy.LOCAL).renewal_days
    asked = wished if wished is not None else days_later(current, usual, circ.agency.time_zone)
    loan = wishes.make(circ, loan, asked)
    circ.advance(request, Event.WISH_RENEWAL)
    if partner is None or not partner.url:
        _ask_by_hand(circ, request, item, asked)
        return asked
    message = RenewItem(
        initiation_header=header_to(circ, partner, request),
        user_id=user_id_for(request),
        item_id=item_id_for(item),
        desired_date_due=from_micros(asked),
    )
    circ.send(partner, message, request=request, loan=loan)
    return asked


def _ask_by_hand(circ: Circulation, request: Request, item: Item, asked: Micros) -> None:
    circ.finish_item_tasks(item, TaskKind.RENEW_BY_HAND)
    note = (
        f"its user wishes to keep it until {from_micros(asked):%Y-%m-%d}; partner {request.partner} has no broker URL"
    )
    circ.ask_staff(Role.BORROWING, TaskKind.RENEW_BY_HAND, request=request, item=item, note=note)


def approved_by_lender(circ: Circulation, request: Request, item: Item, date: Micros) -> Loan | None:
    """Take the lender's new date, whether or not we had asked; our own policy has no say."""
    circ.about(request)
    partner = circ.partner_of(request) or policy.LOCAL
    if request.status is RequestStatus.RETURNED_BY_PATRON or not allows(
        Role.BORROWING, request.status, Event.APPROVE_RENEWAL
    ):
        circ.note("the lender renewed an item that is on its way back; nothing was changed")
        return circ.loan_of(item)
    loan = circ.loan_of(item)
    if _is_in_force(request, loan, date):
        circ.note("the item is renewed until then already; nothing was changed")
        return loan
    circ.finish_item_tasks(item, TaskKind.RENEW_BY_HAND)
    circ.change_request(request, "set_request_due", due_at=date)
    if loan is None:
        circ.advance(request, Event.APPROVE_RENEWAL)
        return None
    due_at = policy.user_due(partner, date, circ.now, circ.agency.time_zone)
    renewed = circ.change_loan(loan, "set_loan_due", due_at=due_at, renewals=1)
    wishes.decide(circ, request, Event.APPROVE_RENEWAL)
    if renewed.recalled_at is not None:
        renewed = circ.change_loan(renewed, "set_loan_recalled", recalled_at=None, due_at=due_at)
        circ.tx.run("cancel_recall", loan=loan.id, at=circ.now)
    if request.user_id is not None:
        title = circ.record(item.record_id).title or item.barcode
        circ.tell(request.user_id, "renewed", f"{title} is renewed until {from_micros(due_at):%Y-%m-%d}.", request)
    return renewed


def _is_in_force(request: Request, loan: Loan | None, date: Micros) -> bool:
    """Say whether an approval tells what is so: the answer to our wish had brought it, or it was told before."""
    wished = loan is not None and loan.desired_due_at is not None
    waits = wished or request.status is RequestStatus.RECALLED_BY_PARTNER
    return request.due_at == date and not waits


def rejected_by_lender(circ: Circulation, request: Request, item: Item | None, reason: str) -> None:
    """Take the lender's no: the due date stays, and the user is told."""
    circ.about(request)
    if request.status is not RequestStatus.RENEW_REQUESTED:
        circ.note("the lender refused a renewal that is not waiting; nothing was changed")
        return
    circ.finish_tasks(request, TaskKind.RENEW_BY_HAND)
    loan = circ.loan_of(item) if item is not None else None
    if loan is not None:
        circ.change_loan(loan, "set_loan_wish", desired_due_at=None)
    else:
        wishes.forget(circ, request)
    wishes.decide(circ, request, Event.REJECT_RENEWAL, reason)
    if request.user_id is not None:
        title = (circ.record(item.record_id).title if item else "") or request.title or request.identifier
        circ.tell(request.user_id, "not renewed", f"{title} could not be renewed; please return it when due.", request)
