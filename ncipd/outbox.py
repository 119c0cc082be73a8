"""Our own messages: queued with the work that they tell of, delivered in the background, never lost.

A message is leased, sent, and settled in a transaction of its own together with what its answer means. One that cannot
be delivered comes back after a while, each time later; after the last attempt it is set aside (*dead*) for a person to
look at and send again. Messages about one request leave in their order; those about others do not wait for them, so
that a partner that is slow to answer holds up nobody else's.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, NamedTuple, Protocol

import structlog

from ncipd import log
from ncipd.circulation.model import TaskKind
from ncipd.circulation.outcomes import settle
from ncipd.circulation.unit import Circulation
from ncipd.initiator import Undelivered
from ncipd.journal import Entry, masked
from ncipd.store.port import StoreFailure

if TYPE_CHECKING:
    from collections.abc import Callable

    from ncipd.circulation.model import Item, Micros
    from ncipd.directory import Directory
    from ncipd.initiator import Answer
    from ncipd.metrics import Metrics
    from ncipd.store.port import Store, Transaction

SECOND: Micros = 1_000_000
LEASE = 120 * SECOND  # how long a message counts as being sent before it is tried again
ATTEMPTS = 19  # with the pauses below about a day
LONGEST_PAUSE = 4 * 3600.0  # seconds
LONGEST_WISH = 24 * 3600.0  # seconds: a Retry-After beyond this is not kept to
IDLE = 5.0  # seconds between looks where nothing wakes it
AT_ONCE = 16
_BY_HAND = {"RenewItem": TaskKind.RENEW_BY_HAND, "RecallItem": TaskKind.RECALL_BY_HAND}
_log = structlog.get_logger()


class Sends(Protocol):
    """Something that delivers a message."""

    async def send(self, url: str, body: bytes) -> Answer:
        """Deliver it; raises Undelivered."""
        ...


class Now(Protocol):
    """A clock."""

    def now(self) -> Micros:
        """Give the present moment."""
        ...


class Letter(NamedTuple):
    """A message that has been leased."""

    id: int
    agency_id: int
    partner: str
    service: str
    request_id: int | None
    loan_id: int | None
    body: bytes
    attempts: int


def next_attempt(attempts: int, retry_after: float | None, spread: float) -> Micros | None:
    """Decide how long to wait after so many attempts, in microseconds; None where it is given up.

    The pause doubles from two seconds up to four hours, and `spread` (0 to 1) takes up to a fifth off, so that many
    messages to a partner that comes back do not arrive at once. A partner's Retry-After is kept to, up to a day.
    """
    if attempts >= ATTEMPTS:
        return None
    pause = min(2.0**attempts, LONGEST_PAUSE) * (1 - spread / 5)
    return int(max(pause, min(retry_after or 0.0, LONGEST_WISH)) * SECOND)


class Outbox:
    """Delivers what waits in the store."""

    def __init__(
        self,
        store: Store,
        directory: Directory,
        sender: Sends,
        *,
        clock: Now,
        new_id: Callable[[], str],
        spread: Callable[[], float],
        metrics: Metrics,
    ) -> None:
        """Take what is needed; `spread` gives a number between 0 and 1."""
        self._store = store
        self._directory = directory
        self._sender = sender
        self._clock = clock
        self._new_id = new_id
        self._spread = spread
        self._metrics = metrics
        self._awake = asyncio.Event()
        self._under_way: set[int] = set()

    def wake(self) -> None:
        """Say that something may wait."""
        self._awake.set()

    async def run(self) -> None:
        """Deliver until cancelled; trouble with the store is logged and tried again."""
        async with asyncio.TaskGroup() as under_way:
            while True:
                try:
                    letters = await self._lease(AT_ONCE - len(self._under_way))
                    pause = self._pause(found=bool(letters))
                except Exception as error:  # noqa: BLE001 - what waits must not wait for ever because of one bad moment
                    _log.error("outbox cannot reach the store", exc_info=error)
                    letters, pause = [], IDLE
                for letter in letters:
                    under_way.create_task(self._deliver(letter))
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._awake.wait(), pause)
                self._awake.clear()

    def _pause(self, *, found: bool) -> float:
        """Decide how long to sleep where nothing wakes us, in seconds.

        What is due and yet was not found waits for an earlier message of its request; that one wakes us.
        """
        due = self._next_time()
        if due is None:
            return IDLE
        waiting = (due - self._clock.now()) / SECOND
        return min(IDLE, max(0.05, waiting)) if found or waiting > 0 else IDLE

    def _next_time(self) -> Micros | None:
        row = self._store.read(lambda tx: tx.one("next_outbox_time"))
        return None if row is None else row[0]

    async def deliver(self) -> bool:
        """Deliver what is due now; says whether there was anything."""
        letters = await self._lease(AT_ONCE)
        await asyncio.gather(*(self._deliver(letter) for letter in letters))
        return bool(letters)

    async def _lease(self, most: int) -> list[Letter]:
        """Take what is due, at most so many, so that nobody else sends it meanwhile."""
        now, due = self._clock.now(), self._next_time()
        if most <= 0 or due is None or due > now:
            return []

        def lease(tx: Transaction) -> list[Letter]:
            # Who is under way is asked here and not afterwards: by then it may have arrived, and would be sent again.
            due = tx.all("lease_outbox", Letter._make, now=now, leased_until=now + LEASE, most=most)
            return sorted(letter for letter in due if letter.id not in self._under_way)

        taken = await self._store.transact(lease)
        self._under_way.update(letter.id for letter in taken)
        return taken

    async def _deliver(self, letter: Letter) -> None:
        entry = Entry(self._clock.now(), "out", letter.service, log.correlate(), agency=letter.agency_id)
        entry.partner, entry.request = letter.partner, letter.request_id
        try:
            answer = await self._send(letter)
        except Undelivered as error:
            await self._put_back(letter, entry, error)
        else:
            await self._take_up(letter, entry, answer)
        finally:
            self._under_way.discard(letter.id)
            self.wake()

    async def _send(self, letter: Letter) -> Answer:
        partner = self._directory.partner(letter.agency_id, letter.partner)
        if partner is None or not partner.url:
            raise Undelivered(f"partner {letter.partner} has no broker URL in the configuration")
        try:
            answer = await self._sender.send(partner.url, letter.body)
        except Undelivered:
            raise
        except Exception as error:
            _log.error("message could not be sent", service=letter.service, partner=letter.partner, exc_info=error)
            raise Undelivered(f"sending failed here: {type(error).__name__}") from error
        named = type(answer.response).__name__
        if answer.response is not None and named != f"{letter.service}Response":
            raise Undelivered(f"the partner answered {letter.service} with {named}, expected {letter.service}Response")
        return answer

    async def _take_up(self, letter: Letter, entry: Entry, answer: Answer) -> None:
        """Keep the answer with what it means; one that cannot be taken up is set aside with its words."""
        entry.verdict = "; ".join(problem.problem_type.value for problem in answer.problems) or "ok"
        try:
            await self._store.transact(lambda tx: self._settle(tx, letter, entry, answer))
        except StoreFailure as error:  # the lease runs out, and the message is sent again
            _log.error("answer could not be kept", service=letter.service, partner=letter.partner, exc_info=error)
        except Exception as error:  # noqa: BLE001 - a bug, or an answer that contradicts the store: a person must look
            _log.error("answer could not be taken up", service=letter.service, partner=letter.partner, exc_info=error)
            what = f"the partner answered, but the answer could not be taken up here: {type(error).__name__}"
            await self._set_down(letter, entry, what, None, answer.raw)
        else:
            self._metrics.sent(letter.service, entry.verdict)
            _log.info("message delivered", service=letter.service, partner=letter.partner, verdict=entry.verdict)

    async def _put_back(self, letter: Letter, entry: Entry, error: Undelivered) -> None:
        pause = next_attempt(letter.attempts, error.retry_after, self._spread())
        entry.verdict = "undelivered"
        self._metrics.sent(letter.service, "given up" if pause is None else "undelivered")
        _log.warning("message not delivered", service=letter.service, partner=letter.partner, attempts=letter.attempts)
        await self._set_down(letter, entry, str(error), pause)

    async def _set_down(
        self, letter: Letter, entry: Entry, why: str, pause: Micros | None, answer: bytes | None = None
    ) -> None:
        """Put a message back for later, or aside for good (`pause` is None), which staff are told."""
        now = self._clock.now()
        state, at = ("dead", now) if pause is None else ("queued", now + pause)
        entry.note = why

        def set_down(tx: Transaction) -> None:
            tx.run("retry_outbox", id=letter.id, state=state, error=why, next_at=at)
            if pause is None and letter.request_id is not None:
                circ = self._unit(tx, letter)
                request = circ.request(letter.request_id)
                kind = _BY_HAND.get(letter.service, TaskKind.REVIEW)
                note = f"{letter.service} was given up: {why}"
                circ.ask_staff(request.role, kind, request=request, item=_item(circ, letter), note=note)
            entry.write(tx, letter.body, answer)

        try:
            await self._store.transact(set_down)
        except Exception as error:  # noqa: BLE001 - the lease runs out, and the message is sent again
            _log.error("message could not be put back", service=letter.service, exc_info=error)

    def _settle(self, tx: Transaction, letter: Letter, entry: Entry, answer: Answer) -> None:
        tx.run("settle_outbox", id=letter.id, answer=masked(answer.raw), at=self._clock.now())
        circ = self._unit(tx, letter)
        settle(circ, letter.service, letter.request_id, letter.loan_id, answer.response, answer.problems)
        if letter.service in _BY_HAND:
            _strike(circ, letter, _BY_HAND[letter.service])
        entry.note = "; ".join(circ.notes)
        entry.side = circ.side or ""
        entry.write(tx, letter.body, answer.raw)

    def _unit(self, tx: Transaction, letter: Letter) -> Circulation:
        agency = next((one for one in self._directory.agencies() if one.id == letter.agency_id), None)
        if agency is None:
            message = f"agency {letter.agency_id} is not served here"
            raise LookupError(message)
        return Circulation(
            tx,
            agency=agency,
            partner=None,
            partners=self._directory.partners_of(agency),
            now=self._clock.now(),
            new_id=self._new_id,
        )


def _item(circ: Circulation, letter: Letter) -> Item | None:
    """Read the item that a message is about, where it is about one."""
    return circ.item(circ.loan(letter.loan_id).item_id) if letter.loan_id is not None else None


def _strike(circ: Circulation, letter: Letter, kind: TaskKind) -> None:
    """Strike what staff were to do in the place of a message that has been answered after all."""
    item = _item(circ, letter)
    if item is not None:
        circ.finish_item_tasks(item, kind)
    elif letter.request_id is not None:
        circ.finish_tasks(circ.request(letter.request_id), kind)
