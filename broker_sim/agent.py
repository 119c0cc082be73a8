"""The agent file (TOML): who the target is, what test data it has, and how one works at its desk.

broker_sim knows no path and no id of any system under test; all of that stands here.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any, Literal
from urllib.parse import quote

import msgspec

from broker_sim import mistakes

_RANGE = re.compile(r"(?P<prefix>.*?)(?P<first>\d+)\.\.(?P=prefix)(?P<last>\d+)")
_HOLE = re.compile(r"\{([A-Za-z_]\w*)(\?)?\}")
_DROPPED = object()
_LAST_PORT = 65535


class AgentMistake(Exception):
    """The agent file cannot be used as it stands; says what and where."""


class Section(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A table of the agent file; unknown keys are mistakes."""


class Identity(Section, frozen=True, kw_only=True):
    """Who the target is and what it claims to do; empty ``services`` claims everything."""

    name: str
    versions: list[str] = []
    services: list[str] = []
    profile: str | None = None
    partner: str | None = None


class Callback(Section, frozen=True, kw_only=True):
    """Where the simulated broker listens, ``host:port``; port 0 takes any free one."""

    listen: str


class Agencies(Section, frozen=True, kw_only=True):
    """The agency codes of both sides of the target, and the one that the broker calls itself by.

    ``also``: what else they are called, by kind: personas that know the target's agencies otherwise say by which.
    """

    lender: str
    borrower: str | None = None
    broker: str = "BROKER-SIM"
    also: dict[str, dict[Literal["lender", "borrower"], str]] = {}


class Fixture(Section, frozen=True, kw_only=True):
    """Test data of one role; ``shared`` when no scenario changes it."""

    ids: list[str | dict[str, str]]
    agency: str | None = None
    shared: bool = False


class DeskAction(Section, frozen=True, kw_only=True):
    """A request to the target's own interface, with ``{holes}`` for the parameters of a step."""

    path: str
    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"] = "GET"
    json: Any = None
    query: dict[str, str] = {}


class DemoClock(Section, frozen=True, kw_only=True):
    """How the target's demonstration clock is read and moved."""

    path: str
    now: str = "now"
    set: dict[str, Any]
    advance: dict[str, Any]


class Demo(Section, frozen=True, kw_only=True):
    """What only a demonstration installation can do."""

    clock: DemoClock | None = None


class Access(Section, frozen=True, kw_only=True):
    """How one gets to the desk: environment variables that hold bearer tokens, and its address where it is another.

    ``token_env`` is one variable for both sides, or a table ``{lender = …, borrower = …}``. ``tcp`` is where the target
    takes NCIP without HTTP, ``host:port``.
    """

    token_env: str | dict[str, str] | None = None
    desk: str | None = None
    tcp: str | None = None


class Exclusion(Section, frozen=True, kw_only=True):
    """Scenarios that this target is excused from, and why; a date ends the excuse."""

    case: str
    reason: str
    until: date | None = None


class Agent(Section, frozen=True, kw_only=True):
    """A whole agent file."""

    agent: Identity
    agency: Agencies
    callback: Callback | None = None
    fixtures: dict[str, Fixture] = {}
    desk: dict[str, DeskAction] = {}
    demo: Demo = Demo()
    access: Access = Access()
    exclude: list[Exclusion] = []

    def code(self, side: str) -> str:
        """The agency code of ``lender``, ``borrower`` or ``broker``; anything else is a code already."""
        named = {"lender": self.agency.lender, "borrower": self.agency.borrower or "", "broker": self.agency.broker}
        return named.get(side, side)

    def tokens(self, environment: Mapping[str, str]) -> dict[str, str]:
        """Agency code → bearer token for its desk, as far as the environment has one."""
        named = self.access.token_env or {}
        variables = {"lender": named, "borrower": named} if isinstance(named, str) else named
        return {self.code(side): environment[name] for side, name in variables.items() if environment.get(name)}

    def called(self, kind: str) -> dict[str, str]:
        """Agency code → what it is called by a kind of ids; empty where the target has no such ids."""
        return {self.code(side): code for side, code in self.agency.also.get(kind, {}).items()}

    def side(self, code: str | None) -> str | None:
        """``lender`` or ``borrower`` for an agency code of the target; None for any other."""
        sides = {self.agency.lender: "lender", self.agency.borrower: "borrower"}
        return sides.get(code) if code else None


def address_of(text: str) -> tuple[str, int]:
    """Host and port of where the broker listens, a port alone being one here; raises ValueError for anything else."""
    host, _, port = text.rpartition(":")
    if not port.isdecimal() or int(port) > _LAST_PORT:
        raise ValueError(f"expected host:port, such as 127.0.0.1:8642, got {text!r}")
    return host.strip("[]") or "127.0.0.1", int(port)


def load(path: Path) -> Agent:
    """Read an agent file; raises AgentMistake for bad TOML, wrong types, unknown keys, an exclusion without reason."""
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
        agent = msgspec.convert(data, Agent)
        for fixture in agent.fixtures.values():
            expand(fixture)
        if agent.callback is not None:
            address_of(agent.callback.listen)
    except msgspec.ValidationError as error:
        raise AgentMistake(f"{path}: {mistakes.mistake(error, Agent)}") from error
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, ValueError) as error:
        raise AgentMistake(f"{path}: {error}") from error
    for exclusion in agent.exclude:
        if not exclusion.reason.strip():
            raise AgentMistake(f"{path}: [[exclude]] {exclusion.case}: a reason is needed")
    return agent


def expand(fixture: Fixture) -> list[dict[str, str]]:
    """Every id of a fixture with its further facts; ``L-1..L-9`` is nine. Raises ValueError for an entry without id."""
    entries: list[dict[str, str]] = []
    for entry in fixture.ids:
        if isinstance(entry, dict):
            if "id" not in entry:
                raise ValueError(f"a fixture entry needs an `id`: {entry}")
            entries.append(entry)
        elif (match := _RANGE.fullmatch(entry)) is not None:
            first, last = match["first"], match["last"]
            width = len(first) if len(first) == len(last) else 0
            entries += [{"id": f"{match['prefix']}{n:0{width}d}"} for n in range(int(first), int(last) + 1)]
        else:
            entries.append({"id": entry})
    return [{**({"agency": fixture.agency} if fixture.agency else {}), **entry} for entry in entries]


# --- test data -------------------------------------------------------------------------------------------------------


class MissingRole(Exception):
    """The agent file has no test data of that role: the scenario cannot be asked of this target."""


class UsedUp(Exception):
    """The agent file has test data of that role, but every id is taken by an earlier scenario."""


class Fixtures:
    """The test data of one run: what is handed out is not handed out again, unless it is shared."""

    def __init__(self, agent: Agent) -> None:
        self._left = {role: expand(fixture) for role, fixture in agent.fixtures.items()}
        self._sizes = {role: len(entries) for role, entries in self._left.items()}
        self._shared = {role for role, fixture in agent.fixtures.items() if fixture.shared}

    def take(self, needs: Mapping[str, str]) -> dict[str, str]:
        """A scenario's needs as variables, all or none: ``item``, ``item.agency`` …; raises MissingRole or UsedUp."""
        missing = sorted({role for role in needs.values() if not self._sizes.get(role)})
        if missing:
            raise MissingRole(f"the agent file names no {' and no '.join(missing)}")
        short = [
            role
            for role in set(needs.values()) - self._shared
            if len(self._left[role]) < list(needs.values()).count(role)
        ]
        if short:
            role = min(short)
            raise UsedUp(f"all {self._sizes[role]} ids of [fixtures.{role!r}] are taken; add ids to the agent file")
        values: dict[str, str] = {}
        for name, role in needs.items():
            entry = self._left[role].pop(0)
            if role in self._shared:
                self._left[role].append(entry)
            values[name] = entry["id"]
            values.update({f"{name}.{key}": value for key, value in entry.items() if key != "id"})
        return values


# --- the desk --------------------------------------------------------------------------------------------------------


class WrongParameters(Exception):
    """A desk step gives what the action does not take, or leaves out what it needs."""


def fill_action(name: str, action: DeskAction, parameters: Mapping[str, Any]) -> tuple[str, dict[str, str], Any]:
    """Path, query and JSON body of a desk action; an option not given is left out. Raises WrongParameters."""
    holes = dict(_holes([action.path, action.query, action.json]))
    unknown = sorted(set(parameters) - set(holes) - {"agency"})
    missing = sorted(hole for hole, optional in holes.items() if not optional and hole not in parameters)
    if unknown or missing:
        said = [f"does not take {', '.join(unknown)}"] * bool(unknown) + [f"needs {', '.join(missing)}"] * bool(missing)
        raise WrongParameters(f"[desk.{name}] {' and '.join(said)}; it takes {', '.join(sorted(holes)) or 'nothing'}")
    path = _HOLE.sub(lambda hole: quote(str(parameters.get(hole[1], "")), safe=""), action.path)
    query = {
        key: str(value) for key, text in action.query.items() if (value := _fill(text, parameters)) is not _DROPPED
    }
    body = None if action.json is None else _fill(action.json, parameters)
    return path, query, body


def _holes(template: Any) -> list[tuple[str, bool]]:
    if isinstance(template, str):
        return [(match[1], bool(match[2])) for match in _HOLE.finditer(template)]
    parts = template.values() if isinstance(template, Mapping) else template if isinstance(template, list) else ()
    return [hole for part in parts for hole in _holes(part)]


def _fill(template: Any, parameters: Mapping[str, Any]) -> Any:
    if isinstance(template, Mapping):
        filled = {key: _fill(part, parameters) for key, part in template.items()}
        return {key: value for key, value in filled.items() if value is not _DROPPED}
    if isinstance(template, list):
        return [value for part in template if (value := _fill(part, parameters)) is not _DROPPED]
    if not isinstance(template, str):
        return template
    whole = _HOLE.fullmatch(template)
    if whole is not None:
        return parameters.get(whole[1], _DROPPED if whole[2] else "")
    return _HOLE.sub(lambda hole: str(parameters.get(hole[1], "")), template)
