"""Each deviation from version 1 is repaired under its name, only where the grammar refuses it, and can be refused."""

from __future__ import annotations

import pytest
from lxml import etree

from ncipd.ncip.elements import BibliographicId, ItemId, Problem, UserId
from ncipd.ncip.messages import LookupItem, LookupRequest, LookupUser, RenewItemResponse
from ncipd.ncip.read import Invalid, read
from ncipd.ncip.receive import receive, wire_of_unreadable
from ncipd.ncip.repairs import MOST_RECORDED
from ncipd.ncip.repairs import REPAIRS as OF_VERSION_2
from ncipd.ncip.types import Coded
from ncipd.ncip.v1.table import DTD, REPAIRS
from ncipd.ncip.wire import LATEST

AGENCY = "<UniqueAgencyId><Scheme>s</Scheme><Value>A</Value></UniqueAgencyId>"
HEADER = f"<InitiationHeader><FromAgencyId>{AGENCY}</FromAgencyId><ToAgencyId>{AGENCY}</ToAgencyId></InitiationHeader>"
USER = f"<UniqueUserId>{AGENCY}<UserIdentifierValue>u</UserIdentifierValue></UniqueUserId>"
ITEM = f"<UniqueItemId>{AGENCY}<ItemIdentifierValue>i</ItemIdentifierValue></UniqueItemId>"
SEEN = (
    "<VisibleUserId><VisibleUserIdentifierType><Scheme/><Value>Barcode</Value></VisibleUserIdentifierType>"
    "<VisibleUserIdentifier>77</VisibleUserIdentifier></VisibleUserId>"
)
ELEMENTS = "<ItemElementType><Scheme>s</Scheme><Value>Location</Value></ItemElementType>"
WANTED = ELEMENTS.replace("Item", "User")
LOOKUP = f"<LookupItem>{HEADER}{ITEM}{ELEMENTS}</LookupItem>"


def document(content: str) -> bytes:
    return f'<NCIPMessage version="{DTD}">{content}</NCIPMessage>'.encode()


SPOILED = {
    "v1-scheme": LOOKUP.replace("<Scheme>s</Scheme><Value>Location", "<Value>Location"),
    "v1-agency": LOOKUP.replace(f"<UniqueItemId>{AGENCY}", "<UniqueItemId>"),
    "v1-element-type": LOOKUP.replace(ELEMENTS, ""),
    "v1-header": LOOKUP.replace(HEADER, ""),
    "v1-datatype": LOOKUP.replace("<Value>Location", '<Value datatype="dateTime">Location'),
    "v1-request-type": f"<ItemRequestCancelled>{HEADER}{USER}{ITEM}</ItemRequestCancelled>",
    "v1-later-service": f"<LookupRequest>{HEADER}{USER}{ITEM}"
    "<RequestType><Scheme>s</Scheme><Value>Hold</Value></RequestType></LookupRequest>",
    "v1-later-element": LOOKUP.replace("UniqueItemId>", "ItemId>"),
    "v1-two-user-ids": f"<LookupUser>{HEADER}{SEEN}{USER}{WANTED}</LookupUser>",
    "v1-loose": f"<RenewItemResponse>{HEADER.replace('Initiation', 'Response')}"
    + 2
    * (
        "<Problem><ProcessingError><ProcessingErrorType><Scheme>s</Scheme><Value>Unknown Item</Value>"
        "</ProcessingErrorType><ProcessingErrorElement><ElementName>UniqueItemId</ElementName></ProcessingErrorElement>"
        "</ProcessingError></Problem>"
    )
    + "</RenewItemResponse>",
}


def test_every_repair_has_its_deviation_here() -> None:
    assert set(SPOILED) == set(REPAIRS)
    assert not set(REPAIRS) & set(OF_VERSION_2)


def test_what_is_valid_takes_no_repair() -> None:
    assert read(receive(document(LOOKUP)), allowed=()).repairs == ()
    doctype = f'<!DOCTYPE NCIPMessage PUBLIC "-//NISO//NCIP DTD Version 1.0//EN" "{DTD}">'.encode()
    assert read(receive(doctype + document(LOOKUP)), allowed=()).repairs == ()


@pytest.mark.parametrize(
    "value",
    ["<Value>A</Value><Value>B</Value>", "<Scheme>t</Scheme><Value>A</Value>", "<Value>A</Value><Title>B</Title>"],
    ids=["two values", "two schemes", "something else"],
)
@pytest.mark.parametrize("around", ["UniqueAgencyId", "ItemElementType", "ItemIdentifierValue"])
def test_what_may_mean_two_things_is_refused(around: str, value: str) -> None:
    """Nothing of a coded value is dropped to make a pair of what is none."""
    raw = document(LOOKUP.replace("<ItemIdentifierValue>i", "<ItemIdentifierValue><Scheme>s</Scheme><Value>A</Value>"))
    start = raw.index(f"<{around}>".encode(), raw.index(b"<UniqueItemId>")) + len(around) + 2
    end = raw.index(f"</{around}>".encode(), start)
    with pytest.raises(Invalid) as caught:
        read(receive(raw[:start] + f"<Scheme>s</Scheme>{value}".encode() + raw[end:]))
    assert caught.value.violations[0].path.endswith(f"/{around}")


def test_a_value_in_which_an_element_stands_keeps_its_text() -> None:
    reading = read(receive(document(LOOKUP.replace("<Value>Location", "<Value><Title>Location</Title>"))))
    assert isinstance(reading.envelope.message, LookupItem)
    assert [str(one) for one in reading.envelope.message.item_element_type] == ["Location"]


@pytest.mark.parametrize("name", sorted(SPOILED))
def test_a_deviation_is_repaired_under_its_name_and_refused_without_it(name: str) -> None:
    raw = document(SPOILED[name])
    reading = read(receive(raw))
    assert {one.name for one in reading.repairs} == {name}
    assert reading.envelope.message is not None
    assert all(one.path.startswith("/NCIPMessage/") and one.detail for one in reading.repairs)
    others = {*OF_VERSION_2, *REPAIRS} - {name}
    with pytest.raises(Invalid) as refused:
        read(receive(raw), allowed=others)
    assert refused.value.violations
    assert "{" not in str(refused.value)


def test_what_was_repaired_means_what_the_sender_meant() -> None:
    def message(name: str) -> object:
        return read(receive(document(SPOILED[name]))).envelope.message

    item = message("v1-agency")
    assert isinstance(item, LookupItem)
    assert item.item_id == ItemId(item_identifier_value="i")
    assert isinstance(message("v1-later-service"), LookupRequest)
    asked = message("v1-two-user-ids")
    assert isinstance(asked, LookupUser)
    assert asked.user_id is not None
    assert asked.user_id.user_identifier_value == "u"
    assert asked.ext is not None
    beside = asked.ext.find(UserId)
    assert beside is not None
    assert beside.user_identifier_value == "77"
    answered = message("v1-loose")
    assert isinstance(answered, RenewItemResponse)
    assert [str(problem.problem_type) for problem in answered.problem] == ["Unknown Item"] * 2
    assert answered.problem[0].problem_element == "ItemId"


def test_values_of_version_2_repairs_are_repaired_in_version_1_too() -> None:
    """After the rewriting, what is left is repaired as in version 2."""
    turned = f"<LookupItem>{HEADER}{ELEMENTS}{ITEM}</LookupItem>"
    assert {one.name for one in read(receive(document(turned))).repairs} == {"child-order"}


def test_a_date_may_leave_out_its_seconds() -> None:
    """Version 1 does not say how a date is spelled, so this is no deviation."""
    received = f"<ItemReceived>{HEADER}{ITEM}<DateReceived>2008-09-29T10:30+01:00</DateReceived></ItemReceived>"
    reading = read(receive(document(received)), allowed=())
    assert "2008, 9, 29, 9, 30" in repr(reading.envelope.message)


def test_what_cannot_be_repaired_is_told_in_the_words_of_version_1() -> None:
    broken = LOOKUP.replace("<ItemIdentifierValue>i</ItemIdentifierValue>", "<Nonsense/>")
    with pytest.raises(Invalid) as refused:
        read(receive(document(broken)))
    (first, *_) = refused.value.violations
    assert first.path == "/NCIPMessage/LookupItem/UniqueItemId/Nonsense"


def test_many_deviations_of_one_kind_are_counted_up_to_a_limit() -> None:
    many = LOOKUP.replace(ELEMENTS, "<ItemElementType><Value>Location</Value></ItemElementType>" * 500)
    reading = read(receive(document(many)))
    assert len(reading.repairs) == MOST_RECORDED


def test_a_title_of_version_1_is_read_with_its_agency() -> None:
    title = (
        f"<RequestItem>{HEADER}{USER}<UniqueBibliographicId><BibliographicRecordId><BibliographicRecordIdentifier>1"
        f"</BibliographicRecordIdentifier>{AGENCY}</BibliographicRecordId></UniqueBibliographicId>"
        "<RequestType><Scheme/><Value>Hold</Value></RequestType><RequestScopeType><Scheme/><Value>Item</Value>"
        "</RequestScopeType></RequestItem>"
    )
    message = read(receive(document(title)), allowed=()).envelope.message
    (named,) = message.bibliographic_id  # type: ignore[union-attr]
    assert isinstance(named, BibliographicId)
    assert named.bibliographic_record_id is not None
    assert str(named.bibliographic_record_id.agency_id) == "A"


def test_what_cannot_be_parsed_is_answered_by_the_response_of_what_was_asked_and_with_its_version() -> None:
    uri = "http://ncip.envisionware.com/documentation/ncip_v1_01.dtd"
    raw = (
        f'<?xml version="1.0"?>\n<!DOCTYPE NCIPMessage PUBLIC "x" "{uri}">\n<NCIPMessage version="{uri}">\n<RenewItem>&'
    )
    wire = wire_of_unreadable(raw.encode())
    answer = etree.fromstring(wire.refuse((Problem(problem_type=Coded("Invalid Message Syntax Error")),)))
    assert wire.is_valid(answer)
    assert (answer[0].tag, answer.get("version")) == ("RenewItemResponse", uri)
    assert answer.findtext(".//MessagingError/MessagingErrorType/Value") == "Invalid Message Syntax Error"


@pytest.mark.parametrize(
    ("raw", "is_version_1"),
    [
        (document(LOOKUP)[:-30], True),
        (b'<!DOCTYPE NCIPMessage PUBLIC "-//NISO//NCIP DTD Version 1//EN" "x"><NCIPMessage><LookupUser>', True),
        (b"<NCIPMessage xmlns='http://www.niso.org/2008/ncip'><LookupUser>", False),
        (b"", False),
        (b"\x00\xff", False),
    ],
)
def test_bytes_that_cannot_be_parsed_are_answered_in_the_version_that_they_begin_with(
    raw: bytes, is_version_1: bool
) -> None:
    assert (wire_of_unreadable(raw) is not LATEST) == is_version_1


def test_a_long_message_is_read_only_where_it_is_valid() -> None:
    wanted = WANTED * 1_000
    raw = document(f"<LookupUser>{HEADER}{USER}{wanted}</LookupUser>")
    assert read(receive(raw)).repairs == ()
    with pytest.raises(Invalid, match="less at once"):
        read(receive(raw.replace(b"<Scheme>s</Scheme><Value>Location", b"<Value>Location")))
