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
from tests.corpus.said import parsed

NAMESPACE = "http://www.niso.org/2008/ncip"
_VERSION = re.compile(r"(?:^|ncip_v)(2[._]0[12]?)(?:\.xsd)?$")


_ERRORS = ("ProcessingError", "MessagingError")  # of version 1
_WHOLE = re.compile(r"^NCIPMessage$|^Ext$|^Problem$|Response$")


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
        declared = {one.name for one in dtd.iterelements()}

        def wrong(root: etree._Element) -> str:
            """What is wrong, a response that 1.0 does not know (it came with 1.01) judged by what is in it."""
            parts = [root] if _name(root[0]) in declared else list(root[0])
            return next((str(dtd.error_log.last_error) for part in parts if not dtd.validate(part)), "")

        return wrong

    def judge(self, message: Message, status: int, body: bytes) -> Verdict:
        """Judge what came back for a message."""
        if status != 200:
            return Verdict(f"HTTP {status}")
        try:
            root = etree.fromstring(body)
        except etree.XMLSyntaxError:
            return Verdict("no XML" if body else "silence")
        if _name(root) != "NCIPMessage" or not len(root):
            return Verdict("no NCIPMessage with something in it")
        wrong = self._of_version(message, root) or (self._of_1 if message.major == "1" else self._of_2)(root)
        return Verdict(wrong or _of_type(message, root), problems(root))

    def _of_version(self, message: Message, root: etree._Element) -> str:
        """What is wrong with the version of an answer."""
        namespace = etree.QName(root).namespace
        if (namespace == NAMESPACE) != (message.major == "2"):
            return f"answered in another version than {message.major}"
        if message.major == "1":
            return "" if "v1_0" in (root.get("version") or "") else "version 1 is not named"
        said, told = _named(parsed(message.raw)), _named(root)
        if not told:
            return "no version is named"
        return f"{said} is answered with {told}" if said and said != told and self._knows(said, root) else ""

    def _knows(self, version: str, root: etree._Element) -> bool:
        """Whether a version of the standard has this answer; one that it does not have can only be of a later one."""
        file = self._schemas / f"ncip_v{version.replace('.', '_')}.xsd"
        return not file.is_file() or f'<xs:element name="{_name(root[0])}"' in file.read_text("utf-8")


def problems(root: etree._Element) -> tuple[tuple[str, str], ...]:
    """The problems that an answer as a whole tells, as (type, element), in every version."""
    found = []
    for node in root.iter(etree.Element):
        kind = _name(node)
        if not all(_WHOLE.search(_name(above)) for above in node.iterancestors()):
            continue
        if kind in _ERRORS or (
            kind == "Problem" and not any(_name(one) in _ERRORS for one in node.iterchildren(etree.Element))
        ):
            types = [_text(one) for one in node.iterchildren(etree.Element) if _name(one) == f"{kind}Type"]
            path = [_text(one) for one in node.iter(etree.Element) if _name(one) in ("ProblemElement", "ElementName")]
            found.append((types[0] if types else "(no type)", "/".join(path)))
    return tuple(found)


def _named(root: etree._Element) -> str:
    """The version that the attribute names, by the address of a schema or its number; '' where it names none."""
    text = root.get(f"{{{NAMESPACE}}}version") or root.get("version") or ""
    found = _VERSION.search(text.strip())
    return found[1].replace("_", ".") if found else ""


def _of_type(message: Message, root: etree._Element) -> str:
    """What is wrong with the kind of an answer: a response to what was asked, or a problem for what is no service."""
    inside = [_name(one) for one in root.iter(etree.Element)][1:3]
    wanted = f"{message.type}Response" if f"{message.type}Response" in MESSAGES else "Problem"
    if message.type == "LookupVersion":
        wanted = "LookupVersionResponse"
    if wanted in inside[:1] or (inside[:1] == ["Ext"] and wanted in inside):
        return ""
    return f"{'/'.join(inside) or 'nothing'} instead of {wanted}"


def _name(node: etree._Element) -> str:
    return etree.QName(node).localname


def _text(node: etree._Element) -> str:
    value = next((one for one in node.iterchildren(etree.Element) if _name(one) == "Value"), node)
    return (value.text or "").strip()
