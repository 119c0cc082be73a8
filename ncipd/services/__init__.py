"""The behaviour: one file for each NCIP service, found by the message that asks for it.

A service is a plain function `(message, circ) -> response`. It runs inside one transaction, does no I/O of its own,
and raises `Problem` where it says no.
"""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules
from typing import TYPE_CHECKING, NamedTuple, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from ncipd.circulation.unit import Circulation
    from ncipd.ncip.types import Initiation, Response

    Serve = TypeVar("Serve", bound=Callable[[Any, Circulation], Response])


class Service(NamedTuple):
    """A service: what carries it out, and whether it only reads."""

    message: type[Initiation]
    run: Callable[[Any, Circulation], Response]
    reads: bool


_SERVICES: dict[str, Service] = {}


def serves(message: type[Initiation], *, reads: bool = False) -> Callable[[Serve], Serve]:
    """Make a function the service of a message; `reads` where it changes nothing."""

    def register(function: Serve) -> Serve:
        _SERVICES[message.__name__] = Service(message, function, reads)
        return function

    return register


def services() -> dict[str, Service]:
    """Give every service by the name of its message."""
    if not _SERVICES:
        for module in iter_modules(__path__):
            import_module(f"{__name__}.{module.name}")
    return _SERVICES
