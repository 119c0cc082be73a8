"""Messages made from the classes: every alternative of an element by turns, and any message at all for hypothesis."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from functools import cache
from itertools import pairwise
from typing import Any

from hypothesis import strategies as st

from ncipd.ncip.codec import encode
from ncipd.ncip.messages import MESSAGES
from ncipd.ncip.shape import Child, choices, shape, simple_elements
from ncipd.ncip.types import ELEMENTS, Coded, Element, Ext, Leaf, Message, Opaque
from tests.ncip.content_model import Part, grouped, parse_model

# --- the content model that a class states ---------------------------------------------------------------------------


def model_of(cls: type[Element]) -> Part:
    """The content model of a class: its fields in order, and each choice in the place of the run of its fields."""
    parts: list[Part] = []
    open_choices = [parse_model(f"({choice})" if not choice.endswith(")?") else choice) for choice in choices(cls)]
    names: set[str] = set()
    for child in shape(cls):
        if child.element not in names:
            names = set()
            if open_choices and child.element in (wanted := set(names_in(open_choices[0]))):
                parts.append(open_choices.pop(0))
                names = wanted
        if child.element not in names:
            parts.append(Part("name", child.element, (), *_occurs(child)))
    assert not open_choices, f"{cls.__name__}: no field for {open_choices}"
    return grouped(",", parts)


def _occurs(child: Child) -> tuple[int, int | None]:
    return (1 if child.required else 0), (None if child.many else 1)


def names_in(part: Part) -> Iterator[str]:
    if part.kind == "name":
        yield part.name
    for inner in part.parts:
        yield from names_in(inner)


# --- every alternative by turns --------------------------------------------------------------------------------------


def sequences(part: Part) -> list[tuple[str, ...]]:
    """Child sequences in which each part takes each of its forms at least once, the shortest first."""
    once: list[tuple[str, ...]]
    if part.kind == "name":
        once = [(part.name,)]
    elif part.kind == "|":
        once = [sequence for inner in part.parts for sequence in sequences(inner)]
    else:
        forms = [sequences(inner) for inner in part.parts]
        shortest = [form[0] for form in forms]
        once = [_joined(shortest)]
        for at, form in enumerate(forms):
            once.extend(_joined([*shortest[:at], other, *shortest[at + 1 :]]) for other in form[1:])
        once.append(_joined([form[-1] for form in forms]))
    least = [()] if part.least == 0 else []
    more = [once[0] + once[-1]] if part.most is None else []
    return least + once + more


def _joined(parts: list[tuple[str, ...]]) -> tuple[str, ...]:
    return tuple(name for part in parts for name in part)


def every_form(cls: type[Element]) -> list[Element]:
    """Objects of a class in which each child and each alternative occurs."""
    if cls is Ext:
        return [Ext(), Ext(children=(smallest("UserId"), Leaf("Title", "A title"), Leaf("NonReturnableFlag", True)))]
    return [_made(cls, sequence, smallest) for sequence in dict.fromkeys(sequences(model_of(cls)))]


@cache
def smallest(element: str) -> Any:
    """The value of an element with as few children as may be."""
    if element == "Ext":
        return Ext()
    if element in ELEMENTS:
        return _made(ELEMENTS[element], sequences(model_of(ELEMENTS[element]))[0], smallest)
    return {
        "str": f"some {element}",
        "Coded": Coded(f"a {element}", "http://example.org/scheme"),
        "datetime": datetime(2026, 1, 31, 23, 59, tzinfo=UTC),
        "Count": 0,
        "Ordinal": 1,
        "Minor": -250,
        "bool": True,
    }[simple_elements()[element]]


def _made(cls: type[Element], sequence: tuple[str, ...], value_of: Any) -> Element:
    """Put one value for each name of a child sequence into the field where it belongs."""
    values: dict[str, Any] = {}
    for name in sequence:
        places = [child for child in shape(cls) if child.element == name]
        child = places[0]
        for earlier, later in pairwise(places):  # two places: the later one once what stands between has been seen
            between = shape(cls)[shape(cls).index(earlier) + 1]
            child = later if between.field in values else child
        value = value_of(name)
        values[child.field] = (*values.get(child.field, ()), value) if child.many else value
    return cls(**values)


# --- anything at all -------------------------------------------------------------------------------------------------

# What XML can hold. A carriage return survives because it is written as a character reference.
TEXT = st.text(
    st.characters(
        codec="utf-8", exclude_categories=["Cs"], exclude_characters=[chr(c) for c in range(32)] + ["\ufffe", "\uffff"]
    )
    | st.sampled_from("\t\n\r<>&\"' ]"),
    max_size=12,
)
SCHEMES = st.none() | st.sampled_from(["", "http://www.niso.org/ncip/v1_0/schemes/agency.scm", "urn:x?a=1&b=2", "a b"])
ZONES = st.sampled_from([None, UTC, timezone(timedelta(hours=14)), timezone(-timedelta(hours=9, minutes=30))])
DATES = st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30), timezones=ZONES)
NUMBERS = {"Count": st.integers(0, 10**20), "Ordinal": st.integers(1, 10**20), "Minor": st.integers()}
FOREIGN = st.sampled_from(
    [
        b'<x:note xmlns:x="http://example.org/x" x:kind="a&amp;b">one &lt; two<x:more></x:more></x:note>',
        b"<plain><inner>text</inner></plain>",
        b'<d xmlns="http://example.org/d"><e xmlns="">no namespace</e></d>',
    ]
).map(Opaque)


def simple_values(type_name: str) -> st.SearchStrategy[Any]:
    match type_name:
        case "str":
            return TEXT
        case "Coded":
            return st.builds(Coded, TEXT, SCHEMES)
        case "datetime":
            return DATES
        case "bool":
            return st.just(True)
        case _:
            return NUMBERS[type_name]


@st.composite
def elements_of(draw: st.DrawFn, cls: type[Element], depth: int = 0, *, foreign: bool = True) -> Element:
    """Any object of a class; the deeper it stands, the fewer optional children it has."""
    if cls is Ext:
        return Ext(children=tuple(draw(st.lists(_in_ext(depth + 1, foreign=foreign), max_size=2))))
    sequence = _sequence(draw, model_of(cls), may_grow=depth < 3)

    def value_of(name: str) -> Any:
        if name in ELEMENTS:
            return draw(elements_of(ELEMENTS[name], depth + 1, foreign=foreign))
        return draw(simple_values(simple_elements()[name]))

    return _made(cls, sequence, value_of)


def _sequence(draw: st.DrawFn, part: Part, *, may_grow: bool) -> tuple[str, ...]:
    most = part.least + (1 if part.most is None or part.most > part.least else 0)
    times = draw(st.integers(part.least, most)) if may_grow and draw(st.integers(0, 3)) == 0 else part.least
    found: list[str] = []
    for _ in range(times):
        if part.kind == "name":
            found.append(part.name)
        elif part.kind == "|":
            found.extend(_sequence(draw, draw(st.sampled_from(part.parts)), may_grow=may_grow))
        else:
            for inner in part.parts:
                found.extend(_sequence(draw, inner, may_grow=may_grow))
    return tuple(found)


def _in_ext(depth: int, *, foreign: bool) -> st.SearchStrategy[Any]:
    leaves = st.sampled_from(["AgencyId", "DateDue", "Title", "RenewalCount", "NonReturnableFlag", "MonetaryValue"])
    some = leaves.flatmap(lambda name: st.builds(Leaf, st.just(name), simple_values(simple_elements()[name])))
    composites = st.sampled_from(["UserId", "RequestId", "LocationNameInstance", "Ext", "CheckInItemResponse"])
    some |= composites.flatmap(lambda name: elements_of(ELEMENTS[name], depth, foreign=foreign))
    return some | FOREIGN if foreign else some


def messages(*, foreign: bool = True) -> st.SearchStrategy[Message]:
    """Any message; ``foreign`` says whether there may be content of other namespaces, which the schema refuses."""
    return st.sampled_from(sorted(MESSAGES)).flatmap(lambda name: elements_of(MESSAGES[name], foreign=foreign))


def standing_alone(element: Element, prefix: str = "ns1") -> bytes:
    """An element as a document of its own, with the declarations that its prefix needs."""
    namespace = "http://www.niso.org/2008/ncip"
    declared = f'xmlns:{prefix}="{namespace}"' if prefix else f'xmlns="{namespace}" xmlns:ncip="{namespace}"'
    name = f"{prefix}:{type(element).__name__}" if prefix else type(element).__name__
    return encode(element, prefix=prefix).replace(f"<{name}", f"<{name} {declared}", 1).encode()
