"""A real ncipd in a process of its own, on a data folder of its own, and clients that talk HTTP to it."""

from __future__ import annotations

import re
import select
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import aiohttp
from lxml import etree

from ncipd.circulation.model import ItemStatus
from ncipd.ncip import schema
from tests.services.world import Answer, fill, make_world

READY_WITHIN = 120  # seconds; a busy machine starts slowly
STOPPED_WITHIN = 120

CONFIG = """
[server]
port = 0
max_body = 1_000_000
drain_seconds = 20.0

[store]
data = "data"

[log]
level = "warning"

[[partner]]
code = "BROKER"
agency = "LEND"
"""


class Ncipd:
    """One data folder, and the process that serves it, if one does."""

    def __init__(self, folder: Path, root: Path) -> None:
        self.folder = folder
        self.root = root
        self.url = ""
        self.process: subprocess.Popen[str] | None = None
        (folder / "ncipd.toml").write_text(CONFIG, "utf-8")

    async def fill(self, items: int = 0) -> None:
        """Put the small world into the store, and more items E-0, E-1, … where asked."""
        world = make_world(self.folder / "data")
        await fill(world)

        def add(tx: Any) -> None:
            circ = world.unit(tx, "LEND")
            library, record = circ.libraries()[0].id, circ.records("REC-LEND-1")[0].id
            for number in range(items):
                circ.add_item(record, f"E-{number}", ItemStatus.AVAILABLE, home_library=library)

        await world.store.transact(add)
        await world.store.close()

    def start(self) -> None:
        """Run `ncipd serve` until it says that it answers."""
        command = [sys.executable, "-m", "ncipd", "serve", "--config", str(self.folder / "ncipd.toml")]
        with (self.folder / "log").open("a", encoding="utf-8") as log:
            self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True, cwd=self.root)
        assert self.process.stdout is not None
        said, _, _ = select.select([self.process.stdout], [], [], READY_WITHIN)
        line = self.process.stdout.readline() if said else ""
        ready = re.fullmatch(r"ncipd ready (http://127\.0\.0\.1:\d+/ncip)\n", line)
        assert ready, f"no ready line but {line!r}; the log says:\n{self.log()}"
        self.url = ready[1]

    @property
    def port(self) -> int:
        return int(self.url.split(":")[2].split("/")[0])

    def kill(self) -> None:
        """End the process as a power cut would."""
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)
        self.process.communicate()
        self.process = None

    def stop(self) -> tuple[int, str]:
        """Ask the process to end; gives its exit code and what more it printed."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        return self.wait()

    def wait(self) -> tuple[int, str]:
        """Wait for the process to end by itself."""
        assert self.process is not None
        printed, _ = self.process.communicate(timeout=STOPPED_WITHIN)
        code, self.process = self.process.returncode, None
        return code, printed

    def memory(self) -> int:
        """The most memory that the process has used, in bytes."""
        assert self.process is not None
        status = Path(f"/proc/{self.process.pid}/status").read_text("ascii")
        return int(re.findall(r"VmHWM:\s+(\d+) kB", status)[0]) * 1024

    def rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        """Look into the file from outside."""
        path = self.folder / "data" / "ncipd.sqlite3"
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=60)) as database:
            return database.execute(query, values).fetchall()

    def log(self) -> str:
        return (self.folder / "log").read_text("utf-8")


class Refused(Exception):
    """No NCIP answer, but an HTTP status that says why."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(f"HTTP {status}: {text}")
        self.status = status


async def post(session: aiohttp.ClientSession, url: str, body: bytes | str) -> Answer:
    """Send one message; the answer must be NCIP and valid. Raises Refused where the status says that there is none."""
    raw = body.encode() if isinstance(body, str) else body
    async with session.post(url, data=raw, headers={"Content-Type": "application/xml"}) as response:
        if response.status != 200:
            raise Refused(response.status, await response.text())
        assert response.headers["Content-Type"] == 'application/xml; charset="utf-8"'
        return valid(await response.read())


def valid(raw: bytes) -> Answer:
    """An answer, which must keep to the schema."""
    root = etree.fromstring(raw)
    assert schema.is_valid(root), [str(violation) for violation in schema.violations(root)]
    return Answer(raw)
