"""The way through a message that is being repaired: its elements, and what the grammar says of their places."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

from lxml import etree

from ncipd.ncip.paths import Node, local_name
from ncipd.ncip.shape import shape, simple_elements
from ncipd.ncip.types import ELEMENTS, IN_NCIP, NAMESPACE

EXT = f"{IN_NCIP}Ext"

Changes = Iterator[tuple[Node, str]]
"""Each element that is about to be changed, and what is done to it in words."""


_any_foreign = etree.XPath(f"boolean(//*[namespace-uri() != '{NAMESPACE}'])")


def elements(root: Node) -> list[Node]:
    """Give the NCIP elements in the order of the document, but none that stands inside anything foreign.

    A list, so that they can be renamed and moved on the way.
    """
    if not _any_foreign(root):
        return list(root.iter())
    found = []
    waiting = [root]
    while waiting:
        node = waiting.pop()
        found.append(node)
        waiting.extend(child for child in reversed(node) if child.tag.startswith(IN_NCIP))
    return found


def ext_of(parent: Node) -> Node:
    """Give the Ext of an element, made where there is none."""
    ext = next(parent.iterchildren(EXT), None)
    return etree.SubElement(parent, EXT) if ext is None else ext


def type_of(node: Node) -> str:
    """Give the type of an element without children (`datetime`, `Coded`, …); empty for one with children."""
    return simple_elements().get(local_name(node), "")


@cache
def children_of(name: str) -> frozenset[str]:
    """Give the names that may stand in an element; none for an Ext, where any may."""
    return frozenset(child.element for child in shape(ELEMENTS[name])) if _is_closed(name) else frozenset()


@cache
def once_in(name: str) -> frozenset[str]:
    """Give the children that an element may have only once."""
    if not _is_closed(name):
        return frozenset()
    return frozenset(child.element for child in shape(ELEMENTS[name]) if not child.many)


@cache
def optional_in(name: str) -> frozenset[str]:
    """Give the children that an element may be without."""
    if not _is_closed(name):
        return frozenset()
    return frozenset(child.element for child in shape(ELEMENTS[name]) if not child.required)


@cache
def order_of(name: str) -> dict[str, int]:
    """Give the place of each child; none where there are no children, or one of them has two places."""
    if not _is_closed(name):
        return {}
    children = shape(ELEMENTS[name])
    order = {IN_NCIP + child.element: at for at, child in enumerate(children)}
    return order if len(order) == len(children) else {}


def _is_closed(name: str) -> bool:
    return name in ELEMENTS and name != "Ext"
