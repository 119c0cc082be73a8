"""What a message names, read by the names of elements alone, whatever version, namespace or order it is written in.

It is no reader of NCIP: ncipd's own reader is what is tried, so it is not asked what has to be there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from lxml import etree

_WISHED = ("desireddatedue", "datedue", "dateforreturn", "needbeforedate", "earliestdateneeded", "pickupexpirydate")
_HAPPENED = ("dateeventoccurred", "dateofuserrequest", "dateshipped", "datereceived", "daterenewed")
_NEW = ("adduserfields", "additemfields", "addrequestfields", "addagencyfields")
_DATE = re.compile(r"(\d{4})-(\d\d)-(\d\d)")


@dataclass(frozen=True)
class Id:
    """An identifier: its value, and what stands beside it."""

    value: str
    #: Its type, or the code of a record number.
    type: str = ""
    agency: str = ""


def parsed(raw: bytes) -> etree._Element:
    """Parse a message, as far as it can be where it is not well-formed (its encoding is not the one declared, say)."""
    text = raw.strip(b"\x04\x00 \t\r\n")
    options = {"resolve_entities": False, "no_network": True, "remove_comments": True, "remove_pis": True}
    try:
        return etree.fromstring(text, etree.XMLParser(**options))
    except etree.XMLSyntaxError:
        undeclared = re.sub(rb"^<\?xml[^>]*\?>", b"", text)
        root = etree.fromstring(undeclared, etree.XMLParser(**options, recover=True, encoding="utf-8"))
        return root if root is not None else etree.Element("NCIPMessage")


class Said:
    """The content of one message."""

    def __init__(self, raw: bytes) -> None:
        self.root = parsed(raw)

    def users(self) -> list[Id]:
        """The identifiers of users, those left out that the message wants to be added."""
        return [
            *self._ids(("userid", "uniqueuserid"), "useridentifiervalue", "useridentifiertype"),
            *self._ids(("visibleuserid",), "visibleuseridentifier", "visibleuseridentifiertype"),
        ]

    def items(self) -> list[Id]:
        """The identifiers of items."""
        return [
            *self._ids(("itemid", "uniqueitemid"), "itemidentifiervalue", "itemidentifiertype"),
            *self._ids(("visibleitemid",), "visibleitemidentifier", "visibleitemidentifiertype"),
        ]

    def requests(self) -> list[Id]:
        """The identifiers of requests."""
        return self._ids(("requestid", "uniquerequestid"), "requestidentifiervalue", "requestidentifiertype")

    def records(self) -> list[Id]:
        """The numbers of titles."""
        return [
            *self._ids(
                ("bibliographicrecordid",), "bibliographicrecordidentifier", "bibliographicrecordidentifiercode"
            ),
            *self._ids(("bibliographicitemid",), "bibliographicitemidentifier", "bibliographicitemidentifiercode"),
        ]

    def typed(self) -> list[Id]:
        """What a user typed: name or number, PIN, password."""
        return self._ids(("authenticationinput",), "authenticationinputdata", "authenticationinputtype")

    def header(self, name: str) -> str:
        """The text of an element of the header."""
        headers = [node for node in self.root.iter() if _name(node) == "initiationheader"]
        return next((_text(node) for head in headers for node in head if _name(node) == name.lower()), "")

    def texts(self, name: str) -> list[str]:
        """The texts of all elements of this name that have one, those that are to be added included."""
        return [text for node in self.root.iter() if _name(node) == name.lower() and (text := _text(node))]

    def agencies(self) -> list[str]:
        """The agencies named outside the header, in the order of the document."""
        nodes = self._nodes(("agencyid", "uniqueagencyid"))
        outside = [node for node in nodes if "initiationheader" not in map(_name, node.iterancestors())]
        return [text for node in outside if (text := _text(node))]

    def wished(self) -> datetime | None:
        """The earliest date by which something is wanted."""
        return min(self._dates(_WISHED), default=None)

    def happened(self) -> datetime | None:
        """The latest date on which something has happened."""
        return max(self._dates(_HAPPENED), default=None)

    def _dates(self, names: tuple[str, ...]) -> Iterator[datetime]:
        for node in self._nodes(names):
            if found := _DATE.match(_text(node)):
                yield datetime(int(found[1]), int(found[2]), int(found[3]), tzinfo=UTC)

    def _nodes(self, names: tuple[str, ...]) -> Iterator[etree._Element]:
        for node in self.root.iter():
            if _name(node) in names and not any(_name(above) in _NEW for above in node.iterancestors()):
                yield node

    def _ids(self, names: tuple[str, ...], value: str, type_: str) -> list[Id]:
        found: list[Id] = []
        for node in self._nodes(names):
            inside = {_name(child): _text(child) for child in node}
            agency = inside.get("agencyid") or inside.get("uniqueagencyid") or ""
            one = Id(inside.get(value, ""), inside.get(type_, ""), agency)
            if one.value and one not in found:
                found.append(one)
        return found


def _name(node: etree._Element) -> str:
    return etree.QName(node).localname.lower() if isinstance(node.tag, str) else ""


def _text(node: etree._Element) -> str:
    """The text of an element, or of what is in it, a Scheme left out."""
    inner = [child for child in node if _name(child) != "scheme"]
    return _text(inner[0]) if inner else (node.text or "").strip()
