"""Elements before they are written: from a scenario's mapping, from XML typed by hand, from a message received."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from xml.sax.saxutils import escape, quoteattr

from lxml import etree

from broker_sim.paths import NAMESPACE, Element, children, local
from broker_sim.scenario import Envelope

_NAME = re.compile(r"[^\W\d][\w.-]*")
_REFERENCE = re.compile(r"\$\{[^}]*\}")
_MAX_DEPTH = 60


@dataclass(frozen=True)
class Node:
    """An element to be written; ``namespace`` only where it is not NCIP's."""

    name: str
    attributes: tuple[tuple[str, str], ...] = ()
    text: str = ""
    children: tuple[Node, ...] = ()
    namespace: str | None = None

    def child(self, name: str) -> Node | None:
        """The first child of that name."""
        return next((child for child in self.children if child.name == name), None)

    def with_children(self, *children: Node) -> Node:
        """The same element with other children."""
        return Node(self.name, self.attributes, self.text, children, self.namespace)


def from_mapping(name: str, content: object, depth: int = 0) -> Node:
    """``{"ItemId": {"ItemIdentifierValue": "1"}}``; a list repeats; ``@Scheme`` and ``#`` are attribute and text.

    Raises ValueError, naming the element, for what cannot be an element's content.
    """
    if not _NAME.fullmatch(name):
        raise ValueError(f"{name!r} is not an element name")
    if depth > _MAX_DEPTH:
        raise ValueError(f"{name}: elements are nested too deeply")
    if isinstance(content, list):
        raise ValueError(  # noqa: TRY004 - a mistake in a file, told like the others
            f"{name}: a list may only stand directly under an element's name, to repeat it"
        )
    if not isinstance(content, Mapping):
        return Node(name, text="" if content is None else str(content))
    attributes = tuple((key[1:], str(value)) for key, value in content.items() if key.startswith("@"))
    if "#" in content:
        return Node(name, attributes, str(content["#"]))
    inner = [
        from_mapping(key, one, depth + 1)
        for key, value in content.items()
        if not key.startswith("@")
        for one in (value if isinstance(value, list) else [value])
    ]
    return Node(name, attributes, children=tuple(inner))


def from_xml(xml: str | bytes) -> Node:
    """An element typed by hand, with or without namespaces; raises ValueError when it is not well-formed."""
    try:
        root = etree.fromstring(
            xml.strip().encode() if isinstance(xml, str) else xml, etree.XMLParser(resolve_entities=False)
        )
    except etree.XMLSyntaxError as error:
        raise ValueError(f"not well-formed: {error.msg}") from error
    return from_tree(root)


def from_tree(root: Element) -> Node:
    """An element of a message that was read."""
    name = etree.QName(root)
    inner = tuple(from_tree(child) for child in children(root))
    attributes = tuple((local(key), str(value)) for key, value in root.attrib.items())
    foreign = name.namespace if name.namespace != NAMESPACE else None
    return Node(name.localname, attributes, "" if inner else (root.text or ""), inner, foreign)


def check_fragment(xml: str, service: str) -> None:
    """Raise ValueError when text is not the XML of that message element; ``${…}`` may stand in it."""
    name = from_xml(_REFERENCE.sub("x", xml)).name
    if name != service:
        raise ValueError(f"the XML is a {name}, but the step sends a {service}")


def write(node: Node, envelope: Envelope, depth: int = 1) -> str:
    """Write an element with all inside it, indented."""
    margin = "  " * depth
    tag = f"{envelope.prefix}:{node.name}" if envelope.prefix and node.namespace is None else node.name
    opening = tag + (f" xmlns={quoteattr(node.namespace)}" if node.namespace else "")
    opening += "".join(_attribute(name, value, envelope) for name, value in node.attributes)
    if node.children:
        inner = "".join(write(child, envelope, depth + 1) for child in node.children)
        return f"{margin}<{opening}>\n{inner}{margin}</{tag}>\n"
    return f"{margin}<{opening}>{escape(node.text)}</{tag}>\n" if node.text else f"{margin}<{opening}/>\n"


def _attribute(name: str, value: str, envelope: Envelope) -> str:
    bare = envelope.scheme_attribute == "unqualified" or envelope.namespace == "none"
    prefix = "" if bare else f"{envelope.prefix or 'ncip'}:"
    return f" {prefix}{name}={quoteattr(value)}"
