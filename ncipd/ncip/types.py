"""What NCIP content is made of: coded values, counts, element classes, messages and extensions.

An element with children is a class; its fields are its children, in the order of the grammar. The annotation of a
field says how often the child occurs and what it holds:

==========================  ==========================================================
``x: T``                    exactly once
``x: T | None = None``      at most once
``x: tuple[T, ...]``        once or more
``x: tuple[T, ...] = ()``   any number of times
``x: bool = False``         a child without content, which is there or is not
==========================  ==========================================================

Where the grammar offers alternatives, the class attribute ``choice`` states them in the notation of a DTD over element
names, and the fields named in it are all optional. A choice stands where the run of its fields stands.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, fields
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, TypeVar, cast, dataclass_transform, overload

from msgspec import Struct, StructMeta

if TYPE_CHECKING:
    from ncipd.ncip.elements import InitiationHeader, Problem, ResponseHeader

NAMESPACE = "http://www.niso.org/2008/ncip"
IN_NCIP = f"{{{NAMESPACE}}}"
"""What the name of an element of NCIP begins with, as lxml has it."""

Flag = bool
Count = Annotated[int, "xs:nonNegativeInteger"]
Ordinal = Annotated[int, "xs:positiveInteger"]
Minor = Annotated[int, "xs:integer"]
"""An amount of money in minor units of its currency: EUR 5.00 is 500 (Z39.83-1 section 6.3)."""

E = TypeVar("E", bound="Element")
_SECRETS = frozenset({"authentication_input_data", "from_system_authentication", "from_agency_authentication"})


class Coded(Struct, frozen=True, array_like=True, gc=False):
    """A value from a list, with the URI of that list where the sender named it (Z39.83-1 section 6.1)."""

    value: str
    scheme: str | None = None

    def __str__(self) -> str:
        """Give the value without its scheme."""
        return self.value

    def __repr__(self) -> str:
        """Show the scheme only where there is one."""
        return f"Coded({self.value!r})" if self.scheme is None else f"Coded({self.value!r}, {self.scheme!r})"

    def matches(self, text: str) -> bool:
        """Tell whether this is the value ``text``, whatever its letter case, the blanks around it and its scheme."""
        return self.value.strip().casefold() == text.strip().casefold()


class Element:
    """The content of one NCIP element that has children: frozen, and equal by content."""

    __slots__ = ()
    __dataclass_fields__: ClassVar[dict[str, Any]]
    choice: ClassVar[str | tuple[str, ...]] = ()


ELEMENTS: dict[str, type[Element]] = {}
"""Every element class by the name of its element."""


@dataclass_transform(frozen_default=True, kw_only_default=True, field_specifiers=(field,))
def element(cls: type[E]) -> type[E]:
    """Make a class the content of the element of its name: frozen, with slots and keyword-only fields.

    It is a dataclass by its fields, and a Struct in its making: to make one, to replace a field, and to tell what it
    holds take a tenth of the time, and as there are no cycles among them, the garbage collector need not know them.
    """
    described = dataclass(kw_only=True, init=False, repr=False, eq=False, match_args=False)(cls)
    content = {name: value for name, value in vars(described).items() if name not in {"__dict__", "__weakref__"}}
    made: Any = StructMeta(
        cls.__name__,
        (Struct, *cls.__bases__),
        {**content, "__repr__": _shown},
        frozen=True,
        kw_only=True,
        array_like=True,
        tag=True,
        gc=False,
    )
    ELEMENTS[cls.__name__] = made
    return cast("type[E]", made)


def _shown(self: Element) -> str:
    """Show what is set; the secrets of an authentication are masked."""
    shown = (
        f"{f.name}={'***' if f.name in _SECRETS else repr(value)}"
        for f in fields(self)
        if (value := getattr(self, f.name)) not in (None, (), False)
    )
    return f"{type(self).__name__}({', '.join(shown)})"


class Leaf(Struct, frozen=True, array_like=True, tag=True, gc=False):
    """An NCIP element without children inside an Ext: its name and its value (True for an element without content)."""

    name: str
    value: object

    def __repr__(self) -> str:
        """Show the element and its value; the secrets of an authentication are masked."""
        return f"Leaf({self.name!r}, {'***' if field_name(self.name) in _SECRETS else repr(self.value)})"


class Opaque(Struct, frozen=True, array_like=True, tag=True, gc=False):
    """An element of another namespace inside an Ext, kept as exclusive canonical XML."""

    xml: bytes


@element
class Ext(Element):
    """Content that a standard message has no place for (Z39.83-1 section 6.3)."""

    children: tuple[Element | Leaf | Opaque, ...] = ()

    @overload
    def find(self, wanted: type[E]) -> E | None: ...

    @overload
    def find(self, wanted: str) -> Element | Leaf | None: ...

    def find(self, wanted: type[Element] | str) -> Element | Leaf | None:
        """Give the first child of this class, or of this element name."""
        name = wanted if isinstance(wanted, str) else wanted.__name__
        for child in self.children:
            if isinstance(child, Element) and type(child).__name__ == name:
                return child
            if isinstance(child, Leaf) and child.name == name:
                return child
        return None


class Message(Element):
    """One of the messages that a system sends in an NCIPMessage."""

    __slots__ = ()
    ext: Ext | None


class Initiation(Message):
    """A message that asks for a service or tells of an event."""

    __slots__ = ()
    initiation_header: InitiationHeader | None


class Response(Message):
    """The message that answers an initiation message: problems, or what was asked for."""

    __slots__ = ()
    response_header: ResponseHeader | None
    problem: tuple[Problem, ...]


@cache
def field_name(element_name: str) -> str:
    """Give the field that holds a child element: ``DateDue`` is ``date_due``, ``Line1`` is ``line1``."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", element_name).lower()
