"""What the engine tells the world while it plays; every report is made of these and of nothing else.

Bodies are masked before they become part of an event (``masking.py``), so that no report can leak a secret.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from broker_sim.requirements import Requirement
from broker_sim.scenario import Level, Side
from broker_sim.verdict import Finding, Verdict

Channel = Literal["ncip", "desk", "clock"]
Command = Literal["run", "conform"]


AFTERWARDS = "afterwards"
"""The kind of the step, after the last one of the story, in which things are put back."""


@dataclass(frozen=True, slots=True)
class Billing:
    """A scenario as it is announced: what a report needs to know of it before it begins.

    ``bundled``: it can be asked for by its id, and not only by its file.
    """

    id: str
    title: str
    summary: str
    side: Side
    level: Level
    verifies: tuple[str, ...]
    file: str
    steps: int
    requirements: tuple[Requirement, ...] = ()
    persona: str | None = None
    bundled: bool = True

    @property
    def group(self) -> str:
        """What it is filed under: a profile for a scenario, a service for a case."""
        return self.id.partition(".")[0]


@dataclass(frozen=True, slots=True)
class RunStarted:
    """The run begins: against which target, described by which agent file, with which scenarios."""

    at: datetime
    target: str
    agent: str
    agent_file: str
    listening: str | None
    jobs: int
    scenarios: tuple[Billing, ...]
    version: str
    command: Command = "run"


@dataclass(frozen=True, slots=True)
class ScenarioStarted:
    """A scenario begins."""

    scenario: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Equipped:
    """A scenario has its test data and the values of its variables, secrets masked."""

    scenario: str
    variables: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class StepStarted:
    """A step begins."""

    scenario: str
    step: int
    kind: str
    title: str
    note: str | None
    sender: str
    receiver: str | None
    line: int


@dataclass(frozen=True, slots=True)
class Exchange:
    """A message pair as it went over the wire; ``status`` is None when no answer came."""

    channel: Channel
    sender: str
    receiver: str
    method: str
    url: str
    asked: str
    answered: str
    request_type: str
    request: bytes
    status: int | None
    response_type: str
    response: bytes
    at: datetime
    seconds: float
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Exchanged:
    """A message pair is complete, whoever began it."""

    scenario: str
    step: int
    exchange: Exchange


@dataclass(frozen=True, slots=True)
class Judged:
    """An expectation was looked at."""

    scenario: str
    step: int
    finding: Finding


@dataclass(frozen=True, slots=True)
class BrokerStatus:
    """The broker's own request after a step."""

    scenario: str
    step: int
    request: str
    status: str
    lender_item: str | None
    temporary_item: str | None


@dataclass(frozen=True, slots=True)
class StepFinished:
    """A step is over, with what it captured; steps that the scenario did not reach have neither beginning nor end."""

    scenario: str
    step: int
    seconds: float
    captured: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ScenarioFinished:
    """A scenario has its verdict; for SKIP and ERROR the reason says why."""

    scenario: str
    verdict: Verdict
    envelope: Verdict
    reason: str | None
    seconds: float


@dataclass(frozen=True, slots=True)
class Stray:
    """A message came from the target that belongs to no scenario being played."""

    at: datetime
    exchange: Exchange
    remark: str


@dataclass(frozen=True, slots=True)
class Warned:
    """Something about the run itself that the reader should know: an exclusion that excluded nothing, and the like."""

    text: str


@dataclass(frozen=True, slots=True)
class RunFinished:
    """The run is over."""

    at: datetime
    seconds: float
    exit_code: int


Event = (
    RunStarted
    | ScenarioStarted
    | Equipped
    | StepStarted
    | Exchanged
    | Judged
    | BrokerStatus
    | StepFinished
    | ScenarioFinished
    | Stray
    | Warned
    | RunFinished
)
Listener = Callable[[Event], None]
