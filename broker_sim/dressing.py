"""How a plain message becomes one of a persona: every deviation that is about elements, in one pass for each.

How the NCIPMessage itself is written is the envelope's affair (``wire.py``), and how it is posted that of ``post.py``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from broker_sim import content, places, version1, wire
from broker_sim.content import Node
from broker_sim.persona import Persona
from broker_sim.scenario import Envelope
from broker_sim.variables import UnknownVariable
from broker_sim.wire import Header

Fill = Callable[[Any], Any]

_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
_FORMATS = {
    "no-zone": "%Y-%m-%dT%H:%M:%S",
    "offset": "%Y-%m-%dT%H:%M:%S%:z",
    "basic-offset": "%Y-%m-%dT%H:%M:%S%z",
    "no-seconds": "%Y-%m-%dT%H:%M%:z",
    "milliseconds": "%Y-%m-%dT%H:%M:%S.000Z",
    "date": "%Y-%m-%d",
}


def header(persona: Persona, fill: Fill, *, broker: str, to: str, profile: str | None) -> Header | None:
    """Who speaks, as the persona says it; a step's own partner code goes before the persona's.

    ``fill`` knows ``${to}``.
    """
    speaker = persona.header
    if speaker.none:
        return None

    def said(text: str) -> str | None:
        return str(fill(text)) or None

    more = {
        "FromSystemId": speaker.from_system,
        "FromSystemAuthentication": speaker.from_system_authentication,
        "FromAgencyAuthentication": speaker.from_agency_authentication,
        "OnBehalfOfAgency": speaker.on_behalf_of,
        "ToSystemId": speaker.to_system,
    }
    return Header(
        said(speaker.from_agency) or broker,
        said(speaker.to_agency) or to,
        profile if profile is not None else said(speaker.application_profile_type),
        more={name: text for name, given in more.items() if (text := said(given))},
    )


def dressed(persona: Persona, node: Node, fill: Fill, codes: Mapping[str, str]) -> Node:
    """A plain message with everything about its elements that the persona writes otherwise.

    ``codes``: agency code → what the persona calls the agency.
    """
    besides = [part for part in _also(persona, node.name, fill) if node.child(part.name) is None]
    node = node.with_children(*node.children, *besides)
    for path, place in persona.moved.items():
        node = _moved(node, path.split("/"), place.split("/")[1:])
    node = _each(node, lambda one: _agency(one, codes))
    node = _each(node, lambda one: _dated(one, persona))
    node = _each(node, lambda one: _ordered(one, persona.order.get(one.name, [])))
    node = _schemed(node, persona)
    return _each(node, lambda one: replace(one, name=persona.names.get(one.name, one.name)))


def spelled(persona: Persona, node: Node) -> Node:
    """A message in the spelling of the persona's version; raises FileNotFoundError where its schema is not there."""
    if persona.is_version_1:
        return version1.spelled(node, _declaring(persona), typed=persona.envelope.datatypes)
    if persona.envelope.coded == "children":
        return _each(node, lambda one: version1.paired(one) if dict(one.attributes).get("Scheme") else one)
    return node


def plain(persona: Persona, node: Node) -> bytes:
    """A message in the persona's version and in no way else its own: what it means, and what must be valid."""
    if not persona.is_version_1:
        return wire.message(node, Envelope())
    spelled_out = version1.spelled(node, _declaring(persona))
    return wire.message(spelled_out, _version_1(Envelope(), persona.version))


def envelope(persona: Persona, step: Envelope | None = None) -> Envelope:
    """The persona's envelope, with what a step has of its own; one of version 1 has what all of these have."""
    own = _version_1(persona.envelope, persona.version) if persona.is_version_1 else persona.envelope
    changed = {} if step is None else msgspec.structs.asdict(step)
    defaults = msgspec.structs.asdict(Envelope())
    return msgspec.structs.replace(own, **{key: value for key, value in changed.items() if value != defaults[key]})


def _declaring(persona: Persona) -> Path:
    """The schema that declares the elements: that of 1.01 only adds to that of 1.0."""
    return places.xsd("1.0" if persona.is_version_1 else persona.version)


def _version_1(own: Envelope, version: str) -> Envelope:
    return msgspec.structs.replace(
        own,
        namespace="none",
        version_attribute="missing" if own.version_attribute == "missing" else "unqualified",
        version=own.version or version1.dtd(version),
        doctype=version1.doctype(version) if own.doctype is None else own.doctype,
    )


# --- one deviation each ----------------------------------------------------------------------------------------------


def _each(node: Node, change: Callable[[Node], Node]) -> Node:
    changed = change(node)
    return changed.with_children(*[_each(child, change) for child in changed.children])


def _also(persona: Persona, message: str, fill: Fill) -> Iterator[Node]:
    for name, inside in persona.also.get(message, {}).items():
        try:
            yield from content.from_mapping(message, {name: fill(inside)}).children
        except UnknownVariable:
            continue


def _moved(node: Node, path: list[str], place: list[str]) -> Node:
    if path[0] not in {"*", node.name}:
        return node
    node, taken = _taken(node, path[1:])
    return _put(node, place, taken) if taken else node


def _taken(node: Node, path: list[str]) -> tuple[Node, tuple[Node, ...]]:
    if len(path) == 1:
        found = tuple(child for child in node.children if child.name == path[0])
        return node.with_children(*[child for child in node.children if child.name != path[0]]), found
    found, kept = (), []
    for child in node.children:
        left, inside = _taken(child, path[1:]) if child.name == path[0] else (child, ())
        found += inside
        kept.append(left)
    return node.with_children(*kept), found


def _put(node: Node, place: list[str], parts: tuple[Node, ...]) -> Node:
    if not place:
        return node.with_children(*node.children, *parts)
    children = list(node.children)
    at = next((n for n, child in enumerate(children) if child.name == place[0]), None)
    if at is None:
        children.append(Node(place[0]))
        at = -1
    children[at] = _put(children[at], place[1:], parts)
    return node.with_children(*children)


def _agency(node: Node, codes: Mapping[str, str]) -> Node:
    return replace(node, text=codes.get(node.text, node.text)) if node.name == "AgencyId" else node


def _dated(node: Node, persona: Persona) -> Node:
    if persona.dates == "utc" or not _MOMENT.fullmatch(node.text):
        return node
    zone = ZoneInfo("UTC" if persona.dates == "milliseconds" else persona.zone)
    moment = datetime.fromisoformat(node.text).astimezone(zone)
    colon = f"{moment:%z}"[:3] + ":" + f"{moment:%z}"[3:]
    return replace(node, text=moment.strftime(_FORMATS[persona.dates].replace("%:z", colon)))


def _ordered(node: Node, names: list[str]) -> Node:
    """The children that are named come in the order of the names, all where the first of them stood."""
    chosen = sorted((child for child in node.children if child.name in names), key=lambda one: names.index(one.name))
    if not chosen:
        return node
    first = next(n for n, child in enumerate(node.children) if child.name in names)
    rest = [child for child in node.children if child.name not in names]
    return node.with_children(*rest[:first], *chosen, *rest[first:])


def _schemed(node: Node, persona: Persona) -> Node:
    if not persona.schemes:
        return node
    every = version1.coded(_declaring(persona)) if "*" in persona.schemes else frozenset()

    def scheme(one: Node) -> Node:
        name = version1.unique(one.name) if persona.is_version_1 else one.name
        given = persona.schemes.get(one.name, persona.schemes["*"] if name in every else None)
        if given is None or "Scheme" in dict(one.attributes) or one.children:
            return one
        return replace(one, attributes=(("Scheme", given.replace("{element}", name)), *one.attributes))

    return _each(node, scheme)
