"""What a scenario has taken is put back when it is over, however it ended, and nothing of that is judged."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from lxml import etree

from broker_sim import events, loading
from broker_sim.verdict import Verdict
from broker_sim.yamlfile import FileMistake
from tests.broker_sim.conftest import Stage
from tests.broker_sim.library import NS, Library

NEEDS = "needs: [item.available]\npartner: ILS\n"
CHECK_OUT = """
    - send: CheckOutItem
      message:
        UserId: {UserIdentifierValue: "U-1"}
        ItemId: {AgencyId: "${lender}", ItemIdentifierValue: "${item}"}
        DesiredDateDue: "${now+7d}"
"""
CHECK_IN = """
    - send: CheckInItem
      message: {ItemId: {ItemIdentifierValue: "${item}"}}
"""
REQUEST = """
    - send: RequestItem
      message:
        UserId: {UserIdentifierValue: "U-1"}
        ItemId: {ItemIdentifierValue: "${item}"}
        RequestId: {RequestIdentifierValue: "R-${unique}"}
        RequestType: Hold
        RequestScopeType: Item
"""
BROKEN = """
    - send: LookupItem
      message: {ItemId: {ItemIdentifierValue: "UNKNOWN"}}
"""


def services(library: Library) -> list[str]:
    return [etree.QName(etree.fromstring(raw)[0]).localname for raw in library.received]


def afterwards(stage: Stage) -> list[events.Exchange]:
    (number,) = {
        one.step for one in stage.events if isinstance(one, events.StepStarted) and one.kind == events.AFTERWARDS
    }
    return [one.exchange for one in stage.events if isinstance(one, events.Exchanged) and one.step == number]


async def test_what_is_still_lent_is_given_back_by_whoever_lent_it(stage: Stage) -> None:
    library = Library()
    record = await stage.play_one(library, CHECK_OUT, NEEDS)
    assert [one.verdict for one in record.scenarios.values()] == [Verdict.PASS]
    assert services(library) == ["CheckOutItem", "CheckInItem"]
    lent, returned = (etree.fromstring(raw) for raw in library.received)
    for path in ("ApplicationProfileType", "ToAgencyId", "ItemId"):
        ours, theirs = (
            etree.tostring(message.find(f".//{{{NS}}}{path}"), method="c14n") for message in (lent, returned)
        )
        assert ours == theirs
    assert [one.answered for one in afterwards(stage)] == ["CheckInItemResponse"]


async def test_what_is_still_asked_for_is_cancelled_before_anything_is_given_back(stage: Stage) -> None:
    library = Library()
    await stage.play_one(library, CHECK_OUT + REQUEST, NEEDS)
    assert services(library) == ["CheckOutItem", "RequestItem", "CancelRequestItem", "CheckInItem"]
    cancelled = etree.fromstring(library.received[2])[0]
    told = [etree.QName(one).localname for one in cancelled]
    assert told == ["InitiationHeader", "UserId", "RequestId", "ItemId", "RequestType"]


async def test_it_is_put_back_after_a_failure_as_well(stage: Stage) -> None:
    library = Library()
    record = await stage.play_one(library, CHECK_OUT + BROKEN + CHECK_IN, NEEDS)
    (scenario,) = record.scenarios.values()
    assert scenario.verdict is Verdict.FAIL
    assert services(library) == ["CheckOutItem", "LookupItem", "CheckInItem"]
    assert [step.number for step in scenario.reached] == [0, 1], "putting things back is no step of the story"


async def test_what_the_story_ends_itself_is_not_ended_again(stage: Stage) -> None:
    library = Library()
    await stage.play_one(library, REQUEST + CHECK_OUT + CHECK_IN, NEEDS)
    assert services(library) == ["RequestItem", "CheckOutItem", "CheckInItem"]


async def test_what_the_target_does_not_offer_is_not_asked_of_it(stage: Stage) -> None:
    library = Library()
    identity = msgspec.structs.replace(stage.agent.agent, services=["RequestItem", "CheckOutItem"])
    stage.agent = msgspec.structs.replace(stage.agent, agent=identity)
    await stage.play_one(library, REQUEST + CHECK_OUT, NEEDS)
    assert services(library) == ["RequestItem", "CheckOutItem"]


AFTERWARDS = (
    NEEDS
    + """
afterwards:
  - desk: return
    with: {barcode: UNKNOWN-DESK}
  - send: DeleteItem
    message: {ItemId: {ItemIdentifierValue: "${item}"}}
  - send: DeleteItem
    message: {ItemId: {ItemIdentifierValue: "${never}"}}
"""
)


async def test_a_scenario_says_itself_what_else_puts_things_back_and_none_of_it_is_judged(stage: Stage) -> None:
    library = Library()
    captures = CHECK_OUT + "      capture: {never: CheckOutItemResponse/ItemId/ItemIdentifierValue}\n"
    record = await stage.play_one(library, BROKEN + captures, AFTERWARDS)
    (scenario,) = record.scenarios.values()
    assert scenario.verdict is Verdict.FAIL
    assert {step.number for step, _ in scenario.unmet} == {0}
    said = [one.answered for one in afterwards(stage)]
    assert said[0].startswith("HTTP 404")
    assert "Unsupported Service" in said[1]
    assert len(said) == 2, "what the story did not get to remember cannot be sent"


@pytest.mark.parametrize("step", ["{wait: 1s}", "{desk: return, with: {barcode: x}, expect: [{status: 200}]}"])
def test_afterwards_nothing_is_expected_and_nobody_waits(stage: Stage, step: str) -> None:
    path = stage.write("one", CHECK_OUT, f"{NEEDS}afterwards: [{step}]\n")
    with pytest.raises(FileMistake, match="afterwards there is only `send` and `desk`"):
        loading.load(path)


async def test_after_the_last_scenario_that_moves_it_the_clock_goes_on_from_where_it_was(stage: Stage) -> None:
    library = Library()
    library.ahead = timedelta(hours=5)
    moving = stage.write("moving", "- clock: {advance: P40D}", 'clock: "2031-05-01T10:00:00Z"')
    await stage.play(library, moving)
    assert stage.code == 0
    assert abs(library.ahead - timedelta(hours=5)) < timedelta(minutes=5), datetime.now(UTC) + library.ahead
