"""NCIP on the wire, in the simulator's own words: write an NCIPMessage from plain data, read one back from bytes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from xml.sax.saxutils import quoteattr

from lxml import etree

from broker_sim import content
from broker_sim.content import Node
from broker_sim.paths import NAMESPACE, Element, children, local, text_of
from broker_sim.scenario import Envelope

VERSION = "http://www.niso.org/schemas/ncip/v2_02/imp1/xsd/ncip_v2_02.xsd"
MEDIA_TYPE = "application/xml"


class Unreadable(Exception):
    """Bytes that are no XML document, or one that no NCIP message may be; says where."""


# --- reading ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Message:
    """A message as it was read: the octets, the tree, the name of the message element (``Problem`` for a bare one)."""

    raw: bytes
    root: Element
    name: str | None

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
        raise Unreadable(f"line {line}, column {column}: {error.msg}") from error
    except ValueError as error:
        raise Unreadable(str(error)) from error
    if getattr(root.getroottree().docinfo, "doctype", ""):
        raise Unreadable("line 1: a document type declaration has no place in an NCIP 2 message")
    first = next(iter(children(root)), None)
    return Message(raw, root, None if first is None else local(first.tag))


# --- writing ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Header:
    """Who speaks to whom: the usual three parts, or the whole content where a scenario gives it."""

    from_agency: str
    to_agency: str
    profile: str | None = None
    instead: Mapping[str, Any] | None = None

    def node(self) -> Node:
        """The InitiationHeader."""
        usual: dict[str, Any] = {
            "FromAgencyId": {"AgencyId": self.from_agency},
            "ToAgencyId": {"AgencyId": self.to_agency},
        }
        if self.profile is not None:
            usual["ApplicationProfileType"] = self.profile
        return content.from_mapping("InitiationHeader", usual if self.instead is None else self.instead)


def initiation(body: Node, header: Header | None, envelope: Envelope) -> bytes:
    """Write an initiation message; the header is put in first unless the body has one of its own."""
    if header is not None and body.child("InitiationHeader") is None:
        body = body.with_children(header.node(), *body.children)
    return message(body, envelope)


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
    declared = envelope.declared_encoding or envelope.encoding
    written = content.write(body, envelope)
    text = f'<?xml version="1.0" encoding="{declared}"?>\n<{" ".join([tag, *attributes])}>\n{written}</{tag}>\n'
    return text.encode(envelope.encoding, errors="xmlcharrefreplace")
