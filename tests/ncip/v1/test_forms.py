"""Both forms of a message say the same: what version 1 can say comes through, and what it cannot is in the table."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from ncipd.ncip.messages import MESSAGES
from ncipd.ncip.read import read
from ncipd.ncip.receive import receive
from ncipd.ncip.shape import shape
from ncipd.ncip.types import ELEMENTS, Coded, Element, Message
from ncipd.ncip.v1 import grammar
from ncipd.ncip.v1.table import AUTHENTICATE, LACKING, LATER, SINGLE, UNIQUE, UNTYPED
from ncipd.ncip.v1.wire import Version1
from tests.ncip.strategies import elements_of, every_form, smallest
from tests.ncip.v1.made import GRAMMAR, V1_MESSAGES, counterparts, documents, every_document

MANY = 4 * settings().max_examples
BOTH = [*counterparts(), *sorted(LATER)]


def content(raw: bytes) -> list[Any]:
    """Every element with its text, but for a UserTransaction without content: it says nothing, and is not kept."""
    root = etree.fromstring(raw)
    for node in root.xpath("//UserTransaction[not(*)]"):
        node.getparent().remove(node)
    return [(node.tag, dict(node.attrib), (node.text or "") if not len(node) else "") for node in root.iter()]


def again(raw: bytes) -> bytes:
    """Read a document of version 1, which needs no repair, and write what was read."""
    document = receive(raw)
    reading = read(document, allowed=())
    assert reading.envelope.message is not None
    assert reading.repairs == ()
    return document.wire.write(reading.envelope.message)


# --- from version 1 and back -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(set(GRAMMAR) - {"NCIPMessage"}))
def test_every_alternative_of_every_element_comes_back_as_it_was(name: str) -> None:
    for raw in every_document(name):
        assert grammar.violations(etree.fromstring(raw)) == []
        if not raw.count(
            b"<AuthenticateUser>"
        ):  # the question is asked in version 2's words; its answer is tested below
            assert content(again(raw)) == content(raw)


@settings(max_examples=MANY)
@given(documents())
def test_any_document_comes_back_as_it_was(raw: bytes) -> None:
    written = again(raw)
    assert grammar.violations(etree.fromstring(written)) == []
    if b"<AuthenticateUser>" not in raw:
        assert content(written) == content(raw)


def test_all_messages_of_version_1_are_messages_of_version_2_but_one() -> None:
    assert set(V1_MESSAGES) - set(MESSAGES) == set(AUTHENTICATE)
    assert len(V1_MESSAGES) == 88


# --- from version 2 and back -----------------------------------------------------------------------------------------

LOST = {(owner, child) for table in (LACKING, SINGLE) for owner, children in table.items() for child in children}
LOST |= set(UNTYPED.items())
SUPPLIED = {
    *((owner, "AgencyId") for owner in ("UserId", "ItemId", "RequestId")),
    ("LookupItem", "ItemElementType"),
    ("LookupUser", "UserElementType"),
    ("LoanedItem", "ReminderLevel"),
    ("LoanedItem", "Amount"),
    ("RequestedItem", "ReminderLevel"),
}
FOLDED = {("Problem", "ProblemDetail"), ("Problem", "ProblemElement"), ("Problem", "ProblemValue")}


def differences(one: Any, other: Any, owner: str = "", child: str = "") -> set[tuple[str, str]]:
    """Where two messages differ, as the element and the child of it that is not the same."""
    if one == other:
        return set()
    if isinstance(one, Element) and type(one) is type(other):
        return {
            found
            for part in shape(type(one))
            for found in differences(
                getattr(one, part.field), getattr(other, part.field), type(one).__name__, part.element
            )
        }
    if isinstance(one, tuple) and isinstance(other, tuple) and len(one) == len(other):
        return {found for a, b in zip(one, other, strict=True) for found in differences(a, b, owner, child)}
    if isinstance(one, Coded) and isinstance(other, Coded) and one.value == other.value and not one.scheme:
        return set() if not other.scheme else {(owner, child)}
    return {(owner, child)}


def check(message: Message) -> None:
    """Write a message in version 1, and see that it is valid and that nothing is lost but what the table says."""
    name = type(message).__name__
    written = Version1().write(message)
    assert grammar.is_valid_answer(etree.fromstring(written)), grammar.violations(etree.fromstring(written))
    document = receive(written)
    back = read(document).envelope.message
    assert back is not None
    assert document.wire.write(back) == written
    for owner, child in differences(message, back):
        headers = {(name, "InitiationHeader"), (name, "ResponseHeader")}
        assert child == "Ext" or (owner, child) in LOST | SUPPLIED | FOLDED | headers, (owner, child)


@pytest.mark.parametrize("name", BOTH)
def test_every_form_of_a_message_is_written_valid_and_loses_only_what_the_table_says(name: str) -> None:
    for message in every_form(MESSAGES[name]):
        check(message)  # type: ignore[arg-type]


@settings(max_examples=MANY)
@given(st.sampled_from(BOTH).flatmap(lambda name: elements_of(MESSAGES[name], foreign=True)))
def test_any_message_is_written_valid_and_loses_only_what_the_table_says(message: Message) -> None:
    check(message)


def test_the_table_drops_nothing_that_version_1_has() -> None:
    """Each entry names a child that version 2 has there and version 1 has not."""
    for owner, children in LACKING.items():
        assert set(children) <= {part.element for part in shape(ELEMENTS[owner])}
        declared = GRAMMAR.get(UNIQUE.get(owner, owner))
        known = str(declared.content) if declared is not None else ""
        assert not [child for child in children if f"{UNIQUE.get(child, child)}" in known.replace("(", " ").split()]


# --- the service that only version 1 has -----------------------------------------------------------------------------


def test_authenticate_user_is_a_lookup_that_asks_for_nothing_and_its_answer_tells_only_who() -> None:
    (raw,) = every_document("AuthenticateUser")[:1]
    document = receive(raw)
    message = read(document, allowed=()).envelope.message
    assert type(message).__name__ == "LookupUser"
    assert {field.name for field in fields(message) if getattr(message, field.name)} == {  # type: ignore[arg-type]
        "initiation_header",
        "authentication_input",
    }
    told = MESSAGES["LookupUserResponse"](
        user_id=smallest("UserId"), user_optional_fields=smallest("UserOptionalFields"), loaned_item=()
    )
    root = etree.fromstring(document.wire.write(told))
    assert grammar.violations(root) == []
    assert [node.tag for node in root[0]] == ["ResponseHeader", "UniqueUserId"]


def test_a_scheme_that_is_no_uri_is_kept_all_the_same() -> None:
    """Version 1 takes any text there; version 2, as which the message is read, does not."""
    raw = every_document("UniqueAgencyId")[0].replace(b"<Scheme>some Scheme</Scheme>", b"<Scheme>[100%]</Scheme>", 1)
    assert b"<Scheme>%5B100%25%5D</Scheme>" in again(raw)
