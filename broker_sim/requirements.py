"""What NCIP asks of a system, as ``requirements.toml`` says it: one line each, with its clause and its weight.

A group is a service (``check-out-item``) or something that holds for all of them (``envelope``). Its tables ``must``,
``should`` and ``may`` give slug → line; where a requirement differs from its group, a table stands for the line::

    [check-out-item]
    title = "CheckOutItem"
    clause = "Z39.83-1 5.4.3"

    [check-out-item.must]
    lends = "The item is on loan afterwards, until the date in the answer"
    no-return = { line = "…", clause = "Z39.83-1 6.3", not_tested = "why no case can show it" }
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Literal

import msgspec

Weight = Literal["MUST", "SHOULD", "MAY"]
Actor = Literal["responder", "initiator"]
WEIGHTS: tuple[Weight, ...] = ("MUST", "SHOULD", "MAY")
_SLUG = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
_AT = re.compile(r" - at `\$\.?([^`]*)`$")


class RequirementMistake(Exception):
    """The file of requirements cannot be used as it stands; reads ``file:line: what``."""


class Requirement(msgspec.Struct, frozen=True, kw_only=True):
    """One requirement: ``slug`` is ``group.name``, ``clause`` where it comes from, ``line`` what it says."""

    slug: str
    group: str
    level: Weight
    actor: Actor
    clause: str
    line: str
    not_tested: str | None = None


class _Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    line: str
    clause: str | None = None
    actor: Actor | None = None
    not_tested: str | None = None


class _Group(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    title: str
    clause: str
    actor: Actor = "responder"
    must: dict[str, str | _Entry] = {}
    should: dict[str, str | _Entry] = {}
    may: dict[str, str | _Entry] = {}

    def entries(self) -> Iterator[tuple[Weight, str, _Entry]]:
        for level, entries in zip(WEIGHTS, (self.must, self.should, self.may), strict=True):
            for name, entry in entries.items():
                yield level, name, _Entry(entry) if isinstance(entry, str) else entry


class Requirements:
    """All requirements by slug, in the order of the file, and the titles of their groups."""

    def __init__(self, requirements: Iterable[Requirement], titles: Mapping[str, str]) -> None:
        self.by_slug = {requirement.slug: requirement for requirement in requirements}
        self.titles = dict(titles)

    def __iter__(self) -> Iterator[Requirement]:
        return iter(self.by_slug.values())

    def __len__(self) -> int:
        return len(self.by_slug)


def load(path: Path) -> Requirements:
    """Read a file of requirements; raises RequirementMistake for bad TOML, a wrong type, a slug that is none."""
    try:
        text = path.read_text(encoding="utf-8")
        groups = msgspec.convert(tomllib.loads(text), dict[str, _Group])
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise RequirementMistake(f"{path}: {error}") from error
    except msgspec.ValidationError as error:
        at = _AT.search(str(error))
        raise _mistake(path, text, at[1].split(".") if at else [], _AT.sub("", str(error))) from error
    for name, group in groups.items():
        _check(path, text, name, group)
    requirements = [
        Requirement(
            slug=f"{name}.{slug}",
            group=name,
            level=level,
            actor=entry.actor or group.actor,
            clause=entry.clause or group.clause,
            line=entry.line,
            not_tested=entry.not_tested,
        )
        for name, group in groups.items()
        for level, slug, entry in group.entries()
    ]
    return Requirements(requirements, {name: group.title for name, group in groups.items()})


def _check(path: Path, text: str, name: str, group: _Group) -> None:
    seen: set[str] = set()
    for _, slug, entry in group.entries():
        where = [name, slug]
        if not _SLUG.fullmatch(name) or not _SLUG.fullmatch(slug):
            raise _mistake(path, text, where, f"{name}.{slug} is no slug: lower-case words joined by hyphens")
        if slug in seen:
            raise _mistake(path, text, where, f"{name}.{slug} stands under two levels")
        if not entry.line.strip() or (entry.not_tested is not None and not entry.not_tested.strip()):
            raise _mistake(path, text, where, f"{name}.{slug}: `line` and `not_tested` need words")
        seen.add(slug)


def _mistake(path: Path, text: str, where: list[str], what: str) -> RequirementMistake:
    """A mistake, at the line where the last part of its place is written (in its group, where that can be told)."""
    lines = text.splitlines()
    group = next((n for n, line in enumerate(lines) if where and line.startswith(f"[{where[0]}")), 0)
    named = re.compile(rf"\s*\[?(?:[\w.-]+\.)?{re.escape(where[-1])}\b") if where else None
    line = next((n for n in range(group, len(lines)) if named and named.match(lines[n])), group)
    return RequirementMistake(f"{path}:{line + 1}: {what}")


def strongest(requirements: Iterable[Requirement]) -> Literal["MUST", "SHOULD"]:
    """The level of what is broken when a case fails: MUST as soon as one of its requirements is, else SHOULD."""
    return "MUST" if any(requirement.level == "MUST" for requirement in requirements) else "SHOULD"
