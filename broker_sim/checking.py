"""What the types of a scenario cannot say: that its parts fit together. Every mistake names its line."""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

from broker_sim import content, paths, variables
from broker_sim.scenario import (
    CONDITIONS,
    SUBJECTS,
    Again,
    Answer,
    AnyStep,
    Await,
    Clock,
    Desk,
    Duration,
    Expect,
    Judged,
    Relay,
    Reply,
    Scenario,
    Send,
    Silence,
    Transmission,
)
from broker_sim.vocabulary import Vocabulary, vocabulary
from broker_sim.yamlfile import Located, Where

_OF_MESSAGES = frozenset({"response", "problem", "path", "absent"})
_OF_DESKS = frozenset({"json", "json_absent"})
_MOMENTS = ("same_instant", "after", "before")
_PERIOD = re.compile(r"P(?=.)(\d+[WD])*(T(\d+[HMS])+)?")
_ANSWERS = ("message", "problem", "pending", "status", "raw", "hang")


def check(scenario: Scenario, document: Located) -> None:
    """Refuse a scenario that could not be played to its end; raises FileMistake."""
    known = set(variables.BUILT_IN) | set(scenario.needs)
    if isinstance(scenario.story.needs, list) and len(scenario.needs) < len(scenario.story.needs):
        raise document.mistake(
            ("needs",), "two roles begin with the same word: name them, as in {first: item.available, …}"
        )
    for name, text in scenario.story.variables.items():
        _known(document, ("variables", name), text, known)
        known.add(name)
    if not scenario.steps:
        raise document.mistake(("steps",), "a scenario needs at least one step")
    if scenario.story.clock is not None:
        _moment(document, ("clock",), scenario.story.clock)
    earlier: dict[str, AnyStep] = {}
    for number, step in enumerate(scenario.steps):
        where = ("steps", number)
        _known(document, where, document.value["steps"][number], known)
        _refers(document, where, step, earlier)
        _shape(document, where, step)
        if isinstance(step, Judged):
            for n, expect in enumerate(step.expect):
                _expectation(document, (*where, "expect", n), step, expect, earlier)
            known.update(step.capture)
        if step.name is not None:
            if step.name in earlier:
                raise document.mistake((*where, "name"), f"an earlier step is called {step.name!r} already")
            earlier[step.name] = step
    _put_back(document, scenario, known)
    _names(document, scenario)


def _put_back(document: Located, scenario: Scenario, known: set[str]) -> None:
    for number, step in enumerate(scenario.afterwards):
        where = ("afterwards", number)
        _known(document, where, document.value["afterwards"][number], known)
        _shape(document, where, step)


def _known(document: Located, where: Where, value: Any, known: set[str]) -> None:
    for place, text in _texts(where, value):
        for name in variables.names(text):
            if name not in known and name.partition(".")[0] not in known:
                raise document.mistake(place, f"nothing defines ${{{name}}} before this place")


def _texts(where: Where, value: Any) -> Iterator[tuple[Where, str]]:
    if isinstance(value, str):
        yield where, value
    elif isinstance(value, list):
        for n, part in enumerate(value):
            yield from _texts((*where, n), part)
    elif isinstance(value, dict):
        for key, part in value.items():
            yield from _texts((*where, key), part)


def _refers(document: Located, where: Where, step: AnyStep, earlier: dict[str, AnyStep]) -> None:
    wanted: tuple[str, type | tuple[type, ...], str]
    if isinstance(step, Again):
        wanted = step.again, Transmission, "a step that sends"
    elif isinstance(step, Relay):
        wanted = step.relay, Await, "an await step"
    elif isinstance(step, Reply):
        wanted = step.reply, Await, "an await step with `answer: later`"
    else:
        return
    name, kind, what = wanted
    target = earlier.get(name)
    if not isinstance(target, kind) or (isinstance(step, Reply) and target.answer != "later"):  # type: ignore[union-attr]
        raise document.mistake((*where, step.kind), f"{name!r} must be the name of {what} before this one")


def _names(document: Located, scenario: Scenario) -> None:
    """A name that NCIP does not have would never be found, and where nothing may be found that would pass for right."""
    words = vocabulary(older=scenario.persona is not None and scenario.persona.is_version_1)
    for n, name in enumerate(scenario.story.ignore):
        _is_message(document, ("ignore", n), name, words)
    placed = [(("steps", n), step) for n, step in enumerate(scenario.steps)]
    placed += [(("afterwards", n), step) for n, step in enumerate(scenario.afterwards)]
    for where, step in placed:
        match step:
            case Send(valid=True, root=None, raw=None, hex=None) | Await():
                _is_message(document, (*where, step.kind), step.service, words)
            case Silence() if step.silence != "any":
                _is_message(document, (*where, "silence"), step.silence, words)
            case _:
                pass
        for place, path in _message_paths(where, step):
            _is_path(document, place, path, words)
        for n, expect in enumerate(step.expect if isinstance(step, Judged) else ()):
            wanted = expect.response if isinstance(expect.response, list) else [expect.response]
            for response in wanted:
                if response is not None and response != "Problem":
                    _is_message(document, (*where, "expect", n, "response"), response, words)


def _is_message(document: Located, where: Where, name: str, words: Vocabulary) -> None:
    said = None if "${" in name else words.strange_message(name)
    if said is not None:
        raise document.mistake(where, said)


def _is_path(document: Located, where: Where, path: str, words: Vocabulary) -> None:
    bare = variables.blanked(path)
    try:
        paths.compile_xpath(bare)
    except ValueError as error:
        raise document.mistake(where, str(error)) from error
    said = words.strange(paths.names(bare))
    if said is not None:
        raise document.mistake(where, f"{path!r}: {said}")


def _message_paths(where: Where, step: AnyStep) -> Iterator[tuple[Where, str]]:
    """Every path of a step by which a message is looked at."""
    if isinstance(step, Judged):
        for n, expect in enumerate(step.expect):
            for name in ("path", "absent"):
                if getattr(expect, name) is not None:
                    yield (*where, "expect", n, name), getattr(expect, name)
        if not isinstance(step, Desk):
            yield from (((*where, "capture", name), path) for name, path in step.capture.items())
    if isinstance(step, Await):
        yield from (((*where, "where", path), path) for path in step.where)
    if isinstance(step, Relay):
        yield from (((*where, "replace", path), path) for path in step.replace)
        yield from (((*where, "remove", n), path) for n, path in enumerate(step.remove))


def _moment(document: Located, where: Where, text: str) -> None:
    """A date-time that is written out must be one; where it comes from a variable, it is seen in the run."""
    try:
        datetime.fromisoformat("2026-01-01" if "${" in text else text)
    except ValueError as error:
        raise document.mistake(where, f"expected a date-time such as 2026-03-02T09:00:00Z, got {text!r}") from error


def _shape(document: Located, where: Where, step: AnyStep) -> None:
    if isinstance(step, Send):
        _content(document, where, step)
    if isinstance(step, Clock):
        _clock(document, where, step)
    if isinstance(step, Desk):
        for name, path in step.capture.items():
            _looked_up(document, (*where, "capture", name), paths.split_json, variables.blanked(path))
    _numbers(document, where, step)
    if isinstance(step, Await | Reply) and isinstance(step.answer, Answer):
        given = [kind for kind in _ANSWERS if getattr(step.answer, kind) is not None]
        if len(given) != 1 or (step.answer.body is not None and given != ["status"]):
            raise document.mistake(
                (*where, "answer"), f"give exactly one of {', '.join(_ANSWERS)}; `body` only beside `status`"
            )


def _clock(document: Located, where: Where, step: Clock) -> None:
    for how, to in step.clock.items():
        if how == "set":
            _moment(document, (*where, "clock", how), to)
        elif "${" not in to and _PERIOD.fullmatch(to) is None:
            raise document.mistake((*where, "clock", how), f"expected a period such as P1D or PT12H, got {to!r}")


def _numbers(document: Located, where: Where, step: AnyStep) -> None:
    if isinstance(step, Transmission | Desk) and step.times < 1:
        raise document.mistake((*where, "times"), "must be at least 1")
    if isinstance(step, Transmission):
        if step.concurrently < 1:
            raise document.mistake((*where, "concurrently"), "must be at least 1")
        if step.times > 1 and step.concurrently > 1:
            raise document.mistake((*where, "times"), "a step has either `times` or `concurrently`, not both")


def _looked_up(document: Located, where: Where, read: Callable[[str], object], text: str) -> None:
    try:
        read(text)
    except ValueError as error:
        raise document.mistake(where, str(error)) from error


def _content(document: Located, where: Where, step: Send) -> None:
    given = [key for key in ("message", "xml", "raw", "hex") if getattr(step, key) is not None]
    if len(given) != 1:
        raise document.mistake(
            where, f"say what is sent by exactly one of message, xml, raw, hex; this step has {given or 'none'}"
        )
    place = (*where, given[0])
    try:
        codecs.lookup(step.envelope.encoding)
    except LookupError as error:
        raise document.mistake((*where, "envelope", "encoding"), str(error)) from error
    try:
        if step.hex is not None:
            bytes.fromhex(step.hex)
        if step.xml is not None:
            content.check_fragment(step.xml, step.service)
        if step.message is not None:
            content.from_mapping(step.service, step.message)
    except ValueError as error:
        raise document.mistake(place, str(error)) from error


def _expectation(document: Located, where: Where, step: Judged, expect: Expect, earlier: dict[str, AnyStep]) -> None:
    subjects = [name for name in SUBJECTS if getattr(expect, name) is not None]
    conditions = [name for name in CONDITIONS if getattr(expect, name) is not None]
    if len(subjects) != 1:
        raise document.mistake(
            where, f"an expectation has exactly one of {', '.join(SUBJECTS)}; this one has {subjects or 'none'}"
        )
    subject = subjects[0]
    if len(conditions) > 1:
        raise document.mistake(where, f"one condition at a time: {' and '.join(conditions)} are two expectations")
    if conditions and subject not in {"path", "json"}:
        raise document.mistake(where, f"{conditions[0]!r} is a condition for path or json, not for {subject}")
    desk = isinstance(step, Desk)
    if subject in _OF_MESSAGES and desk:
        raise document.mistake(where, f"a desk answers with JSON: {subject!r} is for NCIP messages")
    if subject in _OF_DESKS and not desk:
        raise document.mistake(where, f"{subject!r} is for desk steps; a message is looked at by `path`")
    if isinstance(step, Await) and subject in {"response", "problem", "status", "within", "identical", "same_as"}:
        raise document.mistake(
            where, f"{subject!r} is about answers, and an await step looks at a message that came in"
        )
    if expect.same_as is not None and not isinstance(earlier.get(expect.same_as), Transmission | Desk):
        raise document.mistake(
            where, f"{expect.same_as!r} must be the name of a step before this one that got an answer"
        )
    _operands(document, where, expect)


def _operands(document: Located, where: Where, expect: Expect) -> None:
    if expect.holds_for not in {"all", "any", "none"} and not expect.holds_for.isdigit():
        raise document.mistake((*where, "holds_for"), "expected all, any, none or a number of answers")
    for name in ("json", "json_absent"):
        path = getattr(expect, name)
        if path is not None:
            _looked_up(document, (*where, name), paths.split_json, path)
    if expect.matches is not None:
        _looked_up(document, (*where, "matches"), paths.compile_pattern, expect.matches)
    for name in _MOMENTS:
        if getattr(expect, name) is not None:
            _moment(document, (*where, name), getattr(expect, name))
    if isinstance(expect.within, Duration) and expect.within <= 0:
        raise document.mistake((*where, "within"), "must be more than nothing")
