"""One scenario being played: its variables, its book, what it has sent and received, and what was found."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from broker_sim import events, masking, paths, wire
from broker_sim.agent import Agent
from broker_sim.answer import Answer, describe
from broker_sim.broker import Book
from broker_sim.clock import TargetClock
from broker_sim.events import Channel, Exchange
from broker_sim.expect import Context, filled
from broker_sim.http import Sent
from broker_sim.listener import Listener, problem_answer
from broker_sim.mailbox import HttpAnswer, Inbound, Mailbox
from broker_sim.persona import Post
from broker_sim.scenario import Await, Expect, Judged, Scenario
from broker_sim.undoing import Undoing
from broker_sim.variables import UnknownVariable, Variables
from broker_sim.verdict import Finding
from broker_sim.wire import Header

_WEIGHTS = {"RequestIdentifierValue": 4, "ItemIdentifierValue": 2, "UserIdentifierValue": 1}


class Unmet(Exception):
    """What comes next makes no sense any more: the scenario ends here, with the verdict of what was found."""


class Excused(Exception):
    """The scenario cannot be asked of this target: SKIP, with the reason."""


class Excluded(Excused):
    """The agent file excuses the target from this scenario: SKIP, with the reason given there."""


class Trouble(Exception):
    """The suite, the scenario file or the network is at fault: ERROR, with the reason."""


@dataclass(frozen=True)
class Stage:
    """What all scenarios of a run share."""

    agent: Agent
    target: str
    origin: str
    session: aiohttp.ClientSession
    clock: TargetClock
    listener: Listener | None
    emit: events.Listener
    tokens: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Parcel:
    """What a step sent, so that another may send it again.

    ``plain`` is the message before a persona made it its own: it says what the octets of ``bodies`` mean.
    """

    bodies: tuple[bytes, ...]
    plain: bytes
    url: str
    content_type: str
    header: Header | None
    service: str | None
    side: str | None
    receiver: str
    post: Post = field(default_factory=Post)
    is_version_1: bool = False


class Play:
    """The state of one scenario between its steps."""

    def __init__(self, stage: Stage, scenario: Scenario, given: Mapping[str, str]) -> None:
        agencies = {
            "lender": stage.agent.agency.lender,
            "borrower": stage.agent.agency.borrower or "",
            "broker": stage.agent.agency.broker,
        }
        self.stage, self.scenario = stage, scenario
        self.variables = Variables({**agencies, **given}, stage.clock.now)
        for name, text in scenario.story.variables.items():
            self.variables[name] = self.variables.fill(text)
        self.book = Book()
        self.undoing = Undoing()
        self.is_over = False
        self.mailbox = Mailbox()
        self.step = 0
        self.findings: list[Finding] = []
        self.answers: dict[str, bytes] = {}
        self.parcels: dict[str, Parcel] = {}
        self.kept: dict[str, Inbound] = {}

    # --- what steps say ----------------------------------------------------------------------------------------------

    def fill(self, content: Any, **extra: str) -> Any:
        """Put the variables in, and what the broker's book knows."""
        request = self.book.requests[-1] if self.book.requests else None
        known = {
            "broker.lender_item": request.lender_item if request else None,
            "broker.temporary_item": request.temporary_item if request else None,
        }
        return self.variables.fill_all(content, {**{name: value for name, value in known.items() if value}, **extra})

    def expectations(self, step: Judged) -> list[Expect]:
        """What a step expects, with the variables put in."""
        return [filled(expect, self.fill) for expect in step.expect]

    def context(self) -> Context:
        """What expectations may look at besides the answer."""
        statuses = tuple(request.status for request in self.book.requests)
        return Context(self.answers, statuses, self.scenario.story.level)

    def exchanged(self, exchange: Exchange, step: int | None = None) -> None:
        """Report a message pair."""
        self.stage.emit(events.Exchanged(self.scenario.id, self.step if step is None else step, exchange))

    def found(self, findings: Iterable[Finding], step: int | None = None) -> None:
        """Report findings; the same one over several answers once, and nothing once the story is over."""
        for finding in () if self.is_over else dict.fromkeys(findings):
            self.findings.append(finding)
            self.stage.emit(events.Judged(self.scenario.id, self.step if step is None else step, finding))

    def settle(self) -> None:
        """Raise Unmet when something that MUST be is not, or when the answer is not one that the story goes on with."""
        if any(finding.fatal or (finding.aspect == "answer" and not finding.ok) for finding in self.findings):
            raise Unmet

    def lacking(self, requirement: str, expected: str, actual: str, where: str | None = None) -> Finding:
        """What the story needs to go on, and has not got; as serious as the scenario is."""
        return Finding(False, requirement, expected, actual, "answer", self.scenario.story.level, where=where)

    def capture(self, names: Mapping[str, str], texts: Callable[[str], list[str]]) -> dict[str, str]:
        """Take variables from what was found at their paths; a path that leads nowhere is an unmet MUST."""
        captured: dict[str, str] = {}
        for name, path in names.items():
            found = texts(self.fill(path))
            if found:
                self.variables[name] = captured[name] = found[0]
            else:
                self.found([self.lacking(f"{path} is there, to be remembered as {name}", "present", "absent", path)])
        self.settle()
        return captured

    def capture_message(self, names: Mapping[str, str], answer: Answer) -> dict[str, str]:
        """Take variables from an NCIP answer."""
        root = answer.message.root if answer.message else None
        return self.capture(names, lambda path: [] if root is None else [one.text for one in paths.find(root, path)])

    # --- the post ----------------------------------------------------------------------------------------------------

    def claims(self, inbound: Inbound) -> int:
        """How strongly a message is the scenario's: a request's id says more than an item's, and a user's least."""
        if inbound.message is None:
            return 0
        own = set(self.variables.values.values())
        weight = sum(_WEIGHTS[kind] for kind, text in inbound.message.identifiers() if text in own)
        awaited = any(
            step.service == inbound.service and not self.differences(step, inbound) for step in self.awaited()
        )
        return weight * 2 + awaited if weight else 0

    def deliver(self, inbound: Inbound) -> None:
        """Keep a message for a step to come; one that no step will want is answered and judged at once."""
        if self.is_over or inbound.service in self.scenario.story.ignore:
            self.mailbox.put(inbound, wait=False)
            self.dismiss(inbound)
        elif any(inbound.service == step.service for step in self.awaited()):
            self.mailbox.put(inbound, wait=True)
        else:
            self.mailbox.put(inbound, wait=False)
            self.unexpected(inbound)

    def awaited(self) -> list[Await]:
        """The await steps from here to the end."""
        return [step for step in self.scenario.steps[self.step :] if isinstance(step, Await)]

    def unexpected(self, inbound: Inbound) -> None:
        """Answer a message that nobody waits for with a Problem, and say which step comes closest to it."""
        near = self.near_miss(inbound)
        self.found(
            [
                Finding(
                    False,
                    "The target sends only what the story has room for",
                    "no message here",
                    f"{inbound.service}{near}",
                )
            ]
        )
        answer = problem_answer(inbound, "Unsupported Service", "The scenario does not expect this message")
        inbound.respond(answer)
        self.exchanged(inbound_exchange(self.stage.agent, inbound, answer))

    def dismiss(self, inbound: Inbound) -> None:
        """Answer a message that the scenario takes no notice of, or no notice any more."""
        answer = problem_answer(inbound, "Unsupported Service", "The scenario takes no notice of this message")
        inbound.respond(answer)
        self.exchanged(inbound_exchange(self.stage.agent, inbound, answer))

    def near_miss(self, inbound: Inbound) -> str:
        """The closest await step and what differs, in words; empty when the scenario awaits nothing at all."""
        steps = self.awaited() or [step for step in self.scenario.steps if isinstance(step, Await)]
        ranked = sorted(steps, key=lambda step: (step.service != inbound.service, len(self.differences(step, inbound))))
        if not ranked:
            return "; no step awaits anything"
        closest = ranked[0]
        number = self.scenario.steps.index(closest) + 1
        differences = "; ".join(self.differences(closest, inbound)) or "it came when that step was over"
        return f"; closest is step {number}, which awaits {closest.service}: {differences}"

    def differences(self, step: Await, inbound: Inbound) -> list[str]:
        """What keeps a message from being the one that a step awaits."""
        if inbound.message is None:
            return [f"it cannot be read: {inbound.unreadable}"]
        found = [] if inbound.service == step.service else [f"it is a {inbound.service}"]
        if step.from_ is not None:
            wanted, given = self.stage.agent.code(step.from_), sender_code(inbound)
            if given != wanted:
                found.append(f"FromAgencyId is {given or 'missing'}, not {wanted}")
        for path, text in step.where.items():
            try:
                wanted = self.fill(text)
            except UnknownVariable as unknown:
                found.append(f"{path} is wanted to be something that is not known yet: {unknown}")
                continue
            texts = [one.text for one in paths.find(inbound.message.root, path)]
            if wanted not in texts:
                found.append(f"{path} is {', '.join(texts) or 'missing'}, not {wanted}")
        return found


def exchange(
    sent: Sent, *, channel: Channel, receiver: str, asked: str, answered: str, sender: str = "Broker"
) -> Exchange:
    """A pair that we began, its secrets blotted out."""
    return Exchange(
        channel=channel,
        sender=sender,
        receiver=receiver,
        method=sent.method,
        url=sent.url,
        asked=asked,
        answered=answered,
        request_type=sent.request_type,
        request=masking.mask(sent.request),
        status=sent.status,
        response_type=sent.response_type,
        response=masking.mask(sent.response),
        at=sent.at,
        seconds=sent.seconds,
        error=sent.error,
    )


def inbound_exchange(agent: Agent, inbound: Inbound, answer: HttpAnswer) -> Exchange:
    """A pair that the target began, its secrets blotted out."""
    side = agent.side(sender_code(inbound))
    silent = answer.hang is not None
    answered = f"HTTP {answer.status}"
    if answer.status == 200:
        answered = _described(answer.body)
    return Exchange(
        channel="ncip",
        sender=(side or "target").capitalize(),
        receiver="Broker",
        method="POST",
        url=inbound.url,
        asked=inbound.service,
        answered="no answer" if silent else answered,
        request_type=inbound.media_type,
        request=masking.mask(inbound.raw),
        status=None if silent else answer.status,
        response_type="" if silent else answer.content_type,
        response=masking.mask(answer.body),
        at=inbound.at,
        seconds=time.time() - inbound.at.timestamp(),
        error=f"the broker gave no answer, and cut the line after {answer.hang:g} s" if silent else None,
    )


def _described(body: bytes) -> str:
    try:
        return describe(wire.read(body))
    except wire.Unreadable:
        return "not NCIP"


def sender_code(inbound: Inbound) -> str | None:
    """The AgencyId that a message says it comes from."""
    return (
        inbound.message.text(inbound.service, "InitiationHeader", "FromAgencyId", "AgencyId")
        if inbound.message
        else None
    )
