"""The TCP doors: messages follow each other on one connection, with TLS or without, each answered in its turn.

What is beyond the standard and happens all the same:

- *Pipelining.* A sender that does not wait for the answer gets its answers in order. Nothing is read while a message is
  being answered, so what waits is bounded by one message and what the socket holds, and the sender feels it.
- *HTTP in a socket.* A connection that begins with an HTTP request line is HTTP from then on, whatever the path.
- *A sender that has shut its side down* after the last message gets its answers (not under TLS: an asyncio connection
  ends with the other end's word that nothing more will come).

A connection ends where framing is lost, that is where nobody can say any more where the next message begins: a Problem
is sent first, and what still comes is read and thrown away for a moment, for a socket closed with something unread in
it takes the answer down with it.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from functools import partial
from typing import Final, Protocol, cast

import structlog

from ncipd.config import EndsWith, Tcp
from ncipd.http import DOOR, build_anywhere, run
from ncipd.metrics import Metrics
from ncipd.ncip.framing import FramingLost, Splitter
from ncipd.ncip.problems import Problem, ProblemType
from ncipd.responder import Answer, Door
from ncipd.tls import Unusable, server_context

CHUNK = 1 << 20  # bytes taken out of a stream at once: more than it ever holds
WORDS_KEPT = 2_000  # bytes of what is no message that the audit trail gets to see
BACKLOG = 1_024  # connections not yet accepted
LINGER = 2.0  # seconds that a connection is read on after its last answer
LAST_CALL = 0.1  # seconds that what has just been sent gets to arrive, when ncipd stops
HANDSHAKE = 10.0  # seconds that a client gets for the handshake of TLS

_METHODS = (b"POST ", b"GET ", b"HEAD ", b"PUT ", b"DELETE ", b"OPTIONS ", b"PATCH ", b"TRACE ", b"CONNECT ")
_ENDS: Final = {EndsWith.NOTHING: b"", EndsWith.NEWLINE: b"\n", EndsWith.NUL: b"\x00", EndsWith.EOT: b"\x04"}
_log = structlog.get_logger()


class Answers(Protocol):
    """What stands behind the doors."""

    async def respond(self, raw: bytes, door: Door) -> Answer:
        """Answer one NCIP message."""
        ...

    async def refuse(self, raw: bytes, problem: Problem) -> bytes:
        """Answer what is no message."""
        ...


class TcpDoor:
    """One open port, its settings, and the connections to it."""

    def __init__(self, settings: Tcp, answers: Answers, metrics: Metrics, max_bytes: int) -> None:
        """Take what is needed to answer; `listen` opens the port."""
        self.settings = settings
        self.answers = answers
        self.metrics = metrics
        self.max_bytes = max_bytes
        self.transport = "tls" if settings.certificate else "tcp"
        self.url = settings.url
        self.connections: set[_Connection] = set()
        self.draining = False
        app = build_anywhere(
            _OverHttp(self), metrics=metrics, max_body=max_bytes, body_seconds=settings.message_seconds
        )
        self.http = run(app, settings.idle_seconds)
        self._server: asyncio.Server | None = None

    async def listen(self) -> None:
        """Open the port; raises OSError, with the address as its file name, where that cannot be, and Unusable."""
        settings = self.settings
        tls = None
        if settings.certificate:
            tls = server_context(settings.certificate, settings.private_key, settings.client_ca)
        host, port = settings.address
        await self.http.setup()
        self.speak_http = cast("Callable[[], asyncio.Protocol]", self.http.server)
        try:
            self._server = await asyncio.get_running_loop().create_server(
                partial(_Connection, self),
                host,
                port,
                ssl=tls,
                backlog=BACKLOG,
                ssl_handshake_timeout=HANDSHAKE if tls else None,
            )
        except OSError as error:
            await self.http.cleanup()
            raise OSError(error.errno, error.strerror, settings.listen) from error
        bound = self._server.sockets[0].getsockname()[1]
        self.url = f"{self.url.rpartition(':')[0]}:{bound}"
        _log.info("listening", url=self.url, agency=settings.agency, partner=settings.partner)

    def bound(self, door: Door) -> Door:
        """Give a message's door the agency and the partner that this one is bound to."""
        return door._replace(key=None, agency=self.settings.agency, partner=self.settings.partner)

    async def close(self, within: float) -> bool:
        """Answer what is in flight and close; whether all of it was answered `within` seconds."""
        self.draining = True
        if self._server is not None:
            self._server.close()
        over_http = asyncio.create_task(self.http.app[DOOR].drain(within))
        tasks = [task for connection in list(self.connections) if (task := connection.leave())]
        late = (await asyncio.wait(tasks, timeout=within))[1] if tasks else set()
        answered = await over_http and not late
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)
        await self.http.cleanup()
        for connection in list(self.connections):
            connection.close("stopping", at_once=True)
        return answered


class _OverHttp:
    """Answers messages that come over HTTP through a TCP door."""

    def __init__(self, tcp: TcpDoor) -> None:
        self._tcp = tcp

    async def respond(self, raw: bytes, door: Door) -> Answer:
        self._tcp.metrics.tcp_message(self._tcp.settings.listen, "http")
        return await self._tcp.answers.respond(raw, self._tcp.bound(door))


class _Connection(asyncio.Protocol):
    """One connection: its first bytes say what is spoken, and all that follows goes to who speaks that."""

    def __init__(self, door: TcpDoor) -> None:
        self._door = door
        self._loop = asyncio.get_running_loop()
        self._first = b""
        self._inner: asyncio.Protocol | None = None
        self._transport: asyncio.Transport
        self._timer: asyncio.TimerHandle | None = None
        self._talk: _Talk | None = None
        self._task: asyncio.Task[None] | None = None
        #: Why it ended, for those who count.
        self.end = "closed"

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        settings = self._door.settings
        if self._door.draining or len(self._door.connections) >= settings.max_connections:
            self._door.metrics.tcp_turned_away(settings.listen)  # and no line of the log, or whoever tries fills it
            self._transport.abort()
            return
        self._door.connections.add(self)
        self._door.metrics.tcp_opened(settings.listen)
        self._wait(settings.idle_seconds, "idle")

    def data_received(self, data: bytes) -> None:
        if self._inner is not None:
            if self._talk is not None:
                self._talk.hear()
            self._inner.data_received(data)
            return
        if not self._first:
            self._wait(self._door.settings.message_seconds, "too slow")
        self._first += data
        http = _is_http(self._first)
        if http is not None:
            self._hand_over(http=http)

    def _hand_over(self, *, http: bool) -> None:
        self._stop_waiting()
        if http:
            self._inner = self._door.speak_http()
        else:
            if self._door.transport == "tcp":  # no answer is left behind in a buffer when the connection is closed
                self._transport.set_write_buffer_limits(0)
            reader = asyncio.StreamReader()
            self._inner = protocol = asyncio.StreamReaderProtocol(reader)
            writer = asyncio.StreamWriter(self._transport, protocol, reader, self._loop)
            self._talk = _Talk(self._door, self, reader, writer)
            self._task = self._loop.create_task(self._talk.run())
        self._inner.connection_made(self._transport)
        self._inner.data_received(self._first)

    def eof_received(self) -> bool:
        if self._inner is None and self._first:
            self._hand_over(http=False)
        if self._inner is None:
            return False
        self._inner.eof_received()
        return self._door.transport == "tcp"  # it may still be answered, and who answers also closes

    def pause_writing(self) -> None:
        if self._inner is not None:
            self._inner.pause_writing()

    def resume_writing(self) -> None:
        if self._inner is not None:
            self._inner.resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_waiting()
        if self._inner is not None:
            self._inner.connection_lost(exc)
        if self in self._door.connections:
            self._door.connections.discard(self)
            end = "reset" if exc is not None and self.end == "closed" else self.end
            self._door.metrics.tcp_ended(self._door.settings.listen, end)

    def leave(self) -> asyncio.Task[None] | None:
        """Finish what is being said and go; gives who still talks."""
        if self._inner is None:
            self.close("stopping", at_once=True)
        elif self._talk is not None:
            self._talk.leave()
        return self._task

    def close(self, end: str, *, at_once: bool = False) -> None:
        """End it: at once, or when the last answer has been taken."""
        self.end = end
        if at_once:
            self._transport.abort()
        else:
            self._transport.close()
            self._wait(self._door.settings.message_seconds, end)

    def _wait(self, seconds: float, end: str) -> None:
        self._stop_waiting()
        self._timer = self._loop.call_later(seconds, partial(self.close, end, at_once=True))

    def _stop_waiting(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


class _Talk:
    """NCIP on one connection: a message, its answer, the next message."""

    def __init__(
        self, door: TcpDoor, connection: _Connection, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._door = door
        self._settings = door.settings
        self._connection = connection
        self._reader = reader
        self._writer = writer
        self._splitter = Splitter(door.max_bytes)
        self._clock: Callable[[], float] = asyncio.get_running_loop().time
        self._since = self._clock()  # when the wait for what comes next began
        self._next_turn = 0.0
        self._waiting: asyncio.Timeout | None = None
        self._leaving = False
        self._is_answering = False
        self._ahead = False  # whether something came while an answer was being made
        peer = writer.get_extra_info("peername")
        self._as = door.bound(Door(door.transport, peer=str(peer[0]) if peer else ""))

    async def run(self) -> None:
        """Talk until one of both ends it."""
        end = "stopping"  # should this be cancelled
        try:
            end = await self._converse()
        except TimeoutError:
            end = "answer not taken"
        except OSError:
            end = "reset"
        finally:
            self._connection.close(end, at_once=end in {"answer not taken", "reset"})

    def leave(self) -> None:
        """Answer what has come, and go; a message that is under way may still arrive."""
        self._leaving = True
        if self._waiting is not None and not self._splitter.pending:
            with contextlib.suppress(RuntimeError):  # it does not wait just now
                self._waiting.reschedule(self._clock() + LAST_CALL)

    def hear(self) -> None:
        """Take note that something comes."""
        self._ahead = self._ahead or self._is_answering

    async def _converse(self) -> str:
        """Answer messages; gives why there are no more."""
        while not self._leaving or self._splitter.pending:
            try:
                received = await self._receive()
            except TimeoutError:
                return await self._timed_out()
            if not received:
                return await self._hung_up()
            try:
                await self._answer_all(received)
            except FramingLost as lost:
                return await self._refuse(lost, "framing lost")
        await self._linger()
        return "stopping"

    async def _receive(self) -> bytes:
        """Wait for more: of a message that has begun or, longer, for the next one."""
        patience = self._settings.message_seconds if self._splitter.pending else self._settings.idle_seconds
        async with asyncio.timeout_at(self._since + patience) as self._waiting:
            return await self._reader.read(CHUNK)

    async def _answer_all(self, received: bytes) -> None:
        begun, ahead = self._splitter.pending, self._ahead
        answered, self._ahead, self._is_answering = False, False, True
        for message in self._splitter.feed(received):
            await self._take_turn(behind_another=answered)
            answer = await self._door.answers.respond(message, self._as)
            self._door.metrics.tcp_message(self._settings.listen, "pipelined" if ahead or answered else "in turn")
            await self._write(answer.body)
            answered = True
        self._is_answering = False
        if self._splitter.pending:
            self._ahead = self._ahead or ahead or answered
        if answered or (self._splitter.pending and not begun):
            self._since = self._clock()

    async def _take_turn(self, *, behind_another: bool) -> None:
        """Let other connections have their turn, and wait where a sender is faster than it may be.

        A second's worth of messages may come at once.
        """
        wait, rate = 0.0, self._settings.messages_per_second
        if rate and not self._leaving:
            now = self._clock()
            self._next_turn = max(self._next_turn, now - max(1.0, 1.0 / rate)) + 1.0 / rate
            wait = max(0.0, self._next_turn - now)
        if wait or behind_another:
            await asyncio.sleep(wait)

    async def _write(self, answer: bytes) -> None:
        if self._writer.is_closing():
            raise ConnectionResetError
        self._writer.write(answer + _ENDS.get(self._settings.ends_with, self._splitter.separator))
        async with asyncio.timeout(self._settings.message_seconds):
            await self._writer.drain()

    async def _timed_out(self) -> str:
        if self._splitter.pending:
            seconds = self._settings.message_seconds
            detail = f"The message did not arrive within {seconds:g} seconds. Please send it again, and whole."
            return await self._refuse(Problem(ProblemType.INVALID_MESSAGE_SYNTAX_ERROR, detail=detail), "too slow")
        return "stopping" if self._leaving else "idle"

    async def _hung_up(self) -> str:
        """Answer what was left unfinished by a sender that only hung up on its own side."""
        if self._splitter.pending:
            answer = await self._door.answers.respond(self._splitter.rest, self._as)
            await self._write(answer.body)
            return "cut off"
        return "closed"

    async def _refuse(self, problem: Problem, end: str) -> str:
        """Say what is wrong, as the last thing that is said."""
        _log.info("connection given up", door=self._settings.listen, why=end)
        await self._write(await self._door.answers.refuse(self._splitter.rest[:WORDS_KEPT], problem))
        await self._linger()
        return end

    async def _linger(self) -> None:
        """Have the other end see that nothing more is said, and read on for a moment so that it can."""
        with contextlib.suppress(OSError, RuntimeError):  # the other end may be gone
            if self._writer.can_write_eof():
                self._writer.write_eof()
            async with asyncio.timeout(LINGER):
                while await self._reader.read(CHUNK):
                    pass


def _is_http(first: bytes) -> bool | None:
    """Whether the first bytes are those of an HTTP request; None where it takes more of them to tell."""
    if first.startswith(_METHODS):
        return True
    return None if any(method.startswith(first) for method in _METHODS) else False


async def open_doors(every: tuple[Tcp, ...], answers: Answers, metrics: Metrics, max_bytes: int) -> tuple[TcpDoor, ...]:
    """Open every door, or none; raises OSError, with the address as its file name, and Unusable (certificates)."""
    doors = tuple(TcpDoor(settings, answers, metrics, max_bytes) for settings in every)
    try:
        for door in doors:
            await door.listen()
    except (OSError, Unusable):
        for door in doors:
            await door.close(0)
        raise
    return doors
