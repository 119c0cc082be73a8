"""A run remembered, scenario by scenario and step by step, for the reports that are written at the end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from broker_sim import events
from broker_sim.events import AFTERWARDS, Billing, BrokerStatus, Event, Exchange
from broker_sim.requirements import Requirement
from broker_sim.verdict import Finding, Verdict

WORST_FIRST = (Verdict.FAIL, Verdict.ERROR, Verdict.NON_STRICT, Verdict.SKIP, Verdict.PASS)


@dataclass
class StepRecord:
    """One step as it was played."""

    number: int
    kind: str
    title: str
    note: str | None
    sender: str
    receiver: str | None
    line: int
    exchanges: list[Exchange] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    broker: list[BrokerStatus] = field(default_factory=list)
    captured: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0

    @property
    def unmet(self) -> list[Finding]:
        """The expectations that were not met."""
        return [finding for finding in self.findings if not finding.ok]


@dataclass
class ScenarioRecord:
    """One scenario as it was played; the verdict is None until it is over."""

    billing: Billing
    run: events.RunStarted
    started: datetime | None = None
    verdict: Verdict | None = None
    envelope: Verdict | None = None
    reason: str | None = None
    seconds: float = 0.0
    variables: dict[str, str] = field(default_factory=dict)
    steps: dict[int, StepRecord] = field(default_factory=dict)

    @property
    def reached(self) -> list[StepRecord]:
        """The steps of the story that were begun, without what was put back afterwards."""
        return [step for step in self.steps.values() if step.kind != AFTERWARDS]

    @property
    def unmet(self) -> list[tuple[StepRecord, Finding]]:
        """Every expectation that was not met, with its step."""
        return [(step, finding) for step in self.steps.values() for finding in step.unmet]

    @property
    def messages(self) -> int:
        """How many NCIP message pairs it took."""
        return sum(exchange.channel == "ncip" for step in self.steps.values() for exchange in step.exchanges)

    @property
    def expectations(self) -> int:
        """How many expectations were judged."""
        return sum(len(step.findings) for step in self.steps.values())

    @property
    def statuses(self) -> list[tuple[int, str]]:
        """Step number and the broker's status from that step on, only where it changed."""
        line: list[tuple[int, str]] = []
        for step in self.steps.values():
            said = ", ".join(status.status for status in step.broker)
            if said and (not line or line[-1][1] != said):
                line.append((step.number + 1, said))
        return line


class Record:
    """Listens to a run and keeps all of it; several runs put together are one record."""

    def __init__(self) -> None:
        self.runs: list[events.RunStarted] = []
        self.ends: list[events.RunFinished] = []
        self.scenarios: dict[str, ScenarioRecord] = {}
        self.strays: list[events.Stray] = []
        self.warnings: list[str] = []

    def __call__(self, event: Event) -> None:
        """Take one event in."""
        match event:
            case events.RunStarted():
                self.runs.append(event)
                self.scenarios.update({billing.id: ScenarioRecord(billing, event) for billing in event.scenarios})
            case events.RunFinished():
                self.ends.append(event)
            case events.Stray():
                self.strays.append(event)
            case events.Warned():
                self.warnings.append(event.text)
            case _:
                self._scenario(self.scenarios[event.scenario], event)

    @property
    def run(self) -> events.RunStarted | None:
        """The run, the first of several; None before it has begun."""
        return self.runs[0] if self.runs else None

    @property
    def seconds(self) -> float | None:
        """How long it took in all; None before the end."""
        return sum(end.seconds for end in self.ends) if self.ends else None

    @property
    def exit_code(self) -> int | None:
        """The exit code, the worst of several; None before the end."""
        return max((end.exit_code for end in self.ends), default=None)

    @property
    def groups(self) -> dict[str, list[ScenarioRecord]]:
        """All scenarios and cases by what they are filed under, in the order in which they came."""
        grouped: dict[str, list[ScenarioRecord]] = {}
        for scenario in self.scenarios.values():
            grouped.setdefault(scenario.billing.group, []).append(scenario)
        return grouped

    @property
    def requirements(self) -> list[tuple[Requirement, list[ScenarioRecord]]]:
        """Every requirement that a case of this run verifies, with those cases."""
        verified: dict[str, tuple[Requirement, list[ScenarioRecord]]] = {}
        for scenario in self.scenarios.values():
            for requirement in scenario.billing.requirements:
                verified.setdefault(requirement.slug, (requirement, []))[1].append(scenario)
        return list(verified.values())

    @property
    def counts(self) -> Counter[Verdict]:
        """How often each verdict was given."""
        return Counter(scenario.verdict for scenario in self.scenarios.values() if scenario.verdict is not None)

    @property
    def messages(self) -> int:
        """How many NCIP message pairs the run took."""
        return sum(scenario.messages for scenario in self.scenarios.values())

    def _scenario(self, scenario: ScenarioRecord, event: Event) -> None:
        match event:
            case events.ScenarioStarted():
                scenario.started = event.at
            case events.Equipped():
                scenario.variables = dict(event.variables)
            case events.ScenarioFinished():
                scenario.verdict, scenario.envelope = event.verdict, event.envelope
                scenario.reason, scenario.seconds = event.reason, event.seconds
            case events.StepStarted():
                scenario.steps[event.step] = StepRecord(
                    event.step, event.kind, event.title, event.note, event.sender, event.receiver, event.line
                )
            case events.Exchanged():
                scenario.steps[event.step].exchanges.append(event.exchange)
            case events.Judged():
                scenario.steps[event.step].findings.append(event.finding)
            case events.BrokerStatus():
                scenario.steps[event.step].broker.append(event)
            case events.StepFinished():
                scenario.steps[event.step].seconds = event.seconds
                scenario.steps[event.step].captured = dict(event.captured)
            case _:
                pass


def join(records: Iterable[Record]) -> Record:
    """One record of several runs; raises ValueError when two of them played the same."""
    joined = Record()
    for record in records:
        twice = sorted(set(record.scenarios) & set(joined.scenarios))
        if twice:
            raise ValueError(
                f"{twice[0]} was played in two of these runs; put runs together that played different things"
            )
        joined.runs += record.runs
        joined.ends += record.ends
        joined.scenarios.update(record.scenarios)
        joined.strays += record.strays
        joined.warnings += record.warnings
    return joined


def worst(scenarios: Iterable[ScenarioRecord]) -> Verdict | None:
    """The worst verdict of some scenarios; None where none has one."""
    said = {scenario.verdict or Verdict.ERROR for scenario in scenarios}
    return next((verdict for verdict in WORST_FIRST if verdict in said), None)
