"""Many clients want the same item at the same moment."""

from __future__ import annotations

import asyncio
from collections import Counter

import aiohttp

from tests.circulation import messages as say
from tests.e2e.server import post
from tests.services.world import message

CLIENTS = 64


async def test_64_clients_race_for_one_item_and_one_gets_it(ncipd):
    """Each on a connection of its own, each with a request of its own: one loan, 63 times the same Problem."""
    server = await ncipd()
    connector = aiohttp.TCPConnector(limit=CLIENTS)
    async with aiohttp.ClientSession(connector=connector) as session:
        for item in ("L1", "L2", "L3", "L4"):
            sent = [message(say.check_out(item, f"{item}-R-{number}")) for number in range(CLIENTS)]
            answers = await asyncio.gather(*(post(session, server.url, one) for one in sent))
            assert Counter(answer.problem for answer in answers) == {None: 1, "Item Already Checked Out": CLIENTS - 1}
            (winner,) = [number for number, answer in enumerate(answers) if answer.problem is None]
            found = server.rows(
                "SELECT request.identifier, loan.returned_at FROM loan JOIN item ON item.id = loan.item_id"
                " JOIN request ON request.id = loan.request_id WHERE item.barcode = ?",
                item,
            )
            assert found == [(f"{item}-R-{winner}", None)]
    assert server.rows("SELECT count(*) FROM request") == [(4,)], "the losers left no request behind"


async def test_64_copies_of_one_message_are_one_loan_and_one_answer(ncipd):
    """A broker that loses patience: all of them hear the same bytes."""
    server = await ncipd()
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=CLIENTS)) as session:
        sent = message(say.check_out("L1", "R-1"))
        answers = await asyncio.gather(*(post(session, server.url, sent) for _ in range(CLIENTS)))
    assert len({answer.raw for answer in answers}) == 1
    assert answers[0].problem is None
    assert server.rows("SELECT count(*) FROM loan") == [(1,)]


async def test_clients_that_take_and_return_items_by_turns_never_share_one(ncipd):
    """64 clients, eight items, every answer either the item or the news that somebody else has it."""
    server = await ncipd()
    held: Counter[str] = Counter()

    async def client(session, number):
        taken = 0
        for turn in range(6):
            item = f"L{(number + turn) % 8 + 1}"
            request = f"R-{number}-{turn}"
            answer = await post(session, server.url, message(say.check_out(item, request)))
            if answer.problem == "Item Already Checked Out":
                continue
            assert answer.problem is None, answer
            held[item] += 1
            assert held[item] == 1, f"{item} is with two clients"
            taken += 1
            await asyncio.sleep(0)
            held[item] -= 1
            back = await post(session, server.url, message(say.check_in(item, request)))
            assert back.problem is None, back
        return taken

    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=CLIENTS)) as session:
        taken = sum(await asyncio.gather(*(client(session, number) for number in range(CLIENTS))))
    assert taken > 8
    assert server.rows("SELECT count(*), count(returned_at) FROM loan") == [(taken, taken)]
    assert server.rows("SELECT count(*) FROM item WHERE status <> 'available' AND temporary = 0") == [(0,)]
