"""Tables of TOML become frozen structs, and what does not fit is told in the words of the file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final, TypeVar, get_args, get_origin

import msgspec
from msgspec import Struct, inspect

from ncipd.config.mistakes import Mistake, did_you_mean
from ncipd.config.rules import nonsense

SECRETS: Final = frozenset({"secret", "password"})  # field names
FROM_ENVIRONMENT: Final = "env:"
MASK: Final = "***"

S = TypeVar("S", bound=Struct)


class Reading:
    """One reading of a file: goes on after a mistake, so that all are found."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self.environ = environ
        self.mistakes: list[Mistake] = []

    def wrong(self, path: str, text: str) -> None:
        """Take note of a mistake, and go on."""
        self.mistakes.append(Mistake(path, text))

    def struct(self, kind: type[S], table: Any, path: str) -> S | None:
        """The struct that a table describes, or None where something in it is wrong."""
        if not isinstance(table, dict):
            self.wrong(path, f"expected a table, got {_shown(table, path)}")
            return None
        before = len(self.mistakes)
        fields = {field.encode_name: field for field in msgspec.structs.fields(kind)}
        for key in table:
            if key not in fields:
                self.wrong(_at(path, key), f"unknown key{did_you_mean(key, fields)}")
        found: dict[str, Any] = {}
        for key, field in fields.items():
            if key in table:
                found[field.name] = value = self.value(field.type, table[key], _at(path, key))
                if value is not None and (why := nonsense(field.name, value)):
                    self.wrong(_at(path, key), why)
            elif field.required:
                self.wrong(_at(path, key), f"missing; expected {_expected(field.type)}")
        return kind(**found) if len(self.mistakes) == before else None

    def value(self, kind: Any, raw: Any, path: str) -> Any:
        """The value of a type, or None where what is there is none of it."""
        if isinstance(kind, type) and issubclass(kind, Struct):
            return self.struct(kind, raw, path)
        if get_origin(kind) is dict and isinstance(raw, dict):
            return {key: self.value(get_args(kind)[1], one, _at(path, key)) for key, one in raw.items()}
        if get_origin(kind) is tuple and isinstance(raw, list):
            return tuple(self.value(get_args(kind)[0], one, f"{path}[{at}]") for at, one in enumerate(raw, 1))
        try:
            value = msgspec.convert(raw, kind)
        except msgspec.ValidationError:
            self.wrong(path, f"expected {_expected(kind)}, got {_shown(raw, path)}{_nearest(kind, raw)}")
            return None
        return self.secret(value, path) if _last(path) in SECRETS else value

    def secret(self, value: str, path: str) -> str:
        """A secret, from the environment if it says so."""
        if not value.startswith(FROM_ENVIRONMENT):
            return value
        name = value.removeprefix(FROM_ENVIRONMENT)
        if not self.environ.get(name):
            self.wrong(path, f"the environment variable {name or '(no name)'} is not set")
        return self.environ.get(name, "")


def _expected(kind: Any) -> str:  # noqa: PLR0911  # one line per type
    """What a type admits, in words."""
    match inspect.type_info(kind):
        case inspect.EnumType(cls=cls):
            return f"one of {', '.join(member.value for member in cls)}"
        case inspect.LiteralType():
            return f"one of {', '.join(get_args(kind))}"
        case inspect.BoolType():
            return "true or false"
        case inspect.StrType():
            return "text in quotes"
        case inspect.IntType(ge=least, le=most):
            return "a whole number" + _range(least, most)
        case inspect.FloatType(gt=over, ge=least):
            return "a number" + (f" above {over:g}" if over is not None else _range(least, None))
        case inspect.VarTupleType(item_type=inspect.StrType()):
            return "a list of texts"
        case inspect.VarTupleType(item_type=inspect.EnumType(cls=cls)):
            return f"a list of {', '.join(member.value for member in cls)}"
        case inspect.VarTupleType():
            return "a list of tables"
        case _:
            return "a table"


def _range(least: float | None, most: float | None) -> str:
    if most is not None:
        return f" from {least} to {most}"
    return f" of at least {least}" if least is not None else ""


def _nearest(kind: Any, raw: Any) -> str:
    match inspect.type_info(kind):
        case inspect.EnumType(cls=cls):
            return did_you_mean(raw, {member.value for member in cls})
        case inspect.LiteralType(values=values):
            return did_you_mean(raw, values)
        case _:
            return ""


def _shown(raw: object, path: str) -> str:
    shown = repr(raw) if isinstance(raw, str) else json.dumps(raw, default=str, ensure_ascii=False)
    return MASK if _last(path) in SECRETS else shown if len(shown) <= 60 else f"{shown[:60]}…"


def _at(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key


def _last(path: str) -> str:
    return path.rpartition(".")[2].partition("[")[0]
