"""What there is to play, as lists: scenarios, cases, requirements; for people, for Markdown, for programs."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import msgspec
from rich.console import Console
from rich.table import Table

from broker_sim import persona
from broker_sim.requirements import Requirement, Requirements
from broker_sim.scenario import Scenario


@dataclass(frozen=True)
class Coverage:
    """A requirement, and the ids of the cases that verify it."""

    requirement: Requirement
    cases: tuple[str, ...] = field(default=())

    @property
    def gap(self) -> bool:
        """Whether no case verifies it, and it does not say why."""
        return not self.cases and self.requirement.not_tested is None


def coverage(requirements: Requirements, cases: Iterable[Scenario]) -> list[Coverage]:
    """For every requirement the cases that verify it, in the order of the file."""
    verified = [(one.id, {requirement.slug for requirement in one.requirements}) for one in cases]
    return [
        Coverage(requirement, tuple(name for name, slugs in verified if requirement.slug in slugs))
        for requirement in requirements
    ]


def show(scenarios: Sequence[Scenario], console: Console, *, form: str) -> None:
    """Print scenarios and cases as ``table``, ``markdown`` or ``json``."""
    if form == "json":
        print(json.dumps([_plain(one) for one in scenarios], ensure_ascii=False, indent=2))  # noqa: T201 - a list
        return
    head = ("scenario or case", "side", "level", "persona", "what happens")
    rows = [(one.id, one.side, one.story.level, one.story.persona or "", one.story.title) for one in scenarios]
    _print(head, rows, console, markdown=form == "markdown")


def show_requirements(covered: Sequence[Coverage], console: Console, *, form: str) -> None:
    """Print requirements with the cases that verify them; what has none says why not, or is marked as a gap."""
    if form == "json":
        print(json.dumps([_with_cases(one) for one in covered], ensure_ascii=False, indent=2))  # noqa: T201 - a list
        return
    head = ("requirement", "level", "clause", "what it says", "verified by")
    rows = [(one.requirement.slug, one.requirement.level, _from(one.requirement), one.requirement.line, _by(one))
            for one in covered]  # fmt: skip
    _print(head, rows, console, markdown=form == "markdown")


def show_personas(console: Console, *, form: str) -> None:
    """Print the personas: how each family of systems sends."""
    found = [(name, persona.load(name)) for name in persona.names()]
    if form == "json":
        plain = [{"id": name, **msgspec.to_builtins(one)} for name, one in found]
        print(json.dumps(plain, ensure_ascii=False, indent=2))  # noqa: T201 - a list
        return
    rows = [(name, one.way, one.side, one.title) for name, one in found]
    _print(("persona", "sends", "side", "who that is"), rows, console, markdown=form == "markdown")


def show_needs(scenarios: Sequence[Scenario], console: Console) -> None:
    """Print how many ids of each role the scenarios need, were none of them shared."""
    needed = Counter(role for one in scenarios for role in one.needs.values())
    rows = [(role, str(count)) for role, count in sorted(needed.items())]
    _print(("role", "ids needed"), rows, console, markdown=False)


def _print(head: Sequence[str], rows: Sequence[Sequence[str]], console: Console, *, markdown: bool) -> None:
    if markdown:
        for line in _markdown(head, rows):
            print(line)  # noqa: T201 - a list is what was asked for
        return
    table = Table(box=None, pad_edge=False, header_style="dim")
    for n, column in enumerate(head):
        table.add_column(column, no_wrap=n < len(head) - 2)
    for row in rows:
        table.add_row(*row)
    console.print(table, markup=False)


def _markdown(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield "|---" * len(head) + "|"
    for name, *rest in rows:
        cells = [f"`{name}`", *(cell.replace("|", "\\|") for cell in rest)]
        yield f"| {' | '.join(cells)} |"


def _plain(one: Scenario) -> dict[str, object]:
    story = one.story
    return {
        "id": one.id,
        "kind": "case" if one.requirements else "scenario",
        "title": story.title,
        "summary": story.summary.strip(),
        "side": one.side,
        "persona": story.persona,
        "level": story.level,
        "verifies": story.verifies,
        "needs": one.needs,
    }


def _with_cases(one: Coverage) -> dict[str, object]:
    requirement = one.requirement
    return {
        "slug": requirement.slug,
        "clause": requirement.clause,
        "level": requirement.level,
        "actor": requirement.actor,
        "line": requirement.line,
        "cases": list(one.cases),
        "not_tested": requirement.not_tested,
    }


def _from(requirement: Requirement) -> str:
    return requirement.clause if requirement.actor == "responder" else f"{requirement.clause} (initiator)"


def _by(one: Coverage) -> str:
    if one.gap:
        return "NO CASE"
    return ", ".join(one.cases) or f"not tested: {one.requirement.not_tested}"
