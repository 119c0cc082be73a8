"""What a scenario file says: the story of one request, step by step, as typed data.

A scenario is a YAML file under ``conformance/scenarios/<profile>/<slug>.yaml``; its id is ``<profile>.<slug>``. A case
is one under ``conformance/cases/<service>/``: the same form, but it verifies requirements by their slugs. This module
is the grammar of those files (``broker-sim schema`` prints it); ``loading.py`` reads them, ``engine.py`` plays them.
The guide for authors, with every step and expectation shown by example, is ``conformance/scenarios/README.md``.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from broker_sim.requirements import Requirement

if TYPE_CHECKING:
    from broker_sim.persona import Persona

_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|m|h)")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}


class Duration(float):
    """A span of time in seconds, written ``500ms``, ``5s``, ``2m`` or ``1h``."""

    __slots__ = ()

    @classmethod
    def parse(cls, text: str) -> Duration:
        """Read a duration; raises ValueError for anything else than a number and its unit."""
        match = _DURATION.fullmatch(text.strip())
        if match is None:
            raise ValueError(f"expected a duration such as 500ms, 5s or 2m, got {text!r}")
        return cls(float(match[1]) * _SECONDS[match[2]])

    def __str__(self) -> str:
        """Write it as an author would: seconds, or milliseconds below one."""
        return f"{self * 1000:.0f} ms" if self < 1 else f"{self:g} s"


Status = Literal[
    "Document Received",
    "Shipped",
    "Received",
    "Renewal requested",
    "Recalled",
    "Returned",
    "Completed",
    "Cancelled",
    "Unfilled",
]
"""What the simulated broker can say of its own request."""

CONTENT_TYPE = 'application/xml; charset="utf-8"'

Level = Literal["MUST", "SHOULD"]
Side = Literal["lending", "borrowing", "both"]


class Part(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Any part of a scenario file: immutable, and an unknown key is a mistake."""


class ExpectedProblem(Part, frozen=True, kw_only=True):
    """A Problem as the scenario wants it; what is left out may be anything."""

    type: str | list[str]
    element: str | list[str] | None = None
    value: str | None = None
    detail: str | None = None


class Expect(Part, frozen=True, kw_only=True):
    """One expectation: a subject (what is looked at), for ``path`` and ``json`` a condition, and why it is wanted."""

    response: str | list[str] | None = None
    problem: Literal["none"] | ExpectedProblem | None = None
    path: str | None = None
    absent: str | None = None
    json: str | None = None
    json_absent: str | None = None
    status: int | list[int] | None = None
    within: Duration | None = None
    same_as: str | None = None
    identical: bool | None = None
    broker: Status | None = None

    equals: str | None = None
    not_equals: str | None = None
    one_of: list[str] | None = None
    matches: str | None = None
    contains: str | None = None
    count: int | None = None
    same_instant: str | None = None
    after: str | None = None
    before: str | None = None

    because: str | None = None
    level: Level | None = None
    holds_for: str = "all"

    @property
    def subject(self) -> str:
        """Which of the subjects it is about; loading has made sure that there is exactly one."""
        return next(name for name in SUBJECTS if getattr(self, name) is not None)

    @property
    def condition(self) -> tuple[str, Any]:
        """The condition and its operand; ``exists`` where none is written."""
        return next(
            ((name, value) for name in CONDITIONS if (value := getattr(self, name)) is not None), ("exists", None)
        )


SUBJECTS = (
    "response",
    "problem",
    "path",
    "absent",
    "json",
    "json_absent",
    "status",
    "within",
    "same_as",
    "identical",
    "broker",
)
CONDITIONS = ("equals", "not_equals", "one_of", "matches", "contains", "count", "same_instant", "after", "before")


class Envelope(Part, frozen=True, kw_only=True):
    """How the NCIPMessage around a message is written, where a scenario needs it different from the usual."""

    #: What the attribute version says; empty = what it should.
    version: str | None = None
    #: Whether the attribute version is in the namespace, as it should be, in none, or not there.
    version_attribute: Literal["qualified", "unqualified", "missing"] = "qualified"
    #: The same for the attributes Scheme.
    scheme_attribute: Literal["qualified", "unqualified"] = "qualified"
    #: The namespace of the elements where it is not NCIP's; `none` = no namespace at all.
    namespace: str | None = None
    #: The prefix of the elements; empty = NCIP is the default namespace.
    prefix: str | None = None
    #: The encoding of the octets.
    encoding: str = "UTF-8"
    #: The encoding that the XML declaration tells; empty = the real one.
    declared_encoding: str | None = None
    #: Whether there is an XML declaration.
    declaration: bool = True
    #: The DOCTYPE, as it is written; a message of version 1 has its own unless this is empty text.
    doctype: str | None = None
    #: What the attribute xsi:schemaLocation says; empty = there is none.
    schema_location: str | None = None
    #: What stands before everything else.
    before: str = ""
    #: Text directly inside the NCIPMessage, where none may stand.
    stray_text: str = ""
    #: Whether a Scheme is an attribute, or Scheme and Value are children also where that is not version 1.
    coded: Literal["attribute", "children"] = "attribute"
    #: Whether texts of version 1 carry the attribute datatype.
    datatypes: bool = False


class ProblemAnswer(Part, frozen=True, kw_only=True):
    """A Problem that the simulated broker answers with."""

    type: str
    detail: str | None = None
    element: str | None = None
    value: str | None = None


class Answer(Part, frozen=True, kw_only=True):
    """What the simulated broker answers to the target: exactly one kind, ``body`` only beside ``status``."""

    message: dict[str, Any] | None = None
    problem: ProblemAnswer | None = None
    pending: str | None = None
    status: int | None = None
    body: str | None = None
    raw: str | None = None
    hang: Duration | None = None


class Step(Part, frozen=True, kw_only=True):
    """What every step may carry: a name, a sentence for the reader, and the broker's own status afterwards."""

    name: str | None = None
    note: str | None = None
    becomes: Status | None = None

    @property
    def kind(self) -> str:
        """The key that makes the step what it is: ``send``, ``desk`` and so on."""
        return KIND_OF[type(self)]


class Judged(Step, frozen=True, kw_only=True):
    """A step with something to look at afterwards."""

    expect: list[Expect] = []
    capture: dict[str, str] = {}


class Transmission(Judged, frozen=True, kw_only=True):
    """What is common to every NCIP message that the broker sends to the target.

    ``root`` is the root element of the answer where it is not NCIPMessage: LookupVersion has its own.
    """

    to: str = "lender"
    from_: str | None = msgspec.field(name="from", default=None)
    partner: str | None = None
    key: str | None = None
    content_type: str = CONTENT_TYPE
    times: int = 1
    concurrently: int = 1
    timeout: Duration = msgspec.field(default_factory=lambda: Duration(30))
    eventually: Duration | None = None
    root: str | None = None


class Send(Transmission, frozen=True, kw_only=True):
    """The broker sends an NCIP message to the target and judges the answer."""

    service: str = msgspec.field(name="send")
    header: Literal["none"] | dict[str, Any] | None = None
    message: dict[str, Any] | None = None
    xml: str | None = None
    raw: str | None = None
    hex: str | None = None
    envelope: Envelope = Envelope()
    valid: bool = True


class Again(Transmission, frozen=True, kw_only=True):
    """The broker sends the very bytes of an earlier step once more, to the same place."""

    again: str


class Relay(Transmission, frozen=True, kw_only=True):
    """The broker passes a message that it received on to the other side, its item numbers translated."""

    relay: str
    replace: dict[str, str] = {}
    remove: list[str] = []


class Desk(Judged, frozen=True, kw_only=True):
    """Somebody at a library's desk does something, through the target's own interface."""

    desk: str
    at: str = "lender"
    with_: dict[str, Any] = msgspec.field(name="with", default_factory=dict)
    times: int = 1
    eventually: Duration | None = None
    timeout: Duration = msgspec.field(default_factory=lambda: Duration(30))


class Await(Judged, frozen=True, kw_only=True):
    """The broker waits for a message from the target and answers it."""

    service: str = msgspec.field(name="await")
    from_: str | None = msgspec.field(name="from", default=None)
    where: dict[str, str] = {}
    within: Duration = msgspec.field(default_factory=lambda: Duration(10))
    answer: Literal["ok", "later"] | Answer = "ok"


class Reply(Step, frozen=True, kw_only=True):
    """The broker answers a message that it had kept waiting (``answer: later``)."""

    reply: str
    answer: Literal["ok"] | Answer = "ok"


class Silence(Step, frozen=True, kw_only=True):
    """For a while, no such message may come from the target for this scenario."""

    silence: str
    for_: Duration = msgspec.field(name="for", default_factory=lambda: Duration(1))


class Clock(Step, frozen=True, kw_only=True):
    """The target's demonstration clock is set, or moved forward by an ISO 8601 duration (``P1D``)."""

    clock: dict[Literal["set", "advance"], str]


class Broker(Step, frozen=True, kw_only=True):
    """The broker gives its own request a status by itself."""

    broker: Status
    request: str | None = None


class Wait(Step, frozen=True, kw_only=True):
    """Nothing happens for a while."""

    wait: Duration


AnyStep = Send | Again | Relay | Desk | Await | Reply | Silence | Clock | Broker | Wait
STEPS: dict[str, type[AnyStep]] = {
    "send": Send,
    "again": Again,
    "relay": Relay,
    "desk": Desk,
    "await": Await,
    "reply": Reply,
    "silence": Silence,
    "clock": Clock,
    "broker": Broker,
    "wait": Wait,
}
KIND_OF: dict[type, str] = {step: kind for kind, step in STEPS.items()}


class Story(Part, frozen=True, kw_only=True):
    """The top of a scenario file, its steps still to be read one by one."""

    title: str
    summary: str = ""
    side: Side | None = None
    level: Level = "MUST"
    partner: str | None = None
    persona: str | None = None
    verifies: list[str] = []
    needs: list[str] | dict[str, str] = []
    clock: str | None = None
    variables: dict[str, str] = {}
    ignore: list[str] = []
    steps: list[dict[str, Any]]
    afterwards: list[dict[str, Any]] = []


class Scenario(msgspec.Struct, frozen=True, kw_only=True):
    """A scenario or case read and checked: its id, where it came from, the story, its steps in order.

    ``afterwards`` is what puts things back once it is over, however it went; none of that is judged.
    Only a case has ``requirements``: what it verifies. ``persona`` is how its messages are written and posted, where it
    says so.
    """

    id: str
    path: Path
    story: Story
    steps: tuple[AnyStep, ...]
    lines: tuple[int, ...]
    afterwards: tuple[Send | Desk, ...] = ()
    requirements: tuple[Requirement, ...] = ()
    persona: Persona | None = None

    @property
    def side(self) -> Side:
        """Who is under test: what the story says, else whom its messages go to."""
        if self.story.side is not None:
            return self.story.side
        sides = {step.to for step in self.steps if isinstance(step, Transmission)}
        if "borrower" not in sides:
            return "lending"
        return "both" if "lender" in sides else "borrowing"

    @property
    def needs(self) -> dict[str, str]:
        """Variable name → fixture role; in a plain list a role's first word is its name."""
        needs = self.story.needs
        return needs if isinstance(needs, dict) else {role.split(".")[0]: role for role in needs}

    @property
    def exclusive(self) -> bool:
        """Whether it must run alone, because it moves the target's clock."""
        return self.story.clock is not None or any(isinstance(step, Clock) for step in self.steps)

    @property
    def services(self) -> frozenset[str]:
        """The NCIP services that the target must offer for this scenario to make sense."""
        sent = [step for step in self.steps if isinstance(step, Send) and step.raw is None and step.hex is None]
        return frozenset(step.service for step in sent if not _is_to_be_refused(step))


def _is_to_be_refused(step: Send) -> bool:
    """Whether a step tries a service just because the target does not offer it."""
    types = [expect.problem.type for expect in step.expect if isinstance(expect.problem, ExpectedProblem)]
    return any(
        {"Unsupported Service", "Unknown Service"} & set([kind] if isinstance(kind, str) else kind) for kind in types
    )
