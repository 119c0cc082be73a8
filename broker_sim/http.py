"""One HTTP request and what came of it, every octet and the time it took; nothing is followed, retried or unpacked."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal
from urllib.parse import urlencode, urlsplit

import aiohttp
from yarl import URL

_MAX_BODY = 32 * 1024 * 1024
Outcome = Literal["answered", "silent", "cut", "unreachable"]


@dataclass(frozen=True)
class Sent:
    """What was sent and what came back: ``silent`` is no answer in time, ``cut`` a closed line."""

    method: str
    url: str
    request_type: str
    request: bytes
    at: datetime
    seconds: float
    outcome: Outcome
    status: int | None = None
    response_type: str = ""
    response: bytes = b""
    error: str | None = None


async def send(
    session: aiohttp.ClientSession,
    method: str,
    url: str,
    *,
    body: bytes = b"",
    headers: Mapping[str, str] | None = None,
    query: Mapping[str, str] | None = None,
    seconds: float = 30,
) -> Sent:
    """Send one request and wait for the whole answer; never raises for what the other end does."""
    given = dict(headers or {})
    unsaid = () if "Content-Type" in given else ("Content-Type",)
    at, start = datetime.now(UTC), time.perf_counter()
    whole = f"{url}?{urlencode(query)}" if query else url
    asked = (method, whole, given.get("Content-Type", ""), body, at)
    try:
        async with session.request(
            method,
            URL(whole, encoded=True),
            data=body or None,
            headers=given,
            timeout=aiohttp.ClientTimeout(total=seconds),
            allow_redirects=False,
            skip_auto_headers=unsaid,
        ) as response:
            answer = await response.content.read(_MAX_BODY)
            while len(answer) < _MAX_BODY and (more := await response.content.read(_MAX_BODY - len(answer))):
                answer += more
            media_type = response.headers.get("Content-Type", "")
            return Sent(*asked, time.perf_counter() - start, "answered", response.status, media_type, answer)
    except TimeoutError:
        return Sent(*asked, time.perf_counter() - start, "silent", error=f"no answer after {seconds:g} s")
    except aiohttp.ClientConnectorError as error:
        return Sent(*asked, time.perf_counter() - start, "unreachable", error=f"could not connect: {error}")
    except (aiohttp.ClientError, OSError) as error:
        why = str(error) or type(error).__name__
        return Sent(
            *asked, time.perf_counter() - start, "cut", error=f"the line was closed without a whole answer: {why}"
        )


async def reachable(url: str, *, seconds: float = 5) -> str | None:
    """Open and close one connection to a URL's host; None when that went well, else why not."""
    parts = urlsplit(url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    try:
        _, writer = await asyncio.wait_for(asyncio.open_connection(parts.hostname, port), seconds)
    except TimeoutError:
        return f"no connection after {seconds:g} s"
    except OSError as error:
        return str(error)
    writer.close()
    return None
