"""The composition root: the one module that knows every other, and decides nothing."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import random
import secrets
import signal
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import aiohttp
import structlog

from ncipd.api import Api
from ncipd.circulation.clock import DAY, MINUTE
from ncipd.clock import Clock
from ncipd.directory import Directory
from ncipd.http import Listener, build_http, listen
from ncipd.initiator import Initiator
from ncipd.metrics import Metrics
from ncipd.ncip.document import Limits
from ncipd.notices import Notices, sender_of
from ncipd.outbox import Outbox
from ncipd.places import missing
from ncipd.responder import Responder
from ncipd.store.port import StoreError
from ncipd.store.sqlite import SqliteStore
from ncipd.tcp import TcpDoor, open_doors

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from aiohttp import web

    from ncipd.config import Config
    from ncipd.store.port import Transaction

REFRESH = 5.0  # seconds between looks at which agencies there are
TIDY = 60.0  # seconds between rounds of forgetting what is past its time
COLLECT_AFTER = 10_000  # objects made and not yet let go, before the garbage collector looks at them
FEW = 500  # rows forgotten at a time, so that nobody waits for it
_log = structlog.get_logger()


def new_id() -> str:
    """Make an id that nobody has had before."""
    return secrets.token_hex(6)


@dataclass(frozen=True)
class Running:
    """A running ncipd: where it listens, its clock, and the parts that tests look at."""

    url: str
    store: SqliteStore
    directory: Directory
    clock: Clock
    metrics: Metrics
    responder: Responder
    outbox: Outbox
    notices: Notices
    tcp: tuple[str, ...]


@contextlib.asynccontextmanager
async def running(
    config: Config, *, demo: bool = False, prepare: Callable[[SqliteStore], object] | None = None
) -> AsyncIterator[Running]:
    """Run an ncipd for as long as the context is open; leaving it drains and closes.

    `prepare` is called with the open store before anything is answered. Raises StoreRefused, OSError (address in use).
    """
    asyncio.get_running_loop().set_exception_handler(_report)
    metrics = Metrics()
    store = SqliteStore.open(Path(config.store.data), on_commit=metrics.committed)
    async with contextlib.AsyncExitStack() as stack:
        stack.push_async_callback(store.close)
        if prepare is not None:
            made = prepare(store)
            if asyncio.iscoroutine(made):
                await made
        reply_key = await store.transact(_reply_key)
        clock, directory = Clock(), Directory(config.partner)
        store.read(directory.refresh)
        for mistake in store.read(lambda tx: missing(tx, config.partner)):
            _log.warning("configured, but not in the store", setting=mistake.path, said=mistake.text)
        _warn_of_doors(config, directory)
        session = await stack.enter_async_context(aiohttp.ClientSession())
        outbox = Outbox(
            store,
            directory,
            Initiator(session),
            clock=clock,
            new_id=new_id,
            spread=random.random,
            metrics=metrics,
        )
        notices = Notices(store, sender_of(config.notices), clock=clock, metrics=metrics)
        metrics.watch_outbox(lambda: _depths(store))
        responder = Responder(
            store,
            directory,
            clock=clock,
            new_id=new_id,
            reply_key=reply_key,
            metrics=metrics,
            limits=Limits(max_bytes=config.server.max_body),
            keep_bodies=config.store.body_days > 0,
            strict=config.server.strict,
            wake=outbox.wake,
        )
        api = Api(store, directory, clock=clock, new_id=new_id, demo=demo, wake=outbox.wake)
        listener = await _open(config, responder, store, metrics, api.routes)
        doors: tuple[TcpDoor, ...] = ()

        async def close() -> None:
            within = config.server.drain_seconds
            await asyncio.gather(listener.close(), *(door.close(within) for door in doors))

        stack.push_async_callback(close)
        doors = await open_doors(config.tcp, responder, metrics, config.server.max_body)
        for work in (outbox.run(), notices.run(), _refresh(store, directory), _tidy(store, clock, config)):
            task = asyncio.create_task(work)
            stack.push_async_callback(_stop, task)
        addresses = tuple(door.url for door in doors)
        yield Running(listener.url, store, directory, clock, metrics, responder, outbox, notices, addresses)


async def serve(config: Config, *, demo: bool = False, prepare: Callable[[SqliteStore], object] | None = None) -> None:
    """Serve until SIGTERM or SIGINT, then finish what is in flight; prints the ready line on standard output."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    async with running(config, demo=demo, prepare=prepare) as ncipd:
        _collect_less()
        print(f"ncipd ready {ncipd.url}", flush=True)  # noqa: T201 - the ready line is the one thing said there
        await stop.wait()
        _log.info("draining")


def _collect_less() -> None:
    """Keep the garbage collector from what stays for good, and from looking again after every few messages.

    A message leaves hardly any circles, and looking for them among all that is there takes its time.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(COLLECT_AFTER, 20, 50)


async def _open(
    config: Config,
    responder: Responder,
    store: SqliteStore,
    metrics: Metrics,
    routes: Callable[[web.Application], None],
) -> Listener:
    server = config.server
    application = build_http(
        responder,
        readiness=lambda: "" if store.ready else "the store takes no work",
        metrics=metrics,
        max_body=server.max_body,
        body_seconds=server.body_seconds,
        api=routes,
    )
    return await listen(
        application, server.host, server.port, idle_seconds=server.idle_seconds, drain_seconds=server.drain_seconds
    )


def _warn_of_doors(config: Config, directory: Directory) -> None:
    """Say which TCP doors are bound to an agency or a partner that is not there."""
    for tcp in config.tcp:
        agency = directory.agency(tcp.agency) if tcp.agency else directory.default_agency
        if tcp.agency and agency is None:
            _log.warning("TCP door of an unknown agency", listen=tcp.listen, agency=tcp.agency)
        elif tcp.partner and agency is not None and tcp.partner not in directory.partners_of(agency):
            _log.warning("TCP door of an unknown partner", listen=tcp.listen, partner=tcp.partner)


async def _stop(task: asyncio.Task[None]) -> None:
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


def _report(_loop: asyncio.AbstractEventLoop, context: dict[str, object]) -> None:
    _log.error("background work failed", said=str(context.get("message", "")), exc_info=context.get("exception"))


def _reply_key(tx: Transaction) -> bytes:
    """Read the key of the reply hashes, made once for each store."""
    tx.run("insert_setting", name="reply-key", value=secrets.token_bytes(32))
    row = tx.one("setting", name="reply-key")
    if row is None:
        message = "the store did not keep its reply key"
        raise LookupError(message)
    key: bytes = row[0]
    return key


def _depths(store: SqliteStore) -> dict[str, int]:
    try:
        return dict(store.read(lambda tx: tx.all("outbox_depth")))
    except StoreError:
        return {}


async def _refresh(store: SqliteStore, directory: Directory) -> None:
    while True:
        await asyncio.sleep(REFRESH)
        with contextlib.suppress(StoreError):
            store.read(directory.refresh)


async def _tidy(store: SqliteStore, clock: Clock, config: Config) -> None:
    """Forget, a few rows at a time: old stored answers, and the words of old messages."""
    longest = max((partner.resend_window_minutes for partner in config.partner), default=0) * MINUTE
    while True:
        now = clock.now()
        bodies = now - config.store.body_days * DAY if config.store.body_days else None
        try:
            more = await store.transact(lambda tx: _forget(tx, now - max(DAY, longest), bodies))  # noqa: B023 - awaited before it changes
        except StoreError as error:
            _log.error("tidying failed", exc_info=error)
            more = False
        await asyncio.sleep(0.1 if more else TIDY)


def _forget(tx: Transaction, replies: int, bodies: int | None) -> bool:
    counts = [
        tx.run("delete_old_replies", before=replies, most=FEW),
        tx.run("delete_old_desk_answers", before=replies, most=FEW),
        tx.run("delete_old_bodies", before=bodies, most=FEW) if bodies is not None else 0,
    ]
    return FEW in counts
