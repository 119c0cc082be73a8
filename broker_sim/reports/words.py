"""How findings and spans of time are worded, the same in every report."""

from __future__ import annotations

import shlex

from broker_sim.events import RunStarted
from broker_sim.reports.record import ScenarioRecord, StepRecord
from broker_sim.verdict import Finding


def explain(scenario: ScenarioRecord, step: StepRecord, finding: Finding) -> str:
    """Requirement → expected → actual → where, as lines of text."""
    lines = [
        f"step {step.number + 1} ({step.sender}: {step.title})",
        f"  requirement  {finding.requirement}",
        f"  expected     {finding.expected}",
        f"  actual       {finding.actual}",
    ]
    if where(finding):
        lines.append(f"  where        {where(finding)}")
    return "\n".join([*lines, f"  in           {place(scenario, step)}"])


def place(scenario: ScenarioRecord, step: StepRecord | None) -> str:
    """File and line of a step, or of the last one that was begun."""
    last = step or next(reversed(scenario.reached), None)
    return f"{scenario.billing.file}:{last.line if last is not None else 1}"


def where(finding: Finding) -> str:
    """Path and line of a finding, as far as it has them."""
    parts = [finding.where or "", f"line {finding.line}" if finding.line is not None else ""]
    return ", ".join(part for part in parts if part)


def span(seconds: float) -> str:
    """A span of time as people write it."""
    return f"{seconds * 1000:.0f} ms" if seconds < 1 else f"{seconds:.1f} s"


def again(scenario: ScenarioRecord) -> str:
    """The command that plays one scenario or case again; one that is not bundled is known by its file only."""
    run, billing = scenario.run, scenario.billing
    name = billing.id if billing.bundled else billing.file
    return shlex.join(["broker-sim", run.command, name, "--target", run.target, "--agent", run.agent_file])


def what(run: RunStarted) -> str:
    """How many of what were played: “35 scenarios”, “1 case”."""
    many = len(run.scenarios)
    return f"{many} {'case' if run.command == 'conform' else 'scenario'}{'s' * (many != 1)}"
