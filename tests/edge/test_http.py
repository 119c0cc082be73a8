"""The HTTP door, over real connections, with a stub behind it that says what it got."""

from __future__ import annotations

import asyncio
import gzip
import json
import tracemalloc
import zlib
from contextlib import asynccontextmanager

import aiohttp
import pytest
from aiohttp import web

from ncipd.http import DOOR, build_http, listen
from ncipd.metrics import Metrics
from ncipd.responder import Answer
from tests.waiting import WITHIN, until

LIMIT = 100_000


class Stub:
    """Answers with what it was sent; holds an answer back while `gate` is closed."""

    def __init__(self):
        self.seen = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.entered = asyncio.Event()

    async def respond(self, raw, door):
        self.seen.append((raw, door))
        self.entered.set()
        await self.gate.wait()
        return Answer(b"<answer>%d</answer>" % len(raw))


class Setup:
    def __init__(self, stub, metrics, listener, session):
        self.stub, self.metrics, self.listener, self.session = stub, metrics, listener, session
        self.url = listener.url
        self.root = listener.url.removesuffix("/ncip")
        self.not_ready = ""

    @property
    def door(self):
        return self.listener.runner.app[DOOR]

    async def raw(self, text):
        """Send bytes on a connection of their own; give what comes back until the server closes it."""
        reader, writer = await self.open()
        writer.write(text)
        try:
            return await asyncio.wait_for(reader.read(), WITHIN)
        finally:
            writer.close()

    async def open(self):
        """Open a connection of its own."""
        host, port = self.root.removeprefix("http://").split(":")
        return await asyncio.open_connection(host, int(port))


@asynccontextmanager
async def opened(*, body_seconds=WITHIN, idle_seconds=WITHIN):
    """An open HTTP door; one that is patient, unless a test is about its patience."""
    stub, metrics = Stub(), Metrics()
    state = {}

    def api(app):
        async def desk(request):
            return web.json_response({"path": request.path})

        app.router.add_get("/api/v1/tasks", desk)

    app = build_http(
        stub,
        readiness=lambda: state["setup"].not_ready,
        metrics=metrics,
        max_body=LIMIT,
        body_seconds=body_seconds,
        api=api,
    )
    listener = await listen(app, "127.0.0.1", 0, idle_seconds=idle_seconds, drain_seconds=WITHIN)
    async with aiohttp.ClientSession() as session:
        state["setup"] = setup = Setup(stub, metrics, listener, session)
        yield setup
        stub.gate.set()
    await listener.close()


@pytest.fixture
async def http():
    async with opened() as setup:
        yield setup


@pytest.fixture
def peak():
    """The most memory that was in use since the test began, in bytes."""
    tracemalloc.start()
    yield lambda: tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()


async def test_a_posted_message_is_answered_as_xml(http):
    async with http.session.post(http.url, data=b"<m/>", headers={"Content-Type": "application/xml"}) as answer:
        assert answer.status == 200
        assert answer.headers["Content-Type"] == 'application/xml; charset="utf-8"'
        assert answer.headers["Server"].startswith("ncipd/")
        assert await answer.read() == b"<answer>4</answer>"
    ((raw, door),) = http.stub.seen
    assert (raw, door.transport, door.key, door.peer) == (b"<m/>", "http", None, "127.0.0.1")


async def test_path_key_and_credentials_reach_the_responder(http):
    headers = {"Content-Type": "text/xml; charset=latin-1", "Authorization": "Basic abc"}
    async with http.session.post(f"{http.url}/alma%20eu", data=b"<m/>", headers=headers) as answer:
        assert answer.status == 200
    door = http.stub.seen[0][1]
    assert (door.key, door.credentials) == ("alma eu", "Basic abc")


@pytest.mark.parametrize(
    "media_type", ["application/xml", "text/plain", "application/x-www-form-urlencoded", "nonsense"]
)
async def test_any_content_type_is_taken(http, media_type):
    async with http.session.post(http.url, data=b"<m/>", headers={"Content-Type": media_type}) as answer:
        assert answer.status == 200


async def test_no_content_type_and_no_body_are_the_responders_business(http):
    answer = await http.raw(b"POST /ncip/ HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
    assert b"200 OK" in answer
    raw, door = http.stub.seen[0]
    assert (raw, door.key) == (b"", None)


async def test_a_message_exactly_at_the_limit_is_taken(http):
    async with http.session.post(http.url, data=b"x" * LIMIT) as answer:
        assert answer.status == 200
        assert await answer.read() == b"<answer>%d</answer>" % LIMIT


async def test_a_chunked_message_is_put_together(http):
    async def chunks():
        for _ in range(5):
            yield b"<m>" * 100
            await asyncio.sleep(0.01)

    async with http.session.post(http.url, data=chunks()) as answer:
        assert await answer.read() == b"<answer>1500</answer>"


async def test_a_message_over_the_limit_is_refused_by_its_announced_length_before_it_is_sent(http):
    """Nothing of the body is needed, so nothing of it is kept."""
    reader, writer = await http.open()
    writer.write(b"POST /ncip HTTP/1.1\r\nHost: x\r\nContent-Length: 104857600\r\n\r\n")
    head = await asyncio.wait_for(reader.readuntil(b"\r\n"), WITHIN)
    assert b" 413 " in head
    writer.close()
    assert not http.stub.seen


async def test_a_client_that_asks_first_is_told_no_without_sending(http):
    """Expect: 100-continue is answered with 413 at once, and with 100 where the message may come."""
    reader, writer = await http.open()
    writer.write(b"POST /ncip HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 104857600\r\n\r\n")
    assert b" 413 " in await asyncio.wait_for(reader.readuntil(b"\r\n"), WITHIN)
    writer.close()
    reader, writer = await http.open()
    writer.write(b"POST /ncip HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n")
    assert await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), WITHIN) == b"HTTP/1.1 100 Continue\r\n\r\n"
    writer.write(b"<m/>")
    assert b" 200 " in await asyncio.wait_for(reader.readuntil(b"\r\n"), WITHIN)
    writer.close()


async def test_a_hundred_megabytes_without_a_length_are_refused_while_they_stream_and_never_kept(http, peak):
    async def endless():
        chunk = b"x" * 1_000_000
        for _ in range(100):
            yield chunk

    async with http.session.post(http.url, data=endless()) as answer:
        assert answer.status == 413
        assert "at most 100000 bytes" in await answer.text()
    assert not http.stub.seen
    assert peak() < 20_000_000  # bytes, those of the client included


async def test_a_compressed_message_is_taken_and_counts_decompressed(http):
    headers = {"Content-Encoding": "gzip"}
    async with http.session.post(http.url, data=gzip.compress(b"<m/>" * 1000), headers=headers) as answer:
        assert await answer.read() == b"<answer>4000</answer>"


@pytest.mark.parametrize(("encoding", "wbits"), [("gzip", 31), ("deflate", 15)])
async def test_a_small_body_that_decompresses_to_hundreds_of_megabytes_is_refused_and_never_kept(
    http, peak, encoding, wbits
):
    press = zlib.compressobj(wbits=wbits)
    bomb = b"".join(press.compress(b"\0" * 1_000_000) for _ in range(300)) + press.flush()
    async with http.session.post(http.url, data=bomb, headers={"Content-Encoding": encoding}) as answer:
        assert answer.status == 413
    assert not http.stub.seen
    assert peak() < 20_000_000  # bytes


async def test_a_body_that_is_not_what_its_encoding_says_is_refused(http):
    async with http.session.post(http.url, data=b"<m/>", headers={"Content-Encoding": "gzip"}) as answer:
        assert answer.status == 400
    assert not http.stub.seen


async def test_a_body_that_does_not_come_in_time_is_refused():
    async with opened(body_seconds=0.4) as http:
        reader, writer = await http.open()
        writer.write(b"POST /ncip HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n<m")
        assert b" 408 " in await asyncio.wait_for(reader.readuntil(b"\r\n"), WITHIN)
        writer.close()
        assert not http.stub.seen


@pytest.mark.parametrize("start", [b"", b"POST /ncip HT", b"POST /ncip HTTP/1.1\r\nHost: x\r\nX-Slow: "])
async def test_a_connection_that_sends_no_whole_head_is_closed(start):
    async with opened(idle_seconds=0.5) as http:
        assert await http.raw(start) == b""


async def test_a_slow_client_does_not_keep_others_waiting(http):
    _, writer = await http.open()
    writer.write(b"POST /ncip HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n<m")
    async with http.session.post(http.url, data=b"<m/>") as answer:
        assert answer.status == 200
    writer.close()


async def test_one_connection_carries_several_messages_and_close_is_honoured(http):
    one = b"POST /ncip HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\n<m/>"
    last = one.replace(b"Host: x\r\n", b"Host: x\r\nConnection: close\r\n")
    answer = await http.raw(one + one + last)
    assert answer.count(b"HTTP/1.1 200 OK") == 3
    assert answer.count(b"<answer>4</answer>") == 3


async def test_http_1_0_is_answered_and_closed(http):
    answer = await http.raw(b"POST /ncip HTTP/1.0\r\nContent-Length: 4\r\n\r\n<m/>")
    assert answer.startswith(b"HTTP/1.0 200 OK")
    assert answer.endswith(b"<answer>4</answer>")


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "HEAD", "OPTIONS"])
@pytest.mark.parametrize("path", ["", "/", "/key"])
async def test_anything_but_post_is_told_what_is_allowed(http, method, path):
    async with http.session.request(method, http.url + path) as answer:
        assert answer.status == 405
        assert answer.headers["Allow"] == "POST"
        assert method == "HEAD" or "by POST" in await answer.text()


@pytest.mark.parametrize(("method", "status"), [("GET", 200), ("POST", 404)])
async def test_the_root_says_where_messages_go(http, method, status):
    async with http.session.request(method, f"{http.root}/", data=b"<NCIPMessage/>") as answer:
        assert (answer.status, answer.headers["Server"][:6]) == (status, "ncipd/")
        assert "POST /ncip" in await answer.text()


async def test_what_is_no_http_is_refused_by_the_server(http):
    assert b" 400 " in (await http.raw(b"<NCIPMessage/>\r\n\r\n"))[:40]


async def test_health_and_readiness_tell_apart_running_and_able_to_answer(http):
    async with http.session.get(f"{http.root}/healthz") as answer:
        assert (answer.status, (await answer.json())["status"]) == (200, "ok")
    async with http.session.get(f"{http.root}/readyz") as answer:
        assert (answer.status, await answer.json()) == (200, {"status": "ready"})
    http.not_ready = "the store is being migrated"
    async with http.session.get(f"{http.root}/healthz") as answer:
        assert answer.status == 200
    async with http.session.get(f"{http.root}/readyz") as answer:
        assert (answer.status, (await answer.json())["reason"]) == (503, "the store is being migrated")


async def test_refusals_are_counted_in_the_metrics(http):
    async with http.session.get(http.url), http.session.get(http.url):
        pass
    async with http.session.get(f"{http.root}/metrics") as answer:
        assert answer.headers["Content-Type"].startswith("text/plain")
        assert 'ncipd_http_refused_total{status="405"} 2.0' in await answer.text()


async def test_other_routes_can_be_added(http):
    async with http.session.get(f"{http.root}/api/v1/tasks") as answer:
        assert json.loads(await answer.read()) == {"path": "/api/v1/tasks"}


async def test_draining_answers_what_is_in_flight_and_refuses_what_comes_after(http):
    http.stub.gate.clear()
    in_flight = asyncio.create_task(http.session.post(http.url, data=b"<m/>"))
    await http.stub.entered.wait()
    closing = asyncio.create_task(http.listener.close())
    await until(lambda: http.door.draining)
    async with http.session.post(http.url, data=b"<late/>") as answer:
        assert answer.status == 503
        assert int(answer.headers["Retry-After"]) > 0
    async with http.session.get(f"{http.root}/readyz") as answer:
        assert (answer.status, (await answer.json())["reason"]) == (503, "draining")
    http.stub.gate.set()
    async with await in_flight as answer:
        assert await answer.read() == b"<answer>4</answer>"
    assert await closing
    with pytest.raises(aiohttp.ClientConnectorError):
        await http.session.post(http.url, data=b"<m/>")


async def test_draining_waits_for_a_message_that_is_still_arriving(http):
    reader, writer = await http.open()
    writer.write(b"POST /ncip HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\n<m")
    await until(lambda: http.door.in_flight)
    closing = asyncio.create_task(http.listener.close())
    await until(lambda: http.door.draining)
    writer.write(b"/>")
    assert b" 200 " in await asyncio.wait_for(reader.readuntil(b"\r\n"), WITHIN)
    assert await closing
    writer.close()


async def test_draining_does_not_wait_for_ever():
    stub = Stub()
    stub.gate.clear()
    app = build_http(stub, readiness=str, metrics=Metrics(), max_body=LIMIT)
    listener = await listen(app, "127.0.0.1", 0, drain_seconds=0.05)
    async with aiohttp.ClientSession() as session:
        in_flight = asyncio.create_task(session.post(listener.url, data=b"<m/>"))
        await stub.entered.wait()
        assert not await app[DOOR].drain(0.05)
        stub.gate.set()
        async with await in_flight as answer:
            assert answer.status == 200
    assert await listener.close()


async def test_a_client_that_goes_away_does_not_undo_what_it_asked_for(http):
    """The responder runs to its end: what was begun is committed and stored for the resend."""
    http.stub.gate.clear()
    _, writer = await http.open()
    writer.write(b"POST /ncip HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\n<m/>")
    await http.stub.entered.wait()
    writer.close()
    left = http.listener.runner.server.connections
    await until(lambda: all(one.transport is None for one in left), "ncipd has seen the client go")
    assert http.door.in_flight == 1
    http.stub.gate.set()
    await until(lambda: not http.door.in_flight)


async def test_a_port_that_is_taken_is_an_error(http):
    app = build_http(Stub(), readiness=str, metrics=Metrics(), max_body=LIMIT)
    with pytest.raises(OSError, match="address already in use"):
        await listen(app, "127.0.0.1", int(http.root.rpartition(":")[2]))
