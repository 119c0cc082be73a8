"""The process that is measured, ncipd or the echo, each on one event loop of the same kind.

    python -m tests.bench.serving ncipd FOLDER      the store in FOLDER, the real thing
    python -m tests.bench.serving echo BYTES        takes a body and answers so many bytes, with a bare aiohttp

Either prints one line with its URL when it answers, and ends on SIGTERM.
"""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

from aiohttp import web

BACKLOG = 1_024  # connections not yet accepted, as ncipd's
_MEDIA_TYPE = 'application/xml; charset="utf-8"'


def loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """Give what makes the event loop: uvloop where it is installed."""
    try:
        import uvloop
    except ImportError:
        return None
    factory: Callable[[], asyncio.AbstractEventLoop] = uvloop.new_event_loop
    return factory


async def echo(size: int) -> None:
    """Answer every POST with `size` bytes, until SIGTERM."""
    body = b"<" + b"x" * max(0, size - 2) + b">"

    async def answer(request: web.Request) -> web.Response:
        await request.read()
        return web.Response(body=body, headers={"Content-Type": _MEDIA_TYPE})

    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    app = web.Application()
    app.router.add_post("/ncip", answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, backlog=BACKLOG).start()
    print(f"echo ready http://127.0.0.1:{runner.addresses[0][1]}/ncip", flush=True)
    await stop.wait()
    await runner.cleanup()


def ncipd(folder: Path) -> Coroutine[Any, Any, None]:
    """Serve the store in a folder."""
    from ncipd import log
    from ncipd.app import serve
    from tests.bench.library import configured

    config = configured(folder)
    log.configure(config.log.level)
    return serve(config)


def main() -> None:
    """Serve what the command line says."""
    kind, what = sys.argv[1:]
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        runner.run(ncipd(Path(what)) if kind == "ncipd" else echo(int(what)))


if __name__ == "__main__":
    main()
