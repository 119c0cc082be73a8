"""Messages that came from the target and wait for the step that expects them."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from broker_sim.wire import Message


@dataclass(frozen=True)
class HttpAnswer:
    """What goes back over HTTP; with ``hang`` nothing does, and the line is cut after so many seconds."""

    status: int = 200
    body: bytes = b""
    content_type: str = 'application/xml; charset="utf-8"'
    hang: float | None = None


@dataclass
class Inbound:
    """A message that came in: its octets, what could be read of them, and the answer that the sender is waiting for."""

    raw: bytes
    media_type: str
    url: str
    message: Message | None
    unreadable: str | None
    at: datetime = field(default_factory=lambda: datetime.now(UTC))
    answer: asyncio.Future[HttpAnswer] = field(default_factory=lambda: asyncio.get_running_loop().create_future())

    @property
    def service(self) -> str:
        """The name of the message, or what it is instead."""
        return (self.message.name if self.message else None) or "an unreadable message"

    def respond(self, answer: HttpAnswer) -> None:
        """Let the sender have its answer; the first one counts."""
        if not self.answer.done():
            self.answer.set_result(answer)


class Mailbox:
    """What has come for one scenario and was not yet taken by a step."""

    def __init__(self) -> None:
        self.waiting: list[Inbound] = []
        self.seen: list[Inbound] = []
        self._news = asyncio.Event()

    def put(self, inbound: Inbound, *, wait: bool) -> None:
        """Keep a message, for a step to take it if it may ``wait``."""
        self.seen.append(inbound)
        if wait:
            self.waiting.append(inbound)
        self._news.set()

    async def take(self, wanted: Callable[[Inbound], bool], seconds: float) -> Inbound | None:
        """The first message that is wanted, as soon as it is there; None when it does not come in time."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + seconds
        while True:
            for inbound in self.waiting:
                if wanted(inbound):
                    self.waiting.remove(inbound)
                    return inbound
            if loop.time() >= deadline:
                return None
            self._news.clear()
            with contextlib.suppress(TimeoutError):  # what came in the very last moment is looked at all the same
                await asyncio.wait_for(self._news.wait(), deadline - loop.time())
