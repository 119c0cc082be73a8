"""A message out, its answer in: what counts as an answer, however a partner's server delivers it."""

from __future__ import annotations

import asyncio
import gzip
import json
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

import aiohttp
import pytest
import trustme
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from ncipd.initiator import LONGEST, Answer, Initiator, Undelivered, seconds_until, understand, without_password
from ncipd.ncip.messages import CheckInItemResponse, RenewItemResponse
from tests.edge.listener import PENDING, Broker, ncip, plain, problem, renewed, wrapped
from tests.waiting import WITHIN

NOW = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)


@pytest.fixture
async def initiator() -> AsyncIterator[Initiator]:
    async with aiohttp.ClientSession() as session:
        yield Initiator(session, seconds=WITHIN)


@pytest.fixture
async def hasty() -> AsyncIterator[Initiator]:
    """An initiator that does not wait for long."""
    async with aiohttp.ClientSession() as session:
        yield Initiator(session, seconds=0.5)


async def refusal(initiator: Initiator, url: str) -> Undelivered:
    with pytest.raises(Undelivered) as caught:
        await initiator.send(url, b"<m/>")
    return caught.value


# ---------------------------------------------------------------------------------------------- over HTTP


async def test_a_response_comes_back_decoded_and_word_for_word(initiator: Initiator, broker: Broker) -> None:
    broker.usual = ncip(renewed("2026-03-05T22:59:59Z"))
    answer = await initiator.send(broker.url, b"<m/>")
    assert answer.raw == wrapped(renewed("2026-03-05T22:59:59Z"))
    assert type(answer.response).__name__ == "RenewItemResponse"
    assert answer.problems == ()


async def test_an_answer_that_comes_in_pieces_is_put_together(initiator: Initiator, broker: Broker) -> None:
    """Servers send a body in as many packets as they like."""
    whole = wrapped(PENDING)

    async def in_pieces(request: web.Request, _body: bytes) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        for start in range(0, len(whole), 50):
            await response.write(whole[start : start + 50])
            await asyncio.sleep(0.005)
        return response

    broker.usual = in_pieces
    assert (await initiator.send(broker.url, b"<m/>")).raw == whole


async def test_an_answer_without_end_is_not_read_to_its_end(initiator: Initiator, broker: Broker) -> None:
    sent = 0

    async def endless(request: web.Request, _body: bytes) -> web.StreamResponse:
        nonlocal sent
        response = web.StreamResponse()
        await response.prepare(request)
        while sent < 100 * LONGEST:
            await response.write(b" " * 100_000)
            sent += 100_000
        return response

    broker.usual = endless
    why = await refusal(initiator, broker.url)
    assert "no NCIP message" in str(why)
    assert sent < 20 * LONGEST


async def test_a_compressed_answer_is_read_and_a_bomb_is_not(initiator: Initiator, broker: Broker) -> None:
    async def compressed(request: web.Request, _body: bytes) -> web.StreamResponse:
        response = web.Response(body=wrapped(PENDING))
        response.enable_compression(web.ContentCoding.gzip)
        return response

    broker.script = [compressed]
    assert (await initiator.send(broker.url, b"<m/>")).response is not None
    broker.script = [plain(gzip.compress(b" " * 50_000_000), Content_Encoding="gzip")]
    assert "no NCIP message" in str(await refusal(initiator, broker.url))


async def test_a_broker_that_does_not_answer_in_time_is_given_up_for_now(hasty: Initiator, broker: Broker) -> None:
    broker.gate.clear()
    why = await refusal(hasty, broker.url)
    assert str(why) == f"{broker.url} did not answer within 0.5 s"


async def test_a_broker_that_begins_to_answer_and_stops_is_given_up_too(hasty: Initiator, broker: Broker) -> None:
    given_up = asyncio.Event()

    async def stops(request: web.Request, _body: bytes) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": "1000"})
        await response.prepare(request)
        await response.write(b"<NCIPMessage")
        await given_up.wait()
        return response

    broker.usual = stops
    assert "did not answer within" in str(await refusal(hasty, broker.url))
    given_up.set()


async def test_nothing_there_is_said_so(initiator: Initiator) -> None:
    why = await refusal(initiator, "http://127.0.0.1:9/ncip")
    assert str(why) == "http://127.0.0.1:9/ncip cannot be reached: Connection refused"


@pytest.mark.parametrize("url", ["http://[/", "nonsense", "ftp://example.org/", "http:///ncip", "http://a b/"])
async def test_an_address_that_is_none_is_an_undelivered_message_and_no_crash(initiator: Initiator, url: str) -> None:
    assert "cannot be reached" in str(await refusal(initiator, url))


async def test_a_redirection_is_not_followed(initiator: Initiator, broker: Broker) -> None:
    """What is in a message is for the address that was configured."""
    broker.script = [plain(b"", 307, Location=broker.url)]
    assert "HTTP 307" in str(await refusal(initiator, broker.url))
    assert len(broker.got) == 1


async def test_a_password_in_the_address_is_sent_and_never_told(initiator: Initiator, broker: Broker) -> None:
    broker.usual = plain(b"", 500)
    for url in (broker.url.replace("//", "//me:hush@"), "http://me:hush@127.0.0.1:9/"):
        assert "hush" not in str(await refusal(initiator, url))


async def test_retry_after_is_read(initiator: Initiator, broker: Broker) -> None:
    broker.usual = plain(b"", 503, Retry_After="120")
    assert (await refusal(initiator, broker.url)).retry_after == 120.0
    broker.usual = plain(b"", 503)
    assert (await refusal(initiator, broker.url)).retry_after is None


# ---------------------------------------------------------------------------------------------- over TCP and TLS


@asynccontextmanager
async def peer(
    *pieces: bytes, tls: ssl.SSLContext | None = None, pause: float = 0.0
) -> AsyncIterator[tuple[int, list[bytes]]]:
    """A partner that reads a line and then says what it is told to; gives its port and the lines it got."""
    got: list[bytes] = []
    talks: list[asyncio.Task[object] | None] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        talks.append(asyncio.current_task())
        with suppress(ConnectionError):
            got.append(await reader.readline())
            for piece in pieces:
                writer.write(piece)
                await writer.drain()
                await asyncio.sleep(pause)
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=tls)
    yield server.sockets[0].getsockname()[1], got
    server.close()
    await asyncio.gather(*(talk for talk in talks if talk is not None))


async def test_over_tcp_the_first_whole_message_is_the_answer(initiator: Initiator) -> None:
    """What it is sent ends with a newline, because some wait for one."""
    whole = wrapped(renewed("2026-03-05T22:59:59Z"))
    async with peer(b"\n" + whole[:30], whole[30:] + b"\x00" + whole, pause=0.02) as (port, got):
        answer = await initiator.send(f"tcp://127.0.0.1:{port}", b"<m/>")
    assert (answer.raw, got) == (whole, [b"<m/>\n"])
    assert type(answer.response).__name__ == "RenewItemResponse"


async def test_over_tls_a_partner_is_believed_whose_certificate_is_good_and_no_other(
    initiator: Initiator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("localhost").configure_cert(tls)
    async with peer(wrapped(PENDING), tls=tls) as (port, got):
        assert "certificate verify failed" in str(await refusal(initiator, f"tcps://localhost:{port}"))
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
        assert (await initiator.send(f"tcps://localhost:{port}", b"<m/>")).raw == wrapped(PENDING)
    assert got[-1] == b"<m/>\n"


@pytest.mark.parametrize(
    ("pieces", "told"),
    [
        ([b"HELO there"], "no NCIP message: Expected the '<'"),
        ([wrapped(PENDING)[:-20]], "no NCIP message: Line 1"),
        ([], "no NCIP message"),
        ([b"<NCIPMessage>" + b"x" * 2 * LONGEST], "no NCIP message: A message may have at most 1,048,576 bytes"),
    ],
    ids=["rubbish", "cut off", "hung up", "too long"],
)
async def test_over_tcp_what_is_no_answer_says_why(initiator: Initiator, pieces: list[bytes], told: str) -> None:
    async with peer(*pieces, pause=0.02) as (port, _):
        why = await refusal(initiator, f"tcp://127.0.0.1:{port}")
    assert told in str(why)
    assert f"tcp://127.0.0.1:{port}" in str(why)


async def test_over_tcp_one_that_dribbles_is_given_up_too(hasty: Initiator) -> None:
    """It never stops for long, and yet the time for the whole answer is over."""
    async with peer(b"<NCIPMessage>", *[b"x"] * 3_000, pause=0.02) as (port, _):
        url = f"tcp://127.0.0.1:{port}"
        assert str(await refusal(hasty, url)) == f"{url} did not answer within 0.5 s"


async def test_over_tcp_nobody_there_is_told(initiator: Initiator) -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))  # bound, so that nobody else gets it, but not listening
        url = f"tcp://127.0.0.1:{held.getsockname()[1]}"
        assert f"{url} cannot be reached" in str(await refusal(initiator, url))


# ---------------------------------------------------------------------------------------------- Retry-After


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0", 0.0),
        (" 30 ", 30.0),
        ("Mon, 05 Jan 2026 09:02:00 GMT", 120.0),
        ("Mon, 05 Jan 2026 10:02:00 +0100", 120.0),
        ("Mon, 05 Jan 2026 08:00:00 GMT", 0.0),  # it is over
        ("Monday, 05-Jan-26 09:02:00 GMT", 120.0),
        ("", None),
        ("soon", None),
        ("-5", None),
        ("1.5", None),
        ("²", None),
        ("9" * 400, None),
        ("Mon, 99 Jan 2026 09:02:00 GMT", None),
    ],
)
def test_retry_after_is_seconds_or_a_date(text: str, seconds: float | None) -> None:
    """RFC 9110 section 10.2.3."""
    assert seconds_until(text, NOW) == seconds


@given(st.text(max_size=60) | st.from_regex(r"[A-Z][a-z]{2}, \d{1,3} [A-Z][a-z]{2} \d{1,6} \d\d:\d\d:\d\d [A-Z]{0,3}"))
def test_any_retry_after_gives_a_pause_or_none(text: str) -> None:
    found = seconds_until(text, NOW)
    assert found is None or found >= 0


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://broker.example/ncip?x=1", "https://broker.example/ncip?x=1"),
        ("https://me:hush@broker.example:8443/ncip", "https://broker.example:8443/ncip"),
        ("https://hush@[::1]:80/", "https://[::1]:80/"),
        ("http://a:b@c@host/", "http://host/"),
        ("http://[/", "the broker's address"),
        ("", ""),
    ],
)
def test_an_address_is_shown_without_its_password(url: str, shown: str) -> None:
    assert without_password(url) == shown


# ---------------------------------------------------------------------------------------------- understanding


def test_problems_for_the_whole_message_are_an_answer() -> None:
    answer = understand(wrapped("<Problem><ProblemType>Unknown Agency</ProblemType></Problem>" * 2), "u")
    assert answer.response is None
    assert [problem.problem_type.value for problem in answer.problems] == ["Unknown Agency"] * 2


def test_problems_in_a_response_are_told() -> None:
    answer = understand(wrapped(problem("RenewItem", "Unknown Item", "no")), "u")
    assert [problem.problem_detail for problem in answer.problems] == ["no"]
    assert answer.response is not None


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        ("CheckInItem", "<Problem><ProcessingError>{}</ProcessingError></Problem>"),
        ("CheckInItem", "<Problem><MessagingError>{}</MessagingError></Problem>"),
        ("ItemShipped", "<MessagingError>{}</MessagingError>"),
    ],
)
def test_problems_in_a_response_of_version_1_are_told(kind: str, error: str) -> None:
    """Whichever way they are put there."""
    agency = "<UniqueAgencyId><Scheme/><Value>A</Value></UniqueAgencyId>"
    header = f"<FromAgencyId>{agency}</FromAgencyId><ToAgencyId>{agency}</ToAgencyId>"
    name = "Messaging" if "Messaging" in error else "Processing"
    told = (
        f"<{name}ErrorType><Scheme/><Value>Unknown Item</Value></{name}ErrorType><{name}ErrorElement><ElementName>"
        f"UniqueItemId</ElementName><{name}ErrorElement><ElementName>ItemIdentifierValue</ElementName>"
        f"<{name}ErrorValue>77</{name}ErrorValue></{name}ErrorElement></{name}ErrorElement>"
    )
    raw = (
        '<NCIPMessage version="http://www.niso.org/ncip/v1_0/imp1/dtd/ncip_v1_0.dtd">'
        f"<{kind}Response><ResponseHeader>{header}</ResponseHeader>{error.format(told)}</{kind}Response></NCIPMessage>"
    )
    answer = understand(raw.encode(), "u")
    assert type(answer.response).__name__ == f"{kind}Response"
    (problem,) = answer.problems
    assert str(problem.problem_type) == "Unknown Item"
    assert (problem.problem_element, problem.problem_value) == ("ItemId/ItemIdentifierValue", "77")


def test_an_answer_with_the_usual_deviations_is_understood() -> None:
    """No namespace, no qualified version: brokers answer as they send."""
    raw = f'<NCIPMessage version="http://www.niso.org/schemas/ncip/v2_02/ncip_v2_02.xsd">{PENDING}</NCIPMessage>'
    assert isinstance(understand(raw.encode(), "u"), Answer)


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (b"", "no NCIP message"),
        (b"{}", "no NCIP message"),
        (b"<html/>", "no NCIP message"),
        (b'<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>', "no NCIP message"),
        (b"<NCIPMessage/>", "no NCIP message"),
        (wrapped("<Ext/>"), "which is no response"),
        (wrapped("<RenewItem/>"), "no NCIP message"),
        (b'<NCIPMessage version="http://www.niso.org/ncip/v1_0/imp1/dtd/ncip_v1_0.dtd"/>', "no NCIP message"),
    ],
)
def test_what_is_no_answer_is_undelivered(raw: bytes, words: str) -> None:
    with pytest.raises(Undelivered, match=words):
        understand(raw, "u")


PROBLEM_STYLES = {
    "in the response": (wrapped(problem("RenewItem", "Item Not Renewable", "no")), "Item Not Renewable", "no"),
    "for the whole message": (
        wrapped("<Problem><ProblemType>Unknown System</ProblemType><ProblemDetail>x</ProblemDetail></Problem>"),
        "Unknown System",
        "x",
    ),
    "of a type that nobody knows": (wrapped(problem("RenewItem", "Ukjent feil", "x")), "Ukjent feil", "x"),
    "without a namespace": (
        (
            b"<NCIPMessage version='2.02'><RenewItemResponse><Problem><ProblemType>Unknown Item</ProblemType></Problem>"
            b"</RenewItemResponse></NCIPMessage>"
        ),
        "Unknown Item",
        None,
    ),
    "as plain text": (
        wrapped("<RenewItemResponse><Problem>Not today</Problem></RenewItemResponse>"),
        "Problem",
        "Not today",
    ),
    "as plain text for the whole": (wrapped("<Problem>Not today</Problem>"), "Problem", "Not today"),
    "without a type": (
        wrapped("<RenewItemResponse><Problem><ProblemDetail>Not today</ProblemDetail></Problem></RenewItemResponse>"),
        "Problem",
        "Not today",
    ),
    "out of order": (
        wrapped(
            "<RenewItemResponse><Problem><ProblemValue>v</ProblemValue><ProblemType>Unknown Item</ProblemType>"
            "<ProblemDetail>d</ProblemDetail></Problem></RenewItemResponse>"
        ),
        "Unknown Item",
        "d",
    ),
    "beside what only a success has": (
        wrapped(
            "<RenewItemResponse><Problem><ProblemType>Unknown Item</ProblemType></Problem>"
            "<ItemId><ItemIdentifierValue>X-1</ItemIdentifierValue></ItemId></RenewItemResponse>"
        ),
        "Unknown Item",
        None,
    ),
    "with elements of the partner's own": (
        wrapped("<Problem><Code>17</Code><Text>Not today</Text></Problem>"),
        "Problem",
        "17 Not today",
    ),
    "without an envelope": (b"<Problem><message>No connection</message></Problem>", "Problem", "No connection"),
}


@pytest.mark.parametrize("style", PROBLEM_STYLES)
def test_a_problem_is_recognised_in_every_style(style: str) -> None:
    raw, type_, detail = PROBLEM_STYLES[style]
    (told,) = understand(raw, "u").problems
    assert told.problem_type.value == type_
    assert (told.problem_detail or None) == detail


def test_an_answer_that_lacks_what_the_grammar_wants_is_still_an_answer() -> None:
    """Servers in the field confirm with less than the schema asks for; what was asked for has happened."""
    answer = understand(wrapped("<RenewItemResponse><DateDue>2026-03-05T22:59:59Z</DateDue></RenewItemResponse>"), "u")
    assert isinstance(answer.response, RenewItemResponse)
    assert answer.response.date_due == datetime(2026, 3, 5, 22, 59, 59, tzinfo=UTC)
    assert answer.problems == ()
    assert isinstance(understand(wrapped("<CheckInItemResponse/>"), "u").response, CheckInItemResponse)
    with pytest.raises(Undelivered, match="Refused"):  # what nobody knows may be where it says no
        understand(wrapped("<CheckInItemResponse><Refused>No</Refused></CheckInItemResponse>"), "u")


def test_every_response_of_the_corpus_is_read_and_every_refusal_seen(shared: Path) -> None:
    """As an initiator would read it: the service it answers, or the problems that its text names."""
    corpus = shared / "corpus"
    responses = [
        entry
        for entry in json.loads((corpus / "index.json").read_text("utf-8"))
        if entry["family"] == "2" and entry["direction"] == "response" and entry["well_formed"]
    ]
    refused = 0
    for entry in responses:
        raw = (corpus / entry["file"]).read_bytes()
        root = etree.fromstring(raw.lstrip(), etree.XMLParser(remove_comments=True, remove_pis=True))
        if not isinstance(root.tag, str) or etree.QName(root).localname not in {"NCIPMessage", "Problem"}:
            continue
        answer = understand(raw, "u")
        within = root[0] if entry["type"].startswith("Ext/") else root
        said = [*root.iterfind("./{*}Problem"), *within.iterfind("./*/{*}Problem")]
        assert len(answer.problems) == len(said), entry["file"]
        types = [(node.findtext("{*}ProblemType") or "").strip() for node in said]
        assert [
            told.problem_type.value.strip() for told in answer.problems if told.problem_type.value != "Problem"
        ] == [type_ for type_ in types if type_], entry["file"]
        refused += bool(said)
        if not said and entry["type"].endswith("Response"):
            assert type(answer.response).__name__ == entry["type"].removeprefix("Ext/"), entry["file"]
    assert refused > 10
    assert len(responses) > 60


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_any_bytes_are_an_answer_or_undelivered(raw: bytes) -> None:
    for body in (raw, wrapped(raw.decode("utf-8", "ignore"))):
        with suppress(Undelivered):
            assert isinstance(understand(body, "u"), Answer)
