"""``${…}`` in scenario files: ids that nobody else uses, dates by the target's clock, what was captured on the way."""

from __future__ import annotations

import re
import secrets
import uuid
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any

_REFERENCE = re.compile(r"\$\$\{|\$\{([^}]*)\}")
_RELATIVE = re.compile(r"(now|today)(?:([+-])(\d+)([mhdw]))?")
_UNITS = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}
_NOTHING: Mapping[str, str] = MappingProxyType({})
# No vowels, no 0, 1 or L: neither words nor mistakable when read from a screen.
_LETTERS = "23456789BCDFGHJKMNPQRSTVWXZ"

BUILT_IN = frozenset(
    {"unique", "uuid", "lender", "borrower", "broker", "copy", "broker.lender_item", "broker.temporary_item"}
)


class UnknownVariable(Exception):
    """A ``${name}`` that has no value (yet)."""

    def __init__(self, name: str) -> None:
        super().__init__(f"${{{name}}} has no value here")
        self.name = name


def unique() -> str:
    """Six letters and digits that no earlier run has used, in all likelihood."""
    return "".join(secrets.choice(_LETTERS) for _ in range(6))


def names(text: str) -> Iterator[str]:
    """The variables that a text mentions, relative dates left out."""
    for match in _REFERENCE.finditer(text):
        name = match[1]
        if name is not None and not _RELATIVE.fullmatch(name):
            yield name


def blanked(text: str) -> str:
    """The text with a number in place of each variable, for what must be right whatever their values are."""
    return _REFERENCE.sub("0", text)


class Variables:
    """The values of one scenario: what it was given, what it defines, what it captured."""

    def __init__(self, given: Mapping[str, str], clock: Callable[[], datetime]) -> None:
        self._values = {"unique": unique(), **given}
        self._clock = clock

    def __setitem__(self, name: str, value: str) -> None:
        self._values[name] = value

    def __contains__(self, name: str) -> bool:
        return name in self._values

    @property
    def values(self) -> dict[str, str]:
        """A copy of everything that has a value."""
        return dict(self._values)

    def fill(self, text: str, extra: Mapping[str, str] = _NOTHING, escape: Callable[[str], str] = str) -> str:
        """Put the values into a text, each passed through ``escape``; raises UnknownVariable."""

        def value(match: re.Match[str]) -> str:
            return "${" if match[1] is None else escape(self._value(match[1], extra))

        return _REFERENCE.sub(value, text)

    def fill_all(self, content: Any, extra: Mapping[str, str] = _NOTHING) -> Any:
        """The same for every text inside lists and dicts; keys are left alone."""
        if isinstance(content, str):
            return self.fill(content, extra)
        if isinstance(content, list):
            return [self.fill_all(part, extra) for part in content]
        if isinstance(content, dict):
            return {key: self.fill_all(part, extra) for key, part in content.items()}
        return content

    def _value(self, name: str, extra: Mapping[str, str]) -> str:
        if name in extra:
            return extra[name]
        if name in self._values:
            return self._values[name]
        if name == "uuid":
            return str(uuid.uuid4())
        match = _RELATIVE.fullmatch(name)
        if match is None:
            raise UnknownVariable(name)
        return self._moment(match)

    def _moment(self, match: re.Match[str]) -> str:
        moment = self._clock().astimezone(UTC)
        if match[2]:
            span = _UNITS[match[4]] * int(match[3])
            moment = moment + span if match[2] == "+" else moment - span
        return moment.strftime("%Y-%m-%d" if match[1] == "today" else "%Y-%m-%dT%H:%M:%SZ")
