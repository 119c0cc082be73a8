"""Each named repair makes valid what senders really send, says what it did, and touches nothing that is valid."""

from __future__ import annotations

from itertools import combinations

import pytest
from hypothesis import given, settings

from ncipd.ncip import schema
from ncipd.ncip.document import Document, parse
from ncipd.ncip.elements import AuthenticationInput, ItemId, RequestId, UserId
from ncipd.ncip.envelope import VERSION, Envelope, write
from ncipd.ncip.messages import CheckInItem, CheckOutItem
from ncipd.ncip.problems import Problem
from ncipd.ncip.read import Invalid, read
from ncipd.ncip.repairs import REPAIRS, repair
from ncipd.ncip.types import Coded, Message, Opaque
from tests.ncip.strategies import messages

NS = "http://www.niso.org/2008/ncip"
SCHEME = "http://example.org/agencies"
GOOD = f"""<?xml version="1.0" encoding="UTF-8"?>
<n:NCIPMessage xmlns:n="{NS}" n:version="{VERSION}">
  <n:CheckOutItem>
    <n:UserId>
      <n:AgencyId n:Scheme="{SCHEME}">A-1</n:AgencyId>
      <n:UserIdentifierValue>U-1</n:UserIdentifierValue>
    </n:UserId>
    <n:ItemId><n:ItemIdentifierValue>I-1</n:ItemIdentifierValue></n:ItemId>
    <n:Ext><n:Title>A title</n:Title></n:Ext>
  </n:CheckOutItem>
</n:NCIPMessage>"""

# How to spoil the good message so that exactly this repair is needed.
SPOILED = {
    "leading-whitespace": lambda text: "\n" + text,
    "doctype": lambda text: text.replace("?>\n", '?>\n<!DOCTYPE x SYSTEM "x.dtd">', 1),
    "no-namespace": lambda text: text.replace("<n:", "<").replace("</n:", "</"),
    "unqualified-version": lambda text: text.replace("n:version", "version"),
    "missing-version": lambda text: text.replace(f' n:version="{VERSION}"', "").replace(f' version="{VERSION}"', ""),
    "unqualified-scheme": lambda text: text.replace("n:Scheme", "Scheme"),
    "stray-text": lambda text: text.replace("CheckOutItem>", "CheckOutItem>stray", 1),
    "child-order": lambda text: "\n".join([*(lines := text.split("\n"))[:3], lines[7], *lines[3:7], *lines[8:]]),
    "foreign-ext": lambda text: text.replace(
        "A title</n:Title>", "A title</n:Title><x:y xmlns:x='urn:x'>z</x:y>"
    ).replace("A title</Title>", "A title</Title><x:y xmlns:x='urn:x'>z</x:y>"),
}
TOGETHER = [pair for pair in combinations(SPOILED, 2) if set(pair) != {"unqualified-version", "missing-version"}]


def names(document: Document) -> set[str]:
    return {applied.name for applied in read(document).repairs}


def test_the_good_message_needs_no_repair_and_every_repair_but_that_of_checkin_spoils_it() -> None:
    assert names(parse(GOOD.encode())) == set()
    assert set(SPOILED) == set(REPAIRS) - {"checkin-ids", "proof-beside-user"}


@pytest.mark.parametrize("name", SPOILED)
def test_a_repair_alone_makes_the_message_what_it_should_have_been(name: str) -> None:
    raw = SPOILED[name](GOOD).encode()
    reading = read(parse(raw), allowed={name})
    assert {applied.name for applied in reading.repairs} == {name}
    assert isinstance(reading.envelope.message, CheckOutItem)
    good = read(parse(GOOD.encode())).envelope.message
    if name == "foreign-ext":
        assert reading.envelope.message.ext is not None
        assert reading.envelope.message.ext.children[-1] == Opaque(b'<x:y xmlns:x="urn:x">z</x:y>')
    else:
        assert reading.envelope.message == good


@pytest.mark.parametrize("pair", TOGETHER, ids="+".join)
def test_repairs_work_together(pair: tuple[str, str]) -> None:
    text = GOOD
    for name in sorted(pair, key=list(SPOILED).index, reverse=True):
        text = SPOILED[name](text)
    assert names(parse(text.encode())) == set(pair)


def test_all_repairs_work_together() -> None:
    text = GOOD
    for name in [name for name in SPOILED if name != "missing-version"][::-1]:
        text = SPOILED[name](text)
    assert names(parse(text.encode())) == set(SPOILED) - {"missing-version"}


@pytest.mark.parametrize("name", SPOILED)
def test_a_repair_that_is_not_allowed_is_not_made(name: str) -> None:
    """And the problem is the one that the repair would have mended."""
    raw = SPOILED[name](GOOD).encode()
    with pytest.raises(Invalid) as caught:
        read(parse(raw), allowed=set(REPAIRS) - {name})
    assert caught.value.violations
    with pytest.raises(Invalid):
        read(parse(raw), allowed=set())


def test_a_repair_says_where_it_was_made_and_what_was_done() -> None:
    raw = GOOD.replace("n:version", "version").replace("n:Scheme", "Scheme").encode()
    assert [(applied.name, applied.path) for applied in read(parse(raw)).repairs] == [
        ("unqualified-version", "/NCIPMessage"),
        ("unqualified-scheme", "/NCIPMessage/CheckOutItem/UserId/AgencyId"),
    ]


@settings(max_examples=2 * settings().max_examples)
@given(messages(foreign=False))
def test_no_repair_touches_a_valid_message(message: Message) -> None:
    document = parse(write(Envelope(VERSION, message)))
    assert repair(document) == []
    assert read(document).envelope.message == message


# --- the ids of a check-in -------------------------------------------------------------------------------------------

CHECK_IN = f"""<n:NCIPMessage xmlns:n="{NS}" n:version="2.02"><n:CheckInItem>
  <n:UserId><n:UserIdentifierValue>U-1</n:UserIdentifierValue></n:UserId>
  <n:ItemId><n:ItemIdentifierValue>I-1</n:ItemIdentifierValue></n:ItemId>
  <n:RequestId><n:RequestIdentifierValue>R-1</n:RequestIdentifierValue></n:RequestId>{{}}
</n:CheckInItem></n:NCIPMessage>"""


@pytest.mark.parametrize("ext", ["", "<n:Ext/>", "<n:Ext><n:Title>x</n:Title></n:Ext>"])
def test_ids_in_a_check_in_are_moved_into_its_ext_where_a_service_finds_them(ext: str) -> None:
    reading = read(parse(CHECK_IN.format(ext).encode()))
    assert {applied.name for applied in reading.repairs} == {"checkin-ids"}
    message = reading.envelope.message
    assert isinstance(message, CheckInItem)
    assert message.item_id == ItemId(item_identifier_value="I-1")
    assert message.ext is not None
    assert message.ext.find(UserId) == UserId(user_identifier_value="U-1")
    assert message.ext.find(RequestId) == RequestId(request_identifier_value="R-1")
    assert schema.is_valid(parse(write(reading.envelope)).root)


def test_ids_that_are_incomplete_are_still_refused() -> None:
    raw = CHECK_IN.format("").replace("<n:UserIdentifierValue>U-1</n:UserIdentifierValue>", "").encode()
    with pytest.raises(Problem, match="UserId has no UserIdentifierValue"):
        read(parse(raw))


# --- a user who is named and proves it -------------------------------------------------------------------------------

PROVED = """<n:AuthenticationInput><n:AuthenticationInputData>1234</n:AuthenticationInputData>
  <n:AuthenticationDataFormatType>text</n:AuthenticationDataFormatType>
  <n:AuthenticationInputType>PIN</n:AuthenticationInputType></n:AuthenticationInput>"""


@pytest.mark.parametrize("before", [True, False])
def test_a_pin_beside_the_user_is_moved_into_the_ext_where_it_can_be_checked(before: bool) -> None:
    """In the field both are sent, in either order; the UserId says who it is."""
    whole = (
        GOOD.replace("<n:UserId>", PROVED + "<n:UserId>")
        if before
        else GOOD.replace("</n:UserId>", "</n:UserId>" + PROVED)
    )
    reading = read(parse(whole.encode()))
    assert {applied.name for applied in reading.repairs} == {"proof-beside-user"}
    message = reading.envelope.message
    assert isinstance(message, CheckOutItem)
    assert message.user_id is not None
    assert message.authentication_input == ()
    assert message.ext is not None
    proof = message.ext.find(AuthenticationInput)
    assert proof is not None
    assert proof.authentication_input_data == "1234"
    assert schema.is_valid(parse(write(reading.envelope)).root)
    with pytest.raises(Invalid):
        read(parse(whole.encode()), allowed=set(REPAIRS) - {"proof-beside-user"})


# --- edges -----------------------------------------------------------------------------------------------------------


def test_a_qualified_version_or_scheme_wins_over_an_unqualified_one() -> None:
    raw = GOOD.replace(" n:version", ' version="x" n:version').replace(" n:Scheme", ' Scheme="y" n:Scheme').encode()
    message = read(parse(raw)).envelope.message
    assert isinstance(message, CheckOutItem)
    assert message.user_id is not None
    assert message.user_id.agency_id == Coded("A-1", SCHEME)


def test_elements_of_nobody_in_an_ext_are_kept_as_they_are_though_the_message_lost_its_namespace() -> None:
    raw = SPOILED["no-namespace"](GOOD).replace("<Title>A title</Title>", "<Title>t</Title><Local>x</Local>").encode()
    message = read(parse(raw)).envelope.message
    assert isinstance(message, CheckOutItem)
    assert message.ext is not None
    assert message.ext.find("Title") is not None
    assert message.ext.children[-1] == Opaque(b"<Local>x</Local>")


def test_nothing_is_touched_below_foreign_content() -> None:
    """Not even where a name, a missing namespace, an order or an attribute would be repaired elsewhere."""
    inner = (
        f'<n:ItemId xmlns:n="{NS}">stray<n:ItemIdentifierValue></n:ItemIdentifierValue>'
        '<n:AgencyId Scheme="s"></n:AgencyId></n:ItemId><Title>t</Title>'
    )
    foreign = f'<x:a xmlns:x="urn:x">{inner}</x:a>'
    raw = SPOILED["unqualified-version"](GOOD).replace("<n:Title>A title</n:Title>", foreign + "<Own><Title/></Own>")
    reading = read(parse(raw.encode()))
    assert {applied.name for applied in reading.repairs} == {"unqualified-version", "foreign-ext"}
    assert isinstance(reading.envelope.message, CheckOutItem)
    assert reading.envelope.message.ext is not None
    assert reading.envelope.message.ext.children == (Opaque(foreign.encode()), Opaque(b"<Own><Title></Title></Own>"))


def test_an_element_without_namespace_is_foreign_where_the_name_alone_may_not_tell() -> None:
    raw = GOOD.replace("<n:Title>A title</n:Title>", "<UserId>x</UserId><Title>t</Title>").encode()
    message = read(parse(raw), allowed={"foreign-ext"}).envelope.message
    assert isinstance(message, CheckOutItem)
    assert message.ext is not None
    assert message.ext.children == (Opaque(b"<UserId>x</UserId>"), Opaque(b"<Title>t</Title>"))


def test_several_foreign_elements_keep_their_places_among_others() -> None:
    content = "<x:a xmlns:x='urn:x'/><n:Title>t</n:Title><x:b xmlns:x='urn:x'><n:Ext><x:c/></n:Ext></x:b><n:Edition/>"
    raw = GOOD.replace("<n:Title>A title</n:Title>", content).encode()
    reading = read(parse(raw))
    message = reading.envelope.message
    assert isinstance(message, CheckOutItem)
    assert message.ext is not None
    assert [type(child).__name__ for child in message.ext.children] == ["Opaque", "Leaf", "Opaque", "Leaf"]
    assert [applied.path for applied in reading.repairs] == [
        "/NCIPMessage/CheckOutItem/Ext/a",
        "/NCIPMessage/CheckOutItem/Ext/b",
    ]


def test_version_1_is_not_taken_for_a_message_without_its_namespace() -> None:
    raw = b"<NCIPMessage version='http://www.niso.org/ncip/v1_0/imp1/dtd/ncip_v1_0.dtd'><LookupUser/></NCIPMessage>"
    with pytest.raises(Invalid, match="not the NCIPMessage of NCIP 2"):
        read(parse(raw))


def test_every_repair_has_a_name_and_a_sentence() -> None:
    for name, each in REPAIRS.items():
        assert each.name == name
        assert each.summary.endswith(".")
