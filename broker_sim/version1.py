"""NCIP 1 as another spelling: plain messages are written in it, and answers in it are looked at like any other.

The five identifiers are called Unique… there, there is no namespace, coded values are pairs of Scheme and Value, and
texts may say by an attribute what type they are meant to be. Which elements are coded and what each text is meant to
be, the schema says. Everything else is written and read by the names that version 1 itself has.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path

from lxml import etree

from broker_sim.content import Node
from broker_sim.paths import NAMESPACE, Element, children, local

_IDS = ("AgencyId", "BibliographicId", "ItemId", "RequestId", "UserId")
_UNIQUE = {name: f"Unique{name}" for name in _IDS}
_PLAIN = {unique: name for name, unique in _UNIQUE.items()}
_PAIR = ["Scheme", "Value"]
_XS = "{http://www.w3.org/2001/XMLSchema}"


def dtd(version: str) -> str:
    """The address that the attribute version says, as a rule."""
    return f"http://www.niso.org/ncip/v1_0/imp1/dtd/ncip_v{version.replace('.', '_')}.dtd"


def doctype(version: str) -> str:
    """The document type declaration of a version."""
    return f'<!DOCTYPE NCIPMessage PUBLIC "-//NISO//NCIP DTD Version {version}//EN" "{dtd(version)}">'


@cache
def coded(xsd: Path) -> frozenset[str]:
    """The elements that a schema, of either version, declares as coded values."""
    return frozenset(name for name, kind in _types(xsd) if kind == "SchemeValuePair")


@cache
def datatypes(xsd: Path) -> dict[str, str]:
    """What the texts of each element are meant to be, by the fixed attribute of version 1."""
    root = etree.parse(xsd).getroot()
    fixed = {
        str(kind.get("name")): str(attribute.get("fixed"))
        for kind in root.iterfind(f"{_XS}complexType")
        for attribute in kind.iter(f"{_XS}attribute")
        if attribute.get("name") == "datatype"
    }
    return {name: fixed[kind] for name, kind in _types(xsd) if kind in fixed}


def _types(xsd: Path) -> list[tuple[str, str]]:
    declared = etree.parse(xsd).getroot().iterfind(f"{_XS}element")
    return [(str(node.get("name")), str(node.get("type", ""))) for node in declared]


# --- writing ---------------------------------------------------------------------------------------------------------


def spelled(node: Node, xsd: Path, *, typed: bool = False) -> Node:
    """A plain message in the spelling of version 1; ``typed`` gives texts the attribute datatype."""
    name = _UNIQUE.get(node.name, node.name)
    if name in coded(xsd) and not node.children:
        node = paired(node)
    inner = tuple(spelled(child, xsd, typed=typed) for child in node.children)
    kind = datatypes(xsd).get(name) if typed and not inner else None
    attributes = (*node.attributes, ("datatype", kind)) if kind else node.attributes
    return replace(node, name=name, children=inner, attributes=attributes)


def paired(node: Node) -> Node:
    """A coded value as a pair of child elements instead of text with a Scheme."""
    scheme = next((value for name, value in node.attributes if name == "Scheme"), "")
    rest = tuple(one for one in node.attributes if one[0] != "Scheme")
    return Node(node.name, rest, children=(Node("Scheme", text=scheme), Node("Value", text=node.text)))


# --- reading ---------------------------------------------------------------------------------------------------------


def is_version_1(root: Element) -> bool:
    """Whether a document is of version 1: in no namespace, and by its own word."""
    return root.tag == "NCIPMessage" and "v1_" in root.get("version", "")


def seen(root: Element) -> Element:
    """The same document, to be looked at by the paths that hold for version 2; the lines stay what they were."""
    for node in list(root.iter(tag=etree.Element)):
        name = local(node.tag)
        if [local(child.tag) for child in children(node)] == _PAIR:
            scheme, value = children(node)
            node.set(f"{{{NAMESPACE}}}Scheme", _text(scheme))
            text = _text(value)
            del node[:]
            node.text = text
        node.tag = f"{{{NAMESPACE}}}{_PLAIN.get(name, name)}"
    return root


def _text(node: Element) -> str:
    """The whole text of an element, whatever comments stand in it."""
    return "".join(str(part) for part in node.itertext())


def plain(name: str) -> str:
    """The name that an element of version 1 has in scenario files."""
    return _PLAIN.get(name, name)


def unique(name: str) -> str:
    """The name that an element of scenario files has in version 1."""
    return _UNIQUE.get(name, name)
