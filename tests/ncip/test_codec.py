"""What is written is valid, reads back as it was, and is the same bytes each time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from functools import cache

import pytest
import xmlschema
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from ncipd.ncip import elements, schema
from ncipd.ncip.codec import decode, encode, without_foreign
from ncipd.ncip.elements import EnumerationLevelInstance, ItemId, UserId
from ncipd.ncip.envelope import VERSION, Envelope, write
from ncipd.ncip.lexical import Spelled, escape
from ncipd.ncip.messages import CheckInItem, LookupItem, LookupUser, UserNoticeSent
from ncipd.ncip.problems import Problem, ProblemType
from ncipd.ncip.types import ELEMENTS, NAMESPACE, Coded, Ext, Leaf, Message, Opaque
from tests.ncip.strategies import FOREIGN, every_form, messages, standing_alone

MANY = 4 * settings().max_examples
PREFIXES = st.sampled_from(["ns1", "ncip", ""])


@cache
def libxml2() -> etree.XMLSchema:
    return etree.XMLSchema(file=str(schema.xsd_path()))


@cache
def xmlschema_of_ncip() -> xmlschema.XMLSchema:
    return xmlschema.XMLSchema(str(schema.xsd_path()))


def read_back(element: object, prefix: str = "ns1") -> object:
    assert isinstance(element, elements.Ext | Message) or type(element).__name__ in ELEMENTS
    return decode(etree.fromstring(standing_alone(element, prefix)), type(element))  # type: ignore[type-var,arg-type]


# --- all of the grammar ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(ELEMENTS))
def test_every_alternative_is_written_valid_and_reads_back(name: str) -> None:
    """Each child of each element, and each alternative of each choice, in each of the 180 classes."""
    for element in every_form(ELEMENTS[name]):
        root = etree.fromstring(standing_alone(element))
        assert libxml2().validate(root), libxml2().error_log
        assert decode(root, type(element)) == element


@pytest.mark.parametrize("name", ["RequestItem", "StructuredAddress", "EnumerationLevelInstance", "BibInformation"])
def test_both_validators_accept_what_is_written(name: str) -> None:
    for element in every_form(ELEMENTS[name])[::3]:
        xmlschema_of_ncip().validate(etree.fromstring(standing_alone(element)))


@settings(max_examples=MANY)
@given(messages(), PREFIXES)
def test_any_message_reads_back_as_it_was(message: Message, prefix: str) -> None:
    assert read_back(message, prefix) == message


@settings(max_examples=MANY)
@given(messages(foreign=False))
def test_any_message_is_valid(message: Message) -> None:
    assert schema.violations(etree.fromstring(write(Envelope(VERSION, message)))) == []


@settings(max_examples=MANY)
@given(messages(), PREFIXES)
def test_the_bytes_of_a_message_stay_the_same_through_reading_and_writing(message: Message, prefix: str) -> None:
    first = standing_alone(message, prefix)
    again = decode(etree.fromstring(first), type(message))
    assert standing_alone(again, prefix) == first
    assert encode(again) == encode(message)


# --- text ------------------------------------------------------------------------------------------------------------


def user(text: str) -> UserId:
    return UserId(user_identifier_value=text)


@pytest.mark.parametrize(
    "text", ["", " ", "  two  blanks  ", "a\tb\nc\rd\r\ne", "<&>\"'", "]]>", "\u0085\u2028\ufeff", "😀 ü 図"]
)
def test_text_is_kept_verbatim(text: str) -> None:
    assert read_back(user(text)) == user(text)


@pytest.mark.parametrize("text", ["", " ", "  two  blanks  ", "a\tb\nc\rd\r\ne", "<&>\"'", "😀 ü 図"])
def test_coded_values_and_schemes_are_kept_verbatim(text: str) -> None:
    coded = UserId(agency_id=Coded(text, text), user_identifier_value="")
    assert read_back(coded) == coded
    assert read_back(coded, "") == coded


@pytest.mark.parametrize("illegal", ["\x00", "\x08", "\x0b", "\x1f", "\ud800", "\ufffe", "\uffff"])
def test_characters_that_xml_forbids_become_the_replacement_character(illegal: str) -> None:
    """The result is well-formed, whatever was typed."""
    element = UserId(agency_id=Coded(f"a{illegal}", f"b{illegal}"), user_identifier_value=f"{illegal}c")
    assert read_back(element) == UserId(agency_id=Coded("a�", "b�"), user_identifier_value="�c")


def test_a_value_read_with_comments_and_character_data_is_one_text() -> None:
    node = etree.fromstring(
        f'<UserId xmlns="{NAMESPACE}"><UserIdentifierValue>a<![CDATA[<b>]]>c</UserIdentifierValue><!-- no --></UserId>'
    )
    assert decode(node, UserId) == user("a<b>c")


# --- dates and numbers -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("spelled", "meant"),
    [
        ("2026-01-31T23:59:00Z", datetime(2026, 1, 31, 23, 59, tzinfo=UTC)),
        ("2026-01-31T23:59:00", datetime(2026, 1, 31, 23, 59)),
        ("2026-01-31T23:59:00+01:00", datetime(2026, 1, 31, 22, 59, tzinfo=UTC)),
        ("2026-01-31T23:59:00-14:00", datetime(2026, 2, 1, 13, 59, tzinfo=UTC)),
        ("2026-12-31T24:00:00Z", datetime(2027, 1, 1, tzinfo=UTC)),
        ("2026-12-31T24:00:00.000", datetime(2027, 1, 1)),
        ("2026-01-31T23:59:00.5Z", datetime(2026, 1, 31, 23, 59, 0, 500_000, tzinfo=UTC)),
        ("2026-01-31T23:59:00.123456789Z", datetime(2026, 1, 31, 23, 59, 0, 123_456, tzinfo=UTC)),
        ("\n 2026-01-31T23:59:00Z\t", datetime(2026, 1, 31, 23, 59, tzinfo=UTC)),
    ],
)
def test_dates_are_read_as_utc_or_without_a_zone(spelled: str, meant: datetime) -> None:
    read = decode(
        etree.fromstring(
            f'<Pending xmlns="{NAMESPACE}"><DateOfExpectedReply>{spelled}</DateOfExpectedReply></Pending>'
        ),
        elements.Pending,
    )
    assert read.date_of_expected_reply == meant
    assert read.date_of_expected_reply.tzinfo is meant.tzinfo


@pytest.mark.parametrize(
    ("meant", "spelled"),
    [
        (datetime(2026, 1, 31, 23, 59, tzinfo=UTC), "2026-01-31T23:59:00Z"),
        (datetime(2026, 1, 31, 23, 59, tzinfo=timezone(timedelta(hours=-5))), "2026-02-01T04:59:00Z"),
        (datetime(2026, 1, 31, 23, 59, 0, 120, tzinfo=UTC), "2026-01-31T23:59:00.000120Z"),
        (datetime(2026, 1, 31), "2026-01-31T00:00:00"),
        (datetime(90, 1, 31, tzinfo=UTC), "0090-01-31T00:00:00Z"),
    ],
)
def test_dates_are_written_in_utc_or_without_a_zone(meant: datetime, spelled: str) -> None:
    assert f">{spelled}<" in encode(elements.Pending(date_of_expected_reply=meant))


@pytest.mark.parametrize(
    "spelled", ["-0044-03-15T12:00:00Z", "12026-01-01T00:00:00Z", "9999-12-31T24:00:00Z", "0001-01-01T00:00:00+14:00"]
)
def test_a_date_outside_the_years_1_to_9999_is_an_invalid_date(spelled: str) -> None:
    """The schema allows it, so the problem names the element and the value."""
    node = etree.fromstring(
        f'<Pending xmlns="{NAMESPACE}"><DateOfExpectedReply>{spelled}</DateOfExpectedReply></Pending>'
    )
    assert libxml2().validate(node)
    with pytest.raises(Problem) as caught:
        decode(node, elements.Pending)
    assert caught.value.type is ProblemType.INVALID_DATE
    assert caught.value.element == "Pending/DateOfExpectedReply"
    assert caught.value.value == spelled


def test_numbers_are_read_in_every_spelling_of_the_schema() -> None:
    amount = '<Amount xmlns="{}"><CurrencyCode>EUR</CurrencyCode><MonetaryValue>{}</MonetaryValue></Amount>'
    for spelled, meant in {"+007": 7, " -5\n": -5, "-0": 0, "9" * 40: 10**40 - 1}.items():
        assert decode(etree.fromstring(amount.format(NAMESPACE, spelled)), elements.Amount).monetary_value == meant


def test_a_number_of_ten_thousand_digits_is_refused() -> None:
    value = f"<MonetaryValue>{'9' * 10_000}</MonetaryValue>"
    amount = etree.fromstring(f'<Amount xmlns="{NAMESPACE}"><CurrencyCode>EUR</CurrencyCode>{value}</Amount>')
    with pytest.raises(Problem, match="4,300"):
        decode(amount, elements.Amount)


def test_of_all_the_codes_that_were_written_only_few_and_short_ones_are_kept() -> None:
    """Whoever sends messages cannot fill the memory with what is sent back to them."""
    kept = Spelled(escape)
    for number in range(5_000):
        assert kept[f"<{number}>"] == f"&lt;{number}&gt;"
        assert len(kept) <= 500
    assert kept["&" * 100_000] == "&amp;" * 100_000
    assert "&" * 100_000 not in kept


# --- places and extensions -------------------------------------------------------------------------------------------


def test_an_ext_before_and_an_ext_after_the_enumeration_value_keep_their_places() -> None:
    """The one element of the grammar with two places for an Ext."""
    early, late = Ext(children=(Leaf("Title", "early"),)), Ext(children=(Leaf("Title", "late"),))
    for level_ext, ext in [(early, late), (early, None), (None, late), (None, None)]:
        level = EnumerationLevelInstance(enumeration_level=1, level_ext=level_ext, enumeration_value="12", ext=ext)
        assert read_back(level) == level


def test_ncip_elements_in_an_ext_are_decoded_and_found() -> None:
    message = CheckInItem(
        item_id=ItemId(item_identifier_value="B-1"),
        ext=Ext(
            children=(Leaf("DateDue", datetime(2026, 1, 1, tzinfo=UTC)), user("U-1"), Leaf("NonReturnableFlag", True))
        ),
    )
    read = read_back(message)
    assert isinstance(read, CheckInItem)
    assert read.ext is not None
    assert read.ext.find(UserId) == user("U-1")
    assert read.ext.find("UserId") == user("U-1")
    assert read.ext.find("DateDue") == Leaf("DateDue", datetime(2026, 1, 1, tzinfo=UTC))
    assert read.ext.find(ItemId) is None
    assert read.ext.find("Title") is None


@given(FOREIGN, PREFIXES, PREFIXES)
def test_foreign_content_is_kept_byte_for_byte_whatever_the_prefixes(foreign: Opaque, one: str, other: str) -> None:
    ext = Ext(children=(foreign,))
    assert read_back(ext, one) == ext
    assert read_back(ext, other) == ext


def test_foreign_content_takes_its_namespaces_along() -> None:
    node = etree.fromstring(
        f'<n:Ext xmlns:n="{NAMESPACE}" xmlns:x="http://example.org/x" xmlns:unused="http://example.org/u">'
        '<x:a b="1"   a="2"/>tail</n:Ext>'
    )
    assert decode(node, Ext).children == (Opaque(b'<x:a xmlns:x="http://example.org/x" a="2" b="1"></x:a>'),)


def test_foreign_content_without_a_canonical_form_is_kept_all_the_same() -> None:
    """Canonical XML has no place for a relative namespace; it came, so it stays."""
    node = etree.fromstring(f'<n:Ext xmlns:n="{NAMESPACE}"><a xmlns="relative">x</a></n:Ext>')
    ext = decode(node, Ext)
    assert isinstance(ext.children[0], Opaque)
    assert b"relative" in ext.children[0].xml
    assert read_back(ext) == ext


def test_an_element_that_is_not_in_the_grammar_is_refused_and_named() -> None:
    node = etree.fromstring(f'<LookupUser xmlns="{NAMESPACE}"><UserName>x</UserName></LookupUser>')
    with pytest.raises(Problem) as caught:
        decode(node, LookupUser)
    assert caught.value.type is ProblemType.UNKNOWN_ELEMENT
    assert caught.value.element == "LookupUser/UserName"


@pytest.mark.parametrize("prefix", ["a b", "1a", "a:b", '"', "xml", "XMLa"])
def test_what_cannot_be_a_prefix_is_refused(prefix: str) -> None:
    with pytest.raises(ValueError, match="namespace prefix"):
        encode(user("x"), prefix=prefix)


def test_an_empty_field_is_not_written() -> None:
    assert encode(LookupUser(user_id=user("x"), loaned_items_desired=False)) == (
        "<ns1:LookupUser><ns1:UserId><ns1:UserIdentifierValue>x</ns1:UserIdentifierValue></ns1:UserId></ns1:LookupUser>"
    )


def test_required_children_are_written_though_empty() -> None:
    notice = UserNoticeSent(
        user_id=user(""),
        date_sent=datetime(2026, 1, 1, tzinfo=UTC),
        user_notice_details=elements.UserNoticeDetails(
            notice_type=Coded(""), user_fiscal_account=None, notice_item=(), notice_content=""
        ),
    )
    assert "<ns1:NoticeType></ns1:NoticeType><ns1:NoticeContent></ns1:NoticeContent>" in encode(notice)


def test_what_was_kept_unchecked_can_be_left_out_wherever_it_stands() -> None:
    opaque, leaf = Opaque(b"<x>y</x>"), Leaf("Title", "t")
    item = ItemId(item_identifier_value="I-1", ext=Ext(children=(opaque, leaf, Ext(children=(opaque,)))))
    answer = LookupItem(item_id=item, ext=Ext(children=(opaque, item)))
    kept = ItemId(item_identifier_value="I-1", ext=Ext(children=(leaf, Ext())))
    assert without_foreign(answer) == LookupItem(item_id=kept, ext=Ext(children=(kept,)))
    assert without_foreign(kept) == kept
