"""What is set aside for one is nobody else's, and what has left is to be had for nobody, however it is told."""

from __future__ import annotations

import pytest

from ncipd.circulation.errors import DeskError
from ncipd.circulation.partner import OpenLoan, Partner, PartnerRole
from tests.circulation import messages as say
from tests.circulation.messages import IN_MARCH
from tests.services.world import fill, make_world

USER, OTHER = "LEND-USER-1", "LEND-USER-2"
PARTNERS = (
    Partner(code="BROKER", agency="LEND", url="http://broker.invalid/ncip"),
    Partner(code="CLOSES", agency="LEND", open_loan=OpenLoan.CLOSE_OWN),
    Partner(code="OPAC", agency="LEND", role=PartnerRole.DISCOVERY),
)


@pytest.fixture
async def world(tmp_path):
    made = make_world(tmp_path / "data", PARTNERS)
    await fill(made)
    yield made
    await made.store.close()


async def well(world, content, partner="BROKER"):
    answer = await world.send(content, partner=partner)
    assert answer.problem is None, answer
    return answer


async def waits_behind(world, kind="Hold"):
    """L1 is set aside for R-1, and R-2 wants it too."""
    await well(world, say.request_item("R-1", item="L1"))
    await well(world, say.request_item("R-2", item="L1", kind=kind))
    assert (world.status("R-1"), world.status("R-2")) == ("being-processed", "created-lending-request")


# ---------------------------------------------------------------------------------------------- two requests, one item


@pytest.mark.parametrize("kind", ["Hold", "Digital"])
async def test_cancelling_the_request_that_waits_leaves_the_item_with_the_one_that_has_it(world, kind):
    await waits_behind(world, kind)
    await well(world, say.cancel("R-2"))
    assert (world.status("R-1"), world.item_status("L1"), world.tasks()) == ("being-processed", "requested", ["pick"])


async def test_supplying_a_copy_leaves_the_volume_with_the_request_that_has_it(world):
    await waits_behind(world, "Digital")
    assert world.tasks() == ["pick", "pick"]
    await well(world, say.check_out("L1", "R-2"))
    assert (world.status("R-2"), world.item_status("L1"), world.tasks()) == ("request-completed", "requested", ["pick"])


async def test_cancelling_the_request_that_has_the_item_gives_it_to_the_one_that_waits(world):
    await waits_behind(world)
    await well(world, say.cancel("R-1"))
    assert (world.status("R-2"), world.item_status("L1"), world.tasks()) == ("being-processed", "requested", ["pick"])


async def test_the_shelf_and_the_shipping_desk_serve_the_request_that_has_the_item(world):
    """Not the newest that wants it."""
    await waits_behind(world)
    picked = await world.desk("scan-at-shelf", barcode="L1")
    assert picked.request.identifier == "R-1"
    shipped = await world.desk("ship", barcode="L1")
    assert shipped.request.identifier == "R-1"
    assert (world.status("R-1"), world.status("R-2")) == ("shipped-physically", "created-lending-request")


async def test_a_copy_to_be_made_does_not_keep_the_volume_from_being_shipped(world):
    """The digital request came last; the desk ships the volume all the same."""
    await waits_behind(world, "Digital")
    assert (await world.desk("ship", barcode="L1")).request.identifier == "R-1"
    assert world.tasks() == ["pick"], "the copy is still to be made"


async def test_a_request_filled_with_another_copy_leaves_the_one_that_it_waited_for_where_it_is(world):
    """L20 is out for R-1; R-2 waits for it and gets L20b."""
    await well(world, say.check_out("L20", "R-1"))
    await well(world, say.request_item("R-2", item="L20"))
    await well(world, say.check_out("L20b", "R-2"))
    assert (world.item_status("L20"), world.item_status("L20b")) == ("on-loan", "on-loan")
    await well(world, say.check_in("L20"))
    assert (world.status("R-1"), world.item_status("L20"), world.tasks()) == ("request-completed", "available", [])


async def test_an_older_loan_that_is_closed_does_not_leave_its_request_open(world):
    """The item goes from one request to the next without touching the shelf."""
    await well(world, say.check_out("L1", "R-1"), "CLOSES")
    await well(world, say.check_out("L1", "R-2"), "CLOSES")
    assert (world.status("R-1"), world.status("R-2"), world.item_status("L1")) == (
        "request-completed",
        "shipped-physically",
        "on-loan",
    )


# ---------------------------------------------------------------------------------------------- readers and requests


async def test_an_item_lent_over_the_counter_is_not_on_the_pick_list_and_its_request_waits(world):
    await well(world, say.request_item("R-1", item="L1"))
    await world.desk("scan-at-shelf", barcode="L1")
    await world.desk("check-out", barcode="L1", user=USER)
    assert (world.status("R-1"), world.item_status("L1"), world.tasks()) == ("created-lending-request", "on-loan", [])
    await world.desk("return", barcode="L1")
    assert (world.status("R-1"), world.item_status("L1"), world.tasks()) == ("being-processed", "requested", ["pick"])


async def test_an_item_set_aside_for_a_request_does_not_go_on_the_hold_shelf(world):
    await well(world, say.request_item("R-1", item="L1"))
    await world.desk("request", user=USER, barcode="L1")
    with pytest.raises(DeskError) as refused:
        await world.desk("hold-shelf", barcode="L1")
    assert refused.value.code == "set-aside"
    await well(world, say.cancel("R-1"))
    assert (world.item_status("L1"), world.tasks()) == ("requested", ["pick"]), "now it is fetched for the user"
    await world.desk("hold-shelf", barcode="L1")
    assert (world.item_status("L1"), world.tasks()) == ("on-hold-shelf", [])


async def test_an_item_that_stands_on_its_shelf_is_fetched_before_a_user_is_told(world):
    """A cancelled request gives it up unpicked: it is in the stacks, not on the hold shelf."""
    await well(world, say.request_item("R-1", item="L1"))
    await world.desk("request", user=USER, barcode="L1")
    await well(world, say.cancel("R-1"))
    user = world.ask(lambda circ: circ.users(USER)[0].id)
    notices = lambda: world.ask(lambda circ: circ.tx.all("notices_of_user", user=user))  # noqa: E731
    assert notices() == []
    await world.desk("hold-shelf", barcode="L1")
    assert len(notices()) == 1


@pytest.mark.parametrize("said", ["NeverBorrowed", "Missing"])
async def test_an_item_that_its_borrower_denies_is_still_out(world, said):
    await well(world, say.check_out("L1", "R-1"))
    await well(world, say.report("L1", said))
    await world.desk("request", user=USER, barcode="L1")
    with pytest.raises(DeskError) as refused:
        await world.desk("hold-shelf", barcode="L1")
    assert refused.value.code == "on-loan"


# ---------------------------------------------------------------------------------------------- another copy


@pytest.mark.parametrize("where", ["on loan", "wanted by a user"])
async def test_only_a_free_copy_is_taken_instead_of_the_one_that_was_listed(world, where):
    if where == "on loan":
        await world.desk("check-out", barcode="L20b", user=USER)
    else:
        await world.desk("request", barcode="L20b", user=USER)
    before = world.item_status("L20b")
    await well(world, say.request_item("R-1", item="L20"))
    for action in ("scan-at-shelf", "locate"):
        with pytest.raises(DeskError) as refused:
            await world.desk(action, barcode="L20b", request="R-1")
        assert refused.value.code == "not-available"
    assert (world.item_status("L20"), world.item_status("L20b")) == ("requested", before)


async def test_the_first_copy_can_be_taken_again_after_another_was_named(world):
    await well(world, say.request_item("R-1", item="L20"))
    await world.desk("locate", request="R-1", barcode="L20b")
    assert (world.item_status("L20"), world.item_status("L20b")) == ("available", "requested")
    await world.desk("check-out", barcode="L20b", user=USER)
    await world.desk("scan-at-shelf", barcode="L20", request="R-1")
    assert (world.item_status("L20"), world.item_status("L20b"), world.tasks()) == ("picked", "on-loan", ["ship"])


async def test_naming_the_volume_for_a_copy_leaves_it_on_its_shelf(world):
    """A digital request that could not be located: staff find the title, and nobody is kept from the volume."""
    await well(world, say.request_item("R-1", title="NOTHING", kind="Digital"))
    await world.desk("locate", request="R-1", barcode="L1")
    assert (world.status("R-1"), world.item_status("L1"), world.tasks()) == (
        "created-lending-request",
        "available",
        ["pick"],
    )
    await world.desk("ship", request="R-1", digital=True)
    assert (world.status("R-1"), world.item_status("L1"), world.tasks()) == ("request-completed", "available", [])


# ---------------------------------------------------------------------------------------------- loans


async def test_a_confirmed_shipment_does_not_give_back_what_a_recall_took(world):
    """The desk ships, a reader recalls, and only then the message comes with a later date."""
    await well(world, say.request_item("R-1", item="L1"))
    await world.desk("ship", barcode="L1")
    await world.desk("request", user=USER, barcode="L1")
    recalled = world.ask(lambda circ: circ.loan_of(circ.item_by_barcode("L1"))).due_at
    await well(world, say.check_out("L1", "R-1", due=IN_MARCH))
    assert world.ask(lambda circ: circ.loan_of(circ.item_by_barcode("L1"))).due_at == recalled


async def test_a_borrowed_item_with_one_user_is_not_lent_to_another(world):
    """Its request was meanwhile given to somebody else; the loan stands."""
    await well(world, say.accept("R-1", item="X-1", user=USER, action="Circulate"))
    await well(world, say.accept("R-1", item="X-2", user=OTHER))
    answer = await world.send(say.check_out("X-1", user=OTHER), partner="OPAC")
    assert answer.problem == "Item Already Checked Out"


async def test_a_volume_that_was_lost_and_found_ends_its_part_of_the_request(world):
    """The other volume comes back later, and the request is complete."""
    await well(world, say.check_out("L1", "R-1"))
    await well(world, say.report("L1", "Lost"))
    assert (world.status("R-1"), world.item_status("L1")) == ("lost", "lost")
    await well(world, say.check_out("L2", "R-1"))
    await world.desk("scan-in", barcode="L1")
    assert (world.status("R-1"), world.item_status("L1")) == ("shipped-physically", "available")
    await well(world, say.check_in("L2"))
    assert world.status("R-1") == "request-completed"


async def test_a_lost_volume_that_goes_out_again_was_found(world):
    await well(world, say.check_out("L1", "R-1"))
    await well(world, say.report("L1", "Lost"))
    await well(world, say.check_out("L1", "R-2"))
    assert (world.status("R-1"), world.status("R-2")) == ("request-completed", "shipped-physically")


async def test_a_borrowed_volume_that_is_lost_stays_with_its_request_until_the_lender_has_checked_it_in(world):
    """The other volume goes back; the lender was told of the loss, and its word ends the request."""
    for item in ("X-1", "X-2"):
        await well(world, say.accept("R-1", item=item, user=USER, action="Circulate"))
    await well(world, say.report("X-1", "Lost", user=USER), "OPAC")
    assert (world.item_status("X-1"), world.sent()) == ("lost", ["CirculationStatusChangeReported"])
    await well(world, say.check_in("X-2"))
    assert world.ask(lambda circ: circ.requests_called("BROKER", "R-1"))[0].open
    await well(world, say.check_in("X-1"))
    assert (world.status("R-1"), world.item_status("X-1")) == ("request-completed", "withdrawn")


async def test_a_volume_shipped_in_error_is_free_again_while_the_others_are_out(world):
    """Nothing stays set aside for a request that goes on with what it has."""
    await well(world, say.request_item("R-1", item="L20"))
    for item in ("L20", "L2"):
        await well(world, say.check_out(item, "R-1"))
    await well(world, say.undo("L20", "R-1"))
    assert (world.item_status("L20"), world.status("R-1"), world.tasks()) == ("available", "shipped-physically", [])
    await well(world, say.check_in("L2"))
    assert world.status("R-1") == "request-completed"
