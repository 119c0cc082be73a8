"""The HTTP door: `POST /ncip` and `POST /ncip/{key}`, and what operators look at.

An NCIP answer is always HTTP 200 with an NCIP body, Problems too. Other statuses are for where no NCIP answer is
possible: 405 (not a POST), 408 (the body did not come in time), 413 (too large), 400 (the body does not decompress),
503 (draining). A body is refused as soon as it is known to be too large, by its announced length or while it streams
in; what comes compressed counts decompressed. No middleware, no access log: each costs more than reading the message.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, Protocol

from aiohttp import hdrs, web
from multidict import CIMultiDict

from ncipd import __version__
from ncipd.metrics import CONTENT_TYPE, Metrics
from ncipd.responder import Answer, Door

SERVER: Final = f"ncipd/{__version__}"
RETRY_AFTER: Final = "5"  # seconds
KEEP_READING = 5.0  # seconds that a refused body is read on and thrown away, so that the refusal arrives
CLOSE_WITHIN = 2.0  # seconds that open connections get after draining
WHERE: Final = f"""\
This is ncipd {__version__}, which answers NCIP (ANSI/NISO Z39.83).

  POST /ncip          NCIP messages; /ncip/KEY for a partner that has a path of its own
  GET  /healthz       whether it runs
  GET  /readyz        whether it can answer messages
  GET  /metrics       counters for Prometheus
       /api/v1        what staff do at the desk; GET /api/v1/openapi.yaml describes it
"""
BACKLOG = 1_024  # connections not yet accepted

Readiness = Callable[[], str]
Routes = Callable[[web.Application], None]


class Answers(Protocol):
    """What stands behind the door."""

    async def respond(self, raw: bytes, door: Door) -> Answer:
        """Answer one NCIP message."""
        ...


class _Refused(Exception):
    """A request that gets no NCIP answer."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status
        self.text = text


@dataclass(eq=False)
class HttpDoor:
    """The HTTP requests of one ncipd: who answers them, what is too much, and how many are in flight."""

    answers: Answers
    readiness: Readiness
    metrics: Metrics
    max_body: int
    body_seconds: float
    draining: bool = False
    in_flight: int = 0
    _empty: asyncio.Event = field(default_factory=asyncio.Event)

    async def receive(self, request: web.Request) -> web.Response:
        """Answer `POST /ncip` and `POST /ncip/{key}`."""
        if self.draining:
            return self._draining()
        self.in_flight += 1
        try:
            answer = await self.answers.respond(await self._body(request), _door(request))
        except _Refused as refused:
            return await self._refuse(request, refused)
        finally:
            self._left()
        headers = CIMultiDict({hdrs.CONTENT_TYPE: answer.media_type, hdrs.SERVER: SERVER})
        return web.Response(body=answer.body, headers=headers)

    def _left(self) -> None:
        self.in_flight -= 1
        if self.draining and not self.in_flight:
            self._empty.set()

    async def _body(self, request: web.Request) -> bytes:
        self._check(request.content_length or 0)
        content = request.content
        try:
            if content.is_eof():  # all of it came with the head: the usual case
                body: bytes | bytearray = content.read_nowait()
                self._check(len(body))
            else:
                body = bytearray()
                async with asyncio.timeout(self.body_seconds):
                    while chunk := await content.readany():
                        body += chunk
                        self._check(len(body))
        except TimeoutError:
            raise _Refused(408, f"The message did not arrive within {self.body_seconds:g} seconds.") from None
        except web.RequestPayloadError:
            raise _Refused(400, "The body is not what its Content-Encoding or Transfer-Encoding says.") from None
        return bytes(body)

    def _check(self, size: int) -> None:
        if size > self.max_body:
            raise _Refused(413, f"A message may have at most {self.max_body} bytes.")

    async def expect(self, request: web.Request) -> web.StreamResponse | None:
        """Refuse what announces too much before it is sent; else say `100 Continue` (RFC 9110 section 10.1.1)."""
        if self.draining:
            return self._draining()
        if (request.content_length or 0) > self.max_body:
            return self._refusal(413, f"A message may have at most {self.max_body} bytes.")
        if request.version >= (1, 1) and request.headers[hdrs.EXPECT].lower() == "100-continue":
            await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            request.writer.output_size = 0
        return None

    async def wrong_method(self, request: web.Request) -> web.Response:
        """Answer anything but POST."""
        text = f"NCIP messages are sent here by POST, not {request.method}."
        return self._refusal(405, text, {hdrs.ALLOW: hdrs.METH_POST})

    async def root(self, request: web.Request) -> web.Response:
        """Answer at `/`, where a person looks first and a sender by mistake: say what is where."""
        status = 200 if request.method in (hdrs.METH_GET, hdrs.METH_HEAD) else 404
        if status == 404:
            self.metrics.refused(status)
        return web.Response(status=status, text=WHERE, headers={hdrs.SERVER: SERVER})

    async def health(self, _request: web.Request) -> web.Response:
        """Answer `GET /healthz`: the process runs."""
        return _json(200, {"status": "ok", "version": __version__})

    async def ready(self, _request: web.Request) -> web.Response:
        """Answer `GET /readyz`: 200 when messages can be answered, 503 and the reason when not."""
        reason = "draining" if self.draining else self.readiness()
        return _json(503, {"status": "not ready", "reason": reason}) if reason else _json(200, {"status": "ready"})

    async def measures(self, _request: web.Request) -> web.Response:
        """Answer `GET /metrics`."""
        return web.Response(body=self.metrics.render(), headers={hdrs.CONTENT_TYPE: CONTENT_TYPE, hdrs.SERVER: SERVER})

    async def drain(self, within: float) -> bool:
        """Refuse new messages and wait for those in flight; whether all were answered `within` seconds."""
        self.draining = True
        if self.in_flight:
            try:
                await asyncio.wait_for(self._empty.wait(), within)
            except TimeoutError:
                return False
        return True

    def _draining(self) -> web.Response:
        return self._refusal(503, "ncipd is stopping; send the message again later.", {hdrs.RETRY_AFTER: RETRY_AFTER})

    async def _refuse(self, request: web.Request, refused: _Refused) -> web.Response:
        response = self._refusal(refused.status, refused.text)
        if hdrs.CONTENT_ENCODING in request.headers:  # reading on would decompress on: hang up once this is written
            await response.prepare(request)
            await response.write_eof()
            request.protocol.force_close()
        return response

    def _refusal(self, status: int, text: str, headers: Mapping[str, str] | None = None) -> web.Response:
        self.metrics.refused(status)
        response = web.Response(status=status, text=f"{text}\n", headers={hdrs.SERVER: SERVER, **(headers or {})})
        if status != 405:  # after which the connection is as good as before
            response.force_close()
        return response


DOOR: Final = web.AppKey("door", HttpDoor)


def build_http(
    answers: Answers,
    *,
    readiness: Readiness,
    metrics: Metrics,
    max_body: int,
    body_seconds: float = 30.0,
    api: Routes | None = None,
) -> web.Application:
    """Put together the HTTP side of ncipd.

    `readiness` says why no message can be answered just now, or "" when they can; `max_body` is in bytes,
    `body_seconds` is how long one body may take to arrive; `api` adds the routes of the desk and others.
    """
    door = HttpDoor(answers, readiness, metrics, max_body, body_seconds)
    app = web.Application()
    app[DOOR] = door
    for path in ("/ncip", "/ncip/", "/ncip/{key}"):
        app.router.add_route(hdrs.METH_POST, path, door.receive, expect_handler=door.expect)
        app.router.add_route(hdrs.METH_ANY, path, door.wrong_method)
    app.router.add_route(hdrs.METH_ANY, "/", door.root)
    app.router.add_get("/healthz", door.health)
    app.router.add_get("/readyz", door.ready)
    app.router.add_get("/metrics", door.measures)
    if api is not None:
        api(app)
    return app


def build_anywhere(answers: Answers, *, metrics: Metrics, max_body: int, body_seconds: float) -> web.Application:
    """Put together an HTTP side that takes messages whatever the path, and nothing else."""
    door = HttpDoor(answers, str, metrics, max_body, body_seconds)
    app = web.Application()
    app[DOOR] = door
    app.router.add_route(hdrs.METH_POST, "/{path:.*}", door.receive, expect_handler=door.expect)
    app.router.add_route(hdrs.METH_ANY, "/{path:.*}", door.wrong_method)
    return app


def run(app: web.Application, idle_seconds: float) -> web.AppRunner:
    """Give what runs an application, not set up yet."""
    return web.AppRunner(
        app, access_log=None, keepalive_timeout=idle_seconds, lingering_time=KEEP_READING, shutdown_timeout=CLOSE_WITHIN
    )


@dataclass(frozen=True)
class Listener:
    """An open HTTP port."""

    url: str
    runner: web.AppRunner
    drain_seconds: float

    async def close(self) -> bool:
        """Drain and close; whether every message in flight was answered."""
        answered = await self.runner.app[DOOR].drain(self.drain_seconds)
        await self.runner.cleanup()
        return answered


async def listen(
    app: web.Application, host: str, port: int, *, idle_seconds: float = 75.0, drain_seconds: float = 30.0
) -> Listener:
    """Open the port (0 = any free one) and answer; the listener's `url` is where NCIP messages go.

    `idle_seconds` is how long a connection may wait before its head has come. Raises OSError if the port is taken.
    """
    runner = run(app, idle_seconds)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port, backlog=BACKLOG).start()
    except OSError:
        await runner.cleanup()
        raise
    bound = runner.addresses[0][1]
    return Listener(f"http://{f'[{host}]' if ':' in host else host}:{bound}/ncip", runner, drain_seconds)


def _door(request: web.Request) -> Door:
    headers = request.headers
    return Door(
        transport="http",
        key=request.match_info.get("key"),
        credentials=headers.get(hdrs.AUTHORIZATION),
        peer=request.remote or "",
    )


def _json(status: int, content: Mapping[str, str]) -> web.Response:
    headers = {hdrs.CONTENT_TYPE: "application/json", hdrs.SERVER: SERVER, hdrs.CACHE_CONTROL: "no-store"}
    return web.Response(status=status, body=json.dumps(content).encode(), headers=headers)
