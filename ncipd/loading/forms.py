"""What may stand in a column: how the text of a CSV cell is meant, and what a value must be to be taken.

Reading goes in two steps. `cell` turns the text of a CSV cell into the value that JSON would have had there, or leaves
the text as it is where it cannot; `read` is strict, the same for both, and says what it expected.
"""

from __future__ import annotations

import json
import re
from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time
from difflib import get_close_matches

from ncipd.circulation.clock import EARLIEST, to_micros, zone_info
from ncipd.ncip.schemes import SchemeValue

YES = frozenset({"yes", "y", "true", "1"})
NO = frozenset({"no", "n", "false", "0"})
LARGEST = 2**31 - 1

# What no XML message could carry; lone surrogates are bytes that were not UTF-8.
_ILLEGAL = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_LINE_BREAK = re.compile("[\t\n\r]")
_BARE_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_DATE_TIME = re.compile(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:.+")


class WrongValue(Exception):
    """A value that its column does not take: what was there, and what was expected."""

    def __init__(self, wrong: str, expected: str) -> None:
        super().__init__(f"{wrong}; expected {expected}")
        self.wrong, self.expected = wrong, expected


def shown(value: object) -> str:
    """A value as a message shows it: quoted, and not too long."""
    try:
        text = repr(value) if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    except (TypeError, ValueError):
        text = repr(value)
    return text if len(text) <= 60 else f"{text[:60]}…"


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """The question that a near miss deserves; empty where nothing is near."""
    near = get_close_matches(word.casefold(), {one.casefold(): one for one in known}, 1)
    return f" (did you mean {next(one for one in known if one.casefold() == near[0])!r}?)" if near else ""


class Form(ABC):
    """What one kind of column holds."""

    name: str  # in the list of columns
    empty: object = None  # what an empty cell and JSON's null mean

    def cell(self, text: str) -> object:
        """The value that a CSV cell stands for; the text itself where it stands for none."""
        return text

    @abstractmethod
    def read(self, value: object, zone: str, /) -> object:
        """The value as a row holds it; dates without a zone are of `zone`. Raises `WrongValue`."""


@dataclass(frozen=True)
class Text(Form):
    """Words, without spaces around them; `one_line` for what people scan or type as one."""

    one_line: bool = False
    name: str = "text"
    empty: object = ""

    def read(self, value: object, _: str, /) -> str:
        """The text, stripped."""
        if not isinstance(value, str):
            raise WrongValue(shown(value), "text in quotes")
        if found := _ILLEGAL.search(value):
            raise WrongValue(*_unreadable(found[0]))
        text = value.strip()
        if self.one_line and _LINE_BREAK.search(text):
            raise WrongValue(f"{shown(text)} goes over several lines", "text in one line")
        return text


def _unreadable(character: str) -> tuple[str, str]:
    if "\udc80" <= character <= "\udcff":
        return f"the byte 0x{ord(character) - 0xDC00:02X} is not UTF-8", "UTF-8; save the file as UTF-8"
    return f"the character U+{ord(character):04X}", "text without control characters"


CODE = Text(one_line=True)
TEXT = Text()


@dataclass(frozen=True)
class Secret(Form):
    """A PIN or a password; no message shows it."""

    name: str = "secret"
    empty: object = ""

    def read(self, value: object, _: str, /) -> str:
        """The text, stripped; hashed before it is stored."""
        if not isinstance(value, str):
            raise WrongValue("not a text", "text in quotes, with its leading zeros")
        if _ILLEGAL.search(value) or _LINE_BREAK.search(value.strip()):
            raise WrongValue("a control character in it", "text in one line")
        return value.strip()


@dataclass(frozen=True)
class Spelled(Form):
    """Words that are spelled as in one of the standard's lists if they are on it.

    Other words are taken too, those that begin with one of `begins` where that is given.
    """

    lists: tuple[type[SchemeValue], ...]
    begins: tuple[str, ...] = ()
    name: str = "text"
    empty: object = ""

    def read(self, value: object, zone: str, /) -> str:
        """The text, as the standard spells it."""
        text = CODE.read(value, zone)
        for values in self.lists:
            if found := values.named(text):
                return str(found)
        if self.begins and not text.startswith(self.begins):
            known = [str(one) for values in self.lists for one in values]
            which = " or ".join(f"{one}…" for one in self.begins)
            raise WrongValue(shown(text), f"{which}{did_you_mean(text, known) or f', such as {known[0]}'}")
        return text


@dataclass(frozen=True)
class Choice(Form):
    """One of a few words, in any letter case."""

    words: tuple[str, ...]
    empty: object = None

    @property
    def name(self) -> str:  # type: ignore[override]  # the words are its name
        """The words."""
        return f"one of {', '.join(self.words)}"

    def read(self, value: object, zone: str, /) -> str:
        """The word as it is spelled here."""
        text = CODE.read(value, zone)
        for word in self.words:
            if word.casefold() == text.casefold():
                return word
        raise WrongValue(shown(text), self.name + did_you_mean(text, self.words))


@dataclass(frozen=True)
class Email(Form):
    """An e-mail address, without `mailto:`."""

    name: str = "e-mail"
    empty: object = ""

    def read(self, value: object, zone: str, /) -> str:
        """The address."""
        text = CODE.read(value, zone)
        if not re.fullmatch(r"[^@\s]+@[^@\s]+", text):
            raise WrongValue(shown(text), "an e-mail address such as ada@library.example")
        return text


@dataclass(frozen=True)
class Whole(Form):
    """A whole number, 0 or more."""

    name: str = "number"
    empty: object = None

    def cell(self, text: str) -> object:
        """The number that the digits mean."""
        return int(text) if re.fullmatch(r"[0-9]{1,10}", text.strip()) else text

    def read(self, value: object, _: str, /) -> int:
        """The number."""
        if type(value) is not int or not 0 <= value <= LARGEST:
            raise WrongValue(shown(value), f"a whole number from 0 to {LARGEST}")
        return value


@dataclass(frozen=True)
class YesNo(Form):
    """Yes or no; an empty cell means `empty`."""

    empty: object = True
    name: str = "yes/no"

    def cell(self, text: str) -> object:
        """What the word means."""
        word = text.strip().casefold()
        return True if word in YES else False if word in NO else text

    def read(self, value: object, _: str, /) -> bool:
        """The answer."""
        if not isinstance(value, bool):
            raise WrongValue(shown(value), "yes or no (JSON: true or false)")
        return value


@dataclass(frozen=True)
class Moment(Form):
    """A date, or a date and time; a bare date means its last second, or its first where something begins with it."""

    begins: bool = False
    name: str = "date"
    empty: object = None

    def read(self, value: object, zone: str, /) -> int:
        """The moment in microseconds since 1970, UTC."""
        expected = "a date such as 2026-09-30, or 2026-09-30T18:00:00 with a zone (Z, +02:00) or without"
        if not isinstance(value, str):
            raise WrongValue(shown(value), f"{expected}, in quotes")
        text = value.strip()
        try:
            if _BARE_DATE.fullmatch(text):
                moment = datetime.combine(date.fromisoformat(text), time() if self.begins else time(23, 59, 59))
            elif _DATE_TIME.fullmatch(text):
                moment = datetime.fromisoformat(text)
            else:
                raise WrongValue(shown(value), expected)
            micros = to_micros(moment, zone)  # 9999-12-31 means never
        except ValueError as error:
            raise WrongValue(shown(value), expected) from error
        if micros <= EARLIEST:
            raise WrongValue(shown(value), expected)
        return micros


@dataclass(frozen=True)
class Birthday(Form):
    """A date that is the same everywhere: midnight UTC stands for it, so that no zone moves it to another day."""

    name: str = "date"
    empty: object = None

    def read(self, value: object, _: str, /) -> int:
        """The date's midnight in microseconds since 1970, UTC."""
        if not isinstance(value, str) or not _BARE_DATE.fullmatch(value.strip()):
            raise WrongValue(shown(value), "a date such as 1987-03-14")
        try:
            return to_micros(datetime.combine(date.fromisoformat(value.strip()), time()), "UTC")
        except ValueError as error:
            raise WrongValue(shown(value), "a day that the calendar has, such as 1987-03-14") from error


@dataclass(frozen=True)
class Zone(Form):
    """The IANA name of a time zone."""

    name: str = "time zone"
    empty: object = ""

    def read(self, value: object, zone: str, /) -> str:
        """The name, once such a zone is known to exist."""
        text = CODE.read(value, zone)
        try:
            zone_info(text)
        except (ValueError, OSError) as error:  # OSError: the name of a folder of zones, such as Europe
            raise WrongValue(shown(text), "an IANA time zone such as Europe/Berlin") from error
        return text
