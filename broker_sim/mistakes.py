"""What is wrong in a file, in its author's words: msgspec speaks of types, an author writes text, lists and keys."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec.inspect

_AT = re.compile(r" - at `(?:key` in `|key in )?(\$[^`]*)`$")
_PART = re.compile(r"\.([A-Za-z_]\w*)|\[(\d+)\]|(\[\.\.\.\])")
_EXPECTED = re.compile(r"Expected `([^`]+)`, got `([^`]+)`")
_FIELD = re.compile(r"Object (contains unknown|missing required) field `([^`]+)`")
_ENUM = re.compile(r"Invalid enum value '(.*)'", re.DOTALL)
_KINDS = {
    "object": "keys with values",
    "array": "a list",
    "str": "text",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "date": "a date",
}
_ANY = "…"


@dataclass(frozen=True)
class Mistake:
    """What is wrong, and the keys and positions that lead to it; ``…`` is a key that msgspec does not tell."""

    what: str
    path: tuple[str | int, ...]

    @property
    def where(self) -> tuple[str | int, ...]:
        """The keys and positions as far as they are known."""
        return self.path[: self.path.index(_ANY)] if _ANY in self.path else self.path

    def __str__(self) -> str:
        """The place as one writes it down, and what is wrong: ``agency.lender: expected text, got a list``."""
        place = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in self.path).lstrip(".")
        return f"{place}: {self.what}" if place else self.what


def mistake(error: msgspec.ValidationError, shape: type) -> Mistake:
    """What msgspec has to say about something that should be of a shape."""
    text = str(error)
    at = _AT.search(text)
    path = tuple(_parts(at[1])) if at else ()
    text = _AT.sub("", text)
    inside = _at(msgspec.inspect.type_info(shape), path)
    if (field := _FIELD.match(text)) is not None:
        if field[1].startswith("missing"):
            return Mistake(f"the key {field[2]!r} is missing", path)
        return Mistake(f"unknown key {field[2]!r}{near(field[2], _keys(inside))}", (*path, field[2]))
    if (expected := _EXPECTED.match(text)) is not None:
        kinds = [_KINDS.get(kind, kind) for kind in expected[1].split(" | ") if kind != "null"]
        return Mistake(f"expected {' or '.join(kinds)}, got {_KINDS.get(expected[2], expected[2])}", path)
    if (enum := _ENUM.match(text)) is not None:
        return Mistake(_choice(enum[1], inside), path)
    return Mistake(text, path)


def near(word: str, words: Iterable[str]) -> str:
    """“; did you mean …?” where one of the words is close to what was written, else nothing."""
    close = difflib.get_close_matches(word, list(words), n=1)
    return f"; did you mean {close[0]!r}?" if close else ""


def _parts(path: str) -> Iterator[str | int]:
    for match in _PART.finditer(path):
        yield match[1] or (int(match[2]) if match[2] else _ANY)


def _choice(given: str, kinds: Sequence[Any]) -> str:
    keyed = [kind for kind in kinds if isinstance(kind, msgspec.inspect.DictType)]
    words = [str(value) for kind in (*kinds, *(one.key_type for one in keyed))
             if isinstance(kind, msgspec.inspect.LiteralType) for value in kind.values]  # fmt: skip
    keys = list(_keys(kinds))
    said = [f"one of {', '.join(words)}" if len(words) > 1 else words[0]] if words else []
    said += [f"the keys {', '.join(keys)}"] * bool(keys)
    return f"expected {' or '.join(said) or 'something else'}, got {given!r}{near(given, words)}"


def _keys(kinds: Sequence[Any]) -> Iterator[str]:
    for kind in kinds:
        if isinstance(kind, msgspec.inspect.StructType):
            yield from (field.encode_name for field in kind.fields)


def _at(kind: Any, where: Sequence[str | int]) -> list[Any]:
    """What may stand at a place inside a type, each alternative by itself."""
    if isinstance(kind, msgspec.inspect.UnionType):
        return [one for each in kind.types for one in _at(each, where)]
    if not where:
        return [kind]
    step, rest = where[0], where[1:]
    if isinstance(kind, msgspec.inspect.StructType):
        return [one for field in kind.fields if field.encode_name == step for one in _at(field.type, rest)]
    if isinstance(kind, msgspec.inspect.DictType):
        return _at(kind.value_type, rest)
    return _at(kind.item_type, rest) if isinstance(kind, msgspec.inspect.ListType) else []
