"""RecallItem and CancelRecallItem, ItemRecalled and ItemRecallCancelled: what we lent, and what we borrowed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.services import loans as say
from tests.services.loans import ADDRESS, MAIL, READER, U1, U2, due, notices, refused, well
from tests.services.world import World, fill, item_id, make_world, request_id

ITEM = "RecallItem/ItemId/ItemIdentifierValue"
CANCELLED_ITEM = "CancelRecallItem/ItemId/ItemIdentifierValue"
LATER, SOONER = "2026-02-10T22:59:59Z", "2026-01-12T22:59:59Z"


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    made = make_world(tmp_path / "data", say.PARTNERS)
    await fill(made)
    yield made
    await made.store.close()


def told(item: str, date: str = SOONER, *, after: str = "") -> str:
    return f"<ItemRecalled>{item_id(item)}<DateDue>{date}</DateDue>{after}</ItemRecalled>"


def withdrawn(item: str, *, after: str = "") -> str:
    return f"<ItemRecallCancelled>{item_id(item)}{after}</ItemRecallCancelled>"


def recalls(world: World) -> list[tuple[str, str, bool]]:
    """List the recalls as (who asked, new date, whether it stands)."""
    found = say.rows(world, "SELECT asked_by, due_at, cancelled_at FROM recall ORDER BY id")
    return [(by, say.written(date), ended is None) for by, date, ended in found]


# ---------------------------------------------------------------------------------------------- our users' loans


async def test_a_loan_of_ours_is_recalled_from_its_user(world: World) -> None:
    await well(world, say.lend("L1", due=LATER))
    answer = await well(world, say.recall("L1", SOONER, after=say.STATUS_WANTED + say.NAME_WANTED))
    assert answer.text("RecallItemResponse/DateDue") == SOONER
    assert answer.has("UserOptionalFields/NameInformation")
    assert answer.text("ItemOptionalFields/CirculationStatus") == "Recalled"
    assert (await say.status(world, "L1"), due(world, "L1"), notices(world)) == ("Recalled", SOONER, ["recalled"])
    assert recalls(world) == [("ILS", SOONER, True)]


async def test_without_a_date_the_usual_time_is_left_and_never_more_than_there_was(world: World) -> None:
    await well(world, say.lend("L1", due=LATER))
    await well(world, say.recall("L1"), partner="DISCOVERY")
    assert due(world, "L1") == "2026-01-12T22:59:59Z"
    await well(world, say.lend("L2", due="2026-01-08T22:59:59Z"))
    await well(world, say.recall("L2", LATER))
    assert due(world, "L2") == "2026-01-08T22:59:59Z"


async def test_a_second_recall_changes_nothing(world: World) -> None:
    await well(world, say.lend("L1", due=LATER))
    await well(world, say.recall("L1", SOONER))
    world.clock.pass_days(1)
    await well(world, say.recall("L1", "2026-01-10T22:59:59Z"))
    assert (due(world, "L1"), len(recalls(world)), notices(world)) == (SOONER, 1, ["recalled"])


async def test_a_recall_is_withdrawn_and_the_old_date_holds_again(world: World) -> None:
    await well(world, say.lend("L1", due=LATER))
    await well(world, say.recall("L1", SOONER))
    answer = await well(world, say.cancel_recall("L1", after=say.STATUS_WANTED + say.NAME_WANTED))
    assert answer.has("UserOptionalFields/NameInformation")
    assert answer.text("ItemOptionalFields/CirculationStatus") == "On Loan"
    assert (due(world, "L1"), notices(world)) == (LATER, ["recalled", "recall withdrawn"])
    await well(world, say.renew("L1"))
    await well(world, say.recall("L1", SOONER))
    assert [stands for _, _, stands in recalls(world)] == [False, True]


async def test_a_withdrawal_told_again_changes_nothing(world: World) -> None:
    await well(world, say.lend("L1", due=LATER))
    await well(world, say.recall("L1", SOONER))
    for _ in range(2):
        await well(world, say.cancel_recall("L1"))
        world.clock.pass_days(1)
    assert (due(world, "L1"), notices(world)) == (LATER, ["recalled", "recall withdrawn"])


# ---------------------------------------------------------------------------------------------- what is with a partner


async def test_what_a_partner_has_is_recalled_there_and_may_be_kept_after_all(world: World) -> None:
    await well(world, say.lend("L1", "-", due=LATER, before=request_id("R-1")), partner="BROKER")
    answer = await well(world, say.recall("L1", SOONER))
    assert answer.text("RecallItemResponse/DateDue") == SOONER
    assert (world.status("R-1"), world.sent()) == ("recalled", ["RecallItem"])
    await well(world, say.cancel_recall("L1"))
    assert (world.status("R-1"), world.sent()) == ("shipped-physically", ["RecallItem", "CancelRecallItem"])
    assert due(world, "L1") == LATER


async def test_a_partner_without_an_address_is_told_by_hand(world: World) -> None:
    await well(world, say.lend("L1", "-", before=request_id("R-1")), partner="NOURL")
    await well(world, say.recall("L1"))
    assert world.tasks() == ["recall-by-hand"]
    await well(world, say.cancel_recall("L1"))
    assert world.tasks() == ["review"]


async def test_a_partner_whose_items_are_not_recalled(world: World) -> None:
    await well(world, say.lend("L1", "-"), partner="NORECALL")
    assert await refused(world, say.recall("L1")) == ("Item Cannot Be Recalled", ITEM)


async def test_of_several_copies_away_one_is_recalled_that_can_be(world: World) -> None:
    await well(world, say.lend("L20", "-"), partner="NORECALL")
    await well(world, say.lend("L20b", "-"), partner="BROKER")
    await world.desk("request", user=U1, record="REC-LEND-20")
    assert (world.sent(), say.loan(world, "L20").recalled_at) == (["RecallItem"], None)
    assert say.loan(world, "L20b").recalled_at is not None


async def test_what_is_on_its_way_back_is_not_recalled(world: World) -> None:
    await well(world, say.lend("L1", "-", before=request_id("R-1")), partner="PEER")
    date = "<DateShipped>2026-01-05T09:00:00Z</DateShipped>"
    back = f"<ItemShipped>{request_id('R-1')}{item_id('L1')}{date}{ADDRESS.format('')}</ItemShipped>"
    await well(world, back, partner="PEER")
    assert await refused(world, say.recall("L1")) == ("Item Cannot Be Recalled", ITEM)
    assert "way back" in (await world.desk("request", user=U1, barcode="L1")).message


async def test_a_recall_behind_which_a_user_waits_ends_with_the_hold(world: World) -> None:
    await well(world, say.lend("L1", "-"), partner="BROKER")
    await world.desk("request", user=U1, barcode="L1")
    found = await refused(world, say.cancel_recall("L1"))
    assert found == ("Recall Cannot Be Cancelled At This Time", CANCELLED_ITEM)


# ---------------------------------------------------------------------------------------------- what we borrowed


async def test_the_lender_recalls_and_withdraws(world: World) -> None:
    await well(world, say.accept("R-1", "X-1", due=LATER), partner="BROKER", to="BORROW")
    await well(world, say.recall("X-1", SOONER), partner="BROKER", to="BORROW")
    assert (world.status("R-1", "BORROW"), due(world, "X-1", "BORROW")) == ("recalled-by-partner", SOONER)
    await well(world, say.cancel_recall("X-1"), partner="BROKER", to="BORROW")
    assert (world.status("R-1", "BORROW"), due(world, "X-1", "BORROW")) == ("loaned-item-to-patron", LATER)
    assert notices(world, READER, "BORROW") == ["recalled", "recall withdrawn"]


async def test_recalled_before_it_was_fetched_it_goes_back_and_stays_recalled(world: World) -> None:
    await well(world, say.accept("R-1", "X-1", action="Hold For Pickup"), partner="BROKER", to="BORROW")
    await well(world, say.recall("X-1"), partner="BROKER", to="BORROW")
    found = await refused(world, say.cancel_recall("X-1"), partner="BROKER", to="BORROW")
    assert found == ("Recall Cannot Be Cancelled At This Time", CANCELLED_ITEM)
    assert world.tasks("borrowing", "BORROW") == ["return-to-partner"]


async def test_our_own_systems_do_not_recall_what_belongs_to_another_library(world: World) -> None:
    await well(world, say.accept("R-1", "X-1"), partner="BROKER", to="BORROW")
    assert (await refused(world, say.recall("X-1"), to="BORROW"))[0] == "Item Cannot Be Recalled"
    await well(world, say.recall("X-1"), partner="BROKER", to="BORROW")
    found = await refused(world, say.cancel_recall("X-1"), to="BORROW")
    assert found[0] == "Recall Cannot Be Cancelled At This Time"


# ---------------------------------------------------------------------------------------------- problems


async def test_recalling_what_is_unknown_elsewhere_not_out_or_said_to_be_gone(world: World) -> None:
    for partner in ("ILS", "BROKER"):
        assert await refused(world, say.recall("NONE"), partner=partner) == ("Unknown Item", ITEM)
        assert await refused(world, say.recall("B1"), partner=partner) == ("Unknown Item", ITEM)
    assert await refused(world, say.recall("L1")) == ("Item Not Checked Out", ITEM)
    await well(world, say.lend("L1"))
    assert await refused(world, say.recall("L1"), partner="BROKER") == ("Item Cannot Be Recalled", ITEM)
    await well(world, say.report("L1", "Returned"))
    assert await refused(world, say.recall("L1")) == ("Item Cannot Be Recalled", ITEM)
    await well(world, say.accept("R-1", "X-1"), partner="BROKER", to="BORROW")
    await well(world, say.bring_back("X-1"), partner="BROKER", to="BORROW")
    assert await refused(world, say.recall("X-1"), partner="BROKER", to="BORROW") == ("Item Not Checked Out", ITEM)


async def test_an_address_to_send_it_to_must_be_of_a_known_type(world: World) -> None:
    await well(world, say.lend("L1"))
    bad = await refused(world, say.recall("L1", after=MAIL.format("gopher")))
    assert bad == (
        "Unsupported Shipping Address Type",
        "RecallItem/ShippingInformation/ElectronicAddress/ElectronicAddressType",
    )
    await well(world, say.recall("L1", after=MAIL.format("mailto")))


async def test_withdrawing_what_is_unknown_not_out_not_recalled_or_back(world: World) -> None:
    cannot = ("Recall Cannot Be Cancelled At This Time", CANCELLED_ITEM)
    for partner in ("ILS", "BROKER"):
        assert await refused(world, say.cancel_recall("NONE"), partner=partner) == ("Unknown Item", CANCELLED_ITEM)
        assert await refused(world, say.cancel_recall("B1"), partner=partner) == ("Unknown Item", CANCELLED_ITEM)
    assert await refused(world, say.cancel_recall("L1")) == ("Item Not Checked Out", CANCELLED_ITEM)
    await well(world, say.lend("L1"))
    assert await refused(world, say.cancel_recall("L1")) == cannot
    await well(world, say.bring_back("L1"))
    assert await refused(world, say.cancel_recall("L1")) == ("Item Not Checked Out", CANCELLED_ITEM)
    await well(world, say.lend("L1", U2))
    await well(world, say.recall("L1"))
    assert await refused(world, say.cancel_recall("L1"), partner="BROKER") == cannot
    await well(world, say.bring_back("L1"))
    assert await refused(world, say.cancel_recall("L1")) == cannot


# ---------------------------------------------------------------------------------------------- told late


async def test_a_recall_that_has_happened_is_recorded_when_it_did(world: World) -> None:
    await well(world, say.lend("L1", due=LATER))
    world.clock.pass_days(2)
    await well(world, say.recall("L1", happened="2026-01-06T09:00:00Z"))
    assert due(world, "L1") == "2026-01-13T22:59:59Z"
    assert say.written(say.loan(world, "L1").recalled_at) == "2026-01-06T09:00:00Z"


async def test_a_recall_of_a_loan_that_is_over_recalls_nothing(world: World) -> None:
    await well(world, say.lend("L1"))
    world.clock.pass_days(2)
    await well(world, say.bring_back("L1"))
    await well(world, say.recall("L1", happened="2026-01-06T09:00:00Z"))
    await well(world, say.lend("L1", U2))
    await well(world, say.recall("L1", happened="2026-01-06T10:00:00Z"))
    assert (await say.status(world, "L1"), recalls(world)) == ("On Loan", [])
    await well(world, say.accept("R-1", "X-1"), partner="BROKER", to="BORROW")
    await well(world, say.bring_back("X-1"), partner="BROKER", to="BORROW")
    await well(world, say.recall("X-1", happened="2026-01-06T09:00:00Z"), partner="BROKER", to="BORROW")
    assert recalls(world) == []


# ---------------------------------------------------------------------------------------------- notifications


async def test_a_recall_by_the_lender_is_taken_up_once(world: World) -> None:
    await well(world, say.accept("R-1", "X-1", due=LATER), partner="BROKER", to="BORROW")
    for _ in range(2):
        answer = await well(world, told("X-1", after=ADDRESS.format("Postal Address")), partner="BROKER", to="BORROW")
        assert answer.kind == "ItemRecalledResponse"
        world.clock.pass_days(1)
    assert (await say.status(world, "X-1", "BROKER", "BORROW"), due(world, "X-1", "BORROW")) == ("Recalled", SOONER)
    assert notices(world, READER, "BORROW") == ["recalled"]
    await well(world, told("X-1", "2026-01-09T22:59:59Z"), partner="BROKER", to="BORROW")
    assert due(world, "X-1", "BORROW") == "2026-01-09T22:59:59Z"


async def test_its_withdrawal_is_taken_up_once(world: World) -> None:
    await well(world, say.accept("R-1", "X-1", due=LATER), partner="BROKER", to="BORROW")
    await well(world, withdrawn("X-1"), partner="BROKER", to="BORROW")
    await well(world, told("X-1"), partner="BROKER", to="BORROW")
    for _ in range(2):
        await well(world, withdrawn("X-1"), partner="BROKER", to="BORROW")
        world.clock.pass_days(1)
    assert (await say.status(world, "X-1", "BROKER", "BORROW"), due(world, "X-1", "BORROW")) == ("On Loan", LATER)
    assert notices(world, READER, "BORROW") == ["recalled", "recall withdrawn"]


async def test_our_own_system_tells_of_recalls_of_our_loans(world: World) -> None:
    await well(world, say.lend("L1", due=LATER))
    await well(world, told("L1", SOONER))
    assert (await say.status(world, "L1"), due(world, "L1")) == ("Recalled", SOONER)
    await well(world, told("L1", LATER))
    assert due(world, "L1") == SOONER
    await well(world, withdrawn("L1"))
    assert (await say.status(world, "L1"), due(world, "L1")) == ("On Loan", LATER)
    await well(world, told("L2"))
    await well(world, say.lend("L3", "-"), partner="BROKER")
    await well(world, told("L3"))
    assert world.sent() == ["RecallItem"]


async def test_a_recall_of_our_own_item_told_by_a_partner_is_no_news(world: World) -> None:
    await well(world, say.lend("L1", "-"), partner="BROKER")
    await well(world, told("L1"), partner="BROKER")
    assert await say.status(world, "L1") == "On Loan"


async def test_news_after_the_return_changes_nothing(world: World) -> None:
    await well(world, say.accept("R-1", "X-1"), partner="BROKER", to="BORROW")
    await well(world, say.bring_back("X-1"), partner="BROKER", to="BORROW")
    await well(world, told("X-1"), partner="BROKER", to="BORROW")
    assert (world.status("R-1", "BORROW"), recalls(world)) == ("request-completed", [])


@pytest.mark.parametrize("partner", ["BROKER", "ILS"])
@pytest.mark.parametrize("content", [told("NONE"), withdrawn("NONE"), told("B1"), withdrawn("B1")])
async def test_news_of_an_unknown_item_is_a_problem_and_a_task(world: World, content: str, partner: str) -> None:
    assert (await refused(world, content, partner=partner))[0] == "Unknown Item"
    assert world.tasks("borrowing") == ["review"]
