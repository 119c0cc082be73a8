"""By what a stored reply is found: what a message says, all of it, and not how it was written."""

from __future__ import annotations

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from ncipd.ncip.codec import decode
from ncipd.ncip.elements import Amount, FromAgencyId, ItemId, RequestId, ToAgencyId, UserId
from ncipd.ncip.messages import CheckInItem
from ncipd.ncip.types import Coded, Element, Ext, Initiation, Leaf, Opaque
from ncipd.ncip.wire import LATEST, version_2
from ncipd.responder.replies import identity
from tests.ncip.strategies import elements_of, standing_alone

KEY = b"k" * 32


def told(message: Initiation) -> int:
    return identity(message, LATEST, KEY)


def check_in(*more: Element | Leaf | Opaque, item: ItemId | None = None) -> CheckInItem:
    return CheckInItem(item_id=item or ItemId(item_identifier_value="B-1"), ext=Ext(children=more))


DIFFERENT = [
    check_in(),
    CheckInItem(item_id=ItemId(item_identifier_value="B-1")),
    check_in(item=ItemId(item_identifier_value="B-2")),
    check_in(item=ItemId(item_identifier_value="B-1", agency_id=Coded("A"))),
    check_in(item=ItemId(item_identifier_value="B-1", agency_id=Coded("A", ""))),
    check_in(item=ItemId(item_identifier_value="B-1", item_identifier_type=Coded("A"))),
    check_in(FromAgencyId(agency_id=Coded("A"))),
    check_in(ToAgencyId(agency_id=Coded("A"))),
    check_in(ToAgencyId(agency_id=Coded("A", "urn:x"))),
    check_in(UserId(user_identifier_value="1")),
    check_in(RequestId(request_identifier_value="1")),
    check_in(RequestId(request_identifier_value="1"), UserId(user_identifier_value="1")),
    check_in(UserId(user_identifier_value="1"), RequestId(request_identifier_value="1")),
    check_in(Leaf("Title", "x")),
    check_in(Leaf("Author", "x")),
    check_in(Opaque(b"<x>x</x>")),
    check_in(Ext(children=(Leaf("Title", "x"),))),
    *(check_in(Amount(currency_code=Coded("EUR"), monetary_value=10**digits)) for digits in (0, 18, 30, 300)),
]


@pytest.mark.parametrize(("one", "other"), list(combinations(DIFFERENT, 2)))
def test_messages_that_say_different_things_are_told_apart(one: Initiation, other: Initiation) -> None:
    assert told(one) != told(other)


@given(elements_of(CheckInItem), st.sampled_from(["", "x", "ns1"]))
def test_a_message_is_the_same_whatever_its_prefix(message: CheckInItem, prefix: str) -> None:
    one = decode(etree.fromstring(standing_alone(message)), CheckInItem)
    other = decode(etree.fromstring(standing_alone(message, prefix)), CheckInItem)
    assert told(one) == told(other)


def test_what_was_answered_in_one_version_is_no_answer_in_another() -> None:
    earlier = version_2("http://www.niso.org/schemas/ncip/v2_01/imp1/xsd/ncip_v2_01.xsd")
    assert identity(check_in(), earlier, KEY) != told(check_in())
    assert identity(check_in(), LATEST, b"another") != told(check_in())
