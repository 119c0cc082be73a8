"""From scenario files to scenarios: which files are meant, what they say, and where each mistake in them stands."""

from __future__ import annotations

import difflib
import fnmatch
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from broker_sim import mistakes, persona, yamlfile
from broker_sim.checking import check
from broker_sim.mistakes import near
from broker_sim.persona import Persona, PersonaMistake
from broker_sim.requirements import Requirement, Requirements, strongest
from broker_sim.scenario import STEPS, AnyStep, Desk, Duration, Scenario, Send, Story

T = TypeVar("T")

_CAPITAL = re.compile(r"(?<!^)(?=[A-Z])")
_SLUG = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")


class NothingMatched(Exception):
    """A scenario or case was asked for that is not there; the message names what comes closest."""


def load(path: Path, requirements: Requirements | None = None) -> Scenario:
    """Read one scenario file; raises FileMistake (file:line: what) for anything that could not be played.

    With ``requirements`` it is a case: it must verify some of them by their slugs, and its level is theirs.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise yamlfile.FileMistake(path, 1, f"cannot be read: {error}") from error
    document = yamlfile.read(str(path), text)
    identity = scenario_id(path)
    if identity is None:
        raise document.mistake(
            (), "folder and file name make the id: lower-case words joined by hyphens, like alma-broker/lending.yaml"
        )
    story = _typed(document, (), document.value, Story)
    verified: tuple[Requirement, ...] = ()
    if requirements is not None:
        verified = _verified(document, identity, requirements)
        story = msgspec.structs.replace(story, level=strongest(verified))
    elif story.side is None:
        raise document.mistake((), "say by `side` who is under test: lending, borrowing or both")
    steps = tuple(_step(document, n, raw) for n, raw in enumerate(story.steps))
    lines = tuple(document.line(("steps", n)) for n in range(len(steps)))
    afterwards = tuple(_putting_back(document, n, raw) for n, raw in enumerate(story.afterwards))
    spoken = None if story.persona is None else _persona(document, story.persona)
    scenario = Scenario(
        id=identity,
        path=path,
        story=story,
        steps=steps,
        lines=lines,
        afterwards=afterwards,
        requirements=verified,
        persona=spoken,
    )
    check(scenario, document)
    return scenario


def _persona(document: yamlfile.Located, name: str) -> Persona:
    try:
        return persona.load(name)
    except PersonaMistake as mistake:
        raise document.mistake(("persona",), str(mistake)) from mistake


def _verified(document: yamlfile.Located, identity: str, requirements: Requirements) -> tuple[Requirement, ...]:
    slugs: list[str] = document.value.get("verifies") or []
    group = identity.partition(".")[0]
    if group not in requirements.titles:
        raise document.mistake(
            (), f"the folder {group!r} is no group of requirements{near(group, requirements.titles)}"
        )
    if "level" in document.value:
        raise document.mistake(
            ("level",), "a case has the level of the requirements that it verifies; leave `level` out"
        )
    if not slugs:
        raise document.mistake(("verifies",), "a case verifies at least one requirement")
    for n, slug in enumerate(slugs):
        if slug not in requirements.by_slug:
            close = near(slug, requirements.by_slug)
            raise document.mistake(("verifies", n), f"there is no requirement {slug!r}{close}")
    return tuple(requirements.by_slug[slug] for slug in slugs)


def scenario_id(path: Path) -> str | None:
    """``…/alma-broker/lending.yaml`` → ``alma-broker.lending``; None where the names are no slugs."""
    parts = path.resolve().parent.name, path.stem
    return ".".join(parts) if all(_SLUG.fullmatch(part) for part in parts) else None


def select(wanted: Sequence[str], *bundled: Path) -> list[Path]:
    """The files meant by ids, globs over ids, folders of ids, files or folders; all bundled ones for none.

    Raises NothingMatched.
    """
    files = [path for folder in bundled for path in _files(folder)]
    catalogue = {identity: path for path in files if (identity := scenario_id(path))}
    if not wanted:
        if not catalogue:
            raise NothingMatched(f"there is nothing to play under {' or '.join(map(str, bundled))}")
        return list(catalogue.values())
    return list(dict.fromkeys(path for one in wanted for path in _meant(one, catalogue)))


def _meant(one: str, catalogue: dict[str, Path]) -> list[Path]:
    if one in catalogue:
        return [catalogue[one]]
    path = Path(one)
    if path.is_file():
        return [path]
    found = list(_files(path)) if path.is_dir() else [catalogue[name] for name in fnmatch.filter(catalogue, one)]
    # `CheckOutItem`, as the standard writes it, is all of `check-out-item`.
    group = _CAPITAL.sub("-", one).lower()
    found = found or [path for name, path in catalogue.items() if name.partition(".")[0] == group]
    if not found:
        close = difflib.get_close_matches(one, catalogue, n=3)
        hint = f"; did you mean {' or '.join(close)}?" if close else "; `broker-sim list` shows what there is"
        raise NothingMatched(f"no scenario or case is called {one!r}, and no file or folder{hint}")
    return found


def _files(folder: Path) -> Iterable[Path]:
    return sorted(path for path in folder.rglob("*.yaml") if path.is_file())


def _step(document: yamlfile.Located, number: int, raw: dict[str, Any]) -> AnyStep:
    return _step_at(document, ("steps", number), raw)


def _putting_back(document: yamlfile.Located, number: int, raw: dict[str, Any]) -> Send | Desk:
    where = ("afterwards", number)
    step = _step_at(document, where, raw)
    if not isinstance(step, Send | Desk) or step.expect or step.capture:
        raise document.mistake(where, "afterwards there is only `send` and `desk`, with nothing expected or captured")
    return step


def _step_at(document: yamlfile.Located, where: yamlfile.Where, raw: dict[str, Any]) -> AnyStep:
    kinds = [key for key in raw if key in STEPS]
    if len(kinds) != 1:
        what = "both " + " and ".join(kinds) if kinds else "none of them"
        raise document.mistake(where, f"a step is one of {', '.join(STEPS)}; this one has {what}")
    return _typed(document, where, raw, STEPS[kinds[0]])


def _typed(document: yamlfile.Located, where: yamlfile.Where, raw: Any, shape: type[T]) -> T:
    try:
        return msgspec.convert(raw, shape, strict=False, dec_hook=_unusual)
    except msgspec.ValidationError as error:
        found = mistakes.mistake(error, shape)
        raise document.mistake((*where, *found.where), found.what) from error


def _unusual(kind: type, value: Any) -> Any:
    if kind is Duration:
        return Duration.parse(str(value))
    raise NotImplementedError(kind)
