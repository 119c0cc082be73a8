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
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeVar

import msgspec

Weight = Literal["MUST", "SHOULD", "MAY"]
Actor = Literal["responder", "initiator"]
WEIGHTS: tuple[Weight, ...] = ("MUST", "SHOULD", "MAY")
_SLUG = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
_UNKNOWN_FIELD = re.compile(r"unknown field `([^`]+)`")
T = TypeVar("T")


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
    must: dict[str, Any] = {}
    should: dict[str, Any] = {}
    may: dict[str, Any] = {}


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
        data = tomllib.loads(text)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise RequirementMistake(f"{path}: {error}") from error
    source = _Source(path, text)
    groups = {name: source.typed(raw, _Group, name) for name, raw in data.items()}
    found = [requirement for name, group in groups.items() for requirement in _read(source, name, group)]
    return Requirements(found, {name: group.title for name, group in groups.items()})


def _read(source: _Source, name: str, group: _Group) -> Iterator[Requirement]:
    seen: set[str] = set()
    for level, entries in zip(WEIGHTS, (group.must, group.should, group.may), strict=True):
        for slug, raw in entries.items():
            entry = _Entry(raw) if isinstance(raw, str) else source.typed(raw, _Entry, name, slug)
            if not _SLUG.fullmatch(name) or not _SLUG.fullmatch(slug):
                raise source.mistake(f"{name}.{slug} is no slug: lower-case words joined by hyphens", name, slug)
            if slug in seen:
                raise source.mistake(f"{name}.{slug} stands under two levels", name, slug)
            if not entry.line.strip() or (entry.not_tested is not None and not entry.not_tested.strip()):
                raise source.mistake(f"{name}.{slug}: `line` and `not_tested` need words", name, slug)
            seen.add(slug)
            yield Requirement(
                slug=f"{name}.{slug}",
                group=name,
                level=level,
                actor=entry.actor or group.actor,
                clause=entry.clause or group.clause,
                line=entry.line,
                not_tested=entry.not_tested,
            )


@dataclass(frozen=True)
class _Source:
    """The text of the file, to find the line of a mistake in it: TOML does not tell where a value stood."""

    path: Path
    text: str

    def typed(self, raw: object, shape: type[T], *where: str) -> T:
        try:
            return msgspec.convert(raw, shape)
        except msgspec.ValidationError as error:
            unknown = _UNKNOWN_FIELD.search(str(error))
            raise self.mistake(str(error), *where, *([unknown[1]] if unknown else [])) from error

    def mistake(self, what: str, *where: str) -> RequirementMistake:
        lines = self.text.splitlines()
        group = next((n for n, line in enumerate(lines) if line.startswith(f"[{where[0]}")), 0)
        named = re.compile(rf"\s*\[?(?:[\w-]+\.)?{re.escape(where[-1])}\b")
        line = next((n for n in range(group, len(lines)) if named.match(lines[n])), group)
        return RequirementMistake(f"{self.path}:{line + 1}: {what}")


def strongest(requirements: Iterable[Requirement]) -> Literal["MUST", "SHOULD"]:
    """The level of what is broken when a case fails: MUST as soon as one of its requirements is, else SHOULD."""
    return "MUST" if any(requirement.level == "MUST" for requirement in requirements) else "SHOULD"
