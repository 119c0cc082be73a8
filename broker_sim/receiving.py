"""The steps about messages from the target: await, reply, silence."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

from broker_sim import expect, oracle, paths, wire
from broker_sim.answer import schema
from broker_sim.mailbox import HttpAnswer, Inbound
from broker_sim.play import Excused, Play, Trouble, inbound_exchange
from broker_sim.scenario import Answer, Await, ProblemAnswer, Reply, Silence
from broker_sim.verdict import Finding

_NOTIFICATIONS = (
    "ItemRenewed",
    "CirculationStatusUpdated",
    "ItemRecalled",
    "ItemShipped",
    "ItemReceived",
    "ItemCheckedIn",
)
# What a plain success repeats of the question, by service: the identifiers, and the wish where it is granted.
_ECHO = {
    "RenewItem": ("ItemId", "UserId"),
    "RecallItem": ("ItemId",),
    "CheckInItem": ("ItemId",),
    "AcceptItem": ("RequestId", "ItemId"),
    "CancelRequestItem": ("RequestId", "ItemId", "UserId"),
}


async def play_await(play: Play, step: Await) -> dict[str, str]:
    """Wait for the message, judge it, answer it; gives what was captured."""
    if play.stage.listener is None:
        raise Excused("the agent file has no [callback] listen: the broker hears nothing from this target")
    inbound = await play.mailbox.take(lambda one: not play.differences(step, one), step.within)
    if inbound is None or inbound.message is None:
        play.found([play.lacking(f"The target sends a {step.service}", f"within {step.within}", _instead(play))])
        play.settle()
        return {}
    message = inbound.message
    play.book.received(message)
    findings = [*_envelope(inbound), *schema(await oracle.judge(message.document))]
    findings += [expect.of_message(one, message.root, play.context()) for one in play.expectations(step)]
    if step.name:
        play.kept[step.name] = inbound
    captured = play.capture(step.capture, lambda path: [one.text for one in paths.find(message.root, path)])
    if step.answer != "later" or any(finding.fatal for finding in findings):
        await _answer(play, inbound, "ok" if step.answer == "later" else step.answer)
    play.found(findings)
    play.settle()
    return captured


async def play_reply(play: Play, step: Reply) -> dict[str, str]:
    """Answer a message that was kept waiting."""
    number = next(n for n, one in enumerate(play.scenario.steps) if one.name == step.reply)
    await _answer(play, play.kept[step.reply], step.answer, number)
    return {}


async def play_silence(play: Play, step: Silence) -> dict[str, str]:
    """Wait, and hear nothing."""
    if play.stage.listener is None:
        raise Excused("the agent file has no [callback] listen: the broker hears nothing from this target")
    before = len(play.mailbox.seen) - len(play.mailbox.waiting)
    await asyncio.sleep(step.for_)
    heard = [one.service for one in play.mailbox.seen[before:] if step.silence in {"any", one.service}]
    what = "message" if step.silence == "any" else step.silence
    play.found(
        [Finding(not heard, f"The target sends no {what}", f"nothing for {step.for_}", ", ".join(heard) or "nothing")]
    )
    play.settle()
    return {}


def _instead(play: Play) -> str:
    waiting = [f"{inbound.service}{play.near_miss(inbound)}" for inbound in play.mailbox.waiting]
    return f"it did not come; instead came {'; '.join(waiting)}" if waiting else "nothing came"


def _envelope(inbound: Inbound) -> Iterator[Finding]:
    media_type = inbound.media_type.partition(";")[0].strip().lower()
    requirement = "NCIP travels as application/xml (Z39.83-2 section 7.3)"
    yield Finding(media_type == wire.MEDIA_TYPE, requirement, wire.MEDIA_TYPE, inbound.media_type or "none", "envelope")


async def _answer(play: Play, inbound: Inbound, wanted: str | Answer, step: int | None = None) -> None:
    answer = await _written(play, inbound, wanted)
    inbound.respond(answer)
    play.exchanged(inbound_exchange(play.stage.agent, inbound, answer), step)


async def _written(play: Play, inbound: Inbound, wanted: str | Answer) -> HttpAnswer:
    if isinstance(wanted, Answer):
        if wanted.hang is not None:
            return HttpAnswer(hang=wanted.hang)
        if wanted.status is not None:
            return HttpAnswer(wanted.status, str(play.fill(wanted.body or "")).encode(), "text/plain")
        if wanted.raw is not None:
            return HttpAnswer(body=str(play.fill(wanted.raw)).encode())
    return await _checked(inbound, _body(play, inbound, wanted))


def _body(play: Play, inbound: Inbound, wanted: str | Answer) -> dict[str, Any]:
    if not isinstance(wanted, Answer):
        return _success(inbound)
    if wanted.pending is not None:
        expected = play.fill(wanted.pending)
        return {"Pending": {"DateOfExpectedReply": expected} if expected else {}}
    if wanted.problem is not None:
        return {"Problem": _problem(play, wanted.problem)}
    filled: dict[str, Any] = play.fill(wanted.message)
    return filled


def _problem(play: Play, problem: ProblemAnswer) -> dict[str, str]:
    parts = (
        ("ProblemType", problem.type),
        ("ProblemDetail", problem.detail),
        ("ProblemElement", problem.element),
        ("ProblemValue", problem.value),
    )
    return {name: str(play.fill(text)) for name, text in parts if text is not None}


def _success(inbound: Inbound) -> dict[str, Any]:
    message = inbound.message
    if message is None or message.name is None or (message.name not in _ECHO and message.name not in _NOTIFICATIONS):
        raise Trouble(f"a {inbound.service} has no plain success: write the answer out by `answer: {{message: …}}`")
    body: dict[str, Any] = {}
    for name in _ECHO.get(message.name, ()):
        node = (
            next(iter(message.body.iterchildren(f"{{{paths.NAMESPACE}}}{name}")), None)
            if message.body is not None
            else None
        )
        if node is not None:
            body[name] = {paths.local(child.tag): paths.text_of(child) for child in node}
    wish = message.text(message.name, "DesiredDateDue")
    if message.name == "RenewItem" and wish:
        body["DateDue"] = wish
    return body


async def _checked(inbound: Inbound, body: dict[str, Any]) -> HttpAnswer:
    raw = wire.answer(inbound.message, body)
    opinion = await oracle.judge(wire.read(raw).document)
    if not opinion.valid:
        raise Trouble(
            f"the scenario's own answer to {inbound.service} is not valid NCIP 2.02: {opinion.violations[0].message}"
        )
    return HttpAnswer(body=raw)
