"""The stage on which the simulator is tried: the small library over real HTTP, and scenarios written on the spot."""

from __future__ import annotations

import asyncio
import textwrap
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from broker_sim import agent as agents
from broker_sim import engine, events, loading, persona, places, requirements
from broker_sim.agent import Agent, Callback
from broker_sim.reports.record import Record
from tests.broker_sim.library import Library
from tests.broker_sim.wrong import Wrong

RULES = requirements.load(places.requirements())
AGENT_FILE = places.conformance() / "agents" / "ncipd.toml"


class Stage:
    """Plays scenarios against a library in this process."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.agent: Agent = msgspec.structs.replace(agents.load(AGENT_FILE), callback=Callback(listen="127.0.0.1:0"))
        self.servers: list[TestServer] = []
        self.code: int | None = None
        self.events: list[events.Event] = []

    def write(self, name: str, steps: str, top: str = "") -> Path:
        path = self.folder / "test" / f"{name}.yaml"
        path.parent.mkdir(exist_ok=True)
        head = f"title: {name}\nside: lending\n" if "side:" not in top else f"title: {name}\n"
        body = textwrap.indent(textwrap.dedent(steps).strip(), "  ")
        path.write_text(f"{head}{textwrap.dedent(top)}\nsteps:\n{body}\n", encoding="utf-8")
        return path

    async def play(
        self, library: Library | Wrong, *paths: Path, jobs: int = 4, cases: bool = False, **options: Any
    ) -> Record:
        server = TestServer(library.app())
        await server.start_server()
        self.servers.append(server)
        record = Record()

        def hear(event: events.Event) -> None:
            if isinstance(event, events.RunStarted) and isinstance(library, Library):
                library.broker_url = event.listening
            self.events.append(event)
            record(event)

        scenarios = [loading.load(path, RULES if cases or places.cases() in path.parents else None) for path in paths]
        plan = engine.Plan(scenarios, str(server.make_url("/ncip")), self.agent, AGENT_FILE, jobs=jobs, **options)
        self.code = await engine.run(plan, hear)
        return record

    async def play_one(self, library: Library, steps: str, top: str = "needs: [item.available]\n") -> Record:
        return await self.play(library, self.write("one", steps, top))


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    stage = Stage(tmp_path)
    yield stage
    for server in stage.servers:
        await server.close()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    """Persona files of the test's own instead of the bundled ones."""

    def write(**files: str) -> None:
        for name, text in files.items():
            (tmp_path / f"{name}.toml").write_text(text, "utf-8")

    caches = (persona.names, persona.load, persona._table)  # what was read before is not meant
    for cache in caches:
        cache.cache_clear()
    monkeypatch.setattr(persona, "FOLDER", tmp_path)
    yield write
    monkeypatch.undo()
    for cache in caches:
        cache.cache_clear()


@pytest.fixture
def address() -> Iterator[str]:
    """The address of a correct library in a thread of its own, for what brings its own event loop."""
    with serving(Library()) as url:
        yield url


class serving:  # noqa: N801 - used like a function
    """Serve a library from another thread."""

    def __init__(self, library: Library) -> None:
        self._library = library

    def __enter__(self) -> str:
        self._loop = asyncio.new_event_loop()
        self._runner = web.AppRunner(self._library.app())
        self._loop.run_until_complete(self._runner.setup())
        self._loop.run_until_complete(web.TCPSite(self._runner, "127.0.0.1", 0).start())
        port = self._runner.addresses[0][1]
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        return f"http://127.0.0.1:{port}/ncip"

    def __exit__(self, *_: object) -> None:
        asyncio.run_coroutine_threadsafe(self._runner.cleanup(), self._loop).result(60)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(60)
        self._loop.close()
