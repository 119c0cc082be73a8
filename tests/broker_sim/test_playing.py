"""Scenarios played against a small library: a correct one is green, each broken one is red for its own reason."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import msgspec
import pytest
from aiohttp import web

from broker_sim import events, places
from broker_sim.agent import Agencies, Demo, Exclusion, Fixture
from broker_sim.reports.record import Record
from broker_sim.verdict import Finding, Verdict
from tests.broker_sim.conftest import Stage
from tests.broker_sim.library import Library

BUNDLED = places.conformance() / "scenarios" / "alma-broker"

CHECK_OUT = """
    - send: CheckOutItem
      name: out
      message:
        UserId: {UserIdentifierValue: "-"}
        ItemId: {ItemIdentifierValue: "${item}"}
        RequestId: {RequestIdentifierValue: "R-${unique}"}
        DesiredDateDue: "${now+7d}"
"""


def only(record: Record) -> tuple[Verdict | None, list[Finding]]:
    (scenario,) = record.scenarios.values()
    return scenario.verdict, [finding for _, finding in scenario.unmet]


async def test_the_model_scenarios_pass_against_a_correct_library(stage: Stage) -> None:
    record = await stage.play(Library(), BUNDLED / "lending-physical.yaml", BUNDLED / "borrowing-full-round.yaml")
    assert {one.billing.id: one.verdict for one in record.scenarios.values()} == {
        "alma-broker.lending-physical": Verdict.PASS,
        "alma-broker.borrowing-full-round": Verdict.PASS,
    }, [(step.title, finding) for one in record.scenarios.values() for step, finding in one.unmet]
    assert stage.code == 0


@pytest.mark.parametrize(
    ("fault", "requirement", "actual"),
    [
        ("not-xml", "The answer is a well-formed XML document", "It works!"),
        ("doctype", "The answer is a well-formed XML document", "document type declaration"),
        ("invalid", "The message is valid by the NCIP 2.02 schema", "Surprise"),
        ("invalid-prefixed", "The message is valid by the NCIP 2.02 schema", "Surprise"),
        ("invalid-foreign", "The message is valid by the NCIP 2.02 schema", "Surprise"),
        ("invalid-type", "The message is valid by the NCIP 2.02 schema", "Surprise"),
        ("no-namespace", "The answer is an NCIPMessage in the NCIP 2 namespace", "urn:something-else"),
        ("header-not-turned", "The ResponseHeader turns the InitiationHeader round: FromAgencyId", "BROKER-SIM"),
        ("hang", "Every message is answered", "no answer after 0.3 s"),
        ("cut", "Every message is answered", "the line was closed without a whole answer"),
        ("http-500", "An NCIP answer is HTTP 200, Problems too", "HTTP 500: “Traceback (most recent call last)”"),
        ("media-type", "NCIP travels as application/xml", "text/html"),
        ("wrong-response", "The answer is a CheckOutItemResponse", "RecallItemResponse"),
    ],
)
async def test_a_broken_library_is_red_for_its_own_fault(
    stage: Stage, fault: str, requirement: str, actual: str
) -> None:
    patience = "      timeout: 300ms\n" if fault == "hang" else ""
    verdict, unmet = only(await stage.play_one(Library(fault), CHECK_OUT + patience + "    - wait: 1ms\n"))
    assert verdict is Verdict.FAIL
    found = [finding for finding in unmet if finding.requirement.startswith(requirement)]
    assert found, unmet
    assert actual in found[0].actual
    assert stage.code == 1


async def test_a_charset_that_garbles_the_answer_is_red(stage: Stage) -> None:
    steps = CHECK_OUT.replace('"-"', '"Žofie"')
    verdict, (finding,) = only(await stage.play_one(Library("charset"), steps))
    assert verdict is Verdict.FAIL
    assert "charset" in finding.requirement
    assert (finding.expected, finding.actual) == ("charset UTF-8", "charset iso-8859-1")
    assert only(await stage.play_one(Library(), steps)) == (Verdict.PASS, [])


async def test_what_is_no_xml_is_quoted_on_one_line_without_what_a_terminal_obeys(stage: Stage) -> None:
    verdict, unmet = only(await stage.play_one(Library("not-xml"), CHECK_OUT))
    assert verdict is Verdict.FAIL
    (actual,) = [finding.actual for finding in unmet if "well-formed" in finding.requirement]
    assert actual.startswith("line 2, column 25: Opening and ending tag mismatch: body line 2 and html: “<html> <body>")
    assert actual.isprintable()


async def test_white_space_around_an_identifier_is_non_strict(stage: Stage) -> None:
    verdict, (finding,) = only(await stage.play_one(Library("padded"), CHECK_OUT))
    assert verdict is Verdict.NON_STRICT
    assert finding.requirement == "Identifiers stand by themselves, without white space around them"
    assert finding.where == "/NCIPMessage/CheckOutItemResponse/ItemId/ItemIdentifierValue"


async def test_comments_in_an_answer_are_no_fault(stage: Stage) -> None:
    assert only(await stage.play_one(Library("comments"), CHECK_OUT)) == (Verdict.PASS, [])


async def test_a_wrong_problem_is_red_and_both_problems_are_named(stage: Stage) -> None:
    steps = """
    - send: CheckOutItem
      message: {UserId: {UserIdentifierValue: "-"}, ItemId: {ItemIdentifierValue: "UNKNOWN-${unique}"}}
      expect:
        - problem: {type: Unknown Item, element: ItemIdentifierValue, value: "UNKNOWN-${unique}"}
    """
    assert only(await stage.play_one(Library(), steps)) == (Verdict.PASS, [])
    verdict, (finding,) = only(await stage.play_one(Library("wrong-problem"), steps))
    assert verdict is Verdict.FAIL
    assert finding.expected.startswith("Problem Unknown Item, element ItemIdentifierValue, value UNKNOWN-")
    assert finding.actual.startswith("Problem Unknown User")
    assert finding.where == "/NCIPMessage/CheckOutItemResponse/Problem"


async def test_a_problem_that_nobody_expects_is_red(stage: Stage) -> None:
    steps = """
    - send: LookupItem
      message: {ItemId: {ItemIdentifierValue: UNKNOWN}}
    """
    verdict, (finding,) = only(await stage.play_one(Library(), steps))
    assert verdict is Verdict.FAIL
    assert finding.requirement == "There is no Problem"
    assert "No item here has this barcode." in finding.actual


async def test_a_resend_must_be_answered_octet_for_octet_alike(stage: Stage) -> None:
    steps = CHECK_OUT + "    - again: out\n      expect: [{same_as: out}]\n"
    assert only(await stage.play_one(Library(), steps))[0] is Verdict.PASS
    library = Library("resend-differs")
    verdict, (finding,) = only(await stage.play_one(library, steps))
    assert verdict is Verdict.FAIL
    assert "octet for octet" in finding.requirement
    assert "became" in finding.actual
    assert library.received[0] == library.received[1]


async def test_a_message_can_be_sent_several_times_one_after_the_other_or_at_once(stage: Stage) -> None:
    library = Library()
    steps = CHECK_OUT + "      times: 3\n      expect: [{identical: true}]\n"
    assert only(await stage.play_one(library, steps))[0] is Verdict.PASS
    sent = [raw for raw in library.received if b"CheckOutItem" in raw]
    assert len(set(sent)) == 1
    assert len(sent) == 3
    race = """
    - send: CheckOutItem
      concurrently: 5
      message:
        UserId: {UserIdentifierValue: "-"}
        ItemId: {ItemIdentifierValue: "${item}"}
        RequestId: {RequestIdentifierValue: "R-${copy}"}
        DesiredDateDue: "${now+7d}"
      expect:
        - {path: CheckOutItemResponse/DateDue, holds_for: "1"}
        - {problem: {type: Item Already Checked Out}, holds_for: "4"}
    """
    library = Library()
    assert only(await stage.play_one(library, race)) == (Verdict.PASS, [])
    assert len({raw for raw in library.received if b"CheckOutItem" in raw}) == 5


async def test_being_slow_is_non_strict_and_fails_only_when_strict(stage: Stage) -> None:
    steps = CHECK_OUT + "      expect: [{within: 100ms}]\n"
    verdict, (finding,) = only(await stage.play_one(Library("slow"), steps))
    assert verdict is Verdict.NON_STRICT
    assert finding.aspect == "timing"
    assert stage.code == 0
    await stage.play(Library("slow"), stage.folder / "test" / "one.yaml", strict=True)
    assert stage.code == 1


async def test_the_first_broken_must_ends_a_scenario(stage: Stage) -> None:
    record = await stage.play_one(
        Library("http-500", only_for="LookupItem"), CHECK_OUT + LOOK_UP + CHECK_OUT.replace("name: out", "name: again")
    )
    (scenario,) = record.scenarios.values()
    assert [step.number for step in scenario.reached] == [0, 1]
    assert scenario.billing.steps == 3


LOOK_UP = """
    - send: LookupItem
      message: {ItemId: {ItemIdentifierValue: "${item}"}, ItemElementType: Circulation Status}
      capture: {seen: LookupItemResponse/ItemOptionalFields/CirculationStatus}
"""


async def test_what_is_captured_can_be_used_later_and_what_is_not_there_is_red(stage: Stage) -> None:
    again = LOOK_UP + "      expect: [{path: //CirculationStatus, equals: '${seen}'}]\n"
    assert only(await stage.play_one(Library(), LOOK_UP + again))[0] is Verdict.PASS
    verdict, (finding,) = only(await stage.play_one(Library(), LOOK_UP.replace("/CirculationStatus}", "/DateDue}")))
    assert verdict is Verdict.FAIL
    assert "to be remembered as seen" in finding.requirement


async def test_malformed_octets_are_sent_as_they_are_written(stage: Stage) -> None:
    library = Library()
    steps = """
    - send: half a message
      raw: "<NCIPMessage"
      content_type: text/xml
      expect:
        - response: Problem
        - problem: {type: Invalid Message Syntax Error}
    - send: NUL bytes
      hex: "00 3c"
      expect: [{response: Problem}]
    """
    assert only(await stage.play_one(library, steps)) == (Verdict.PASS, [])
    assert library.received == [b"<NCIPMessage", b"\x00<"]
    assert library.seen_headers[0]["Content-Type"] == "text/xml"


async def test_a_scenario_whose_own_message_is_invalid_is_an_error_of_the_suite(stage: Stage) -> None:
    steps = """
    - send: CheckInItem
      message: {UserId: {UserIdentifierValue: x}, ItemId: {ItemIdentifierValue: "${item}"}}
"""
    record = await stage.play_one(Library(), steps)
    (scenario,) = record.scenarios.values()
    assert scenario.verdict is Verdict.ERROR
    assert "the scenario's own CheckInItem is not valid NCIP 2.02" in str(scenario.reason)
    assert stage.code == 4
    deliberate = steps + "      valid: false\n"
    assert only(await stage.play_one(Library(), deliberate))[0] is Verdict.PASS


async def test_headers_come_from_the_agent_file_unless_the_scenario_says_otherwise(stage: Stage) -> None:
    library = Library()
    steps = (
        LOOK_UP
        + LOOK_UP
        + "      header: none\n"
        + LOOK_UP
        + "      to: borrower\n      from: ILLIAD\n      partner: none\n"
    )
    assert (
        only(await stage.play_one(library, steps, "needs: [item.available]\npartner: BROKER-MANUAL\n"))[0]
        is Verdict.PASS
    )
    first, second, third = (raw.decode() for raw in library.received)
    assert "<AgencyId>BROKER-SIM</AgencyId>" in first
    assert "<ApplicationProfileType>BROKER-MANUAL</ApplicationProfileType>" in first
    assert "InitiationHeader" not in second
    assert "<AgencyId>NCIPD-BORROW</AgencyId>" in third
    assert "<AgencyId>ILLIAD</AgencyId>" in third
    assert "ApplicationProfileType" not in third


async def test_a_desk_step_works_through_the_agents_templates(stage: Stage) -> None:
    steps = """
    - desk: ship
      with: {barcode: "${item}"}
    - desk: show-item
      with: {barcode: "${item}"}
      capture: {state: status}
      expect:
        - {json: status, equals: On Loan}
        - {json_absent: loan}
    - desk: ship
      with: {barcode: UNKNOWN}
      expect:
        - status: [404, 422]
        - {json: error.code, equals: item-not-found}
    - desk: ship
      with: {barcode: UNKNOWN}
    """
    verdict, (finding,) = only(await stage.play_one(Library(), steps))
    assert verdict is Verdict.FAIL
    assert finding.requirement == "The desk can ship"
    assert finding.actual == "HTTP 404: No item has this barcode."


async def test_a_step_that_looks_at_something_in_the_background_is_repeated_until_it_holds(stage: Stage) -> None:
    class Slow(Library):
        looks = 0

        def serve(self, body: object, service: str, fault: str | None) -> object:  # type: ignore[override]
            self.looks += 1
            for item in self.items.values():
                item["status"] = "On Loan" if self.looks > 3 else "In Process"
            return super().serve(body, service, fault)  # type: ignore[arg-type]

    steps = LOOK_UP + "      eventually: 60s\n      expect: [{path: //CirculationStatus, equals: On Loan}]\n"
    record = await stage.play_one(Slow(), steps)
    (scenario,) = record.scenarios.values()
    assert scenario.verdict is Verdict.PASS
    assert len(scenario.steps[0].exchanges) == 1


async def test_an_answer_may_have_a_root_of_its_own_where_the_scenario_says_so(stage: Stage) -> None:
    class Versions(Library):
        async def ncip(self, request: web.Request) -> web.StreamResponse:
            body = b"<NCIPVersionMessage><LookupVersionResponse><VersionSupported>v2_02</VersionSupported>"
            body += b"</LookupVersionResponse></NCIPVersionMessage>"
            return web.Response(body=body, content_type="application/xml")

    steps = """
    - send: LookupVersion
      raw: <NCIPVersionMessage/>
      root: NCIPVersionMessage
      expect:
        - {path: "//*[local-name()='VersionSupported']", contains: v2_02}
    """
    assert only(await stage.play_one(Versions(), steps)) == (Verdict.PASS, [])
    assert only(await stage.play_one(Versions(), steps.replace("root: NCIPV", "root: X")))[0] is Verdict.FAIL
    assert only(await stage.play_one(Versions(), steps.replace("root: NCIPVersionMessage", "")))[0] is Verdict.FAIL


async def test_either_success_or_a_problem_is_right_where_the_scenario_says_so(stage: Stage) -> None:
    asked = LOOK_UP.partition("      capture")[0]
    steps = asked + "      expect: [{response: [LookupItemResponse, Problem]}]\n"
    assert only(await stage.play_one(Library(), steps)) == (Verdict.PASS, [])
    assert only(await stage.play_one(Library(), steps.replace("${item}", "UNKNOWN"))) == (Verdict.PASS, [])
    assert only(await stage.play_one(Library(), asked.replace("${item}", "UNKNOWN")))[0] is Verdict.FAIL


async def test_the_clock_can_be_moved_and_dates_follow_it(stage: Stage) -> None:
    library = Library()
    steps = "    - clock: {advance: P2D}\n" + CHECK_OUT
    record = await stage.play_one(library, steps, 'needs: [item.available]\nclock: "2031-05-01T10:00:00Z"\n')
    assert only(record)[0] is Verdict.PASS
    assert b"<DesiredDateDue>2031-05-10T1" in library.received[0]


async def test_scenarios_that_move_the_clock_are_played_alone(stage: Stage) -> None:
    quiet = [stage.write(f"quiet-{n}", "- wait: 30ms") for n in range(3)]
    moving = [stage.write(f"moving-{n}", "- clock: {advance: P1D}\n- wait: 10ms") for n in range(2)]
    await stage.play(Library(), *moving, *quiet)
    playing: set[str] = set()
    for event in stage.events:
        if isinstance(event, events.ScenarioStarted):
            playing.add(event.scenario)
            assert len(playing) == 1 or not any("moving" in name for name in playing)
        if isinstance(event, events.ScenarioFinished):
            playing.remove(event.scenario)
    assert stage.code == 0


UNOFFERED = """
    - send: DeleteUser
      message: {UserId: {UserIdentifierValue: x}}
      expect: [{problem: {type: [Unsupported Service, Unknown Service]}}]
"""


async def test_what_the_target_cannot_be_asked_is_skipped_with_the_reason(stage: Stage) -> None:
    stage.agent = msgspec.structs.replace(
        stage.agent,
        demo=Demo(),
        agency=Agencies(lender="NCIPD-LEND"),
        agent=msgspec.structs.replace(stage.agent.agent, services=["LookupItem"]),
    )
    paths = [
        stage.write("no-role", "- wait: 1ms", "needs: [item.of_gold]"),
        stage.write("no-service", CHECK_OUT, "needs: [item.available]"),
        stage.write("no-desk", "- desk: dance"),
        stage.write("no-clock", "- clock: {advance: P1D}"),
        stage.write("wants-refusal", UNOFFERED),
        stage.write("no-borrower", LOOK_UP + "      to: borrower\n", "needs: [item.available]"),
    ]
    record = await stage.play(Library(), *paths)
    assert record.scenarios.pop("test.wants-refusal").verdict is Verdict.PASS
    assert {name.removeprefix("test."): one.reason for name, one in record.scenarios.items()} == {
        "no-role": "the agent file names no item.of_gold",
        "no-service": "the agent file does not declare CheckOutItem",
        "no-desk": "the agent file describes no desk action 'dance'",
        "no-clock": "it moves the target's clock, and the agent file has no [demo.clock]",
        "no-borrower": "the agent file names no borrower agency",
    }
    assert stage.code == 0
    await stage.play(Library(), paths[0], no_skips=True)
    assert stage.code == 1
    stage.agent = msgspec.structs.replace(stage.agent, callback=None)
    record = await stage.play(Library(), stage.write("deaf", "- await: RenewItem"))
    assert record.scenarios["test.deaf"].reason == (
        "the agent file has no [callback] listen: the broker hears nothing from this target"
    )


async def test_each_scenario_gets_test_data_of_its_own_and_a_used_up_list_is_said(stage: Stage) -> None:
    fixture = Fixture(ids=["L-1", "L-2"], agency="NCIPD-LEND")
    stage.agent = msgspec.structs.replace(stage.agent, fixtures={"item.available": fixture})
    library = Library()
    record = await stage.play(
        library, *[stage.write(f"case-{n}", LOOK_UP, "needs: [item.available]") for n in range(3)]
    )
    assert [one.verdict for one in record.scenarios.values()] == [Verdict.PASS, Verdict.PASS, Verdict.ERROR]
    assert "all 2 ids" in str(record.scenarios["test.case-2"].reason)
    assert set(library.items) == {"L-1", "L-2"}


async def test_exclusions_have_a_reason_an_end_and_must_be_of_use(stage: Stage) -> None:
    yesterday = datetime.now(UTC).date() - timedelta(days=1)
    stage.agent = msgspec.structs.replace(
        stage.agent,
        exclude=[
            Exclusion(case="*.excused", reason="known, ticket 7", until=date(2999, 1, 1)),
            Exclusion(case="*.over", reason="was known", until=yesterday),
            Exclusion(case="*.gone", reason="no longer there"),
        ],
    )
    record = await stage.play(Library(), stage.write("excused", "- wait: 1ms"), stage.write("over", "- wait: 1ms"))
    assert record.scenarios["test.excused"].reason == "excluded by the agent file: known, ticket 7"
    assert record.scenarios["test.over"].verdict is Verdict.PASS
    assert [f"{yesterday}" in record.warnings[0], "*.gone excludes nothing" in record.warnings[1]] == [True, True]
    await stage.play(Library(), stage.write("excused", "- wait: 1ms"), no_skips=True)
    assert stage.code == 0, "what the agent file excludes with a reason is no gap"


async def test_secrets_reach_no_event(stage: Stage) -> None:
    library = Library()
    steps = """
    - send: LookupUser
      message:
        AuthenticationInput:
          AuthenticationInputData: "${password}"
          AuthenticationDataFormatType: text
          AuthenticationInputType: Password
    """
    await stage.play_one(library, steps, "variables: {password: open-sesame}\n")
    assert b"open-sesame" in library.received[0]
    assert "open-sesame" not in repr(stage.events)
