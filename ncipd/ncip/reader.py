"""From XML to messages: each child of an element goes into the field that its tag names."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from copy import deepcopy
from typing import Any

from lxml import etree

from ncipd.ncip import messages as _messages  # noqa: F401 - an Ext may hold any element, so all classes must be known
from ncipd.ncip.compiled import Names, compiled, late
from ncipd.ncip.lexical import read_datetime
from ncipd.ncip.paths import Node, local_name, path_in_message
from ncipd.ncip.problems import Problem, ProblemType
from ncipd.ncip.shape import Child, shape, simple_elements
from ncipd.ncip.types import ELEMENTS, IN_NCIP, Coded, Element, Ext, Leaf, Opaque

_SCHEME = f"{IN_NCIP}Scheme"

Read = Callable[[Node], Any]


class Readers(dict[type[Element], Read]):
    """The function that reads an element into its class, for each class; made when it is first wanted."""

    def __missing__(self, cls: type[Element]) -> Read:
        """Make the reader of a class."""
        made = self[cls] = _read_ext if cls is Ext else _compile(cls)
        return made


READERS = Readers()


def _compile(cls: type[Element]) -> Read:
    children = shape(cls)
    slots: dict[str, int] = {}
    names: Names = {"_slot_of": slots.get, "_made": cls, "_refuse": _refuse}
    for slot, child in enumerate(children):
        slots.setdefault(IN_NCIP + child.element, slot)
        if child.composite:
            _read_later(f"_read_{slot}", names, ELEMENTS[child.type])
        else:
            names[f"_read_{slot}"] = _READ_SIMPLE[child.type]
    return compiled("read", _source(children), names)


def _read_later(name: str, names: Names, cls: type[Element]) -> None:
    late(name, names, lambda: READERS[cls])


def _source(children: tuple[Child, ...]) -> Iterator[str]:
    yield "def read(_node):"
    for child in children:
        yield f"    {child.field} = {child.empty!r}"
    yield "    for _child in _node[:]:"  # half the work of an iterator over the children
    yield "        _slot = _slot_of(_child.tag)"
    test = "if"
    for slot, child in enumerate(children):
        places = [at for at, other in enumerate(children) if other.element == child.element]
        if slot == places[0]:
            yield f"        {test} _slot == {slot}:"
            yield from _assignment(children, places)
            test = "elif"
    yield "        else:"
    yield "            _refuse(_child)"
    yield f"    return _made({', '.join(f'{child.field}={child.field}' for child in children)})"


def _assignment(children: tuple[Child, ...], places: list[int]) -> Iterator[str]:
    """Assign a child to its field; where it has two places, the required element between them tells which is meant."""
    indent = " " * 12
    for at in places[:-1]:
        between = next(child for child in children[at + 1 :] if child.required)
        yield f"{indent}if {between.field} is None:"
        yield f"{indent}    {children[at].field} = _read_{at}(_child)"
        yield f"{indent}    continue"
    last = children[places[-1]]
    value = "_child.text or ''" if last.type == "str" else f"_read_{places[-1]}(_child)"
    yield f"{indent}{last.field} {f'+= ({value},)' if last.many else f'= {value}'}"


def _read_coded(node: Node) -> Coded:
    for name, value in node.items():  # `get` is slower, most of all where there is no attribute
        if name == _SCHEME:
            return Coded(node.text or "", value)
    return Coded(node.text or "")


def _read_int(node: Node) -> int:
    try:
        return int(node.text)
    except ValueError as error:
        where = path_in_message(node)
        raise Problem(
            ProblemType.INVALID_MESSAGE_SYNTAX_ERROR,
            element=where,
            detail=f"{where} is not a number that can be read; send digits, and at most 4,300 of them.",
        ) from error


def _read_datetime(node: Node) -> Any:
    try:
        return read_datetime(node.text or "")
    except ValueError as error:
        where = path_in_message(node)
        raise Problem(
            ProblemType.INVALID_DATE,
            element=where,
            value=node.text,
            detail=f"{where}: {error}; send a date and time such as 2026-01-31T23:59:00Z.",
        ) from error


_READ_SIMPLE: dict[str, Read] = {
    "str": lambda node: node.text or "",
    "Coded": _read_coded,
    "datetime": _read_datetime,
    "Count": _read_int,
    "Ordinal": _read_int,
    "Minor": _read_int,
    "bool": lambda _: True,
}


def _read_ext(node: Node) -> Ext:
    return Ext(children=tuple(_read_any(child) for child in node[:] if isinstance(child.tag, str)))


def _read_any(node: Node) -> Element | Leaf | Opaque:
    name = local_name(node)
    if not node.tag.startswith(IN_NCIP):
        return Opaque(_canonical(node))
    if name in ELEMENTS:
        element: Element = READERS[ELEMENTS[name]](node)
        return element
    if name in simple_elements():
        return Leaf(name, _READ_SIMPLE[simple_elements()[name]](node))
    return Opaque(_canonical(node))


def _canonical(node: Node) -> bytes:
    try:
        return etree.tostring(node, method="c14n", exclusive=True, with_tail=False)
    except etree.C14NError:  # a relative namespace URI: there is no canonical form, but it is XML all the same
        alone = deepcopy(node)
        etree.cleanup_namespaces(alone)
        return etree.tostring(alone, encoding="UTF-8", xml_declaration=False, with_tail=False)


def _refuse(node: Node) -> None:
    if isinstance(node.tag, str):  # not a comment or a processing instruction
        where = path_in_message(node)
        raise Problem(
            ProblemType.UNKNOWN_ELEMENT,
            element=where,
            detail=f"{where} is not in the grammar; leave it out, or put it in the Ext of its parent.",
        )
