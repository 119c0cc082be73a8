"""NCIP on the wire, in the simulator's own words: write an NCIPMessage from plain data, read one back from bytes.

A message of version 1 is read as it is, to be judged, and as if it were of version 2, to be looked at.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from lxml import etree

from broker_sim import content, version1
from broker_sim.content import Node
from broker_sim.paths import NAMESPACE, Element, children, line_of, local, text_of
from broker_sim.scenario import Envelope

# In the order of the grammar.
_HEADER = (
    "FromSystemId",
    "FromSystemAuthentication",
    "FromAgencyId",
    "FromAgencyAuthentication",
    "OnBehalfOfAgency",
    "ToSystemId",
    "ToAgencyId",
    "ApplicationProfileType",
)
VERSION = "http://www.niso.org/schemas/ncip/v2_02/imp1/xsd/ncip_v2_02.xsd"
MEDIA_TYPE = "application/xml"


class Unreadable(Exception):
    """Bytes that are no XML document, or one that no NCIP message may be; says where."""


# --- reading ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Message:
    """A message as it was read: the octets, the tree, the name of the message element (``Problem`` for a bare one).

    ``root`` is for looking at; ``document`` is what was really sent, and another tree where that is version 1.
    """

    raw: bytes
    root: Element
    name: str | None
    document: Element

    @property
    def is_version_1(self) -> bool:
        """Whether it is written in NCIP 1."""
        return self.document is not self.root

    @property
    def body(self) -> Element | None:
        """The message element itself."""
        return next(iter(children(self.root)), None)

    def text(self, *names: str) -> str | None:
        """The text of the first element on a path of local names below NCIPMessage, whatever its namespace."""
        node: Element | None = self.root
        for name in names:
            node = None if node is None else next((child for child in node if local(child.tag) == name), None)
        return None if node is None else text_of(node)

    def identifiers(self) -> frozenset[tuple[str, str]]:
        """Every item, request and user identifier in it, with its element's name: by these it is recognised."""
        wanted = {"ItemIdentifierValue", "RequestIdentifierValue", "UserIdentifierValue"}
        nodes = [(local(node.tag), node) for node in self.root.iter(tag=etree.Element)]
        return frozenset((name, text_of(node)) for name, node in nodes if name in wanted)


def read(raw: bytes) -> Message:
    """Read bytes without following anything they point to; raises Unreadable with line and column."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        root = etree.fromstring(raw, parser)
    except etree.XMLSyntaxError as error:
        line, column = error.position
        # libxml2 says the place once more at the end.
        said = (error.msg or "not well-formed").removesuffix(f", line {line}, column {column}")
        raise Unreadable(f"line {line}, column {column}: {said}") from error
    except ValueError as error:
        raise Unreadable(str(error)) from error
    for wrong in parser.error_log.filter_from_errors():  # an undeclared prefix, which lxml lets pass before a warning
        raise Unreadable(f"line {wrong.line}, column {wrong.column}: {wrong.message}")
    for entity in root.iter(etree.Entity):
        raise Unreadable(f"line {line_of(entity)}: {entity.text} stands for what is declared elsewhere, if at all")
    older = version1.is_version_1(root)
    if getattr(root.getroottree().docinfo, "doctype", "") and not older:
        raise Unreadable("line 1: a document type declaration has no place in an NCIP 2 message")
    view = version1.seen(etree.fromstring(raw, parser)) if older else root
    first = next(iter(children(root)), None)
    return Message(raw, view, None if first is None else local(first.tag), root)


# --- writing ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Header:
    """Who speaks to whom: the usual three parts and ``more`` of them, or the whole content that a scenario gives."""

    from_agency: str
    to_agency: str
    profile: str | None = None
    instead: Mapping[str, Any] | None = None
    more: Mapping[str, str] = field(default_factory=dict)

    def node(self) -> Node:
        """The InitiationHeader."""
        usual: dict[str, Any] = {
            **self.more,
            "FromAgencyId": {"AgencyId": self.from_agency},
            "ToAgencyId": {"AgencyId": self.to_agency},
        }
        if "OnBehalfOfAgency" in usual:
            usual["OnBehalfOfAgency"] = {"AgencyId": usual["OnBehalfOfAgency"]}
        if self.profile is not None:
            usual["ApplicationProfileType"] = self.profile
        if self.instead is not None:
            return content.from_mapping("InitiationHeader", self.instead)
        return content.from_mapping("InitiationHeader", {name: usual[name] for name in _HEADER if name in usual})


def initiation(body: Node, header: Header | None, envelope: Envelope) -> bytes:
    """Write an initiation message; the header is put in first unless the body has one of its own."""
    return message(headed(body, header), envelope)


def headed(body: Node, header: Header | None) -> Node:
    """A message element with its header."""
    if header is None or body.child("InitiationHeader") is not None:
        return body
    return body.with_children(header.node(), *body.children)


def answer(asked: Message | None, body: Mapping[str, Any]) -> bytes:
    """Write the response to a message that came in, its header turned round; to an unreadable one, the body alone."""
    if asked is None or asked.name is None:
        name, inside = next(iter(body.items()))
        return message(content.from_mapping(name, inside), Envelope())
    ids = [asked.text(asked.name, "InitiationHeader", part, "AgencyId") for part in ("ToAgencyId", "FromAgencyId")]
    turned = {"FromAgencyId": {"AgencyId": ids[0]}, "ToAgencyId": {"AgencyId": ids[1]}}
    header = {"ResponseHeader": turned} if all(ids) else {}
    return message(content.from_mapping(f"{asked.name}Response", {**header, **body}), Envelope())


def message(body: Node, envelope: Envelope) -> bytes:
    """Put a message element into its NCIPMessage, as the envelope wants it."""
    prefix, namespace = envelope.prefix, envelope.namespace or NAMESPACE
    tag = f"{prefix}:NCIPMessage" if prefix else "NCIPMessage"
    attributes = []
    if namespace != "none":
        attributes.append(f"xmlns:{prefix}={quoteattr(namespace)}" if prefix else f"xmlns={quoteattr(namespace)}")
        if not prefix and "qualified" in {envelope.version_attribute, envelope.scheme_attribute}:
            attributes.append(f"xmlns:ncip={quoteattr(namespace)}")
    if envelope.version_attribute != "missing":
        qualified = envelope.version_attribute == "qualified" and namespace != "none"
        name = f"{prefix or 'ncip'}:version" if qualified else "version"
        attributes.append(f"{name}={quoteattr(envelope.version or VERSION)}")
    if envelope.schema_location is not None:
        attributes.append('xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"')
        attributes.append(f"xsi:schemaLocation={quoteattr(envelope.schema_location)}")
    written = content.write(body, envelope)
    root = f"<{' '.join([tag, *attributes])}>{escape(envelope.stray_text)}\n{written}</{tag}>\n"
    declared = envelope.declared_encoding or envelope.encoding
    prolog = f'<?xml version="1.0" encoding="{declared}"?>' if envelope.declaration else ""
    text = envelope.before + "\n".join(part for part in (prolog, envelope.doctype, root) if part)
    return text.encode(envelope.encoding, errors="xmlcharrefreplace")
