"""`ncipd explain`: what a message is and what is wrong with it, whatever the file holds."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ncipd.circulation.partner import Partner
from ncipd.explain import Verdict, explain
from tests.services.world import NS, message, user_id

VALID = message(f"<LookupUser>{user_id('u-1')}</LookupUser>", origin="XX-FROM", to="XX-TO", partner="ALMA").encode()
UNQUALIFIED = VALID.replace(b"n:version", b"version")
INVALID = VALID.replace(b"<UserIdentifierValue>u-1</UserIdentifierValue>", b"<UserNumber>u-1</UserNumber>")


def test_a_valid_message_is_named_with_its_version_and_both_ends() -> None:
    told = explain(VALID)
    assert (told.verdict, told.service) == (Verdict.VALID, "LookupUser")
    assert told.version == "http://www.niso.org/schemas/ncip/v2_02/ncip_v2_02.xsd"
    assert told.header == {"from": "XX-FROM", "to": "XX-TO", "partner": "ALMA"}
    assert (told.repairs, told.violations, told.problem) == ([], [], "")


def test_each_repair_is_named_with_its_place_and_what_was_done() -> None:
    told = explain(UNQUALIFIED)
    assert told.verdict is Verdict.REPAIRABLE
    (repair,) = told.repairs
    assert repair["name"] == "unqualified-version"
    assert repair["path"] == "/NCIPMessage"
    assert "version" in repair["detail"]
    assert "ncip:version" in repair["accepts"]
    assert told.switch_off == 'refuse_repairs = ["unqualified-version"]'


def test_a_message_may_be_as_long_as_one_that_is_served() -> None:
    """What `ncipd serve` takes by default is not called unreadable."""
    padded = VALID.replace(b"</NCIPMessage>", b" " * 1_500_000 + b"</NCIPMessage>")
    assert len(padded) > 1_500_000
    assert explain(padded).verdict is Verdict.VALID
    assert "2,000,000" in explain(VALID + b" " * 2_000_000).problem


def test_user_and_request_of_a_check_in_are_told_from_where_they_are_taken() -> None:
    partner = Partner(code="BROKER", agency="LEND")
    request = "<RequestId><RequestIdentifierValue>R-1</RequestIdentifierValue></RequestId>"
    item = "<ItemId><ItemIdentifierValue>L1</ItemIdentifierValue></ItemId>"
    raw = message(f"<CheckInItem>{user_id('U-1')}{item}{request}</CheckInItem>").encode()
    told = explain(raw, partner=partner)
    assert told.partner is not None
    assert [(one["key"], one["place"], one["value"]) for one in told.partner["keys"][:3]] == [
        ("user", "ext", "U-1"),
        ("item", "item-id", "L1"),
        ("request", "ext", "R-1"),
    ]


def test_strict_allows_no_repair() -> None:
    assert explain(VALID, strict=True).verdict is Verdict.VALID
    told = explain(UNQUALIFIED, strict=True)
    assert told.verdict is Verdict.INVALID
    assert told.violations[0]["found"] == "version"


@pytest.mark.parametrize(
    ("spoiled", "accepted"),
    [
        (b'<!DOCTYPE NCIPMessage SYSTEM "x.dtd">' + VALID, True),
        (VALID.replace(b"http://www.niso.org/schemas/ncip/v2_02/ncip_v2_02.xsd", b"5.6"), True),
        ('<?xml version="1.0" encoding="ISO-8859-1"?><!-- ü -->'.encode() + VALID, True),
        (b"\xef\xbb\xbf" + VALID, True),
        (b"\n " + VALID, True),
        (b'\n<?xml version="1.0"?>' + VALID, False),
        (VALID + b"\x04", False),
        (b"xml=" + VALID, False),
        (VALID.replace(b"u-1", "ü".encode("latin-1")), False),
    ],
    ids=range(9),
)
def test_strict_refuses_before_the_root_what_an_xml_parser_refuses(spoiled: bytes, accepted: bool) -> None:
    assert explain(spoiled).verdict in {Verdict.VALID, Verdict.REPAIRABLE}
    assert explain(spoiled, strict=True).verdict is (Verdict.VALID if accepted else Verdict.INVALID)


def test_strict_tells_of_the_schema_too_where_the_bytes_are_wrong_already() -> None:
    told = explain(b'\n<?xml version="1.0"?>' + UNQUALIFIED, strict=True)
    assert [one["found"] for one in told.violations] == ["leading-whitespace", "version"]


def test_each_violation_has_its_line_its_place_and_what_was_expected() -> None:
    told = explain(INVALID.replace(b"<UserId>", b"\n\n<UserId>"))
    assert told.verdict is Verdict.INVALID
    (violation, *_) = told.violations
    assert violation["line"] == 3
    assert violation["path"].startswith("/NCIPMessage/LookupUser/UserId")
    assert "UserNumber" in violation["found"]
    assert "UserIdentifierValue" in violation["expected"]


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (b"", ""),
        (b"not xml", "Line 1"),
        (b"<a>", "close"),
        (b"\x00\x01\x02", ""),
        (b"<html><body/></html>", "NCIPMessage"),
        (b'<?xml version="1.0" encoding="EBCDIC-US"?><a/>', "EBCDIC-US"),
        (b'<!DOCTYPE a [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><a>&b;</a>', "DOCTYPE"),
        (b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>', "DOCTYPE"),
        (b"<a>" * 10_000, ""),
        (b"<a>" * 70 + b"</a>" * 70, "nested"),
        (b"x" * 2_000_001, "bytes"),
        (b'<NCIPMessage version="3.0"><LookupUser/></NCIPMessage>', "version 2"),
    ],
)
def test_what_cannot_be_read_says_why(raw: bytes, words: str) -> None:
    told = explain(raw)
    assert told.verdict is Verdict.UNREADABLE
    assert words in told.problem
    assert told.problem
    assert "root:" not in told.problem


VALID_1 = (
    b'<!DOCTYPE NCIPMessage PUBLIC "-//NISO//NCIP DTD Version 1.0//EN" "http://www.niso.org/ncip/v1_0/imp1/dtd/ncip_v1_0.dtd">'
    b'<NCIPMessage version="http://www.niso.org/ncip/v1_0/imp1/dtd/ncip_v1_0.dtd">\n<AuthenticateUser><InitiationHeader>'
    b"<FromAgencyId><UniqueAgencyId><Scheme>s</Scheme><Value>XX-FROM</Value></UniqueAgencyId></FromAgencyId>"
    b"<ToAgencyId><UniqueAgencyId><Scheme>s</Scheme><Value>XX-TO</Value></UniqueAgencyId></ToAgencyId></InitiationHeader>"
    b"\n<AuthenticationInput><AuthenticationInputData>x</AuthenticationInputData><AuthenticationDataFormatType>"
    b"<Scheme/><Value>text/plain</Value></AuthenticationDataFormatType><AuthenticationInputType><Scheme/><Value>PIN"
    b"</Value></AuthenticationInputType></AuthenticationInput></AuthenticateUser></NCIPMessage>"
)


def test_a_message_of_version_1_is_explained_in_its_own_words() -> None:
    """Its DOCTYPE is no deviation, and a service that only version 1 has is called as it is there."""
    told = explain(VALID_1, strict=True)
    assert (told.verdict, told.service) == (Verdict.VALID, "AuthenticateUser")
    assert told.version == "http://www.niso.org/ncip/v1_0/imp1/dtd/ncip_v1_0.dtd"
    assert told.header == {"from": "XX-FROM", "to": "XX-TO"}


def test_a_deviation_from_version_1_is_named_as_a_repair_and_refused_where_none_is_allowed() -> None:
    sloppy = VALID_1.replace(b"<Scheme>s</Scheme>", b"", 1)
    told = explain(sloppy)
    assert told.verdict is Verdict.REPAIRABLE
    (repair,) = told.repairs
    assert repair["name"] == "v1-scheme"
    assert repair["path"] == "/NCIPMessage/AuthenticateUser/InitiationHeader/FromAgencyId/UniqueAgencyId"
    told = explain(sloppy, strict=True)
    assert told.verdict is Verdict.INVALID
    (violation,) = told.violations
    assert violation["path"].endswith("/UniqueAgencyId/Value")
    assert violation["expected"] == "Scheme"
    assert violation["line"] == 2


def test_what_cannot_be_repaired_in_version_1_is_told_with_its_names() -> None:
    odd = VALID_1.replace(b"<AuthenticationInput>", b"<UniqueItemId/><AuthenticationInput>")
    assert explain(odd).verdict is Verdict.REPAIRABLE
    told = explain(odd, strict=True)
    assert told.verdict is Verdict.INVALID
    assert told.violations[0]["found"] == "UniqueItemId"
    assert told.violations[0]["line"] == 3
    assert explain(b'<NCIPMessage version="http://www.niso.org/ncip/v1_0/imp1/dtd/ncip_v1_0.dtd"/>').violations


def test_an_empty_message_and_one_that_nobody_knows_are_invalid() -> None:
    start = f'<NCIPMessage xmlns="{NS}" xmlns:n="{NS}" n:version="v2_02">'.encode()
    for content in (b"", b"<DoWhatIWant/>", b"<LookupUser/>"):
        told = explain(start + content + b"</NCIPMessage>")
        assert told.verdict is Verdict.INVALID
        assert told.violations


def test_problems_and_responses_are_messages_too() -> None:
    start = f'<NCIPMessage xmlns="{NS}" xmlns:n="{NS}" n:version="v2_02">'
    for content, service in (
        ("<Problem><ProblemType>Unknown Agency</ProblemType></Problem>", None),
        (
            "<LookupUserResponse><Problem><ProblemType>x</ProblemType></Problem></LookupUserResponse>",
            "LookupUserResponse",
        ),
    ):
        told = explain(f"{start}{content}</NCIPMessage>".encode())
        assert (told.verdict, told.service) == (Verdict.VALID, service)


@pytest.mark.parametrize("raw", [VALID, UNQUALIFIED, INVALID, b"<a>"])
def test_programs_get_the_same_as_people(raw: bytes) -> None:
    told = explain(raw)
    shown = json.loads(json.dumps(told.as_json()))
    assert shown["verdict"] == told.verdict.name.lower()
    assert set(shown) == {
        "verdict", "service", "version", "header", "repairs", "violations", "problem", "switch_off",
    }  # fmt: skip


@given(st.binary(max_size=300))
def test_any_bytes_are_explained(raw: bytes) -> None:
    assert explain(raw).verdict in Verdict
    assert explain(VALID[:400] + raw).verdict in Verdict
