"""Values and content classes: equal by content, frozen, and discreet about secrets."""

from __future__ import annotations

import copy
import dataclasses
import pickle
import subprocess
import sys
from collections.abc import Callable

import pytest
from lxml import etree

from ncipd.ncip.codec import decode
from ncipd.ncip.elements import AuthenticationInput, InitiationHeader, ItemId, UserId
from ncipd.ncip.messages import CheckOutItem, LookupUser
from ncipd.ncip.shape import shape
from ncipd.ncip.types import Coded, Element, Ext, Leaf, element
from tests.ncip.strategies import standing_alone


def test_a_coded_value_is_its_value_with_a_scheme() -> None:
    assert str(Coded("Item", "urn:x")) == "Item"
    assert Coded("Item") == Coded("Item", None)
    assert Coded("Item") != Coded("Item", "urn:x")


@pytest.mark.parametrize("text", ["barcode", " BARCODE\n", "Barcode"])
def test_coded_values_match_whatever_case_blanks_and_scheme(text: str) -> None:
    assert Coded(" Barcode ", "urn:x").matches(text)
    assert not Coded("Barcode").matches("Barcode Id")


def test_content_is_equal_by_value_and_can_be_kept_in_sets() -> None:
    one, same = UserId(user_identifier_value="U-1"), UserId(user_identifier_value="U-1")
    assert one == same
    assert {one, same} == {one}
    assert one != UserId(user_identifier_value="U-2")
    assert one != ItemId(item_identifier_value="U-1")
    assert one != "U-1"


def test_content_is_frozen_but_can_be_replaced() -> None:
    user = UserId(user_identifier_value="U-1")
    with pytest.raises(AttributeError):
        user.user_identifier_value = "U-2"  # type: ignore[misc]
    with pytest.raises(AttributeError):
        del user.user_identifier_value
    assert dataclasses.replace(user, user_identifier_value="U-2").user_identifier_value == "U-2"


@pytest.mark.parametrize("again", [copy.copy, copy.deepcopy, lambda content: pickle.loads(pickle.dumps(content))])
def test_content_that_was_made_or_read_is_the_same_when_copied(again: Callable[[Element], Element]) -> None:
    made = LookupUser(
        user_id=UserId(agency_id=Coded("A"), user_identifier_value="U-1"), user_element_type=(Coded("x"),)
    )
    read = decode(etree.fromstring(standing_alone(made)), LookupUser)
    assert again(made) == made == again(read)
    with pytest.raises(AttributeError):
        read.ext = Ext()  # type: ignore[misc]


def test_what_must_be_there_must_be_given() -> None:
    with pytest.raises(TypeError, match="item_id"):
        CheckOutItem()  # type: ignore[call-arg]


def test_a_representation_shows_what_is_set_and_no_secret() -> None:
    """Whatever is logged or raised, a password is not in it."""
    asked = AuthenticationInput(
        authentication_input_data="hunter2",
        authentication_data_format_type=Coded("text"),
        authentication_input_type=Coded("PIN"),
    )
    shown = repr(LookupUser(authentication_input=(asked,)))
    assert "hunter2" not in shown
    assert "authentication_input_data=***" in shown
    assert repr(UserId(user_identifier_value="U-1")) == "UserId(user_identifier_value='U-1')"
    assert "None" not in shown
    assert repr(Ext(children=(Leaf("AuthenticationInputData", "hunter2"),))) == (
        "Ext(children=(Leaf('AuthenticationInputData', ***),))"
    )


def test_secrets_of_headers_are_masked() -> None:
    masked = [child.field for child in shape(InitiationHeader) if "authentication" in child.field]
    assert masked == ["from_system_authentication", "from_agency_authentication"]


def test_an_annotation_that_is_no_form_of_the_grammar_is_refused() -> None:
    from ncipd.ncip.types import ELEMENTS

    @element
    class Wrong(Element):
        """Not of NCIP."""

        values: list[str]

    ELEMENTS.pop("Wrong")
    with pytest.raises(TypeError, match="not a form of the grammar"):
        shape(Wrong)


def test_an_ext_finds_nothing_in_nothing() -> None:
    assert Ext().find(UserId) is None
    assert Ext().find("UserId") is None


def test_xmlschema_is_not_imported_with_the_protocol() -> None:
    """It takes half a second, and only tools need it."""
    names = "ncipd.ncip.read, ncipd.ncip.envelope, ncipd.ncip.schemes"
    code = f"import sys, {names}; sys.exit('xmlschema' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
