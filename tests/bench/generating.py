"""Load on a server from a process of its own: wrk where it is installed, else the generator of `own.py`."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from tests.bench.server import ROOT, BenchError, Server
from tests.bench.traffic import Traffic

RAMP = 0.2  # of a run, at its beginning, in which the processor's load is not looked at; half of that at its end
GRACE = 30.0  # seconds beyond its time that a generator may take to end


@dataclass(frozen=True)
class Outcome:
    """What one run against one server came to."""

    requests: int
    seconds: float
    p50_ms: float
    p99_ms: float
    errors: int
    """Connections that failed, answers that did not come, HTTP statuses that are no success."""
    cpu_seconds: float
    """Processor time that the server used."""
    core: float
    """How much of one processor the server used in the middle of the run: 1.0 is all of it."""

    @property
    def per_second(self) -> float:
        """Messages answered in a second."""
        return self.requests / self.seconds

    @property
    def cpu_us(self) -> float:
        """Processor time that the server used for a message, in microseconds."""
        return self.cpu_seconds / self.requests * 1e6


class Command(Protocol):
    """Gives the command line of a generator."""

    def __call__(self, server: Server, connections: int, seconds: float, traffic: Traffic) -> list[str]:
        """Load `server` over so many connections for so long."""
        ...


def wrk(server: Server, connections: int, seconds: float, traffic: Traffic) -> list[str]:
    """Give the command line of wrk, which counts in whole seconds; one thread of it is faster than any Python."""
    script = Path(__file__).with_name("wrk.lua")
    lag = 2 * connections
    return [
        *("wrk", "-t1", f"-c{connections}", f"-d{max(1, round(seconds))}s", "--timeout", "10s"),
        *("-s", str(script), server.url, "--", str(traffic.folder), traffic.name, str(lag)),
    ]


def own(server: Server, connections: int, seconds: float, traffic: Traffic) -> list[str]:
    """Give the command line of our own generator."""
    values = (server.address, connections, seconds, traffic.folder, traffic.run)
    return [sys.executable, "-m", "tests.bench.own", *map(str, values)]


GENERATORS: dict[str, Command] = {"wrk": wrk, "own": own}


def preferred() -> str:
    """Name the generator to use here."""
    return "wrk" if shutil.which("wrk") else "own"


def load(generator: str, server: Server, connections: int, seconds: float, traffic: Traffic) -> Outcome:
    """Load a server and measure both ends. Raises BenchError if the generator fails or nothing is answered."""
    before = server.cpu_seconds()
    command = GENERATORS[generator](server, connections, seconds, traffic)
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            core = _core_used(server.cpu_seconds, seconds)
            said, complaint = process.communicate(timeout=seconds + GRACE)
        except BaseException:
            process.kill()
            raise
    used = server.cpu_seconds() - before
    lines = [line for line in said.splitlines() if line.startswith("{")]
    if process.returncode or not lines:
        raise BenchError(f"{generator} failed with status {process.returncode}: {complaint.strip() or said.strip()}")
    told = json.loads(lines[-1])
    if not told["requests"]:
        raise BenchError(f"{server.name} answered nothing in {seconds:g} seconds at {connections} connections")
    return Outcome(**told, cpu_seconds=used, core=core)


def _core_used(cpu_seconds: Callable[[], float], seconds: float) -> float:
    """Look on for most of a run, from when it is under way to shortly before it ends."""
    time.sleep(seconds * RAMP)
    started, begun = time.perf_counter(), cpu_seconds()
    time.sleep(seconds * (1 - RAMP - RAMP / 2))
    return (cpu_seconds() - begun) / (time.perf_counter() - started)
