"""Functions made at run time, one per class: a loop over its fields, written out, is twice as fast as the loop."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

Names = dict[str, Any]


def compiled(name: str, lines: Iterable[str], names: Names) -> Callable[..., Any]:
    """Make the function of this name from its source, which may use ``names``."""
    exec("\n".join(lines), names)  # noqa: S102 - the source is made from our own classes alone
    made: Callable[..., Any] = names[name]
    return made


def late(name: str, names: Names, make: Callable[[], Callable[..., Any]]) -> None:
    """Put a name among ``names`` whose function is made when it is first called: a message uses few of the classes."""

    def first_call(*values: object) -> Any:
        names[name] = make()
        return names[name](*values)

    names[name] = first_call
