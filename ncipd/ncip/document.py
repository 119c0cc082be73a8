"""Bytes from anywhere to a tree that may be looked at: parsed without DTD, entities or network, and within limits."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Literal

from lxml import etree
from msgspec import Struct

from ncipd.ncip import octets, prolog
from ncipd.ncip.applied import Applied
from ncipd.ncip.envelope import VERSION
from ncipd.ncip.messages import MESSAGES
from ncipd.ncip.paths import Node, local_name
from ncipd.ncip.schema import Violation
from ncipd.ncip.types import NAMESPACE
from ncipd.ncip.wire import LATEST, Wire, version_2

Kind = Literal["message", "problem", "ext", "empty", "foreign"]

# One parser for all messages: it keeps a dictionary of names. Everything that reads a message runs on one thread.
_PARSER = etree.XMLParser(
    resolve_entities=False,
    no_network=True,
    load_dtd=False,
    huge_tree=False,
    collect_ids=False,
    remove_comments=True,
    remove_pis=True,
)
ILS_DI = "http://www.extensiblecatalog.org/2011/ilsdi"
"""The namespace in which the ILS-DI extension of NCIP 2.0 and 2.01 had LookupItemSet and more before 2.02 had it."""

_ROOT = f"{{{NAMESPACE}}}NCIPMessage"
_VERSION = f"{{{NAMESPACE}}}version"
_MEANT = re.compile(r"niso\.org/.*ncip", re.IGNORECASE)
_OTHER_MAJOR = re.compile(r"v(\d+)_|^\s*v?(1|3)(?:\.\d+)?\s*$", re.IGNORECASE)
_LATER_SCHEMA = re.compile(r"/ncip_v([3-9]|\d\d+)_\d+\.xsd\s*$", re.IGNORECASE)
_ADVICE = {
    4: "send one NCIPMessage as the whole body",
    5: "send one NCIPMessage and nothing after it",
    9: "leave out characters that XML does not allow",
    23: "write & as &amp;",
    26: "write the character itself: only &amp; &lt; &gt; &quot; and &apos; are known",
    32: "send UTF-8",
    38: "write < as &lt; in the value of an attribute",
    39: "put the value of the attribute in quotation marks",
    68: "write & as &amp; and < as &lt;",
    76: "close every element that was opened, the last one first",
    77: "send the whole message: an element was not closed",
    81: "declare the encoding that the bytes are in, or send UTF-8",
    114: "nest fewer elements",
    201: "declare the prefix with xmlns",
}


@dataclass(frozen=True, slots=True)
class Limits:
    """How big a message may be, so that no sender can keep the machine busy.

    The children of one element are counted because what libxml2 says of each costs time in proportion to its siblings.
    """

    max_bytes: int = 1_048_576
    max_depth: int = 64
    max_children: int = 4_000
    max_elements: int = 20_000
    max_attributes: int = 20_000
    max_repaired: int = 2_000
    """Elements of a message that may be repaired; a longer one must be valid as it comes."""


DEFAULT_LIMITS = Limits()


class Document(Struct):
    """A parsed message, before anything is known about its validity."""

    root: Node
    version: str | None
    """The version attribute as received, qualified or not."""
    applied: list[Applied] = []
    """The repairs that were needed to parse it."""
    set_aside: list[tuple[Node, list[Node]]] = []
    """The elements from which a repair took children for the time of a check, and all the children that they had."""
    in_ext: bool = False
    """Whether the message stood in the Ext of the NCIPMessage, where it was taken out of; the answer goes there too."""
    moved: list[tuple[Node, int, Node]] = []
    """What a repair moved because it is not known where it stood: the parent, the place there, the element."""
    wire: Wire = LATEST
    """The version and spelling in which it is answered; that of NCIP 2 follows from the version attribute."""
    breaches: list[Violation] = []
    """What the grammar of version 1 does not allow in it, where it came in that version."""
    long: bool = False
    """Whether it has more elements than may be repaired."""
    kind: Kind = "empty"
    """What it is, as is seen when it is made: an NCIPMessage with a message, problems, an Ext or nothing, or other."""
    service: str | None = None
    """The name of the message element; None where there is none."""
    major: int | None = None
    """The major version that the version attribute names, if it does."""

    def __post_init__(self) -> None:
        """See what it is."""
        self.major = _major(self.version)
        if self.wire is LATEST and self.version is not None:
            self.wire = version_2(self.answer_version)
        if self.in_ext:
            self.wire = self.wire.inside_ext()
        if local_name(self.root) != "NCIPMessage":
            self.kind = "foreign"
            return
        for first in self.root:
            name = local_name(first)
            self.kind = "problem" if name == "Problem" else "ext" if name == "Ext" else "message"
            self.service = name if self.kind == "message" else None
            break

    @property
    def speaks(self) -> bool:
        """Whether it is NCIP 2, as far as its namespace, its version attribute and its vocabulary tell.

        The namespace of NCIP 2 is enough, unless the version attribute names the schema of a later major version.
        Elsewhere the attribute counts; but senders write nearly anything into it, and only a clear value is believed.
        """
        if self.kind == "foreign":
            return False
        if self.wire.grammar == "1.0":  # which has been rewritten
            return True
        if self.root.tag == _ROOT:
            return _LATER_SCHEMA.search((self.version or "")[-200:]) is None
        if self.misnamed:
            return self.major in {None, 2}
        return self.root.tag == "NCIPMessage" and (
            self.major == 2 or (self.major is None and not _looks_like_version_1(self.root))
        )

    @property
    def misnamed(self) -> str:
        """The namespace of the root where it is none of NCIP but was meant to be: a variant spelling; else empty."""
        namespace = self.root.tag[1:].partition("}")[0] if self.root.tag.startswith("{") else ""
        meant = namespace != NAMESPACE and _MEANT.search(namespace[:200])
        return namespace if meant else ""

    @property
    def is_version_1(self) -> bool:
        """Whether it is an NCIPMessage of version 1, as far as its version attribute and its vocabulary tell."""
        if self.root.tag != "NCIPMessage":
            return False
        return self.major == 1 or (self.major is None and _looks_like_version_1(self.root))

    @property
    def answer_version(self) -> str:
        """The version attribute for the answer: as received where it names NCIP 2, else that of 2.02."""
        return self.version if self.version is not None and self.major == 2 else VERSION

    def peek(self, *names: str) -> str | None:
        """Give the text at a path of element names below the message, whatever the namespace; None where there is none.

        Surrounding blanks are cut off. It works on invalid documents too, so that an answer can be addressed.
        """
        node = self.root[0] if self.service else None
        for name in names:
            if node is None:
                return None
            node = next((child for child in node if local_name(child) == name), None)
        text = None if node is None else (node.text or "").strip()
        return text or None

    def put_back(self, parents: Collection[Node]) -> bool:
        """Put back into these elements what was moved out of them; whether there was anything."""
        back = [(parent, at, node) for parent, at, node in reversed(self.moved) if parent in parents]
        for parent, at, node in back:
            parent.insert(at, node)
        return bool(back)

    def restore(self) -> None:
        """Put back what was set aside, in its place."""
        for parent, children in self.set_aside:
            parent[:] = children
        self.set_aside.clear()


def parse(raw: bytes, *, limits: Limits = DEFAULT_LIMITS) -> Document:
    """Parse the bytes of a message.

    Nothing outside the bytes is read. Raises Problem (Invalid Message Syntax Error) for what is no XML, is in an
    encoding that is not understood, declares entities, or passes a limit; its detail gives line and column and what to
    do.
    """
    if len(raw) > limits.max_bytes:
        raise prolog.syntax_error(
            f"The message has {len(raw):,} bytes; {limits.max_bytes:,} are accepted. Send less at once."
        )
    text, applied = prolog.normalize(raw)
    try:
        root = _tree(text)
    except etree.XMLSyntaxError as error:
        text, root = _mended(text, applied, error)
    prolog.check(root)
    tags = text.count(b"<")
    _check_limits(root, text, tags, limits)
    version = root.get(_VERSION)
    if version is None:
        version = root.get("version")
    document = Document(root, version, applied)
    if document.kind == "ext" and _is_in_ext(root):
        root.replace(root[0], root[0][0])
        applied.append(Applied("message-in-ext", "/NCIPMessage/Ext", "took the message out of the Ext"))
        document = Document(root, version, applied, in_ext=True)
    document.long = tags > limits.max_repaired and _count(root, "count(//*)") > limits.max_repaired
    if version is not None and document.major != 2 and document.speaks:
        applied.append(Applied("nonsense-version", "/NCIPMessage", f"took the version {version[:60]!r} to be 2.02"))
    return document


def _is_in_ext(root: Node) -> bool:
    """Tell whether the Ext in an NCIPMessage stands alone with one message in it, as NCIP 2.0 sends later ones."""
    if len(root) != 1 or len(root[0]) != 1 or root[0].attrib:
        return False
    inner = root[0][0]
    ours = not inner.tag.startswith("{") or inner.tag.startswith((f"{{{NAMESPACE}}}", f"{{{ILS_DI}}}"))
    return ours and local_name(inner) in MESSAGES and not "".join([root[0].text or "", inner.tail or ""]).strip()


def _tree(text: bytes) -> Node:
    """Parse bytes; raises XMLSyntaxError, also for an undeclared prefix, which lxml lets pass before a warning."""
    root = etree.fromstring(text, _PARSER)
    errors = _PARSER.error_log.filter_from_errors()
    if errors:
        first = errors[0]
        raise etree.XMLSyntaxError(first.message, first.type, first.line, first.column)  # type: ignore[call-arg]
    return root


def _mended(text: bytes, applied: list[Applied], error: etree.XMLSyntaxError) -> tuple[bytes, Node]:
    """Parse again what the parser refused, if anything about the bytes can be put right."""
    mended = octets.mended(text, applied)
    if mended is not text:
        mended = prolog.without_doctype(mended, applied)  # it may have been hidden by what was mended
        try:
            return mended, _tree(mended)
        except etree.XMLSyntaxError as again:
            error = max(error, again, key=lambda each: each.position)
    line, column = error.position
    said = " ".join((error.msg or "not XML").split()).rsplit(", line ", 1)[0].rstrip(".")
    advice = _ADVICE.get(getattr(error, "code", 0), "correct the XML")
    raise prolog.syntax_error(f"Line {line}, column {column}: {said}. Please {advice}.") from error


def _check_limits(root: Node, text: bytes, tags: int, limits: Limits) -> None:
    """Measure the tree, but only where the text has enough signs for a limit to be passed; nearly no message has."""
    if tags >= 2 * limits.max_depth and _deeper_than(limits.max_depth)(root):
        raise prolog.syntax_error(f"Elements are nested deeper than {limits.max_depth} levels. Please nest fewer.")
    if tags > limits.max_elements and _count(root, "count(//*)") > limits.max_elements:
        raise prolog.syntax_error(
            f"The message has more than {limits.max_elements:,} elements. Please send less at once."
        )
    if tags > limits.max_children and _wider_than(limits.max_children)(root):
        raise prolog.syntax_error(
            f"An element has more than {limits.max_children:,} children. Please send less at once."
        )
    many = len(text) > limits.max_attributes and text.count(b"=") > limits.max_attributes
    if many and _count(root, "count(//@*)") > limits.max_attributes:
        raise prolog.syntax_error(f"The message has more than {limits.max_attributes:,} attributes. Please send fewer.")


def _count(root: Node, what: str) -> int:
    return int(root.xpath(what))


@cache
def _deeper_than(depth: int) -> etree.XPath:
    return etree.XPath(f"boolean({'/*' * (depth + 1)})")


@cache
def _wider_than(children: int) -> etree.XPath:
    return etree.XPath(f"boolean(//*[{children + 1}])")


def _major(version: str | None) -> int | None:
    """Give the major version that a version attribute names, if it does."""
    return _major_named(version) if version and len(version) < 200 else None


@lru_cache(maxsize=64)
def _major_named(version: str) -> int | None:
    if "v2_" in version or version.strip().startswith("2"):
        return 2
    named = _OTHER_MAJOR.search(version)
    return int(named[1] or named[2]) if named else None


def _looks_like_version_1(root: Node) -> bool:
    """Whether there is an element that only version 1 has: a unique id, or the Scheme and Value of a coded value."""
    return any(node.tag in {"Scheme", "Value"} or str(node.tag).startswith("Unique") for node in root.iter())
