"""The classes say what the schema says: every element, order, cardinality, type and attribute, and nothing more."""

from __future__ import annotations

import re
from dataclasses import fields

import pytest

from ncipd.ncip.elements import AuthenticationInput, ItemId, RequestId, UserId
from ncipd.ncip.messages import MESSAGES, Initiation, Response, response_class
from ncipd.ncip.shape import choices, shape, simple_elements
from ncipd.ncip.types import ELEMENTS, Element, Ext, element, field_name
from tests.ncip.content_model import Part, parse_model, telling_apart
from tests.ncip.grammar_pin import Grammar, SchemaReader, read_schema
from tests.ncip.strategies import model_of

TYPES = {
    "xs:string": "str",
    "xs:dateTime": "datetime",
    "xs:nonNegativeInteger": "Count",
    "xs:positiveInteger": "Ordinal",
    "xs:integer": "Minor",
    "EMPTY": "bool",
}
SCHEME = "ncip:Scheme? xs:anyURI"
ENVELOPE = "NCIPMessage"


@pytest.fixture(scope="module")
def grammar() -> Grammar:
    found = SchemaReader(read_schema()).grammar()
    return {name: declaration for name, declaration in found.items() if not name.startswith("(")}


def test_there_is_a_class_for_every_element_with_children_and_no_other(grammar: Grammar) -> None:
    composite = {name for name, declared in grammar.items() if isinstance(declared.content, Part)}
    assert set(ELEMENTS) == composite - {ENVELOPE}
    assert len(ELEMENTS) == 180


@pytest.mark.parametrize("name", sorted(set(ELEMENTS) - {"Ext"}))
def test_class_allows_the_child_sequences_that_the_schema_allows(name: str, grammar: Grammar) -> None:
    """Order, cardinality and alternatives agree; a failure shows the shortest sequence that only one of them allows."""
    declared = grammar[name]
    assert isinstance(declared.content, Part)
    assert telling_apart(model_of(ELEMENTS[name]), declared.content) is None
    assert not declared.marks, "no attribute of an element with children has a field"


@element
class Misordered(Element):
    """Not of NCIP: a class that is wrong in each way that a test must see."""

    choice = "UserId | AuthenticationInput+"

    item_id: ItemId
    user_id: UserId | None = None
    authentication_input: tuple[AuthenticationInput, ...] = ()
    request_id: RequestId | None = None


ELEMENTS.pop("Misordered")


@pytest.mark.parametrize(
    ("model", "only_in_class"),
    [
        ("((UserId | AuthenticationInput+), ItemId, RequestId?)", (False, ["AuthenticationInput", "ItemId"])),
        ("(ItemId, (UserId | AuthenticationInput), RequestId?)", (True, ["ItemId", *["AuthenticationInput"] * 2])),
        ("(ItemId, (UserId | AuthenticationInput+), RequestId)", (True, ["ItemId", "AuthenticationInput"])),
        (
            "(ItemId, (UserId | AuthenticationInput+), RequestId?, Ext?)",
            (False, ["ItemId", "AuthenticationInput", "Ext"]),
        ),
    ],
)
def test_a_class_that_differs_is_told_apart(model: str, only_in_class: tuple[bool, list[str]]) -> None:
    assert telling_apart(model_of(Misordered), parse_model(model)) == only_in_class


def test_ext_holds_anything(grammar: Grammar) -> None:
    content = grammar["Ext"].content
    assert isinstance(content, Part)
    assert str(content).startswith("any(")
    assert [field.name for field in fields(Ext)] == ["children"]


@pytest.mark.parametrize("name", sorted(set(ELEMENTS) - {"Ext"}))
def test_fields_are_required_and_repeatable_as_their_elements_are(name: str) -> None:
    """A field is a tuple exactly where its element can occur twice, and has no default exactly where it must occur."""
    model = model_of(ELEMENTS[name])
    for child in shape(ELEMENTS[name]):
        if child.field != "level_ext":
            assert child.many == (most(model, child.element) > 1), child.field
            assert child.required == (least(model, child.element) > 0 and not in_choice(name, child.element)), (
                child.field
            )


def in_choice(name: str, element: str) -> bool:
    return any(element in re.findall(r"\w+", choice) for choice in choices(ELEMENTS[name]))


def most(part: Part, name: str) -> float:
    once = [most(inner, name) for inner in part.parts] or [float(part.name == name)]
    total = max(once) if part.kind == "|" else sum(once) if name != "Ext" else max(once)
    return total * (float("inf") if part.most is None and total else part.most or 0)


def least(part: Part, name: str) -> int:
    once = [least(inner, name) for inner in part.parts] or [int(part.name == name)]
    return part.least * (min(once) if part.kind == "|" else sum(once))


def test_elements_without_children_have_the_types_of_the_schema(grammar: Grammar) -> None:
    simple = {name: declared for name, declared in grammar.items() if not isinstance(declared.content, Part)}
    enumeration = simple.pop("UserElementEnum")
    assert str(enumeration.content).startswith("xs:token")
    assert simple_elements() == {
        name: "Coded" if declared.marks else TYPES[str(declared.content)] for name, declared in simple.items()
    } | {"UserElementEnum": "str"}
    assert {mark for declared in simple.values() for mark in declared.marks} == {SCHEME}
    assert {str(declared.content) for declared in simple.values() if declared.marks} == {"xs:string"}


def test_fields_have_the_types_of_their_elements() -> None:
    for cls in ELEMENTS.values():
        for child in shape(cls) if cls is not Ext else ():
            expected = child.element if child.element in ELEMENTS else simple_elements()[child.element]
            assert child.type == expected, f"{cls.__name__}.{child.field}"
            assert child.field in {field_name(child.element), "level_ext"}


def test_the_envelope_holds_each_of_the_94_messages_or_problems_or_an_ext(grammar: Grammar) -> None:
    envelope = grammar[ENVELOPE]
    assert len(MESSAGES) == 94
    ours = parse_model(f"({' | '.join([*MESSAGES, 'Problem+', 'Ext'])})")
    assert isinstance(envelope.content, Part)
    assert telling_apart(ours, envelope.content) is None
    assert envelope.marks == {"ncip:version xs:string"}


def test_every_initiation_message_has_its_response() -> None:
    initiations = {name: cls for name, cls in MESSAGES.items() if issubclass(cls, Initiation)}
    assert len(initiations) == 47
    for name, cls in initiations.items():
        assert response_class(cls) is MESSAGES[f"{name}Response"]
        assert issubclass(response_class(cls), Response)
        assert shape(cls)[0].element == "InitiationHeader"
        assert [child.element for child in shape(response_class(cls))][:2] == ["ResponseHeader", "Problem"]


def test_every_class_says_in_a_sentence_what_it_is_and_messages_name_their_clause() -> None:
    for name, cls in ELEMENTS.items():
        said = (cls.__doc__ or "").strip()
        assert said.endswith("."), name
        assert not said.startswith(name), f"{name}: a generated docstring"
        if name in MESSAGES:
            assert re.search(r"\(Z39\.83-1 section 5\.[345]\.\d+\)\.$", said), name
