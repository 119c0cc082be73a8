"""Does a message obey the grammar, and if not: where, what was found there, and what should have been.

The schema is compiled by libxml2 on first use. Its messages are for authors of schemas; ``violations`` says the same in
words for authors of messages.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

from lxml import etree

from ncipd.ncip.paths import Node, local_name, path
from ncipd.ncip.shape import choices, is_known, shape, simple_elements
from ncipd.ncip.types import ELEMENTS, IN_NCIP, NAMESPACE, Element

Kind = Literal["root", "unknown", "misplaced", "missing", "value", "attribute", "text"]

MOST_VIOLATIONS = 20
_ROOT = f"{IN_NCIP}NCIPMessage"
_STEP = re.compile(r"(?:(?P<prefix>[^:/\[\]]+):)?(?P<name>[^:/\[\]]+)(?:\[(?P<index>\d+)\])?")
EXPECTED = re.compile(r"Expected is (?:one of )?\( (.*) \)")
"""Where libxml2 names what might stand in a place."""
_NAME = re.compile(rf"{re.escape(IN_NCIP)}(\w+)")
_ATTRIBUTE = re.compile(r"attribute '(?:\{[^}]*\})?([^']*)'")
_VALUES = {
    "datetime": "a date and time such as 2026-01-31T23:59:00Z",
    "Count": "a whole number, 0 or more",
    "Ordinal": "a whole number, 1 or more",
    "Minor": "a whole number, in minor units of the currency",
}


@dataclass(frozen=True, slots=True)
class Violation:
    """One breach of the grammar: the path and line of the element, what is there, and what should be."""

    path: str
    line: int | None
    found: str
    expected: str
    reason: str
    kind: Kind = "misplaced"
    name: str = ""
    """The name of the element that is missing or wrong."""


@cache
def xsd_path(name: str = "ncip_v2_02.xsd") -> Path:
    """Give the file of a schema: inside the package as installed, or in the root of a checkout."""
    package = Path(__file__).parents[1]
    installed = package / "_xsd" / name
    return installed if installed.exists() else package.parent / "xsd" / name


@cache
def _schema() -> Any:
    return etree.XMLSchema(file=str(xsd_path()))


def is_valid(root: Node) -> bool:
    """Tell whether an NCIPMessage obeys the grammar of NCIP 2.02."""
    return root.tag == _ROOT and bool(_schema().validate(root))


def obeys(element: Node) -> bool:
    """Tell whether an element with all that is in it obeys the grammar, wherever it stands."""
    return bool(_schema().validate(element))


def breach_of_long(root: Node, schema: Any = None) -> Violation | None:
    """Give what is wrong with a message that is too long to be repaired, in the words of the schema; None if nothing.

    It is checked while it is parsed again: looking for the place of each breach in a tree takes time in proportion to
    the siblings of each, and thousands of breaches among thousands of siblings would keep the machine busy.
    """
    if schema is None and root.tag != _ROOT:
        return _wrong_root(root)
    parser = etree.XMLParser(schema=_schema() if schema is None else schema, resolve_entities=False, no_network=True)
    try:
        etree.fromstring(etree.tostring(root), parser)
    except etree.XMLSyntaxError as error:
        said = (error.msg or "it does not obey the schema").replace(IN_NCIP, "").removesuffix(", line 0")
        size = int(root.xpath("count(//*)"))
        reason = f"a message with {size:,} elements is only read if it obeys the schema, and this one does not: {said}"
        expected = "a valid message, or less at once"
        return _of(root, "misplaced", found="a long message", expected=expected, reason=reason[:500].rstrip("."))
    return None


def violations(root: Node) -> list[Violation]:
    """Give the breaches of the grammar in the order of the document: at most twenty, one of a kind for each element."""
    if root.tag != _ROOT:
        return [_wrong_root(root)]
    return breaches(_schema(), root, _violation)


def breaches(schema: Any, root: Node, say: Callable[[Node, str], Violation]) -> list[Violation]:
    """Give the breaches of any schema; `say` puts what libxml2 says of an element into plain words."""
    if schema.validate(root):
        return []
    found: dict[tuple[str, Kind], Violation] = {}
    for entry in schema.error_log:
        violation = say(located(root, entry.path), entry.message)
        found.setdefault((violation.path, violation.kind), violation)
        if len(found) == MOST_VIOLATIONS:
            break
    return list(found.values())


def _wrong_root(root: Node) -> Violation:
    namespace = root.tag[1:].partition("}")[0] if root.tag.startswith("{") else ""
    where = f"in the namespace {namespace}" if namespace else "in no namespace"
    return Violation(
        path=path(root),
        line=root.sourceline,
        found=f"{local_name(root)} {where}",
        expected=f"NCIPMessage in the namespace {NAMESPACE}",
        reason="the root element is not the NCIPMessage of NCIP 2",
        kind="root",
        name=local_name(root),
    )


def located(root: Node, libxml2_path: str) -> Node:
    """Follow a path of libxml2: names with the prefix of the document, ``*`` in a default namespace, numbers from 1."""
    node = root
    for step in libxml2_path.split("/")[2:]:
        part = _STEP.fullmatch(step)
        if part is None:
            return node
        matching = [child for child in node if part["name"] == "*" or _is_called(child, part["prefix"], part["name"])]
        index = int(part["index"] or 1) - 1
        if index >= len(matching):
            return node
        node = matching[index]
    return node


def _is_called(node: Node, prefix: str | None, name: str) -> bool:
    return node.prefix == prefix and local_name(node) == name


# --- in plain words --------------------------------------------------------------------------------------------------


def _violation(node: Node, message: str) -> Violation:
    expected = _NAME.findall(said[1]) if (said := EXPECTED.search(message)) else []
    if "Missing child element" in message:
        return _missing(node, expected)
    if "not expected" in message or "No matching global" in message:
        return _unexpected(node, expected)
    if "ttribute" in message:
        return _attribute(node, message)
    if "ontent" in message and "not allowed" in message:
        return _content(node, message)
    return _value(node)


def _of(node: Node, kind: Kind, *, found: str, expected: str, reason: str, name: str | None = None) -> Violation:
    return Violation(path(node), node.sourceline, found, expected, reason, kind, name or local_name(node))


def _missing(parent: Node, expected: list[str], before: str | None = None) -> Violation:
    owner, found = local_name(parent), before or "nothing"
    if owner == "NCIPMessage":
        content = "a message, a Problem or an Ext"
        return _of(parent, "missing", found=found, expected=content, reason="NCIPMessage is empty")
    needed = _needed(parent, expected) or expected
    reason = f"{owner} has no {in_words(needed)}" + (f" before {before}" if before else "")
    return _of(parent, "missing", found=found, expected=in_words(needed), reason=reason, name=needed[0])


def _unexpected(node: Node, expected: list[str]) -> Violation:
    name, owner = local_name(node), local_name(node.getparent())
    wanted = in_words(expected) or f"the end of {owner}"
    if not node.tag.startswith(IN_NCIP):
        return _of(node, "unknown", found=name, expected=wanted, reason=f"{name} is not in the namespace of NCIP")
    if not is_known(name):
        return _of(node, "unknown", found=name, expected=wanted, reason=f"{name} is no element of NCIP 2.02")
    if owner not in ELEMENTS or name not in {child.element for child in shape(ELEMENTS[owner])}:
        return _of(node, "misplaced", found=name, expected=wanted, reason=f"{name} has no place in {owner}")
    needed = _needed(node.getparent(), expected)
    if needed and not {local_name(child) for child in node.getparent()}.intersection(needed):
        return _missing(node.getparent(), needed, before=name)
    again = any(local_name(other) == name for other in node.itersiblings(preceding=True))
    reason = f"{name} cannot stand here" + (" a second time" if again else "")
    return _of(node, "misplaced", found=name, expected=wanted, reason=reason)


def _attribute(node: Node, message: str) -> Violation:
    name = local_name(node)
    attribute = named[1] if (named := _ATTRIBUTE.search(message)) else "attribute"
    if "required but missing" in message:
        found, expected, reason = "nothing", f"ncip:{attribute}", f"{name} has no attribute {attribute} of NCIP"
    elif attribute in {"version", "Scheme"} and node.get(attribute) is not None:
        found, expected, reason = (
            attribute,
            f"ncip:{attribute}",
            f"the attribute {attribute} is not in the namespace of NCIP",
        )
    else:
        found, expected, reason = attribute, "no such attribute", f"{name} cannot have the attribute {attribute}"
    return _of(node, "attribute", found=found, expected=expected, reason=reason)


def _content(node: Node, message: str) -> Violation:
    name = local_name(node)
    if "type is empty" in message:
        return _of(node, "text", found="content", expected=f"<{name}/>", reason=f"{name} cannot have content")
    if "simple" in message:
        return _of(node, "text", found="child elements", expected="text", reason=f"{name} cannot have child elements")
    secret = name == "AuthenticationInput"
    text = "***" if secret else "".join([node.text or "", *(child.tail or "" for child in node)]).strip()
    reason = f"there is text between the child elements of {name}"
    return _of(node, "text", found=text[:60], expected="child elements", reason=reason)


def _value(node: Node) -> Violation:
    name = local_name(node)
    expected = _VALUES.get(simple_elements().get(name, ""), "a value of its list")
    reason = f"the value of {name} is not {expected}"
    return _of(node, "value", found=(node.text or "")[:60], expected=expected, reason=reason)


def _needed(parent: Node, expected: list[str]) -> list[str]:
    """Leave out of what libxml2 expects what may be absent."""
    owner = ELEMENTS.get(local_name(parent))
    if owner is None:
        return []
    required = {child.element for child in shape(owner) if child.required} | set(_chosen(owner))
    return [name for name in expected if name in required]


def _chosen(owner: type[Element]) -> Iterator[str]:
    for choice in choices(owner):
        if not choice.endswith(")?"):
            yield from re.findall(r"\w+", choice)


def in_words(names: list[str]) -> str:
    """List names as alternatives, the first of them where there are many."""
    shown = names if len(names) <= 8 else [*names[:7], "…"]
    return " or ".join([", ".join(shown[:-1]), shown[-1]] if len(shown) > 1 else shown)
