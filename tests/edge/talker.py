"""A client on a bare connection: sends bytes, and takes answers off one by one."""

from __future__ import annotations

import asyncio
import socket
import ssl
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

from tests.waiting import WITHIN


class Talker:
    """One connection to a TCP door."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def send(self, *pieces: bytes | str, pause: float = 0.0) -> None:
        """Send pieces, with a pause between them."""
        for number, piece in enumerate(pieces):
            if number and pause:
                await asyncio.sleep(pause)
            self.writer.write(piece.encode() if isinstance(piece, str) else piece)
            await self.writer.drain()

    async def answer(self, end: bytes = b"</NCIPMessage>") -> bytes:
        """Take the next answer off, up to what ends it."""
        return (await asyncio.wait_for(self.reader.readuntil(end), WITHIN)).lstrip(b"\r\n\x00\x04 ")

    async def ask(self, *pieces: bytes | str) -> bytes:
        await self.send(*pieces)
        return await self.answer()

    async def rest(self) -> bytes:
        """What still comes until the other end closes."""
        try:
            return await asyncio.wait_for(self.reader.read(), WITHIN)
        except ConnectionError:
            return b"(reset)"

    def hang_up(self) -> None:
        """Say that nothing more will be sent."""
        self.writer.write_eof()

    def reset(self) -> None:
        """Go without a word."""
        found: socket.socket = self.writer.get_extra_info("socket")
        found.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()


@asynccontextmanager
async def talking(url: str, tls: ssl.SSLContext | None = None) -> AsyncIterator[Talker]:
    """Connect to tcp://HOST:PORT or tcps://HOST:PORT."""
    place = urlsplit(url)
    reader, writer = await asyncio.open_connection(
        place.hostname, place.port, ssl=tls, server_hostname="localhost" if tls else None
    )
    try:
        yield Talker(reader, writer)
    finally:
        writer.close()
