"""Bytes in, bytes out, on a running ncipd: every message gets a valid answer, and no secret is kept."""

from __future__ import annotations

import asyncio
import json
import re
import signal
import sqlite3
import urllib.request
import zlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import quote_plus

import aiohttp
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree

from ncipd.circulation.errors import DeskError, ErrorKind
from ncipd.circulation.lifecycle import Event, IllegalMoveError
from ncipd.circulation.model import RequestStatus, Role
from ncipd.circulation.partner import Partner
from ncipd.ncip import messages
from ncipd.ncip.elements import ItemId
from ncipd.ncip.messages import RecallItem, RecallItemResponse
from ncipd.ncip.problems import Problem, ProblemType
from ncipd.ncip.types import Initiation
from ncipd.services import Service, services
from ncipd.store.port import ConstraintViolated, StoreFailure
from tests.edge.office import ROOT, Office, check_out, opened
from tests.edge.test_cli import ncipd as command
from tests.edge.test_cli import served
from tests.services.world import NS, Answer, item_id, message, user_id

XSD = etree.XMLSchema(etree.parse(ROOT / "xsd" / "ncip_v2_02.xsd"))
XSD_1 = etree.XMLSchema(file=str(ROOT / "xsd" / "ncip_v1_0.xsd"))
PARTNERS = (
    Partner(code="BROKER", agency="LEND", keys=("alma", "al ma/1")),
    Partner(code="READER", agency="LEND", services=("LookupItem", "LookupUser")),
    Partner(code="SECRET", agency="LEND", secret="open-sesame", agency_ids=("SAFE",)),
    Partner(code="BROKER", agency="BORROW"),
)
LOOKUP = f"<LookupItem>{item_id('L1')}</LookupItem>"
RECALL = f"<RecallItem>{item_id('L1')}</RecallItem>"
VERSION = "http://www.niso.org/schemas/ncip/v2_02/ncip_v2_02.xsd"


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    """A running ncipd with partners of these tests' own."""
    async with opened(tmp_path / "data", made=PARTNERS) as made:
        yield made


def enveloped(content: str, version: str = VERSION) -> bytes:
    return f'<NCIPMessage xmlns="{NS}" xmlns:n="{NS}" n:version="{version}">{content}</NCIPMessage>'.encode()


async def ask(office: Office, raw: str | bytes, key: str = "") -> Answer:
    """Send bytes; whatever comes back is a valid NCIPMessage."""
    answer = await office.post(raw, key)
    XSD.assertValid(answer.root)
    return answer


# ---------------------------------------------------------------------------------------------- headers


async def test_the_answers_header_has_both_ends_swapped(office: Office) -> None:
    header = (
        "<InitiationHeader><FromSystemId>their system</FromSystemId>"
        "<FromAgencyId><AgencyId>THEM</AgencyId></FromAgencyId>"
        "<OnBehalfOfAgency><AgencyId>MEMBER</AgencyId></OnBehalfOfAgency><ToSystemId>our system</ToSystemId>"
        "<ToAgencyId><AgencyId>xx-lend</AgencyId></ToAgencyId>"
        "<ApplicationProfileType>BROKER</ApplicationProfileType></InitiationHeader>"
    )
    answer = await ask(office, enveloped(LOOKUP.replace("<LookupItem>", f"<LookupItem>{header}")))
    assert answer.text("ResponseHeader/FromAgencyId/AgencyId") == "xx-lend"
    assert answer.text("ResponseHeader/ToAgencyId/AgencyId") == "THEM"
    assert answer.text("ResponseHeader/FromSystemId") == "our system"
    assert answer.text("ResponseHeader/ToSystemId") == "their system"


async def test_without_a_header_there_is_none_in_the_answer(office: Office) -> None:
    answer = await ask(office, enveloped(LOOKUP), "alma")
    assert (answer.kind, answer.problem) == ("LookupItemResponse", None)
    assert not answer.has("ResponseHeader")


@pytest.mark.parametrize(
    "media_type",
    [
        "application/xml",
        "text/xml; charset=iso-8859-1",
        "text/html; charset=UTF-8",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/json",
        "nonsense",
        "",
    ],
)
async def test_whatever_the_content_type_says_a_message_is_a_message(office: Office, media_type: str) -> None:
    whole = message(LOOKUP)
    for body in (whole, f"xml={quote_plus(whole)}", f"XForms:Model={quote_plus(whole)}", quote_plus(whole)):
        headers = {"Content-Type": media_type}
        async with office.session.post(office.ncipd.url, data=body.encode(), headers=headers) as answered:
            assert answered.status == 200
            answer = Answer(await answered.read())
        XSD.assertValid(answer.root)
        assert (answer.kind, answer.problem) == ("LookupItemResponse", None), answer


async def test_a_message_without_a_content_type_is_answered(office: Office) -> None:
    async with office.session.post(
        office.ncipd.url, data=message(LOOKUP).encode(), skip_auto_headers={"Content-Type"}
    ) as answered:
        assert Answer(await answered.read()).kind == "LookupItemResponse"


async def test_what_was_accepted_unchecked_is_not_sent_back(office: Office) -> None:
    """Ids are sent back as they came, but our answers are valid."""
    for extra in ("<Ext><x:y xmlns:x='urn:x'/></Ext>", "<Unheard/>", "<ItemNumber/>"):
        answer = await ask(office, message(LOOKUP.replace("</ItemId>", f"{extra}</ItemId>")))
        assert (answer.kind, answer.problem) == ("LookupItemResponse", None), extra
        assert answer.text("ItemId/ItemIdentifierValue") == "L1"


async def test_what_was_asked_in_an_ext_is_answered_in_one(office: Office) -> None:
    for asked, problem in ((LOOKUP, None), (LOOKUP.replace("L1", "L999"), "Unknown Item")):
        answer = await ask(office, enveloped(f"<Ext>{asked}</Ext>"), "alma")
        assert answer.kind == "Ext"
        assert etree.QName(answer.root[0][0]).localname == "LookupItemResponse"
        assert answer.problem == problem


async def test_a_problem_is_addressed_too(office: Office) -> None:
    answer = await ask(office, message(LOOKUP.replace("L1", "L999")))
    assert (answer.kind, answer.problem) == ("LookupItemResponse", "Unknown Item")
    assert answer.text("ResponseHeader/ToAgencyId/AgencyId") == "THEM"


async def test_a_message_that_is_invalid_in_its_body_is_still_addressed(office: Office) -> None:
    answer = await ask(office, message("<LookupItem><Nonsense/></LookupItem>"))
    assert answer.kind == "LookupItemResponse"
    assert answer.problem
    assert answer.text("ResponseHeader/ToAgencyId/AgencyId") == "THEM"


HALF = (
    "<InitiationHeader><FromAgencyId/><ToAgencyId><AgencyId>LEND</AgencyId></ToAgencyId>"
    "<ApplicationProfileType>BROKER</ApplicationProfileType></InitiationHeader>"
)


async def test_a_header_that_cannot_be_read_is_not_answered_with_half_of_one(office: Office) -> None:
    half = "<ToAgencyId><AgencyId>LEND</AgencyId></ToAgencyId>"
    for broken in (
        f"<InitiationHeader>{half}</InitiationHeader>",
        "<InitiationHeader><FromSystemId>s</FromSystemId></InitiationHeader>",
        HALF,
    ):
        answer = await ask(office, enveloped(LOOKUP.replace("<LookupItem>", f"<LookupItem>{broken}")), "alma")
        assert answer.kind == "LookupItemResponse"
        assert answer.problem
        assert not answer.has("ResponseHeader")


@pytest.mark.parametrize(
    "version",
    [
        VERSION,
        "http://www.niso.org/schemas/ncip/v2_0/imp1/xsd/ncip_v2_0.xsd",
        "http://www.niso.org/ncip/v2_01/ncip_v2_01.xsd",
        "2.0",
    ],
)
async def test_the_answer_speaks_the_version_of_the_message(office: Office, version: str) -> None:
    answer = await ask(office, message(LOOKUP).replace(VERSION, version))
    assert answer.root.get(f"{{{NS}}}version") == version


async def test_a_message_of_version_1_over_http_is_answered_in_version_1(office: Office) -> None:
    """tests/services/test_version_1.py has the rest."""
    agency = "<UniqueAgencyId><Scheme/><Value>{}</Value></UniqueAgencyId>"
    asked = (
        '<NCIPMessage version="http://www.niso.org/ncip/v1_0/imp1/dtd/ncip_v1_0.dtd"><LookupItem><InitiationHeader>'
        f"<FromAgencyId>{agency.format('THEM')}</FromAgencyId><ToAgencyId>{agency.format('LEND')}</ToAgencyId>"
        f"</InitiationHeader><UniqueItemId>{agency.format('LEND')}<ItemIdentifierValue>L1</ItemIdentifierValue>"
        "</UniqueItemId><ItemElementType><Scheme/><Value>Circulation Status</Value></ItemElementType></LookupItem>"
        "</NCIPMessage>"
    )
    answer = await office.post(asked, "alma")
    XSD_1.assertValid(answer.root)
    assert answer.root.findtext(".//CirculationStatus/Value") == "Available On Shelf"


# ---------------------------------------------------------------------------------------------- what cannot be read

UNREADABLE = {
    "nothing": (b"", "Invalid Message Syntax Error"),
    "blanks": (b" \r\n ", "Invalid Message Syntax Error"),
    "text": (b"hello", "Invalid Message Syntax Error"),
    "json": (b'{"LookupItem": {}}', "Invalid Message Syntax Error"),
    "bytes": (bytes(range(256)), "Invalid Message Syntax Error"),
    "cut off": (message(LOOKUP).encode()[:-20], "Invalid Message Syntax Error"),
    "entities": (b'<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>', "Invalid Message Syntax Error"),
    "an outside entity": (
        b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>',
        "Invalid Message Syntax Error",
    ),
    "depth": (b"<a>" * 5000 + b"</a>" * 5000, "Invalid Message Syntax Error"),
    "html": (b"<!DOCTYPE html><html><body>login</body></html>", "Unsupported Service"),
    "soap": (b'<s:Envelope xmlns:s="urn:x"><s:Body/></s:Envelope>', "Unsupported Service"),
    "an unknown service": (enveloped("<DoWhatIWant/>"), "Unsupported Service"),
    "version 3": (
        b'<NCIPMessage version="http://www.niso.org/schemas/ncip/v3_0/ncip_v3_0.xsd"><LookupItem/></NCIPMessage>',
        "Unsupported Service",
    ),
    "a response": (
        enveloped("<LookupItemResponse><Problem><ProblemType>x</ProblemType></Problem></LookupItemResponse>"),
        "Protocol Error",
    ),
    "a problem": (enveloped("<Problem><ProblemType>x</ProblemType></Problem>"), None),
    "an extension": (enveloped("<Ext/>"), None),
    "an empty envelope": (enveloped(""), None),
}


@pytest.mark.parametrize("what", UNREADABLE)
async def test_what_cannot_be_carried_out_is_answered_with_a_problem_for_the_whole(office: Office, what: str) -> None:
    """HTTP 200, a valid NCIPMessage, and in it what is wrong and what to do."""
    raw, expected = UNREADABLE[what]
    answer = await ask(office, raw)
    assert answer.kind == "Problem", answer
    (problem,) = answer.root
    assert expected in (None, problem.findtext(f"{{{NS}}}ProblemType"))
    detail = problem.findtext(f"{{{NS}}}ProblemDetail")
    assert detail
    assert "root:" not in detail


@pytest.mark.parametrize(("what", "root"), [("html", "html"), ("soap", "Envelope")])
async def test_who_sends_something_else_is_told_what_came(office: Office, what: str, root: str) -> None:
    answer = await ask(office, UNREADABLE[what][0])
    detail = answer.root[0].findtext(f"{{{NS}}}ProblemDetail") or ""
    assert detail.startswith(f"The root element is {root}, and not NCIPMessage; send ")


async def test_two_messages_in_one_are_not_half_answered(office: Office) -> None:
    answer = await ask(office, enveloped(LOOKUP + LOOKUP), "alma")
    assert (answer.kind, answer.problem) == ("LookupItemResponse", "Invalid Message Syntax Error")


async def test_a_message_of_the_standard_that_is_not_served_here_gets_its_own_response(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(services(), "RecallItem")
    answer = await ask(office, message(RECALL))
    assert (answer.kind, answer.problem) == ("RecallItemResponse", "Unsupported Service")
    assert "LookupItem" in (answer.text("Problem/ProblemDetail") or "")
    assert answer.text("ResponseHeader/ToAgencyId/AgencyId") == "THEM"


INITIATIONS = sorted(
    name
    for name, kind in vars(messages).items()
    if isinstance(kind, type) and issubclass(kind, Initiation) and kind is not Initiation
)


async def test_every_message_of_the_standard_is_answered_with_its_response(office: Office) -> None:
    """Empty as it is here, none of them can be carried out; all of them are answered by name."""
    for name in INITIATIONS:
        answer = await ask(office, message(f"<{name}></{name}>"))
        assert answer.kind == f"{name}Response", answer
        assert answer.problem, name


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(raw=st.binary(max_size=300), at=st.integers(0, 600))
async def test_any_bytes_get_a_valid_answer(office: Office, raw: bytes, at: int) -> None:
    whole = message(LOOKUP).encode()
    for sent in (raw, whole[:at] + raw + whole[at:], whole[:at] + raw):
        await ask(office, sent)


# ---------------------------------------------------------------------------------------------- who may


async def test_an_unknown_agency_or_system_is_told_so_before_anything_else(office: Office) -> None:
    for sent, problem in (
        (message(LOOKUP, to="NOBODY"), "Unknown Agency"),
        (message(LOOKUP, partner="NOBODY"), "Unknown System"),
        (message(LOOKUP, partner="", origin="STRANGER"), "Unknown System"),
        (message(LOOKUP, partner="", origin="LEND"), "Unknown System"),  # our own code names nobody
        (enveloped(LOOKUP), "Unknown System"),
    ):
        answer = await ask(office, sent)
        assert (answer.kind, answer.problem) == ("LookupItemResponse", problem)


async def test_a_partner_may_do_what_it_may_do_and_no_more(office: Office) -> None:
    assert (await ask(office, message(LOOKUP, partner="READER"))).problem is None
    answer = await ask(office, message(check_out("L1", "R-1"), partner="READER"))
    assert (answer.kind, answer.problem) == ("CheckOutItemResponse", "Unauthorized Service For System")
    assert "LookupItem, LookupUser" in (answer.text("Problem/ProblemDetail") or "")
    assert (await office.see("items/L1"))["status"] == "available"


async def test_a_partner_with_a_secret_is_believed_only_with_it(office: Office) -> None:
    sent = message(LOOKUP, partner="SECRET")
    right = sent.replace(
        "</FromAgencyId>", "</FromAgencyId><FromAgencyAuthentication>open-sesame</FromAgencyAuthentication>"
    )
    assert (await ask(office, right)).problem is None
    for wrong in (
        sent,
        right.replace("open-sesame", "guess"),
        right.replace(">SECRET<", "><").replace("THEM", "SAFE").replace("open-sesame", "x"),
    ):
        answer = await ask(office, wrong)
        assert (answer.kind, answer.problem) == ("LookupItemResponse", "Agency Authentication Failed")
        assert "open-sesame" not in repr(answer)
        assert "guess" not in repr(answer)


async def test_a_path_key_names_the_partner(office: Office) -> None:
    assert (await ask(office, enveloped(LOOKUP), "alma")).problem is None
    assert (await ask(office, enveloped(LOOKUP), "al%20ma%2F1")).problem is None
    assert (await ask(office, enveloped(LOOKUP), "other")).problem == "Unknown System"

    async def written() -> Any:
        return (await office.see("journal"))["journal"]

    line = (await office.until(written))[0]
    assert (line["partner"], line["service"]) == ("BROKER", "LookupItem")


# ---------------------------------------------------------------------------------------------- bugs


def replaced(monkeypatch: pytest.MonkeyPatch, run: Any, *, reads: bool = False) -> None:
    """Let RecallItem be carried out by something else."""
    monkeypatch.setitem(services(), "RecallItem", Service(RecallItem, run, reads))


def count(office: Office, table: str) -> int:
    return int(office.ncipd.store._reader.execute(f"SELECT count(*) FROM {table}").fetchone()[0])


@pytest.mark.parametrize(
    "error", [KeyError("Rosa Reader"), RuntimeError(), AssertionError(), RecursionError(), StopIteration()]
)
async def test_a_bug_is_a_temporary_failure_with_an_id_and_leaves_nothing(
    office: Office, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def bug(_message: RecallItem, circ: Any) -> RecallItemResponse:
        circ.add_record(temporary=True, title="half done")
        raise error

    before = count(office, "record")
    replaced(monkeypatch, bug)
    answer = await ask(office, message(RECALL))
    assert (answer.kind, answer.problem) == ("RecallItemResponse", "Temporary Processing Failure")
    detail = answer.text("Problem/ProblemDetail") or ""
    assert "Rosa" not in repr(answer)
    assert answer.text("ResponseHeader/ToAgencyId/AgencyId") == "THEM"

    async def written() -> Any:
        return (await office.see("journal"))["journal"]

    (line,) = await office.until(written)
    assert line["correlation"] in detail
    assert line["verdict"] == "Temporary Processing Failure"
    assert count(office, "record") == before
    assert count(office, "reply") == 0
    monkeypatch.undo()
    assert (await ask(office, message(RECALL))).problem != "Temporary Processing Failure"


async def test_a_refusal_that_cannot_be_written_is_a_temporary_failure_too(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Even where the header of the message is what cannot be written: then the answer has none."""

    def refuse(_message: RecallItem, _circ: Any) -> RecallItemResponse:
        raise Problem(ProblemType.UNKNOWN_ITEM, detail=12)  # type: ignore[arg-type]

    replaced(monkeypatch, refuse)
    answer = await ask(office, message(RECALL))
    assert (answer.kind, answer.problem) == ("RecallItemResponse", "Temporary Processing Failure")
    monkeypatch.setattr("ncipd.responder.answers.reply_header", lambda _header: 1 / 0)
    answer = await ask(office, message(RECALL))
    assert (answer.kind, answer.problem) == ("Problem", "Temporary Processing Failure")


async def test_a_bug_in_a_lookup_is_answered_too(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    def bug(_message: RecallItem, _circ: Any) -> RecallItemResponse:
        raise ZeroDivisionError

    replaced(monkeypatch, bug, reads=True)
    assert (await ask(office, message(RECALL))).problem == "Temporary Processing Failure"


async def test_an_answer_that_fails_its_own_check_is_not_sent_and_its_effects_are_undone(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    def careless(_message: RecallItem, circ: Any) -> RecallItemResponse:
        circ.add_record(temporary=True, title="half done")
        return RecallItemResponse()  # neither a Problem nor an ItemId

    before = count(office, "record")
    for reads in (False, True):
        replaced(monkeypatch, careless if not reads else lambda _m, _c: RecallItemResponse(), reads=reads)
        answer = await ask(office, message(RECALL))
        assert answer.problem == "Temporary Processing Failure"
    assert (count(office, "record"), count(office, "reply")) == (before, 0)


async def test_characters_that_xml_forbids_do_not_break_an_answer(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    def odd(_message: RecallItem, _circ: Any) -> RecallItemResponse:
        return RecallItemResponse(item_id=ItemId(item_identifier_value="a\x00b\x1b\ud800<&>"))

    replaced(monkeypatch, odd)
    answer = await ask(office, message(RECALL))
    assert answer.text("ItemId/ItemIdentifierValue") == "a\ufffdb\ufffd\ufffd<&>"


@pytest.mark.parametrize(
    ("error", "problem"),
    [
        (IllegalMoveError(Role.LENDING, RequestStatus.CANCELLED, Event.SHIP), "Request Already Processed"),
        (DeskError(ErrorKind.CONFLICT, "barcode-taken", "Barcode taken.", value="L1"), "Temporary Processing Failure"),
        (ConstraintViolated("two loans"), "Temporary Processing Failure"),
        (StoreFailure("disk full"), "Temporary Processing Failure"),
        (Problem(ProblemType.UNKNOWN_ITEM, detail="no"), "Unknown Item"),
        (Problem("Something New", detail="no"), "Something New"),
    ],
)
async def test_every_way_to_say_no_is_a_problem(
    office: Office, monkeypatch: pytest.MonkeyPatch, error: Exception, problem: str
) -> None:
    def no(_message: RecallItem, _circ: Any) -> RecallItemResponse:
        raise error

    replaced(monkeypatch, no)
    answer = await ask(office, message(RECALL))
    assert (answer.kind, answer.problem) == ("RecallItemResponse", problem)
    assert answer.text("Problem/ProblemDetail")


async def test_problems_of_one_message_are_told_together(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    def no(_message: RecallItem, _circ: Any) -> RecallItemResponse:
        also = Problem(ProblemType.UNKNOWN_USER, detail="two")
        raise Problem(ProblemType.UNKNOWN_ITEM, detail="one", and_also=(also,))

    replaced(monkeypatch, no)
    answer = await ask(office, message(RECALL))
    assert answer.texts("Problem/ProblemType") == ["Unknown Item", "Unknown User"]


async def test_a_store_that_takes_no_work_is_a_temporary_failure_and_no_silence(office: Office) -> None:
    await office.ncipd.store.close()
    for sent in (message(RECALL), message(LOOKUP), message(LOOKUP, to="NOBODY"), b"junk"):
        answer = await ask(office, sent)
        assert answer.problem or answer.kind == "Problem"


# ---------------------------------------------------------------------------------------------- what is kept


def bodies(folder: Path) -> bytes:
    """Every word that the store has kept, uncompressed."""
    with sqlite3.connect(folder / "ncipd.sqlite3") as connection:
        rows = connection.execute("SELECT words FROM message_body").fetchall()
    return b"\n".join(zlib.decompress(part) for row in rows for part in row if part is not None)


def stored(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


HUSH = "hush-4711"
INPUT = (
    "<AuthenticationInput><AuthenticationInputData>{}</AuthenticationInputData>"
    "<AuthenticationDataFormatType>text/plain</AuthenticationDataFormatType>"
    "<AuthenticationInputType>{}</AuthenticationInputType></AuthenticationInput>"
)
LOGIN = f"<LookupUser>{INPUT.format('LEND-USER-1', 'User Id')}{INPUT.format(HUSH, 'PIN')}</LookupUser>"
HEADED = message(LOOKUP).replace(
    "</FromAgencyId>", f"</FromAgencyId><FromAgencyAuthentication>{HUSH}</FromAgencyAuthentication>"
)
SECRETS = {
    "a PIN": message(LOGIN),
    "a PIN with white space": message(LOGIN.replace(HUSH, f"\n  {HUSH}\n  ")),
    "a PIN in CDATA": message(LOGIN.replace(HUSH, f"<![CDATA[{HUSH}]]>")),
    "a PIN under a prefix": message(LOGIN).replace("<Auth", "<n:Auth").replace("</Auth", "</n:Auth"),
    "a PIN under an odd prefix": message(LOGIN)
    .replace("xmlns:n=", "xmlns:ñ.1-_=")
    .replace("n:version", "ñ.1-_:version")
    .replace("<Auth", "<ñ.1-_:Auth")
    .replace("</Auth", "</ñ.1-_:Auth"),
    "a PIN in character references": message(LOGIN.replace(HUSH, "".join(f"&#{ord(one)};" for one in HUSH))),
    "a PIN in UTF-16": message(LOGIN).encode("utf-16"),
    "a PIN in Latin-1": b'<?xml version="1.0" encoding="ISO-8859-1"?>' + message(LOGIN).encode("latin-1"),
    "a partner's secret": HEADED,
    "a system's secret": HEADED.replace("FromAgencyAuthentication", "FromSystemAuthentication"),
    "a system's secret in its place": message(LOOKUP).replace(
        "<InitiationHeader>",
        f"<InitiationHeader><FromSystemId>s</FromSystemId><FromSystemAuthentication>{HUSH}</FromSystemAuthentication>",
    ),
    "the old form of a secret": HEADED.replace(HUSH, f"<Scheme>x</Scheme><Value>{HUSH}</Value>"),
    "an attribute beside it": message(LOGIN.replace("<AuthenticationInputData>", "<AuthenticationInputData a='>'>")),
    "a secret for an unknown agency": HEADED.replace("LEND", "NOBODY"),
    "a secret in a message that is cut off": HEADED[: HEADED.index(HUSH) + len(HUSH)],
    "a secret whose end tag is misspelt": HEADED.replace(
        "</FromAgencyAuthentication>", "</FromAgencyAuthentification>"
    ),
    "a secret whose end tag is missing": HEADED.replace("</FromAgencyAuthentication>", ""),
    "a secret in a message with a stray sign": HEADED.replace("<LookupItem>", "<LookupItem>&"),
    "a secret in a start tag with a blank before its name": HEADED.replace(
        "<FromAgencyAuthentication>", "< FromAgencyAuthentication>"
    ),
    "a secret split by CDATA that looks like its end": HEADED.replace(
        HUSH, f"<![CDATA[x</FromAgencyAuthentication>]]>{HUSH}"
    ),
    "a secret behind a comment that looks like its end": HEADED.replace(
        HUSH, f"<!-- </FromAgencyAuthentication> -->{HUSH}"
    ),
    "a PIN in a message that nobody serves": message(LOGIN).replace("LookupUser>", "DoWhatIWant>"),
    "a PIN in elements that do not belong there": message(LOGIN.replace(HUSH, f"<b>{HUSH}</b>")),
    "a PIN in a form": f"xml={quote_plus(message(LOGIN))}",
    "a PIN in a form with every letter encoded": "xml=" + "".join(f"%{one:02x}" for one in message(LOGIN).encode()),
    "a PIN in a body with percent signs that is cut off": quote_plus(message(LOGIN).partition("</Auth")[0]),
    "a PIN in a body with percent signs for letters that is cut off": "".join(
        f"%{one:02x}" for one in message(LOGIN).partition("</Auth")[0].encode()
    ),
    "a PIN in small letters": message(LOGIN).replace("AuthenticationInputData", "authenticationinputdata"),
    "a PIN in a misspelt element": message(LOGIN).replace("AuthenticationInputData", "AuthentcationInputData"),
    "a PIN in an element misspelt at its start": message(LOGIN).replace("AuthenticationInput", "AthenticationInput"),
    "a PIN in an element misspelt at its end": message(LOGIN).replace("AuthenticationInput", "AuthenticatioInput"),
    "a PIN as text of the whole": message(LOGIN.replace("<AuthenticationInput>", f"<AuthenticationInput>{HUSH}", 1)),
    "a PIN behind a child": message(
        LOGIN.replace("</AuthenticationInputData>", f"</AuthenticationInputData>{HUSH}", 1)
    ),
    "a PIN with a control character": message(LOGIN.replace(HUSH, f"\x04{HUSH}\x04")),
    "a PIN in a name with a control character": message(LOGIN).replace("Authent", "Authen\x04t"),
    "a PIN with a strange end": message(LOGIN) + "\x04",
    "a PIN without namespace": message(LOGIN).replace(f'xmlns="{NS}"', ""),
    "a PIN in the Ext of the envelope": message(LOGIN)
    .replace("<LookupUser", "<Ext><LookupUser")
    .replace("</LookupUser>", "</LookupUser></Ext>"),
    "a PIN twice": message(
        LOGIN.replace(
            "</AuthenticationInputData>",
            f"</AuthenticationInputData><AuthenticationInputData>{HUSH}</AuthenticationInputData>",
        )
    ),
}


@pytest.mark.parametrize("what", list(SECRETS))
async def test_a_secret_is_kept_nowhere_whatever_becomes_of_its_message(tmp_path: Path, what: str) -> None:
    """Not in the audit trail, not in a stored answer, and not in the answer itself."""
    async with opened(tmp_path / "data", made=PARTNERS) as office:
        for _ in range(2):
            answer = await ask(office, SECRETS[what])
            assert HUSH not in repr(answer)
    assert HUSH.encode() not in bodies(tmp_path / "data")
    assert HUSH.encode() not in stored(tmp_path / "data")
    assert HUSH.encode("utf-16-le") not in stored(tmp_path / "data") + bodies(tmp_path / "data")


async def test_all_else_of_a_message_with_a_secret_is_kept(tmp_path: Path) -> None:
    async with opened(tmp_path / "data", made=PARTNERS) as office:
        await ask(office, message(LOGIN))
        await ask(office, HEADED)
    kept = bodies(tmp_path / "data")
    assert kept.count(b"<AuthenticationInputData>***</AuthenticationInputData>") == 2
    assert b"<FromAgencyAuthentication>***</FromAgencyAuthentication>" in kept
    assert b"<AuthenticationInputType>PIN</AuthenticationInputType>" in kept
    assert b"<ItemIdentifierValue>L1</ItemIdentifierValue>" in kept


def test_no_secret_and_above_debug_no_user_is_in_the_log(tmp_path: Path) -> None:
    """A process of its own, as in production: valid messages, refused ones, and ones that cannot be read."""
    assert command("init", "LEND", folder=tmp_path).returncode == 0
    for level in ("debug", "info"):
        with served(tmp_path, "--port", "0", "--log-level", level) as (process, url):
            for raw in SECRETS.values():
                sent = raw if isinstance(raw, bytes) else raw.encode()
                sent = sent.replace(b">BROKER<", b">MY-BROKER<")
                with urllib.request.urlopen(url, sent, timeout=60) as answered:
                    assert answered.status == 200
            process.send_signal(signal.SIGTERM)
            assert process.wait(60) == 0
        log = (tmp_path / "log").read_text("utf-8")
        lines = [json.loads(line) for line in log.splitlines()]
        answered = [line for line in lines if line["event"] == "message answered"]
        assert len(answered) == len(SECRETS)
        assert len({line["correlation"] for line in answered}) == len(SECRETS)
        assert {(line["door"], line["peer"]) for line in answered} == {("http", "127.0.0.1")}
        assert not [line for line in lines if line["level"] in ("error", "critical")]
        assert HUSH not in log
        if level == "info":
            assert "LEND-USER-1" not in log


async def test_every_message_has_one_line_in_the_journal_with_its_words(office: Office, tmp_path: Path) -> None:
    for sent in (message(LOOKUP), message(check_out("L1", "R-1")), message(LOOKUP, to="NOBODY"), b"junk"):
        await ask(office, sent)
    rows = await office.until(lambda: _lines(tmp_path / "data", 4))
    assert [(agency, partner, service, verdict) for agency, partner, service, verdict in rows] == [
        (1, "BROKER", "LookupItem", "ok"),
        (1, "BROKER", "CheckOutItem", "ok"),
        (None, "", "LookupItem", "Unknown Agency"),
        (None, "", "", "Invalid Message Syntax Error"),
    ]
    assert b"junk" in bodies(tmp_path / "data")


async def _lines(folder: Path, many: int) -> list[Any]:
    with sqlite3.connect(folder / "ncipd.sqlite3") as connection:
        rows = connection.execute("SELECT agency_id, partner, service, verdict FROM journal ORDER BY id").fetchall()
    return rows if len(rows) == many else []


# ---------------------------------------------------------------------------------------------- metrics


async def test_messages_are_counted_by_service_and_verdict_repairs_and_resends_by_name(office: Office) -> None:
    await ask(office, message(LOOKUP))
    await ask(office, message(LOOKUP).replace("n:version", "version"))
    await ask(office, message(LOOKUP.replace("L1", "L999")))
    await ask(office, message(check_out("L1", "R-1")))
    await ask(office, message(check_out("L1", "R-1")))
    await ask(office, b"junk")
    await ask(office, enveloped("<MadeUp1/>"))
    async with office.session.get(f"{office.root}/metrics") as answer:
        text = await answer.text()
    for line in (
        'ncipd_messages_total{service="LookupItem",verdict="ok"} 2.0',
        'ncipd_messages_total{service="LookupItem",verdict="Unknown Item"} 1.0',
        'ncipd_messages_total{service="CheckOutItem",verdict="ok"} 2.0',
        'ncipd_messages_total{service="(unreadable)",verdict="Invalid Message Syntax Error"} 1.0',
        'ncipd_repairs_total{repair="unqualified-version"} 1.0',
        'ncipd_resends_total{service="CheckOutItem"} 1.0',
        'ncipd_message_seconds_count{service="LookupItem"} 3.0',
    ):
        assert line in text
    assert "MadeUp1" not in text  # what a stranger writes is no label


async def test_messages_that_come_at_the_same_time_have_each_their_own_id(office: Office) -> None:
    await asyncio.gather(
        *(ask(office, message(f"<LookupUser>{user_id(f'nobody-{n}')}</LookupUser>")) for n in range(20))
    )

    async def all_there() -> Any:
        lines = (await office.see("journal"))["journal"]
        return lines if len(lines) == 20 else None

    lines = await office.until(all_there)
    assert len({line["correlation"] for line in lines}) == 20
    assert all(re.fullmatch(r"[0-9a-f]{8}-[0-9a-f]+", line["correlation"]) for line in lines)


async def test_served_strictly_what_the_schema_refuses_is_refused_and_nothing_else(tmp_path: Path) -> None:
    """And a DOCTYPE that is not looked at is no breach of the schema."""
    valid = message("<LookupAgency><AgencyId>LEND</AgencyId></LookupAgency>", to="", partner="")
    valid = valid.replace("<ToAgencyId><AgencyId></AgencyId></ToAgencyId>", "<ToAgencyId><AgencyId/></ToAgencyId>")
    with served(tmp_path, "--demo", "--strict", "--port", "0") as (_, url):
        async with aiohttp.ClientSession() as session:

            async def problem(raw: str) -> str | None:
                async with session.post(url, data=raw.encode()) as answered:
                    return Answer(await answered.read()).problem

            usual = await problem(valid)
            assert await problem("<!DOCTYPE NCIPMessage SYSTEM 'x.dtd'>" + valid) == usual
            refused = "Invalid Message Syntax Error"
            assert usual != refused
            for sloppy in (valid.replace("n:version", "version"), "\n<?xml version='1.0'?>" + valid, valid + "\x04"):
                assert await problem(sloppy) == refused
