"""Named repairs of messages that the grammar refuses and that senders send all the same.

A repair touches only what is invalid, and says what it did. None runs on a valid message. Repairs run in the order of
REPAIRS: the tree has its names before anything is looked for by name, and what is foreign goes last.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from functools import cache

from lxml import etree

from ncipd.ncip.applied import Applied
from ncipd.ncip.document import Document
from ncipd.ncip.envelope import VERSION
from ncipd.ncip.paths import Node, local_name, path
from ncipd.ncip.shape import shape, simple_elements
from ncipd.ncip.types import ELEMENTS, NAMESPACE

__all__ = ["REPAIRS", "Applied", "Repair", "repair"]

_IN_NCIP = f"{{{NAMESPACE}}}"
_EXT = f"{_IN_NCIP}Ext"


@dataclass(frozen=True, slots=True)
class Repair:
    """A repair: its name, what it does in a sentence, and how; it yields the path and the detail of each change."""

    name: str
    summary: str
    apply: Callable[[Document], Iterator[tuple[str, str]]] | None = None
    """None where the parser makes the repair, because without it there is no tree."""


def repair(document: Document, allowed: Collection[str] | None = None) -> list[Applied]:
    """Repair a document in place and tell what was done; ``allowed`` names the repairs that may be made (None: all)."""
    return [
        Applied(each.name, where, detail)
        for each in REPAIRS.values()
        if each.apply is not None and (allowed is None or each.name in allowed)
        for where, detail in each.apply(document)
    ]


# --- names -----------------------------------------------------------------------------------------------------------


def _no_namespace(document: Document) -> Iterator[tuple[str, str]]:
    if not document.speaks:
        return
    renamed = [node for node in document.root.iter(etree.Element) if _lost_its_namespace(node)]
    for node in renamed:
        node.tag = _IN_NCIP + node.tag
    if renamed:
        yield path(renamed[0]), f"put {len(renamed)} elements into the namespace of NCIP"


def _lost_its_namespace(node: Node) -> bool:
    if node.tag.startswith("{"):
        return False
    # In an Ext, or below something foreign, an element of no namespace may belong to somebody else.
    return _is_known(node.tag) or not any(local_name(above) == "Ext" for above in node.iterancestors())


def _unqualified_version(document: Document) -> Iterator[tuple[str, str]]:
    if document.root.get("version") is not None:
        _qualify(document.root, "version")
        yield path(document.root), "put the attribute version into the namespace of NCIP"


def _missing_version(document: Document) -> Iterator[tuple[str, str]]:
    if document.root.get(f"{_IN_NCIP}version") is None:
        document.root.set(f"{_IN_NCIP}version", VERSION)
        yield path(document.root), "took the version to be 2.02"


def _unqualified_scheme(document: Document) -> Iterator[tuple[str, str]]:
    for node in document.root.iter(f"{_IN_NCIP}*"):
        if node.get("Scheme") is not None and simple_elements().get(local_name(node)) == "Coded":
            _qualify(node, "Scheme")
            yield path(node), "put the attribute Scheme into the namespace of NCIP"


def _qualify(node: Node, attribute: str) -> None:
    value = node.attrib.pop(attribute)
    if node.get(_IN_NCIP + attribute) is None:
        node.set(_IN_NCIP + attribute, value)


# --- content ---------------------------------------------------------------------------------------------------------


def _checkin_ids(document: Document) -> Iterator[tuple[str, str]]:
    for message in document.root.iterchildren(f"{_IN_NCIP}CheckInItem"):
        for node in list(message.iterchildren(f"{_IN_NCIP}UserId", f"{_IN_NCIP}RequestId")):
            where = path(node)
            _ext_of(message).append(node)
            yield where, f"moved {local_name(node)} into the Ext of CheckInItem"


def _ext_of(message: Node) -> Node:
    ext = next(message.iterchildren(_EXT), None)
    return etree.SubElement(message, _EXT) if ext is None else ext


def _stray_text(document: Document) -> Iterator[tuple[str, str]]:
    for node in document.root.iter(f"{_IN_NCIP}*"):
        if local_name(node) in ELEMENTS or node is document.root:
            stray = "".join([node.text or "", *(child.tail or "" for child in node)]).strip()
            if stray:
                node.text = None
                for child in node:
                    child.tail = None
                yield path(node), f"dropped the text {stray[:60]!r} between child elements"


def _child_order(document: Document) -> Iterator[tuple[str, str]]:
    for node in document.root.iter(f"{_IN_NCIP}*"):
        order = _order(local_name(node))
        if order and all(child.tag in order for child in node):
            children = sorted(node, key=lambda child: order[child.tag])
            if children != list(node):
                node[:] = children
                yield path(node), f"put the children of {local_name(node)} in order"


@cache
def _order(name: str) -> dict[str, int]:
    """Give the place of each child; none where there are no children, or one of them has two places."""
    if name not in ELEMENTS or name == "Ext":
        return {}
    children = shape(ELEMENTS[name])
    order = {_IN_NCIP + child.element: at for at, child in enumerate(children)}
    return order if len(order) == len(children) else {}


def _foreign_ext(document: Document) -> Iterator[tuple[str, str]]:
    foreign: set[Node] = set()
    for ext in document.root.iter(_EXT):
        if foreign.intersection(ext.iterancestors()):
            continue
        for at, node in enumerate(ext):
            if not (node.tag.startswith(_IN_NCIP) and _is_known(local_name(node))):
                foreign.add(node)
                document.set_aside.append((ext, at, node))
                yield path(node), f"kept {node.tag} without checking it"
    for ext, _, node in document.set_aside:
        ext.remove(node)


def _is_known(name: str) -> bool:
    return name == "NCIPMessage" or name in ELEMENTS or name in simple_elements()


REPAIRS: dict[str, Repair] = {
    each.name: each
    for each in (
        Repair("leading-whitespace", "Cuts off blanks and byte order marks before the XML declaration."),
        Repair("doctype", "Ignores a DOCTYPE that names an outside DTD, without fetching it."),
        Repair("no-namespace", "Puts the elements of NCIP 2 that have no namespace into that of NCIP.", _no_namespace),
        Repair("unqualified-version", "Puts the attribute version into the namespace of NCIP.", _unqualified_version),
        Repair("missing-version", "Takes a message without the attribute version to be 2.02.", _missing_version),
        Repair("unqualified-scheme", "Puts the attribute Scheme into the namespace of NCIP.", _unqualified_scheme),
        Repair("checkin-ids", "Moves UserId and RequestId of a CheckInItem into its Ext.", _checkin_ids),
        Repair("stray-text", "Drops text that stands between child elements.", _stray_text),
        Repair("child-order", "Puts child elements in the order of the grammar.", _child_order),
        Repair("foreign-ext", "Keeps what is not NCIP in an Ext without checking it.", _foreign_ext),
    )
}
