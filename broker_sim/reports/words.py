"""How findings and spans of time are worded, the same in every report."""

from __future__ import annotations

from broker_sim.events import RunStarted
from broker_sim.reports.record import StepRecord
from broker_sim.verdict import Finding


def explain(step: StepRecord, finding: Finding) -> str:
    """Requirement → expected → actual → where, as lines of text."""
    lines = [
        f"step {step.number + 1} ({step.sender}: {step.title})",
        f"  requirement  {finding.requirement}",
        f"  expected     {finding.expected}",
        f"  actual       {finding.actual}",
    ]
    place = where(finding)
    return "\n".join([*lines, f"  where        {place}"] if place else lines)


def where(finding: Finding) -> str:
    """Path and line of a finding, as far as it has them."""
    parts = [finding.where or "", f"line {finding.line}" if finding.line is not None else ""]
    return ", ".join(part for part in parts if part)


def span(seconds: float) -> str:
    """A span of time as people write it."""
    return f"{seconds * 1000:.0f} ms" if seconds < 1 else f"{seconds:.1f} s"


def again(run: RunStarted, scenario: str) -> str:
    """The command that plays one scenario or case again."""
    return f"broker-sim {run.command} {scenario} --target {run.target} --agent {run.agent_file}"


def what(run: RunStarted) -> str:
    """How many of what were played: “35 scenarios”, “1 case”."""
    many = len(run.scenarios)
    return f"{many} {'case' if run.command == 'conform' else 'scenario'}{'s' * (many != 1)}"
