"""Reports: they tell the whole run, each to its own reader, and no secret."""

from __future__ import annotations

import html as entities
import io
import json
import re
from pathlib import Path

import pytest
from lxml import etree
from rich.console import Console

from broker_sim.reports import html, junit
from broker_sim.reports import json as json_report
from broker_sim.reports.pretty import pretty
from broker_sim.reports.record import Record
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
    assert report["messages"] == 3
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
    assert f"broker-sim run test.fails --target {record.run.target}" in text if record.run else False


def test_what_a_message_says_does_not_become_part_of_the_page(record: Record) -> None:
    page = html.page(record)
    assert "<script>alert" not in page
    assert page.count("<script>") == 1
    assert "<script>alert(1)</script>" in entities.unescape(re.sub(r"</?span[^>]*>", "", page))


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
    console = Console(file=io.StringIO(), width=140)
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
        "again        broker-sim run test.fails --target http://",
        "1 PASS  1 NON-STRICT  1 FAIL  1 SKIP  1 ERROR  3 messages",
    ):
        assert line in said, said
    assert re.search(r"fails\.yaml:5\b", said)


def test_messages_are_laid_out_for_reading() -> None:
    xml = re.sub(r"<[^>]*>", "", pretty(b'<a xmlns="urn:x"><b c="&quot;">1 &lt; 2</b><d/></a>'))
    assert entities.unescape(xml) == '<a>\n<b c=""">1 < 2</b>\n<d/>\n</a>\n'
    assert "&#34;k&#34;" in pretty(b'{"k": [1, true, "<x>"]}')
    assert "<x>" not in pretty(b'{"k": [1, true, "<x>"]}')
    assert pretty(b"<half") == "&lt;half"
    assert pretty(b"\xff\x00") == "\\xff\x00"
