"""Profiles: how each family of systems bends NCIP, as TOML that partners start from (`profile = "alma"`).

A profile is a table of partner settings with the family's facts around it. It may extend one other: tables merge, lists
and values replace. There are no expressions, conditions or templates; what settings cannot express is a function that
the setting `quirks` names. What only a library can know (codes, secrets, addresses, places) is no matter of a profile.
"""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path
from typing import Any, Literal

import msgspec

from ncipd.circulation.partner import Partner

FOLDER = Path(__file__).parent

#: Settings that say which partner it is and where it is found, not of which family.
OWN = ("code", "agency", "profile", "name", "keys", "fallback", "secret", "url")


class Step(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One message of the documented flow of a family."""

    #: The NCIP service.
    service: str
    #: Who sends it: the partner (them), or ncipd (us).
    sender: Literal["them", "us"] = "them"
    #: On which side of our resource sharing it is; empty = neither.
    side: Literal["lending", "borrowing", ""] = ""
    #: When it is sent, or what it is for.
    when: str


class Profile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One file of `ncipd/profiles/`."""

    #: What people call the family.
    title: str
    #: What it is, and what it does otherwise than the standard, in words.
    about: str
    #: The NCIP versions that the family speaks.
    versions: tuple[str, ...]
    #: The profile that this one starts from; empty = the defaults.
    extends: str = ""
    #: Settings whose value is deduced, and nowhere documented.
    inferred: tuple[str, ...] = ()
    #: Its messages in the order in which they come.
    flow: tuple[Step, ...] = ()
    #: Partner settings.
    partner: dict[str, Any] = {}


class UnknownProfileError(LookupError):
    """No profile has this name."""


@cache
def names() -> tuple[str, ...]:
    """List the bundled profiles."""
    return tuple(sorted(file.stem for file in FOLDER.glob("*.toml")))


@cache
def load(name: str) -> Profile:
    """Read a profile; raises UnknownProfileError, or ValueError for a file that is none (with what is wrong)."""
    if name not in names():
        raise UnknownProfileError(name)
    try:
        profile = msgspec.convert(tomllib.loads((FOLDER / f"{name}.toml").read_text("utf-8")), Profile)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise ValueError(f"profile {name}: {error}") from error
    known = {field.name for field in msgspec.structs.fields(Partner)}
    wrong = [key for key in (*profile.partner, *profile.inferred) if key not in known or key in OWN]
    if wrong:
        raise ValueError(f"profile {name}: no setting of a profile is called {', '.join(wrong)}")
    return profile


@cache
def lineage(name: str) -> tuple[str, ...]:
    """Name a profile and those that it starts from, the last one first; raises ValueError where they go in a circle."""
    found: list[str] = []
    while name:
        if name in found:
            raise ValueError(f"profile {name} extends itself: {' → '.join(found)} → {name}")
        found.append(name)
        name = load(name).extends
    return tuple(reversed(found))


def settings(name: str) -> dict[str, Any]:
    """Give the partner settings of a profile, those that it starts from included."""
    below: dict[str, Any] = {}
    for one in lineage(name):
        below = merged(below, load(one).partner)
    return below


def merged(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    """Lay one table on another: tables merge, everything else replaces."""
    both = {**below, **above}
    for key in below.keys() & above.keys():
        if isinstance(below[key], dict) and isinstance(above[key], dict):
            both[key] = merged(below[key], above[key])
    return both


def origin(name: str, setting: str, value: Any) -> str:
    """Name the profile from which a setting has this value; '' where it has it from elsewhere."""
    if not name or setting in OWN:
        return ""
    stated = [one for one in lineage(name) if setting in load(one).partner]
    return stated[-1] if stated and getattr(partner(name), setting) == value else ""


@cache
def partner(name: str) -> Partner:
    """Make a partner that is what a profile says, and nothing else."""
    return msgspec.convert({**settings(name), "code": "CODE", "agency": "AGENCY", "profile": name}, Partner)
