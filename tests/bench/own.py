"""A load generator of our own, for where wrk is not installed: one process, plain sockets, requests made beforehand.

    python -m tests.bench.own ADDRESS CONNECTIONS SECONDS FOLDER RUN

Each connection sends copies of its own out and back again, one message at a time, and goes on as soon as the answer is
whole. When the time is over nothing more is sent, and what is under way is still answered and counted: so the server
has counted as many messages as we have. It looks at no more of an answer than it must, since it has to be several times
faster than what it measures.
"""

from __future__ import annotations

import gc
import json
import selectors
import socket
import sys
from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from time import perf_counter

from tests.bench.traffic import CHECK_IN, CHECK_OUT, ITEMS, REQUEST, RUN, Slotted

PATIENCE = 60.0  # seconds without any answer
_HEAD_END = b"\r\n\r\n"
_LENGTH = b"content-length:"


@dataclass(slots=True)
class Connection:
    """One connection: its requests to come, the answer so far, and when its last request left."""

    socket: socket.socket
    requests: Iterator[bytes]
    answer: bytearray = field(default_factory=bytearray)
    since: float = 0.0

    def send(self) -> None:
        """Send the next request; it fits into the socket's buffer, for the one before has been answered."""
        self.since = perf_counter()
        self.socket.sendall(next(self.requests))


@dataclass(slots=True)
class Tally:
    """What came of it: how long each answer took, in seconds, and how many were not 200."""

    latencies: array[float] = field(default_factory=lambda: array("d"))
    errors: int = 0
    seconds: float = 0.0

    def percentile(self, part: float) -> float:
        """Give the latency that this part of the answers did not exceed, in milliseconds."""
        ordered = sorted(self.latencies)
        return ordered[min(len(ordered) - 1, int(len(ordered) * part))] * 1_000 if ordered else 0.0

    def as_json(self) -> str:
        """Give the line that the bench reads."""
        return json.dumps(
            {
                "requests": len(self.latencies),
                "seconds": self.seconds,
                "p50_ms": self.percentile(0.5),
                "p99_ms": self.percentile(0.99),
                "errors": self.errors,
            }
        )


def requests(out: Slotted, back: Slotted, items: list[bytes], numbers: Iterator[int], run: str) -> Iterator[bytes]:
    """Make the requests of one connection: each of its copies out, then back, and round again."""
    while True:
        for item in items:
            request = (REQUEST % (run, next(numbers))).encode()
            yield out.fill(item, request)
            yield back.fill(item, request)


def length(head: bytes) -> int:
    """Give the length that the head of an answer announces; 0 where it announces none."""
    at = head.lower().find(_LENGTH)
    return int(head[at + len(_LENGTH) :].split(b"\r\n", 1)[0]) if at >= 0 else 0


def whole(answer: bytearray) -> bool:
    """Say whether an answer has come to its end."""
    end = answer.find(_HEAD_END)
    return end >= 0 and len(answer) >= end + len(_HEAD_END) + length(bytes(answer[:end]))


def drive(connections: list[Connection], seconds: float) -> Tally:
    """Keep every connection busy for so long; then wait for what is under way."""
    tally, receive = Tally(), bytearray(65_536)
    with selectors.DefaultSelector() as selector:
        for connection in connections:
            selector.register(connection.socket, selectors.EVENT_READ, connection)
        started = perf_counter()
        until, busy = started + seconds, len(connections)
        for connection in connections:
            connection.send()
        while busy:
            ready = selector.select(PATIENCE)
            if not ready:
                raise TimeoutError(f"no answer for {PATIENCE:g} seconds, with {busy} messages under way")
            for key, _ in ready:
                connection = key.data
                size = connection.socket.recv_into(receive)
                if not size:
                    raise ConnectionError("the server closed a connection that it should have kept")
                answer = connection.answer
                answer += memoryview(receive)[:size]
                if not whole(answer):
                    continue
                now = perf_counter()
                tally.latencies.append(now - connection.since)
                tally.errors += not answer.startswith(b"HTTP/1.1 200")
                answer.clear()
                if now < until:
                    connection.send()
                else:
                    busy -= 1
        tally.seconds = perf_counter() - started
    return tally


def open_connections(address: str, number: int, folder: Path, run: int) -> list[Connection]:
    """Open the connections, and deal the items out among them."""
    out, back = Slotted.read(folder / CHECK_OUT), Slotted.read(folder / CHECK_IN)
    items = (folder / ITEMS).read_bytes().split()
    host, port = address.rsplit(":", 1)
    numbers, connections = count(), []
    for each in range(number):
        plug = socket.create_connection((host, int(port)), PATIENCE)
        plug.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connections.append(Connection(plug, requests(out, back, items[each::number], numbers, RUN % run)))
    return connections


def main() -> None:
    """Drive what the command line says and print the tally."""
    address, number, seconds, folder, run = sys.argv[1:]
    connections = open_connections(address, int(number), Path(folder), int(run))
    gc.disable()  # nothing here makes circles, and a pause would be taken for the server's
    tally = drive(connections, float(seconds))
    for connection in connections:
        connection.socket.close()
    print(tally.as_json())


if __name__ == "__main__":
    main()
