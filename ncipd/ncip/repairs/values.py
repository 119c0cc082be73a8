"""Repairs of values: dates, flags, values that are empty, and values written as in version 1."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date

from ncipd.ncip.document import Document
from ncipd.ncip.paths import Node, local_name
from ncipd.ncip.repairs.walk import EXT, Changes, children_of, elements, optional_in, type_of
from ncipd.ncip.schema import obeys
from ncipd.ncip.shape import is_known
from ncipd.ncip.types import IN_NCIP

_SPELLED = re.compile(
    r"(?P<day>\d{4}[-/.]?\d\d[-/.]?\d\d)(?:(?P<between>[Tt_ ]| {2,4})(?P<time>\d\d:?\d\d(?::?\d\d(?:[.,]\d{1,12})?)?))?"
    r"(?P<blank> ?)(?P<zone>[Zz]|UTC|GMT|[+-]\d\d(?::?\d\d)?)?",
    re.ASCII,
)
_GOOD = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)?", re.ASCII)
_YES = {"", "true", "yes", "y", "1"}
_NO = {"false", "no", "n", "0"}
_LONGEST_DATE = 60
_CURRENCY, _VALUE = f"{IN_NCIP}CurrencyCode", f"{IN_NCIP}MonetaryValue"
_ZERO = re.compile(r"\s*[+-]?0{1,20}\s*", re.ASCII)


# --- dates -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Date:
    """A date and time in its parts, as spelled."""

    day: str
    between: str
    time: str
    blank: str
    zone: str

    def __str__(self) -> str:
        return f"{self.day}{self.between}{self.time}{self.blank}{self.zone}"


def date_only(document: Document) -> Changes:
    """Read a date without a time as the end of its day, in the zone that it names, or else in the partner's."""

    def end_of_day(date: _Date) -> _Date:
        return date if date.time else replace(date, between="T", time="23:59:59")

    return _dates(document, "took the date for the end of that day, 23:59:59", end_of_day)


def date_spelling(document: Document) -> Changes:
    """Put what XML wants between day and time, and between the numbers of each."""

    def with_separators(date: _Date) -> _Date:
        digits = re.sub(r"\D", "", date.day)
        time, _, fraction = date.time.replace(",", ".").partition(".")
        time = ":".join(re.findall(r"\d\d", time)) + (fraction and f".{fraction}")
        return _Date(f"{digits[:4]}-{digits[4:6]}-{digits[6:]}", "T" if time else "", time, "", date.zone)

    return _dates(document, "spelled the date as CCYY-MM-DDThh:mm:ss", with_separators)


def missing_seconds(document: Document) -> Changes:
    """Add the seconds."""

    def with_seconds(date: _Date) -> _Date:
        return replace(date, time=f"{date.time}:00") if re.fullmatch(r"\d\d:?\d\d", date.time) else date

    return _dates(document, "added the seconds", with_seconds)


def odd_offset(document: Document) -> Changes:
    """Spell the offset from UTC as XML does."""

    def with_offset(date: _Date) -> _Date:
        hours, minutes = date.zone[:3], date.zone[3:].removeprefix(":")
        return replace(date, zone=f"{hours}:{minutes or '00'}" if hours[:1] in {"+", "-"} else "Z" if hours else "")

    return _dates(document, "spelled the offset from UTC as +hh:mm or Z", with_offset)


def _dates(document: Document, done: str, change: Callable[[_Date], _Date]) -> Changes:
    """Change every date and time that is not spelled as XML has it, but is one."""
    for node in elements(document.root):
        if type_of(node) == "datetime" and not len(node):
            text = (node.text or "").strip()
            changed = str(change(_Date(**found))) if (found := _understood(text)) else text
            if changed != text:
                yield node, done
                node.text = changed


def _understood(text: str) -> dict[str, str] | None:
    """Take a date and time apart; None for what is right as it is, and for what is none."""
    found = None if len(text) > _LONGEST_DATE or _GOOD.fullmatch(text) else _SPELLED.fullmatch(text)
    if found is None:
        return None
    digits = re.sub(r"\D", "", found["day"])
    try:
        date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
    except ValueError:
        return None
    return found.groupdict("")


# --- nothing said ----------------------------------------------------------------------------------------------------


def flag_value(document: Document) -> Changes:
    """Read a word in an element that says yes by being there."""
    for node in elements(document.root):
        word = (node.text or "").strip().casefold() if type_of(node) == "bool" and not len(node) else None
        if word in _YES and node.text:
            yield node, "took its content for yes"
            node.text = None
        elif word in _NO:
            yield node, f"dropped it: {word!r} means that it is not there"
            _drop(node)


def empty_value(document: Document) -> Changes:
    """Drop what may be absent and says nothing, the inner elements first; an amount without a value says nothing."""
    for node in reversed(elements(document.root)):
        parent = node.getparent()
        if parent is None:
            continue
        if _is_optional(node, parent) and _says_nothing(node) and not obeys(node):
            yield node, "dropped it: it is empty"
            _drop(node)
        elif node.tag == _VALUE and not (node.text or "").strip() and not len(node):
            held = _about_amount(parent)
            if held is not None:
                yield held, "dropped it: its amount has no value"
                _drop(held)


def missing_currency(document: Document) -> Changes:
    """Drop an amount of nothing that names no currency, with what is said of it."""
    for node in reversed(elements(document.root)):
        parent = node.getparent()
        if node.tag == _VALUE and parent is not None and _ZERO.fullmatch(node.text or "") and not len(node):
            held = _about_amount(parent) if not (parent.findtext(_CURRENCY) or "").strip() else None
            if held is not None and not obeys(parent):
                yield held, "dropped it: its amount is 0 and names no currency"
                _drop(held)


def _about_amount(amount: Node) -> Node | None:
    """Give the amount, or else the element that is about it, whichever may be absent; None where neither may."""
    if "MonetaryValue" not in children_of(local_name(amount)):
        return None
    for node in (amount, amount.getparent()):
        parent = None if node is None else node.getparent()
        if parent is not None and local_name(node) in optional_in(local_name(parent)):
            return node
    return None


def _is_optional(node: Node, parent: Node) -> bool:
    name = local_name(node)
    return is_known(name) if parent.tag == EXT else name in optional_in(local_name(parent))


def _says_nothing(node: Node) -> bool:
    if any(text.strip() for text in node.itertext()):
        return False
    return all(
        each.tag.startswith(IN_NCIP) and is_known(local_name(each)) and type_of(each) != "bool" for each in node.iter()
    )


def _drop(node: Node) -> None:
    """Take an element out, but not what is written behind it."""
    parent, before = node.getparent(), node.getprevious()
    if node.tail and before is not None:
        before.tail = (before.tail or "") + node.tail
    elif node.tail:
        parent.text = (parent.text or "") + node.tail
    parent.remove(node)


# --- as in version 1 -------------------------------------------------------------------------------------------------


def scheme_value(document: Document) -> Changes:
    """Fold the Scheme and Value of version 1 into a coded value."""
    for node in elements(document.root):
        parts = {local_name(child).casefold(): child for child in node} if type_of(node) == "Coded" else {}
        if "value" in parts and parts.keys() <= {"scheme", "value"} and len(parts) == len(node):
            yield node, "took its Value for its content and its Scheme for its attribute"
            texts = {name: "".join(part.itertext()).strip() for name, part in parts.items()}
            scheme = texts.get("scheme")
            del node[:]
            node.text = texts["value"]
            if scheme and node.get(f"{IN_NCIP}Scheme") is None:
                node.set(f"{IN_NCIP}Scheme", scheme)
