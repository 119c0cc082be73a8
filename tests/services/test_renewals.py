"""Renewals on both sides: who may wish for one, who decides on it, and what becomes of the loan."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from ncipd.circulation.errors import DeskError
from ncipd.circulation.outcomes import settle
from ncipd.circulation.partner import Partner
from ncipd.ncip import elements as el
from ncipd.ncip.messages import RenewItemResponse
from ncipd.ncip.problems import Problem
from ncipd.ncip.types import Coded
from tests.circulation import messages as say
from tests.circulation.messages import IN_FEBRUARY, IN_MARCH
from tests.services.borrowers import USER, borrowing, written
from tests.services.world import fill, make_world


@pytest.fixture
async def world(tmp_path):
    async with borrowing(tmp_path) as made:
        yield made


# ---------------------------------------------------------------------------------------------- the table


async def test_a_brokers_renewal_of_an_item_lent_is_a_wish_judged_by_policy(world):
    """First row, automatic: granted within the rules, refused beyond them."""
    await world.well(say.check_out("B1", "R-1", due=IN_FEBRUARY))
    answer = await world.well(say.renew("B1", IN_MARCH))
    assert (answer.text("RenewItemResponse/DateDue"), answer.text("RenewItemResponse/RenewalCount")) == (IN_MARCH, "1")
    assert (world.status(), world.due("B1")) == ("renewed", IN_MARCH)
    assert (await world.send(say.renew("B1", "2026-09-01T00:00:00Z"))).problem == "Item Not Renewable"


async def test_a_brokers_renewal_of_an_item_borrowed_is_the_approval(world):
    """Second row, after a wish: the date is the lender's, and the user is told."""
    await world.lent()
    await world.desk("renew", barcode="X-1", due_date="2026-03-10")
    assert (world.status(), world.sent()) == ("renew-requested", ["RenewItem"])
    answer = await world.well(say.renew("X-1", IN_MARCH))
    assert answer.text("RenewItemResponse/DateDue") == IN_MARCH
    assert (world.status(), world.due(), world.notices()) == ("renewed-by-partner", IN_MARCH, ["renewed"])
    assert (world.loan().renewals, written(world.request().due_at)) == (1, IN_MARCH)


async def test_an_approval_needs_no_wish_and_is_not_subject_to_our_policy(world):
    """Second row: no renewals and ten days at most is our rule, not the lender's; a blocked user matters as little."""
    await world.lent(partner="STRICT")
    await world.world.store.transact(
        lambda tx: tx.run(
            "insert_user_block",
            user=world.loan().user_id,
            type="Block Renewal",
            valid_from=None,
            valid_to=None,
            note="",
        )
    )
    await world.well(say.renew("X-1", "2027-01-01T00:00:00Z"), "STRICT")
    assert (world.status(), world.due()) == ("renewed-by-partner", "2027-01-01T00:00:00Z")


async def test_an_approval_before_pickup_moves_the_lenders_date(world):
    await world.here()
    await world.well(say.renew("X-1", IN_MARCH))
    assert world.status() == "physically-received-by-library"
    await world.desk("check-out", barcode="X-1", user=USER)
    assert world.due() == IN_MARCH


async def test_an_approval_without_a_date_is_not_complete(world):
    await world.lent()
    answer = await world.send(say.renew("X-1"))
    assert (answer.problem, answer.text("Problem/ProblemElement")) == (
        "Needed Data Missing",
        "RenewItem/DesiredDateDue",
    )


async def test_an_approval_of_what_went_back_is_a_problem(world):
    await world.lent()
    await world.well(say.check_in("X-1"))
    assert (await world.send(say.renew("X-1", IN_MARCH))).problem in ("Item Not Checked Out", "Unknown Item")


async def test_a_discovery_layers_renewal_of_an_item_borrowed_is_forwarded(world):
    """Third row: Pending here, and a RenewItem with the desired date on its way to the lender's side."""
    await world.lent()
    answer = await world.well(say.renew("X-1", IN_MARCH, user=USER), "CATALOGUE")
    assert answer.has("RenewItemResponse/Pending/DateOfExpectedReply")
    assert (world.status(), world.due()) == ("renew-requested", IN_FEBRUARY)
    (letter,) = world.ask(lambda circ: circ.tx.all("outbox_of_agency", agency=circ.agency.id, state="queued", most=9))
    assert (letter[1], letter[2]) == ("BROKER", "RenewItem")
    assert f"DesiredDateDue>{IN_MARCH}<" in letter[10].decode()
    assert "ItemIdentifierValue>X-1<" in letter[10].decode()


async def test_the_desks_renewal_of_an_item_borrowed_is_forwarded_under_the_partners_id(world):
    """Third row, colliding barcode: scanned as ours, sent as theirs."""
    await world.lent("R-1", "B1")
    local = world.ask(lambda circ: circ.temporary_items("BROKER", "B1"))[0].barcode
    await world.desk("renew", barcode=local)
    (letter,) = world.ask(lambda circ: circ.tx.all("outbox_of_agency", agency=circ.agency.id, state="queued", most=9))
    assert "ItemIdentifierValue>B1<" in letter[10].decode()
    assert world.status() == "renew-requested"


async def test_a_users_renewal_of_our_own_item_is_judged_by_policy(world):
    """Fourth row, by the discovery layer and at the desk."""
    await world.desk("check-out", barcode="B1", user=USER, due_date="2026-02-10")
    answer = await world.well(say.renew("B1", IN_MARCH, user=USER), "CATALOGUE")
    assert (answer.text("RenewItemResponse/DateDue"), world.due("B1")) == (IN_MARCH, IN_MARCH)
    await world.desk("renew", barcode="B1", due_date="2026-03-20")
    await world.desk("renew", barcode="B1", due_date="2026-03-30")
    refused = await world.send(say.renew("B1", user=USER), "CATALOGUE")
    assert refused.problem == "Maximum Renewals Exceeded"
    assert world.sent() == []


@pytest.mark.parametrize("item", ["B1", "X-1"])
async def test_a_blocked_user_renews_nothing_of_ours_and_nothing_borrowed(world, item):
    await world.lent()
    await world.desk("check-out", barcode="B1", user=USER)
    number = world.loan().user_id
    await world.world.store.transact(
        lambda tx: tx.run(
            "insert_user_block", user=number, type="Block Renewal", valid_from=None, valid_to=None, note=""
        )
    )
    assert (await world.send(say.renew(item, user=USER), "CATALOGUE")).problem == "User Blocked"
    with pytest.raises(Problem) as refused:
        await world.desk("renew", barcode=item)
    assert refused.value.type == "User Blocked"
    assert world.sent() == []


async def test_nobody_renews_the_loan_of_another_user(world):
    await world.lent()
    answer = await world.send(say.renew("X-1", user="BORROW-USER-2"), "CATALOGUE")
    assert answer.problem == "Item Not Checked Out"


async def test_after_a_recall_renewals_are_refused(world):
    await world.lent()
    await world.well(say.recall("X-1"))
    answer = await world.send(say.renew("X-1", user=USER), "CATALOGUE")
    assert answer.problem == "Renewal Not Allowed - Item Has Outstanding Requests"


async def test_without_a_broker_url_the_desk_is_told_at_once(world):
    await world.lent(partner="NOURL")
    with pytest.raises(DeskError) as told:
        await world.desk("renew", barcode="X-1")
    assert told.value.code == "partner-has-no-url"
    assert world.status() == "loaned-item-to-patron"


async def test_without_a_broker_url_a_wish_by_message_waits_for_staff_to_ask_by_hand(world):
    """The discovery layer hears what is so: pending; staff ask the lender, whose word then ends the task."""
    await world.lent(partner="NOURL")
    for _ in range(2):
        answer = await world.well(say.renew("X-1", IN_MARCH, user=USER), "CATALOGUE")
        assert answer.has("RenewItemResponse/Pending"), answer
        world.clock.pass_days(1)
    assert (world.status(), world.tasks(), world.sent()) == ("renew-requested", ["renew-by-hand"], [])
    await world.well(say.renew("X-1", IN_MARCH), "NOURL")
    assert (world.status(), world.tasks(), world.due()) == ("renewed-by-partner", [], IN_MARCH)


# ---------------------------------------------------------------------------------------------- the refusals


@pytest.mark.parametrize(
    ("partner", "wish", "problem"),
    [
        (Partner(code="BROKER", agency="LEND", maximum_renewals=0), IN_MARCH, "Maximum Renewals Exceeded"),
        (Partner(code="BROKER", agency="LEND", maximum_loan_days=36), IN_MARCH, "Item Not Renewable"),
        (Partner(code="BROKER", agency="LEND", maximum_loan_days=30), "", "Item Not Renewable"),
        (Partner(code="BROKER", agency="LEND"), IN_FEBRUARY, "Item Not Renewable"),
        (Partner(code="BROKER", agency="LEND"), "2026-01-20T00:00:00Z", "Item Not Renewable"),
    ],
    ids=["no renewals", "beyond the maximum", "maximum reached", "the same date", "an earlier date"],
)
async def test_a_lent_item_is_not_renewed_beyond_the_rules(tmp_path, partner, wish, problem):
    made = make_world(tmp_path / "data", (partner,))
    await fill(made)
    await made.send(say.check_out("L1", "R-1", due=IN_FEBRUARY))
    before = made.ask(lambda circ: circ.loan_of(circ.item_by_barcode("L1")))
    assert (await made.send(say.renew("L1", wish))).problem == problem
    assert made.ask(lambda circ: circ.loan_of(circ.item_by_barcode("L1"))) == before
    await made.store.close()


async def test_an_item_that_is_not_out_through_this_partner_is_not_renewed(world):
    assert (await world.send(say.renew("B1"))).problem == "Item Not Checked Out"
    await world.well(say.check_out("B1", "R-1"), "NOURL")
    assert (await world.send(say.renew("B1"))).problem == "Item Not Checked Out"


async def test_an_item_that_a_local_user_waits_for_is_not_renewed(world):
    await world.well(say.check_out("B1", "R-1", due=IN_FEBRUARY), "NOURL")
    await world.desk("request", user=USER, barcode="B1")
    answer = await world.send(say.renew("B1", IN_MARCH), "NOURL")
    assert answer.problem == "Renewal Not Allowed - Item Has Outstanding Requests"


async def test_once_one_volume_is_recalled_no_volume_of_the_request_is_renewed(world):
    """The request is recalled, and renewals are refused from then on."""
    await world.well(say.check_out("B1", "R-1", due=IN_FEBRUARY))
    await world.well(say.check_out("B2", "R-1", due=IN_FEBRUARY))
    await world.desk("request", user=USER, barcode="B1")
    assert world.status() == "recalled"
    answer = await world.send(say.renew("B2", IN_MARCH))
    assert answer.problem == "Renewal Not Allowed - Item Has Outstanding Requests"


# ---------------------------------------------------------------------------------------------- the outcome


async def test_item_renewed_brings_the_outcome_after_pending(world):
    await world.lent()
    await world.desk("renew", barcode="X-1")
    await world.well(say.renewed("X-1", IN_MARCH))
    assert (world.status(), world.due(), world.notices()) == ("renewed-by-partner", IN_MARCH, ["renewed"])
    world.clock.pass_days(1)
    await world.well(say.renewed("X-1", IN_MARCH))
    assert (world.loan().renewals, world.notices()) == (1, ["renewed"]), "told twice, it is one renewal"


async def test_item_not_renewed_ends_the_wish_and_the_date_stays(world):
    await world.lent()
    await world.desk("renew", barcode="X-1")
    await world.well(say.status_updated("X-1", "Renew Still Pending"))
    assert world.status() == "renew-requested"
    await world.well(say.status_updated("X-1", "Item Not Renewed"))
    assert (world.status(), world.due(), world.notices()) == (
        "renew-request-not-accepted",
        IN_FEBRUARY,
        ["not renewed"],
    )
    await world.desk("renew", barcode="X-1")
    assert world.status() == "renew-requested", "the user may ask again"


async def test_an_overdue_notice_reaches_staff_and_user(world):
    await world.lent()
    await world.well(say.status_updated("X-1", "Item Overdue"))
    assert (world.tasks(), world.notices(), world.status()) == (["review"], ["item overdue"], "overdue-request")


async def test_other_statuses_are_not_for_this_notification(world):
    await world.lent()
    answer = await world.send(say.status_updated("X-1", "Lost"))
    assert answer.problem == "Unknown Value From Known Scheme"


ANSWERS = {
    "agreed": (RenewItemResponse(item_id=None, date_due=datetime(2026, 3, 1, 22, 59, 59, tzinfo=UTC)), ()),
    "pending": (RenewItemResponse(pending=el.Pending(date_of_expected_reply=datetime(2026, 1, 9, tzinfo=UTC))), ()),
    "refused": (None, (el.Problem(problem_type=Coded("Maximum Renewals Exceeded"), problem_detail="Three already."),)),
}


@pytest.mark.parametrize(
    ("answer", "status", "due", "notices"),
    [
        ("agreed", "renewed-by-partner", IN_MARCH, ["renewed"]),
        ("pending", "renew-requested", IN_FEBRUARY, []),
        ("refused", "renew-request-not-accepted", IN_FEBRUARY, ["not renewed"]),
    ],
)
async def test_the_answer_to_our_renew_item_is_the_outcome(world, answer, status, due, notices):
    """A date is an approval, a Problem is a rejection, Pending waits."""
    await world.lent()
    await world.desk("renew", barcode="X-1")
    response, problems = ANSWERS[answer]
    request, loan = world.request().id, world.loan().id
    await world.world.store.transact(
        lambda tx: settle(world.world.unit(tx, "BORROW"), "RenewItem", request, loan, response, problems)
    )
    assert (world.status(), world.due(), world.notices()) == (status, due, notices)


async def test_an_answer_that_comes_after_the_outcome_changes_nothing(world):
    """The broker's RenewItem overtook the answer to ours."""
    await world.lent()
    await world.desk("renew", barcode="X-1")
    await world.well(say.renew("X-1", IN_MARCH))
    request, loan = world.request().id, world.loan().id
    for response, problems in ANSWERS.values():
        await world.world.store.transact(
            lambda tx, r=response, p=problems: settle(world.world.unit(tx, "BORROW"), "RenewItem", request, loan, r, p)
        )
    assert (world.status(), world.due(), world.loan().renewals) == ("renewed-by-partner", IN_MARCH, 1)
