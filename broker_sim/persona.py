"""A persona: how one family of systems writes and posts its messages, as data (``broker_sim/profiles/NAME.toml``).

A scenario says what is sent in plain words; the persona that it names says how that looks on the wire: who speaks, in
which version, with which deviations from the standard, by which way. A persona may extend one other: tables merge,
everything else replaces. There are no expressions; ``${…}`` are the variables of scenarios, and ``${to}`` is the code
of the agency that a message is for. The comments below are read: they are the documentation of the settings.
"""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo

import msgspec

from broker_sim import content
from broker_sim.scenario import Envelope, Side

FOLDER = Path(__file__).parent / "profiles"

Version = Literal["1.0", "1.01", "2.0", "2.01", "2.02"]
Form = Literal["body", "xml", "XForms:Model", "percent"]
Transport = Literal["http", "tcp", "http-over-tcp"]
Dates = Literal["utc", "no-zone", "offset", "basic-offset", "no-seconds", "milliseconds", "date"]
Ending = Literal["nothing", "newline", "nul", "eot"]


class Speaker(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """``[header]``: what stands in the InitiationHeader; what is empty is not sent."""

    #: No header at all.
    none: bool = False
    #: FromSystemId.
    from_system: str = ""
    #: FromSystemAuthentication.
    from_system_authentication: str = ""
    #: FromAgencyId; empty = the broker's code from the agent file.
    from_agency: str = ""
    #: FromAgencyAuthentication.
    from_agency_authentication: str = ""
    #: OnBehalfOfAgency.
    on_behalf_of: str = ""
    #: ToSystemId.
    to_system: str = ""
    #: ToAgencyId.
    to_agency: str = "${to}"
    #: ApplicationProfileType, unless a scenario or step names its own as `partner`.
    application_profile_type: str = ""


class Post(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """``[post]``: how the octets of a message reach the target."""

    #: Over HTTP, over a bare TCP connection, or by HTTP written by hand into one.
    transport: Transport = "http"
    #: The Content-Type; empty = none.
    content_type: str = 'application/xml; charset="utf-8"'
    #: The body is the XML, or a form with the XML in this field, or the XML with every unusual octet as %XX.
    form: Form = "body"
    #: What is put behind the target's address: POST /ncip/KEY.
    key: str = ""
    #: The header Authorization.
    authorization: str = ""
    #: What stands behind a message on a bare connection.
    ends_with: Ending = "nothing"


class Persona(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """One file of ``broker_sim/profiles/``."""

    #: What people call the family.
    title: str
    #: What it sends otherwise than the standard has it, in words.
    about: str
    #: The persona that this one starts from.
    extends: str = ""
    #: The version of NCIP that it writes; what it says of itself may be different: `[envelope] version`.
    version: Version = "2.02"
    #: Which side of resource sharing its messages are for.
    side: Side = "both"
    #: By which of the agent file's `[agency.also]` it calls the target's agencies; empty = by their codes.
    agencies: str = ""
    #: Who speaks, to whom.
    header: Speaker = Speaker()
    #: How the NCIPMessage is written: the keys of a step's `envelope`.
    envelope: Envelope = Envelope()
    #: Element → its Scheme; `"*"` = every coded element that is not named, and `{element}` in it is the element's name.
    schemes: dict[str, str] = {}
    #: How a date-time is written that stands in UTC in the scenario.
    dates: Dates = "utc"
    #: The IANA time zone of dates written without zone or with an offset.
    zone: str = "UTC"
    #: Message → what stands in it besides; what mentions a variable that the scenario does not have is left out.
    also: dict[str, dict[str, Any]] = {}
    #: Path of an element (message first, `*` = any) → the path of the element in which it stands instead.
    moved: dict[str, str] = {}
    #: Element → those of its children that come in this order, where the first of them stands.
    order: dict[str, list[str]] = {}
    #: Element → what it is called instead.
    names: dict[str, str] = {}
    #: How its messages reach the target.
    post: Post = Post()

    @property
    def is_version_1(self) -> bool:
        """Whether messages are in the spelling of NCIP 1."""
        return self.version.startswith("1")

    @property
    def way(self) -> str:
        """The version and the way of its messages, for lists."""
        return f"NCIP {self.version}, {self.post.transport.upper()}"


class PersonaMistake(Exception):
    """A persona that is not there, or whose file cannot be used; says which file and which key."""


@cache
def names() -> tuple[str, ...]:
    """Every bundled persona."""
    return tuple(sorted(path.stem for path in FOLDER.glob("*.toml")))


@cache
def load(name: str) -> Persona:
    """Read a persona with what it extends; raises PersonaMistake."""
    table: dict[str, Any] = {}
    for one in reversed(_lineage(name)):
        table = merged(table, _table(one))
    try:
        persona = msgspec.convert({**table, "extends": _table(name).get("extends", "")}, Persona)
        _check(persona)
    except (msgspec.ValidationError, ValueError) as error:
        raise PersonaMistake(f"{_file(name)}: {error}") from error
    return persona


def merged(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Lay one table on another: tables merge, everything else replaces."""
    both = {**below, **above}
    for key in below.keys() & above.keys():
        if isinstance(below[key], dict) and isinstance(above[key], dict):
            both[key] = merged(below[key], above[key])
    return both


def _lineage(name: str) -> list[str]:
    found: list[str] = []
    while name:
        if name in found:
            raise PersonaMistake(f"{_file(found[0])}: extends: goes in a circle: {' → '.join([*found, name])}")
        found.append(name)
        name = str(_table(name).get("extends", ""))
    return found


def _file(name: str) -> Path:
    return FOLDER / f"{name}.toml"


@cache
def _table(name: str) -> dict[str, Any]:
    """One file alone; its keys and their types are right, whatever it extends."""
    if name not in names():
        close = difflib.get_close_matches(name, names(), n=1)
        hint = f"did you mean {close[0]!r}?" if close else f"there are {', '.join(names())}"
        raise PersonaMistake(f"there is no persona {name!r}; {hint}")
    try:
        table = tomllib.loads(_file(name).read_text("utf-8"))
        msgspec.convert(table, Persona)
    except (OSError, ValueError) as error:  # TOML mistakes and wrong types are ValueErrors
        raise PersonaMistake(f"{_file(name)}: {error}") from error
    return table


def _check(persona: Persona) -> None:
    """What the types cannot say; raises ValueError with the key."""
    try:
        ZoneInfo(persona.zone)
    except (KeyError, OSError, ValueError) as error:
        raise ValueError(f"zone: {persona.zone!r} is no time zone of the IANA") from error
    for message, besides in persona.also.items():
        try:
            content.from_mapping(message, besides)
        except ValueError as error:
            raise ValueError(f"also.{message}: {error}") from error
    for path, place in persona.moved.items():
        if path.count("/") < 1 or path.split("/")[0] not in {"*", place.split("/")[0]}:
            raise ValueError(f"moved.{path!r}: write it as Message/Element = Message/Other, in the same message")
