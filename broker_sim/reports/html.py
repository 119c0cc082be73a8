"""The report for people: one HTML file that needs nothing else, failures first, every message pair in full.

Messages stand in it as they went over the wire; the page itself lays them out for reading when somebody opens them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from broker_sim.reports.record import WORST_FIRST, Record, ScenarioRecord, StepRecord, worst
from broker_sim.reports.words import again, place, span, what, where
from broker_sim.verdict import Finding, Verdict

_BROKEN = {Verdict.FAIL, Verdict.ERROR}
_SLUGS = {
    Verdict.PASS: "pass",
    Verdict.NON_STRICT: "nonstrict",
    Verdict.FAIL: "fail",
    Verdict.SKIP: "skip",
    Verdict.ERROR: "error",
}


def write(record: Record, path: Path) -> None:
    """Write the report to a file."""
    path.write_text(page(record), encoding="utf-8")


def page(record: Record) -> str:
    """The whole page."""
    loader = PackageLoader("broker_sim.reports", "page")
    environment = Environment(
        loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters.update(span=span, what=what, where=where, slug=_slug, raw=_raw, is_text=_is_text)
    source = {name: loader.get_source(environment, name)[0] for name in ("page.css", "page.js")}
    return environment.get_template("page.html").render(
        record=record,
        run=record.run,
        tiles=list(_tiles(record)),
        groups=list(_groups(record)),
        requirements=[(one, worst(cases), cases) for one, cases in record.requirements],
        again=again,
        place=place,
        steps=_steps,
        expectations=_expectations,
        css=Markup(source["page.css"]),  # noqa: S704 - our own file
        script=Markup(source["page.js"]),  # noqa: S704 - our own file
    )


def _tiles(record: Record) -> Iterator[dict[str, Any]]:
    for verdict in Verdict:
        yield {"verdict": verdict.value, "slug": _SLUGS[verdict], "count": record.counts[verdict]}


def _slug(verdict: Verdict | None) -> str:
    return _SLUGS[verdict] if verdict is not None else "error"


def _steps(scenario: ScenarioRecord) -> list[StepRecord]:
    return sorted(scenario.steps.values(), key=lambda step: step.number)


def _groups(record: Record) -> Iterator[dict[str, Any]]:
    """Profiles and services with what was played of them: where something failed first, and so within each."""
    grouped = [(group, scenarios, worst(scenarios)) for group, scenarios in record.groups.items()]
    for group, scenarios, verdict in sorted(grouped, key=lambda each: each[2] not in _BROKEN):
        counts = Counter(scenario.verdict or Verdict.ERROR for scenario in scenarios)
        ordered = sorted(scenarios, key=lambda one: (WORST_FIRST.index(one.verdict or Verdict.ERROR), one.billing.id))
        yield {"name": group, "verdict": verdict, "counts": counts, "scenarios": ordered}


def _expectations(step: StepRecord) -> dict[str, list[Finding]]:
    """A step's expectations: what the author wrote apart from what is always expected."""
    always = [finding for finding in step.findings if finding.aspect in {"answer", "envelope", "schema"}]
    return {"own": [finding for finding in step.findings if finding not in always], "always": always}


def _raw(body: bytes) -> str:
    """A body as it was sent; what is not text is shown as hexadecimal."""
    return body.decode("utf-8") if _is_text(body) else body.hex(" ")


def _is_text(body: bytes) -> bool:
    try:
        body.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return b"\0" not in body
