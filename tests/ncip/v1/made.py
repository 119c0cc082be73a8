"""Documents of version 1 made from its pinned grammar: every alternative of an element by turns, and any at all."""

from __future__ import annotations

from collections import deque
from functools import cache

from hypothesis import strategies as st
from lxml import etree

from ncipd.ncip.messages import MESSAGES
from ncipd.ncip.problem_types import MESSAGING_SCHEME
from ncipd.ncip.v1.table import AUTHENTICATE, DTD
from tests.ncip.content_model import Part
from tests.ncip.grammar_pin import PIN_1, Declaration, parse_pin
from tests.ncip.strategies import TEXT, _sequence, names_in, sequences

GRAMMAR = {name: declared for name, declared in parse_pin(PIN_1.read_text("utf-8")).items() if name != "(schema)"}
V1_MESSAGES = sorted(names_in(GRAMMAR["NCIPMessage"].content))  # type: ignore[arg-type]
SAMPLES = {
    "string": "some text",
    "dateTime": "2026-01-31T23:59:00Z",
    "nonNegativeInteger": "0",
    "positiveInteger": "1",
    "integer": "-250",
}
SCHEMES = st.sampled_from(["", "a b", "NCIP Unique Agency Id", "http://example.org/scheme?a=1&b=2", "urn:x"])
SPECIAL = {"Scheme": SCHEMES, "ElementName": st.sampled_from(["UniqueUserId", "UserIdentifierValue", "SomethingElse"])}
VALUES = {
    "string": TEXT.filter(lambda text: text.strip() != "").map(lambda text: text.replace("/", "|")),
    "dateTime": st.datetimes().map(lambda moment: f"{moment.isoformat()}Z"),
    "nonNegativeInteger": st.integers(0, 10**9).map(str),
    "positiveInteger": st.integers(1, 10**9).map(str),
    "integer": st.integers(-(10**9), 10**9).map(str),
}


def datatype(declared: Declaration) -> str:
    """The datatype of a text, from its mark."""
    (mark,) = declared.marks
    return mark.rpartition("fixed=")[2]


def smallest(name: str) -> etree._Element:
    """An element with as few children as may be."""
    declared = GRAMMAR[name]
    if isinstance(declared.content, Part):
        return holding(name, sequences(declared.content)[0])
    made = etree.Element(name)
    if declared.content != "EMPTY":
        made.text = f"some {name}" if datatype(declared) == "string" else SAMPLES[datatype(declared)]
    return made


def holding(name: str, children: tuple[str, ...]) -> etree._Element:
    """An element with these children, each as small as may be."""
    made = etree.Element(name)
    made.extend(smallest(child) for child in children)
    if name == "MessagingErrorType":
        made[0].text = MESSAGING_SCHEME  # by which version 2 tells a messaging error
    return made


@cache
def way_to(name: str) -> tuple[str, ...]:
    """The elements from a message down to the one of this name."""
    waiting = deque([(message,) for message in V1_MESSAGES])
    while waiting:
        way = waiting.popleft()
        if way[-1] == name:
            return way
        content = GRAMMAR[way[-1]].content
        if isinstance(content, Part):
            waiting.extend((*way, child) for child in dict.fromkeys(names_in(content)) if child not in way)
    raise LookupError(name)


def within_a_message(element: etree._Element) -> bytes:
    """A document around an element: each element above it has the fewest children that let it stand there."""
    for above in reversed(way_to(element.tag)[:-1]):
        forms = sequences(GRAMMAR[above].content)  # type: ignore[arg-type]
        form = min((one for one in forms if element.tag in one), key=len)
        made = holding(above, form)
        made.replace(made.find(element.tag), element)
        element = made
    root = etree.Element("NCIPMessage", version=DTD)
    root.append(element)
    return etree.tostring(root)


def every_document(name: str) -> list[bytes]:
    """Documents in which each form of an element occurs."""
    content = GRAMMAR[name].content
    if not isinstance(content, Part):
        return [within_a_message(smallest(name))]
    return [within_a_message(holding(name, form)) for form in dict.fromkeys(sequences(content))]


@st.composite
def elements_of(draw: st.DrawFn, name: str, depth: int = 0) -> etree._Element:
    """Any element; the deeper it stands, the fewer optional children it has."""
    declared = GRAMMAR[name]
    made = etree.Element(name)
    if isinstance(declared.content, Part):
        made.extend(
            draw(elements_of(child, depth + 1)) for child in _sequence(draw, declared.content, may_grow=depth < 3)
        )
        if name == "MessagingErrorType":
            made[0].text = MESSAGING_SCHEME
    elif declared.content != "EMPTY":
        made.text = draw(SPECIAL.get(name, VALUES[datatype(declared)]))
    return made


@st.composite
def documents(draw: st.DrawFn) -> bytes:
    """Any document of version 1."""
    root = etree.Element("NCIPMessage", version=DTD)
    root.append(draw(st.sampled_from(V1_MESSAGES).flatmap(elements_of)))
    return etree.tostring(root)


def counterparts() -> list[str]:
    """The messages that both versions have."""
    return [name for name in V1_MESSAGES if name not in AUTHENTICATE and name in MESSAGES]
