"""What a message means once it has been repaired: it does what it would have done, and the repairs are written down."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from ncipd.circulation.partner import Partner
from tests.circulation import messages as say
from tests.services.world import World, fill, make_world, message

PARTNERS = (
    Partner(code="BROKER", agency="LEND"),
    Partner(code="YORK", agency="LEND", time_zone="America/New_York"),
)
CHECK_OUT = (
    "<CheckOutItem><UserId><UserIdentifierValue>LEND-USER-1</UserIdentifierValue></UserId>"
    "<ItemId><ItemIdentifierValue>L1</ItemIdentifierValue></ItemId><DesiredDateDue>{}</DesiredDateDue></CheckOutItem>"
)


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    made = make_world(tmp_path / "data", PARTNERS)
    await fill(made)
    yield made
    await made.store.close()


@pytest.mark.parametrize(
    ("partner", "sent", "due"),
    [
        ("BROKER", "2026-01-20", "2026-01-20T22:59:59Z"),
        ("YORK", "2026-01-20", "2026-01-21T04:59:59Z"),
        ("YORK", "2026-01-20Z", "2026-01-20T23:59:59Z"),
        ("BROKER", "2026-01-20 12:00", "2026-01-20T11:00:00Z"),
        ("BROKER", "2026-01-20T12:00:00+0500", "2026-01-20T07:00:00Z"),
    ],
)
async def test_a_date_without_a_time_is_the_end_of_that_day_where_the_partner_is(
    world: World, partner: str, sent: str, due: str
) -> None:
    answer = await world.send(CHECK_OUT.format(sent), partner=partner)
    assert answer.problem is None, answer
    assert answer.text("CheckOutItemResponse/DateDue") == due


async def test_repairs_are_written_into_the_journal_and_counted(world: World) -> None:
    sloppy = message(say.check_out("L1", user="LEND-USER-1")).replace("n:version", "version")
    sloppy = sloppy.replace("</CheckOutItem>", "<X/></CheckOutItem>")
    assert (await world.post(sloppy)).problem is None
    made = ["unqualified-version", "unknown-element", "foreign-ext"]
    (line,) = world.store.read(lambda tx: tx.all("journal_of_agency", agency=1, before=2**62, most=5))
    assert json.dumps(made) in line
    told = world.metrics.render().decode()
    assert all(f'ncipd_repairs_total{{repair="{name}"}} 1.0' in told for name in made), told


async def test_a_message_that_was_repaired_is_a_resend_of_the_one_that_needed_it_not(world: World) -> None:
    """What counts is what it says."""
    first = await world.post(message(CHECK_OUT.format("2026-01-20T22:59:59Z")))
    again = await world.post(message(CHECK_OUT.format("2026-01-20 22:59:59 UTC")).replace("n:version", "version"))
    assert again.raw == first.raw


async def test_a_repair_does_not_hide_who_the_message_is_for(world: World) -> None:
    bare = message(say.lookup_item("L1")).replace(' xmlns="http://www.niso.org/2008/ncip"', "")
    assert (await world.post(bare.replace("n:version", "version"))).problem is None
    assert (await world.post(bare.replace(">LEND<", ">NOBODY<"))).problem == "Unknown Agency"
