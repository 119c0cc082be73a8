"""A message out, its answer in: one exchange with a partner's NCIP address, and what may be made of what comes back."""

from __future__ import annotations

import asyncio
import os
import re
import socket
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING
from urllib.parse import urlsplit, urlunsplit

import aiohttp

from ncipd.circulation.partner import MEDIA_TYPE
from ncipd.ncip.codec import decode
from ncipd.ncip.elements import Problem as ProblemElement
from ncipd.ncip.framing import FramingLost, Splitter
from ncipd.ncip.messages import MESSAGES
from ncipd.ncip.paths import Node, local_name
from ncipd.ncip.problems import Problem
from ncipd.ncip.read import read
from ncipd.ncip.receive import receive
from ncipd.ncip.types import Coded, Response

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ncipd.ncip.document import Document

LONGEST = 1_048_576  # bytes of an answer
CHUNK = 65_536  # bytes of it that are taken at once
BARE = ("tcp", "tcps")  # the schemes of addresses where nothing but NCIP is spoken, and of those with TLS


class Undelivered(Exception):
    """A message that was not answered; `retry_after` says when the partner wants it again, in seconds."""

    def __init__(self, reason: str, retry_after: float | None = None) -> None:
        """Say why, for the person who looks at the outbox."""
        super().__init__(reason)
        self.retry_after = retry_after


@dataclass(frozen=True, slots=True)
class Answer:
    """What a partner answered: a response, or problems for the whole message."""

    raw: bytes
    response: Response | None
    problems: tuple[ProblemElement, ...]


class Initiator:
    """Sends messages over HTTP, or over bare connections and TLS."""

    def __init__(self, session: aiohttp.ClientSession, *, seconds: float = 30.0) -> None:
        """Send through `session`, waiting `seconds` for an answer."""
        self._session = session
        self._seconds = seconds

    async def send(self, url: str, body: bytes) -> Answer:
        """Send a message to an address (http, https, tcp, tcps); raises Undelivered where no NCIP answer comes back."""
        place = without_password(url)
        try:
            async with asyncio.timeout(self._seconds):
                is_bare = urlsplit(url).scheme in BARE
                raw = await (_ask(url, body) if is_bare else self._post(url, place, body))
        except TimeoutError as error:
            raise Undelivered(f"{place} did not answer within {self._seconds:g} s") from error
        except FramingLost as error:
            raise Undelivered(f"{place} answered what is no NCIP message: {error.detail}") from error
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise Undelivered(f"{place} cannot be reached: {_reason(error).replace(url, place)}") from error
        return understand(raw, place)

    async def _post(self, url: str, place: str, body: bytes) -> bytes:
        headers = {"Content-Type": MEDIA_TYPE}
        async with self._session.post(url, data=body, headers=headers, allow_redirects=False) as answered:
            if answered.status != 200:
                raise Undelivered(
                    f"{place} answered HTTP {answered.status} {answered.reason or ''}".rstrip(),
                    seconds_until(answered.headers.get("Retry-After", ""), datetime.now(UTC)),
                )
            return await _whole(answered.content)


def _reason(error: Exception) -> str:
    """Say why there was no answer, in the words of the system where it has some: `Connection refused`."""
    cause = error.os_error if isinstance(error, aiohttp.ClientConnectorError) else error
    if isinstance(cause, ConnectionError) and cause.errno:
        return os.strerror(cause.errno)
    words = cause.strerror if isinstance(cause, socket.gaierror) else str(cause)
    return words or type(cause).__name__


async def _ask(url: str, body: bytes) -> bytes:
    """Send a message over a connection of its own; gives the first message that comes back, or what there is of it."""
    parts = urlsplit(url)
    splitter = Splitter(LONGEST)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port, ssl=parts.scheme == "tcps" or None)
    try:
        writer.write(body + b"\n")  # some wait for the end of a line
        while received := await reader.read(CHUNK):
            for answer in splitter.feed(received):
                return answer
    finally:
        writer.close()
    return splitter.rest


async def _whole(content: aiohttp.StreamReader) -> bytes:
    """Read an answer to its end; one that is too long, to where that is known."""
    raw = bytearray()
    while len(raw) <= LONGEST and (chunk := await content.readany()):
        raw += chunk
    return bytes(raw)


def seconds_until(retry_after: str, now: datetime) -> float | None:
    """Read a Retry-After header, seconds or a date (RFC 9110 section 10.2.3); None where there is none to be read."""
    text = retry_after.strip()
    if re.fullmatch(r"[0-9]{1,9}", text):
        return float(text)
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, (moment - now).total_seconds())


def without_password(url: str) -> str:
    """Give an address as it may be shown: what stands before the @ is a secret."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "the broker's address"
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))


def understand(raw: bytes, url: str) -> Answer:
    """Read an answer as an initiator does, generously; raises Undelivered for what is no NCIP answer."""
    try:
        document = receive(raw)
        problems = tuple(_problems(document.root))
    except Problem as error:
        raise Undelivered(f"{url} answered what is no NCIP message: {error.detail}") from error
    try:
        envelope = read(document).envelope
    except Problem as error:
        response = None if problems else _incomplete(document)
        if problems or response is not None:
            return Answer(raw, response, problems)
        raise Undelivered(f"{url} answered what is no NCIP message: {error.detail}") from error
    if isinstance(envelope.message, Response):
        return Answer(raw, envelope.message, envelope.message.problem)
    if envelope.problems:
        return Answer(raw, None, envelope.problems)
    raise Undelivered(f"{url} answered with {document.service or document.kind}, which is no response")


def _problems(root: Node) -> Iterator[ProblemElement]:
    """Find what a partner refused, though the answer may be invalid: Problem elements, and text that stands for one."""
    places = [root] if local_name(root) == "Problem" else [*root, *(root[0] if len(root) else ())]
    for node in places:
        if local_name(node) == "Problem":
            said = {local_name(part): "".join(part.itertext()).strip() for part in node}
            words = "" if said.get("ProblemType") else " ".join(" ".join(node.itertext()).split())
            yield ProblemElement(
                problem_type=Coded(said.get("ProblemType") or "Problem"),
                problem_detail=said.get("ProblemDetail") or words or None,
                problem_element=said.get("ProblemElement") or None,
                problem_value=said.get("ProblemValue") or None,
            )


def _incomplete(document: Document) -> Response | None:
    """Read a response that lacks what the grammar wants: what was asked for has happened all the same.

    Not one that holds what nobody knows: that may be where it says no.
    """
    cls = MESSAGES.get(document.service or "") if document.speaks and not document.moved else None
    if cls is None or not issubclass(cls, Response):
        return None
    try:
        return decode(document.root[0], cls)
    except Problem:
        return None
