"""Partners tell times in whole seconds, and we know them to the microsecond: the same second is not before itself."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.services import loans as say
from tests.services.loans import READER, due, loan, loans, rows, well
from tests.services.test_lending import request_item
from tests.services.test_movements import received, shipped, wish
from tests.services.world import START, World, fill, make_world, request_id

NOW = "2026-01-05T09:00:00Z"  # the second in which all of it happens
THEN = "2026-01-05T09:00:01Z"


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    made = make_world(tmp_path / "data", say.PARTNERS)
    await fill(made)
    made.clock.moment = START + 300_000
    yield made
    await made.store.close()


def later(world: World, tenths: int) -> None:
    world.clock.moment += tenths * 100_000


async def test_a_check_in_of_the_second_in_which_the_item_was_lent_ends_the_loan(world: World) -> None:
    await well(world, say.lend("L1"))
    later(world, 2)
    await well(world, say.bring_back("L1", happened=NOW))
    assert rows(world, "SELECT returned_at FROM loan") == [(START + 500_000,)], "no later than now"


async def test_told_only_afterwards_it_is_of_the_end_of_its_second(world: World) -> None:
    await well(world, say.lend("L1"))
    later(world, 30)
    await well(world, say.bring_back("L1", happened=NOW))
    assert rows(world, "SELECT returned_at FROM loan") == [(START + 999_999,)]


@pytest.mark.parametrize("wait", [2, 30])
async def test_told_again_it_is_the_same(world: World, wait: int) -> None:
    await well(world, say.lend("L1", happened=NOW))
    later(world, 2)
    await well(world, say.bring_back("L1", happened=NOW))
    for _ in range(2):
        later(world, wait)
        world.clock.pass_days(1)
        await well(world, say.lend("L1", happened=NOW))
        await well(world, say.bring_back("L1", happened=NOW))
    assert loans(world, "L1") == [(NOW, NOW, "")]


async def test_a_renewal_told_again_is_one_renewal(world: World) -> None:
    await well(world, say.lend("L1"))
    await well(world, say.renew("L1", happened=NOW))
    once = due(world, "L1")
    for _ in range(2):
        world.clock.pass_days(1)
        await well(world, say.renew("L1", happened=NOW))
    assert (due(world, "L1"), loan(world, "L1").renewals) == (once, 1)


async def test_what_has_come_and_gone_in_one_second_is_back_with_its_lender(world: World) -> None:
    to_us = {"partner": "PEER", "to": "BORROW"}
    await well(world, wish(), **to_us)
    await well(world, shipped(item="X-1", at=NOW, by="Lender"), **to_us)
    await world.desk("receive", agency="BORROW", barcode="X-1")
    await world.desk("check-out", agency="BORROW", barcode="X-1", user=READER)
    await world.desk("return", agency="BORROW", barcode="X-1")
    later(world, 30)
    await well(world, received("X-1", at=NOW, by="Lender"), **to_us)
    assert world.status("R-1", "BORROW") == "request-completed"


@pytest.mark.parametrize("wait", [2, 30])
async def test_a_shipment_of_the_second_in_which_it_left_is_that_one(world: World, wait: int) -> None:
    """A broker speaks for both sides, without a marker: the state decides."""
    await world.send(request_item("L1", "R-1"))
    await world.desk("ship", barcode="L1")
    later(world, wait)
    await well(world, shipped(item="L1", at=NOW), "BROKER")
    assert world.status("R-1") == "shipped-physically"


async def test_once_it_has_arrived_it_comes_back(world: World) -> None:
    await world.send(request_item("L1", "R-1"))
    await world.desk("ship", barcode="L1")
    later(world, 2)
    await well(world, received("L1", at=NOW), "BROKER")
    await well(world, shipped(item="L1", at=NOW), "BROKER")
    assert world.status("R-1") == "returned-by-partner"


async def test_answers_tell_the_time_as_it_was_told(world: World) -> None:
    world.clock.pass_days(1)
    mandated = request_item("L1", "R-1").replace("<RequestItem>", f"<RequestItem>{say.mandated(THEN)}", 1)
    await well(world, mandated, "BROKER")
    wanted = "<RequestElementType>Date Of User Request</RequestElementType>"
    answer = await well(world, f"<LookupRequest>{request_id('R-1')}{wanted}</LookupRequest>", "BROKER")
    assert answer.text("DateOfUserRequest") in (THEN, THEN.replace("Z", "+00:00"))
