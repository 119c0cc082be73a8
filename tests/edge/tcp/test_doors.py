"""The TCP doors, over real connections and real TLS, with a stub behind them that says what it got."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import socket
import ssl
import tracemalloc

import msgspec
import pytest
import trustme

from ncipd.config import EndsWith, Tcp
from ncipd.metrics import Metrics
from ncipd.responder import Answer
from ncipd.tcp import open_doors
from ncipd.tls import Unusable
from tests.edge.talker import talking
from tests.waiting import WITHIN, until

LIMIT = 100_000
DOOR = "127.0.0.1:0"


def say(text):
    return f"<NCIPMessage>{text}</NCIPMessage>".encode()


class Stub:
    """Answers with what it was sent; holds answers back while `gate` is closed."""

    def __init__(self):
        self.seen = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.entered = asyncio.Event()
        self.answer = b"<NCIPMessage>answer to %s</NCIPMessage>"

    async def respond(self, raw, door):
        self.seen.append((raw, door))
        self.entered.set()
        await self.gate.wait()
        asked = raw.removeprefix(b"<NCIPMessage>").removesuffix(b"</NCIPMessage>")
        return Answer(self.answer.replace(b"%s", asked))

    async def refuse(self, raw, problem):
        return b"<NCIPMessage>problem: %s</NCIPMessage>" % problem.detail.encode()


def talks(door):
    """The conversations at a door."""
    return [connection._talk for connection in door.connections if connection._talk is not None]


def answered(text):
    return b"<NCIPMessage>answer to %s</NCIPMessage>" % text.encode()


class Doors:
    """Opens doors, and closes what is still open in the end."""

    def __init__(self):
        self.stub, self.metrics, self.opened = Stub(), Metrics(), []

    async def open(self, **settings):
        base = {"listen": DOOR, "idle_seconds": WITHIN, "message_seconds": WITHIN}
        (door,) = await open_doors((Tcp(**(base | settings)),), self.stub, self.metrics, LIMIT)
        self.opened.append(door)
        return door

    def counted(self, name):
        """The counters of a metric by the value of their last label."""
        lines = [line for line in self.metrics.render().decode().splitlines() if line.startswith(name + "{")]
        return {line.split('="')[-1].split('"')[0]: float(line.split()[-1]) for line in lines}

    async def ended(self, end):
        """Wait until a connection has been counted as ended so."""
        await until(lambda: self.counted("ncipd_tcp_connections_total").get(end), f"one ends as {end!r}")


@pytest.fixture
async def doors():
    """Whatever happens at a door, nothing fails in the background."""
    made, trouble = Doors(), []
    asyncio.get_running_loop().set_exception_handler(lambda _loop, context: trouble.append(context))
    yield made
    made.stub.gate.set()
    for door in made.opened:
        await door.close(5)
    gc.collect()
    assert trouble == []


# ---------------------------------------------------------------------------------------------- messages and answers


async def test_a_message_is_answered_and_the_connection_stays_open_for_the_next(doors):
    door = await doors.open(agency="LEND", partner="BROKER")
    assert door.url.startswith("tcp://127.0.0.1:")
    async with talking(door.url) as talker:
        for text in ("one", "two", "three"):
            assert await talker.ask(say(text)) == answered(text)
    raw, via = doors.stub.seen[0]
    assert raw == say("one")
    assert (via.transport, via.agency, via.partner, via.peer) == ("tcp", "LEND", "BROKER", "127.0.0.1")
    assert (via.key, via.credentials) == (None, None)


async def test_two_messages_in_one_segment_are_answered_in_order_and_counted_as_pipelined(doors):
    async with talking((await doors.open()).url) as talker:
        await talker.send(say("one") + b"\n" + say("two") + say("three"))
        assert [await talker.answer() for _ in range(3)] == [answered("one"), answered("two"), answered("three")]
        assert await talker.ask(say("four")) == answered("four")
    assert doors.counted("ncipd_tcp_messages_total") == {"in turn": 2, "pipelined": 2}


async def test_a_message_sent_while_another_is_being_answered_waits_and_is_counted_as_pipelined(doors):
    door = await doors.open()
    async with talking(door.url) as talker:
        doors.stub.gate.clear()
        await talker.send(say("one"))
        await doors.stub.entered.wait()
        await talker.send(say("two"))
        await until(lambda: [talk for talk in talks(door) if talk._ahead], "it has come")
        await asyncio.sleep(0.05)
        assert [raw for raw, _ in doors.stub.seen] == [say("one")], "one at a time"
        doors.stub.gate.set()
        assert [await talker.answer(), await talker.answer()] == [answered("one"), answered("two")]
    assert doors.counted("ncipd_tcp_messages_total") == {"in turn": 1, "pipelined": 1}


async def test_a_sender_that_pipelines_does_not_keep_others_waiting(doors):
    """They take turns, message by message, also where answering takes no time at all."""
    door = await doors.open()
    async with talking(door.url) as many, talking(door.url) as other:
        await many.send(say("many") * 3_000)
        await doors.stub.entered.wait()
        assert await other.ask(say("other")) == answered("other")
        assert len(doors.stub.seen) < 1_000
        assert [await many.answer() for _ in range(3_000)] == [answered("many")] * 3_000


async def test_one_message_in_many_segments_is_one_message(doors):
    async with talking((await doors.open()).url) as talker:
        message = b'<?xml version="1.0"?>\n<!-- < --><a b=">"><![CDATA[</a>]]></a>'
        await talker.send(*(message[at : at + 1] for at in range(len(message))), pause=0.001)
        assert (await talker.answer()).startswith(b"<NCIPMessage>answer to <?xml")
    assert [raw for raw, _ in doors.stub.seen] == [message]


@pytest.mark.parametrize("separator", [b"\n", b"\r\n", b"\x00", b"\x04"])
async def test_an_answer_ends_as_the_senders_messages_do(doors, separator):
    async with talking((await doors.open()).url) as talker:
        await talker.send(say("one") + separator, say("two") + separator)
        for text in ("one", "two"):
            assert await talker.reader.readuntil(separator) == answered(text) + separator
        talker.hang_up()
        assert await talker.rest() == b""


@pytest.mark.parametrize(
    ("ends_with", "end"),
    [(EndsWith.NOTHING, b""), (EndsWith.NEWLINE, b"\n"), (EndsWith.NUL, b"\x00"), (EndsWith.EOT, b"\x04")],
)
async def test_an_answer_ends_as_the_settings_say(doors, ends_with, end):
    async with talking((await doors.open(ends_with=ends_with)).url) as talker:
        await talker.send(say("one") + b"\r\n" + say("two"))
        talker.hang_up()
        assert await talker.rest() == answered("one") + end + answered("two") + end


async def test_a_sender_that_hangs_up_on_its_side_is_answered_all_the_same(doors):
    async with talking((await doors.open()).url) as talker:
        doors.stub.gate.clear()
        await talker.send(say("one") + say("two"))
        talker.hang_up()
        await doors.stub.entered.wait()
        await asyncio.sleep(0.05)
        doors.stub.gate.set()
        assert await talker.rest() == answered("one") + answered("two")
    await doors.ended("closed")


async def test_a_message_that_is_cut_off_is_for_the_responder_to_refuse(doors):
    """It says in its usual words what is missing."""
    async with talking((await doors.open()).url) as talker:
        await talker.send("<NCIPMessage><LookupItem>")
        talker.hang_up()
        assert await talker.rest() == answered("<LookupItem>")
    await doors.ended("cut off")


async def test_a_sender_that_is_gone_before_its_answer_harms_nobody(doors):
    door = await doors.open()
    doors.stub.gate.clear()
    async with talking(door.url) as gone, talking(door.url) as other:
        await gone.send(say("one"))
        await doors.stub.entered.wait()
        gone.reset()
        await doors.ended("reset")
        doors.stub.gate.set()
        assert await other.ask(say("two")) == answered("two")


async def test_a_sender_that_takes_no_answers_is_read_no_further_and_then_cut_off(doors):
    """Neither what it sends nor what it is sent piles up."""
    door = await doors.open(message_seconds=0.5)
    doors.stub.answer = b"<NCIPMessage>" + b"x" * 50_000 + b"</NCIPMessage>"
    tracemalloc.start()
    async with talking(door.url) as talker:
        with contextlib.suppress(ConnectionError, TimeoutError):
            async with asyncio.timeout(WITHIN):
                while True:
                    await talker.send(say("one") * 1_000)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    await doors.ended("answer not taken")
    assert len(doors.stub.seen) < 1_000
    assert peak < 20_000_000


# ---------------------------------------------------------------------------------------------- what is no message


@pytest.mark.parametrize("rubbish", [b"HELO there\r\n", b"\xff\xfe<\x00", b"</NCIPMessage>", b"P", b"POSTMAN RINGS"])
async def test_rubbish_is_answered_with_a_problem_and_the_connection_is_closed(doors, rubbish):
    """Nobody can say where the next message would begin."""
    async with talking((await doors.open()).url) as talker:
        await talker.send(say("one") + b"\n" + rubbish if rubbish != b"P" else rubbish)
        talker.hang_up()
        rest = await talker.rest()
    if rubbish == b"P":  # it could have become HTTP: all the same it is no message
        assert rest.startswith(b"<NCIPMessage>problem: Expected the '<'")
    else:
        assert rest.startswith(answered("one") + b"\n<NCIPMessage>problem: ")
    await doors.ended("framing lost")


async def test_a_message_that_is_too_large_is_refused_while_it_is_still_being_sent(doors):
    """The Problem arrives although the sender goes on sending, and memory does not grow with what it sends."""
    async with talking((await doors.open()).url) as talker:
        await talker.send(say("one"))
        assert await talker.answer() == answered("one")
        tracemalloc.start()
        sending = asyncio.create_task(talker.send(b"<NCIPMessage>", *[b"x" * 10_000] * 500))
        answer = await talker.answer()
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert b"at most 100,000 bytes" in answer
        with contextlib.suppress(ConnectionError):
            await sending
        assert await talker.rest() in (b"", b"(reset)")
    assert peak < 10_000_000
    assert len(doors.stub.seen) == 1
    await doors.ended("framing lost")


async def test_one_that_dribbles_is_cut_off_by_the_message_limit_and_others_are_answered_meanwhile(doors):
    door = await doors.open(message_seconds=1.0)
    async with talking(door.url) as slow, talking(door.url) as quick:
        dribble = asyncio.create_task(slow.send(*(bytes([byte]) for byte in say("x" * 500)), pause=0.05))
        began = asyncio.get_running_loop().time()
        while not slow.reader.at_eof() and not slow.reader._buffer:
            assert await quick.ask(say("one")) == answered("one")
        took = asyncio.get_running_loop().time() - began
        assert b"did not arrive within 1 seconds" in await slow.answer()
        assert took > 0.9
        assert await slow.rest() in (b"", b"(reset)")
        with contextlib.suppress(ConnectionError):
            await dribble
        assert await quick.ask(say("two")) == answered("two")
    await doors.ended("too slow")


async def test_the_time_for_a_message_is_for_each_message_anew(doors):
    door = await doors.open()
    async with talking(door.url) as talker:
        for text in ("one", "two", "three"):
            message = say(text)
            await talker.send(message[:10])
            await until(lambda: [talk for talk in talks(door) if talk._splitter.pending], "it has begun")
            (talk,) = talks(door)
            talk._since -= 0.6 * WITHIN  # so much time has passed
            await talker.send(message[10:20])
            await talker.send(message[20:])
            assert await talker.answer() == answered(text)


@pytest.mark.parametrize("blanks", [b"", b"\n"])
async def test_an_idle_connection_is_closed_without_a_word_and_blanks_do_not_keep_it(doors, blanks):
    async with talking((await doors.open(idle_seconds=0.4)).url) as talker:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):  # should we be late, it is idle already
            await talker.ask(say("one"))
        sending = asyncio.create_task(talker.send(*[blanks] * 3_000, pause=0.05))
        assert await talker.rest() in (b"", b"(reset)")
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)
    await doors.ended("idle")


@pytest.mark.parametrize(
    ("first", "end", "limit"), [(b"", "idle", "idle_seconds"), (b"PO", "too slow", "message_seconds")]
)
async def test_a_connection_that_never_says_what_it_speaks_is_closed(doors, first, end, limit):
    async with talking((await doors.open(**{limit: 0.3})).url) as talker:
        await talker.send(first)
        assert await talker.rest() in (b"", b"(reset)")
    await doors.ended(end)


async def test_connections_beyond_the_most_are_turned_away_until_one_ends(doors):
    door = await doors.open(max_connections=2)
    async with talking(door.url) as one:
        async with talking(door.url) as two:
            await one.ask(say("one"))
            await two.ask(say("two"))
            assert doors.counted("ncipd_tcp_open_connections") == {DOOR: 2}
            async with talking(door.url) as three:
                assert await three.rest() in (b"", b"(reset)")
            await doors.ended("turned away")
        await doors.ended("closed")
        async with talking(door.url) as four:
            assert await four.ask(say("four")) == answered("four")


async def test_a_sender_that_is_faster_than_it_may_be_waits(doors):
    """Eight at five a second: five may come at once, and each of the others waits a fifth of a second."""
    door = await doors.open(messages_per_second=5)
    began = asyncio.get_running_loop().time()
    async with talking(door.url) as talker:
        await talker.send(say("one") * 8)
        assert [await talker.answer() for _ in range(8)] == [answered("one")] * 8
    assert asyncio.get_running_loop().time() - began > 0.55


# ---------------------------------------------------------------------------------------------- HTTP in a socket


@pytest.mark.parametrize("version", ["1.0", "1.1"])
@pytest.mark.parametrize("path", ["/", "/ncip", "/NCIPResponder/x?y=z"])
async def test_http_in_a_socket_is_answered_as_http_whatever_the_path(doors, version, path):
    door = await doors.open(agency="LEND", partner="BROKER")
    async with talking(door.url) as talker:
        head = (
            f"POST {path} HTTP/{version}\r\nHost: x\r\nContent-Type: text/xml\r\nContent-Length: {len(say('one'))}\r\n"
        )
        await talker.send(head + "Connection: close\r\n\r\n", say("one"), pause=0.02)
        answer = await talker.rest()
    assert answer.startswith(f"HTTP/{version} 200 OK\r\n".encode())
    assert answer.endswith(b"\r\n\r\n" + answered("one"))
    ((raw, via),) = doors.stub.seen
    assert (raw, via.transport, via.agency, via.partner) == (
        say("one"),
        "http",
        "LEND",
        "BROKER",
    )
    assert doors.counted("ncipd_tcp_messages_total") == {"http": 1}
    await doors.ended("closed")


async def test_http_that_arrives_byte_by_byte_and_hangs_up_on_its_side_is_answered(doors):
    async with talking((await doors.open()).url) as talker:
        request = f"POST / HTTP/1.0\r\nContent-Length: {len(say('one'))}\r\n\r\n".encode() + say("one")
        await talker.send(*(bytes([byte]) for byte in request), pause=0.001)
        talker.hang_up()
        assert (await talker.rest()).endswith(answered("one"))


async def test_a_kept_alive_http_connection_is_answered_again_and_other_methods_are_refused(doors):
    async with talking((await doors.open()).url) as talker:
        for text in ("one", "two"):
            await talker.send(
                f"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: {len(say(text))}\r\n\r\n".encode() + say(text)
            )
            assert (await talker.answer()).endswith(answered(text))
        await talker.send("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")
        assert (await talker.answer(b"\r\n\r\n")).startswith(b"HTTP/1.1 405 ")


# ---------------------------------------------------------------------------------------------- TLS


@pytest.fixture(scope="session")
def authority():
    return trustme.CA()


@pytest.fixture
def certificates(authority, tmp_path):
    """Settings of a door that speaks TLS."""
    made = authority.issue_cert("localhost", "127.0.0.1")
    made.private_key_pem.write_to_path(tmp_path / "key.pem")
    for pem in made.cert_chain_pems:
        pem.write_to_path(tmp_path / "certificate.pem", append=True)
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    return {"certificate": str(tmp_path / "certificate.pem"), "private_key": str(tmp_path / "key.pem")}


def trusting(authority, own=None):
    context = ssl.create_default_context()
    authority.configure_trust(context)
    if own is not None:
        own.configure_cert(context)
    return context


async def test_messages_are_answered_over_tls(doors, certificates, authority):
    door = await doors.open(**certificates)
    assert door.url.startswith("tcps://127.0.0.1:")
    async with talking(door.url, trusting(authority)) as talker:
        await talker.send(say("one") + b"\n" + say("two"))
        assert [await talker.answer(), await talker.answer()] == [answered("one"), answered("two")]
        assert await talker.ask(say("three")) == answered("three")
        assert talker.writer.get_extra_info("ssl_object").version() in ("TLSv1.2", "TLSv1.3")
    assert doors.stub.seen[0][1].transport == "tls"


async def test_rubbish_over_tls_is_answered_with_a_problem(doors, certificates, authority):
    async with talking((await doors.open(**certificates)).url, trusting(authority)) as talker:
        assert (await talker.ask("rubbish")).startswith(b"<NCIPMessage>problem: Expected the '<'")
        assert await talker.rest() == b""


async def test_http_over_tls_on_the_same_port_is_https(doors, certificates, authority):
    async with talking((await doors.open(**certificates)).url, trusting(authority)) as talker:
        await talker.send(f"POST / HTTP/1.0\r\nContent-Length: {len(say('one'))}\r\n\r\n".encode() + say("one"))
        assert (await talker.rest()).endswith(answered("one"))


async def test_who_does_not_speak_tls_gets_nothing_and_harms_nobody(doors, certificates, authority):
    door = await doors.open(**certificates)
    async with talking(door.url) as plain:
        await plain.send(say("one"))
        assert answered("one") not in await plain.rest()
    async with talking(door.url, trusting(authority)) as talker:
        assert await talker.ask(say("two")) == answered("two")
    assert [raw for raw, _ in doors.stub.seen] == [say("two")]


async def test_a_client_certificate_is_required_where_the_settings_say_so(doors, certificates, authority, tmp_path):
    """One that the authority signed opens the door; none, or one that another has signed, does not."""
    door = await doors.open(**certificates, client_ca=str(tmp_path / "ca.pem"))
    async with talking(door.url, trusting(authority, authority.issue_cert("client@x.example"))) as talker:
        assert await talker.ask(say("one")) == answered("one")
    for own in (None, trustme.CA().issue_cert("client@x.example")):
        with contextlib.suppress(ssl.SSLError, ConnectionError):
            async with talking(door.url, trusting(authority, own)) as talker:
                await talker.send(say("two"))
                assert await talker.rest() in (b"", b"(reset)")
    assert [raw for raw, _ in doors.stub.seen] == [say("one")]


# ---------------------------------------------------------------------------------------------- stopping, starting


async def test_stopping_answers_what_is_in_flight_and_what_is_still_arriving_and_then_closes(doors):
    door = await doors.open()
    doors.stub.gate.clear()
    async with talking(door.url) as asking, talking(door.url) as sending, talking(door.url) as idle:
        await asking.send(say("one") + say("two"))
        await sending.send(say("three")[:20])
        await doors.stub.entered.wait()
        await until(lambda: len(door.connections) == 3)
        await until(
            lambda: [talk for talk in talks(door) if talk._splitter.pending and not talk._is_answering], "half has come"
        )
        closing = asyncio.create_task(door.close(WITHIN))
        assert await idle.rest() in (b"", b"(reset)")
        with pytest.raises(ConnectionRefusedError):
            async with talking(door.url):
                pass
        await sending.send(say("three")[20:])
        doors.stub.gate.set()
        assert await asking.rest() == answered("one") + answered("two")
        assert await sending.rest() == answered("three")
        assert await closing is True
    doors.opened.clear()
    assert doors.counted("ncipd_tcp_open_connections") == {DOOR: 0}


async def test_a_message_that_is_sent_the_moment_ncipd_stops_is_answered(doors, monkeypatch):
    monkeypatch.setattr("ncipd.tcp.LAST_CALL", WITHIN)  # however long that moment is on this machine
    door = await doors.open()
    async with talking(door.url) as talker:
        await talker.ask(say("one"))
        closing = asyncio.create_task(door.close(WITHIN))
        await asyncio.sleep(0)
        await talker.send(say("two"))
        assert await talker.rest() == answered("two")
        assert await closing is True
    doors.opened.clear()


async def test_stopping_waits_for_a_sender_that_is_slow_to_take_its_answers(doors, monkeypatch):
    """What was done is told, although it does not fit into what the socket holds: all of it has left before the end."""
    monkeypatch.setattr("ncipd.tcp.LINGER", 0.05)
    door = await doors.open()
    door._server.sockets[0].setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1)  # the least there is
    doors.stub.answer = b"<NCIPMessage>" + b"x" * 10_000 + b"</NCIPMessage>"
    with socket.socket() as slow:
        slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
        slow.setblocking(False)
        loop = asyncio.get_running_loop()
        await loop.sock_connect(slow, ("127.0.0.1", int(door.url.rpartition(":")[2])))
        await loop.sock_sendall(slow, say("one") * 5)
        await doors.stub.entered.wait()
        closing = asyncio.create_task(door.close(WITHIN))
        await asyncio.sleep(0.5)
        taken = b""
        while piece := await loop.sock_recv(slow, 100_000):
            taken += piece
        assert len(doors.stub.seen) == 5
        assert taken == doors.stub.answer * 5
        assert await closing is True
    doors.opened.clear()


async def test_stopping_does_not_wait_for_ever(doors):
    door = await doors.open()
    doors.stub.gate.clear()
    async with talking(door.url) as talker:
        await talker.send(say("one"))
        await doors.stub.entered.wait()
        assert await door.close(0.2) is False
        assert await talker.rest() in (b"", b"(reset)")
    doors.opened.clear()


async def test_a_port_that_is_taken_is_told_and_no_other_door_stays_open(doors):
    taken = (await doors.open()).url.removeprefix("tcp://")
    free = Tcp(listen=DOOR)
    with pytest.raises(OSError) as told:  # noqa: PT011 - it is looked at below
        await open_doors((free, msgspec.structs.replace(free, listen=taken)), doors.stub, doors.metrics, LIMIT)
    assert told.value.filename == taken


async def test_a_file_that_tls_cannot_use_keeps_the_door_shut(doors, tmp_path):
    (tmp_path / "no.pem").write_text("hello")
    with pytest.raises(Unusable, match="there is no certificate"):
        await doors.open(certificate=str(tmp_path / "no.pem"))
