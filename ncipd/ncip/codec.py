"""Between messages and XML.

Both ways are derived from the fields of the classes, once per class, when the class is first met; neither checks the
grammar: what is read has passed the schema, and what is written will.
"""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any, cast

from lxml import etree

from ncipd.ncip.paths import Node
from ncipd.ncip.reader import READERS
from ncipd.ncip.types import NAMESPACE, E, Element, Ext, Opaque
from ncipd.ncip.writer import WRITERS


def decode(node: Node, cls: type[E]) -> E:
    """Read an element that is valid by the schema into its class.

    Raises Problem: Invalid Date for a date outside the years 1 to 9999; Unknown Element for one that is not in the
    grammar.
    """
    return cast("E", READERS[cls](node))


def encode(element: Element, *, prefix: str = "ns1") -> str:
    """Write an element as a fragment of XML, to stand where the prefix is declared; always the same for equal content.

    With an empty prefix the elements are in the default namespace, and their attributes have the prefix ``ncip``.
    """
    return WRITERS[type(element), prefix](element)


def without_foreign(element: E) -> E:
    """Give an element without what was kept unchecked in any Ext of it: that may be received, but not sent."""
    if isinstance(element, Ext):
        kept = (child for child in element.children if not isinstance(child, Opaque))
        return cast("E", Ext(children=tuple(map(_without_foreign, kept))))
    values = ((field.name, getattr(element, field.name)) for field in fields(element))
    return replace(element, **{name: _without_foreign(value) for name, value in values})


def _without_foreign(value: Any) -> Any:
    if isinstance(value, tuple):
        return tuple(map(_without_foreign, value))
    return without_foreign(value) if isinstance(value, Element) else value


def decode_text(fragment: str, cls: type[E]) -> E:
    """Read what ``encode`` wrote, with its own prefix."""
    return decode(etree.fromstring(f'<kept xmlns:ns1="{NAMESPACE}">{fragment}</kept>')[0], cls)
