"""SIGTERM: what is in flight is answered, nothing acknowledged is lost, and the exit code is 0."""

from __future__ import annotations

import asyncio
import signal

import aiohttp

from tests.circulation import messages as say
from tests.e2e.server import Ncipd, Refused, post, valid
from tests.services.world import message
from tests.waiting import WITHIN


def stop_soon(server: Ncipd) -> None:
    assert server.process is not None
    server.process.send_signal(signal.SIGTERM)


async def draining(server: Ncipd) -> None:
    """Wait until the server has taken note that it is to stop."""
    async with aiohttp.ClientSession() as session, asyncio.timeout(WITHIN):
        while True:
            try:
                async with session.get(server.url.replace("/ncip", "/readyz")) as answer:
                    if answer.status == 503:
                        return
            except aiohttp.ClientError:
                return  # it listens no more
            await asyncio.sleep(0.01)


async def test_a_message_that_is_still_arriving_is_answered_and_the_exit_code_is_0(ncipd):
    """Half of it was sent before the signal, half after; what is new meanwhile is told to come again later."""
    server = await ncipd()
    body = message(say.check_out("L1", "R-1")).encode()
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    head = f"POST /ncip HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: {len(body)}\r\n\r\n"
    writer.write(head.encode() + body[:100])
    assert await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), WITHIN) == b"HTTP/1.1 100 Continue\r\n\r\n"
    stop_soon(server)
    await draining(server)
    refused = 0
    async with aiohttp.ClientSession() as session:
        try:
            async with session.post(server.url, data=body) as late:
                refused = late.status
        except aiohttp.ClientError:
            refused = 503  # it listens no more
    assert refused == 503
    writer.write(body[100:])
    await writer.drain()
    told = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), WITHIN)
    assert told.startswith(b"HTTP/1.1 200 ")
    answer = await reader.readexactly(int(told.lower().split(b"content-length: ")[1].split(b"\r\n")[0]))
    assert valid(answer).problem is None
    writer.close()
    code, printed = await asyncio.to_thread(server.wait)
    assert (code, printed) == (0, ""), "only the ready line was printed"
    assert server.rows("SELECT count(*) FROM loan") == [(1,)]


async def test_under_load_every_acknowledged_message_is_kept_and_the_exit_code_is_0(ncipd):
    server = await ncipd(items=400)
    kept: list[str] = []
    statuses: set[int] = set()

    async def client(session, number):
        for turn in range(number, 400, 16):
            try:
                answer = await post(session, server.url, message(say.check_out(f"E-{turn}", f"R-{turn}")))
            except (aiohttp.ClientError, ConnectionError):
                return
            except Refused as refused:
                statuses.add(refused.status)
                return
            assert answer.problem is None
            kept.append(f"R-{turn}")
            if len(kept) == 60:
                stop_soon(server)

    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=16)) as session:
        await asyncio.gather(*(client(session, number) for number in range(16)))
    code, _ = await asyncio.to_thread(server.wait)
    assert (code, len(kept) >= 60) == (0, True)
    assert statuses <= {503}, "the only thing said to those who came too late"
    stored = {row[0] for row in server.rows("SELECT identifier FROM request")}
    assert stored == set(kept), "all that was acknowledged, and nothing that was not"


async def test_without_work_it_stops_at_once_and_starts_again_on_the_same_folder(ncipd):
    server = await ncipd()
    async with aiohttp.ClientSession() as session:
        await post(session, server.url, message(say.check_out("L1", "R-1")))
    assert server.stop() == (0, "")
    server.start()
    async with aiohttp.ClientSession() as session:
        answer = await post(session, server.url, message(say.lookup_item("L1", "Circulation Status")))
    assert answer.text("CirculationStatus") == "On Loan"
    assert server.stop() == (0, "")
    assert "Traceback" not in server.log()
