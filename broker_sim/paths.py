"""Looking things up in answers: XPath with the NCIP names unprefixed, and a small path language for JSON."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, cast

from lxml import etree

Element = etree._Element  # noqa: SLF001 - the type has no public name
NAMESPACE = "http://www.niso.org/2008/ncip"
_TOKEN = re.compile(
    r"""'[^']*'|"[^"]*"|(?P<name>[A-Za-z_][\w.-]*)|\d+(?:\.\d+)?|::|//|\.\.|!=|<=|>=|\s+|.""", re.DOTALL
)
_OPERATORS = frozenset({"and", "or", "div", "mod"})
_BEFORE_A_STEP = frozenset(
    {"", "/", "//", "[", "(", "@", ",", "|", "=", "!=", "<", ">", "<=", ">=", "+", "-", "::", "and", "or", "div", "mod"}
)
_JSON_PART = re.compile(r"\.?([^.\[\]]+)|\[([^\]]+)\]")


@dataclass(frozen=True)
class Found:
    """Something that a path led to: its text, its path from the document's root, and its line in the raw bytes."""

    text: str
    where: str
    line: int | None


def qualify(path: str) -> str:
    """Put the NCIP prefix before every element and attribute name, unless the author has written prefixes."""
    if re.search(r"\bn:", path):
        return path
    tokens = [(match.group(), match["name"] is not None) for match in _TOKEN.finditer(path)]
    written, before = [], ""
    for n, (token, is_name) in enumerate(tokens):
        if is_name and not _stays(token, before, next((text for text, _ in tokens[n + 1 :] if text.strip()), "")):
            token = f"n:{token}"  # noqa: PLW2901 - the token as it is written
        written.append(token)
        before = token if token.strip() else before
    return "".join(written)


def names(path: str) -> list[str]:
    """The elements of NCIP that a path names."""
    return re.findall(r"(?<![@\w:.-])n:([A-Za-z_][\w.-]*)", qualify(path.removeprefix("NCIPMessage/")))


def _stays(name: str, before: str, after: str) -> bool:
    return after in {"(", "::"} or before == "$" or (name in _OPERATORS and before not in _BEFORE_A_STEP)


@lru_cache(maxsize=2048)
def compile_xpath(path: str) -> etree.XPath:
    """Compile a path as scenario files write it; raises ValueError when it is none."""
    try:
        return etree.XPath(qualify(path.removeprefix("NCIPMessage/")), namespaces={"n": NAMESPACE}, smart_strings=True)
    except etree.XPathSyntaxError as error:
        raise ValueError(f"{path!r} is not a path: {error}") from error


def find(root: Element, path: str) -> list[Found]:
    """Everything that a path leads to, in document order; raises ValueError when it cannot be evaluated."""
    try:
        result = compile_xpath(path)(root)
    except etree.XPathError as error:
        raise ValueError(f"{path!r} cannot be evaluated: {error}") from error
    if not isinstance(result, list):
        text = (
            ("true" if result else "false")
            if isinstance(result, bool)
            else f"{result:.15g}"
            if isinstance(result, float)
            else str(result)
        )
        return [Found(text, path, None)]
    return [found for node in result if (found := _found(node)) is not None]


def _found(node: Any) -> Found | None:
    if isinstance(node, Element):
        return Found(text_of(node), locate(node), line_of(node))
    parent = getattr(node, "getparent", lambda: None)()
    if parent is None:
        return None
    suffix = f"/@{local(node.attrname)}" if getattr(node, "is_attribute", False) else ""
    return Found(str(node).strip(), locate(parent) + suffix, line_of(parent))


def line_of(node: Element | None) -> int | None:
    """The line of an element in the octets it was read from."""
    return None if node is None else cast("int | None", node.sourceline)


def children(node: Element) -> list[Element]:
    """The elements directly inside, comments and processing instructions left out."""
    return list(node.iterchildren(tag=etree.Element))


def text_of(node: Element) -> str:
    """The text of an element and all inside it, outer white space taken off, inner runs of it made one space."""
    return " ".join("".join(str(part) for part in node.itertext()).split())


def local(tag: object) -> str:
    """A tag or attribute name without its namespace."""
    return str(tag).rpartition("}")[2]


def locate(node: Element) -> str:
    """The path of an element by local names, numbered where siblings share the name."""
    parts = []
    current: Element | None = node
    while current is not None:
        above = current.getparent()
        same = [] if above is None else [child for child in above if child.tag == current.tag]
        number = f"[{same.index(current) + 1}]" if len(same) > 1 else ""
        parts.append(local(current.tag) + number)
        current = above
    return "/" + "/".join(reversed(parts))


@lru_cache(maxsize=512)
def compile_pattern(pattern: str) -> re.Pattern[str]:
    """Compile a regular expression; raises ValueError."""
    try:
        return re.compile(pattern)
    except re.error as error:
        raise ValueError(f"{pattern!r} is not a regular expression: {error}") from error


def split_json(path: str) -> list[str | int | dict[str, str]]:
    """``tasks[kind=pick].id`` → ``["tasks", {"kind": "pick"}, "id"]``; ``*`` stays; raises ValueError."""
    parts: list[str | int | dict[str, str]] = []
    end = 0
    for match in _JSON_PART.finditer(path):
        if match.start() != end:
            break
        end = match.end()
        if match[1] is not None:
            parts.append(match[1])
        elif match[2].lstrip("-").isdigit() or match[2] == "*":
            parts.append("*" if match[2] == "*" else int(match[2]))
        else:
            pairs = [pair.partition("=") for pair in match[2].split(",")]
            if not all(equals for _, equals, _ in pairs):
                raise ValueError(f"{path!r}: in brackets stands a number, *, key=value or key*=part of it")
            parts.append({key.strip(): value.strip() for key, _, value in pairs})
    if end != len(path) or not parts:
        raise ValueError(f"{path!r} is not a JSON path; write it like tasks[kind=pick].id")
    return parts


def find_json(data: Any, path: str) -> list[Any]:
    """Every value that a JSON path leads to; null counts as nothing."""
    values = [data]
    for part in split_json(path):
        values = [inner for value in values for inner in _json_step(value, part)]
    return [value for value in values if value is not None]


def _json_step(value: Any, part: str | int | dict[str, str]) -> Iterator[Any]:
    if part == "*":
        yield from value if isinstance(value, list) else value.values() if isinstance(value, dict) else ()
    elif isinstance(part, int):
        if isinstance(value, list) and -len(value) <= part < len(value):
            yield value[part]
    elif isinstance(part, dict):
        for element in value if isinstance(value, list) else ():
            if all(_fits(element, key, wanted) for key, wanted in part.items()):
                yield element
    elif isinstance(value, dict) and part in value:
        yield value[part]


def _fits(element: Any, key: str, wanted: str) -> bool:
    if key.endswith("*"):
        return any(wanted in as_text(found) for found in find_json(element, key[:-1]))
    return any(as_text(found) == wanted for found in find_json(element, key))


def as_text(value: Any) -> str:
    """A JSON value as scenario files write it: true and false in lower case, objects as JSON."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, sort_keys=True)


def nearest(root: Element, path: str) -> str:
    """For a simple path that leads nowhere: how far it leads, and what stands there instead; empty for others."""
    steps = path.split("/")
    for end in range(len(steps) - 1, 0, -1):
        try:
            found = compile_xpath("/".join(steps[:end]))(root)
        except (ValueError, etree.XPathError):
            return ""
        if isinstance(found, list) and found and isinstance(found[0], Element):
            inside = ", ".join(local(child.tag) for child in found[0]) or "nothing"
            return f"; {'/'.join(steps[:end])} (line {line_of(found[0])}) holds {inside}"
    return ""
