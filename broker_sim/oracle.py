"""Is a message valid in its version? Two independent validators say so, and where they disagree, that is said too."""

from __future__ import annotations

import asyncio
import copy
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lxml import etree

from broker_sim import places
from broker_sim.paths import Element, line_of, locate
from broker_sim.version1 import is_version_1

if TYPE_CHECKING:
    from xmlschema import XMLSchema10

_AT_MOST = 5


@dataclass(frozen=True)
class Violation:
    """One thing that the schema does not allow, and where."""

    validator: str
    message: str
    where: str | None
    line: int | None


@dataclass(frozen=True)
class Opinion:
    """What both validators think of one document, by the schema of which version."""

    libxml2: tuple[Violation, ...]
    xmlschema: tuple[Violation, ...]
    grammar: str = "2.02"

    @property
    def valid(self) -> bool:
        """Both call it valid."""
        return not self.libxml2 and not self.xmlschema

    @property
    def agree(self) -> bool:
        """Both give the same verdict."""
        return bool(self.libxml2) == bool(self.xmlschema)

    @property
    def violations(self) -> tuple[Violation, ...]:
        """The violations of whichever found some, libxml2's first."""
        return self.libxml2 or self.xmlschema


class NoSchema(ValueError):
    """For the version of a message there is no schema in this installation."""


def grammar(root: Element) -> str:
    """The version by whose schema a document is judged: what it says of version 1, else 2.02, which holds for all 2."""
    if not is_version_1(root):
        return "2.02"
    return "1.01" if "v1_01" in root.get("version", "") else "1.0"


def schema(version: str) -> Path:
    """The schema of a version; raises NoSchema."""
    try:
        return places.xsd(version)
    except FileNotFoundError as error:
        raise NoSchema(f"NCIP {version} can neither be written nor judged here: {error}") from error


async def judge(root: Element) -> Opinion:
    """Validate a document by both; xmlschema takes its time, half a millisecond, so it works in a thread.

    Raises NoSchema.
    """
    version = grammar(root)
    file = schema(version)
    return Opinion(_by_libxml2(root, file), await asyncio.to_thread(_by_xmlschema, root, file), version)


async def prepare() -> None:
    """Load both schemas ahead of the first message; raises FileNotFoundError when there is none."""
    _libxml2(places.xsd())
    await asyncio.to_thread(_xmlschema, places.xsd())


@cache
def _libxml2(path: Path) -> etree.XMLSchema:
    return etree.XMLSchema(etree.parse(path, etree.XMLParser(no_network=True, resolve_entities=False)))


@cache
def _xmlschema(path: Path) -> XMLSchema10:
    from xmlschema import XMLSchema10

    return XMLSchema10(path, allow="local")


def _by_libxml2(root: Element, file: Path) -> tuple[Violation, ...]:
    validator = _libxml2(file)
    if validator.validate(root):
        return ()
    log: Any = validator.error_log
    prefixes = {
        prefix: uri for node in root.iter(tag=etree.Element) for prefix, uri in node.nsmap.items() if prefix is not None
    }
    return tuple(
        Violation("libxml2", _plain(error.message), _where(root, error.path, prefixes), error.line)
        for error in list(log)[:_AT_MOST]
    )


def _where(root: Element, path: str | None, prefixes: dict[str, str]) -> str | None:
    """The place in local names for a path of libxml2's, which has the prefixes of the document."""
    if not path:
        return None
    nodes: Any = root.getroottree().xpath(path, namespaces=prefixes)
    return locate(nodes[0]) if nodes else re.sub(r"[^/\[\]]+:", "", path)


def _by_xmlschema(root: Element, file: Path) -> tuple[Violation, ...]:
    from xmlschema import XMLSchemaException

    if next(root.iter(etree.Comment, etree.ProcessingInstruction), None) is not None:
        # To xmlschema, a comment beside a text is a child where none may stand.
        root = copy.deepcopy(root)
        etree.strip_tags(root, etree.Comment, etree.ProcessingInstruction)
    found = []
    try:
        for error in _xmlschema(file).iter_errors(root):
            element: Any = error.elem
            where = None if element is None else locate(element)
            found.append(Violation("xmlschema", _plain(error.reason or error.message), where, line_of(element)))
            if len(found) == _AT_MOST:
                break
    except XMLSchemaException as error:  # it raises what it cannot put down to an element, as an unknown xsi:type
        found.append(Violation("xmlschema", _plain(str(error)), None, None))
    return tuple(found)


def _plain(message: str) -> str:
    return message.replace("{http://www.niso.org/2008/ncip}", "").strip()
