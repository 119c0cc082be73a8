"""Reports: they tell the whole run, each to its own reader, and no secret."""

from __future__ import annotations

import html as entities
import io
import json
import re
import textwrap
from pathlib import Path

import msgspec
import pytest
from lxml import etree
from rich.console import Console

from broker_sim import places
from broker_sim.reports import html, junit
from broker_sim.reports import json as json_report
from broker_sim.reports.reading import read
from broker_sim.reports.record import Record, join
from broker_sim.reports.terminal import Terminal
from tests.broker_sim.conftest import Stage
from tests.broker_sim.library import Library

PASSES = """
    - send: CheckOutItem
      note: The parcel leaves the house.
      message:
        AuthenticationInput:
          {AuthenticationInputData: "${pin}", AuthenticationDataFormatType: text, AuthenticationInputType: PIN}
        ItemId: {ItemIdentifierValue: "${item}"}
        RequestId: {RequestIdentifierValue: "R-${unique}"}
        DesiredDateDue: "${now+7d}"
      capture: {due: CheckOutItemResponse/DateDue}
    - desk: ship
      with: {barcode: "${item}"}
"""
FAILS = """
    - send: CheckOutItem
      message: {UserId: {UserIdentifierValue: "<script>alert(1)</script>"}, ItemId: {ItemIdentifierValue: UNKNOWN}}
      expect:
        - problem: {type: Item Already Checked Out}
          because: One copy, one loan & no more
    - wait: 1ms
"""
TOP = "summary: A story.\nverifies: [the first rule]\nneeds: [item.available]\nvariables: {pin: '9999-open-sesame'}\n"


@pytest.fixture
async def record(stage: Stage) -> Record:
    paths = [
        stage.write("passes", PASSES, TOP),
        stage.write("fails", FAILS),
        stage.write(
            "slow",
            PASSES.replace("capture:", "expect: [{within: 1ms}]\n      capture:"),
            TOP,
        ),
        stage.write("skipped", "- wait: 1ms", "needs: [item.of_gold]"),
        stage.write("breaks", "- send: CheckInItem\n  message: {Nonsense: x}"),
    ]
    return await stage.play(Library("slow", only_for="CheckOutItem"), *paths)


def test_the_json_report_has_every_message_and_expectation_and_a_version(record: Record, tmp_path: Path) -> None:
    json_report.write(record, tmp_path / "report.json")
    report = json.loads((tmp_path / "report.json").read_text())
    assert report["schema_version"] == "1"
    assert report["verdicts"] == {"PASS": 1, "NON-STRICT": 1, "FAIL": 1, "SKIP": 1, "ERROR": 1}
    assert report["exit_code"] == 4
    assert report["messages"] == 5, "two were answered with success, and what they began was ended"
    by_id = {scenario["id"]: scenario for scenario in report["scenarios"]}
    passes = by_id["test.passes"]
    assert (passes["verdict"], passes["verifies"], passes["steps_planned"]) == ("PASS", ["the first rule"], 2)
    assert passes["broker_statuses"] == [{"step": 1, "status": "Shipped"}]
    exchange = passes["steps"][0]["exchanges"][0]
    assert exchange["status"] == 200
    assert exchange["request"]["text"].startswith("<?xml")
    assert "CheckOutItemResponse" in exchange["response"]["text"]
    assert passes["steps"][0]["captured"]["due"] in exchange["response"]["text"]
    unmet = [finding for finding in by_id["test.fails"]["steps"][0]["expectations"] if not finding["ok"]]
    assert unmet == [
        {
            "ok": False,
            "requirement": "One copy, one loan & no more",
            "expected": "Problem Item Already Checked Out",
            "actual": "Problem Unknown Item, element CheckOutItem/ItemId/ItemIdentifierValue, value UNKNOWN, "
            "detail No item here has this barcode.",
            "aspect": "content",
            "level": "MUST",
            "where": "/NCIPMessage/CheckOutItemResponse/Problem",
            "line": 2,
        }
    ]
    assert "item.of_gold" in by_id["test.skipped"]["reason"]


def test_junit_has_one_testcase_per_scenario_and_tells_failures_from_errors(record: Record, tmp_path: Path) -> None:
    junit.write(record, tmp_path / "junit.xml")
    suite = etree.parse(tmp_path / "junit.xml").getroot()[0]
    assert [case.get("name") for case in suite] == [
        "test.passes",
        "test.fails",
        "test.slow",
        "test.skipped",
        "test.breaks",
    ]
    assert {name: suite.get(name) for name in ("tests", "failures", "errors", "skipped")} == {
        "tests": "5", "failures": "1", "errors": "1", "skipped": "1"
    }  # fmt: skip
    kinds = {case.get("name"): [child.tag for child in case] for case in suite}
    assert kinds == {
        "test.passes": [],
        "test.fails": ["failure"],
        "test.slow": ["system-out"],
        "test.skipped": ["skipped"],
        "test.breaks": ["error"],
    }
    failure = suite[1][0]
    assert failure.get("message") == "One copy, one loan & no more"
    assert "expected     Problem Item Already Checked Out" in str(failure.text)
    assert re.search(r"in +\S+fails\.yaml:5$", str(failure.text))
    assert re.search(r"in +\S+breaks\.yaml:5$", str(suite[4][0].text))


def test_the_page_needs_nothing_else_and_shows_failures_first(record: Record, tmp_path: Path) -> None:
    html.write(record, tmp_path / "index.html")
    page = (tmp_path / "index.html").read_text()
    root = etree.fromstring(page, etree.HTMLParser())
    assert not root.xpath("//link | //script[@src] | //img | //iframe | //@href[not(starts-with(., '#'))]")
    ids = root.xpath("//details[contains(@class, 'scenario')]/@id")
    assert ids == ["test.fails", "test.breaks", "test.slow", "test.skipped", "test.passes"]
    assert root.xpath("//details[@open and contains(@class, 'scenario')]/@id") == ["test.fails", "test.breaks"]
    text = " ".join("".join(root.itertext()).split())
    for said in (
        "The parcel leaves the house.",
        "the first rule",
        "Broker → Lender",
        "Lender's desk",
        "Shipped",
        "One copy, one loan & no more",
        "Problem Item Already Checked Out",
        "1 of 2 steps were not reached.",
        "remembered due = ",
    ):
        assert said in text, said
    assert record.run is not None
    file = record.scenarios["test.fails"].billing.file
    assert f"broker-sim run {file} --target {record.run.target}" in text


def test_what_a_message_says_does_not_become_part_of_the_page(record: Record) -> None:
    page = html.page(record)
    assert "<script>alert" not in page
    assert page.count("<script>") == 1
    assert "<UserIdentifierValue>&lt;script&gt;alert(1)&lt;/script&gt;<" in entities.unescape(page)


def test_no_report_tells_a_secret(record: Record) -> None:
    written = [
        html.page(record),
        json.dumps(json_report.document(record)),
        etree.tostring(junit.document(record)).decode(),
        terminal_text(record),
    ]
    assert [("9999-open-sesame" in text) for text in written] == [False] * 4
    assert "***" in written[0]


def terminal_text(record: Record) -> str:
    console = Console(file=io.StringIO(), width=400)
    terminal = Terminal(record, console)
    assert record.run is not None
    terminal(record.run)
    terminal(record.ends[0])
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_the_terminal_says_what_went_wrong_where_and_how_to_play_it_again(record: Record) -> None:
    said = terminal_text(record)
    for line in (
        "FAIL test.fails, step 1: Broker, CheckOutItem",
        "requirement  One copy, one loan & no more",
        "expected     Problem Item Already Checked Out",
        "where        /NCIPMessage/CheckOutItemResponse/Problem, line 2",
        "ERROR test.breaks, step 1: Broker, CheckInItem",
        "reason  the scenario's own CheckInItem is not valid NCIP 2.02",
        "1 PASS  1 NON-STRICT  1 FAIL  1 SKIP  1 ERROR  5 messages",
    ):
        assert line in said, said
    assert re.search(r"in +\S+fails\.yaml:5\b", said)
    assert re.search(r"in +\S+breaks\.yaml:5\b", said)
    # It has an id, but cannot be found by it: it is not bundled.
    file = record.scenarios["test.fails"].billing.file
    assert f"again broker-sim run {file} --target http://".replace(" ", "") in re.sub(r"\s+", "", said)


async def test_a_bundled_scenario_is_played_again_by_its_id(stage: Stage) -> None:
    bundled = places.scenarios() / "alma-broker" / "problem-unknown-item.yaml"
    said = terminal_text(await stage.play(Library("http-500"), bundled))
    assert "again        broker-sim run alma-broker.problem-unknown-item --target http://" in said


def test_the_page_holds_every_message_as_it_went_over_the_wire(record: Record) -> None:
    root = etree.fromstring(html.page(record), etree.HTMLParser())
    shown = {pre.text for pre in root.xpath("//div[contains(@class, 'message')]/pre")}
    exchanges = [each for one in record.scenarios.values() for step in one.steps.values() for each in step.exchanges]
    bodies = {body.decode() for each in exchanges for body in (each.request, each.response) if body}
    assert len(exchanges) > 3
    assert {text.removeprefix("\n") for text in shown if text} == bodies  # a browser passes over the first line break


async def test_runs_that_were_written_down_can_be_put_together(stage: Stage, tmp_path: Path) -> None:
    await stage.play(Library("slow", only_for="CheckOutItem"), stage.write("first", PASSES, TOP))
    for name in ("one", "two"):
        played = await stage.play(Library(), stage.write(name, PASSES if name == "one" else FAILS, TOP))
        json_report.write(played, tmp_path / f"{name}.json")
    joined = join([read(tmp_path / "one.json"), read(tmp_path / "two.json")])
    report = json_report.document(joined)
    assert list(joined.scenarios) == ["test.one", "test.two"]
    assert (report["exit_code"], report["verdicts"]["PASS"], report["verdicts"]["FAIL"]) == (1, 1, 1)
    assert [one["run"] for one in report["scenarios"]] == [0, 1]
    alone = [json.loads((tmp_path / f"{name}.json").read_text()) for name in ("one", "two")]
    assert [one["steps"] for one in report["scenarios"]] == [one["scenarios"][0]["steps"] for one in alone]
    assert report["runs"] == [one["runs"][0] for one in alone]
    page = html.page(joined)
    files = {name: one.billing.file for name, one in joined.scenarios.items()}
    assert all(f"broker-sim run {file} --target" in page or name == "test.one" for name, file in files.items())
    assert [suite.get("tests") for suite in junit.document(joined)] == ["2"]
    with pytest.raises(ValueError, match=r"test\.one was played in two of these runs"):
        join([read(tmp_path / "one.json"), read(tmp_path / "one.json")])


def test_what_is_no_report_is_not_taken_for_one(tmp_path: Path) -> None:
    path = tmp_path / "other.json"
    for text in ("no json", "[]", "{}", '{"schema_version": "0"}'):
        path.write_text(text)
        with pytest.raises(ValueError, match="is no report of this broker-sim"):
            read(path)


CASES = {
    "check-out-item/lends": ("[check-out-item.lends, check-out-item.resend]", PASSES),
    "check-out-item/refused": ("[check-out-item.lends]", FAILS),
    "check-in-item/skipped": ("[check-in-item.ends-loan]", "- {send: DeleteItem, message: {ItemId: {}}}"),
}


@pytest.fixture
async def conformance(stage: Stage) -> Record:
    paths = []
    for name, (slugs, steps) in CASES.items():
        path = stage.folder / f"{name}.yaml"
        path.parent.mkdir(exist_ok=True)
        body = textwrap.indent(textwrap.dedent(steps).strip(), "  ")
        top = "needs: [item.available]\nvariables: {pin: '1'}\n"
        path.write_text(f"title: t\nverifies: {slugs}\n{top}steps:\n{body}\n", encoding="utf-8")
        paths.append(path)
    services = ["CheckOutItem"]
    stage.agent = msgspec.structs.replace(
        stage.agent, agent=msgspec.structs.replace(stage.agent.agent, services=services)
    )
    return await stage.play(Library(), *paths, cases=True, command="conform")


def test_cases_are_counted_service_by_service(conformance: Record) -> None:
    said = terminal_text(conformance)
    rows = {line.split()[2]: line.split()[3:] for line in said.splitlines() if line.startswith(("✗ FAIL", "– SKIP"))}
    assert rows["check-out-item"] == ["2", "1", "·", "1", "·", "·", "2"]
    assert rows["check-in-item"] == ["1", "·", "·", "·", "1", "·"]
    assert re.search(r"again +broker-sim conform \S+/check-out-item/refused\.yaml --target", said)
    assert "3 cases against" in said
    page = etree.fromstring(html.page(conformance), etree.HTMLParser())
    assert page.xpath("//section[@class='group']/@id") == ["check-out-item", "check-in-item"]
    assert page.xpath("//nav//a/@href") == ["#check-in-item", "#check-out-item"]


def test_a_requirement_is_as_good_as_the_worst_of_its_cases(conformance: Record) -> None:
    report = json_report.document(conformance)
    assert {one["slug"]: (one["verdict"], one["cases"]) for one in report["requirements"]} == {
        "check-out-item.lends": ("FAIL", ["check-out-item.lends", "check-out-item.refused"]),
        "check-out-item.resend": ("PASS", ["check-out-item.lends"]),
        "check-in-item.ends-loan": ("SKIP", ["check-in-item.skipped"]),
    }
    lends = report["scenarios"][0]["requirements"][0]
    assert (lends["slug"], lends["level"], lends["clause"]) == ("check-out-item.lends", "MUST", "Z39.83-1 5.4.3")
    page = " ".join("".join(etree.fromstring(html.page(conformance), etree.HTMLParser()).itertext()).split())
    assert "MUST, Z39.83-1 5.4.3, check-out-item.lends" in page
