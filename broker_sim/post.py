"""How the octets of a message reach the target: over HTTP, or over a bare TCP connection, each as the persona does."""

from __future__ import annotations

import asyncio
import re
import time
from datetime import UTC, datetime
from urllib.parse import quote, urlencode, urlsplit

import aiohttp

from broker_sim import http
from broker_sim.http import Sent
from broker_sim.persona import Post

_FORM = "application/x-www-form-urlencoded"
_ENDINGS = {"nothing": b"", "newline": b"\n", "nul": b"\x00", "eot": b"\x04"}
_CLOSING = re.compile(rb"</(?:[\w.-]+:)?NCIP(?:Version)?Message\s*>")
_BETWEEN = b" \t\r\n\x00\x04"
_CHUNK = 64 * 1024
_MAX = 32 * 1024 * 1024
_STATUS = re.compile(rb"HTTP/1\.\d (\d{3})")


def packed(post: Post, raw: bytes) -> bytes:
    """A message as it is put into the body of a request."""
    match post.form:
        case "body":
            return raw
        case "percent":
            return quote(raw, safe="").encode()
        case field:
            return urlencode([(str(field), raw)]).encode()


def content_type(post: Post) -> str:
    """What the body says that it is."""
    return _FORM if post.form in {"xml", "XForms:Model"} else post.content_type


async def send(
    session: aiohttp.ClientSession, post: Post, url: str, body: bytes, *, content_type: str, seconds: float
) -> Sent:
    """Send a packed message and wait for the whole answer; never raises for what the other end does.

    ``url`` is the target's NCIP address, or ``tcp://HOST:PORT`` for what does not go over HTTP.
    """
    if post.transport == "http":
        headers = {"Content-Type": content_type} if content_type else {}
        if post.authorization:
            headers["Authorization"] = post.authorization
        return await http.send(session, "POST", url, body=body, headers=headers, seconds=seconds)
    return await _over_tcp(post, url, body, content_type=content_type, seconds=seconds)


async def _over_tcp(post: Post, url: str, body: bytes, *, content_type: str, seconds: float) -> Sent:
    at, start = datetime.now(UTC), time.perf_counter()
    by_hand = post.transport == "http-over-tcp"
    whole = _request(url, content_type, body) if by_hand else body + _ENDINGS[post.ends_with]
    method = "POST" if by_hand else "TCP"

    def sent(
        outcome: http.Outcome, status: int | None = None, kind: str = "", answer: bytes = b"", error: str = ""
    ) -> Sent:
        took = time.perf_counter() - start
        return Sent(method, url, content_type, whole, at, took, outcome, status, kind, answer, error or None)

    place = urlsplit(url)
    try:
        async with asyncio.timeout(seconds):
            reader, writer = await asyncio.open_connection(place.hostname, place.port)
    except TimeoutError:
        return sent("unreachable", error=f"no connection after {seconds:g} s")
    except OSError as error:
        return sent("unreachable", error=f"could not connect: {error}")
    try:
        async with asyncio.timeout(seconds):
            writer.write(whole)
            await writer.drain()
            if by_hand:
                status, kind, answer = await _response(reader)
                return sent("answered", status, kind, answer)
            return sent("answered", answer=await _message(reader))
    except TimeoutError:
        return sent("silent", error=f"no answer after {seconds:g} s")
    except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, ValueError) as error:
        return sent("cut", error=f"the line was closed without a whole answer: {error}")
    finally:
        writer.close()


async def _message(reader: asyncio.StreamReader) -> bytes:
    """The octets up to the end of the root element, which is the end of a message."""
    heard = b""
    while (end := _CLOSING.search(heard)) is None:
        more = await reader.read(_CHUNK)
        if not more or len(heard) > _MAX:
            raise ValueError(f"{len(heard)} octets came, and no end of an NCIPMessage")
        heard += more
    return heard[: end.end()].lstrip(_BETWEEN)


def _request(url: str, content_type: str, body: bytes) -> bytes:
    """A request as some systems write it by hand: HTTP/1.0, one line each, the line closed after the answer."""
    head = f"POST /ncip HTTP/1.0\r\nHost: {urlsplit(url).netloc}\r\nContent-Type: {content_type}\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


async def _response(reader: asyncio.StreamReader) -> tuple[int, str, bytes]:
    """Status, media type and body, which ends where its head says or, if that says nothing, with the line."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError as error:
        raise ValueError("what came is no HTTP response") from error
    status = _STATUS.match(head)
    if status is None:
        raise ValueError("what came is no HTTP response")
    lines = (line.partition(b":") for line in head.split(b"\r\n")[1:])
    fields = {name.strip().lower(): value.strip() for name, _, value in reversed(list(lines))}  # the first one counts
    length = fields.get(b"content-length", b"")
    if length.isdigit():
        body = await reader.readexactly(min(int(length), _MAX))
    else:
        body = b""
        while len(body) < _MAX and (more := await reader.read(_CHUNK)):
            body += more
    return int(status[1]), fields.get(b"content-type", b"").decode("latin-1"), body
