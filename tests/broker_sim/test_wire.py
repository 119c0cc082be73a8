"""The simulator's own words: what it writes, what it reads, how it finds things, what it hides."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from lxml import etree

from broker_sim import content, masking, oracle, paths, wire
from broker_sim.scenario import Envelope
from broker_sim.variables import UnknownVariable, Variables
from broker_sim.wire import Header

HEADER = Header("BROKER", "LENDER", "ALMA")
BODY = {
    "UserId": {"UserIdentifierValue": "Käthe & <Söhne>"},
    "ItemId": {"ItemIdentifierType": {"@Scheme": "http://x", "#": "Barcode"}, "ItemIdentifierValue": "1"},
    "ItemElementType": ["Circulation Status", "Location"],
}


def check_out(envelope: Envelope) -> bytes:
    return wire.initiation(content.from_mapping("CheckOutItem", BODY), HEADER, envelope)


@pytest.mark.parametrize(
    "envelope",
    [Envelope(), Envelope(prefix="ns1"), Envelope(encoding="ISO-8859-1"), Envelope(encoding="UTF-16")],
    ids=str,
)
async def test_what_is_written_is_valid_in_every_usual_envelope(envelope: Envelope) -> None:
    message = wire.read(check_out(envelope))
    assert (await oracle.judge(message.root)).valid
    assert message.text("CheckOutItem", "InitiationHeader", "ToAgencyId", "AgencyId") == "LENDER"
    assert message.text("CheckOutItem", "UserId", "UserIdentifierValue") == "Käthe & <Söhne>"
    assert [found.text for found in paths.find(message.root, "//ItemElementType")] == ["Circulation Status", "Location"]


async def test_an_envelope_can_be_wrong_on_purpose() -> None:
    plain = wire.read(
        check_out(Envelope(namespace="none", version_attribute="unqualified", scheme_attribute="unqualified"))
    )
    assert plain.root.tag == "NCIPMessage"
    assert plain.root.get("version") == wire.VERSION
    assert plain.text("CheckOutItem", "ItemId", "ItemIdentifierValue") == "1"
    bare = wire.read(check_out(Envelope(version_attribute="missing")))
    assert not bare.root.attrib
    mislabelled = check_out(Envelope(encoding="UTF-8", declared_encoding="ISO-8859-1"))
    assert mislabelled.startswith(b'<?xml version="1.0" encoding="ISO-8859-1"?>')
    assert "Käthe".encode() in mislabelled


def test_xml_typed_by_hand_keeps_its_order_and_foreign_elements() -> None:
    node = content.from_xml(
        "<CheckInItem><B/><A Scheme='s'>x</A><B/><Ext><o:y xmlns:o='urn:o'>1</o:y></Ext></CheckInItem>"
    )
    root = wire.read(wire.initiation(node, HEADER, Envelope())).root
    names = [paths.local(child.tag) for child in root[0]]
    assert names == ["InitiationHeader", "B", "A", "B", "Ext"]
    assert root.xpath("//o:y", namespaces={"o": "urn:o"})


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"<a>",
        b"<a/><b/>",
        b'<!DOCTYPE a [<!ENTITY e "x">]><a>&e;</a>',
        b"\x00\x00<a/>",
        b"<?xml version='1.0' encoding='nonsense'?><a/>",
        b"<a><b:c/><d xmlns='relative'/></a>",
        b'<!DOCTYPE NCIPMessage SYSTEM "x.dtd"><NCIPMessage version="ncip_v1_0.dtd">&e;</NCIPMessage>',
        b'<!DOCTYPE NCIPMessage [<!ENTITY e "x">]><NCIPMessage version="ncip_v1_0.dtd"><A>&e;</A></NCIPMessage>',
    ],
)
def test_what_is_no_plain_xml_document_is_unreadable(raw: bytes) -> None:
    with pytest.raises(wire.Unreadable):
        wire.read(raw)


async def test_both_validators_are_asked_and_say_where() -> None:
    broken = wire.read(
        wire.initiation(
            content.from_mapping("CheckOutItem", {"ItemId": {"ItemIdentifierValue": "1"}}), HEADER, Envelope()
        )
    )
    opinion = await oracle.judge(broken.root)
    assert not opinion.valid
    assert opinion.agree
    assert opinion.libxml2[0].where == "/NCIPMessage/CheckOutItem/ItemId"
    assert opinion.xmlschema[0].where == "/NCIPMessage/CheckOutItem"
    assert all("{http" not in violation.message for violation in (*opinion.libxml2, *opinion.xmlschema))


# --- paths -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("CheckOutItemResponse/DateDue", "n:CheckOutItemResponse/n:DateDue"),
        (
            "//ItemId[ItemIdentifierValue='a b/c' and not(AgencyId)]/@Scheme",
            "//n:ItemId[n:ItemIdentifierValue='a b/c' and not(n:AgencyId)]/@n:Scheme",
        ),
        ("count(//Problem)", "count(//n:Problem)"),
        ("ItemId/following-sibling::UserId", "n:ItemId/following-sibling::n:UserId"),
        ("*/text()", "*/text()"),
        ("div/and", "n:div/n:and"),
        ("n:A/n:B", "n:A/n:B"),
    ],
)
def test_paths_need_no_prefixes(written: str, meant: str) -> None:
    assert paths.qualify(written) == meant


def test_what_a_path_finds_has_a_place_and_a_line() -> None:
    root = wire.read(check_out(Envelope())).root
    second = paths.find(root, "CheckOutItem/ItemElementType")[1]
    assert (second.text, second.where) == ("Location", "/NCIPMessage/CheckOutItem/ItemElementType[2]")
    assert (
        second.line == check_out(Envelope()).split(b"\n").index(b"    <ItemElementType>Location</ItemElementType>") + 1
    )
    assert paths.find(root, "//ItemIdentifierType/@Scheme")[0].text == "http://x"
    assert paths.find(root, "count(//ItemElementType)")[0].text == "2"


def test_a_value_of_version_1_is_whole_though_a_comment_stands_in_it() -> None:
    """And a sum is written with all its digits."""
    pair = "<UniqueAgencyId><Scheme/><Value>A<!-- that is -->BC</Value></UniqueAgencyId><Price>1234567</Price>"
    root = wire.read(f'<NCIPMessage version="ncip_v1_0.dtd"><X>{pair}</X></NCIPMessage>'.encode()).root
    assert [found.text for found in paths.find(root, "X/AgencyId")] == ["ABC"]
    assert [found.text for found in paths.find(root, "sum(//Price)")] == ["1234567"]


def test_where_a_path_leads_nowhere_it_is_said_how_far_it_led() -> None:
    root = etree.fromstring(check_out(Envelope()))
    assert paths.nearest(root, "CheckOutItem/ItemId/Title").endswith("holds ItemIdentifierType, ItemIdentifierValue")


DATA = {
    "tasks": [
        {"kind": "pick", "item": {"barcode": "L.1"}, "id": 7},
        {"kind": "ship", "item": {"barcode": "L.2"}, "id": 8, "done": True, "note": None},
    ]
}


@pytest.mark.parametrize(
    ("path", "values"),
    [
        ("tasks[0].id", [7]),
        ("tasks[-1].id", [8]),
        ("tasks[*].kind", ["pick", "ship"]),
        ("tasks[item.barcode=L.2].id", [8]),
        ("tasks[kind=ship,done=true].id", [8]),
        ("tasks[kind=return].id", []),
        ("tasks[item.barcode*=.2].id", [8]),
        ("tasks[kind*=i,item.barcode*=L.].id", [7, 8]),
        ("tasks[kind*=return].id", []),
        ("tasks[9].id", []),
        ("tasks[1].note", []),
        ("tasks[0].id.deeper", []),
    ],
)
def test_json_is_searched_by_position_and_by_content(path: str, values: list[object]) -> None:
    assert paths.find_json(DATA, path) == values


@pytest.mark.parametrize("path", ["", "a[", "a[x]", "a]b"])
def test_what_is_no_json_path_is_refused(path: str) -> None:
    with pytest.raises(ValueError, match=r"JSON path|in brackets"):
        paths.split_json(path)


# --- variables -------------------------------------------------------------------------------------------------------


def variables(**given: str) -> Variables:
    return Variables(given, lambda: datetime(2026, 2, 27, 22, 30, tzinfo=UTC))


@pytest.mark.parametrize(
    ("text", "filled"),
    [
        ("${now}", "2026-02-27T22:30:00Z"),
        ("${now+2d}", "2026-03-01T22:30:00Z"),
        ("${now-90m}", "2026-02-27T21:00:00Z"),
        ("${today+1w}T23:59:00Z", "2026-03-06T23:59:00Z"),
        ("$${item} ${item}", "${item} L-1"),
    ],
)
def test_dates_are_relative_to_the_clock_that_is_given(text: str, filled: str) -> None:
    assert variables(item="L-1").fill(text) == filled


def test_unique_stays_the_same_in_a_scenario_and_uuid_does_not() -> None:
    values = variables()
    assert values.fill("${unique}") == values.fill("${unique}")
    assert values.fill("${unique}") != variables().fill("${unique}")
    assert values.fill("${uuid}") != values.fill("${uuid}")


def test_a_variable_without_value_is_named() -> None:
    with pytest.raises(UnknownVariable, match="nobody"):
        variables().fill_all({"a": ["${nobody}"]})


# --- secrets ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "<AuthenticationInputData>geheim</AuthenticationInputData>",
        '<n:FromSystemAuthentication n:Scheme="x">\n geheim </n:FromSystemAuthentication >',
        "<FromAgencyAuthentication><![CDATA[geheim]]></FromAgencyAuthentication>",
        "<AuthenticationInputData>geheim and then the line was cut",
        '{"user": "ada", "Password": "geh\\"eim geheim"}',
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_secrets_are_blotted_out_in_whatever_form_they_come(text: str, encoding: str) -> None:
    masked = masking.mask(text.encode(encoding)).decode(encoding)
    assert "geheim" not in masked
    assert "***" in masked


def test_octets_without_a_secret_stay_as_they_are() -> None:
    for raw in (b"\xff\x00\xfe", b"<AuthenticationInputData/><a>x</a>", check_out(Envelope(encoding="UTF-16"))):
        assert masking.mask(raw) == raw
