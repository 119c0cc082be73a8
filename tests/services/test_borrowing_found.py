"""The borrowing side: what the broker's scenarios found."""

from __future__ import annotations

from typing import Any

import pytest

from ncipd.circulation.errors import DeskError
from tests.circulation import messages as say
from tests.circulation.messages import IN_FEBRUARY, IN_MARCH
from tests.services.test_borrowing import Borrower
from tests.services.world import World

USER, OTHER = "BORROW-USER-1", "BORROW-USER-2"


@pytest.fixture
def here(world: World) -> Any:
    """The world as the borrowing library sees it."""
    return Borrower(world)


# ---------------------------------------------------------------------------------------------- the lender's approval


async def test_an_approval_told_twice_in_different_ways_is_one_renewal(here: Any) -> None:
    """ItemRenewed, then RenewItem, then ItemRenewed with another content: one event, one count, one notice."""
    await here.lent()
    await here.well(say.renewed("X-1", IN_MARCH))
    await here.well(say.renew("X-1", IN_MARCH))
    here.clock.pass_days(1)
    answer = await here.well(say.renew("X-1", IN_MARCH, user=USER))
    assert answer.text("RenewItemResponse/DateDue") == IN_MARCH
    assert (here.loan().renewals, here.notices().count("renewed")) == (1, 1)


async def test_an_approval_of_the_date_that_is_so_is_no_renewal(here: Any) -> None:
    await here.lent()
    await here.well(say.renew("X-1", IN_FEBRUARY))
    assert (here.status(), here.loan().renewals) == ("loaned-item-to-patron", 0)


async def test_the_lender_gives_back_the_date_that_its_recall_took(here: Any) -> None:
    """The same date as before the recall is news after it, by either message."""
    for tell in (say.renewed, say.renew):
        request = f"R-{tell.__name__}"
        await here.lent(request, request)
        await here.well(say.recall(request, "2026-01-12T22:59:59Z"))
        assert here.due(request) == "2026-01-12T22:59:59Z"
        await here.well(tell(request, IN_FEBRUARY))
        assert (here.due(request), here.status(request)) == (IN_FEBRUARY, "renewed-by-partner")


# ---------------------------------------------------------------------------------------------- out, in and out again


async def test_the_same_bytes_after_another_round_are_another_effect(here: Any) -> None:
    """The answer stored for the first check-in says nothing about the item that came after it."""
    for _ in range(3):
        await here.lent("R-1", "X-1")
        await here.well(say.check_in("X-1"))
        assert (here.status(), here.item().live) == ("request-completed", 0)
    assert here.world.count("request") == 3


async def test_a_round_under_another_request_outdates_the_answer_too(here: Any) -> None:
    for request in ("R-1", "R-2"):
        await here.lent(request, "X-1")
        await here.well(say.check_in("X-1"))
        assert here.status(request) == "request-completed"


async def test_cancelling_again_what_was_asked_for_again_is_another_effect(here: Any) -> None:
    for _ in range(2):
        await here.well(say.request_item("R-1", user=USER, title="OCLC-9"))
        assert here.status() == "created-borrowing-request"
        await here.well(say.cancel("R-1", user=USER))
        assert here.status() == "cancelled"


# ---------------------------------------------------------------------------------------------- what comes unexpectedly


async def test_staff_hear_of_an_item_whose_request_was_cancelled(here: Any) -> None:
    await here.well(say.request_item("R-1", user=USER, title="OCLC-9"))
    await here.desk("cancel", request="R-1")
    await here.well(say.accept("R-1", item="X-1", user=USER))
    assert (here.status(), sorted(here.tasks())) == ("physically-received-by-library", ["review", "shelve-hold"])


async def test_staff_do_not_hear_of_an_item_that_merely_comes_again(here: Any) -> None:
    await here.lent()
    await here.well(say.check_in("X-1"))
    await here.well(say.accept("R-1", item="X-1", user=USER))
    assert here.tasks() == ["shelve-hold"]


# ---------------------------------------------------------------------------------------------- the receiving form


async def test_the_form_completes_what_accept_item_left_out(here: Any) -> None:
    """Title and author as staff read them, the pickup library, the lender's date; what it leaves out stays."""
    await here.well(say.accept("R-1", item="X-1", user=USER), "DESK")
    done = await here.desk(
        "receive", request="R-1", barcode="LOCAL-1", title="Moby Dick", due_date=IN_MARCH, pickup_library="LAW"
    )
    record = here.ask(lambda circ: circ.record(circ.item_by_barcode("LOCAL-1").record_id))
    assert (record.title, record.author) == ("Moby Dick", "")
    assert (done.instruction, here.item("LOCAL-1").status) == ("send to pickup library", "in-transit")
    await here.desk("check-out", barcode="LOCAL-1", user=USER)
    assert here.due("LOCAL-1") == IN_MARCH


async def test_the_form_does_not_blank_what_accept_item_said(here: Any) -> None:
    await here.well(say.accept("R-1", item="X-1", user=USER, title="Moby Dick", return_by=IN_MARCH), "DESK")
    await here.desk("receive", barcode="X-1", author="Melville")
    record = here.ask(lambda circ: circ.record(circ.item_by_barcode("X-1").record_id))
    assert (record.title, record.author) == ("Moby Dick", "Melville")
    await here.desk("check-out", barcode="X-1", user=USER)
    assert here.due("X-1") == IN_MARCH


async def test_a_scan_that_nothing_expects_is_told_what_is_missing(here: Any) -> None:
    with pytest.raises(DeskError) as refused:
        await here.desk("receive", barcode="NOBODYS")
    assert refused.value.code == "request-needed"


async def test_an_item_of_another_request_is_not_received_for_the_one_that_was_named(here: Any) -> None:
    """Two parcels on the desk and the wrong one scanned: neither request moves."""
    await here.well(say.accept("R-1", item="X-1", user=USER), "DESK")
    await here.well(say.request_item("R-2", user=OTHER, title="OCLC-9"), "DESK")
    with pytest.raises(DeskError, match="R-1") as refused:
        await here.desk("receive", request="R-2", barcode="X-1")
    assert refused.value.code == "for-another-request"
    assert (here.status("R-1"), here.status("R-2")) == ("shipped-physically", "created-borrowing-request")


async def test_of_two_expected_items_of_one_number_the_named_request_gets_its_own(here: Any) -> None:
    await here.well(say.accept("R-1", item="X-1", user=USER), "DESK")
    await here.well(say.accept("R-2", item="X-1", user=OTHER), "DESK")
    with pytest.raises(DeskError) as refused:
        await here.desk("receive", barcode="X-1")
    assert refused.value.code == "item-ambiguous"
    done = await here.desk("receive", request="R-2", barcode="X-1")
    assert (done.request.identifier, here.status("R-2"), here.status("R-1")) == (
        "R-2",
        "physically-received-by-library",
        "shipped-physically",
    )
    assert (await here.desk("receive", barcode="X-1")).request.identifier == "R-1"


async def test_of_two_volumes_the_one_that_was_scanned_is_received(here: Any) -> None:
    for volume in ("X-1", "X-2"):
        await here.well(say.accept("R-1", item=volume, user=USER), "DESK")
    await here.desk("receive", request="R-1", barcode="X-2")
    assert (here.item("X-1").status, here.item("X-2").status) == ("expected", "received")
