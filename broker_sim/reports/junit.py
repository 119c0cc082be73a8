"""The report for continuous integration: JUnit XML, one testcase per scenario, failures kept apart from errors."""

from __future__ import annotations

import re
from pathlib import Path

from lxml import etree

from broker_sim.paths import Element
from broker_sim.reports.record import Record, ScenarioRecord
from broker_sim.reports.words import explain, place
from broker_sim.verdict import Verdict

_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def write(record: Record, path: Path) -> None:
    """Write the report to a file."""
    path.write_bytes(etree.tostring(document(record), xml_declaration=True, encoding="UTF-8", pretty_print=True))


def document(record: Record) -> Element:
    """The testsuites element; NON-STRICT passes, with what was not met in its output."""
    counts = record.counts
    suite = etree.Element("testsuite", name=f"broker-sim {record.run.agent if record.run else ''}".strip())
    suite.set("tests", str(len(record.scenarios)))
    suite.set("failures", str(counts[Verdict.FAIL]))
    suite.set("errors", str(counts[Verdict.ERROR]))
    suite.set("skipped", str(counts[Verdict.SKIP]))
    suite.set("time", f"{record.seconds or 0:.3f}")
    if record.run is not None:
        suite.set("timestamp", record.run.at.isoformat())
    for scenario in record.scenarios.values():
        suite.append(_case(scenario))
    suites = etree.Element("testsuites")
    suites.append(suite)
    return suites


def _case(scenario: ScenarioRecord) -> Element:
    billing = scenario.billing
    case = etree.Element("testcase", name=billing.id, classname=billing.group, time=f"{scenario.seconds:.3f}")
    case.set("file", scenario.billing.file)
    text = _clean("\n\n".join(explain(scenario, step, finding) for step, finding in scenario.unmet))
    match scenario.verdict:
        case Verdict.FAIL:
            first = next((finding for _, finding in scenario.unmet if finding.fatal), scenario.unmet[0][1])
            etree.SubElement(case, "failure", type="FAIL", message=_clean(first.requirement)).text = text
        case Verdict.ERROR | None:
            reason = scenario.reason or "the run ended before this scenario did"
            etree.SubElement(case, "error", type="ERROR", message=_clean(reason)).text = _clean(
                "\n\n".join(filter(None, [text, f"{reason}\n  in           {place(scenario, None)}"]))
            )
        case Verdict.SKIP:
            etree.SubElement(case, "skipped", message=_clean(scenario.reason or ""))
        case Verdict.NON_STRICT:
            etree.SubElement(case, "system-out").text = f"NON-STRICT\n\n{text}"
        case _:
            pass
    return case


def _clean(text: str) -> str:
    return _NOT_XML.sub("\ufffd", text)
