"""What is known of a family of systems: the settings of its profile, and on which side it sends what."""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path
from typing import Any

import msgspec

import ncipd
from ncipd.circulation.partner import Partner

PROFILES = Path(ncipd.__file__).parent / "profiles"


def partner(family: str, own: dict[str, Any]) -> Partner:
    """A partner of a family; `own` is what an administrator says of it."""
    settings: dict[str, Any] = {}
    for name in reversed(_lineage(family)):
        settings |= _profile(name).get("partner", {})
    if family and _lineage(family):
        settings["profile"] = family
    return msgspec.convert({**settings, **own}, Partner)


def sides(family: str, service: str) -> tuple[str, ...]:
    """The sides on which a family sends a message, as its profile documents them; none where it does not."""
    flow = next((flow for name in _lineage(family) if (flow := _profile(name).get("flow"))), ())
    found = [
        step["side"]
        for step in flow
        if step["service"] == service and step.get("sender", "them") == "them" and step.get("side")
    ]
    return tuple(dict.fromkeys(found))


def _lineage(name: str) -> list[str]:
    found: list[str] = []
    while name and (profile := _profile(name)):
        found.append(name)
        name = profile.get("extends", "")
    return found


@cache
def _profile(name: str) -> dict[str, Any]:
    file = PROFILES / f"{name}.toml"
    return tomllib.loads(file.read_text("utf-8")) if file.is_file() else {}
