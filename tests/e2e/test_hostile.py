"""Hostile bytes over HTTP: always an answer in NCIP or a plain 413, nothing fetched, nothing read, nobody hurt."""

from __future__ import annotations

import asyncio
import socket
import time

import aiohttp
import pytest

from tests.circulation import messages as say
from tests.e2e.server import post
from tests.services.world import NS, message
from tests.waiting import WITHIN

MEGABYTE = 1_000_000
GOOD = message(say.lookup_item("L1", "Circulation Status"))
SECRET = "the-content-of-a-file-on-this-machine"


def inside(value: str) -> str:
    return GOOD.replace("L1", value, 1)


def laughing(levels: int, times: int) -> str:
    """Each entity is many of the one before."""
    entities = "".join(
        f'<!ENTITY e{level} "{f"&e{level - 1};" * times if level else "lol" * times}">' for level in range(levels)
    )
    return f"<!DOCTYPE NCIPMessage [{entities}]>" + inside(f"&e{levels - 1};")


PAYLOADS = {
    "nothing": b"",
    "no XML": b"GET / HTTP/1.1\r\n\r\n",
    "JSON": b'{"service": "LookupItem"}',
    "a billion laughs": laughing(10, 10).encode(),
    "quadratic blow-up": (f'<!DOCTYPE NCIPMessage [<!ENTITY a "{"A" * 50_000}">]>' + inside("&a;" * 10_000)).encode(),
    "an entity that is itself": (
        '<!DOCTYPE NCIPMessage [<!ENTITY a "&b;"><!ENTITY b "&a;">]>' + inside("&a;")
    ).encode(),
    "a parameter entity": b"<!DOCTYPE x [<!ENTITY % a \"<!ENTITY b 'c'>\"> %a;]>" + inside("&b;").encode(),
    "nested 100 000 deep": ("<a>" * 100_000 + "</a>" * 100_000).encode(),
    "nested within a message": GOOD.replace("<LookupItem>", "<LookupItem>" + "<Ext>" * 5_000).encode(),
    "200 000 elements": (f'<NCIPMessage xmlns="{NS}">' + "<a/>" * 200_000 + "</NCIPMessage>").encode(),
    "100 000 attributes": ("<NCIPMessage " + " ".join(f'a{number}="1"' for number in range(60_000)) + "/>").encode(),
    "attributes that collide": b"<NCIPMessage " + b'a="1" ' * 2 + b"/>",
    "a name of 900 000 letters": b"<" + b"a" * 900_000 + b"/>",
    "UTF-16": ('<?xml version="1.0" encoding="UTF-16"?>' + GOOD).encode("utf-16"),
    "UTF-16 without a mark": GOOD.encode("utf-16-le"),
    "half a UTF-16 letter": GOOD.encode("utf-16")[:-1],
    "says UTF-16, is UTF-8": ('<?xml version="1.0" encoding="UTF-16"?>' + GOOD).encode(),
    "UTF-32": GOOD.encode("utf-32"),
    "UTF-7": ('<?xml version="1.0" encoding="UTF-7"?>' + GOOD.replace("<", "+ADw-")).encode(),
    "EBCDIC": ('<?xml version="1.0" encoding="cp037"?>' + GOOD).encode("cp037"),
    "an encoding that does not exist": ('<?xml version="1.0" encoding="klingon"?>' + GOOD).encode(),
    "says UTF-8, is Latin-1": ('<?xml version="1.0" encoding="UTF-8"?>' + inside("Bücher")).encode("latin-1"),
    "a NUL in a value": inside("L\x001").encode(),
    "a NUL as a reference": inside("L&#0;1").encode(),
    "NULs only": b"\x00" * 10_000,
    "control characters": inside("L\x0b\x1f1").encode(),
    "a half surrogate": inside("L1").encode().replace(b"L1", b"L\xed\xa0\x801"),
    "overlong UTF-8": inside("L1").encode().replace(b"L1", b"\xc1\x8c1"),
    "cut off in a tag": GOOD.encode()[:-20],
    "cut off in the header": GOOD.encode()[:150],
    "two messages": GOOD.encode() * 2,
    "something after the end": GOOD.encode() + b"<!-- -->trailing",
    "processing instructions": b'<?xml-stylesheet href="file:///etc/passwd"?>' + GOOD.encode(),
    "XInclude": inside("")
    .replace(
        "<ItemIdentifierValue></ItemIdentifierValue>",
        '<ItemIdentifierValue><xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="file:///etc/passwd" '
        'parse="text"/></ItemIdentifierValue>',
    )
    .encode(),
    "a schema location": GOOD.replace(
        "<NCIPMessage ",
        '<NCIPMessage xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
        'xsi:schemaLocation="http://www.niso.org/2008/ncip http://127.0.0.1:9/x.xsd" ',
    ).encode(),
    "an SQL injection": inside("L1'; DROP TABLE item; --").encode(),
    "a value of 900 000 letters": inside("L" * 900_000).encode(),
    "an element of another namespace": f'<x:NCIPMessage xmlns:x="urn:x">{GOOD}</x:NCIPMessage>'.encode(),
    "a response instead of a message": GOOD.replace("LookupItem>", "LookupItemResponse>").encode(),
    "a service that does not exist": GOOD.replace("LookupItem>", "GrantAllWishes>").encode(),
}
FINE = {  # odd, but no less NCIP, or repaired
    "UTF-16",
    "UTF-16 without a mark",
    "says UTF-16, is UTF-8",
    "a NUL in a value",
    "a NUL as a reference",
    "control characters",
    "processing instructions",
    "a schema location",
}


async def test_whatever_comes_is_answered_with_a_problem_and_the_next_message_is_served(ncipd):
    """One server takes them all, one after the other and all at once."""
    server = await ncipd()
    async with aiohttp.ClientSession() as session:
        for name, payload in PAYLOADS.items():
            began = time.monotonic()
            answer = await post(session, server.url, payload)
            assert time.monotonic() - began < WITHIN, f"{name} takes too long"
            said = answer.problem or answer.text("ProblemType")
            assert (said is None) == (name in FINE), f"{name}: {answer}"
            assert said != "Temporary Processing Failure", f"{name}: {answer}"
            after = await post(session, server.url, GOOD)
            assert after.text("CirculationStatus") == "Available On Shelf", f"after {name}"
        answers = await asyncio.gather(*(post(session, server.url, payload) for payload in PAYLOADS.values()))
        assert len(answers) == len(PAYLOADS)
    assert server.stop()[0] == 0
    assert "Traceback" not in server.log()


async def test_a_billion_laughs_cost_neither_time_nor_memory(ncipd):
    server = await ncipd()
    async with aiohttp.ClientSession() as session:
        await post(session, server.url, GOOD)
        before, began = server.memory(), time.monotonic()
        for _ in range(5):
            for name in ("a billion laughs", "quadratic blow-up", "nested 100 000 deep"):
                await post(session, server.url, PAYLOADS[name])
    assert time.monotonic() - began < WITHIN
    assert server.memory() - before < 50 * MEGABYTE


@pytest.mark.parametrize(
    "doctype",
    [
        '<!DOCTYPE NCIPMessage [<!ENTITY x SYSTEM "{target}">]>',
        '<!DOCTYPE NCIPMessage SYSTEM "{target}">',
        '<!DOCTYPE NCIPMessage PUBLIC "-//NISO//NCIP DTD//EN" "{target}">',
        '<!DOCTYPE NCIPMessage [<!ENTITY % x SYSTEM "{target}"> %x;]>',
        '<!DOCTYPE NCIPMessage SYSTEM "{target}" [<!ENTITY x "y">]>',
        '<!DOCTYPE NCIPMessage [<!NOTATION n SYSTEM "{target}"><!ENTITY x SYSTEM "{target}" NDATA n>]>',
    ],
    ids=["entity", "system DTD", "public DTD", "parameter entity", "DTD with a subset", "notation"],
)
async def test_nothing_outside_the_message_is_read(ncipd, tmp_path, doctype):
    """Neither a file of this machine nor an address on the network, whatever the DOCTYPE names."""
    asked: list[bytes] = []

    async def listen(reader, writer):
        asked.append(await reader.read(200))
        writer.close()

    listener = await asyncio.start_server(listen, "127.0.0.1", 0)
    address = f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}/secret.dtd"
    file = tmp_path / "secret.txt"
    file.write_text(SECRET)
    server = await ncipd()
    async with aiohttp.ClientSession() as session:
        for target in (address, file.as_uri(), str(file), "file:///etc/passwd"):
            for body in (inside("&x;"), GOOD):
                answer = await post(session, server.url, doctype.format(target=target) + body)
                assert SECRET not in answer.raw.decode()
                assert "root:" not in answer.raw.decode()
        await asyncio.sleep(0.3)
        assert asked == [], "somebody came to fetch something"
        assert (await post(session, server.url, GOOD)).problem is None
    listener.close()
    await listener.wait_closed()


@pytest.mark.parametrize("how", ["announced", "chunked"])
async def test_a_hundred_megabytes_are_refused_without_being_kept(ncipd, how):
    """413, by the announced length or while it streams in; memory does not grow with it."""
    server = await ncipd()
    async with aiohttp.ClientSession() as session:
        await post(session, server.url, GOOD)
    before = server.memory()
    status = await asyncio.to_thread(send_much, server.port, 100 * MEGABYTE, chunked=how == "chunked")
    assert status == 413
    assert server.memory() - before < 20 * MEGABYTE
    async with aiohttp.ClientSession() as session:
        assert (await post(session, server.url, GOOD)).problem is None


def send_much(port: int, size: int, *, chunked: bool) -> int:
    """Send a body as long as the other end takes it; gives the status that came back."""
    length = "Transfer-Encoding: chunked" if chunked else f"Content-Length: {size}"
    piece = b"<a>" * 100_000
    with socket.create_connection(("127.0.0.1", port), timeout=WITHIN) as connection:
        connection.sendall(f"POST /ncip HTTP/1.1\r\nHost: x\r\n{length}\r\n\r\n".encode())
        sent = 0
        while sent < size:
            try:
                connection.sendall(f"{len(piece):x}\r\n".encode() + piece + b"\r\n" if chunked else piece)
            except OSError:  # it takes no more
                break
            sent += len(piece)
        head = connection.recv(200)
    return int(head.split()[1])
