"""Real messages are answered as they must be; and what runs them sees what is wrong, on messages of our own."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from lxml import etree

from ncipd import log
from tests.corpus import families, messages
from tests.corpus.__main__ import ASKING, PAGE, look, main, told
from tests.corpus.judging import Judge, problems
from tests.corpus.messages import Message, collect, with_dates
from tests.corpus.reading import Reading, read
from tests.corpus.report import is_wrong, page
from tests.corpus.running import Trial, run
from tests.corpus.said import Id, Said

XSD = Path(__file__).parents[2] / "xsd"
HEADER = (
    "<InitiationHeader><FromAgencyId><AgencyId>SENDER</AgencyId></FromAgencyId><ToAgencyId><AgencyId>HERE</AgencyId>"
    "</ToAgencyId></InitiationHeader>"
)
USER = "<UserId><UserIdentifierValue>U-1</UserIdentifierValue></UserId>"
ITEM = "<ItemId><ItemIdentifierValue>I-1</ItemIdentifierValue></ItemId>"
REQUEST = "<RequestId><RequestIdentifierValue>R-1</RequestIdentifierValue></RequestId>"
KIND = "<RequestType>Hold</RequestType><RequestScopeType>Item</RequestScopeType>"
TITLE = (
    "<BibliographicId><BibliographicRecordId><BibliographicRecordIdentifier>77</BibliographicRecordIdentifier>"
    "<BibliographicRecordIdentifierCode>OCLC</BibliographicRecordIdentifierCode></BibliographicRecordId></BibliographicId>"
)
PROOF = "".join(
    f"<AuthenticationInput><AuthenticationInputData>{data}</AuthenticationInputData><AuthenticationDataFormatType>"
    f"text</AuthenticationDataFormatType><AuthenticationInputType>{type_}</AuthenticationInputType></AuthenticationInput>"
    for data, type_ in (("U-2", "Barcode Id"), ("1234", "PIN"))
)
ELEMENT = "<AgencyElementType>Organization Name Information</AgencyElementType>"
NEEDED = "<NeedBeforeDate>2020-05-01T12:00:00Z</NeedBeforeDate>"
DUE = "<DesiredDateDue>2020-05-01T12:00:00Z</DesiredDateDue>"


def message(content: str, *, source: str = "somebody") -> Message:
    """A message of version 2, the header put into it."""
    name = content[1:].partition(">")[0]
    raw = (
        '<NCIPMessage xmlns="http://www.niso.org/2008/ncip" xmlns:n="http://www.niso.org/2008/ncip" '
        'n:version="http://www.niso.org/schemas/ncip/v2_02/ncip_v2_02.xsd">'
        f"{content.replace('>', f'>{HEADER}', 1)}</NCIPMessage>"
    )
    return Message(source, f"{source}/{name}.xml", "2", name, "request", raw.encode())


def tried(one: Message, folder: Path) -> Trial:
    log.configure("off")
    (trial,) = asyncio.run(run([one], folder, Judge(XSD)))
    return trial


@pytest.mark.parametrize(
    "content",
    [
        f"<LookupUser>{USER}</LookupUser>",
        f"<LookupUser>{PROOF}</LookupUser>",
        f"<LookupItem>{ITEM}</LookupItem>",
        f"<LookupItem>{REQUEST}</LookupItem>",
        f"<LookupItemSet>{TITLE}</LookupItemSet>",
        f"<LookupRequest>{REQUEST}</LookupRequest>",
        f"<LookupAgency><AgencyId>ANOTHER</AgencyId>{ELEMENT}</LookupAgency>",
        f"<RequestItem>{USER}{TITLE}{REQUEST}{KIND}</RequestItem>",
        f"<CheckOutItem>{USER}{ITEM}</CheckOutItem>",
        f"<CheckInItem>{ITEM}</CheckInItem>",
        f"<RenewItem>{USER}{ITEM}{DUE}</RenewItem>",
        f"<RecallItem>{ITEM}</RecallItem>",
        f"<CancelRequestItem>{USER}{REQUEST}<RequestType>Hold</RequestType></CancelRequestItem>",
        f"<AcceptItem>{REQUEST}<RequestedActionType>Hold For Pickup</RequestedActionType>{USER}{ITEM}</AcceptItem>",
        f"<DeleteItem>{ITEM}</DeleteItem>",
        f"<UpdateRequestItem>{REQUEST}<DeleteRequestFields>{NEEDED}</DeleteRequestFields></UpdateRequestItem>",
    ],
)
@pytest.mark.parametrize("source", ["somebody", "xc-ncip2-toolkit"], ids=["broker", "discovery"])
def test_a_message_has_its_effect_because_what_it_names_is_there(content, source, tmp_path):
    """Derived by rule from the content: nothing here is known to what runs it."""
    trial = tried(message(content, source=source), tmp_path)
    assert (trial.unready, trial.verdict.wrong, trial.verdict.problems) == ("", "", ())
    assert trial.succeeded
    assert trial.changed == (not trial.message.type.startswith("Lookup"))


def test_a_refusal_and_a_repair_are_told(tmp_path):
    one = message(f"<CheckInItem>{ITEM.replace('I-1', ' ')}</CheckInItem>")
    trial = tried(with_version(one, "5.6"), tmp_path)
    assert not trial.succeeded
    assert trial.verdict.problems
    assert trial.repairs
    text = page([trial], [])
    assert "| somebody | – | 2 | 1 | 1 | 0 | 1 | 0 | 1 | 0 |" in text
    assert f"| somebody | CheckInItem | lending | {trial.verdict.problems[0][0]} |" in text
    assert told(trial).startswith("somebody/CheckInItem.xml (lending): ")


def with_version(one: Message, version: str) -> Message:
    raw = one.raw.replace(b"http://www.niso.org/schemas/ncip/v2_02/ncip_v2_02.xsd", version.encode())
    return Message(one.source, one.file, one.major, one.type, one.direction, raw.replace(b"n:version", b"version"))


def test_whoever_is_not_named_in_the_header_is_named_by_the_address(tmp_path):
    one = message(f"<CheckInItem>{ITEM}</CheckInItem>")
    assert tried(one, tmp_path).recognised
    nobody = Message(one.source, one.file, "2", one.type, "request", one.raw.replace(HEADER.encode(), b""))
    trial = tried(nobody, tmp_path)
    assert trial.succeeded
    assert not trial.recognised


ANSWER = (
    '<NCIPMessage xmlns="http://www.niso.org/2008/ncip" xmlns:n="http://www.niso.org/2008/ncip" n:version="{}">{}'
    "</NCIPMessage>"
)
V2_02 = "http://www.niso.org/schemas/ncip/v2_02/ncip_v2_02.xsd"
IN = "<CheckInItemResponse>{}</CheckInItemResponse>"


@pytest.mark.parametrize(
    ("status", "body", "wrong"),
    [
        (200, ANSWER.format(V2_02, IN.format(ITEM)), ""),
        (200, ANSWER.format(V2_02, IN.format("<Problem><ProblemType>No</ProblemType></Problem>")), ""),
        (500, ANSWER.format(V2_02, IN.format(ITEM)), "HTTP 500"),
        (200, "", "silence"),
        (200, "Internal error", "no XML"),
        (200, "<html><body/></html>", "no NCIPMessage"),
        (200, '<NCIPMessage xmlns="http://www.niso.org/2008/ncip"/>', "no NCIPMessage"),
        (200, ANSWER.format(V2_02, IN.format("")), "CheckInItemResponse"),
        (200, ANSWER.format(V2_02, f"<DeleteItemResponse>{ITEM}</DeleteItemResponse>"), "instead of CheckInItem"),
        (200, ANSWER.format(V2_02, "<Problem><ProblemType>No</ProblemType></Problem>"), "Problem/ProblemType instead"),
        (200, ANSWER.format(V2_02.replace("2_02", "2_0"), IN.format(ITEM)), "2.02 is answered with 2.0"),
        (200, f'<NCIPMessage version="http://x/ncip_v1_0.dtd">{IN.format("")}</NCIPMessage>', "another version than 2"),
    ],
)
def test_an_answer_that_nobody_should_get_is_seen(status, body, wrong):
    verdict = Judge(XSD).judge(message(f"<CheckInItem>{ITEM}</CheckInItem>"), status, body.encode())
    assert wrong in verdict.wrong if wrong else not verdict.wrong


def test_problems_are_found_in_every_version():
    of_1 = (
        "<NCIPMessage><ItemShippedResponse><MessagingError><MessagingErrorType><Scheme>s</Scheme><Value>Unknown Item"
        "</Value></MessagingErrorType><MessagingErrorElement><ElementName>UniqueItemId</ElementName>"
        "</MessagingErrorElement></MessagingError></ItemShippedResponse></NCIPMessage>"
    )
    assert problems(etree.fromstring(of_1)) == (("Unknown Item", "UniqueItemId"),)
    of_2 = ANSWER.format("", "<Problem><ProblemType>Unknown Item</ProblemType></Problem>")
    assert problems(etree.fromstring(of_2)) == (("Unknown Item", ""),)
    of_one_title = "<LookupItemSetResponse><BibInformation><Problem><ProblemType>No</ProblemType></Problem>"
    nested = ANSWER.format("", f"{of_one_title}</BibInformation></LookupItemSetResponse>")
    assert problems(etree.fromstring(nested)) == ()


def test_what_is_named_is_read_in_both_versions_alike():
    of_2 = message(f"<CheckOutItem>{USER}{ITEM}{REQUEST}</CheckOutItem>").raw
    of_1 = (
        b"<NCIPMessage><CheckOutItem><InitiationHeader><ToAgencyId><UniqueAgencyId><Scheme>s</Scheme><Value>HERE</Value>"
        b"</UniqueAgencyId></ToAgencyId></InitiationHeader><UniqueRequestId><RequestIdentifierValue>R-1"
        b"</RequestIdentifierValue></UniqueRequestId><UniqueItemId><ItemIdentifierValue>I-1</ItemIdentifierValue>"
        b"</UniqueItemId><UniqueUserId><UserIdentifierValue>U-1</UserIdentifierValue></UniqueUserId></CheckOutItem>"
        b"</NCIPMessage>"
    )
    for raw in (of_1, of_2):
        said = Said(raw)
        assert (said.users(), said.items(), said.requests()) == ([Id("U-1")], [Id("I-1")], [Id("R-1")])
        assert said.header("ToAgencyId") == "HERE"


@pytest.mark.parametrize(
    "raw",
    [
        b'<?xml version="1.0" encoding="UTF-16"?>' + message(f"<CheckInItem>{ITEM}</CheckInItem>").raw,
        message(f"<CheckInItem>{ITEM}<Note>&nbsp;</Note></CheckInItem>").raw,
        b"\r\n " + message(f"<CheckInItem>{ITEM}</CheckInItem>").raw + b"\x04",
    ],
    ids=["encoding", "entity", "blanks"],
)
def test_what_is_named_is_read_from_what_is_nearly_well_formed(raw):
    assert Said(raw).items() == [Id("I-1")]


def test_a_family_sends_what_the_one_does_that_it_extends():
    assert families.sides("reshare-plain", "CheckInItem") == families.sides("reshare", "CheckInItem") != ()
    assert families.sides("", "CheckInItem") == ()


def test_every_source_is_of_a_family_that_has_a_profile():
    named = set(messages.families().values())
    assert named <= {file.stem for file in families.PROFILES.glob("*.toml")}


def test_the_dates_of_a_template_are_filled_in_and_nothing_else():
    one = message(f"<CheckInItem>{ITEM}<DateDue>DUE_DATE</DateDue><Note>DATE</Note></CheckInItem>")
    filled = with_dates(one)
    assert filled is not None
    assert filled.raw == one.raw.replace(b"DUE_DATE", b"2026-01-26T12:00:00Z")
    assert with_dates(message(f"<CheckInItem>{ITEM}</CheckInItem>")) is None


def test_a_corpus_without_an_index_is_read_by_what_is_in_it(tmp_path):
    (tmp_path / "them").mkdir()
    (tmp_path / "them" / "a.xml").write_bytes(message(f"<CheckInItem>{ITEM}</CheckInItem>").raw)
    (tmp_path / "them" / "b.xml").write_text(ANSWER.format(V2_02, IN.format(ITEM)), "utf-8")
    (tmp_path / "them" / "c.xml").write_text("no XML", "utf-8")
    found = [(one.source, one.file, one.major, one.type, one.direction) for one in collect(tmp_path)]
    assert found == [
        ("them", "them/a.xml", "2", "CheckInItem", "request"),
        ("them", "them/b.xml", "2", "CheckInItemResponse", "response"),
    ]


def test_where_there_is_no_corpus_that_is_said(tmp_path, capsys):
    assert main(["--corpus", str(tmp_path / "none"), "--schemas", str(tmp_path)]) == 2
    assert "none" in capsys.readouterr().err


# ------------------------------------------------------------------------------------------ the corpus itself

Run = tuple[list[Trial], list[Reading]]


@pytest.fixture(scope="module")
def ran(shared: Path) -> Run:
    log.configure("off")
    return look(shared / "corpus", shared / "schemas")


pytestmark = pytest.mark.xdist_group("corpus")


@pytest.mark.slow
def test_every_message_of_the_corpus_is_answered_as_it_must_be(ran: Run):
    """Of the right type and version, valid by the official schema, and with an effect where there is no problem."""
    trials, _ = ran
    assert len({trial.message.file for trial in trials}) > 190
    assert not [told(trial) for trial in trials if is_wrong(trial)]
    assert not [told(trial) for trial in trials if any("Temporary" in type_ for type_, _ in trial.verdict.problems)]


@pytest.mark.slow
def test_no_message_of_the_corpus_is_left_out(ran: Run, shared: Path):
    trials, readings = ran
    taken = {one.message.file for one in trials} | {one.message.file for one in readings}
    assert taken == {one.file for one in collect(shared / "corpus")}
    assert all(one.message.direction in ASKING for one in trials)


@pytest.mark.slow
def test_no_response_is_taken_for_the_opposite_of_what_it_says(ran: Run):
    _, readings = ran
    assert not [one.message.file for one in readings if one.wrong]
    assert all(one.understood for one in readings if one.has_problem)


@pytest.mark.slow
def test_the_page_of_the_documents_is_that_of_this_run(ran: Run):
    """`make corpus` writes it anew."""
    assert PAGE.read_text("utf-8") == page(*ran)


@pytest.mark.slow
def test_the_page_repeats_nothing_of_the_messages(ran: Run):
    trials, _ = ran
    said = [Said(trial.message.raw) for trial in trials]
    values = {one.value for each in said for one in each.users() + each.items()}
    text = PAGE.read_text("utf-8")
    assert not [value for value in values if len(value) > 7 and value in text]


def test_a_response_that_is_a_refusal_and_not_seen_as_one_is_wrong():
    one = Message("them", "x", "2", "CheckInItemResponse", "response", ANSWER.format(V2_02, IN.format(ITEM)).encode())
    (reading,) = read([one])
    assert (reading.understood, reading.wrong) == (True, False)
    assert Reading(one, understood=True, has_problem=True, tells_problem=False).wrong
