"""The NCIPMessage around a message, and the header of an answer."""

from __future__ import annotations

import pytest

from ncipd.ncip.document import parse
from ncipd.ncip.elements import (
    FromAgencyId,
    InitiationHeader,
    OnBehalfOfAgency,
    Problem,
    ResponseHeader,
    ToAgencyId,
    UserId,
)
from ncipd.ncip.envelope import VERSION, Envelope, reply_header, write
from ncipd.ncip.messages import LookupUser
from ncipd.ncip.read import read
from ncipd.ncip.types import Coded, Ext

NS = "http://www.niso.org/2008/ncip"
LOOKUP = LookupUser(user_id=UserId(agency_id=Coded("A", "urn:a"), user_identifier_value="U-1"))


def test_an_envelope_is_utf_8_with_a_declaration_and_a_qualified_version() -> None:
    message = LookupUser(user_id=UserId(user_identifier_value="Jürgen"))
    assert write(Envelope("2.02", message)).decode() == (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<ns1:NCIPMessage xmlns:ns1="{NS}" ns1:version="2.02"><ns1:LookupUser><ns1:UserId>'
        "<ns1:UserIdentifierValue>Jürgen</ns1:UserIdentifierValue></ns1:UserId></ns1:LookupUser></ns1:NCIPMessage>"
    )


@pytest.mark.parametrize("prefix", ["ns1", "ncip", "n", ""])
@pytest.mark.parametrize(
    "envelope",
    [
        Envelope(VERSION, LOOKUP),
        Envelope(VERSION, problems=(Problem(problem_type=Coded("a", "urn:b")), Problem(problem_type=Coded("c")))),
        Envelope(VERSION, ext=Ext()),
    ],
    ids=["message", "problems", "ext"],
)
def test_what_an_envelope_holds_is_valid_and_reads_back_with_any_prefix(envelope: Envelope, prefix: str) -> None:
    reading = read(parse(write(envelope, prefix=prefix)), allowed=set())
    assert (reading.envelope, reading.repairs) == (envelope, ())


@pytest.mark.parametrize("version", ["2.02 \"<&>' \t\n\r", "2.02 ü", "2.02 \x00\ud800"])
def test_a_strange_version_is_echoed_or_made_legal(version: str) -> None:
    document = parse(write(Envelope(version, LOOKUP)))
    assert document.version == version.replace("\x00", "�").replace("\ud800", "�")


def test_an_empty_envelope_is_not_written() -> None:
    with pytest.raises(ValueError, match="a message, a problem or an Ext"):
        write(Envelope(VERSION))


# --- the header of the answer ----------------------------------------------------------------------------------------


def test_the_answer_goes_back_with_both_ends_swapped() -> None:
    header = InitiationHeader(
        from_system_id=Coded("sys-a"),
        from_system_authentication="secret",
        from_agency_id=FromAgencyId(agency_id=Coded("A", "urn:a"), ext=Ext()),
        from_agency_authentication="secret",
        on_behalf_of_agency=OnBehalfOfAgency(agency_id=Coded("C")),
        to_system_id=Coded("sys-b"),
        to_agency_id=ToAgencyId(agency_id=Coded("B")),
        application_profile_type=Coded("P"),
        ext=Ext(),
    )
    assert reply_header(header) == ResponseHeader(
        from_system_id=Coded("sys-b"),
        from_agency_id=FromAgencyId(agency_id=Coded("B")),
        to_system_id=Coded("sys-a"),
        to_agency_id=ToAgencyId(agency_id=Coded("A", "urn:a")),
    )


def test_a_message_without_header_is_answered_without_header() -> None:
    assert reply_header(None) is None
