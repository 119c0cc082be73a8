"""How values are spelled in XML: dates, numbers, and text that may hold anything a person or a system typed."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

_SPECIAL = re.compile("[&<>\r\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_SPECIAL_IN_ATTRIBUTE = re.compile('[&<>"\t\n\r\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]')
_SPELLED = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "\t": "&#9;", "\n": "&#10;", "\r": "&#13;"}
_MOST_KEPT = 500
_LONGEST_KEPT = 200
_DATE_TIME = re.compile(
    r"\s*\d{4}-\d\d-\d\dT((?P<midnight>24:00:00(\.0+)?)|\d\d:\d\d:\d\d(\.\d+)?)(Z|[+-]\d\d:\d\d)?\s*", re.ASCII
)


def escape(text: str) -> str:
    """Spell text as the content of an element; a character that XML forbids becomes U+FFFD."""
    # Nearly every value is printable and plain, and these tests are several times faster than a search.
    if text.isprintable() and "<" not in text and "&" not in text and ">" not in text:
        return text
    return _SPECIAL.sub(_spell, text)


def escape_attribute(text: str) -> str:
    """Spell text as the value of an attribute in double quotes; a character that XML forbids becomes U+FFFD."""
    if text.isprintable() and "<" not in text and "&" not in text and '"' not in text and ">" not in text:
        return text
    return _SPECIAL_IN_ATTRIBUTE.sub(_spell, text)


class Spelled(dict[str, str]):
    """How codes are spelled, or the names of their lists: few are in use, so short ones are kept, at most 500."""

    def __init__(self, spell: Callable[[str], str]) -> None:
        """Take the function that spells one."""
        super().__init__()
        self._spell = spell

    def __missing__(self, text: str) -> str:
        """Spell a text."""
        spelled = self._spell(text)
        if len(text) <= _LONGEST_KEPT:
            if len(self) >= _MOST_KEPT:
                self.clear()
            self[text] = spelled
        return spelled


CODES = Spelled(escape)
ATTRIBUTES = Spelled(escape_attribute)


def _spell(found: re.Match[str]) -> str:
    return _SPELLED.get(found[0], "\ufffd")


def read_datetime(text: str) -> datetime:
    """Read an xs:dateTime: in UTC where it names a zone, without one where it does not.

    24:00:00 is the next midnight; what is finer than a microsecond is cut off. Raises ValueError for any other
    spelling, and for a year outside 1 to 9999 (also after the change to UTC).
    """
    spelled = _DATE_TIME.fullmatch(text)
    if spelled is None:
        raise ValueError(f"{text!r} is not spelled CCYY-MM-DDThh:mm:ssZ with a year from 0001 to 9999")
    try:
        if spelled["midnight"]:
            value = datetime.fromisoformat(text.strip().replace("T24", "T00")) + timedelta(days=1)
        else:
            value = datetime.fromisoformat(text.strip())
        return value if value.tzinfo is None or value.tzinfo is UTC else value.astimezone(UTC)
    except OverflowError as error:
        raise ValueError(f"{text!r} is outside the years 0001 to 9999") from error


def write_datetime(value: datetime) -> str:
    """Spell a date and time: in UTC with Z, or without a zone where it has none (Z39.83-1 section 6.3)."""
    if value.tzinfo is None:
        return value.isoformat()
    if value.tzinfo is not UTC:
        value = value.astimezone(UTC)
    return f"{value.replace(tzinfo=None).isoformat()}Z"
