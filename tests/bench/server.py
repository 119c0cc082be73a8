"""A measured server as the bench sees it: a process that was started, its processor time, its counters."""

from __future__ import annotations

import os
import re
import select
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.request import Request, urlopen

ROOT = Path(__file__).parents[2]
START_SECONDS = 120.0
STOP_SECONDS = 30.0

_TICKS = os.sysconf("SC_CLK_TCK")  # a second, of the kernel's processor accounting
_MESSAGES = re.compile(r'^ncipd_messages_total\{service="([^"]*)",verdict="([^"]*)"\} (\S+)$', re.MULTILINE)


class BenchError(Exception):
    """Something that makes the bench worthless, or impossible here."""


@dataclass(frozen=True)
class Server:
    """A running server: where it listens, and which process it is."""

    name: str
    url: str
    pid: int

    @property
    def address(self) -> str:
        """Host and port."""
        return self.url.split("/")[2]

    def cpu_seconds(self) -> float:
        """Processor time that the process has used, all its threads, user and system, in steps of 10 ms.

        Raises BenchError where there is no /proc to read it from.
        """
        try:
            stat = Path(f"/proc/{self.pid}/stat").read_text()
        except OSError as error:
            raise BenchError(f"{self.name}: no processor time to be read ({error}); the bench needs Linux") from error
        fields = stat.rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS

    def verdicts(self) -> dict[tuple[str, str], int]:
        """Messages answered so far by service and verdict, from ncipd's own counters."""
        with urlopen(f"http://{self.address}/metrics", timeout=60) as answer:
            text = answer.read().decode()
        return {(service, verdict): int(float(count)) for service, verdict, count in _MESSAGES.findall(text)}

    def post(self, body: bytes) -> bytes:
        """Send one message and give the answer."""
        request = Request(self.url, data=body, headers={"Content-Type": "application/xml"})
        with urlopen(request, timeout=60) as answer:
            content: bytes = answer.read()
        return content


@contextmanager
def serving(kind: str, what: str | Path) -> Iterator[Server]:
    """Start `tests.bench.serving` and give the server once it answers; it is stopped at the end.

    Raises BenchError if it does not come up, or does not end well.
    """
    command = [sys.executable, "-m", "tests.bench.serving", kind, str(what)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield Server(kind, _ready(kind, process), process.pid)
            process.terminate()
            if code := process.wait(STOP_SECONDS):
                raise BenchError(f"{kind} ended with status {code}")
        finally:
            process.kill()


def _ready(kind: str, process: subprocess.Popen[str]) -> str:
    until = time.monotonic() + START_SECONDS
    while process.stdout and (left := until - time.monotonic()) > 0:
        if not select.select([process.stdout], [], [], left)[0]:
            break
        line = process.stdout.readline()
        if not line:
            raise BenchError(f"{kind} ended before it answered; what it said is above")
        if line.startswith(f"{kind} ready "):
            return line.split()[-1]
    raise BenchError(f"{kind} did not answer within {START_SECONDS:g} seconds")
