"""What the run of the corpus found, as a page of the documents: counts, problems, repairs, none of the messages."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import groupby

from tests.corpus.reading import Reading
from tests.corpus.running import Trial

PAGE = """\
# What the field sends, and what becomes of it

Made by `make corpus`, which needs the corpus of real messages beside the checkout; none of them is repeated here.

Each request and each notification is sent over HTTP to an ncipd of its own in which what it names exists: its agency,
user, title and copy are loaded, and what has to happen before it (a request, a loan, an item that has come) is told to
ncipd by the same partner, which is set up from the profile of its family. A message that a family sends on both sides
of resource sharing is sent once as the lender's and once as the borrower's. Templates with words in capitals for dates
are sent as they are, and with dates. The clock stands where the dates of the message want it.

{summary}

## By source

*Done*: answered without a problem, and what was to change has changed. *Refused*: answered with a problem. *Wrong*:
another answer than a valid one of the right type and version, or success without effect. *Repaired*: read with at least
one repair. *By key*: nothing in the header told who sends it, so the address did.

{sources}

## What was refused, and why

{refusals}

## What was repaired

{repairs}

## Responses, read as the initiator reads them

*Understood*: it is known of which service they are, or that they are nothing but a problem. *Problems*: refusals in
them, and how many of those are recognised.

{responses}
"""


def page(trials: Sequence[Trial], readings: Sequence[Reading]) -> str:
    """Write the page."""
    return PAGE.format(
        summary=_summary(trials, readings),
        sources=_sources(trials),
        refusals=_refusals(trials),
        repairs=_repairs(trials),
        responses=_responses(readings),
    )


def is_wrong(trial: Trial) -> bool:
    """Whether a message got what nobody should get."""
    return bool(trial.verdict.wrong) or trial.in_vain


def _summary(trials: Sequence[Trial], readings: Sequence[Reading]) -> str:
    files, done = {one.message.file for one in trials}, sum(one.succeeded and not one.in_vain for one in trials)
    refused = sum(not one.verdict.wrong and bool(one.verdict.problems) for one in trials)
    wrong, understood = sum(map(is_wrong, trials)), sum(one.understood for one in readings)
    return (
        f"**{len(files)} messages, sent {len(trials)} times: {done} done, {refused} refused, {wrong} answered wrongly. "
        f"{len(readings)} responses: {understood} understood.**"
    )


def _sources(trials: Sequence[Trial]) -> str:
    rows = []
    for (source, family, major), of_source in _grouped(trials, _origin):
        rows.append(
            (
                source,
                family or "–",
                major,
                len({one.message.file for one in of_source}),
                len(of_source),
                sum(one.succeeded and not one.in_vain for one in of_source),
                sum(not one.verdict.wrong and bool(one.verdict.problems) for one in of_source),
                sum(map(is_wrong, of_source)),
                sum(bool(one.repairs) for one in of_source),
                sum(not one.recognised for one in of_source),
            )
        )
    heads = ("source", "profile", "NCIP", "messages", "sent", "done", "refused", "wrong", "repaired", "by key")
    return _table(heads, rows)


def _origin(trial: Trial) -> tuple[str, str, str]:
    return trial.message.source, trial.message.family, trial.message.major


def _refusals(trials: Sequence[Trial]) -> str:
    told: Counter[tuple[str, str, str, str, str]] = Counter()
    for one in trials:
        for type_, element in one.verdict.problems[:1] if not one.verdict.wrong else ():
            template = " (template)" if one.message.filled or _has_blanks(trials, one) else ""
            told[one.message.source, f"{one.message.type}{template}", one.side, type_, element] += 1
    rows = [(*key, count) for key, count in sorted(told.items())]
    return _table(("source", "message", "side", "problem", "about", "times"), rows)


def _has_blanks(trials: Sequence[Trial], one: Trial) -> bool:
    return any(other.message.filled and other.message.file == one.message.file for other in trials)


def _repairs(trials: Sequence[Trial]) -> str:
    made = Counter((name, one.message.source) for one in trials for name in one.repairs)
    rows = [
        (f"`{name}`", sum(made[each] for each in keys), ", ".join(source for _, source in keys))
        for name, keys in groupby(sorted(made), key=lambda each: each[0])
        for keys in [list(keys)]
    ]
    return _table(("repair", "messages", "sources"), rows)


def _responses(readings: Sequence[Reading]) -> str:
    rows = []
    for (source, major), of_source in _grouped(readings, lambda one: (one.message.source, one.message.major)):
        problems = sum(one.has_problem for one in of_source)
        recognised = sum(one.has_problem and one.tells_problem for one in of_source)
        understood = sum(one.understood for one in of_source)
        rows.append((source, major, len(of_source), understood, problems, recognised))
    return _table(("source", "NCIP", "responses", "understood", "problems", "recognised"), rows)


def _grouped(things, key):
    return [(name, list(group)) for name, group in groupby(sorted(things, key=key), key=key)]


def _table(heads: Iterable[object], rows: Iterable[Iterable[object]]) -> str:
    lines = [list(map(str, heads)), *(list(map(str, row)) for row in rows)]
    lines.insert(1, ["---"] * len(lines[0]))
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
