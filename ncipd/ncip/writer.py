"""From messages to XML: each field that is set becomes a child, in the order of the fields."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

from ncipd.ncip import messages as _messages  # noqa: F401 - an Ext may hold any element, so all classes must be known
from ncipd.ncip.compiled import Names, compiled, late
from ncipd.ncip.lexical import ATTRIBUTES, CODES, escape, write_datetime
from ncipd.ncip.shape import Child, shape, simple_elements
from ncipd.ncip.types import ELEMENTS, Element, Ext, Leaf, Opaque

_PREFIX = re.compile(r"|[A-Za-z_][A-Za-z0-9_.-]*")
_SPELLING: Names = {"escape": escape, "attributes": ATTRIBUTES, "codes": CODES, "write_datetime": write_datetime}

Write = Callable[[Any], str]


class Writers(dict[tuple[type[Element], str], Write]):
    """The function that writes an object, for each class and namespace prefix; made when it is first wanted."""

    def __missing__(self, key: tuple[type[Element], str]) -> Write:
        """Make the writer of a class."""
        cls, prefix = key
        check_prefix(prefix)
        made = self[key] = _ext_writer(prefix) if cls is Ext else _compile(cls, prefix)
        return made


WRITERS = Writers()


def _compile(cls: type[Element], prefix: str) -> Write:
    children = shape(cls)
    names: Names = dict(_SPELLING)
    for slot, child in enumerate(children):
        if child.composite:
            _write_later(f"write_{slot}", names, ELEMENTS[child.type], prefix)
    return compiled("write", _source(cls, prefix, children), names)


def check_prefix(prefix: str) -> None:
    """Raise ValueError for what cannot be a namespace prefix."""
    if not _PREFIX.fullmatch(prefix) or prefix.lower().startswith("xml"):
        raise ValueError(
            f"{prefix!r} cannot be a namespace prefix; use letters, digits, '.', '-' and '_', not beginning with xml"
        )


def _write_later(name: str, names: Names, cls: type[Element], prefix: str) -> None:
    late(name, names, lambda: WRITERS[cls, prefix])


def _source(cls: type[Element], prefix: str, children: tuple[Child, ...]) -> Iterator[str]:
    tag = _tag(cls.__name__, prefix)
    yield "def write(content):"
    yield f"    text = '<{tag}>'"
    for slot, child in enumerate(children):
        if child.many:
            yield f"    for value in content.{child.field}:"
        else:
            yield f"    value = content.{child.field}"
            yield "    if value:" if child.type == "bool" else "    if value is not None:"
        spelled = f"write_{slot}(value)" if child.composite else _spelled(child.element, child.type, prefix)
        yield f"        text += {spelled}"
    yield f"    return text + '</{tag}>'"


def _spelled(element: str, type_: str, prefix: str) -> str:
    """Give the expression that spells ``value`` as an element without children."""
    tag = _tag(element, prefix)
    if type_ == "bool":
        return f"'<{tag}/>'"
    if type_ == "Coded":
        plain = f"f'<{tag}>{{codes[value.value]}}</{tag}>'"
        scheme = f'{prefix or "ncip"}:Scheme="{{attributes[value.scheme]}}"'
        return f"{plain} if value.scheme is None else f'<{tag} {scheme}>{{codes[value.value]}}</{tag}>'"
    spelled = {"str": "escape(value)", "datetime": "write_datetime(value)"}.get(type_, "value")
    return f"f'<{tag}>{{{spelled}}}</{tag}>'"


def _tag(name: str, prefix: str) -> str:
    return f"{prefix}:{name}" if prefix else name


@cache
def _leaf_writer(name: str, prefix: str) -> Write:
    spelled = _spelled(name, simple_elements()[name], prefix)
    return compiled("write", ("def write(value):", f"    return {spelled}"), dict(_SPELLING))


def _ext_writer(prefix: str) -> Write:
    start, end = f"<{_tag('Ext', prefix)}>", f"</{_tag('Ext', prefix)}>"

    def write(ext: Ext) -> str:
        return start + "".join([_in_ext(child, prefix) for child in ext.children]) + end

    return write


def _in_ext(child: Element | Leaf | Opaque, prefix: str) -> str:
    if isinstance(child, Opaque):
        return _foreign(child.xml.decode(), prefix)
    if isinstance(child, Leaf):
        return _leaf_writer(child.name, prefix)(child.value)
    return WRITERS[type(child), prefix](child)


def _foreign(xml: str, prefix: str) -> str:
    """Keep foreign content out of the default namespace, where that is NCIP's."""
    if prefix or " xmlns=" in xml[: xml.index(">")]:
        return xml
    return re.sub(r"(?<=<)[^\s/>]+", r'\g<0> xmlns=""', xml, count=1)
