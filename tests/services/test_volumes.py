"""Requests that name several items, and items that several wait for: what is kept for one is nobody else's."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from ncipd.circulation.errors import DeskError
from tests.services import loans as say
from tests.services.loans import U1, U2, notices, well
from tests.services.test_lending import check_in, check_out
from tests.services.world import World, fill, item_id, make_world, request_id, user_id


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    made = make_world(tmp_path / "data", say.PARTNERS)
    await fill(made)
    yield made
    await made.store.close()


def wish(request: str, *items: str, user: str = "-", kind: str = "Hold") -> str:
    named = "".join(map(item_id, items))
    return (
        f"<RequestItem>{user_id(user)}{named}{request_id(request)}<RequestType>{kind}</RequestType>"
        "<RequestScopeType>Item</RequestScopeType></RequestItem>"
    )


def cancel(request: str, user: str = "-") -> str:
    return f"<CancelRequestItem>{user_id(user)}{request_id(request)}<RequestType>Hold</RequestType></CancelRequestItem>"


# ---------------------------------------------------------------------------------------------- several volumes


async def test_each_volume_is_fetched_and_sent_by_itself(world: World) -> None:
    await well(world, wish("R-1", "L1", "L2"), "BROKER")
    assert world.tasks() == ["pick", "pick"]
    await world.desk("scan-at-shelf", barcode="L1")
    assert sorted(world.tasks()) == ["pick", "ship"]
    await world.desk("ship", barcode="L1")
    assert (world.tasks(), world.item_status("L2")) == (["pick"], "requested")
    await world.desk("scan-at-shelf", barcode="L2")
    assert world.tasks() == ["ship"]
    await well(world, check_out("L2", "R-1"), "BROKER")
    assert world.tasks() == []
    await well(world, check_in("L1"), "BROKER")
    await well(world, check_in("L2"), "BROKER")
    assert world.status("R-1") == "request-completed"


@pytest.mark.parametrize("items", [("L1", "L2"), ("L2", "L1")])
async def test_one_volume_is_sent_while_the_request_waits_for_the_other(world: World, items: tuple[str, str]) -> None:
    """Whichever is named first: the copy that is here is fetched, and the other one when it comes back."""
    await well(world, check_out("L1", "R-0"), "OTHER")
    await well(world, wish("R-1", *items), "BROKER")
    assert (world.status("R-1"), world.item_status("L2"), world.tasks()) == ("being-processed", "requested", ["pick"])
    await well(world, check_out("L2", "R-1"), "BROKER")
    await well(world, check_in("L1"), "OTHER")
    assert (world.item_status("L1"), world.tasks()) == ("requested", ["pick"])
    await well(world, check_out("L1", "R-1"), "BROKER")
    assert world.count("request") == 2


@pytest.mark.parametrize("items", [("L1", "L2"), ("L2", "L1")])
async def test_a_cancelled_request_lets_go_of_what_was_kept_for_it_and_of_nothing_else(
    world: World, items: tuple[str, str]
) -> None:
    await well(world, wish("R-0", "L1"), "OTHER")
    await well(world, wish("R-1", *items), "BROKER")
    assert world.item_status("L2") == "requested"
    await well(world, cancel("R-1"), "BROKER")
    assert (world.item_status("L1"), world.item_status("L2")) == ("requested", "available")
    assert (world.status("R-0"), world.status("R-1"), world.tasks()) == ("being-processed", "cancelled", ["pick"])
    await world.desk("ship", barcode="L1")
    assert world.status("R-0") == "shipped-physically"


async def test_a_volume_that_goes_out_otherwise_is_waited_for_and_the_others_are_kept(world: World) -> None:
    await well(world, wish("R-1", "L1", "L2"), "BROKER")
    await well(world, say.lend("L1"))
    assert (world.status("R-1"), world.item_status("L2"), world.tasks()) == ("being-processed", "requested", ["pick"])
    await well(world, say.bring_back("L1"))
    assert (world.item_status("L1"), world.tasks()) == ("requested", ["pick", "pick"])


async def test_a_check_out_taken_back_leaves_the_other_volume_set_aside(world: World) -> None:
    await well(world, say.lend("L1"))
    await well(world, wish("R-1", "L1", "L2"), "BROKER")
    await well(world, say.undo("L1"))
    assert [world.item_status(item) for item in ("L1", "L2")] == ["requested", "requested"]
    await well(world, say.lend("L1", U2))
    await world.desk("scan-in", barcode="L1")
    await well(world, check_out("L1", "R-1"), "BROKER")
    await well(world, say.undo("L1", request="R-1"), "BROKER")
    assert world.status("R-1") == "being-processed"
    assert [world.item_status(item) for item in ("L1", "L2")] == ["requested", "requested"]


async def test_another_copy_takes_the_place_of_its_own_volume_only(world: World) -> None:
    await well(world, wish("R-1", "L1", "L20"), "BROKER")
    await well(world, check_out("L20b", "R-1"), "BROKER")
    assert [world.item_status(item) for item in ("L1", "L20", "L20b")] == ["requested", "available", "on-loan"]


async def test_a_partner_that_does_not_wait_is_refused_for_any_volume(tmp_path: Path) -> None:
    partners = (*say.PARTNERS[:-1], say.Partner(code="NOW", agency="LEND", refuse_unavailable=True))
    world = make_world(tmp_path / "data", partners)
    await fill(world)
    await well(world, say.lend("L1"))
    answer = await world.send(wish("R-1", "L2", "L1"), partner="NOW")
    assert answer.problem == "Item Not Available By Need Before Date"
    assert answer.text("Problem/ProblemValue") == "L1"
    assert (world.item_status("L2"), world.count("request")) == ("available", 0)
    await world.store.close()


async def test_a_scan_for_one_request_is_not_done_by_fetching_the_item_for_another(world: World) -> None:
    await well(world, wish("R-1", "L1", kind="Digital"), "BROKER")
    await well(world, wish("R-2", "L1"), "OTHER")
    await world.desk("scan-at-shelf", barcode="L1", request="R-2")
    assert sorted(world.tasks()) == ["pick", "ship"]
    await well(world, cancel("R-2"), "OTHER")
    assert sorted(world.tasks()) == ["pick", "reshelve"]
    await well(world, check_out("L1", "R-1"), "BROKER")
    assert world.tasks() == ["reshelve"]


async def test_every_volume_of_a_digital_request_is_to_be_scanned(world: World) -> None:
    await well(world, wish("R-1", "L1", "L2", kind="Digital"), "BROKER")
    assert world.tasks() == ["pick", "pick"]
    await well(world, check_out("L1", "R-1"), "BROKER")
    assert (world.tasks(), world.item_status("L2")) == ([], "available")


# ---------------------------------------------------------------------------------------------- several who wait


async def test_a_hold_that_is_cancelled_gives_up_nothing_that_is_kept_for_another_library(world: World) -> None:
    await well(world, wish("R-1", "L1"), "BROKER")
    await well(world, wish("H-1", "L1", user=U1), "DISCOVERY")
    await well(world, cancel("H-1", U1), "DISCOVERY")
    assert (world.item_status("L1"), world.status("R-1"), world.tasks()) == ("requested", "being-processed", ["pick"])


async def test_a_hold_that_is_cancelled_gives_up_nothing_that_stands_ready_for_another_user(world: World) -> None:
    await well(world, wish("H-1", "L1", user=U1), "DISCOVERY")
    await world.desk("hold-shelf", barcode="L1")
    await well(world, wish("H-2", "L1", user=U2), "DISCOVERY")
    await well(world, cancel("H-2", U2), "DISCOVERY")
    assert world.item_status("L1") == "on-hold-shelf"
    assert (await world.desk("check-out", barcode="L1", user=U1)).loan is not None


async def test_the_next_user_is_told_only_once_the_item_has_been_fetched(world: World) -> None:
    await well(world, wish("H-1", "L1", user=U1), "DISCOVERY")
    await well(world, wish("H-2", "L1", user=U2), "DISCOVERY")
    await well(world, cancel("H-1", U1), "DISCOVERY")
    assert (world.item_status("L1"), world.tasks(), notices(world, U2)) == ("requested", ["pick"], [])
    await world.desk("hold-shelf", barcode="L1")
    assert notices(world, U2) == ["available for pickup"]


async def test_an_item_whose_hold_is_cancelled_on_the_hold_shelf_is_put_back(world: World) -> None:
    await well(world, wish("H-1", "L1", user=U1), "DISCOVERY")
    await world.desk("hold-shelf", barcode="L1")
    await well(world, cancel("H-1", U1), "DISCOVERY")
    assert (world.item_status("L1"), world.tasks()) == ("available", ["reshelve"])


async def test_what_is_not_kept_for_a_request_is_not_picked_for_it(world: World) -> None:
    await well(world, wish("R-1", "L1"), "BROKER")
    await well(world, wish("R-2", "L2", "L1"), "OTHER")
    with pytest.raises(DeskError, match="requested"):
        await world.desk("scan-at-shelf", barcode="L1", request="R-2")
    done = await world.desk("scan-at-shelf", barcode="L1")
    assert done.request is not None
    assert done.request.identifier == "R-1"
