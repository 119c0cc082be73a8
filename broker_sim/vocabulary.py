"""The words of NCIP as the schemas have them, so that a misspelt name in a scenario is a mistake and no silent pass."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache

from lxml import etree

from broker_sim import places, version1
from broker_sim.mistakes import near
from broker_sim.paths import Element

_XS = "{http://www.w3.org/2001/XMLSchema}"
# They stand where a message does, and are none.
_NO_MESSAGES = frozenset({"Problem", "Ext"})


@dataclass(frozen=True)
class Vocabulary:
    """The names of all elements, as scenarios write them, and of those that are messages."""

    elements: frozenset[str]
    messages: frozenset[str]

    def strange(self, names: Iterable[str]) -> str | None:
        """What to say of the first name that is no element; None where all are."""
        return next((_unknown(name, "element", self.elements) for name in names if name not in self.elements), None)

    def strange_message(self, name: str) -> str | None:
        """What to say of a name that is no message; None where it is one."""
        return None if name in self.messages else _unknown(name, "message", self.messages)


@cache
def vocabulary(*, older: bool = False) -> Vocabulary:
    """The words of version 2, with ``older`` those of version 1 too; raises FileNotFoundError without the schemas."""
    elements: set[str] = set()
    messages: set[str] = set()
    for version in ("1.0", "2.02") if older else ("2.02",):
        root = etree.parse(places.xsd(version)).getroot()
        groups = {str(node.get("name")): node for node in root.iterfind(f"{_XS}group")}
        declared = {str(node.get("name")): node for node in root.iterfind(f"{_XS}element")}
        elements |= {version1.plain(name) for name in declared}
        messages |= set(_inside(declared["NCIPMessage"], groups)) - _NO_MESSAGES
    return Vocabulary(frozenset(elements), frozenset(messages))


def _inside(node: Element, groups: dict[str, Element]) -> Iterator[str]:
    """The elements that may stand directly in a declared one."""
    for part in node.iter(f"{_XS}element"):
        if part.get("ref") is not None:
            yield str(part.get("ref"))
    for part in node.iter(f"{_XS}group"):
        if part.get("ref") is not None:
            yield from _inside(groups[str(part.get("ref"))], groups)


def _unknown(name: str, kind: str, names: Iterable[str]) -> str:
    return f"NCIP has no {kind} {name!r}{near(name, names)}"
