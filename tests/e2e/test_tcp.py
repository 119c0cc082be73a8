"""TCP doors of a real ncipd in a process of its own: order, effects, resends, stopping, and who harms nobody."""

from __future__ import annotations

import asyncio
import re
import signal
import socket
import ssl
from contextlib import AsyncExitStack, suppress

import aiohttp
import pytest
import trustme

from tests.circulation import messages as say
from tests.e2e.server import CONFIG, Ncipd, post, valid
from tests.edge.talker import Talker, talking
from tests.services.world import NS, message

END = b"</ns1:NCIPMessage>"
DOORS = """
[[tcp]]
listen = "127.0.0.1:0"
partner = "BROKER"
message_seconds = 60
messages_per_second = 0

[[tcp]]
listen = "127.0.0.1:0"
partner = "BROKER"
certificate = "both.pem"
client_ca = "ca.pem"
"""


def bare(content):
    """A message without a header: who it is from and whom it is for, the door knows."""
    return f'<NCIPMessage xmlns="{NS}" xmlns:n="{NS}" n:version="http://www.niso.org/schemas/ncip/v2_02/ncip_v2_02.xsd">{content}</NCIPMessage>'


async def ask(talker: Talker, *pieces):
    await talker.send(*pieces)
    return valid(await talker.answer(END))


@pytest.fixture
def authority():
    return trustme.CA()


@pytest.fixture
async def ncipd(root, tmp_path, authority):
    """Makes an ncipd with this many items more, with a plain door and one with TLS."""
    made = []

    async def make(items=0, message_seconds=60):
        one = Ncipd(tmp_path, root)
        made.append(one)
        authority.issue_cert("localhost").private_key_and_cert_chain_pem.write_to_path(tmp_path / "both.pem")
        authority.cert_pem.write_to_path(tmp_path / "ca.pem")
        (tmp_path / "ncipd.toml").write_text(
            CONFIG.replace('"warning"', '"info"') + DOORS.replace("60", str(message_seconds)), "utf-8"
        )
        await one.fill(items)
        one.start()
        return one, *re.findall(r"tcps?://127\.0\.0\.1:\d+", one.log())[:2]

    yield make
    for one in made:
        if one.process is not None:
            one.kill()


async def test_a_thousand_pipelined_messages_on_a_hundred_connections_are_answered_in_order(ncipd):
    """Each does what it says, and each connection gets its answers in the order of its messages."""
    server, plain, _ = await ncipd(items=1_000)

    async def client(number):
        items = [f"E-{number * 10 + turn}" for turn in range(10)]
        async with talking(plain) as talker:
            await talker.send("\n".join(bare(say.check_out(item, f"R-{item}")) for item in items))
            answers = [valid(await talker.answer(END)) for _ in items]
        assert [answer.text("ItemIdentifierValue") for answer in answers] == items
        assert not any(answer.problem for answer in answers)

    await asyncio.gather(*(client(number) for number in range(100)))
    assert server.rows("SELECT count(*), count(DISTINCT item_id) FROM loan") == [(1_000, 1_000)]
    async with aiohttp.ClientSession() as session, session.get(server.url.replace("/ncip", "/metrics")) as answer:
        counted = dict(re.findall(r'ncipd_tcp_messages_total\{.*how="(.*)"\} ([0-9.]+)', await answer.text()))
    assert sum(map(float, counted.values())) == 1_000
    assert float(counted["pipelined"]) >= 800
    assert server.stop() == (0, "")


async def test_a_hundred_that_dribble_harm_nobody(ncipd):
    """Others are answered as if they were not there, and each is cut off when its time is over."""
    server, plain, _ = await ncipd(message_seconds=6)
    look = bare(say.lookup_item("L1", "Circulation Status"))
    async with AsyncExitStack() as stack:
        slow = [await stack.enter_async_context(talking(plain)) for _ in range(100)]
        quick = await stack.enter_async_context(talking(plain))
        for one in slow:
            await one.send(look[:20])
        for byte in look[20:22]:
            for one in slow:
                await one.send(byte)
            for _ in range(20):
                assert (await ask(quick, look)).problem is None
        for one in slow:
            answer = valid(await one.answer(END))
            assert answer.text("ProblemType") == "Invalid Message Syntax Error"
            assert "did not arrive within 6 seconds" in (answer.text("ProblemDetail") or "")
            assert await one.rest() == b""
        assert (await ask(quick, look)).problem is None
    assert server.stop() == (0, "")


async def test_a_message_sent_again_over_tcp_gets_the_stored_answer(ncipd):
    """On the same connection, on another one, and over HTTP, for it is the same partner."""
    server, plain, _ = await ncipd()
    body = bare(say.check_out("L1", "R-1"))
    async with talking(plain) as talker:
        first = await ask(talker, body)
        assert (first.problem, (await ask(talker, body)).raw) == (None, first.raw)
    async with talking(plain) as talker:
        assert (await ask(talker, body)).raw == first.raw
    assert server.rows("SELECT count(*) FROM loan") == [(1,)]
    assert [row[0] for row in server.rows("SELECT note FROM journal ORDER BY id")][1:] == [
        "sent again: the stored answer was repeated"
    ] * 2


async def test_the_header_of_a_message_counts_more_than_its_door_and_http_in_the_socket_is_bound_as_well(ncipd):
    server, plain, _ = await ncipd()
    async with talking(plain) as talker:
        unknown = await ask(talker, message(say.lookup_item("L1", "Circulation Status"), to="NOWHERE"))
        assert unknown.problem == "Unknown Agency"
    async with aiohttp.ClientSession() as session:
        url = plain.replace("tcp://", "http://") + "/any/path"
        assert (await post(session, url, bare(say.check_out("L1", "R-1")))).problem is None
        refused = await post(session, server.url, bare(say.check_out("L1", "R-2")))
        assert refused.problem == "Unknown System", "nothing says who it is where no door does"


async def test_rubbish_is_answered_with_a_valid_problem_and_leaves_a_line_in_the_audit_trail(ncipd):
    server, plain, _ = await ncipd()
    async with talking(plain) as talker:
        await talker.send(bare(say.lookup_item("L1", "Circulation Status")) + "\x00<oops>this is no</oops>HELO")
        assert valid(await talker.answer(END)).problem is None
        assert valid(await talker.answer(END)).text("ProblemType") == "Unsupported Service"
        lost = valid(await talker.answer(END))
        assert lost.text("ProblemType") == "Invalid Message Syntax Error"
        assert "found 'HELO'" in (lost.text("ProblemDetail") or "")
        talker.hang_up()
        await talker.rest()
    async with talking(plain) as talker:  # 2 MB: beyond max_body
        await talker.send("<NCIPMessage>")
        sending = asyncio.create_task(talker.send(*["x" * 100_000] * 20))
        assert "at most 1,000,000 bytes" in (valid(await talker.answer(END)).text("ProblemDetail") or "")
        await asyncio.gather(sending, return_exceptions=True)
    assert server.stop() == (0, "")
    verdicts = [row[0] for row in server.rows("SELECT verdict FROM journal ORDER BY id")]
    assert verdicts == ["ok", "Unsupported Service", *["Invalid Message Syntax Error"] * 2]
    assert "Traceback" not in server.log()


async def test_over_tls_a_partner_with_a_certificate_is_served_and_one_without_is_not(ncipd, authority):
    server, _, secure = await ncipd()
    trusting = ssl.create_default_context()
    authority.configure_trust(trusting)
    with pytest.raises((ssl.SSLError, ConnectionError, asyncio.IncompleteReadError)):
        async with talking(secure, trusting) as talker:
            await ask(talker, bare(say.check_out("L1", "R-1")))
    authority.issue_cert("broker@x.example").configure_cert(trusting)
    async with talking(secure, trusting) as talker:
        for _ in range(2):
            assert (await ask(talker, bare(say.check_out("L1", "R-1")))).problem is None
    assert server.rows("SELECT count(*) FROM loan") == [(1,)]
    assert server.stop() == (0, "")


async def test_stopping_under_load_answers_what_was_done_and_does_nothing_that_is_not_answered(ncipd):
    """SIGTERM while eight senders pipeline: every effect in the store has had its answer, and the exit code is 0.

    The second half of each sender's messages leaves only after the signal, so that not all can be done before it. What
    it has not sent when the connection ends changes nothing of what it has got: hence bare sockets, and no more answers
    than a socket holds.
    """
    server, plain, _ = await ncipd(items=1_600)
    begun, signalled = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()

    async def send(plug, items):
        messages = [bare(say.check_out(item, f"R-{item}")).encode() for item in items]
        await loop.sock_sendall(plug, b"".join(messages[:100]))
        await signalled.wait()
        for one in messages[100:]:
            await loop.sock_sendall(plug, one)  # raises where the connection is closed already

    async def client(number):
        items = [f"E-{number * 200 + turn}" for turn in range(200)]
        with socket.socket() as plug:
            plug.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
            plug.setblocking(False)
            await loop.sock_connect(plug, ("127.0.0.1", int(plain.rpartition(":")[2])))
            sending = asyncio.create_task(send(plug, items))
            taken = b""
            with suppress(ConnectionError):
                while piece := await loop.sock_recv(plug, 100_000):
                    taken += piece
                    begun.set()
            await asyncio.gather(sending, return_exceptions=True)
        answers = taken.split(END)[:-1]
        got = [valid(answer + END).text("ItemIdentifierValue") for answer in answers]
        assert got == items[: len(got)], "in order, and none left out"
        return got

    async def stop():
        await begun.wait()
        assert server.process is not None
        server.process.send_signal(signal.SIGTERM)
        signalled.set()
        return await asyncio.to_thread(server.wait)

    *answered, ended = await asyncio.gather(*(client(number) for number in range(8)), stop())
    assert ended == (0, "")
    done = {f"R-{item}" for got in answered for item in got}
    assert done, "it had begun"
    assert {row[0] for row in server.rows("SELECT identifier FROM request")} == done
    assert "Traceback" not in server.log()
