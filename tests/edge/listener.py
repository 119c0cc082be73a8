"""A broker that listens: a real HTTP server that keeps what it gets and answers as it is told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web
from lxml import etree

from tests.services.world import NS

VERSION = "http://www.niso.org/schemas/ncip/v2_02/ncip_v2_02.xsd"
Reply = Callable[[web.Request, bytes], Awaitable[web.StreamResponse]]


def wrapped(content: str) -> bytes:
    """An NCIPMessage around the text of its content."""
    return f'<NCIPMessage xmlns="{NS}" xmlns:n="{NS}" n:version="{VERSION}">{content}</NCIPMessage>'.encode()


def ncip(content: str, status: int = 200, **headers: str) -> Reply:
    """Answer with an NCIP message."""
    return plain(wrapped(content), status, **headers)


def plain(body: bytes, status: int = 200, **headers: str) -> Reply:
    """Answer with bytes."""

    async def reply(_request: web.Request, _body: bytes) -> web.StreamResponse:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return web.Response(body=body, status=status, headers=named, content_type="application/xml")

    return reply


def problem(service: str, type: str, detail: str = "") -> str:
    """The response of a service that holds a problem."""
    told = f"<ProblemDetail>{detail}</ProblemDetail>" if detail else ""
    return f"<{service}Response><Problem><ProblemType>{type}</ProblemType>{told}</Problem></{service}Response>"


def renewed(due: str) -> str:
    """RenewItemResponse with a new date."""
    return (
        "<RenewItemResponse><ItemId><ItemIdentifierValue>X-1</ItemIdentifierValue></ItemId>"
        f"<UserId><UserIdentifierValue>u</UserIdentifierValue></UserId><DateDue>{due}</DateDue></RenewItemResponse>"
    )


PENDING = (
    "<RenewItemResponse><Pending><DateOfExpectedReply>2026-01-10T00:00:00Z</DateOfExpectedReply></Pending>"
    "</RenewItemResponse>"
)


class Broker:
    """What came, and what will be answered: the scripted replies in their order, then `usual` for ever."""

    def __init__(self) -> None:
        self.got: list[Any] = []
        self.headers: list[Any] = []
        self.script: list[Reply] = []
        self.usual: Reply = ncip(PENDING)
        self.gate = asyncio.Event()
        self.gate.set()
        self.arrived = asyncio.Event()
        self.url = ""

    async def receive(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        self.got.append(etree.fromstring(body))
        self.headers.append(request.headers)
        self.arrived.set()
        reply = self.script.pop(0) if self.script else self.usual
        await self.gate.wait()
        return await reply(request, body)

    @property
    def services(self) -> list[str]:
        return [etree.QName(root[0]).localname for root in self.got]

    def text(self, number: int, path: str) -> str | None:
        steps = "/".join(f"{{{NS}}}{step}" for step in path.split("/"))
        found = self.got[number].find(f".//{steps}")
        return None if found is None else found.text


@asynccontextmanager
async def listening() -> AsyncIterator[Broker]:
    """Open a broker on a free port of this machine."""
    broker = Broker()
    app = web.Application()
    app.router.add_post("/ncip", broker.receive)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    broker.url = f"http://127.0.0.1:{runner.addresses[0][1]}/ncip"
    yield broker
    broker.gate.set()
    await runner.cleanup()
