"""What the classes say about the grammar: the children of an element, in order, with their types and occurrences."""

from __future__ import annotations

import re
from dataclasses import dataclass, fields
from functools import cache

from ncipd.ncip.types import ELEMENTS, Element

SIMPLE = ("str", "Coded", "datetime", "Count", "Ordinal", "Minor", "bool")
_FORM = re.compile(r"tuple\[(?P<many>\w+), \.\.\.\]|(?P<one>\w+)( \| None)?")


@dataclass(frozen=True, slots=True)
class Child:
    """One field of an element class: the child element that it holds, of which type, and whether it is repeatable.

    ``type`` is one of SIMPLE or the name of an element class; ``required`` is False for what takes part in a choice.
    """

    field: str
    element: str
    type: str
    many: bool
    required: bool

    @property
    def composite(self) -> bool:
        """Whether the child has children of its own, and so a class."""
        return self.type not in SIMPLE

    @property
    def empty(self) -> object:
        """What the field holds where the child is absent."""
        if self.many:
            return ()
        return False if self.type == "bool" else None


def shape(cls: type[Element]) -> tuple[Child, ...]:
    """Give the children of an element class in the order of the grammar."""
    return tuple(
        _child(field.name, field.metadata.get("element"), str(field.type), required=_is_required(field.default))
        for field in fields(cls)
    )


def choices(cls: type[Element]) -> tuple[str, ...]:
    """Give the choices of an element class, in the notation of a DTD."""
    return (cls.choice,) if isinstance(cls.choice, str) else cls.choice


@cache
def simple_elements() -> dict[str, str]:
    """Give the type of every element without children."""
    found = {"UserElementEnum": "str"}  # in the grammar, but inside no element
    for cls in ELEMENTS.values():
        if cls.__name__ != "Ext":
            found.update((child.element, child.type) for child in shape(cls) if not child.composite)
    return found


def is_known(name: str) -> bool:
    """Tell whether the grammar has an element of this name."""
    return name == "NCIPMessage" or name in ELEMENTS or name in simple_elements()


def element_name(field_name: str) -> str:
    """Give the element that a field holds: ``date_due`` is ``DateDue``, ``line1`` is ``Line1``."""
    return "".join(part.title() for part in field_name.split("_"))


def _is_required(default: object) -> bool:
    return default is not None and default is not False and default != ()


def _child(name: str, element: str | None, annotation: str, *, required: bool) -> Child:
    form = _FORM.fullmatch(annotation)
    if form is None:
        raise TypeError(f"field {name}: {annotation!r} is not a form of the grammar; see ncipd.ncip.types")
    many = form["many"] is not None
    return Child(name, element or element_name(name), form["many"] or form["one"], many, required)
