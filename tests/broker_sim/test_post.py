"""Personas on the line: what really leaves, over HTTP and over bare connections, and what becomes of bad answers."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from urllib.parse import parse_qs

import aiohttp
import msgspec
import pytest

from broker_sim import events, masking, post
from broker_sim.agent import Access
from broker_sim.persona import Post
from broker_sim.verdict import Verdict
from tests.broker_sim.conftest import Stage
from tests.broker_sim.library import Library

Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
MESSAGE = b"<n:NCIPMessage xmlns:n='urn:x'>ok</n:NCIPMessage>"


@asynccontextmanager
async def listening(talk: Talk) -> AsyncIterator[str]:
    """A bare TCP server that talks like this; its address."""

    async def once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await talk(reader, writer)
        finally:
            writer.close()

    server = await asyncio.start_server(once, "127.0.0.1", 0)
    async with server:
        yield f"tcp://127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def sent(by: Post, url: str, body: bytes = b"<x/>", seconds: float = 60.0):
    async with aiohttp.ClientSession() as session:
        return await post.send(session, by, url, body, content_type="text/xml", seconds=seconds)


@pytest.mark.parametrize(
    ("ending", "octets"), [("nothing", b""), ("newline", b"\n"), ("nul", b"\x00"), ("eot", b"\x04")]
)
async def test_a_message_and_its_ending_leave_and_the_answer_is_taken_to_the_end_of_its_root(ending, octets):
    heard = b""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal heard
        heard = await reader.readexactly(4 + len(octets))
        for at in range(len(MESSAGE)):
            writer.write(b"\n" * (at == 0) + MESSAGE[at : at + 1])
            await writer.drain()
        writer.write(b"\x04")
        await reader.read()

    async with listening(talk) as url:
        got = await sent(Post(transport="tcp", ends_with=ending), url)
    assert heard == b"<x/>" + octets
    assert (got.outcome, got.method, got.response) == ("answered", "TCP", MESSAGE)


async def test_http_by_hand_is_read_with_its_status_and_media_type():
    heard = b""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal heard
        heard = await reader.readuntil(b"<x/>")
        writer.write(b"HTTP/1.0 200 OK\r\nContent-Type: application/xml\r\n\r\n" + MESSAGE)

    async with listening(talk) as url:
        got = await sent(Post(transport="http-over-tcp"), url)
    assert heard.startswith(b"POST /ncip HTTP/1.0\r\n")
    assert b"Content-Length: 4\r\n\r\n<x/>" in heard
    assert (got.status, got.response_type, got.response) == (200, "application/xml", MESSAGE)


@pytest.mark.parametrize("told", [True, False], ids=["its length is told", "it ends with the line"])
async def test_http_by_hand_is_read_to_its_end_in_however_many_pieces_it_comes(told):
    answer = b"<n:NCIPMessage xmlns:n='urn:x'>" + b"x" * 200_000 + b"</n:NCIPMessage>"
    head = b"HTTP/1.1 200 OK\r\n" + (f"Content-Length: {len(answer)}\r\n".encode() if told else b"") + b"\r\n"

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"<x/>")
        for piece in (head, answer[:10], answer[10:]):
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(0.02)
        if told:
            await reader.read()  # the line stays open

    async with listening(talk) as url:
        got = await sent(Post(transport="http-over-tcp"), url)
    assert (got.outcome, got.status, got.response) == ("answered", 200, answer)


@pytest.mark.parametrize(
    "answer", [b"", b"HTTP/1.0 200 OK", b"HTTP/1.0 200 OK\r\nContent-Length: 9\r\n\r\n<x/>", b"y" * 99_999]
)
async def test_http_by_hand_that_ends_too_soon_or_is_none_is_cut(answer):
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"<x/>")
        writer.write(answer)
        await writer.drain()

    async with listening(talk) as url:
        got = await sent(Post(transport="http-over-tcp"), url)
    assert got.outcome == "cut"


async def test_an_answer_to_lookup_version_ends_with_its_own_root():
    answer = b"<NCIPVersionMessage><LookupVersionResponse/></NCIPVersionMessage>"

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(4)
        writer.write(answer)
        await reader.read()

    async with listening(talk) as url:
        got = await sent(Post(transport="tcp"), url)
    assert (got.outcome, got.response) == ("answered", answer)


async def test_a_line_that_is_closed_in_the_midst_of_an_answer_is_cut():
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(4)
        writer.write(MESSAGE[:20])

    async with listening(talk) as url:
        got = await sent(Post(transport="tcp"), url)
    assert got.outcome == "cut"
    assert "20 octets came, and no end of an NCIPMessage" in (got.error or "")


async def test_no_answer_in_time_is_silence():
    async def talk(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        await reader.read()

    async with listening(talk) as url:
        got = await sent(Post(transport="tcp"), url, seconds=0.2)
    assert got.outcome == "silent"


async def test_where_nobody_listens_nothing_is_reached():
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))  # bound, so that nobody else gets it, but not listening
        url = f"tcp://127.0.0.1:{held.getsockname()[1]}"
        assert (await sent(Post(transport="tcp"), url)).outcome == "unreachable"


def test_secrets_are_blotted_out_of_forms_too():
    raw = b"<n:FromAgencyAuthentication>s3cret</n:FromAgencyAuthentication><A>x</A>"
    for form in ("xml", "percent"):
        shown = masking.mask(post.packed(Post(form=form), raw))
        assert b"s3cret" not in shown
        assert b"***" in shown
        assert b"%3CA%3Ex" in shown


# ---------------------------------------------------------------------------------------------- a whole scenario

FLOW = """
title: T
side: lending
persona: %s
needs: [item.available]
variables: {request: "R-${unique}"}
steps:
    - send: CheckOutItem
      message:
        UserId: {UserIdentifierValue: "-"}
        ItemId: {ItemIdentifierValue: "${item}"}
        RequestId: {RequestIdentifierValue: "${request}"}
        DesiredDateDue: "${now+7d}"
    - send: CheckInItem
      message:
        ItemId: {ItemIdentifierValue: "${item}"}
"""


async def test_a_scenario_is_sent_as_its_persona_sends_and_the_broker_still_knows_what_it_said(stage: Stage, tmp_path):
    file = tmp_path / "illiad-alma" / "flow.yaml"
    file.parent.mkdir()
    file.write_text(FLOW % "illiad-alma", "utf-8")
    library = Library()
    record = await stage.play(library, file)
    (scenario,) = record.scenarios.values()
    assert scenario.verdict is Verdict.PASS, scenario.unmet
    out, back = library.received
    assert b' version="http' in out
    assert b'encoding="ISO-8859-1"' in out
    assert b"<ns1:ApplicationProfileType>ILLIAD-ALMA<" in out
    assert b"<ns1:UserIdentifierValue>pseudopatron<" in back
    assert {headers["Content-Type"] for headers in library.seen_headers} == {"text/xml"}
    statuses = [event.status for event in stage.events if isinstance(event, events.BrokerStatus)]
    assert statuses[-1] == "Completed"


async def test_a_form_a_key_and_a_token_reach_the_target(stage: Stage, tmp_path, folder):
    folder(mine='title = "T"\nabout = "A"\n[post]\nform = "xml"\nkey = "k-${to}"\nauthorization = "Bearer x"\n')
    file = tmp_path / "mine" / "flow.yaml"
    file.parent.mkdir()
    file.write_text(FLOW % "mine", "utf-8")
    library = Library()
    await stage.play(library, file)
    assert list(parse_qs(library.received[0].decode())) == ["xml"]
    assert library.seen_headers[0]["Authorization"] == "Bearer x"
    exchanges = [event.exchange for event in stage.events if isinstance(event, events.Exchanged)]
    assert exchanges[0].url.endswith("/ncip/k-NCIPD-LEND")


@pytest.mark.parametrize("tcp", [None, "127.0.0.1:1"])
async def test_a_door_that_nobody_keeps_open_is_a_reason_to_skip(stage: Stage, tmp_path, tcp):
    file = tmp_path / "relais-d2d" / "flow.yaml"
    file.parent.mkdir()
    ids = FLOW.replace("UserId: {", "UserId: {AgencyId: L, ").replace("ItemId: {", "ItemId: {AgencyId: L, ")
    file.write_text(ids.replace("RequestId: {", "RequestId: {AgencyId: L, ") % "relais-d2d", "utf-8")
    stage.agent = msgspec.structs.replace(stage.agent, access=Access(tcp=tcp))
    record = await stage.play(Library(), file)
    (scenario,) = record.scenarios.values()
    assert scenario.verdict is Verdict.SKIP
    assert scenario.reason == (
        "nobody listens at tcp://127.0.0.1:1, where the agent file has the target's TCP door"
        if tcp
        else "the agent file has no [access] tcp, and relais-d2d sends without HTTP"
    )
