"""The target's clock: `${now}` is never behind it, whatever part of the time it tells."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from broker_sim.agent import DemoClock
from broker_sim.clock import TargetClock

Tell = Callable[[datetime], str]


def whole(moment: datetime) -> str:
    return moment.replace(microsecond=0).isoformat()


async def looked_at(ahead: timedelta, tell: Tell) -> TargetClock:
    """A clock that was read from a target whose time is so far from ours."""

    async def answer(_: web.Request) -> web.Response:
        told = tell(datetime.now(UTC) + ahead)
        await asyncio.sleep(0.2)  # the answer is on its way
        return web.json_response({"now": told})

    app = web.Application()
    app.router.add_get("/clock", answer)
    async with TestServer(app) as server, aiohttp.ClientSession() as session:
        clock = TargetClock(str(server.make_url("")).rstrip("/"), DemoClock(path="/clock", set={}, advance={}))
        await clock.look(session)
    return clock


@pytest.mark.parametrize(
    "ahead", [timedelta(), timedelta(days=3, milliseconds=700), timedelta(days=-3, milliseconds=-2)]
)
@pytest.mark.parametrize("tell", [whole, datetime.isoformat])
async def test_the_time_is_not_behind_nor_far_ahead(ahead: timedelta, tell: Tell) -> None:
    clock = await looked_at(ahead, tell)
    target = datetime.now(UTC) + ahead
    assert target <= clock.now() < target + timedelta(minutes=1)


async def test_a_clock_that_tells_our_time_in_whole_seconds_is_ours() -> None:
    clock = await looked_at(timedelta(), whole)
    before, told, after = datetime.now(UTC), clock.now(), datetime.now(UTC)
    assert before <= told <= after
