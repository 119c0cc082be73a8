"""LookupVersion: which versions and services are spoken here (Z39.83-1 section 5.3.5).

It has a root of its own, in no namespace and with ids as in version 1, so that systems of any version can ask. The
content of VersionSupported (a URI) and ServiceSupported (a name) as plain text is inferred: the schema of this message
could not be obtained.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from lxml import etree

from ncipd.ncip.paths import Node, local_name
from ncipd.ncip.problems import Problem, ProblemType

ROOT = "NCIPVersionMessage"
VERSION = "http://www.niso.org/ncip/v1_0/imp1/xsd/ncip_version.xsd"
SPOKEN = (
    "http://www.niso.org/ncip/v1_0/imp1/dtd/ncip_v1_0.dtd",
    "http://www.niso.org/schemas/ncip/v2_0/imp1/xsd/ncip_v2_0.xsd",
    "http://www.niso.org/schemas/ncip/v2_01/imp1/xsd/ncip_v2_01.xsd",
    "http://www.niso.org/schemas/ncip/v2_02/ncip_v2_02.xsd",
)


@dataclass(frozen=True, slots=True)
class Party:
    """An agency as version 1 names it: a value, and the scheme that it comes from."""

    scheme: str
    value: str


@dataclass(frozen=True, slots=True)
class LookupVersion:
    """The question: who asks whom."""

    version: str
    from_agency: Party
    to_agency: Party


def is_lookup(root: Node) -> bool:
    """Tell whether a document asks for versions."""
    return local_name(root) == ROOT


def read(root: Node) -> LookupVersion:
    """Read the question; raises Problem Invalid Message Syntax Error where it is none."""
    asked = next((node for node in root.iterchildren(etree.Element) if local_name(node) == "LookupVersion"), None)
    if asked is None:
        raise Problem(
            ProblemType.INVALID_MESSAGE_SYNTAX_ERROR,
            element=ROOT,
            detail=f"{ROOT} holds no LookupVersion; send that, with FromAgencyId and ToAgencyId.",
        )
    return LookupVersion(root.get("version") or VERSION, _party(asked, "FromAgencyId"), _party(asked, "ToAgencyId"))


def _party(asked: Node, name: str) -> Party:
    found = {
        local_name(node): (node.text or "").strip()
        for side in asked
        for node in side.iter(etree.Element)
        if local_name(side) == name
    }
    return Party(found.get("Scheme", ""), found.get("Value", ""))


def answer(asked: LookupVersion, services: Iterable[str]) -> bytes:
    """Write the answer: both ends swapped, the versions spoken, the services served."""
    root = etree.Element(ROOT, version=asked.version)
    response = etree.SubElement(root, "LookupVersionResponse")
    _write(response, "FromAgencyId", asked.to_agency)
    _write(response, "ToAgencyId", asked.from_agency)
    for version in SPOKEN:
        etree.SubElement(response, "VersionSupported").text = version
    for service in sorted(services):
        etree.SubElement(response, "ServiceSupported").text = service
    written: bytes = etree.tostring(root, xml_declaration=True, encoding="UTF-8")
    return written


def _write(response: Any, name: str, party: Party) -> None:
    agency = etree.SubElement(etree.SubElement(response, name), "UniqueAgencyId")
    etree.SubElement(agency, "Scheme").text = party.scheme
    etree.SubElement(agency, "Value").text = party.value
