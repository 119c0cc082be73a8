"""What staff do, one file an action: a plain function `(parameters, circ) -> Done` inside one transaction.

An action's parameters are a struct; its fields are the JSON fields of `POST /api/v1/agencies/{agency}/desk/{action}`
and the options of `ncipd desk {action}`. What cannot be done raises `DeskError` (or `Problem`, where the standard has
a word for it).
"""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from ncipd.circulation.errors import DeskError, ErrorKind

if TYPE_CHECKING:
    from collections.abc import Callable

    import msgspec

    from ncipd.circulation.model import Item, Loan, Request
    from ncipd.circulation.unit import Circulation

    Act = TypeVar("Act", bound=Callable[[Any, Circulation], "Done"])


class Done(NamedTuple):
    """What an action came to, for the person who did it."""

    message: str
    instruction: str = ""
    request: Request | None = None
    item: Item | None = None
    loan: Loan | None = None


class Action(NamedTuple):
    """An action: its name, its parameters, and what carries it out."""

    name: str
    parameters: type[msgspec.Struct]
    run: Callable[[Any, Circulation], Done]

    @property
    def summary(self) -> str:
        """Say in a sentence what the action does."""
        return (self.run.__doc__ or "").strip().split("\n")[0]


_ACTIONS: dict[str, Action] = {}


def action(name: str, parameters: type[msgspec.Struct]) -> Callable[[Act], Act]:
    """Make a function the desk action of this name."""

    def register(function: Act) -> Act:
        _ACTIONS[name] = Action(name, parameters, function)
        return function

    return register


def actions() -> dict[str, Action]:
    """Give every desk action by its name."""
    if not _ACTIONS:
        for module in iter_modules(__path__):
            import_module(f"{__name__}.{module.name}")
    return _ACTIONS


def conflict(code: str, message: str, *, field: str = "barcode", value: object = None, hint: str = "") -> DeskError:
    """Say that an action contradicts what is so."""
    return DeskError(ErrorKind.CONFLICT, code, message, field=field, value=value, hint=hint)
