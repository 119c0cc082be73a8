"""Named repairs of messages that the grammar refuses and that senders send all the same.

A repair touches only what is invalid, and says what it did. None runs on a valid message. Repairs run in the order of
REPAIRS: the tree has its names before anything is looked for by name, and what is foreign goes last.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from functools import cache
from itertools import islice

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


MOST_RECORDED = 20
"""How many changes of one repair are recorded one by one; of more, the number is."""


@dataclass(frozen=True, slots=True)
class Repair:
    """A repair: its name, what it does in a sentence, and how.

    ``apply`` yields each element and what is done to it, before it does it.
    """

    name: str
    summary: str
    apply: Callable[[Document], Iterator[tuple[Node, str]]] | None = None
    """None where the parser makes the repair, because without it there is no tree."""


def repair(document: Document, allowed: Collection[str] | None = None) -> list[Applied]:
    """Repair a document in place and tell what was done; ``allowed`` names the repairs that may be made (None: all)."""
    return [
        applied
        for each in REPAIRS.values()
        if each.apply is not None and (allowed is None or each.name in allowed)
        for applied in _recorded(each.name, each.apply(document))
    ]


def _recorded(name: str, changes: Iterator[tuple[Node, str]]) -> Iterator[Applied]:
    for node, detail in islice(changes, MOST_RECORDED):
        yield Applied(name, path(node), detail)
    more = sum(1 for _ in changes)
    if more:
        yield Applied(name, "/NCIPMessage", f"and {more} more")


# --- names -----------------------------------------------------------------------------------------------------------


def _elements(node: Node) -> Iterator[Node]:
    """Walk through the NCIP elements in the order of the document, but not into anything foreign."""
    waiting = [node]
    while waiting:
        node = waiting.pop()
        yield node
        waiting.extend(child for child in reversed(node) if child.tag.startswith(_IN_NCIP))


def _no_namespace(document: Document) -> Iterator[tuple[Node, str]]:
    renamed = list(_without_namespace(document.root)) if document.speaks else []
    if renamed:
        yield renamed[0], f"put {len(renamed)} elements into the namespace of NCIP"
    for node in renamed:
        node.tag = _IN_NCIP + node.tag


def _without_namespace(node: Node, *, in_ext: bool = False) -> Iterator[Node]:
    """Find the elements that lost their namespace; in an Ext, what NCIP does not know belongs to somebody else."""
    lost = not node.tag.startswith("{")
    if lost and not (in_ext and not _is_known(node.tag)):
        yield node
    elif not node.tag.startswith(_IN_NCIP):
        return
    for child in node:
        yield from _without_namespace(child, in_ext=in_ext or local_name(node) == "Ext")


def _unqualified_version(document: Document) -> Iterator[tuple[Node, str]]:
    if document.root.get("version") is not None:
        yield document.root, "put the attribute version into the namespace of NCIP"
        _qualify(document.root, "version")


def _missing_version(document: Document) -> Iterator[tuple[Node, str]]:
    if document.root.get(f"{_IN_NCIP}version") is None:
        yield document.root, "took the version to be 2.02"
        document.root.set(f"{_IN_NCIP}version", VERSION)


def _unqualified_scheme(document: Document) -> Iterator[tuple[Node, str]]:
    for node in _elements(document.root):
        if node.get("Scheme") is not None and simple_elements().get(local_name(node)) == "Coded":
            yield node, "put the attribute Scheme into the namespace of NCIP"
            _qualify(node, "Scheme")


def _qualify(node: Node, attribute: str) -> None:
    value = node.attrib.pop(attribute)
    if node.get(_IN_NCIP + attribute) is None:
        node.set(_IN_NCIP + attribute, value)


# --- content ---------------------------------------------------------------------------------------------------------


def _checkin_ids(document: Document) -> Iterator[tuple[Node, str]]:
    for message in document.root.iterchildren(f"{_IN_NCIP}CheckInItem"):
        for node in list(message.iterchildren(f"{_IN_NCIP}UserId", f"{_IN_NCIP}RequestId")):
            yield node, f"moved {local_name(node)} into the Ext of CheckInItem"
            _ext_of(message).append(node)


def _proof_beside_user(document: Document) -> Iterator[tuple[Node, str]]:
    """Move what proves who a user is, where the grammar would have it in the place of the UserId and not beside it."""
    for message in document.root.iterchildren():
        if message.find(f"{_IN_NCIP}UserId") is not None and _has_either(local_name(message)):
            for node in list(message.iterchildren(f"{_IN_NCIP}AuthenticationInput")):
                yield node, f"moved AuthenticationInput beside UserId into the Ext of {local_name(message)}"
                _ext_of(message).append(node)


@cache
def _has_either(name: str) -> bool:
    """Say whether a message holds UserId or AuthenticationInput, but not both."""
    children = {child.element for child in shape(ELEMENTS[name])} if name in ELEMENTS else set()
    return {"UserId", "AuthenticationInput"} <= children


def _ext_of(message: Node) -> Node:
    ext = next(message.iterchildren(_EXT), None)
    return etree.SubElement(message, _EXT) if ext is None else ext


def _stray_text(document: Document) -> Iterator[tuple[Node, str]]:
    for node in _elements(document.root):
        if local_name(node) in ELEMENTS or node is document.root:
            stray = "".join([node.text or "", *(child.tail or "" for child in node)]).strip()
            if stray:
                yield node, f"dropped the text {stray[:60]!r} between child elements"
                node.text = None
                for child in node:
                    child.tail = None


def _child_order(document: Document) -> Iterator[tuple[Node, str]]:
    for node in _elements(document.root):
        order = _order(local_name(node))
        if order and all(child.tag in order for child in node):
            children = sorted(node, key=lambda child: order[child.tag])
            if children != list(node):
                yield node, f"put the children of {local_name(node)} in order"
                node[:] = children


@cache
def _order(name: str) -> dict[str, int]:
    """Give the place of each child; none where there are no children, or one of them has two places."""
    if name not in ELEMENTS or name == "Ext":
        return {}
    children = shape(ELEMENTS[name])
    order = {_IN_NCIP + child.element: at for at, child in enumerate(children)}
    return order if len(order) == len(children) else {}


def _foreign_ext(document: Document) -> Iterator[tuple[Node, str]]:
    foreign: list[Node] = []
    for ext in _elements(document.root):
        others = [node for node in ext if not (node.tag.startswith(_IN_NCIP) and _is_known(local_name(node)))]
        if ext.tag == _EXT and others:
            foreign += others
            document.set_aside.append((ext, list(ext)))
            for node in others:
                yield node, f"kept {node.tag} without checking it"
    for node in foreign:
        node.getparent().remove(node)


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
        Repair(
            "proof-beside-user",
            "Moves AuthenticationInput that stands beside a UserId into the Ext.",
            _proof_beside_user,
        ),
        Repair("stray-text", "Drops text that stands between child elements.", _stray_text),
        Repair("child-order", "Puts child elements in the order of the grammar.", _child_order),
        Repair("foreign-ext", "Keeps what is not NCIP in an Ext without checking it.", _foreign_ext),
    )
}
