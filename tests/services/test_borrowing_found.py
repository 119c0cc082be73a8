"""The borrowing side: what the broker's scenarios found."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from ncipd.circulation.errors import DeskError
from ncipd.circulation.outcomes import settle
from ncipd.circulation.partner import Partner
from ncipd.ncip.elements import ItemId
from ncipd.ncip.messages import RenewItemResponse
from tests.circulation import messages as say
from tests.circulation.messages import IN_FEBRUARY, IN_MARCH
from tests.services.borrowers import Borrower
from tests.services.world import World, fill, make_world

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


async def test_an_answers_date_without_zone_is_the_partners(tmp_path: Path) -> None:
    """The partner writes the dates of its answers as it writes those of its messages."""
    world = make_world(tmp_path / "data", (Partner(code="BROKER", agency="BORROW", url="x", time_zone="Asia/Tokyo"),))
    await fill(world)
    far = Borrower(world)
    await far.lent()
    await far.desk("renew", barcode="X-1")
    answer = RenewItemResponse(item_id=ItemId(item_identifier_value="X-1"), date_due=datetime(2026, 3, 1, 21, 0, 0))
    request, loan = far.request().id, far.loan().id
    await world.store.transact(
        lambda tx: settle(world.unit(tx, "BORROW"), "RenewItem", request, loan, answer, ()),
    )
    assert far.due() == "2026-03-01T12:00:00Z"
    await world.store.close()


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


# ---------------------------------------------------------------------------------------------- two items of one number


async def two_alike(here: Any) -> None:
    """Have two items of the same number come from two lenders, for two users, both lent."""
    await here.lent("R-1", "X-1")
    await here.well(say.accept("R-2", item="X-1", user=OTHER, action="Circulate", return_by=IN_FEBRUARY))


@pytest.mark.parametrize(
    "message",
    [
        say.recall("X-1"),
        say.check_in("X-1"),
        say.renew("X-1", IN_MARCH),
        say.renewed("X-1", IN_MARCH),
        say.status_updated("X-1", "Item Overdue"),
    ],
)
async def test_a_number_that_two_items_have_is_no_name_for_either(here: Any, message: str) -> None:
    """Nobody's item is recalled, renewed or withdrawn by guess."""
    await two_alike(here)
    assert (await here.send(message)).problem == "Needed Data Missing"
    assert (here.status("R-1"), here.status("R-2")) == ("loaned-item-to-patron", "loaned-item-to-patron")


async def test_the_user_tells_which_of_two_items_is_renewed(here: Any) -> None:
    await two_alike(here)
    await here.well(say.renew("X-1", IN_MARCH, user=USER))
    assert (here.status("R-1"), here.status("R-2")) == ("renewed-by-partner", "loaned-item-to-patron")


async def test_the_barcode_that_was_given_tells_too(here: Any) -> None:
    await two_alike(here)
    given = here.ask(lambda circ: circ.temporary_items("BROKER", "X-1"))[0].barcode
    await here.well(say.recall(given, "2026-01-12T22:59:59Z"))
    assert (here.status("R-1"), here.status("R-2")) == ("loaned-item-to-patron", "recalled-by-partner")


async def test_once_one_of_two_is_back_the_number_means_the_other(here: Any) -> None:
    await two_alike(here)
    await here.well(say.check_in("X-1", "R-1"))
    await here.well(say.recall("X-1", "2026-01-12T22:59:59Z"))
    assert (here.status("R-1"), here.status("R-2")) == ("request-completed", "recalled-by-partner")


# ---------------------------------------------------------------------------------------------- two ways to one fact


async def test_a_loan_made_before_the_lenders_date_was_known_is_shortened_to_it(here: Any) -> None:
    """The desk received and lent it, then AcceptItem came: the user hears of the earlier date."""
    await here.well(say.request_item("R-1", user=USER, title="OCLC-9"))
    await here.desk("receive", request="R-1", barcode="LOCAL-1")
    await here.desk("check-out", barcode="LOCAL-1", user=USER)
    await here.well(say.accept("R-1", item="X-1", user=USER, return_by="2026-01-12T22:59:59Z"))
    assert (here.due("LOCAL-1"), here.loan("LOCAL-1").renewals) == ("2026-01-12T22:59:59Z", 0)
    assert here.notices() == ["due earlier"]


async def test_a_loan_within_the_lenders_date_stays_as_the_user_was_told(here: Any) -> None:
    await here.well(say.request_item("R-1", user=USER, title="OCLC-9"))
    await here.desk("receive", request="R-1", barcode="LOCAL-1")
    await here.desk("check-out", barcode="LOCAL-1", user=USER, due_date="2026-01-12T22:59:59Z")
    await here.well(say.accept("R-1", item="X-1", user=USER, return_by=IN_MARCH))
    assert (here.due("LOCAL-1"), here.notices()) == ("2026-01-12T22:59:59Z", [])


async def test_what_must_be_returned_is_an_item_even_where_a_copy_was_asked_for(here: Any) -> None:
    """It is in the building, so the desk must be able to scan it."""
    await here.well(say.request_item("R-1", user=USER, title="OCLC-9", kind="Digital"))
    await here.well(say.accept("R-1", item="X-1", user=USER, return_by=IN_MARCH))
    assert (here.status(), here.item().live) == ("physically-received-by-library", 1)
    await here.desk("check-out", barcode="X-1", user=USER)
    assert here.due() == IN_MARCH


async def test_an_item_that_comes_after_its_copy_is_an_item(here: Any) -> None:
    await here.well(say.accept("R-1", item="X-1", user=USER, final=True))
    await here.well(say.accept("R-1", item="X-1", user=USER, return_by=IN_MARCH))
    assert (here.status(), here.item().live) == ("physically-received-by-library", 1)
