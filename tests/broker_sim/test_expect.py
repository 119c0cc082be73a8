"""Expectations: each comes out met or unmet for the right reason, and says what it saw."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from broker_sim import expect, wire
from broker_sim.answer import Answer, envelope, read_json
from broker_sim.expect import Context
from broker_sim.http import Sent
from broker_sim.scenario import Duration, Expect, ExpectedProblem
from broker_sim.verdict import Finding, Verdict, exit_code, of_findings

LOAN = """<NCIPMessage xmlns="http://www.niso.org/2008/ncip"><CheckOutItemResponse>
<ItemId><ItemIdentifierValue>L-1</ItemIdentifierValue></ItemId>
<DateDue>2026-03-01T10:00:00Z</DateDue><RenewalCount>0</RenewalCount>
</CheckOutItemResponse></NCIPMessage>"""
REFUSAL = """<NCIPMessage xmlns="http://www.niso.org/2008/ncip"><CheckOutItemResponse><Problem>
<ProblemType>Renewal Not Allowed − Item Has Outstanding Requests</ProblemType>
<ProblemDetail>Somebody waits for it.</ProblemDetail>
<ProblemElement>//CheckOutItem/ItemId/ItemIdentifierValue</ProblemElement><ProblemValue>L-1</ProblemValue>
</Problem></CheckOutItemResponse></NCIPMessage>"""


def answer(text: str, *, json: Any = None, seconds: float = 0.1) -> Answer:
    sent = Sent(
        "POST", "http://x", "", b"", datetime.now(UTC), seconds, "answered", 200, "application/xml", text.encode()
    )
    return Answer(sent, wire.read(text.encode()) if text else None, json=json)


def judge(wanted: Expect, *answers: Answer, context: Context | None = None) -> Finding:
    return expect.judge(wanted, answers or (answer(LOAN),), context or Context())


DUE = "CheckOutItemResponse/DateDue"


@pytest.mark.parametrize(
    ("wanted", "ok"),
    [
        (Expect(path=DUE), True),
        (Expect(path="CheckOutItemResponse/Nothing"), False),
        (Expect(path=DUE, equals="2026-03-01T10:00:00Z"), True),
        (Expect(path=DUE, equals="2026-03-01T10:00:00.000Z"), False),
        (Expect(path=DUE, same_instant="2026-03-01T11:00:00.000+01:00"), True),
        (Expect(path=DUE, same_instant="2026-03-01"), False),
        (Expect(path=DUE, after="2026-03-01T09:59:59Z"), True),
        (Expect(path=DUE, after="2026-03-01T10:00:00Z"), False),
        (Expect(path=DUE, before="2026-04-01"), True),
        (Expect(path="//RenewalCount", before="2026-04-01"), False),
        (Expect(path="//ItemIdentifierValue", one_of=["L-2", "L-1"]), True),
        (Expect(path="//ItemIdentifierValue", one_of=["L-2"]), False),
        (Expect(path="//ItemIdentifierValue", matches=r"^L-\d+$"), True),
        (Expect(path="//ItemIdentifierValue", matches=r"^\d+$"), False),
        (Expect(path="//ItemIdentifierValue", contains="-"), True),
        (Expect(path="//ItemIdentifierValue", not_equals="L-1"), False),
        (Expect(path="//ItemIdentifierValue", not_equals="L-2"), True),
        (Expect(path="//Nothing", not_equals="L-2"), False),
        (Expect(path="CheckOutItemResponse/*", count=3), True),
        (Expect(path="CheckOutItemResponse/*", count=2), False),
        (Expect(absent="//Problem"), True),
        (Expect(absent=DUE), False),
        (Expect(response="CheckOutItemResponse"), True),
        (Expect(response=["Problem", "CheckOutItemResponse"]), True),
        (Expect(response="CheckInItemResponse"), False),
        (Expect(problem="none"), True),
        (Expect(problem=ExpectedProblem(type="Unknown Item")), False),
        (Expect(status=200), True),
        (Expect(status=[404, 409]), False),
        (Expect(within=Duration(1)), True),
        (Expect(within=Duration(0.05)), False),
    ],
    ids=str,
)
def test_an_expectation_is_met_or_it_is_not(wanted: Expect, ok: bool) -> None:
    assert judge(wanted).ok is ok


@pytest.mark.parametrize(
    ("problem", "ok"),
    [
        (ExpectedProblem(type="Renewal Not Allowed - Item Has Outstanding Requests"), True),
        (ExpectedProblem(type=["Unknown Item", "renewal not allowed - item has  outstanding requests"]), True),
        (ExpectedProblem(type="Unknown Item"), False),
        (ExpectedProblem(type=["Renewal Not Allowed - Item Has Outstanding Requests"], element="ItemId"), True),
        (
            ExpectedProblem(
                type=["Renewal Not Allowed - Item Has Outstanding Requests"], element="CheckOutItem/ItemId"
            ),
            True,
        ),
        (ExpectedProblem(type=["Renewal Not Allowed - Item Has Outstanding Requests"], element="UserId"), False),
        (
            ExpectedProblem(
                type=["Renewal Not Allowed - Item Has Outstanding Requests"], element=["UserId", "ItemIdentifierValue"]
            ),
            True,
        ),
        (ExpectedProblem(type=["Renewal Not Allowed - Item Has Outstanding Requests"], element="Item"), False),
        (ExpectedProblem(type=["Renewal Not Allowed - Item Has Outstanding Requests"], value="L-1"), True),
        (ExpectedProblem(type=["Renewal Not Allowed - Item Has Outstanding Requests"], value="L-2"), False),
        (ExpectedProblem(type=["Renewal Not Allowed - Item Has Outstanding Requests"], detail="somebody waits"), True),
        (ExpectedProblem(type=["Renewal Not Allowed - Item Has Outstanding Requests"], detail="nobody"), False),
    ],
    ids=str,
)
def test_a_problem_is_compared_as_far_as_the_scenario_describes_it(problem: ExpectedProblem, ok: bool) -> None:
    finding = judge(Expect(problem=problem), answer(REFUSAL))
    assert finding.ok is ok
    assert "Somebody waits for it." in finding.actual


def test_what_is_not_there_is_explained_by_what_is() -> None:
    finding = judge(Expect(path="CheckOutItemResponse/ItemId/Title", equals="Effi Briest"))
    assert finding.expected == "Effi Briest"
    assert finding.actual == "absent; CheckOutItemResponse/ItemId (line 2) holds ItemIdentifierValue"
    assert "Somebody waits" in judge(Expect(path=DUE), answer(REFUSAL)).actual


def test_what_is_wrong_is_pointed_at() -> None:
    finding = judge(Expect(path=DUE, equals="tomorrow", because="The wish is honoured"))
    assert (finding.requirement, finding.where, finding.line) == (
        "The wish is honoured",
        "/NCIPMessage/CheckOutItemResponse/DateDue",
        3,
    )


def test_one_winner_among_many_can_be_asked_for() -> None:
    answers = [answer(REFUSAL), answer(LOAN), answer(REFUSAL)]
    assert judge(Expect(path=DUE, holds_for="1"), *answers).ok
    assert judge(Expect(path=DUE, holds_for="any"), *answers).ok
    assert not judge(Expect(path=DUE, holds_for="2"), *answers).ok
    assert not judge(Expect(path=DUE, holds_for="none"), *answers).ok
    missed = judge(Expect(path=DUE), answer(LOAN), answer(REFUSAL))
    assert not missed.ok
    assert "answer 2 of 2" in missed.actual
    assert judge(Expect(path=DUE, holds_for="2"), *answers).actual == "1 of 3"


def test_answers_are_compared_octet_for_octet() -> None:
    later = answer(LOAN.replace("10:00", "10:01"))
    context = Context(earlier={"first": LOAN.encode()})
    assert judge(Expect(same_as="first"), context=context).ok
    finding = judge(Expect(same_as="first"), later, context=context)
    assert not finding.ok
    assert "10:00" in finding.actual
    assert "10:01" in finding.actual
    assert judge(Expect(identical=True), answer(LOAN), answer(LOAN)).ok
    assert not judge(Expect(identical=True), answer(LOAN), later).ok


def test_a_desks_answer_is_looked_at_by_json_paths() -> None:
    desk = answer("", json={"live": False, "loan": None, "tasks": [{"id": 1}], "error": {"message": "No such item."}})
    assert judge(Expect(json="live", equals="false"), desk).ok
    assert judge(Expect(json_absent="loan"), desk).ok
    assert not judge(Expect(json="loan"), desk).ok
    assert judge(Expect(json="tasks[0].id", equals="1"), desk).ok
    assert judge(Expect(json="request.status"), desk).actual == "absent: No such item."


@pytest.mark.parametrize("charset", ["undefined", "punycode", "hex", "x-klingon"])
def test_a_charset_that_is_none_is_a_finding(charset: str) -> None:
    """Python knows more codecs than those of texts, and some of them refuse in words of their own."""
    sent = replace(answer(LOAN).sent, response_type=f"application/xml; charset={charset}")
    findings = envelope(Answer(sent, wire.read(LOAN.encode())))
    assert [one.actual for one in findings if not one.ok] == [f"charset {charset}"]


def test_json_that_is_nested_without_end_is_unreadable() -> None:
    assert read_json(replace(answer("").sent, response=b"[" * 100_000)).unreadable


def test_being_slow_is_not_failing_unless_the_scenario_says_so() -> None:
    slow = answer(LOAN, seconds=2)
    assert judge(Expect(within=Duration(1)), slow).level == "SHOULD"
    assert judge(Expect(within=Duration(1), level="MUST"), slow).fatal


def test_a_scenario_is_as_good_as_its_worst_expectation() -> None:
    met, weak = Finding(True, "", "", ""), Finding(False, "", "", "", level="SHOULD")
    assert of_findings([met]) is Verdict.PASS
    assert of_findings([met, weak]) is Verdict.NON_STRICT
    assert of_findings([weak, Finding(False, "", "", "")]) is Verdict.FAIL


@pytest.mark.parametrize(
    ("verdicts", "options", "code"),
    [
        ([Verdict.PASS, Verdict.SKIP], {}, 0),
        ([Verdict.PASS, Verdict.SKIP], {"no_skips": True}, 1),
        ([Verdict.NON_STRICT], {}, 0),
        ([Verdict.NON_STRICT], {"strict": True}, 1),
        ([Verdict.PASS, Verdict.FAIL], {}, 1),
        ([Verdict.FAIL, Verdict.ERROR], {}, 4),
    ],
)
def test_the_exit_code_says_what_kind_of_end_it_was(
    verdicts: list[Verdict], options: dict[str, bool], code: int
) -> None:
    assert exit_code(verdicts, **options) == code
