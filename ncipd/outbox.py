"""Our own messages: queued with the work that they tell of, delivered in the background, never lost.

A message is leased, sent, and settled in a transaction of its own together with what its answer means. One that cannot
be delivered comes back after a while, each time later; after the last attempt it is set aside (*dead*) for a person to
look at and send again. Messages about one request leave in their order.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, NamedTuple, Protocol

import structlog

from ncipd import log
from ncipd.circulation.outcomes import settle
from ncipd.circulation.unit import Circulation
from ncipd.initiator import Undelivered
from ncipd.journal import Entry
from ncipd.store.port import StoreError

if TYPE_CHECKING:
    from collections.abc import Callable

    from ncipd.circulation.model import Micros
    from ncipd.directory import Directory
    from ncipd.initiator import Answer
    from ncipd.metrics import Metrics
    from ncipd.store.port import Store, Transaction

SECOND: Micros = 1_000_000
LEASE = 120 * SECOND  # how long a message counts as being sent before it is tried again
ATTEMPTS = 12  # with the pauses below about a day
IDLE = 5.0  # seconds between looks where nothing wakes it
AT_ONCE = 16
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
    messages to a partner that comes back do not arrive at once. A partner's Retry-After is kept to.
    """
    if attempts >= ATTEMPTS:
        return None
    pause = min(2.0**attempts, 4 * 3600.0) * (1 - spread / 5)
    return int(max(pause, retry_after or 0.0) * SECOND)


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

    def wake(self) -> None:
        """Say that something may wait."""
        self._awake.set()

    async def run(self) -> None:
        """Deliver until cancelled; trouble with the store is logged and tried again."""
        while True:
            try:
                busy = await self.deliver()
            except StoreError as error:
                _log.error("outbox cannot reach the store", exc_info=error)
                busy = False
            if busy:
                continue
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._awake.wait(), self._pause())
            self._awake.clear()

    def _pause(self) -> float:
        row = self._store.read(lambda tx: tx.one("next_outbox_time"))
        if row is None or row[0] is None:
            return IDLE
        waiting: float = (row[0] - self._clock.now()) / SECOND
        return min(IDLE, max(0.05, waiting))

    async def deliver(self) -> bool:
        """Deliver what is due now; says whether there was anything."""
        now = self._clock.now()
        row = self._store.read(lambda tx: tx.one("next_outbox_time"))
        if row is None or row[0] is None or row[0] > now:
            return False
        letters = await self._store.transact(
            lambda tx: tx.all("lease_outbox", Letter._make, now=now, leased_until=now + LEASE, most=AT_ONCE)
        )
        await asyncio.gather(*(self._deliver(letter) for letter in sorted(letters)))
        return bool(letters)

    async def _deliver(self, letter: Letter) -> None:
        entry = Entry(self._clock.now(), "out", letter.service, log.correlate(), agency=letter.agency_id)
        entry.partner, entry.request = letter.partner, letter.request_id
        partner = self._directory.partner(letter.agency_id, letter.partner)
        try:
            if partner is None or not partner.url:
                raise Undelivered(f"partner {letter.partner} has no broker URL in the configuration")
            answer = await self._sender.send(partner.url, letter.body)
        except Undelivered as error:
            await self._put_back(letter, entry, error)
            return
        verdict = "; ".join(problem.problem_type.value for problem in answer.problems) or "ok"
        entry.verdict = verdict
        self._metrics.sent(letter.service, verdict)
        _log.info("message delivered", service=letter.service, partner=letter.partner, verdict=verdict)
        await self._store.transact(lambda tx: self._settle(tx, letter, entry, answer))

    async def _put_back(self, letter: Letter, entry: Entry, error: Undelivered) -> None:
        pause = next_attempt(letter.attempts, error.retry_after, self._spread())
        state, at = ("dead", self._clock.now()) if pause is None else ("queued", self._clock.now() + pause)
        entry.verdict, entry.note = "undelivered", str(error)
        self._metrics.sent(letter.service, "given up" if pause is None else "undelivered")
        _log.warning("message not delivered", service=letter.service, partner=letter.partner, attempts=letter.attempts)

        def put_back(tx: Transaction) -> None:
            tx.run("retry_outbox", id=letter.id, state=state, error=str(error), next_at=at)
            entry.write(tx, letter.body)

        await self._store.transact(put_back)

    def _settle(self, tx: Transaction, letter: Letter, entry: Entry, answer: Answer) -> None:
        tx.run("settle_outbox", id=letter.id, answer=answer.raw, at=self._clock.now())
        agency = next(one for one in self._directory.agencies() if one.id == letter.agency_id)
        circ = Circulation(
            tx,
            agency=agency,
            partner=None,
            partners=self._directory.partners_of(agency),
            now=self._clock.now(),
            new_id=self._new_id,
        )
        settle(circ, letter.service, letter.request_id, letter.loan_id, answer.response, answer.problems)
        entry.note = "; ".join(circ.notes)
        entry.side = circ.side or ""
        entry.write(tx, letter.body, answer.raw)
