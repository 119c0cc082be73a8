"""The suite judged: every requirement has its case, every case needs what it says, and no wrong responder gets past it."""

from __future__ import annotations

from collections import Counter

import msgspec
import pytest

from broker_sim import agent as agents
from broker_sim import listing, loading, places, requirements
from broker_sim.reports.record import Record
from broker_sim.scenario import ExpectedProblem, Scenario, Send
from broker_sim.verdict import Verdict
from tests.broker_sim.conftest import Stage
from tests.broker_sim.wrong import AlwaysProblem, NoEffect, Wrong

RULES = requirements.load(places.requirements())
CASES = [loading.load(path, RULES) for path in loading.select([], places.cases())]


def acts(case: Scenario) -> bool:
    """Whether the target has to do something for the case to pass, and not only to answer."""
    return any(
        isinstance(step, Send)
        and step.raw is None
        and step.hex is None
        and not step.service.startswith("Lookup")
        and not any(isinstance(one.problem, ExpectedProblem) for one in step.expect)
        and not any(one.response is not None for one in step.expect)
        for step in case.steps
    )


def test_every_requirement_is_verified_by_a_case_or_says_why_not() -> None:
    assert [one.requirement.slug for one in listing.coverage(RULES, CASES) if one.gap] == []


def test_every_requirement_says_where_it_comes_from() -> None:
    assert [one.slug for one in RULES if not one.clause.startswith(("Z39.83-", "schema 2.02", "practice"))] == []
    assert {one.level for one in RULES} == {"MUST", "SHOULD", "MAY"}


@pytest.mark.parametrize(
    "wrong",
    [
        pytest.param(AlwaysProblem("Temporary Processing Failure"), id="always no"),
        pytest.param(AlwaysProblem("Unknown Item"), id="always unknown item"),
        pytest.param(NoEffect("Available On Shelf"), id="yes without effect"),
        pytest.param(NoEffect("On Loan"), id="yes without effect, everything on loan"),
    ],
)
async def test_a_responder_that_does_nothing_passes_no_case_that_needs_an_effect(stage: Stage, wrong: Wrong) -> None:
    stage.agent = everything(stage.agent)
    record = await stage.play(wrong, *(case.path for case in CASES), jobs=16, command="conform")
    passed = {one.billing.id for one in record.scenarios.values() if one.verdict is Verdict.PASS}
    assert [(one.billing.id, one.reason) for one in record.scenarios.values() if one.verdict is Verdict.ERROR] == []
    assert stage.code == 1
    assert sorted(passed & {case.id for case in CASES if acts(case)}) == []
    print(wrong, len(passed), sorted(passed))
    assert len(passed) < len(CASES) / 4


def everything(agent: agents.Agent) -> agents.Agent:
    """The bundled agent with as much test data of every role as all cases need, and nothing left out."""
    needed = Counter(role for case in CASES for role in case.needs.values())
    facts = {role: agents.expand(fixture)[0] for role, fixture in agent.fixtures.items()}
    other = {"record": "R", "secret": "S"}  # what cases want to know of roles that the bundled agent does not have
    given = {
        role: agents.Fixture(ids=[{**facts.get(role, other), "id": f"{role}-{n}"} for n in range(many)])
        for role, many in needed.items()
    }
    identity = msgspec.structs.replace(agent.agent, services=[])
    return msgspec.structs.replace(agent, fixtures=given, agent=identity, exclude=[])
