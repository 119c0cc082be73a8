"""The columns of a row, as its struct declares them, and reading a raw row with all its mistakes at once."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple, TypeVar, get_args, get_type_hints

from msgspec import NODEFAULT, Struct
from msgspec.structs import fields

from ncipd.loading.forms import TEXT, Form, WrongValue, did_you_mean, shown

R = TypeVar("R", bound=Struct)


@dataclass(frozen=True)
class Column:
    """What a column says (for people), what may stand in it, and an example of a CSV cell."""

    says: str
    form: Form = TEXT
    example: str = ""


class Mistake(NamedTuple):
    """One thing wrong with a row: in which column (`blocks[2].valid_to` in nested rows), and what was expected."""

    column: str
    wrong: str
    expected: str

    def __str__(self) -> str:
        said = f"{self.wrong}; expected {self.expected}" if self.expected else self.wrong
        return f"{self.column}: {said}" if self.column else said


class RowRefused(Exception):
    """A row that is not loaded, with everything that is wrong with it."""

    def __init__(self, *mistakes: Mistake) -> None:
        super().__init__("; ".join(map(str, mistakes)))
        self.mistakes = mistakes


@cache
def columns(kind: type[Struct]) -> dict[str, Column]:
    """The columns of a row's struct, in their order."""
    found: dict[str, Column] = {}
    for name, hint in get_type_hints(kind, include_extras=True).items():
        found[name] = next(extra for extra in get_args(hint)[1:] if isinstance(extra, Column))
    return found


@cache
def required(kind: type[Struct]) -> frozenset[str]:
    """The columns that every row must fill."""
    return frozenset(field.name for field in fields(kind) if field.default is NODEFAULT)


def read_row(kind: type[R], raw: object, zone: str) -> R:
    """The row that a JSON value (or a CSV line turned into one) describes. Raises `RowRefused`."""
    if not isinstance(raw, Mapping):
        raise RowRefused(Mistake("", shown(raw), f"an object with the columns {', '.join(columns(kind))}"))
    known, must = columns(kind), required(kind)
    unknown = [str(key) for key in raw if key not in known]
    mistakes = [Mistake(key, f"unknown column{did_you_mean(key, known)}", "") for key in unknown]
    values: dict[str, Any] = {}
    for name, column in known.items():
        try:
            if name in must and (name not in raw or _is_empty(raw[name])):
                raise WrongValue("missing", column.says)
            if name in raw:
                values[name] = column.form.empty if _is_empty(raw[name]) else column.form.read(raw[name], zone)
        except WrongValue as error:
            mistakes.append(Mistake(name, error.wrong, error.expected))
        except RowRefused as error:
            mistakes += [nested._replace(column=f"{name}{nested.column}") for nested in error.mistakes]
    if mistakes:
        raise RowRefused(*mistakes)
    return kind(**values)


def _is_empty(value: object) -> bool:
    return value is None or value == [] or (isinstance(value, str) and not value.strip())


class Listed(Form):
    r"""Several things in one column: a JSON list of objects; in a CSV cell `pattern|pattern`.

    `pattern` is what people read (`type=value`), `split` takes it apart; a `|` that is meant is written `\|`.
    """

    empty: object = ()

    def __init__(self, row: type[Struct], pattern: str, split: str) -> None:
        self.row = row
        self.name = self.pattern = pattern
        self._split = re.compile(split, re.DOTALL)

    def cell(self, text: str) -> object:
        """The objects that a cell names; the text itself where one of them does not follow the pattern."""
        found = [self._split.fullmatch(part) for part in parts(text)]
        return [match.groupdict("") for match in found if match] if all(found) else text

    def read(self, value: object, zone: str, /) -> tuple[Struct, ...]:
        """The rows within the row. Raises `RowRefused` with the place of each mistake."""
        if not isinstance(value, list):
            raise WrongValue(shown(value), f"{self.pattern}|{self.pattern} (JSON: a list of objects)")
        found: list[Struct] = []
        mistakes: list[Mistake] = []
        for at, one in enumerate(value, 1):
            try:
                found.append(read_row(self.row, one, zone))
            except RowRefused as error:
                mistakes += [
                    wrong._replace(column=f"[{at}]" + (f".{wrong.column}" if wrong.column else ""))
                    for wrong in error.mistakes
                ]
        if mistakes:
            raise RowRefused(*mistakes)
        return tuple(dict.fromkeys(found))  # twice the same is once


class Words(Form):
    """Several texts in one column: a JSON list of texts; in a CSV cell `one|two`."""

    name = "one|two"
    empty: object = ()

    def cell(self, text: str) -> object:
        """The texts between the bars."""
        return parts(text)

    def read(self, value: object, zone: str, /) -> tuple[str, ...]:
        """The texts, each once."""
        if not isinstance(value, list):
            raise WrongValue(shown(value), "one|two (JSON: a list of texts)")
        return tuple(dict.fromkeys(text for one in value if (text := TEXT.read(one, zone))))


def parts(text: str) -> list[str]:
    """What stands between the bars of a cell, without empty parts."""
    found = (part.replace(r"\|", "|").strip() for part in re.split(r"(?<!\\)\|", text))
    return [part for part in found if part]
