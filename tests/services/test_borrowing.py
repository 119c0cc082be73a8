"""The borrowing side: what our users get through a broker, from the wish to the way back."""

from __future__ import annotations

import pytest

from ncipd.circulation.errors import DeskError
from ncipd.circulation.model import HoldState
from ncipd.circulation.partner import Partner, Sides
from ncipd.ncip.problems import Problem
from tests.circulation import messages as say
from tests.circulation.messages import IN_FEBRUARY, IN_MARCH
from tests.services.borrowers import USER, borrowing, written
from tests.services.world import fill, make_world


@pytest.fixture
async def world(tmp_path):
    async with borrowing(tmp_path) as made:
        yield made


# ---------------------------------------------------------------------------------------------- RequestItem


async def test_a_users_wish_makes_a_borrowing_request_for_that_user(world):
    answer = await world.well(
        say.request_item("R-1", user=USER, title="OCLC-9", code="OCLC", kind="Loan", pickup="LAW", before=IN_MARCH)
    )
    assert answer.text("RequestItemResponse/RequestId/RequestIdentifierValue") == "R-1"
    assert answer.text("RequestItemResponse/UserId/UserIdentifierValue") == USER
    request = world.request()
    library = world.ask(lambda circ: circ.library_by_id(request.pickup_library_id))
    assert (request.role, world.status(), library.code) == ("borrowing", "created-borrowing-request", "LAW")
    assert written(request.need_before) == IN_MARCH
    assert world.ask(lambda circ: circ.user(request.user_id)).primary_id == USER


async def test_a_wish_without_an_id_gets_one(world):
    answer = await world.well(say.request_item(user=USER, title="OCLC-9"))
    made = answer.text("RequestItemResponse/RequestId/RequestIdentifierValue")
    assert made
    assert world.status(made) == "created-borrowing-request"


@pytest.mark.parametrize("user", ["BORROW-BLOCKED", "BORROW-EXPIRED"])
async def test_a_user_who_may_not_borrow_is_refused(world, user):
    answer = await world.send(say.request_item("R-1", user=user, title="OCLC-9"))
    assert answer.problem == "User Blocked"
    assert world.world.count("request") == 0


async def test_a_user_with_as_many_loans_as_allowed_is_refused_and_served_again_after_a_return(world):
    await world.world.store.transact(
        lambda tx: tx._execute("UPDATE user SET loan_limit = 1 WHERE primary_id = ?", (USER,))
    )
    await world.lent()
    wish = say.request_item("R-2", user=USER, title="OCLC-9")
    assert (await world.send(wish)).problem == "User Ineligible To Request This Item"
    await world.desk("return", barcode="X-1")
    await world.well(wish)


async def test_the_same_wish_again_is_the_same_request_and_another_one_under_its_id_is_a_duplicate(world):
    wish = say.request_item("R-1", user=USER, title="OCLC-9")
    await world.well(wish)
    world.clock.pass_days(3)
    await world.well(wish)
    assert world.world.count("request") == 1
    for other in (
        say.request_item("R-1", user=USER, title="OCLC-10"),
        say.request_item("R-1", user="BORROW-USER-2", title="OCLC-9"),
        say.request_item("R-2", user=USER, title="OCLC-9"),
    ):
        assert (await world.send(other)).problem == "Duplicate Request"


async def test_a_wish_of_nobody_we_know_for_nothing_we_have_is_an_unknown_user(world):
    answer = await world.send(say.request_item("R-1", user="WHO-1", title="OCLC-9"))
    assert answer.problem == "Unknown User"
    assert answer.text("Problem/ProblemValue") == "WHO-1"


async def test_a_wish_for_an_item_of_ours_is_lending_even_if_the_user_is_ours(world):
    """The item decides before the user does."""
    await world.well(say.request_item("R-1", user=USER, item="B1"))
    assert (world.request().role, world.status()) == ("lending", "being-processed")


async def test_a_pseudo_user_never_borrows(world):
    """A "-" asks for another library, whatever the title."""
    await world.well(say.request_item("R-1", user="-", title="OCLC-9"))
    assert (world.request().role, world.status()) == ("lending", "locate-failed")


async def test_a_partner_with_one_side_is_always_on_that_side(world):
    """What names an item of ours is about borrowing all the same, where the partner serves borrowing only."""
    answer = await world.send(say.request_item("R-1", user="WHO-1", item="B1"), "ONE-SIDED")
    assert answer.problem == "Unknown User"
    await world.well(say.request_item("R-1", user=USER, item="B1"), "ONE-SIDED")
    assert world.status() == "created-borrowing-request"


async def test_cancelling_works_until_the_item_has_come(world):
    await world.well(say.request_item("R-1", user=USER, title="OCLC-9"))
    await world.well(say.cancel("R-1", user=USER))
    assert world.status() == "cancelled"
    world.clock.pass_days(1)
    await world.here("R-2")
    assert (await world.send(say.cancel("R-2", user=USER))).problem == "Request Already Processed"
    assert (await world.send(say.cancel("R-1", user=USER))).problem == "Request Already Processed"
    assert (await world.send(say.cancel("R-9", user=USER))).problem == "Unknown Request"


# ---------------------------------------------------------------------------------------------- AcceptItem


async def test_an_item_that_comes_unasked_makes_request_record_item_and_hold(world):
    answer = await world.well(say.accept("R-1", item="X-1", user=USER, title="Moby Dick", return_by=IN_FEBRUARY))
    assert answer.text("AcceptItemResponse/RequestId/RequestIdentifierValue") == "R-1"
    assert answer.text("AcceptItemResponse/ItemId/ItemIdentifierValue") == "X-1"
    item, request = world.item(), world.request()
    assert (item.temporary, item.partner, item.partner_item_id, item.status) == (1, "BROKER", "X-1", "received")
    assert world.ask(lambda circ: circ.record(item.record_id)).title == "Moby Dick"
    assert (request.role, request.status, written(request.due_at)) == (
        "borrowing",
        "physically-received-by-library",
        IN_FEBRUARY,
    )
    assert (world.holds(), world.tasks(), world.world.count("loan")) == ([HoldState.WAITING], ["shelve-hold"], 0)


async def test_an_item_that_was_asked_for_completes_the_request_it_belongs_to(world):
    """Without UserId the item is for the request's user, at the request's pickup library, under its title."""
    await world.well(say.request_item("R-1", user=USER, title="OCLC-9", pickup="LAW"))
    await world.well(say.accept("R-1", item="X-1"))
    request = world.request()
    assert (world.status(), world.world.count("request")) == ("physically-received-by-library", 1)
    assert world.ask(lambda circ: circ.library_by_id(request.pickup_library_id)).code == "LAW"
    assert world.item().status == "in-transit", "it is picked up at another library than the one that received it"


async def test_without_an_item_id_a_barcode_is_made_and_returned_and_works_from_then_on(world):
    answer = await world.well(say.accept("R-1", user=USER, return_by=IN_FEBRUARY))
    made = answer.text("AcceptItemResponse/ItemId/ItemIdentifierValue")
    assert made.startswith("TMP-")
    again = await world.well(say.accept("R-1", user=USER))
    assert again.text("AcceptItemResponse/ItemId/ItemIdentifierValue") == made
    await world.well(say.check_in(made))
    assert world.status() == "request-completed"


@pytest.mark.parametrize("action", ["Circulate", "circulate", "Circulate And Notify"])
async def test_circulate_lends_at_once(world, action):
    await world.well(say.accept("R-1", item="X-1", user=USER, action=action, return_by=IN_FEBRUARY))
    assert (world.status(), world.item().status, world.due()) == ("loaned-item-to-patron", "on-loan", IN_FEBRUARY)
    assert (world.holds(), world.tasks()) == ([], [])


@pytest.mark.parametrize("action", ["Hold For Pickup", "Hold For Pickup And Notify"])
async def test_hold_waits_on_the_shelf_and_the_user_is_told(world, action):
    await world.well(say.accept("R-1", item="X-1", user=USER, action=action))
    assert world.notices() == []
    await world.desk("hold-shelf", barcode="X-1")
    assert (world.holds(), world.item().status, world.tasks()) == ([HoldState.READY], "on-hold-shelf", [])
    assert world.notices() == ["available for pickup"]


async def test_an_action_that_is_none_is_refused_and_leaves_nothing(world):
    """Throwing the item away is not what AcceptItem can ask; without a word for it nothing is guessed."""
    wrong = say.accept("R-1", item="X-1", user=USER, action="Throw Away")
    answer = await world.send(wrong)
    assert (answer.problem, answer.text("Problem/ProblemElement")) == (
        "Element Rule Violated",
        "AcceptItem/RequestedActionType",
    )
    assert world.item() is None
    await world.well(wrong.replace("<AcceptItem>", f"<AcceptItem>{say.mandated('2026-01-05T08:00:00Z')}"))
    assert world.item().status == "received", "it has happened: the item is in the building, and waits"


@pytest.mark.parametrize("scheme", ["", ' n:Scheme="http://partner.example/actions"'])
@pytest.mark.parametrize("action", ["Hold For Fulfillment", "", "Shelve"])
async def test_a_partners_own_word_for_an_action_holds_the_item(world, action, scheme):
    """What begins with Hold, says nothing, or is of a scheme of the partner's own waits for the user."""
    told = say.accept("R-1", item="X-1", user=USER, action=action)
    answer = await world.send(told.replace("<RequestedActionType>", f"<RequestedActionType{scheme}>"))
    assert answer.problem == ("Element Rule Violated" if action == "Shelve" and not scheme else None)
    assert answer.problem or world.item().status == "received"


async def test_the_pickup_expiry_date_of_the_message_is_the_last_day_on_the_shelf(world):
    await world.here(pickup_expires="2026-01-20T22:00:00Z")
    (hold,) = world.ask(lambda circ: circ.holds_of(world.request()))
    assert written(hold.expires_at) == "2026-01-20T22:00:00Z"


async def test_the_date_for_return_survives_until_the_item_is_fetched(world):
    """Two due dates: the request keeps the lender's, and the loan gets the user's when it begins."""
    await world.here()
    world.clock.pass_days(3)
    done = await world.desk("check-out", barcode="X-1", user=USER)
    assert (written(done.loan.due_at), world.status(), world.holds()) == (
        IN_FEBRUARY,
        "loaned-item-to-patron",
        [HoldState.FILLED],
    )


async def test_a_date_for_return_without_a_zone_is_local_to_the_agency(world):
    """New York is five hours behind in February."""
    await world.lent(return_by="2026-02-10T23:59:59")
    assert world.due() == "2026-02-11T04:59:59Z"


async def test_a_renewal_that_the_lender_has_ruled_out_is_refused_here(world):
    await world.lent(no_renewal=True)
    with pytest.raises(Problem) as refused:
        await world.desk("renew", barcode="X-1")
    assert refused.value.type == "Item Not Renewable"
    assert (await world.send(say.renew("X-1", user=USER), "CATALOGUE")).problem == "Item Not Renewable"
    assert (world.status(), world.sent()) == ("loaned-item-to-patron", [])


async def test_what_need_not_be_returned_completes_without_an_item(world):
    """NonReturnableFlag: nothing to circulate, the user is told, and a repeated message tells nobody again."""
    supply = say.accept("R-1", item="X-1", user=USER, final=True)
    answer = await world.well(supply)
    assert answer.text("AcceptItemResponse/RequestId/RequestIdentifierValue") == "R-1"
    assert (world.status(), world.world.count("loan"), world.item()) == ("digitally-received-by-library", 0, None)
    world.clock.pass_days(2)
    await world.well(supply)
    assert (world.notices(), world.world.count("request")) == (["document delivered"], 1)
    await world.well(say.check_in("X-1", "R-1"))
    assert world.status() == "digitally-received-by-library"


async def test_a_digital_wish_is_filled_digitally_even_if_the_flag_is_missing(world):
    """And stays so when the broker reports it again days later."""
    await world.well(say.request_item("R-1", user=USER, title="OCLC-9", kind="Digital"))
    for _ in range(2):
        await world.well(say.accept("R-1", item="X-1", user=USER))
        assert (world.status(), world.item()) == ("digitally-received-by-library", None)
        world.clock.pass_days(1)
    assert world.world.count("request") == 1


@pytest.mark.parametrize(("said", "where"), [("LAW", "LAW"), ("", "MAIN"), ("NOWHERE", "MAIN")])
async def test_the_pickup_location_of_the_message_is_used_where_there_is_such_a_library(world, said, where):
    await world.well(say.accept("R-1", item="X-1", user=USER, pickup=said))
    assert world.ask(lambda circ: circ.library_by_id(world.request().pickup_library_id)).code == where


async def test_an_item_for_nobody_is_a_problem(world):
    assert (await world.send(say.accept("R-1", item="X-1"))).problem == "Needed Data Missing"
    unknown = await world.send(say.accept("R-1", item="X-1", user="WHO-1"))
    assert (unknown.problem, unknown.text("Problem/ProblemValue")) == ("Unknown User", "WHO-1")
    assert (world.world.count("request"), world.item()) == (0, None)


async def test_a_pseudo_user_in_accept_item_leaves_the_requests_user(world):
    await world.well(say.request_item("R-1", user=USER, title="OCLC-9"))
    await world.well(say.accept("R-1", item="X-1", user="-"))
    assert world.ask(lambda circ: circ.user(world.request().user_id)).primary_id == USER


async def test_an_item_for_another_user_than_asked_is_for_the_user_of_the_message_and_staff_see_it(world):
    await world.well(say.request_item("R-1", user=USER, title="OCLC-9"))
    await world.well(say.accept("R-1", item="X-1", user="BORROW-USER-2"))
    assert world.ask(lambda circ: circ.user(world.request().user_id)).primary_id == "BORROW-USER-2"
    assert "review" in world.tasks()


@pytest.mark.parametrize("user", ["BORROW-BLOCKED", "BORROW-EXPIRED"])
@pytest.mark.parametrize("action", ["Circulate", say.HOLD])
async def test_blocks_never_refuse_what_has_come_but_staff_see_them(world, user, action):
    if user == "BORROW-BLOCKED":
        await world.world.store.transact(
            lambda tx: tx._execute("UPDATE user_block SET type = 'Block Check Out'", ()),
        )
    await world.well(say.accept("R-1", item="X-1", user=user, action=action))
    assert "review" in world.tasks()
    assert world.item().live


async def test_without_automatic_receive_the_item_is_made_and_waits_for_the_desk(world):
    await world.well(say.accept("R-1", item="X-1", user=USER, return_by=IN_FEBRUARY), "DESK")
    assert (world.status(), world.item().status, world.tasks()) == ("shipped-physically", "expected", ["receive"])
    done = await world.desk("receive", barcode="X-1")
    assert (done.instruction, world.tasks()) == ("hold shelf", ["shelve-hold"])
    assert (world.status(), world.item().status) == ("physically-received-by-library", "received")


async def test_the_same_item_for_the_same_request_is_one_item_however_often_it_is_told(world):
    for days in (0, 0.1, 3):
        world.clock.pass_days(days)
        await world.well(say.accept("R-1", item="X-1", user=USER, return_by=IN_FEBRUARY))
    assert (world.world.count("request_item"), world.holds()) == (1, [HoldState.WAITING])


async def test_a_second_volume_joins_the_request_and_the_request_ends_with_the_last(world):
    await world.lent("R-1", "X-1")
    await world.lent("R-1", "X-2")
    assert (world.world.count("request"), world.world.count("request_item")) == (1, 2)
    await world.well(say.check_in("X-1"))
    assert (world.status(), world.item("X-1").live, world.item("X-2").live) == ("loaned-item-to-patron", 0, 1)
    await world.well(say.check_in("X-2"))
    assert world.status() == "request-completed"


@pytest.mark.parametrize("meanwhile", ["returned", "recalled"])
async def test_a_second_volume_is_taken_in_whatever_became_of_the_first(world, meanwhile):
    """What has come has come: no status of the request denies it, not even with the desk receiving."""
    await world.well(say.accept("R-1", item="X-1", user=USER), "DESK")
    await world.desk("receive", barcode="X-1")
    if meanwhile == "recalled":
        await world.well(say.recall("X-1"), "DESK")
    else:
        await world.desk("return", barcode="X-1")
    await world.well(say.accept("R-1", item="X-2", user=USER), "DESK")
    assert world.item("X-2").status == "expected"
    await world.desk("receive", barcode="X-2")
    assert world.item("X-2").status == "received"


async def test_the_same_item_comes_again_after_it_went_back(world):
    """Once withdrawn, its number is free: a new item, under the same barcode, for a new request."""
    for request in ("R-1", "R-2", "R-1"):
        await world.lent(request, "X-1")
        await world.well(say.check_in("X-1"))
    assert world.world.count("request") == 3
    assert world.ask(lambda circ: len(circ.temporary_items("BROKER", "X-1"))) == 3


async def test_accept_item_is_not_for_a_partner_that_only_lends_from_us(tmp_path):
    made = make_world(tmp_path / "data", (Partner(code="BROKER", agency="BORROW", sides=Sides.LENDING),))
    await fill(made)
    answer = await made.send(say.accept("R-1", item="X-1", user=USER), to="BORROW")
    assert answer.problem == "Unauthorized Service For System"
    await made.store.close()


# ---------------------------------------------------------------------------------------------- CheckInItem


async def test_check_in_discharges_the_loan_completes_the_request_and_withdraws_the_item(world):
    await world.lent()
    await world.well(say.check_in("X-1"))
    assert (world.status(), world.item().live, world.item().status) == ("request-completed", 0, "withdrawn")
    assert world.ask(lambda circ: circ.loan_of(world.item())) is None


async def test_check_in_of_an_item_that_nobody_fetched_cancels_the_hold(world):
    await world.here()
    await world.well(say.check_in("X-1"))
    assert (world.status(), world.holds(), world.tasks()) == ("request-completed", [HoldState.CANCELLED], [])


async def test_a_withdrawn_item_still_says_whose_it_is(world):
    """Whoever finds it on a table is told to send it back."""
    await world.lent()
    await world.well(say.check_in("X-1"))
    for action in ("return", "scan-in"):
        done = await world.desk(action, barcode="X-1")
        assert (done.instruction, "BROKER" in done.message) == ("send back", True)
    with pytest.raises(DeskError, match="sent back"):
        await world.desk("check-out", barcode="X-1", user=USER)


async def test_check_in_by_the_request_id_and_the_id_that_the_partner_uses(world):
    """The RequestId that brokers put into CheckInItem says which of two items of the same name is meant."""
    await world.lent("R-1", "B1")
    local = world.ask(lambda circ: circ.temporary_items("BROKER", "B1"))[0].barcode
    assert local != "B1", "B1 is a barcode of our own"
    await world.well(say.check_in("B1", "R-1"))
    assert world.status() == "request-completed"
    assert world.item("B1").status == "available"


async def test_check_in_of_a_borrowed_item_that_bears_a_barcode_of_ours_needs_no_request_id(world):
    """Our own B1 stands on its shelf and has nothing to do with this partner; the borrowed one is out."""
    await world.lent("R-1", "B1")
    await world.well(say.check_in("B1"))
    assert (world.status(), world.item("B1").status) == ("request-completed", "available")


async def test_check_in_for_another_request_is_a_problem_and_changes_nothing(world):
    await world.lent("R-1", "X-1")
    await world.lent("R-9", "X-9")
    answer = await world.send(say.check_in("X-1", "R-9"))
    assert (answer.problem, answer.text("Problem/ProblemValue")) == ("Unknown Item", "X-1")
    assert (world.status(), world.item().status) == ("loaned-item-to-patron", "on-loan")


async def test_check_in_under_a_number_that_nobody_knows_is_about_the_item(world):
    """The item is on its way home, whatever RequestId the broker wrote; the lending side takes it so too."""
    await world.lent("R-1", "X-1")
    await world.well(say.check_in("X-1", "R-9"))
    assert (world.status(), world.item().live) == ("request-completed", 0)
    assert (await world.send(say.check_in("X-8", "R-9"))).problem == "Unknown Item"


async def test_a_late_check_in_of_an_earlier_request_does_not_end_the_present_one(world):
    """The same item came again for R-2; the check-in of R-1 is told again, days later."""
    await world.lent("R-1", "X-1")
    await world.well(say.check_in("X-1", "R-1"))
    await world.lent("R-2", "X-1")
    world.clock.pass_days(2)
    await world.well(say.check_in("X-1", "R-1"))
    assert (world.status("R-2"), world.item().status) == ("loaned-item-to-patron", "on-loan")


async def test_a_check_in_that_happened_before_the_item_came_undoes_nothing(world):
    """Facts are ordered by DateEventOccurred where it is given."""
    await world.lent("R-1", "X-1")
    await world.well(say.check_in("X-1", happened="2026-01-02T09:00:00Z"))
    assert world.status() == "loaned-item-to-patron"
    world.clock.pass_days(1)
    await world.well(say.check_in("X-1", happened="2026-01-06T08:00:00Z"))
    assert world.status() == "request-completed"


async def test_check_in_of_what_was_never_borrowed_is_an_unknown_item(world):
    answer = await world.send(say.check_in("NEVER"), "ONE-SIDED")
    assert (answer.problem, answer.text("Problem/ProblemValue")) == ("Unknown Item", "NEVER")


# ---------------------------------------------------------------------------------------------- two ways to one fact


async def test_accept_item_after_the_desk_has_received_confirms_it(world):
    """No second item; what the message knows and the desk did not is taken over."""
    await world.well(say.request_item("R-1", user=USER, title="OCLC-9"))
    await world.desk("receive", request="R-1", barcode="LOCAL-1", title="Moby Dick")
    answer = await world.well(say.accept("R-1", item="X-1", return_by=IN_FEBRUARY, no_renewal=True))
    assert answer.text("AcceptItemResponse/ItemId/ItemIdentifierValue") == "LOCAL-1"
    assert (world.world.count("request_item"), world.holds()) == (1, [HoldState.WAITING])
    request = world.request()
    assert (written(request.due_at), request.renewal_forbidden) == (IN_FEBRUARY, 1)
    assert world.item("LOCAL-1").partner_item_id == "X-1"
    await world.well(say.check_in("X-1"))
    assert world.status() == "request-completed"


async def test_the_desk_receives_what_accept_item_has_told(world):
    """Scanning what is here already is no second item."""
    await world.well(say.accept("R-1", item="X-1", user=USER))
    done = await world.desk("receive", barcode="X-1")
    assert (done.instruction, world.world.count("request_item"), world.tasks()) == ("hold shelf", 1, ["shelve-hold"])


async def test_check_in_item_after_the_desk_took_the_item_back(world):
    await world.lent()
    done = await world.desk("return", barcode="X-1")
    assert (done.instruction, world.status(), world.tasks()) == (
        "send back",
        "returned-by-patron",
        ["return-to-partner"],
    )
    await world.well(say.check_in("X-1"))
    assert (world.status(), world.tasks(), world.item().live) == ("request-completed", [], 0)


async def test_the_desk_scans_an_item_whose_check_in_was_told_before(world):
    await world.lent()
    await world.well(say.check_in("X-1"))
    assert (await world.desk("return", barcode="X-1")).instruction == "send back"
    assert world.status() == "request-completed"


async def test_an_item_lent_again_after_a_return_is_not_on_the_way_back_any_more(world):
    """The task to send it back is struck."""
    await world.lent()
    await world.desk("return", barcode="X-1")
    await world.desk("check-out", barcode="X-1", user=USER)
    assert (world.tasks(), world.status()) == ([], "loaned-item-to-patron")


# ---------------------------------------------------------------------------------------------- RecallItem


@pytest.mark.parametrize(
    ("asked", "due"),
    [
        ("2026-01-20T22:59:59Z", "2026-01-20T22:59:59Z"),
        ("2026-05-01T22:59:59Z", IN_FEBRUARY),
        ("", "2026-01-13T04:59:59Z"),  # seven days from 5 January, to the end of the day in New York
    ],
)
async def test_a_recall_makes_the_date_earlier_and_never_later_and_tells_the_user(world, asked, due):
    await world.lent()
    answer = await world.well(say.recall("X-1", asked))
    assert answer.text("RecallItemResponse/DateDue") == due
    assert (world.due(), world.status(), world.notices()) == (due, "recalled-by-partner", ["recalled"])
    assert written(world.request().due_at) == due, "the lender's date moves with it"
    await world.well(say.cancel_recall("X-1"))
    assert (world.due(), written(world.request().due_at)) == (IN_FEBRUARY, IN_FEBRUARY)


async def test_a_recall_leaves_each_of_the_two_dates_the_earlier_one(world):
    """The user's date is earlier than the lender asks for already; the lender's own is not."""
    await world.here()
    await world.desk("check-out", barcode="X-1", user=USER, due_date="2026-01-15")
    users = world.due()
    await world.well(say.recall("X-1", "2026-01-20T22:59:59Z"))
    assert (world.due(), written(world.request().due_at)) == (users, "2026-01-20T22:59:59Z")


async def test_a_second_recall_changes_nothing(world):
    await world.lent()
    await world.well(say.recall("X-1", "2026-01-20T22:59:59Z"))
    world.clock.pass_days(1)
    again = await world.well(say.recall("X-1", "2026-01-10T22:59:59Z"))
    assert again.text("RecallItemResponse/DateDue") == "2026-01-20T22:59:59Z"
    assert (world.notices(), world.world.count("recall")) == (["recalled"], 1)


async def test_a_recall_before_pickup_sends_the_item_back(world):
    await world.here()
    answer = await world.well(say.recall("X-1"))
    assert not answer.has("RecallItemResponse/DateDue")
    assert (world.status(), world.holds(), world.item().status, world.tasks()) == (
        "recalled-by-partner",
        [HoldState.CANCELLED],
        "returned",
        ["return-to-partner"],
    )
    await world.well(say.recall("X-1"))
    assert (world.tasks(), world.notices()[-1]) == (["return-to-partner"], "recalled")
    with pytest.raises(DeskError):
        await world.desk("check-out", barcode="X-1", user=USER)
    await world.well(say.check_in("X-1"))
    assert world.status() == "request-completed"


async def test_each_volume_is_recalled_for_itself(world):
    await world.lent("R-1", "X-1")
    await world.lent("R-1", "X-2")
    for item in ("X-1", "X-2"):
        await world.well(say.recall(item, "2026-01-20T22:59:59Z"))
        assert world.due(item) == "2026-01-20T22:59:59Z"


async def test_an_item_can_be_recalled_again_after_the_lender_had_renewed_it(world):
    """A renewal ends a recall; the next recall is a new one."""
    await world.lent()
    await world.well(say.recall("X-1", "2026-01-20T22:59:59Z"))
    await world.well(say.renew("X-1", IN_MARCH))
    assert (world.status(), world.due(), world.loan().recalled_at) == ("renewed-by-partner", IN_MARCH, None)
    await world.well(say.recall("X-1", IN_FEBRUARY))
    assert (world.status(), world.due()) == ("recalled-by-partner", IN_FEBRUARY)


async def test_nothing_is_recalled_that_is_not_here(world):
    assert (await world.send(say.recall("NEVER"))).problem == "Unknown Item"
    assert (await world.send(say.recall("B1"))).problem == "Item Cannot Be Recalled"
    await world.lent()
    await world.well(say.check_in("X-1"))
    assert (await world.send(say.recall("X-1"))).problem == "Item Not Checked Out"


# ---------------------------------------------------------------------------------------------- facts and wishes


async def test_a_mandated_wish_is_a_fact(world):
    """What has happened already cannot be refused by policy: a block does not undo it."""
    await world.well(say.request_item("R-1", user="BORROW-BLOCKED", title="OCLC-9", happened="2026-01-04T09:00:00Z"))
    assert world.status() == "created-borrowing-request"


async def test_a_mandated_renewal_is_a_fact(world):
    await world.well(say.check_out("B1", "R-1", due=IN_FEBRUARY), "STRICT")
    assert (await world.send(say.renew("B1", IN_MARCH), "STRICT")).problem == "Maximum Renewals Exceeded"
    await world.well(say.renew("B1", IN_MARCH, happened="2026-01-04T09:00:00Z"), "STRICT")
    assert world.due("B1") == IN_MARCH


async def test_a_shipment_that_happened_before_the_return_undoes_nothing(world):
    """It was told offline, and came after the check-in that followed it."""
    await world.well(say.check_out("B1", "R-1"))
    world.clock.pass_days(3)
    await world.well(say.check_in("B1"))
    world.clock.pass_days(1)
    await world.well(say.check_out("B1", "R-1", happened="2026-01-05T09:00:00Z"))
    assert (world.item("B1").status, world.world.count("loan")) == ("available", 1)
    await world.well(say.check_out("B1", "R-1", happened="2026-01-09T08:59:00Z"))
    assert (world.item("B1").status, world.world.count("loan")) == ("on-loan", 2)
