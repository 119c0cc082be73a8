"""A message out, its answer in: one POST to a partner's NCIP address, and what may be made of what comes back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import aiohttp

from ncipd.ncip.document import parse
from ncipd.ncip.problems import Problem
from ncipd.ncip.read import read
from ncipd.ncip.types import Response

if TYPE_CHECKING:
    from ncipd.ncip.elements import Problem as ProblemElement

MEDIA_TYPE = 'application/xml; charset="utf-8"'
LONGEST = 1_048_576  # bytes of an answer


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
    """Sends messages over HTTP."""

    def __init__(self, session: aiohttp.ClientSession, *, seconds: float = 30.0) -> None:
        """Send through `session`, waiting `seconds` for an answer."""
        self._session = session
        self._timeout = aiohttp.ClientTimeout(total=seconds)

    async def send(self, url: str, body: bytes) -> Answer:
        """Post a message; raises Undelivered where no NCIP answer comes back."""
        try:
            async with self._session.post(
                url, data=body, headers={"Content-Type": MEDIA_TYPE}, timeout=self._timeout, allow_redirects=False
            ) as answered:
                if answered.status != 200:
                    after = answered.headers.get("Retry-After", "")
                    raise Undelivered(
                        f"{url} answered HTTP {answered.status} {answered.reason or ''}".rstrip(),
                        float(after) if after.isdigit() else None,
                    )
                raw = await answered.content.read(LONGEST + 1)
        except TimeoutError as error:
            raise Undelivered(f"{url} did not answer within {self._timeout.total:g} s") from error
        except aiohttp.ClientError as error:
            raise Undelivered(f"{url} cannot be reached: {str(error) or type(error).__name__}") from error
        return understand(raw, url)


def understand(raw: bytes, url: str) -> Answer:
    """Read an answer as an initiator does, generously; raises Undelivered for what is no NCIP answer."""
    try:
        document = parse(raw)
        envelope = read(document).envelope
    except Problem as error:
        raise Undelivered(f"{url} answered what is no NCIP message: {error.detail}") from error
    if isinstance(envelope.message, Response):
        return Answer(raw, envelope.message, envelope.message.problem)
    if envelope.problems:
        return Answer(raw, None, envelope.problems)
    raise Undelivered(f"{url} answered with {document.service or document.kind}, which is no response")
