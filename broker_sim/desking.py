"""The step at a desk: somebody works in the target's own interface, as the agent file describes it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator

from broker_sim import expect, http, paths
from broker_sim.agent import DeskAction, WrongParameters, fill_action
from broker_sim.answer import Answer, read_json
from broker_sim.http import Sent
from broker_sim.play import Excused, Play, Trouble, exchange
from broker_sim.scenario import Desk
from broker_sim.verdict import Finding

_PAUSE = 0.1


async def play_desk(play: Play, step: Desk) -> dict[str, str]:
    """Do what the step says, as often as wanted, judge the answers; gives what was captured."""
    action = play.stage.agent.desk.get(step.desk)
    if action is None:
        raise Excused(f"the agent file describes no desk action {step.desk!r}")
    loop = asyncio.get_running_loop()
    deadline = loop.time() + (step.eventually or 0)
    while True:
        answers = [read_json(await _once(play, step, action)) for _ in range(step.times)]
        findings = list(_judged(play, step, answers))
        if loop.time() >= deadline or all(finding.ok for finding in findings):
            break
        await asyncio.sleep(_PAUSE)
    desk = f"{step.at.capitalize() if step.at in {'lender', 'borrower'} else step.at}'s desk"
    for answer in answers:
        said = _summary(answer)
        play.exchanged(
            exchange(
                answer.sent,
                channel="desk",
                sender=desk,
                receiver=play.stage.agent.agent.name,
                asked=step.desk,
                answered=said,
            )
        )
    if any(answer.sent.outcome == "unreachable" for answer in answers):
        raise Trouble(f"the target cannot be reached any more: {answers[-1].sent.error}")
    play.found(findings)
    if step.name:
        play.answers[step.name] = answers[-1].sent.response
    play.settle()
    last = answers[-1].json
    return play.capture(step.capture, lambda path: [paths.as_text(value) for value in paths.find_json(last, path)])


async def _once(play: Play, step: Desk, action: DeskAction) -> Sent:
    code = play.stage.agent.code(play.fill(step.at))
    if not code:
        raise Excused(f"the agent file names no {step.at} agency")
    try:
        path, query, body = fill_action(step.desk, action, {"agency": code, **play.fill(step.with_)})
    except WrongParameters as error:
        raise Trouble(str(error)) from error
    headers = {} if body is None else {"Content-Type": "application/json"}
    if code in play.stage.tokens:
        headers["Authorization"] = f"Bearer {play.stage.tokens[code]}"
    raw = b"" if body is None else json.dumps(body, ensure_ascii=False).encode()
    url = (play.stage.agent.access.desk or play.stage.origin) + path
    return await http.send(
        play.stage.session, action.method, url, body=raw, headers=headers, query=query, seconds=step.timeout
    )


def _judged(play: Play, step: Desk, answers: list[Answer]) -> Iterator[Finding]:
    wanted, level = play.expectations(step), play.scenario.story.level
    for answer in answers:
        if answer.sent.outcome != "answered":
            yield Finding(False, "The desk's request is answered", "an answer", answer.sent.error or "none", "envelope")
            return
        if not any(one.status is not None for one in wanted):
            said = _summary(answer)
            yield Finding(answer.sent.status == 200, f"The desk can {step.desk}", "HTTP 200", said, "answer", level)
    for one in wanted:
        yield expect.judge(one, answers, play.context())


def _summary(answer: Answer) -> str:
    found = [
        value for path in ("error.message", "message", "instruction") for value in paths.find_json(answer.json, path)
    ]
    said = f"HTTP {answer.sent.status}" if answer.sent.status is not None else answer.sent.error or "no answer"
    return f"{said}: {found[0]}" if found else said
