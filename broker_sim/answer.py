"""An answer, and what is expected of every answer without being written: the envelope, the schema, the header."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from lxml import etree

from broker_sim import oracle, version1, wire
from broker_sim.http import Sent
from broker_sim.oracle import Opinion
from broker_sim.paths import NAMESPACE, Element, children, line_of, local, locate, text_of
from broker_sim.verdict import Finding
from broker_sim.wire import Header, Message

_NAMES = ("IdentifierValue", "AgencyId")
_CHARSET = re.compile(r';\s*charset\s*=\s*"?([^";\s]+)', re.IGNORECASE)


@dataclass(frozen=True)
class Answer:
    """What came back, as far as it could be read: an NCIP message, or JSON, or neither."""

    sent: Sent
    message: Message | None = None
    opinion: Opinion | None = None
    unreadable: str | None = None
    json: Any = None

    @property
    def media_type(self) -> str:
        """The media type without parameters, in lower case."""
        return self.sent.response_type.partition(";")[0].strip().lower()


async def read_ncip(sent: Sent) -> Answer:
    """Read the answer as an NCIP message, with the opinion of both validators."""
    if sent.outcome != "answered":
        return Answer(sent, unreadable=sent.error)
    try:
        message = wire.read(sent.response)
    except wire.Unreadable as error:
        return Answer(sent, unreadable=str(error))
    return Answer(sent, message, await oracle.judge(message.document))


def read_json(sent: Sent) -> Answer:
    """Read the answer as JSON."""
    if sent.outcome != "answered":
        return Answer(sent, unreadable=sent.error)
    try:
        return Answer(sent, json=json.loads(sent.response) if sent.response.strip() else None)
    except (ValueError, RecursionError) as error:
        return Answer(sent, unreadable=str(error))


def envelope(
    answer: Answer,
    *,
    statuses: tuple[int, ...] = (200,),
    other_root: str | None = None,
    is_version_1: bool = False,
) -> Iterator[Finding]:
    """HTTP status, media type, an XML document that is an NCIPMessage (or has another root), as far as can be seen."""
    sent = answer.sent
    if sent.outcome != "answered":
        yield Finding(False, "Every message is answered", "an answer", sent.error or "none", "envelope")
        return
    if sent.method != "TCP":
        yield from _http(answer, statuses)
        if sent.status != 200:
            return
    if answer.message is None:
        yield Finding(
            False,
            "The answer is a well-formed XML document",
            "XML",
            f"{answer.unreadable}: {_start(sent.response)}",
            "envelope",
        )
        return
    root = answer.message.document
    if sent.method != "TCP":
        yield from _charset(answer, root)
    if other_root is not None:
        name = local(root.tag)
        yield Finding(
            name == other_root, f"The answer is an {other_root}", other_root, name, "envelope", where=f"/{name}"
        )
        return
    wanted = "NCIPMessage" if is_version_1 else f"{{{NAMESPACE}}}NCIPMessage"
    yield Finding(
        root.tag == wanted and answer.message.is_version_1 is is_version_1,
        f"The answer is an NCIPMessage in {'NCIP 1' if is_version_1 else 'the NCIP 2 namespace'}",
        "NCIPMessage of version 1, without a namespace" if is_version_1 else f"NCIPMessage in {NAMESPACE}",
        f"{local(root.tag)} in {str(root.tag).rpartition('}')[0].lstrip('{') or 'no namespace'}",
        "envelope",
        where=f"/{local(root.tag)}",
        line=line_of(root),
    )


def _http(answer: Answer, statuses: tuple[int, ...]) -> Iterator[Finding]:
    sent = answer.sent
    yield Finding(
        sent.status in statuses,
        "An NCIP answer is HTTP 200, Problems too" if statuses == (200,) else "The HTTP status is the one expected",
        f"HTTP {' or '.join(str(status) for status in statuses)}",
        f"HTTP {sent.status}" if sent.status in statuses else f"HTTP {sent.status}: {_start(sent.response)}",
        "envelope",
    )
    if sent.status != 200:
        return
    yield Finding(
        answer.media_type == wire.MEDIA_TYPE,
        "NCIP travels as application/xml (Z39.83-2 section 7.3)",
        wire.MEDIA_TYPE,
        sent.response_type or "no Content-Type",
        "envelope",
    )


def _charset(answer: Answer, root: Element) -> Iterator[Finding]:
    """A charset in the Content-Type goes before what the XML declaration says (RFC 7303): they must not disagree."""
    given = _CHARSET.search(answer.sent.response_type)
    if given is None:
        return
    told, real = given[1], root.getroottree().docinfo.encoding or "UTF-8"
    try:
        same = answer.sent.response.decode(told) == answer.sent.response.decode(real)
    except (LookupError, UnicodeError):  # a codec may be one that is not for text, or none at all (`undefined`)
        same = False
    yield Finding(
        same,
        "The charset of the Content-Type is that of the document (RFC 7303)",
        f"charset {real}",
        f"charset {told}",
        "envelope",
    )


def schema(opinion: Opinion | None) -> Iterator[Finding]:
    """Valid by NCIP 2.02, or what version 1 is, in the eyes of both validators; a disagreement is a finding too."""
    if opinion is None:
        return
    for violation in opinion.violations or (None,):
        yield Finding(
            violation is None,
            f"The message is valid by the NCIP {opinion.grammar} schema",
            "valid, by libxml2 and by xmlschema",
            "valid" if violation is None else f"{violation.message} ({violation.validator})",
            "schema",
            where=violation.where if violation else None,
            line=violation.line if violation else None,
        )
    if not opinion.agree:
        yield Finding(
            False,
            "Both validators come to the same verdict",
            "agreement",
            "libxml2 alone finds it invalid" if opinion.libxml2 else "xmlschema alone finds it invalid",
            "schema",
        )


def identifiers(answer: Answer) -> Iterator[Finding]:
    """Identifiers have no white space around them: to whoever compares them letter by letter, they would be others."""
    if answer.message is None:
        return
    named = [node for node in answer.message.root.iter(tag=etree.Element) if local(node.tag).endswith(_NAMES)]
    padded = next((node for node in named if _is_padded(node)), None)
    yield Finding(
        padded is None,
        "Identifiers stand by themselves, without white space around them",
        "none",
        "none" if padded is None else f"{padded.text!r}",
        "envelope",
        "SHOULD",
        where=None if padded is None else locate(padded),
        line=line_of(padded),
    )


def _is_padded(node: Element) -> bool:
    text = str(node.text or "")
    return not children(node) and text != text.strip()


def header(answer: Answer, sent: Header | None) -> Iterator[Finding]:
    """From and To of the answer are those of the question, turned round; a Problem by itself has no header."""
    message = answer.message
    if (
        message is None
        or sent is None
        or sent.instead is not None
        or message.name is None
        or not message.name.endswith("Response")
    ):
        return
    for part, wanted in (("FromAgencyId", sent.to_agency), ("ToAgencyId", sent.from_agency)):
        given = message.text(message.name, "ResponseHeader", part, "AgencyId")
        node = message.body
        yield Finding(
            given == wanted,
            f"The ResponseHeader turns the InitiationHeader round: {part}",
            wanted,
            given if given is not None else f"no ResponseHeader/{part}",
            "envelope",
            where=f"/NCIPMessage/{message.name}/ResponseHeader/{part}",
            line=line_of(node),
        )


def problems(message: Message) -> list[dict[str, str]]:
    """Every Problem in a message, as local name → text, with the ``line`` and path (``where``) it stands at."""
    found = _errors(message.root) if message.is_version_1 else _problems(message.root)
    return [{**parts, "line": str(line_of(node) or ""), "where": locate(node)} for node, parts in found]


def _problems(root: Element) -> list[tuple[Element, dict[str, str]]]:
    nodes = root.iter(f"{{{NAMESPACE}}}Problem")
    return [(node, {local(child.tag): text_of(child) for child in children(node)}) for node in nodes]


def _errors(root: Element) -> list[tuple[Element, dict[str, str]]]:
    """The errors of version 1, in a Problem or by themselves, in the words of version 2, where a path is one text."""
    found = []
    for error in root.iter(f"{{{NAMESPACE}}}MessagingError", f"{{{NAMESPACE}}}ProcessingError"):
        names = [version1.plain(text_of(node)) for node in error.iter(f"{{{NAMESPACE}}}ElementName")]
        parts = {"ProblemElement": "/".join(names)}
        for node in error.iter(tag=etree.Element):
            name = local(node.tag)
            if name.endswith("ErrorType"):
                parts["ProblemType"] = text_of(node)
            elif name.endswith("ErrorValue"):
                parts["ProblemValue"] = text_of(node)
        found.append((error, parts))
    return found


def describe(message: Message) -> str:
    """One line on a message: its name, and its Problems where it has any."""
    said = [
        f"{p.get('ProblemType') or '?'}: {_short(p.get('ProblemDetail') or 'no detail')}" for p in problems(message)
    ]
    name = message.name or "an empty NCIPMessage"
    if not said:
        return name
    return f"{name if name == 'Problem' else f'{name} with Problem'} {'; '.join(said)}"


def _short(text: str, most: int = 300) -> str:
    return text if len(text) <= most else f"{text[:most]}…"


def _start(body: bytes) -> str:
    """The beginning of what came, on one line and in characters that a terminal can show."""
    text = " ".join(body[:120].decode("utf-8", "replace").split())
    shown = "".join(one if one.isprintable() else "\ufffd" for one in text)
    return f"“{shown}{'…' if len(body) > 120 else ''}”" if shown else "an empty body"
