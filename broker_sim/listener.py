"""The broker's own address: takes what the target sends by itself and hands it to the scenario it belongs to."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Protocol

from aiohttp import web

from broker_sim import wire
from broker_sim.mailbox import HttpAnswer, Inbound

PATH = "/ncip"
# Longer than any await step: a step that is late still finds its message unanswered.
_HOLD = 120.0
_MAX_BODY = 8 * 1024 * 1024


class Addressee(Protocol):
    """A scenario being played, as far as the post is concerned."""

    def claims(self, inbound: Inbound) -> int:
        """How strongly a message belongs to it; 0 is not at all."""
        ...

    def deliver(self, inbound: Inbound) -> None:
        """Take the message; its answer is the addressee's business from now on."""
        ...


class Listener:
    """A small HTTP server; ``open`` and ``close`` say who is at home."""

    def __init__(self, host: str, port: int, stray: Callable[[Inbound, HttpAnswer], None]) -> None:
        self._host, self._port, self._stray = host, port, stray
        self._at_home: list[Addressee] = []
        self._runner: web.AppRunner | None = None
        self.url = ""

    async def start(self) -> None:
        """Begin to listen; raises OSError when the address is taken."""
        app = web.Application(client_max_size=_MAX_BODY)
        app.router.add_post(PATH, self._take)
        app.router.add_post(PATH + "/{key}", self._take)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
        await self._runner.setup()
        site = web.TCPSite(self._runner, self._host, self._port)
        try:
            await site.start()
        except OSError as error:
            await self._runner.cleanup()
            raise OSError(
                f"the broker cannot listen at {self._host}:{self._port}: {error.strerror}; "
                "choose another address by --listen, or by [callback] listen of the agent file"
            ) from error
        port = self._runner.addresses[0][1]
        self.url = f"http://{self._host}:{port}{PATH}"

    async def stop(self) -> None:
        """Close every line."""
        if self._runner is not None:
            await self._runner.cleanup()

    def open(self, addressee: Addressee) -> None:
        """From now on, messages may be for this scenario."""
        self._at_home.append(addressee)

    def close(self, addressee: Addressee) -> None:
        """From now on, none is."""
        self._at_home.remove(addressee)

    async def _take(self, request: web.Request) -> web.StreamResponse:
        raw = await request.read()
        inbound = _read(raw, request.headers.get("Content-Type", ""), str(request.url))
        addressee = self._addressee(inbound)
        if addressee is None:
            answer = problem_answer(inbound, "Unknown Item", "No scenario is being played that this message belongs to")
            self._stray(inbound, answer)
        else:
            addressee.deliver(inbound)
            try:
                answer = await asyncio.wait_for(asyncio.shield(inbound.answer), _HOLD)
            except TimeoutError:
                answer = HttpAnswer(503, b"", "text/plain")
        if answer.hang is not None:
            await asyncio.sleep(answer.hang)
            if request.transport is not None:
                request.transport.abort()
        return web.Response(status=answer.status, body=answer.body, headers={"Content-Type": answer.content_type})

    def _addressee(self, inbound: Inbound) -> Addressee | None:
        if inbound.message is None:
            return self._at_home[0] if len(self._at_home) == 1 else None
        closest = max(self._at_home, key=lambda one: one.claims(inbound), default=None)
        return closest if closest is not None and closest.claims(inbound) else None


def _read(raw: bytes, media_type: str, url: str) -> Inbound:
    try:
        return Inbound(raw, media_type, url, wire.read(raw), None)
    except wire.Unreadable as error:
        return Inbound(raw, media_type, url, None, str(error))


def problem_answer(inbound: Inbound, kind: str, detail: str) -> HttpAnswer:
    """A well-formed Problem in answer to any message, inside its response where it has one."""
    problem = {"Problem": {"ProblemType": kind, "ProblemDetail": detail}}
    return HttpAnswer(body=wire.answer(inbound.message, problem))
