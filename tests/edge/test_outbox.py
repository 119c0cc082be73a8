"""Our own messages: delivered to a broker that really listens, in their order, however often it takes."""

from __future__ import annotations

import asyncio
import re
import sqlite3
from contextlib import closing
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ncipd import outbox
from ncipd.circulation.partner import Partner
from ncipd.outbox import ATTEMPTS, LEASE, LONGEST_PAUSE, LONGEST_WISH, SECOND, next_attempt
from tests.edge.listener import PENDING, Broker, listening, ncip, plain, problem, renewed
from tests.edge.office import Office, check_out, opened, partners, renew
from tests.services.world import DAY
from tests.waiting import WITHIN, until

ASKED = "2026-03-11T03:59:59Z"  # the end of the 28th day from the loan's date, in New York


async def ask(office: Office, item: str = "X-1") -> None:
    """Ask the lender to renew a borrowed item."""
    await office.do("renew", "BORROW", barcode=item)


async def settled(office: Office, state: str, attempts: int, agency: str = "BORROW") -> dict[str, object]:
    """Wait until a message is in this state after so many attempts."""

    async def there() -> list[dict[str, object]]:
        found = await office.messages(agency)
        return [one for one in found if (one["state"], one["attempts"]) == (state, attempts)]

    (message, *_) = await office.until(there, f"{state} after {attempts}")
    return message


def pass_time(office: Office, seconds: float) -> None:
    office.ncipd.clock.advance(int(seconds * SECOND))
    office.ncipd.outbox.wake()


# ---------------------------------------------------------------------------------------------- delivery


async def test_a_users_renewal_is_asked_of_the_lenders_broker(office: Office, broker: Broker) -> None:
    await office.lend_borrowed()
    await ask(office)
    (message,) = await office.sent()
    assert broker.services == ["RenewItem"]
    assert broker.headers[0]["Content-Type"] == 'application/xml; charset="utf-8"'
    assert broker.text(0, "RenewItem/ItemId/ItemIdentifierValue") == "X-1"
    assert broker.text(0, "RenewItem/DesiredDateDue") == ASKED
    assert broker.text(0, "FromAgencyId/AgencyId") == "BORROW"
    assert broker.text(0, "ToAgencyId/AgencyId") == "THEM"
    assert (message["service"], message["attempts"], message["error"]) == ("RenewItem", 1, "")
    assert "RenewItem" in message["body"]
    assert "Pending" in message["answer"]
    assert message["settled_at"]
    (line,) = [line for line in (await office.see("journal", "BORROW"))["journal"] if line["direction"] == "out"]
    assert (line["service"], line["verdict"], line["partner"]) == ("RenewItem", "ok", "BROKER")


async def test_the_lenders_date_moves_the_loan_and_the_user_is_told(office: Office, broker: Broker) -> None:
    broker.usual = ncip(renewed("2026-03-05T22:59:59Z"))
    await office.lend_borrowed()
    await ask(office)
    await office.sent()
    request = await office.see("requests/R-1", "BORROW")
    assert (request["status"], request["due_date"]) == ("renewed-by-partner", "2026-03-05T22:59:59Z")
    assert (request["items"][0]["due_date"], request["items"][0]["renewals"]) == ("2026-03-05T22:59:59Z", 1)
    assert (await office.see("users/BORROW-USER-1", "BORROW"))["notices"][0]["type"] == "renewed"


async def test_pending_leaves_everything_as_it_is_until_the_lender_decides(office: Office, broker: Broker) -> None:
    await office.lend_borrowed()
    await ask(office)
    await office.sent()
    request = await office.see("requests/R-1", "BORROW")
    assert (request["status"], request["due_date"]) == ("renew-requested", "2026-02-10T22:59:59Z")
    assert request["items"][0]["renewals"] == 0
    (line,) = [line for line in request["journal"] if line["direction"] == "out"]
    assert line["note"] == "the lender will answer later"


@pytest.mark.parametrize(
    "answer",
    [
        problem("RenewItem", "Maximum Renewals Exceeded", "twice is enough"),
        "<Problem><ProblemType>Temporary Processing Failure</ProblemType></Problem>",
    ],
)
async def test_a_problem_in_the_answer_is_a_rejection(office: Office, broker: Broker, answer: str) -> None:
    broker.usual = ncip(answer)
    await office.lend_borrowed()
    await ask(office)
    (message,) = await office.sent()
    request = await office.see("requests/R-1", "BORROW")
    assert (request["status"], request["due_date"]) == ("renew-request-not-accepted", "2026-02-10T22:59:59Z")
    assert request["desired_due_date"] is None
    assert (await office.see("users/BORROW-USER-1", "BORROW"))["notices"][0]["type"] == "not renewed"
    assert "ProblemType" in message["answer"]


async def test_a_refused_message_of_another_kind_is_for_staff_to_look_at(office: Office, broker: Broker) -> None:
    broker.usual = ncip(problem("RecallItem", "Unknown Item"))
    await office.say(check_out("L1", "R-1"))
    await office.do("request", user="LEND-USER-1", barcode="L1")
    await office.sent("LEND")
    (task,) = [task for task in (await office.see("tasks"))["tasks"] if task["kind"] == "review"]
    assert task["note"] == "RecallItem was refused: Unknown Item"


async def test_a_message_that_cannot_go_anywhere_is_refused_at_the_desk_at_once(office: Office) -> None:
    """Nothing is queued that nobody would ever get."""
    await office.lend_borrowed(partner="NOURL")
    await office.refused(409, "partner-has-no-url", "renew", "BORROW", barcode="X-1")
    assert await office.messages("BORROW") == []


# ---------------------------------------------------------------------------------------------- what goes wrong


RECALLED = "<RecallItemResponse><ItemId><ItemIdentifierValue>X-1</ItemIdentifierValue></ItemId></RecallItemResponse>"
NO_ANSWERS = {
    "500": (plain(b"", 500), "answered HTTP 500"),
    "503": (plain(b"", 503), "answered HTTP 503"),
    "redirection": (plain(b"", 302, Location="http://127.0.0.1:9/"), "answered HTTP 302"),
    "not found": (plain(b"", 404), "answered HTTP 404"),
    "nothing": (plain(b""), "answered what is no NCIP message"),
    "text": (plain(b"OK"), "answered what is no NCIP message"),
    "html": (plain(b"<!DOCTYPE html><html><body>Bad gateway</body></html>"), "answered what is no NCIP message"),
    "xml": (plain(b"<a/>"), "answered what is no NCIP message"),
    "bytes": (plain(b"\x00\xff" * 100), "answered what is no NCIP message"),
    "depth": (plain(b"<x>" * 100_000), "answered what is no NCIP message"),
    "too much": (plain(b" " * 2_000_000), "answered what is no NCIP message"),
    "empty": (ncip(""), "answered what is no NCIP message"),
    "invalid": (ncip("<RenewItemResponse><Nonsense/></RenewItemResponse>"), "answered what is no NCIP message"),
    "another problem": (ncip(problem("LookupItem", "Unknown Item")), "RenewItem with LookupItemResponse"),
    "another service": (ncip(RECALLED), "RenewItem with RecallItemResponse"),
    "initiation": (
        ncip("<LookupUser><UserId><UserIdentifierValue>u</UserIdentifierValue></UserId></LookupUser>"),
        "LookupUser",
    ),
}


@pytest.mark.parametrize("what", NO_ANSWERS)
async def test_what_is_no_answer_is_tried_again_later_and_changes_nothing(
    office: Office, broker: Broker, what: str
) -> None:
    reply, words = NO_ANSWERS[what]
    broker.script = [reply]
    await office.lend_borrowed()
    await ask(office)
    message = await settled(office, "queued", 1)
    assert words in str(message["error"])
    assert len(str(message["error"])) < 1000
    assert message["answer"] is None
    assert await office.status("R-1", "BORROW") == "renew-requested"
    pass_time(office, 3)
    await settled(office, "sent", 2)
    assert broker.services == ["RenewItem", "RenewItem"]


async def test_a_closed_port_and_an_address_that_is_none_are_told_apart(tmp_path: Path) -> None:
    for number, (url, words) in enumerate(
        [
            ("http://127.0.0.1:9/ncip", "cannot be reached"),
            ("http://broker.invalid/ncip", "cannot be reached"),
            ("http://[/ncip", ""),
        ]
    ):
        async with opened(tmp_path / str(number), url) as office:
            await office.lend_borrowed()
            await ask(office)
            message = await settled(office, "queued", 1)
            assert words in str(message["error"])


async def test_a_broker_that_hangs_up_is_tried_again(office: Office, broker: Broker) -> None:
    async def hang_up(request, _body):
        request.transport.abort()
        return plain(b"")

    broker.script = [hang_up]
    await office.lend_borrowed()
    await ask(office)
    message = await settled(office, "queued", 1)
    assert "cannot be reached" in str(message["error"])
    pass_time(office, 3)
    await settled(office, "sent", 2)


async def test_what_staff_were_to_do_by_hand_is_struck_when_the_lender_has_done_it(
    office: Office, broker: Broker
) -> None:
    """The lender heard of the wish otherwise, and renews of itself."""
    broker.usual = plain(b"", 500)
    await office.lend_borrowed()
    await ask(office)
    for attempt in range(1, ATTEMPTS):
        await settled(office, "queued", attempt)
        office.ncipd.clock.set(office.ncipd.store.read(lambda tx: tx.one("next_outbox_time"))[0] + 1)
        office.ncipd.outbox.wake()
    await settled(office, "dead", ATTEMPTS)
    (task,) = [task for task in (await office.see("tasks", "BORROW"))["tasks"] if task["kind"] == "renew-by-hand"]
    assert task["item"] == "X-1"
    await office.say(renew("X-1", "2026-03-05T22:59:59Z"), to="BORROW")
    assert "renew-by-hand" not in await office.kinds("BORROW")


async def test_pauses_grow_until_the_message_is_given_up_and_staff_have_it_as_a_task(
    office: Office, broker: Broker
) -> None:
    """About a day after the first attempt it is dead; a person sends it again, and the task is struck."""
    broker.usual = plain(b"", 500)
    await office.lend_borrowed()
    await ask(office)
    clock, waits, begun = office.ncipd.clock, [], office.ncipd.clock.now()
    for attempt in range(1, ATTEMPTS):
        await settled(office, "queued", attempt)
        (due,) = office.ncipd.store.read(lambda tx: tx.one("next_outbox_time"))
        waits.append((due - clock.now()) / SECOND)
        clock.set(due + 1)
        office.ncipd.outbox.wake()
    message = await settled(office, "dead", ATTEMPTS)
    assert all(later > earlier for earlier, later in pairwise(waits[:11]))
    assert waits[0] < 2.5
    assert LONGEST_PAUSE * 0.7 < waits[-1] <= LONGEST_PAUSE
    assert 0.7 * DAY < clock.now() - begun < 1.3 * DAY
    assert "HTTP 500" in str(message["error"])
    (task,) = [task for task in (await office.see("tasks", "BORROW"))["tasks"] if task["kind"] == "renew-by-hand"]
    assert (task["request"], task["role"]) == ("R-1", "borrowing")
    assert "RenewItem was given up" in task["note"]

    pass_time(office, 30 * 86_400)
    await asyncio.sleep(0.1)
    assert len(broker.got) == ATTEMPTS  # nobody tries what is dead
    broker.usual = ncip(renewed("2026-03-05T22:59:59Z"))
    status, content = await office.call("POST", f"outbox/{message['id']}/retry", agency="BORROW")
    assert (status, content["done"]) == (200, True)
    await settled(office, "sent", 1)
    assert await office.status("R-1", "BORROW") == "renewed-by-partner"
    assert "renew-by-hand" not in await office.kinds("BORROW")
    (line,) = [line for line in (await office.see("journal", "BORROW"))["journal"] if line["service"] == "outbox-retry"]
    assert (line["operator"], line["note"]) == ("ben", f"message {message['id']}")


async def test_a_waiting_message_can_be_sent_at_once_and_a_sent_one_not_again(office: Office, broker: Broker) -> None:
    broker.script = [plain(b"", 500)]
    await office.lend_borrowed()
    await ask(office)
    message = await settled(office, "queued", 1)
    for _ in range(2):
        status, _ = await office.call(
            "POST", f"outbox/{message['id']}/retry", agency="BORROW", headers={"Idempotency-Key": "k"}
        )
        assert status == 200
    await office.sent()
    status, content = await office.call("POST", f"outbox/{message['id']}/retry", agency="BORROW")
    assert (status, content["error"]["code"]) == (404, "message-not-found")
    assert len(broker.got) == 2


async def test_the_brokers_wish_to_be_left_alone_is_kept_to(office: Office, broker: Broker) -> None:
    broker.script = [plain(b"", 503, Retry_After="600")]
    await office.lend_borrowed()
    await ask(office)
    await settled(office, "queued", 1)
    pass_time(office, 590)
    await asyncio.sleep(0.1)
    assert len(broker.got) == 1
    pass_time(office, 15)
    await settled(office, "sent", 2)


async def test_a_partner_that_is_no_longer_configured_leaves_the_message_waiting(tmp_path: Path) -> None:
    """With the partner back in the configuration the message goes out."""
    async with listening() as broker:
        broker.usual = plain(b"", 500)
        async with opened(tmp_path / "data", broker.url) as office:
            await office.lend_borrowed()
            await ask(office)
            await settled(office, "queued", 1)
        broker.usual = ncip(PENDING)
        left = tuple(partner for partner in partners(broker.url) if partner.code != "BROKER")
        async with opened(tmp_path / "data", made=left) as office:
            pass_time(office, 10)
            message = await settled(office, "queued", 2)
            assert message["error"] == "partner BROKER has no broker URL in the configuration"
        async with opened(tmp_path / "data", broker.url) as office:
            pass_time(office, 60)
            await settled(office, "sent", 3)


# ---------------------------------------------------------------------------------------------- order


async def approvals(office: Office, *dates: str) -> None:
    """Grant a partner's wishes, one ItemRenewed each, all about one request."""
    for date in dates:
        await office.say(renew("L1", f"{date}T22:59:59Z"), partner="MANUAL")
        await office.do("approve-renewal", request="R-1")


async def test_messages_about_one_request_leave_in_their_order(office: Office, broker: Broker) -> None:
    """The second waits until the first got through, however long that takes."""
    broker.script = [plain(b"", 500), plain(b"", 500)]
    broker.usual = ncip("<ItemRenewedResponse/>")
    await office.say(check_out("L1", "R-1"), partner="MANUAL")
    await approvals(office, "2026-02-20", "2026-03-01", "2026-03-10")
    for attempt, pause in ((1, 3), (2, 6)):
        await settled(office, "queued", attempt, "LEND")
        await asyncio.sleep(0.1)
        assert {broker.text(number, "DateDue") for number in range(len(broker.got))} == {"2026-02-20T22:59:59Z"}
        pass_time(office, pause)
    await office.sent("LEND", least=3)
    dates = [broker.text(number, "DateDue") for number in range(len(broker.got))]
    assert dates == ["2026-02-20T22:59:59Z"] * 3 + ["2026-03-01T22:59:59Z", "2026-03-10T22:59:59Z"]


async def test_one_that_was_given_up_does_not_hold_up_those_after_it(
    office: Office, broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox, "ATTEMPTS", 1)
    broker.script = [plain(b"", 500)]
    broker.usual = ncip("<ItemRenewedResponse/>")
    await office.say(check_out("L1", "R-1"), partner="MANUAL")
    await approvals(office, "2026-02-20", "2026-03-01")
    await office.sent("LEND", "dead")
    await office.sent("LEND")
    assert [task["kind"] for task in (await office.see("tasks"))["tasks"]] == ["review"]


async def test_a_slow_broker_holds_up_nobody_elses_messages(office: Office, broker: Broker) -> None:
    held = asyncio.Event()

    async def slow(request, body):
        await held.wait()
        return await ncip(PENDING)(request, body)

    broker.script = [slow]
    await office.lend_borrowed("R-1", "X-1", 1)
    await office.lend_borrowed("R-2", "X-2", 2)
    await ask(office, "X-1")
    await office.until(lambda: asyncio.sleep(0, broker.got), "the first message")
    await ask(office, "X-2")
    (message,) = await office.sent()
    assert "X-2" in message["body"]
    assert [one["state"] for one in await office.messages()] == ["sending", "sent"]
    held.set()
    await office.sent(least=2)


async def test_many_messages_all_arrive_once(office: Office, broker: Broker) -> None:
    """More than are sent at a time."""
    for number in range(1, 41):
        await office.lend_borrowed(f"R-{number}", f"X-{number}", 1 + number % 5)
    await asyncio.gather(*(ask(office, f"X-{number}") for number in range(1, 41)))
    await office.sent(least=40)
    named = [broker.text(number, "ItemIdentifierValue") for number in range(len(broker.got))]
    assert sorted(map(str, named)) == sorted(f"X-{number}" for number in range(1, 41))


async def test_waiting_for_an_earlier_message_costs_nothing(office: Office, broker: Broker) -> None:
    """A message that waits for hours behind another is not looked for twenty times a second."""
    broker.usual = plain(b"", 500)
    await office.say(check_out("L1", "R-1"), partner="MANUAL")
    await approvals(office, "2026-02-20", "2026-03-01")
    await settled(office, "queued", 1, "LEND")
    before = commits(office)
    await asyncio.sleep(0.6)
    assert commits(office) - before <= 4


def commits(office: Office) -> float:
    found = re.search(r"ncipd_commit_seconds_count (\S+)", office.ncipd.metrics.render().decode())
    assert found
    return float(found[1])


# ---------------------------------------------------------------------------------------------- crashes


async def test_a_message_under_way_when_ncipd_stopped_is_sent_again_once_its_lease_is_over(tmp_path: Path) -> None:
    """The broker may get it twice; that is what resend rules are for. It never gets it not at all."""
    async with listening() as broker:
        broker.gate.clear()
        async with opened(tmp_path / "data", broker.url) as office:
            await office.lend_borrowed()
            await ask(office)
            await broker.arrived.wait()
            assert [one["state"] for one in await office.messages()] == ["sending"]
        broker.gate.set()
        async with opened(tmp_path / "data", broker.url) as office:
            assert [one["state"] for one in await office.messages()] == ["sending"]
            pass_time(office, LEASE / SECOND - 30)
            await asyncio.sleep(0.1)
            assert len(broker.got) == 1
            pass_time(office, 60)
            message = await settled(office, "sent", 2)
            assert len(broker.got) == 2
            assert (await office.see("requests/R-1", "BORROW"))["status"] == "renew-requested"
            assert message["error"] == ""


async def test_the_demos_clock_may_jump_while_a_message_is_under_way(office: Office, broker: Broker) -> None:
    """Its lease seems to be over, and yet it is not sent a second time."""
    broker.gate.clear()
    await office.lend_borrowed()
    await ask(office)
    await broker.arrived.wait()
    pass_time(office, 86_400)
    await asyncio.sleep(0.1)
    broker.gate.set()
    await office.sent()
    assert len(broker.got) == 1


async def test_a_lease_that_is_taken_while_the_answer_is_written_down_sends_nothing_twice(tmp_path: Path) -> None:
    """The clock has jumped, and both wait for another process that writes: the lease comes first, then the answer."""
    async with listening() as broker, opened(tmp_path / "data", broker.url) as office:
        broker.gate.clear()
        await office.lend_borrowed()
        await ask(office)
        await broker.arrived.wait()
        with closing(sqlite3.connect(tmp_path / "data" / "ncipd.sqlite3", isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            waiting = office.ncipd.store._writer
            pass_time(office, 86_400)
            await until(lambda: waiting.waiting >= 1, "the lease waits")
            broker.gate.set()
            await until(lambda: waiting.waiting >= 2, "the answer waits as well")
            other.execute("ROLLBACK")
        await office.sent()
        await asyncio.sleep(0.1)
        assert len(broker.got) == 1


async def test_what_a_partners_message_brings_about_leaves_at_once(
    office: Office, broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody at the desk does anything, and it does not wait for the next look at the outbox either."""
    monkeypatch.setattr(outbox, "IDLE", 3_600.0)
    await office.lend_borrowed()
    await asyncio.sleep(0.05)
    office.ncipd.outbox.wake()  # it now sleeps for the hour
    asks = renew("X-1", "2026-03-01T00:00:00Z").replace(">-<", ">BORROW-USER-1<")
    assert (await office.say(asks, partner="OPAC", to="BORROW")).problem is None
    await office.sent()
    assert broker.services == ["RenewItem"]


async def test_an_answer_that_cannot_be_taken_up_is_set_aside_with_its_words(
    office: Office, broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A bug here, or an answer that contradicts the store: a person has to look, and the rest goes on."""

    def bug(*_args: object) -> None:
        raise KeyError("secret user data")

    monkeypatch.setattr(outbox, "settle", bug)
    await office.lend_borrowed("R-1", "X-1", 1)
    await office.lend_borrowed("R-2", "X-2", 2)
    await ask(office, "X-1")
    (message,) = await office.sent(state="dead")
    assert message["error"] == "the partner answered, but the answer could not be taken up here: KeyError"
    assert "renew-by-hand" in await office.kinds("BORROW")
    monkeypatch.undo()
    await ask(office, "X-2")
    await office.sent()


async def test_a_bug_in_sending_is_a_failed_attempt(
    office: Office, broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def bug(*_args: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(office.ncipd.outbox._sender, "send", bug)
    await office.lend_borrowed()
    await ask(office)
    message = await settled(office, "queued", 1)
    assert message["error"] == "sending failed here: ZeroDivisionError"


async def test_trouble_with_the_store_does_not_end_the_delivery(
    office: Office, broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    failed = asyncio.Event()

    async def bad_moment(_most: int) -> list[object]:
        failed.set()
        raise OSError("disk full")

    monkeypatch.setattr(office.ncipd.outbox, "_lease", bad_moment)
    await office.lend_borrowed()
    await ask(office)
    await asyncio.wait_for(failed.wait(), WITHIN)
    monkeypatch.undo()
    office.ncipd.outbox.wake()
    await office.sent()


# ---------------------------------------------------------------------------------------------- what is shown


async def test_secrets_in_an_answer_are_kept_nowhere(tmp_path: Path) -> None:
    header = (
        "<ResponseHeader><FromAgencyId><AgencyId>THEM</AgencyId></FromAgencyId>"
        "<FromAgencyAuthentication>hush-hush</FromAgencyAuthentication>"
        "<ToAgencyId><AgencyId>BORROW</AgencyId></ToAgencyId></ResponseHeader>"
    )
    async with listening() as broker:
        broker.usual = ncip(PENDING.replace("<Pending>", f"{header}<Pending>"))
        async with opened(tmp_path / "data", broker.url) as office:
            await office.lend_borrowed()
            await ask(office)
            (message,) = await office.sent()
            assert "Pending" in message["answer"]
            assert "FromAgencyAuthentication>***<" in message["answer"]
    kept = b"".join(path.read_bytes() for path in (tmp_path / "data").iterdir())
    assert b"Pending" in kept
    assert b"hush-hush" not in kept


async def test_a_password_in_a_brokers_address_is_shown_nowhere(tmp_path: Path) -> None:
    async with listening() as broker:
        broker.usual = plain(b"", 500)
        async with opened(tmp_path / "data", broker.url.replace("http://", "http://me:hush@")) as office:
            await office.lend_borrowed()
            await ask(office)
            message = await settled(office, "queued", 1)
            assert str(message["error"]).startswith("http://127.0.0.1:")
            assert broker.headers[0]["Authorization"].startswith("Basic ")
    assert b"hush" not in b"".join(path.read_bytes() for path in (tmp_path / "data").iterdir())


async def test_the_outbox_is_listed_by_state_the_newest_first(office: Office, broker: Broker) -> None:
    broker.script = [ncip(PENDING), plain(b"", 500)]
    await office.lend_borrowed("R-1", "X-1", 1)
    await office.lend_borrowed("R-2", "X-2", 2)
    await ask(office, "X-1")
    await office.sent()
    await ask(office, "X-2")
    await settled(office, "queued", 1)
    shown = (await office.see("outbox", "BORROW"))["messages"]
    assert [one["state"] for one in shown] == ["queued", "sent"]
    for state in ("queued", "sent"):
        assert [one["state"] for one in (await office.see("outbox", "BORROW", state=state))["messages"]] == [state]
    assert (await office.see("outbox", "BORROW", state="dead"))["messages"] == []
    assert len((await office.see("outbox", "BORROW", most=1))["messages"]) == 1


async def test_metrics_count_attempts_and_what_waits(office: Office, broker: Broker) -> None:
    broker.script = [plain(b"", 500)]
    await office.lend_borrowed()
    await ask(office)
    await settled(office, "queued", 1)
    async with office.session.get(f"{office.root}/metrics") as answer:
        text = await answer.text()
    assert 'ncipd_sent_total{outcome="undelivered",service="RenewItem"} 1.0' in text
    assert 'ncipd_outbox_messages{state="queued"} 1.0' in text
    pass_time(office, 3)
    await settled(office, "sent", 2)
    async with office.session.get(f"{office.root}/metrics") as answer:
        assert 'ncipd_sent_total{outcome="ok",service="RenewItem"} 1.0' in await answer.text()


async def test_a_partner_without_a_lender_side_is_not_spoken_to_by_mistake(tmp_path: Path) -> None:
    """Two partners with the same code at two agencies have each their own address."""
    async with listening() as right, listening() as wrong:
        made = (
            Partner(code="BROKER", agency="LEND", url=wrong.url),
            Partner(code="BROKER", agency="BORROW", url=right.url),
        )
        async with opened(tmp_path / "data", made=made) as office:
            await office.lend_borrowed()
            await ask(office)
            await office.sent()
        assert (len(right.got), len(wrong.got)) == (1, 0)


# ---------------------------------------------------------------------------------------------- the pauses

FRACTIONS = st.floats(0, 1, exclude_max=True)
WISHES = st.none() | st.floats(0, 10 * LONGEST_WISH)


@given(st.integers(1, ATTEMPTS + 5), WISHES, FRACTIONS)
def test_a_message_is_given_up_after_the_last_attempt_and_never_before(
    attempts: int, wish: float | None, spread: float
) -> None:
    assert (next_attempt(attempts, wish, spread) is None) == (attempts >= ATTEMPTS)


@given(st.integers(1, ATTEMPTS - 1), WISHES, FRACTIONS)
def test_a_pause_is_between_its_bounds_and_not_shorter_than_the_partners_wish(
    attempts: int, wish: float | None, spread: float
) -> None:
    pause = next_attempt(attempts, wish, spread)
    assert pause is not None
    assert pause >= int(0.8 * min(2.0**attempts, LONGEST_PAUSE) * SECOND)
    assert pause <= max(LONGEST_PAUSE, LONGEST_WISH) * SECOND
    if wish is not None:
        assert pause >= int(min(wish, LONGEST_WISH) * SECOND)


@given(st.integers(1, ATTEMPTS - 2), FRACTIONS)
def test_pauses_never_shrink_and_double_until_the_longest(attempts: int, spread: float) -> None:
    earlier, later = (next_attempt(number, None, spread) or 0 for number in (attempts, attempts + 1))
    assert later >= earlier
    if 2.0 ** (attempts + 1) <= LONGEST_PAUSE:
        assert later == pytest.approx(2 * earlier, rel=1e-6)


@given(st.integers(1, ATTEMPTS - 1))
def test_messages_that_failed_together_do_not_come_back_together(attempts: int) -> None:
    pauses = {next_attempt(attempts, None, spread / 10) for spread in range(10)}
    assert len(pauses) == 10


def test_all_pauses_together_are_about_a_day() -> None:
    total = sum(next_attempt(attempts, None, 0.5) or 0 for attempts in range(1, ATTEMPTS))
    assert 0.8 * DAY < total < 1.2 * DAY
