"""Does a message obey the grammar of version 1, and if not: where, what was found there, and what should have been."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

from lxml import etree

from ncipd.ncip.paths import Node, local_name, path
from ncipd.ncip.schema import EXPECTED, Kind, Violation, breach_of_long, breaches, in_words, xsd_path
from ncipd.ncip.v1.table import LATER

_ATTRIBUTE = re.compile(r"attribute '([^']*)'")


@cache
def _schema(version: str) -> Any:
    return etree.XMLSchema(file=str(xsd_path(f"ncip_v{version}.xsd")))


@cache
def names() -> frozenset[str]:
    """Give the elements of version 1.0."""
    root = etree.parse(str(xsd_path("ncip_v1_0.xsd"))).getroot()
    return frozenset(str(node.get("name")) for node in root.iterchildren("{*}element"))


def is_valid_answer(root: Node) -> bool:
    """Tell whether an answer obeys the grammar of 1.0, or of 1.01 where only that has the message."""
    version = "1_01" if len(root) and local_name(root[0]) in LATER else "1_0"
    return bool(_schema(version).validate(root))


def violations(root: Node, *, long: bool = False) -> list[Violation]:
    """Give the breaches of the grammar of 1.0 in the order of the document: at most twenty, of a long one one."""
    if long:
        breach = breach_of_long(root, _schema("1_0"))
        return [] if breach is None else [breach]
    return breaches(_schema("1_0"), root, _violation)


def _violation(node: Node, message: str) -> Violation:
    name = local_name(node)
    said = EXPECTED.search(message)
    expected = [one.strip() for one in said[1].split(",")] if said else []
    wanted = in_words(expected)
    if "Missing child element" in message:
        return _of(node, "missing", "nothing", wanted, f"{name} has no {wanted}", (expected or [name])[0])
    if "not expected" in message:
        owner = node.getparent()
        end = f"the end of {local_name(owner)}" if owner is not None else "NCIPMessage"
        if node.tag in names():
            return _of(node, "misplaced", name, wanted or end, f"{name} cannot stand here", name)
        return _of(node, "unknown", name, wanted or end, f"{name} is no element of NCIP 1.0", name)
    if "ttribute" in message:
        attribute = named[1] if (named := _ATTRIBUTE.search(message)) else "attribute"
        if "required but missing" in message:
            return _of(node, "attribute", "nothing", attribute, f"{name} has no attribute {attribute}", name)
        value = node.get(attribute, "")
        return _of(
            node, "attribute", f"{attribute}={value[:60]!r}", "the datatype of the element", _said(message), name
        )
    text = (node.text or "").strip()
    return _of(node, "text", text[:60] or "content", "other content", _said(message), name)


def _said(message: str) -> str:
    """Give the words of libxml2 without the name of the element, which they begin with."""
    return message.partition(": ")[2].rstrip(".") or message


def _of(node: Node, kind: Kind, found: str, expected: str, reason: str, name: str) -> Violation:
    return Violation(path(node), node.sourceline, found, expected, reason, kind, name)
