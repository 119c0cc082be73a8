"""Messages of version 1 to send, and their answers to be asked by element names; every answer is valid."""

from __future__ import annotations

from pathlib import Path

from lxml import etree

from ncipd.ncip.v1.table import DTD, LATER
from ncipd.responder import Door
from tests.services.world import World

ROOT = Path(__file__).resolve().parents[2]
XSD = etree.XMLSchema(file=str(ROOT / "xsd" / "ncip_v1_0.xsd"))
XSD_1_01 = etree.XMLSchema(file=str(ROOT / "xsd" / "ncip_v1_01.xsd"))
DOCTYPE = f'<!DOCTYPE NCIPMessage PUBLIC "-//NISO//NCIP DTD Version 1.0//EN" "{DTD}">'
DTD_1_01 = "http://ncip.envisionware.com/documentation/ncip_v1_01.dtd"
WHEN = "2026-01-05T10:00:00Z"


def pair(name: str, value: str, scheme: str = "urn:example") -> str:
    return f"<{name}><Scheme>{scheme}</Scheme><Value>{value}</Value></{name}>"


def agency(code: str) -> str:
    return pair("UniqueAgencyId", code)


def header(origin: str = "THEM", to: str = "LEND", partner: str = "BROKER") -> str:
    profile = pair("ApplicationProfileType", partner) if partner else ""
    return (
        f"<InitiationHeader><FromAgencyId>{agency(origin)}</FromAgencyId><ToAgencyId>{agency(to)}</ToAgencyId>"
        f"{profile}</InitiationHeader>"
    )


def item(barcode: str, owner: str = "LEND") -> str:
    return f"<UniqueItemId>{agency(owner)}<ItemIdentifierValue>{barcode}</ItemIdentifierValue></UniqueItemId>"


def user(number: str, owner: str = "THEM") -> str:
    return f"<UniqueUserId>{agency(owner)}<UserIdentifierValue>{number}</UserIdentifierValue></UniqueUserId>"


def request(number: str, owner: str = "THEM") -> str:
    return (
        f"<UniqueRequestId>{agency(owner)}<RequestIdentifierValue>{number}</RequestIdentifierValue></UniqueRequestId>"
    )


SHIPPED_TO = (
    "<ShippingInformation><PhysicalAddress><UnstructuredAddress>"
    f"{pair('UnstructuredAddressType', 'Newline-Delimited Text')}<UnstructuredAddressData/></UnstructuredAddress>"
    f"{pair('PhysicalAddressType', 'MAIN')}</PhysicalAddress></ShippingInformation>"
)
REQUEST = f"{pair('RequestType', 'Hold')}{pair('RequestScopeType', 'Item')}"


def v1(name: str, content: str, *, doctype: str = DOCTYPE, version: str = DTD, **ends: str) -> str:
    return f'{doctype}<NCIPMessage version="{version}"><{name}>{header(**ends)}{content}</{name}></NCIPMessage>'


class Answer:
    """An answer in version 1, to be asked by element names."""

    def __init__(self, raw: bytes) -> None:
        self.raw = raw
        self.root = etree.fromstring(raw)
        (XSD_1_01 if self.kind in LATER else XSD).assertValid(self.root)

    @property
    def kind(self) -> str:
        return str(self.root[0].tag)

    def text(self, path: str) -> str | None:
        return self.root.findtext(f".//{path}")

    @property
    def error(self) -> tuple[str, str] | None:
        """Which kind of error, and its type."""
        found = next(self.root.iter("MessagingError", "ProcessingError"), None)
        return None if found is None else (found.tag, found[0].findtext("Value") or "")


async def ask(world: World, raw: str | bytes) -> Answer:
    """Send bytes; whatever comes back is valid in version 1."""
    raw = raw.encode() if isinstance(raw, str) else raw
    return Answer((await world.responder.respond(raw, Door("http"))).body)
