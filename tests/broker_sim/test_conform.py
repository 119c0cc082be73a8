"""The suite judged: every requirement has its case, every case can be played, and no wrong responder gets past them."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import msgspec
import pytest
from lxml import etree

from broker_sim import agent as agents
from broker_sim import listing, loading, places
from broker_sim.scenario import Desk, ExpectedProblem, Scenario, Send
from broker_sim.verdict import Verdict
from tests.broker_sim.conftest import AGENT_FILE, RULES, Stage
from tests.broker_sim.wrong import AlwaysProblem, NoEffect, Wrong

CASES = [loading.load(path, RULES) for path in loading.select([], places.cases())]


def acts(case: Scenario) -> bool:
    """Whether the target has to do something for the case to pass, and not only to answer."""
    return any(
        isinstance(step, Send)
        and step.raw is None
        and step.hex is None
        and not step.service.startswith("Lookup")
        and not any(isinstance(one.problem, ExpectedProblem) or one.response is not None for one in step.expect)
        for step in case.steps
    )


def test_every_requirement_is_verified_by_a_case_or_says_why_not() -> None:
    assert [one.requirement.slug for one in listing.coverage(RULES, CASES) if one.gap] == []


def test_every_requirement_says_where_it_comes_from() -> None:
    assert [one.slug for one in RULES if not one.clause.startswith(("Z39.83-", "schema 2.02", "practice"))] == []


def services_of_the_standard() -> set[str]:
    root = etree.parse(places.xsd()).getroot()
    messages = {str(node.get("name")) for node in root.iter("{http://www.w3.org/2001/XMLSchema}element")}
    return {name for name in messages if f"{name}Response" in messages} | {"LookupVersion"}


def test_every_service_of_the_standard_has_requirements_and_cases() -> None:
    services = services_of_the_standard()
    assert len(services) == 48
    groups = {title: group for group, title in RULES.titles.items()}
    played = {case.id.partition(".")[0] for case in CASES}
    assert sorted(services - set(groups)) == []
    assert sorted(name for name in services if groups[name] not in played) == []


def test_the_bundled_agent_claims_every_service_of_the_standard() -> None:
    assert set(agents.load(AGENT_FILE).agent.services) == services_of_the_standard()


def test_every_case_asks_for_roles_and_desk_actions_that_the_bundled_agent_has_or_excuses() -> None:
    agent = agents.load(AGENT_FILE)
    excused = tuple(exclusion.case for exclusion in agent.exclude)
    lacking = {
        case.id: sorted(set(case.needs.values()) - set(agent.fixtures))
        for case in CASES
        if set(case.needs.values()) - set(agent.fixtures) and case.id not in excused
    }
    assert lacking == {}
    assert {step.desk for case in CASES for step in case.steps if isinstance(step, Desk)} <= set(agent.desk)


@pytest.mark.slow
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
    by_verdict = {
        verdict: {name for name, one in record.scenarios.items() if one.verdict is verdict} for verdict in Verdict
    }
    assert {name: record.scenarios[name].reason for name in by_verdict[Verdict.ERROR]} == {}
    assert stage.code == 1
    assert sorted(by_verdict[Verdict.PASS] & {case.id for case in CASES if acts(case)}) == []
    assert len(by_verdict[Verdict.PASS]) < len(CASES) / 5
    assert len(by_verdict[Verdict.FAIL]) > len(CASES) / 4


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


CASE = """
title: t
verifies: [check-out-item.resend]
needs: [item.available]
steps:
  - send: CheckOutItem
    message: {UserId: {UserIdentifierValue: x}, ItemId: {ItemIdentifierValue: UNKNOWN}}
  - send: LookupItem
    message: {ItemId: {ItemIdentifierValue: "${item}"}}
"""


async def test_a_broken_should_is_not_strict_and_ends_the_case_all_the_same(stage: Stage, tmp_path: Path) -> None:
    path = tmp_path / "check-out-item" / "refused.yaml"
    path.parent.mkdir()
    path.write_text(CASE, encoding="utf-8")
    record = await stage.play(AlwaysProblem("Unknown Item"), path, cases=True)
    (case,) = record.scenarios.values()
    assert case.verdict is Verdict.NON_STRICT
    assert list(case.steps) == [0], "what comes after a refusal makes no sense"
    assert stage.code == 0
    await stage.play(AlwaysProblem("Unknown Item"), path, cases=True, strict=True)
    assert stage.code == 1
