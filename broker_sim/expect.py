"""Judging whether an answer fulfils what the scenario expects of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import msgspec

from broker_sim import paths
from broker_sim.answer import Answer, describe, problems
from broker_sim.scenario import Expect, ExpectedProblem
from broker_sim.verdict import Finding

_DASHES = str.maketrans(dict.fromkeys("\u2010\u2011\u2012\u2013\u2212", "-"))


@dataclass(frozen=True)
class Context:
    """What expectations may look at besides the answer: earlier answers by step name, and the broker's own requests."""

    earlier: Mapping[str, bytes] = field(default_factory=dict)
    statuses: tuple[str, ...] = ()
    level: Any = "MUST"


def filled(expect: Expect, fill: Callable[[Any], Any]) -> Expect:
    """The same expectation with its variables put in."""
    changes: dict[str, Any] = {}
    for name in ("path", "absent", "json", "json_absent", "equals", "not_equals", "one_of", "matches", "contains"):
        changes[name] = fill(getattr(expect, name))
    for name in ("same_instant", "after", "before", "because", "response"):
        changes[name] = fill(getattr(expect, name))
    if isinstance(expect.problem, ExpectedProblem):
        parts = {name: fill(value) for name, value in msgspec.structs.asdict(expect.problem).items()}
        changes["problem"] = ExpectedProblem(**parts)
    return msgspec.structs.replace(expect, **changes)


def judge(expect: Expect, answers: Sequence[Answer], context: Context) -> Finding:
    """Judge one expectation over all answers of a step; ``holds_for`` says how many of them must fulfil it."""
    level = expect.level or ("SHOULD" if expect.within is not None else context.level)
    if expect.identical is not None:
        return replace(_identical(expect, answers), level=level)
    if expect.broker is not None:
        return replace(_broker(expect, context), level=level)
    each = [_one(expect, answer, context) for answer in answers]
    finding = _over_all(expect, each)
    requirement = expect.because or finding.requirement
    return replace(finding, level=level, requirement=requirement)


def _over_all(expect: Expect, each: list[Finding]) -> Finding:
    met, many = sum(finding.ok for finding in each), len(each)
    if expect.holds_for == "all":
        missed = next((n for n, finding in enumerate(each) if not finding.ok), None)
        if missed is None:
            return each[-1]
        return (
            replace(each[missed], actual=f"{each[missed].actual} (answer {missed + 1} of {many})")
            if many > 1
            else each[missed]
        )
    first = next((finding for finding in each if finding.ok), each[0])
    ok = met >= 1 if expect.holds_for == "any" else met == (0 if expect.holds_for == "none" else int(expect.holds_for))
    wanted = {"any": "at least one", "none": "none"}.get(expect.holds_for, expect.holds_for)
    return replace(first, ok=ok, expected=f"{wanted} of {many} answers: {first.expected}", actual=f"{met} of {many}")


def _one(expect: Expect, answer: Answer, context: Context) -> Finding:  # noqa: PLR0911 - one return per subject
    if expect.status is not None:
        allowed = expect.status if isinstance(expect.status, list) else [expect.status]
        expected, actual = (
            " or ".join(f"HTTP {status}" for status in allowed),
            f"HTTP {answer.sent.status}{_said(answer)}",
        )
        return Finding(answer.sent.status in allowed, f"The answer is {expected}", expected, actual, "envelope")
    if expect.within is not None:
        ok = answer.sent.outcome == "answered" and answer.sent.seconds <= expect.within
        took = f"{answer.sent.seconds * 1000:.0f} ms"
        return Finding(ok, "The answer comes in time", f"within {expect.within}", took, "timing")
    if expect.same_as is not None:
        return _same(expect.same_as, answer, context)
    if expect.json is not None or expect.json_absent is not None:
        return _json(expect, answer)
    if answer.message is None:
        return Finding(False, "The answer can be read", "an NCIP message", answer.unreadable or "nothing")
    if expect.response is not None:
        return _response(expect.response, answer)
    if expect.problem is not None:
        return _problem(expect.problem, answer)
    return _path(expect, answer)


def of_message(expect: Expect, root: Any, context: Context) -> Finding:
    """Judge an expectation about a message that came in: ``path``, ``absent`` or ``broker``."""
    level = expect.level or context.level
    finding = _broker(expect, context) if expect.broker is not None else _in_tree(expect, root, "")
    return replace(finding, level=level, requirement=expect.because or finding.requirement)


# --- subjects --------------------------------------------------------------------------------------------------------


def _response(wanted: str | list[str], answer: Answer) -> Finding:
    assert answer.message is not None  # noqa: S101 - the caller has looked
    names = wanted if isinstance(wanted, list) else [wanted]
    body = answer.message.body
    return Finding(
        answer.message.name in names,
        f"The answer is a {' or '.join(names)}",
        " or ".join(names),
        describe(answer.message),
        where=None if body is None else paths.locate(body),
        line=paths.line_of(body),
    )


def _problem(wanted: str | ExpectedProblem, answer: Answer) -> Finding:
    assert answer.message is not None  # noqa: S101 - the caller has looked
    found = problems(answer.message)
    line = int(found[0]["line"]) if found and found[0]["line"] else None
    where = found[0]["where"] if found else None
    if not isinstance(wanted, ExpectedProblem):
        return Finding(not found, "There is no Problem", "success", describe(answer.message), where=where, line=line)
    types = _several(wanted.type)
    expected = f"Problem {' or '.join(types)}"
    wishes = {"element": " or ".join(_several(wanted.element)), "value": wanted.value, "detail": wanted.detail}
    expected += "".join(f", {name} {wish}" for name, wish in wishes.items() if wish)
    ok = any(_is(wanted, types, problem) for problem in found)
    actual = "; ".join(_spell(problem) for problem in found) or f"{answer.message.name} without a Problem"
    return Finding(ok, f"The answer is the Problem {' or '.join(types)}", expected, actual, where=where, line=line)


def _is(wanted: ExpectedProblem, types: list[str], problem: Mapping[str, str]) -> bool:
    given = _canonical(problem.get("ProblemType", ""))
    if given not in {_canonical(kind) for kind in types}:
        return False
    element = problem.get("ProblemElement", "")
    if wanted.element is not None and not any(_within(one, element) for one in _several(wanted.element)):
        return False
    if wanted.value is not None and wanted.value != problem.get("ProblemValue"):
        return False
    return wanted.detail is None or wanted.detail.lower() in problem.get("ProblemDetail", "").lower()


def _several(wanted: str | list[str] | None) -> list[str]:
    return [] if wanted is None else [wanted] if isinstance(wanted, str) else wanted


def _canonical(text: str) -> str:
    return " ".join(text.translate(_DASHES).lower().split())


def _within(wanted: str, given: str) -> bool:
    """Whether a path (or bare name) stands inside another path, step for step; implementations write both forms."""
    needle = [part for part in wanted.split("/") if part]
    steps = [part for part in given.split("/") if part]
    return any(steps[n : n + len(needle)] == needle for n in range(len(steps)))


def _spell(problem: Mapping[str, str]) -> str:
    parts = (("element", "ProblemElement"), ("value", "ProblemValue"), ("detail", "ProblemDetail"))
    return f"Problem {problem.get('ProblemType', '?')}" + "".join(
        f", {name} {problem[key]}" for name, key in parts if key in problem
    )


def _same(name: str, answer: Answer, context: Context) -> Finding:
    before = context.earlier.get(name)
    same = before is not None and answer.sent.response == before
    actual = (
        "the same"
        if same
        else "no answer to compare with"
        if before is None
        else _difference(before, answer.sent.response)
    )
    return Finding(
        same,
        f"The answer repeats that of “{name}”, octet for octet",
        f"the {len(before or b'')} octets of “{name}”",
        actual,
    )


def _identical(expect: Expect, answers: Sequence[Answer]) -> Finding:
    kinds = {answer.sent.response for answer in answers}
    same = len(kinds) == 1
    requirement = expect.because or "All answers are the same, octet for octet"
    actual = "all the same" if same else f"{len(kinds)} different ones: {_difference(*sorted(kinds)[:2])}"
    return Finding(same is expect.identical, requirement, "the same" if expect.identical else "different ones", actual)


def _difference(one: bytes, other: bytes) -> str:
    at = next((n for n, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
    line = one.count(b"\n", 0, at) + 1
    begin = max(0, at - 20)
    texts = [part[begin : at + 40].decode("utf-8", "replace").replace("\n", " ").strip() for part in (one, other)]
    return f"different from octet {at + 1} (line {line}): “{texts[0]}” became “{texts[1]}”"


def _broker(expect: Expect, context: Context) -> Finding:
    said = ", ".join(context.statuses) or "no request at all"
    requirement = expect.because or f"The broker's own request is {expect.broker}"
    return Finding(expect.broker in context.statuses, requirement, str(expect.broker), said, "broker")


def _path(expect: Expect, answer: Answer) -> Finding:
    assert answer.message is not None  # noqa: S101 - the caller has looked
    hint = f"; the answer is {describe(answer.message)}" if problems(answer.message) else ""
    return _in_tree(expect, answer.message.root, hint)


def _in_tree(expect: Expect, root: Any, hint: str) -> Finding:
    path = expect.path or expect.absent or ""
    try:
        found = paths.find(root, path)
    except ValueError as error:
        return Finding(False, f"{path} can be looked up", "a path", str(error))
    texts = [one.text for one in found]
    first = found[0] if found else None
    where, line = (first.where, first.line) if first else (path, None)
    if expect.absent is not None:
        return Finding(not found, f"There is no {path}", "nothing", _list(texts) or "nothing", where=where, line=line)
    ok, expected = fulfils(expect, texts)
    actual = _list(texts) if found else f"absent{paths.nearest(root, path)}{hint}"
    return Finding(ok, f"{path}: {expected}", expected, actual, where=where, line=line)


def _json(expect: Expect, answer: Answer) -> Finding:
    path = expect.json or expect.json_absent or ""
    if answer.unreadable is not None:
        return Finding(False, "The desk answers with JSON", "JSON", answer.unreadable)
    values = [paths.as_text(value) for value in paths.find_json(answer.json, path)]
    if expect.json_absent is not None:
        return Finding(not values, f"There is no {path}", "nothing", _list(values) or "nothing", where=path)
    ok, expected = fulfils(expect, values)
    return Finding(
        ok, f"{path}: {expected}", expected, _list(values) if values else f"absent{_said(answer)}", where=path
    )


def _said(answer: Answer) -> str:
    """What the desk gave as its reason, where it gave one."""
    messages = paths.find_json(answer.json, "error.message") if answer.json is not None else []
    return f": {messages[0]}" if messages else ""


def _list(texts: Sequence[str]) -> str:
    return ", ".join(
        text if len(text) <= 200 else f"{text[:200]}…" for text in (text or "(empty)" for text in texts[:6])
    )


# --- conditions ------------------------------------------------------------------------------------------------------


def fulfils(expect: Expect, texts: Sequence[str]) -> tuple[bool, str]:
    """Whether the texts that a path found fulfil the condition, and the condition in words."""
    name, operand = expect.condition
    if name == "exists":
        return bool(texts), "present"
    if name == "count":
        return len(texts) == operand, f"{operand} of them"
    if name == "not_equals":
        return bool(texts) and operand not in texts, f"not {operand}"
    test, words = _TESTS[name]
    return any(test(text, operand) for text in texts), words.format(
        " or ".join(operand) if isinstance(operand, list) else operand
    )


def _instant(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _compare(relation: Callable[[datetime, datetime], bool]) -> Callable[[str, str], bool]:
    def compare(text: str, operand: str) -> bool:
        one, other = _instant(text), _instant(operand)
        return one is not None and other is not None and relation(one, other)

    return compare


_TESTS: dict[str, tuple[Callable[[str, Any], bool], str]] = {
    "equals": (lambda text, operand: text == operand, "{}"),
    "one_of": (lambda text, operand: text in operand, "{}"),
    "matches": (lambda text, operand: paths.compile_pattern(operand).search(text) is not None, "something like {}"),
    "contains": (lambda text, operand: operand in text, "something with “{}” in it"),
    "same_instant": (_compare(lambda one, other: one == other), "the moment {}"),
    "after": (_compare(lambda one, other: one > other), "a moment after {}"),
    "before": (_compare(lambda one, other: one < other), "a moment before {}"),
}
