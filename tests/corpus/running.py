"""One message, one ncipd: what it names is loaded, what happened before is told, it is sent over HTTP, and judged."""

from __future__ import annotations

import re
import shutil
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp

from ncipd import app, config
from ncipd.circulation.clock import to_micros
from ncipd.loading import load_rows
from ncipd.store.sqlite import SqliteStore
from tests.corpus import families
from tests.corpus.judging import Judge, Verdict
from tests.corpus.messages import Message, with_dates
from tests.corpus.said import Said
from tests.corpus.world import EARLIER, World, sides, world_for

KEY = "corpus"
UNKNOWN_SYSTEM = "Unknown System"
_REPAIRS = re.compile(r'^ncipd_repairs_total\{repair="([^"]*)"\} ([0-9]+)', re.MULTILINE)
_UNTOUCHED = frozenset({"journal", "message_body", "reply", "setting", "sqlite_sequence"})  # by effects


@dataclass(frozen=True)
class Trial:
    """One message on one side: what came back, and what it did."""

    message: Message
    side: str
    verdict: Verdict
    repairs: tuple[str, ...]
    #: Whether the store is another than before.
    changed: bool
    #: Whether the header told who sends it; otherwise the key in the address did.
    recognised: bool
    #: What could not be made ready before the message was sent.
    unready: str = ""

    @property
    def succeeded(self) -> bool:
        """Whether it was answered as it must be, and without a problem."""
        return not self.verdict.wrong and not self.verdict.problems

    @property
    def in_vain(self) -> bool:
        """Whether it was answered with success and has changed nothing, though it was to."""
        return self.succeeded and not self.changed and not self.message.type.startswith(("Lookup", "Authenticate"))


async def run(messages: list[Message], folder: Path, judge: Judge) -> list[Trial]:
    """Send every message, on each side that its family documents, to an ncipd of its own; stores are in `folder`."""
    empty = folder / "empty"
    await _migrated(empty)
    trials = []
    async with aiohttp.ClientSession() as session:
        for message in (one for each in messages for one in (each, with_dates(each)) if one is not None):
            role = _partner(message.family, "CORPUS", "", Said(message.raw)).role
            for side in sides(message.type, role, families.sides(message.family, message.type)):
                shutil.copytree(empty, folder / "data")
                trials.append(await _try(session, message, side, folder / "data", judge))
                shutil.rmtree(folder / "data")
    return trials


async def _try(session: aiohttp.ClientSession, message: Message, side: str, data: Path, judge: Judge) -> Trial:
    said = Said(message.raw)
    world = world_for(said, message.type, side)
    unready: list[str] = []
    async with _served(world, message.family, said, data, unready) as ncipd:
        moment = to_micros(world.sent or datetime.now(UTC), "UTC")
        ncipd.clock.set(moment - int(EARLIER.total_seconds() * 1_000_000))
        unready += [wrong for one in world.before if (wrong := await _refused(session, ncipd.url, one))]
        ncipd.clock.set(moment)
        before, rows = await _repairs(session, ncipd.url), _rows(data)
        status, body = await _post(session, ncipd.url, message.raw)
        verdict = judge.judge(message, status, body)
        unknown = [type_ for type_, _ in verdict.problems] == [UNKNOWN_SYSTEM]
        if unknown:
            status, body = await _post(session, f"{ncipd.url}/{KEY}", message.raw)
            verdict = judge.judge(message, status, body)
        after = await _repairs(session, ncipd.url)
        repairs = tuple(sorted(name for name, count in after.items() if count > before.get(name, 0)))
        return Trial(message, side, verdict, repairs, rows != _rows(data), not unknown, "; ".join(unready))


@asynccontextmanager
async def _served(world: World, family: str, said: Said, data: Path, unready: list[str]) -> AsyncIterator[app.Running]:
    """Run an ncipd with a library in it; `unready` gets what could not be loaded."""
    partner = _partner(family, world.agency, KEY, said)
    settings = config.Config(server=config.Server(port=0), store=config.Store(data=str(data)), partner=(partner,))

    async def fill(store: SqliteStore) -> None:
        unready.extend(await store.transact(lambda tx: _load(tx, world)))

    async with app.running(settings, prepare=fill) as ncipd:
        yield ncipd


def _partner(family: str, agency: str, key: str, said: Said) -> Any:
    """The sender, set up as an administrator would: its profile, its codes, its secret."""
    sender = said.header("FromAgencyId")
    return families.partner(
        family,
        {
            "code": said.header("ApplicationProfileType") or "CORPUS",
            "agency": agency,
            "keys": [key] if key else [],
            "agency_ids": [sender] if sender and sender != agency else [],
            "secret": said.header("FromAgencyAuthentication") or said.header("FromSystemAuthentication"),
        },
    )


def _load(tx: Any, world: World) -> list[str]:
    """Load a library; gives what was refused."""
    reports = [load_rows(tx, "agencies", world.agencies, source="agencies")]
    for kind, rows in (("users", world.users), ("records", world.records), ("items", world.items)):
        reports.append(load_rows(tx, kind, rows, agency=world.agency, source=kind))
    return [str(refusal) for report in reports for refusal in report.refusals]


async def _migrated(folder: Path) -> None:
    await SqliteStore.open(folder).close()


async def _refused(session: aiohttp.ClientSession, url: str, body: str) -> str:
    """Tell ncipd what happened before; gives why it did not take it."""
    _, answer = await _post(session, f"{url}/{KEY}", body.encode())
    found = re.search(rb"<(?:\w+:)?ProblemDetail>([^<]*)<", answer) or re.search(rb"ProblemType[^>]*>([^<]*)<", answer)
    return found[1].decode() if found else ""


async def _post(session: aiohttp.ClientSession, url: str, body: bytes) -> tuple[int, bytes]:
    async with session.post(url, data=body, headers={"Content-Type": "application/xml"}) as answer:
        return answer.status, await answer.read()


async def _repairs(session: aiohttp.ClientSession, url: str) -> dict[str, int]:
    """How often each repair has been made so far, from ncipd's own counters."""
    async with session.get(f"{url.removesuffix('/ncip')}/metrics") as answer:
        return {name: int(count) for name, count in _REPAIRS.findall(await answer.text())}


def _rows(data: Path) -> dict[str, list[tuple[Any, ...]]]:
    """All that the store holds, but for what is written of every message."""
    with closing(sqlite3.connect(f"file:{data / 'ncipd.sqlite3'}?mode=ro", uri=True)) as database:
        tables = [row[0] for row in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {
            table: database.execute(f"SELECT * FROM {table}").fetchall() for table in tables if table not in _UNTOUCHED
        }
