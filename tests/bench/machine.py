"""Facts about the machine and the software, without which numbers mean nothing."""

from __future__ import annotations

import os
import platform
import sqlite3
import statistics
import tempfile
import time
from importlib.metadata import version
from pathlib import Path

from tests.bench.serving import loop_factory

_SYNCS = 50


def facts(generator: str) -> dict[str, object]:
    """Give everything that a reader of the numbers will ask for."""
    folder = Path(tempfile.gettempdir())
    return {
        "python": platform.python_version(),
        "loop": f"uvloop {version('uvloop')}" if loop_factory() else "asyncio",
        "generator": generator,
        "aiohttp": version("aiohttp"),
        "lxml": version("lxml"),
        "sqlite": sqlite3.sqlite_version,
        "processor": _processor(),
        "cores": os.cpu_count(),
        "system": f"{platform.system()} {platform.release()}",
        "file_system": _file_system(folder),
        "sync_ms": round(_sync_ms(folder), 3),
        "load_average": round(os.getloadavg()[0], 2),
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())


def _file_system(folder: Path) -> str:
    """Name the kind of file system under a folder: on tmpfs, say, nothing is ever written to a disk."""
    try:
        mounts = [line.split() for line in Path("/proc/mounts").read_text().splitlines()]
    except OSError:
        return "unknown"
    above = [mount for mount in mounts if folder.resolve().is_relative_to(mount[1])]
    return max(above, key=lambda mount: len(mount[1]))[2] if above else "unknown"


def _sync_ms(folder: Path) -> float:
    """Measure how long it takes to make one page durable, the median of a few."""
    took = []
    with tempfile.TemporaryFile(dir=folder) as file:
        for _ in range(_SYNCS):
            file.write(os.urandom(4096))
            file.flush()
            started = time.perf_counter()
            os.fsync(file.fileno())
            took.append((time.perf_counter() - started) * 1_000)
    return statistics.median(took)
