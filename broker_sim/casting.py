"""Before anything is sent: every scenario gets its test data, or the reason why it is not played."""

from __future__ import annotations

import fnmatch
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime

from broker_sim.agent import Agent, Fixtures, MissingRole, UsedUp
from broker_sim.play import Excluded, Excused, Trouble
from broker_sim.playing import Given
from broker_sim.scenario import Await, Desk, Scenario, Silence, Transmission


def cast(
    scenarios: Sequence[Scenario], agent: Agent, *, listening: bool, warn: Callable[[str], None]
) -> dict[str, Given]:
    """Hand the agent file's test data out, in the order of the scenarios; what is not played gets none."""
    excluded = _excluded([scenario.id for scenario in scenarios], agent, warn)
    fixtures = Fixtures(agent)
    return {
        scenario.id: excluded.get(scenario.id) or _given(agent, scenario, fixtures, listening=listening)
        for scenario in scenarios
    }


def _given(agent: Agent, scenario: Scenario, fixtures: Fixtures, *, listening: bool) -> Given:
    lacking = next(_lacking(agent, scenario, listening=listening), None)
    if lacking is not None:
        return Excused(lacking)
    try:
        return fixtures.take(scenario.needs)
    except MissingRole as missing:
        return Excused(str(missing))
    except UsedUp as used_up:
        return Trouble(str(used_up))


def _lacking(agent: Agent, scenario: Scenario, *, listening: bool) -> Iterator[str]:
    """What the target does not offer, though the scenario needs it."""
    if scenario.persona is not None and scenario.persona.post.transport != "http" and agent.access.tcp is None:
        yield f"the agent file has no [access] tcp, and {scenario.story.persona} sends without HTTP"
    undeclared = sorted(scenario.services - set(agent.agent.services)) if agent.agent.services else []
    if undeclared:
        yield f"the agent file does not declare {', '.join(undeclared)}"
    actions = sorted({step.desk for step in scenario.steps if isinstance(step, Desk)} - set(agent.desk))
    if actions:
        yield f"the agent file describes no desk action {', '.join(map(repr, actions))}"
    sides = {step.to for step in scenario.steps if isinstance(step, Transmission)}
    sides |= {step.at for step in scenario.steps if isinstance(step, Desk)}
    if "borrower" in sides and not agent.agency.borrower:
        yield "the agent file names no borrower agency"
    if not listening and any(isinstance(step, Await | Silence) for step in scenario.steps):
        yield "the agent file has no [callback] listen: the broker hears nothing from this target"
    if scenario.exclusive and agent.demo.clock is None:
        yield "it moves the target's clock, and the agent file has no [demo.clock]"


def _excluded(ids: Sequence[str], agent: Agent, warn: Callable[[str], None]) -> dict[str, Excluded]:
    excluded: dict[str, Excluded] = {}
    today = datetime.now(UTC).date()
    for exclusion in agent.exclude:
        if _over(exclusion.until, today):
            warn(f"the exclusion of {exclusion.case} ended on {exclusion.until}: it is played again")
            continue
        matched = fnmatch.filter(ids, exclusion.case)
        folder = exclusion.case.partition(".")[0]
        if not matched and fnmatch.filter((name.partition(".")[0] for name in ids), folder):
            warn(f"the exclusion of {exclusion.case} excludes nothing in this run")
        excluded.update({name: Excluded(f"excluded by the agent file: {exclusion.reason}") for name in matched})
    return excluded


def _over(until: date | None, today: date) -> bool:
    return until is not None and until < today
