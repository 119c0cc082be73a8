"""One scenario from its first step to its verdict."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from broker_sim import events, masking, tidying, verdict
from broker_sim.clock import ClockTrouble
from broker_sim.desking import play_desk
from broker_sim.play import Excused, Play, Stage, Trouble, Unmet, exchange
from broker_sim.receiving import play_await, play_reply, play_silence
from broker_sim.scenario import (
    Again,
    AnyStep,
    Await,
    Broker,
    Clock,
    Desk,
    Relay,
    Reply,
    Scenario,
    Send,
    Silence,
    Wait,
)
from broker_sim.sending import play_again, play_relay, play_send
from broker_sim.variables import UnknownVariable
from broker_sim.verdict import Verdict

Given = Mapping[str, str] | Excused | Trouble


async def play_scenario(stage: Stage, scenario: Scenario, given: Given) -> Verdict:
    """Play all steps as long as they make sense; every way to end becomes a verdict with its reason."""
    start = time.perf_counter()
    play: Play | None = None
    reason: str | None = None
    try:
        play = await _begin(stage, scenario, given)
        await _steps(play)
        said = verdict.of_findings(play.findings)
    except Unmet:
        said = verdict.of_findings(play.findings if play is not None else ())
    except Excused as excuse:
        said, reason = Verdict.SKIP, str(excuse)
    except (Trouble, UnknownVariable, ClockTrouble, ValueError) as trouble:
        said, reason = Verdict.ERROR, str(trouble)
    except Exception as bug:  # noqa: BLE001 - one broken scenario must not end the run
        said, reason = Verdict.ERROR, f"broker_sim itself failed: {type(bug).__name__}: {bug}"
    findings = play.findings if play is not None else []
    envelope = verdict.of_findings(finding for finding in findings if finding.aspect in {"envelope", "schema"})
    stage.emit(events.ScenarioFinished(scenario.id, said, envelope, reason, time.perf_counter() - start))
    return said


async def _begin(stage: Stage, scenario: Scenario, given: Given) -> Play:
    stage.emit(events.ScenarioStarted(scenario.id, datetime.now(UTC)))
    if isinstance(given, Exception):
        raise given
    if scenario.story.clock is not None:
        await stage.clock.move(stage.session, "set", scenario.story.clock)
    else:
        await stage.clock.look(stage.session)
    play = Play(stage, scenario, given)
    stage.emit(events.Equipped(scenario.id, masking.mask_values(play.variables.values)))
    return play


async def _steps(play: Play) -> None:
    listener = play.stage.listener
    if listener is not None:
        listener.open(play)
    try:
        for number, step in enumerate(play.scenario.steps):
            play.step = number
            await _step(play, step)
        for inbound in play.mailbox.waiting:
            play.unexpected(inbound)
        play.settle()
    finally:
        for inbound in play.mailbox.seen:
            if not inbound.answer.done():
                play.dismiss(inbound)
        await tidying.tidy(play)
        if listener is not None:
            listener.close(play)


async def _step(play: Play, step: AnyStep) -> None:
    start = time.perf_counter()
    sender, receiver, title = _parties(play, step)
    line = play.scenario.lines[play.step]
    emit, name = play.stage.emit, play.scenario.id
    emit(events.StepStarted(name, play.step, step.kind, title, step.note, sender, receiver, line))
    captured: dict[str, str] = {}
    try:
        captured = await _PLAYED[type(step)](play, step) or {}
        if step.becomes is not None:
            play.book.become(step.becomes)
    finally:
        for own in play.book.requests:
            status = events.BrokerStatus(
                name, play.step, own.identifier, own.status, own.lender_item, own.temporary_item
            )
            emit(status)
        seconds = time.perf_counter() - start
        emit(events.StepFinished(name, play.step, seconds, masking.mask_values(captured)))
    play.settle()


def _parties(play: Play, step: AnyStep) -> tuple[str, str | None, str]:
    """Who does what to whom, for the reader."""
    sender, receiver = "Broker", None
    match step:
        case Send() | Again() | Relay():
            receiver, title = _sent(play, step)
        case Desk():
            at = play.fill(step.at)
            sender, title = f"{at[:1].upper()}{at[1:]}'s desk", step.desk.replace("-", " ")
        case Await():
            sender, receiver, title = (step.from_ or "target").capitalize(), "Broker", step.service
        case Silence():
            sender, title = "Target", "nothing is sent" if step.silence == "any" else f"no {step.silence} is sent"
        case Reply():
            receiver, title = "Target", f"answers “{step.reply}”"
        case Clock():
            sender, title = "Clock", "; ".join(f"{how} {to}" for how, to in step.clock.items())
        case Broker():
            title = f"its own request is {step.broker}"
        case Wait():
            sender, title = "Nobody", f"{step.wait} pass"
    return sender, receiver, title


def _sent(play: Play, step: Send | Again | Relay) -> tuple[str, str]:
    if isinstance(step, Again):
        parcel = play.parcels[step.again]
        return parcel.receiver, f"{parcel.service or 'the same'}, once more"
    code = play.stage.agent.code(play.fill(step.to))
    side = play.stage.agent.side(code)
    title = step.service if isinstance(step, Send) else f"{play.kept[step.relay].service}, passed on"
    return side.capitalize() if side else code, title


async def _clock(play: Play, step: Clock) -> None:
    for how, to in step.clock.items():
        sent = await play.stage.clock.move(play.stage.session, how, play.fill(to))
        name = play.stage.agent.agent.name
        play.exchanged(
            exchange(sent, channel="clock", sender="Clock", receiver=name, asked=how, answered=f"HTTP {sent.status}")
        )


async def _broker(play: Play, step: Broker) -> None:
    play.book.become(step.broker, play.fill(step.request))


async def _wait(play: Play, step: Wait) -> None:
    await asyncio.sleep(step.wait)


_PLAYED: dict[type, Callable[[Play, Any], Awaitable[dict[str, str] | None]]] = {
    Send: play_send,
    Again: play_again,
    Relay: play_relay,
    Desk: play_desk,
    Await: play_await,
    Reply: play_reply,
    Silence: play_silence,
    Clock: _clock,
    Broker: _broker,
    Wait: _wait,
}
