"""Whether an answer is what the sender of a message must get, judged by the official schemas where they are there."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from lxml import etree

from ncipd.ncip.messages import MESSAGES
from tests.corpus.messages import Message

NAMESPACE = "http://www.niso.org/2008/ncip"
_VERSION = re.compile(r"(?:^|ncip_v)(2[._]0[12]?)(?:\.xsd)?$")


@dataclass(frozen=True)
class Verdict:
    """What an answer is: `wrong` is empty where it is one that the sender must get."""

    wrong: str = ""
    #: The problem types in it, with the element that each is about.
    problems: tuple[tuple[str, str], ...] = ()


class Judge:
    """Judges answers by the official schemas of a folder."""

    def __init__(self, schemas: Path) -> None:
        self._schemas = schemas

    @cached_property
    def _of_2(self) -> Callable[[etree._Element], str]:
        schema = etree.XMLSchema(etree.parse(self._schemas / "ncip_v2_02.xsd"))
        return lambda root: "" if schema.validate(root) else str(schema.error_log.last_error)

    @cached_property
    def _of_1(self) -> Callable[[etree._Element], str]:
        dtd = etree.DTD(self._schemas / "ncip_v1_0.dtd")
        return lambda root: "" if dtd.validate(root) else str(dtd.error_log.last_error)

    def judge(self, message: Message, status: int, body: bytes) -> Verdict:
        """Judge what came back for a message."""
        if status != 200:
            return Verdict(f"HTTP {status}")
        try:
            root = etree.fromstring(body)
        except etree.XMLSyntaxError:
            return Verdict("no XML" if body else "silence")
        if etree.QName(root).localname != "NCIPMessage":
            return Verdict("no NCIPMessage")
        wrong = _of_version(message, root) or (self._of_1 if message.major == "1" else self._of_2)(root)
        return Verdict(wrong or _of_type(message, root), problems(root))


def problems(root: etree._Element) -> tuple[tuple[str, str], ...]:
    """The problems that an answer tells, as (type, element), in every version."""
    found = []
    for node in root.iter():
        if isinstance(node.tag, str) and etree.QName(node).localname == "Problem":
            told = {etree.QName(one).localname: _text(one) for one in node.iter(etree.Element)}
            element = told.get("ProblemElement") or told.get("ElementName") or ""
            found.append((told.get("ProblemType") or told.get("ProcessingErrorType") or "(none)", element))
    return tuple(found)


def _of_version(message: Message, root: etree._Element) -> str:
    """What is wrong with the version of an answer."""
    namespace = etree.QName(root).namespace
    if (namespace == NAMESPACE) != (message.major == "2"):
        return f"answered in another version than {message.major}"
    if message.major == "1":
        return "" if "v1_0" in (root.get("version") or "") else "version 1 is not named"
    said, told = _named(etree.fromstring(message.raw.strip())), _named(root)
    if not told:
        return "no version is named"
    return f"{said} is answered with {told}" if said and said != told else ""


def _named(root: etree._Element) -> str:
    """The version that the attribute names, by the address of a schema or its number; '' where it names none."""
    text = root.get(f"{{{NAMESPACE}}}version") or root.get("version") or ""
    found = _VERSION.search(text.strip())
    return found[1].replace("_", ".") if found else ""


def _of_type(message: Message, root: etree._Element) -> str:
    """What is wrong with the kind of an answer: a response to what was asked, or a problem for what is no service."""
    inside = [etree.QName(one).localname for one in root.iter(etree.Element)][1:3]
    wanted = f"{message.type}Response" if f"{message.type}Response" in MESSAGES else "Problem"
    if message.type == "LookupVersion":
        wanted = "LookupVersionResponse"
    if wanted in inside[:1] or (inside[:1] == ["Ext"] and wanted in inside):
        return ""
    return f"{'/'.join(inside) or 'nothing'} instead of {wanted}"


def _text(node: etree._Element) -> str:
    value = next((one for one in node if isinstance(one.tag, str) and etree.QName(one).localname == "Value"), node)
    return (value.text or "").strip()
