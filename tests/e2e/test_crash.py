"""kill -9 under load: what was acknowledged is there afterwards, and nothing is there twice."""

from __future__ import annotations

import asyncio
from collections import Counter

import aiohttp
import pytest

from tests.circulation import messages as say
from tests.e2e.server import post
from tests.services.world import message
from tests.waiting import until

CLIENTS = 16
LIVES = 4
LOAD = 400  # acknowledged messages before each kill


class Client:
    """Works through rounds of lending and borrowing, one message at a time; what was not answered is sent again."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.done: list[tuple[str, str]] = []  # what was acknowledged: step, request
        self.steps = self._steps()
        self.waiting: tuple[str, str, str] | None = None
        self.again = 0

    def _steps(self):
        for turn in range(10_000):
            request, item, theirs = f"C{self.number}-{turn}", f"E-{self.number}", f"X-{self.number}-{turn}"
            yield "asked", request, say.request_item(request, item=item)
            yield "out", request, say.check_out(item, request)
            yield "in", request, say.check_in(item, request)
            arrived = f"{request}-B"
            user = f"LEND-USER-{self.number % 5 + 1}"
            yield "came", arrived, say.accept(arrived, item=theirs, user=user, action="Circulate")
            yield "went", arrived, say.check_in(theirs, arrived)

    async def work(self, session, url) -> None:
        """Send until the connection breaks; the message that was not answered stays waiting."""
        while True:
            if self.waiting is None:
                self.waiting = next(self.steps)
            else:
                self.again += 1
            step, request, content = self.waiting
            try:
                answer = await post(session, url, message(content))
            except (aiohttp.ClientError, ConnectionError):
                return
            assert answer.problem is None, f"{step} {request}: {answer}"
            self.done.append((step, request))
            self.waiting = None


async def load(server, clients):
    """Let all work, and kill the server in the middle of it."""
    before = sum(len(client.done) for client in clients)
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=CLIENTS)) as session:
        working = [asyncio.create_task(client.work(session, server.url)) for client in clients]
        await until(
            lambda: sum(len(client.done) for client in clients) >= before + LOAD or any(task.done() for task in working)
        )
        failed = [task for task in working if task.done()]
        server.kill()
        await asyncio.gather(*working)
        assert not failed, "a client stopped before the server did"


def stored(server):
    """What the file says: by request, its status, its loans, and those that are over."""
    rows = server.rows(
        "SELECT request.identifier, request.status, count(loan.id), count(loan.returned_at) FROM request"
        " LEFT JOIN loan ON loan.request_id = request.id GROUP BY request.id"
    )
    assert not [name for name, times in Counter(row[0] for row in rows).items() if times > 1], (
        "a request is there twice"
    )
    return {name: tuple(rest) for name, *rest in rows}


AFTER = {
    "asked": {("being-processed", 0, 0)},
    "out": {("shipped-physically", 1, 0)},
    "in": {("request-completed", 1, 1)},
    "came": {("loaned-item-to-patron", 1, 0)},
    "went": {("request-completed", 1, 1)},
}
FOLLOWS = {"asked": "out", "out": "in", "came": "went"}


def check(server, clients):
    """Every acknowledged step is there, once; only the message that was on its way may be there as well."""
    found = stored(server)
    for client in clients:
        last = {request: step for step, request in client.done}
        for request, step in last.items():
            allowed = set(AFTER[step])
            if client.waiting is not None and client.waiting[:2] == (FOLLOWS.get(step), request):
                allowed |= AFTER[FOLLOWS[step]]
            assert found[request] in allowed, f"after {step} of {request} was acknowledged"
        begun = {client.waiting[1]} if client.waiting else set()
        ours = {name for name in found if name.startswith(f"C{client.number}-")}
        assert ours <= set(last) | begun, "nothing is there that nobody sent"


@pytest.mark.slow
async def test_kill_9_under_load_loses_nothing_and_doubles_nothing(ncipd):
    """Several lives: load, kill, restart; clients send again what was not answered."""
    server = await ncipd(items=CLIENTS)
    clients = [Client(number) for number in range(CLIENTS)]
    for _ in range(LIVES):
        await load(server, clients)
        check(server, clients)
        server.start()
    await load(server, clients)  # the last messages of the life before were sent again
    check(server, clients)
    done = [step for client in clients for step, _ in client.done]
    assert len(done) > LIVES * LOAD, "there was load"
    assert sum(client.again for client in clients) > 0, "somebody had to send again"
    assert server.rows("PRAGMA integrity_check") == [("ok",)]
    assert server.rows("PRAGMA foreign_key_check") == []
    doubled = server.rows(
        "SELECT partner_item_id, count(*) FROM item WHERE temporary = 1 GROUP BY partner_item_id HAVING count(*) > 1"
    )
    assert doubled == [], "no borrowed item was made twice"
