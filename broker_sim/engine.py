"""Plays scenarios against a target and says so in events: the only place that knows who is played when.

Scenarios are independent of each other, so several are played at once; those that move the target's clock are played
alone, after the others. Test data is handed out beforehand, in the order of the scenarios, so that a run does not
depend on who was quicker.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp

import broker_sim
from broker_sim import events, http, oracle, places, verdict
from broker_sim.agent import Agent, address_of
from broker_sim.casting import cast
from broker_sim.clock import ClockTrouble, TargetClock
from broker_sim.events import Billing
from broker_sim.listener import Listener
from broker_sim.mailbox import HttpAnswer, Inbound
from broker_sim.play import Excluded, Stage, inbound_exchange
from broker_sim.playing import play_scenario
from broker_sim.scenario import Scenario
from broker_sim.verdict import Verdict


class Unreachable(Exception):
    """Nobody listens at the target's address."""


@dataclass(frozen=True)
class Plan:
    """What to play, against whom, and how."""

    scenarios: Sequence[Scenario]
    target: str
    agent: Agent
    agent_file: Path
    jobs: int = 4
    listen: str | None = None
    strict: bool = False
    no_skips: bool = False
    command: events.Command = "run"


async def run(plan: Plan, emit: events.Listener) -> int:
    """Play everything and give the exit code; raises Unreachable, or OSError when the broker's own address is taken."""
    trouble = await http.reachable(plan.target)
    if trouble is not None:
        raise Unreachable(f"{plan.target} cannot be reached: {trouble}")
    start = time.perf_counter()
    await oracle.prepare()
    listener = _listener(plan, emit)
    if listener is not None:
        await listener.start()
    try:
        emit(_announcement(plan, listener))
        # A line per message, as many at once as a step sends; one that was closed meanwhile would look like a fault.
        connector = aiohttp.TCPConnector(limit=0, force_close=True)
        async with aiohttp.ClientSession(connector=connector) as session:
            verdicts = await _play_all(plan, _stage(plan, session, listener, emit))
    finally:
        if listener is not None:
            await listener.stop()
    code = verdict.exit_code(verdicts, strict=plan.strict, no_skips=plan.no_skips)
    emit(events.RunFinished(datetime.now(UTC), time.perf_counter() - start, code))
    return code


async def _play_all(plan: Plan, stage: Stage) -> list[Verdict]:
    given = cast(
        plan.scenarios,
        plan.agent,
        listening=stage.listener is not None,
        warn=lambda text: stage.emit(events.Warned(text)),
    )
    places = asyncio.Semaphore(max(1, plan.jobs))

    async def one(scenario: Scenario) -> Verdict:
        async with places:
            return await play_scenario(stage, scenario, given[scenario.id])

    together = [scenario for scenario in plan.scenarios if not scenario.exclusive]
    alone = [scenario for scenario in plan.scenarios if scenario.exclusive]
    verdicts = await asyncio.gather(*[one(scenario) for scenario in together])
    verdicts += await _alone(stage, [partial(one, scenario) for scenario in alone])
    # What the agent file excludes, it gives a reason for: that is no gap in the run.
    played = zip([*together, *alone], verdicts, strict=True)
    return [said for scenario, said in played if not isinstance(given[scenario.id], Excluded)]


async def _alone(stage: Stage, plays: Sequence[Callable[[], Awaitable[Verdict]]]) -> list[Verdict]:
    """Play one after the other, and let the clock go on from where it was before.

    What the next run tells would otherwise lie before what this one has done to the same items.
    """
    if not plays:
        return []
    try:
        await stage.clock.look(stage.session)
        start = stage.clock.now() - datetime.now(UTC)
    except ClockTrouble:  # each of the scenarios says so
        return [await play() for play in plays]
    try:
        return [await play() for play in plays]
    finally:
        with contextlib.suppress(ClockTrouble):
            await stage.clock.move(stage.session, "set", (datetime.now(UTC) + start).isoformat())


def _stage(plan: Plan, session: aiohttp.ClientSession, listener: Listener | None, emit: events.Listener) -> Stage:
    parts = urlsplit(plan.target)
    origin = f"{parts.scheme}://{parts.netloc}"
    clock = TargetClock(origin, plan.agent.demo.clock)
    return Stage(
        plan.agent, plan.target.rstrip("/"), origin, session, clock, listener, emit, plan.agent.tokens(os.environ)
    )


def _listener(plan: Plan, emit: events.Listener) -> Listener | None:
    address = plan.listen or (plan.agent.callback.listen if plan.agent.callback else None)
    if address is None:
        return None
    host, port = address_of(address)

    def stray(inbound: Inbound, answer: HttpAnswer) -> None:
        exchange = inbound_exchange(plan.agent, inbound, answer)
        emit(
            events.Stray(
                inbound.at, exchange, inbound.unreadable or "it carries no identifier of a scenario being played"
            )
        )

    return Listener(host, port, stray)


def _announcement(plan: Plan, listener: Listener | None) -> events.RunStarted:
    return events.RunStarted(
        at=datetime.now(UTC),
        target=plan.target,
        agent=plan.agent.agent.name,
        agent_file=str(plan.agent_file),
        listening=listener.url if listener is not None else None,
        jobs=plan.jobs,
        scenarios=tuple(billing(scenario) for scenario in plan.scenarios),
        version=broker_sim.__version__,
        command=plan.command,
    )


def billing(scenario: Scenario) -> Billing:
    """A scenario as reports and lists announce it."""
    story = scenario.story
    return Billing(
        id=scenario.id,
        title=story.title,
        summary=story.summary.strip(),
        side=scenario.side,
        level=story.level,
        verifies=tuple(story.verifies),
        file=_short(scenario.path),
        steps=len(scenario.steps),
        requirements=scenario.requirements,
        persona=story.persona,
        bundled=places.conformance() in scenario.path.resolve().parents,
    )


def _short(path: Path) -> str:
    """A path as one would type it here."""
    here = Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)
