"""The rules as pure functions, tried with all kinds of partners, loans and dates."""

from __future__ import annotations

import math
from datetime import UTC, datetime

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from ncipd.circulation.clock import DAY, days_later, end_of_day
from ncipd.circulation.model import Loan, User, UserBlock
from ncipd.circulation.partner import BeyondMaximum, Partner
from ncipd.circulation.policy import (
    LOCAL,
    Action,
    Refusal,
    due_at_check_out,
    judge_renewal,
    latest_due,
    recall_due,
    refuse_user,
    sooner,
    user_due,
)
from ncipd.ncip.problems import ProblemType
from tests.circulation.test_clock import ZONES, local, micros

NOW = int(datetime(2026, 3, 20, 9, tzinfo=UTC).timestamp()) * 1_000_000
nows = st.integers(NOW, NOW + 400 * DAY)
zones = st.sampled_from(ZONES)
wishes = st.none() | st.integers(NOW - 100 * DAY, NOW + 900 * DAY)
partners = st.builds(
    Partner,
    code=st.just("P"),
    agency=st.just("A"),
    loan_days=st.integers(1, 200),
    maximum_loan_days=st.integers(0, 300),
    due_date_beyond_maximum=st.sampled_from(BeyondMaximum),
    maximum_renewals=st.integers(0, 5),
    renewal_days=st.integers(1, 100),
    renewal_beyond_maximum=st.sampled_from(BeyondMaximum),
    recall_days=st.integers(0, 60),
    user_due_days_earlier=st.integers(0, 20),
)


@st.composite
def loans(draw):
    """A loan that began at some time before now or now, due some time after it began, or without a date."""
    out_at = NOW - draw(st.integers(0, 200)) * DAY
    due_at = draw(st.none() | st.integers(out_at, out_at + 300 * DAY))
    recalled = draw(st.none() | st.just(NOW))
    return Loan(1, 1, 1, None, "P", None, out_at, due_at, draw(st.integers(0, 6)), recalled, None, 1, 1)


# ---------------------------------------------------------------------------------------------- due dates


@given(partners, wishes, nows, zones)
def test_no_loan_is_longer_than_the_partner_allows(partner, wished, now, zone):
    assume(wished is None or wished > now)
    due = due_at_check_out(partner, wished, now, zone)
    latest = latest_due(partner, now, zone) or math.inf
    if isinstance(due, Refusal):
        assert (wished or 0) > latest
        assert partner.due_date_beyond_maximum is BeyondMaximum.REJECT
        assert due.problem is ProblemType.ELEMENT_RULE_VIOLATED
    else:
        assert now < due <= latest
        if wished is not None:
            assert due == min(wished, latest), "what was wished for is what is given, as far as it may be"


@given(nows, zones)
def test_without_a_maximum_any_date_is_given(now, zone):
    partner = Partner(code="P", agency="A", maximum_loan_days=0)
    assert latest_due(partner, now, zone) is None
    assert due_at_check_out(partner, now + 5000 * DAY, now, zone) == now + 5000 * DAY


@given(partners, st.none() | nows, nows, zones)
def test_a_user_never_has_longer_than_the_lender_gave(partner, return_by, now, zone):
    due = user_due(partner, return_by, now, zone)
    if return_by is None:
        assert due == days_later(now, partner.loan_days, zone)
        return
    assert due <= return_by
    assert due >= now or due == return_by, "a date that has passed is the lender's own, never one of ours"
    if due <= end_of_day(now, zone):
        return
    there, ours = local(return_by, zone), local(due, zone)
    assert (there.date() - ours.date()).days == partner.user_due_days_earlier, "days are days of the calendar there"
    if partner.user_due_days_earlier == 0:
        assert due == return_by


def test_three_days_earlier_across_a_shift_is_the_same_time_of_day():
    """Berlin puts its clocks forward on 29 March 2026 and back on 25 October."""
    partner = Partner(code="P", agency="A", user_due_days_earlier=3)
    for back, expected in (
        (micros(2026, 3, 31, 21, 59, 59), micros(2026, 3, 28, 22, 59, 59)),
        (micros(2026, 10, 27, 22, 59, 59), micros(2026, 10, 24, 21, 59, 59)),
    ):
        assert user_due(partner, back, NOW, "Europe/Berlin") == expected


# ---------------------------------------------------------------------------------------------- renewals and recalls


def test_days_taken_off_that_have_begun_already_leave_today():
    """A week off a date two days from now: due at the end of today, not five days ago."""
    partner = Partner(code="P", agency="A", user_due_days_earlier=7)
    today = micros(2026, 3, 20, 22, 59, 59)
    assert user_due(partner, micros(2026, 3, 22, 22, 59, 59), NOW, "Europe/Berlin") == today
    assert user_due(partner, micros(2026, 3, 20, 12), NOW, "Europe/Berlin") == micros(2026, 3, 20, 12)


@given(partners, loans(), wishes, nows, zones, st.booleans())
def test_a_renewal_moves_the_date_forward_and_never_beyond_the_maximum(partner, loan, wished, now, zone, wanted):
    decided = judge_renewal(partner, loan, wished, now, zone, wanted_by_others=wanted)
    if isinstance(decided, Refusal):
        return
    assert not wanted
    assert loan.recalled_at is None
    assert loan.renewals < partner.maximum_renewals
    assert decided > now, "a renewal is for time to come"
    assert loan.due_at is None or decided > loan.due_at
    assert decided <= (latest_due(partner, loan.out_at, zone) or math.inf)
    if wished is not None:
        assert decided <= wished, "nobody gets more than was wished for"


@given(partners, loans(), wishes, nows, zones, st.booleans())
def test_every_refused_renewal_has_its_reason(partner, loan, wished, now, zone, wanted):
    """In this order: others wait, too many already, too long already or no later date."""
    decided = judge_renewal(partner, loan, wished, now, zone, wanted_by_others=wanted)
    if wanted or loan.recalled_at is not None:
        assert decided.problem is ProblemType.RENEWAL_NOT_ALLOWED_ITEM_HAS_OUTSTANDING_REQUESTS
    elif loan.renewals >= partner.maximum_renewals:
        assert decided.problem is ProblemType.MAXIMUM_RENEWALS_EXCEEDED
    elif isinstance(decided, Refusal):
        assert decided.problem is ProblemType.ITEM_NOT_RENEWABLE
        latest = latest_due(partner, loan.out_at, zone) or math.inf
        present = max(loan.due_at or now, now)
        asked = wished if wished is not None else days_later(present, partner.renewal_days, zone)
        refused_beyond = wished is not None and partner.renewal_beyond_maximum is BeyondMaximum.REJECT
        assert asked <= present or latest <= present or (asked > latest and refused_beyond)
    else:
        assert decided > now


def test_an_overdue_loan_is_not_renewed_into_the_past():
    """A date that is later than the old one, but over, does not help anybody."""
    loan = Loan(1, 1, 1, None, "P", None, NOW - 40 * DAY, NOW - 20 * DAY, 0, None, None, 1, 1)
    decided = judge_renewal(LOCAL, loan, NOW - 10 * DAY, NOW, "UTC", wanted_by_others=False)
    assert isinstance(decided, Refusal)
    assert decided.problem is ProblemType.ITEM_NOT_RENEWABLE


def test_an_overdue_loan_gets_its_days_from_today():
    loan = Loan(1, 1, 1, None, "P", None, NOW - 40 * DAY, NOW - 20 * DAY, 0, None, None, 1, 1)
    assert judge_renewal(LOCAL, loan, None, NOW, "UTC", wanted_by_others=False) == days_later(NOW, 28, "UTC")


@given(partners, loans(), wishes, nows, zones)
def test_a_recall_never_gives_more_time(partner, loan, desired, now, zone):
    asked = recall_due(partner, desired, now, zone)
    assert asked == (desired if desired is not None else days_later(now, partner.recall_days, zone))
    due = sooner(loan.due_at, asked)
    assert due <= asked
    assert loan.due_at is None or due <= loan.due_at
    assert due in (asked, loan.due_at)


# ---------------------------------------------------------------------------------------------- users


def user(expires_at=None):
    return User(1, 1, "U", "", "", "", "", None, expires_at, None, "")


@pytest.mark.parametrize("action", Action)
def test_a_block_of_its_own_name_and_a_block_of_no_name_forbid_an_action_and_traps_do_not(action):
    def refused(block_type, valid_from=None, valid_to=None):
        return refuse_user(user(), [UserBlock(1, block_type, valid_from, valid_to, "")], action, NOW) is not None

    assert refused(action.value)
    assert refused(action.value.upper())
    assert refused("Block")
    assert not refused("Trap For Lost Card")
    assert not any(refused(other.value) for other in Action if other is not action)
    assert not refused(action.value, valid_from=NOW + 1)
    assert refused(action.value, valid_from=NOW, valid_to=NOW)
    assert not refused(action.value, valid_to=NOW - 1)


@given(st.integers(NOW - 10 * DAY, NOW + 10 * DAY), st.sampled_from(Action))
def test_an_expired_registration_forbids_everything(expires_at, action):
    refusal = refuse_user(user(expires_at), [], action, NOW)
    assert (refusal is not None) == (expires_at < NOW)
    if refusal is not None:
        assert refusal.problem is ProblemType.USER_BLOCKED
