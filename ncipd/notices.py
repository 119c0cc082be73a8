"""Notices leave in the background: taken from the store when their time has come, sent, and settled one by one.

A notice that cannot be sent comes back after a while, each time later; one that can never be sent (no address, refused
by the mail server for good) or has come back too often is set aside, and staff are asked to tell the user.
"""

from __future__ import annotations

import asyncio
import smtplib
import ssl
from dataclasses import dataclass
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime
from typing import TYPE_CHECKING, NamedTuple, Protocol

import structlog

from ncipd.circulation import notices, persons
from ncipd.circulation.clock import from_micros
from ncipd.circulation.model import Agency, Role, TaskKind
from ncipd.circulation.unit import Circulation

if TYPE_CHECKING:
    from collections.abc import Callable

    from ncipd.circulation.model import Micros
    from ncipd.config import Notices as Settings
    from ncipd.metrics import Metrics
    from ncipd.store.port import Store, Transaction

SECOND: Micros = 1_000_000
LEASE = 300 * SECOND  # how long a notice counts as being sent before it is tried again
ATTEMPTS = 12  # with the pauses below about a day
FIRST_PAUSE = 60 * SECOND
LONGEST_PAUSE = 4 * 3600 * SECOND
NEVER: Micros = 253_402_300_799 * SECOND  # the end of the year 9999
IDLE = 5.0  # seconds between looks
AT_ONCE = 8
PATIENCE = 30.0  # seconds that the mail server may take for one step
_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Letter:
    """A notice on its way: to whom, about what, in which words."""

    id: int
    type: str
    address: str
    name: str
    sender: str
    subject: str
    text: str
    created_at: Micros


class Unsent(Exception):
    """A letter was not sent; `for_good` where trying again would not help."""

    def __init__(self, why: str, *, for_good: bool = False) -> None:
        super().__init__(why)
        self.for_good = for_good


class Sender(Protocol):
    """A way to reach users."""

    async def send(self, letter: Letter) -> None:
        """Send a letter; raises Unsent."""
        ...


class Now(Protocol):
    """A clock."""

    def now(self) -> Micros:
        """Give the present moment."""
        ...


class LogSender:
    """Says in the log that a notice would have been sent; at debug level with its words."""

    async def send(self, letter: Letter) -> None:
        """Write the line."""
        _log.info("notice logged", kind=letter.type)
        _log.debug("notice in full", address=letter.address, subject=letter.subject, text=letter.text)


class SmtpSender:
    """Sends notices as e-mail through a mail server."""

    def __init__(self, settings: Settings) -> None:
        """Take where the server is and how to speak to it."""
        self._settings = settings

    async def send(self, letter: Letter) -> None:
        """Send the letter; a refusal of the address or of the words is for good, all else may pass."""
        if not letter.address:
            raise Unsent("the user has no e-mail address", for_good=True)
        try:
            message = self._message(letter)
        except ValueError as error:  # a line break or the like in an address that came from outside
            raise Unsent(f"no letter can be made of it: {error}", for_good=True) from error
        try:
            await asyncio.to_thread(self._deliver, message)
        except smtplib.SMTPRecipientsRefused as error:
            codes = [code for code, _ in error.recipients.values()]
            raise Unsent(f"the address was refused ({codes})", for_good=min(codes) >= 500) from error
        except smtplib.SMTPDataError as error:
            raise Unsent(f"the letter was refused ({error.smtp_code})", for_good=error.smtp_code >= 500) from error
        except (smtplib.SMTPException, OSError) as error:
            raise Unsent(f"the mail server could not be used: {type(error).__name__}") from error

    def _deliver(self, message: EmailMessage) -> None:
        settings = self._settings
        with smtplib.SMTP(settings.host, settings.port, timeout=PATIENCE) as server:
            if settings.starttls:
                server.starttls(context=ssl.create_default_context())
            if settings.user:
                server.login(settings.user, settings.password)
            server.send_message(message)

    def _message(self, letter: Letter) -> EmailMessage:
        message = EmailMessage()
        message["From"] = Address(letter.sender, addr_spec=self._settings.from_address)
        message["To"] = Address(letter.name, addr_spec=letter.address)
        message["Subject"] = letter.subject
        message["Date"] = format_datetime(from_micros(letter.created_at))
        # The same letter sent twice, after a crash between sending and settling, is one letter to a mailbox.
        domain = self._settings.from_address.rpartition("@")[2]
        message["Message-ID"] = f"<ncipd-notice-{letter.id}-{letter.created_at}@{domain}>"
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(letter.text)
        return message


def sender_of(settings: Settings) -> Sender:
    """Choose the sender that the configuration names."""
    return SmtpSender(settings) if settings.sender == "smtp" else LogSender()


class _Leased(NamedTuple):
    """A notice that has been taken to be sent."""

    id: int
    agency_id: int
    user_id: int
    type: str
    content: str
    created_at: Micros
    attempts: int


def next_pause(attempts: int) -> Micros | None:
    """Decide how long to wait after so many attempts; None where it is given up. It doubles from one minute on."""
    return None if attempts >= ATTEMPTS else min(FIRST_PAUSE * 2 ** (attempts - 1), LONGEST_PAUSE)


class Notices:
    """Sends what waits in the store."""

    def __init__(self, store: Store, sender: Sender, *, clock: Now, metrics: Metrics) -> None:
        """Take what is needed."""
        self._store = store
        self._sender = sender
        self._clock = clock
        self._metrics = metrics

    async def run(self) -> None:
        """Send until cancelled; trouble with the store is logged and tried again."""
        while True:
            try:
                more = await self.deliver()
            except Exception as error:  # noqa: BLE001 - what waits must not wait for ever because of one bad moment
                _log.error("notices cannot reach the store", exc_info=error)
                more = False
            if not more:
                await asyncio.sleep(IDLE)

    async def deliver(self) -> bool:
        """Send what is due now; says whether there was anything."""
        now = self._clock.now()
        due = self._store.read(lambda tx: tx.one("next_notice_time"))
        if due is None or due[0] is None or due[0] > now:
            return False
        taken = await self._store.transact(lambda tx: self._take(tx, now))
        await asyncio.gather(*(self._send(leased, letter) for leased, letter in taken))
        return bool(taken)

    def _take(self, tx: Transaction, now: Micros) -> list[tuple[_Leased, Letter]]:
        """Take the next notices, with the addresses that their users have now."""
        found = tx.all("lease_notices", _Leased._make, now=now, until=now + LEASE, most=AT_ONCE)
        return [(one, self._letter(tx, one)) for one in sorted(found)]

    def _letter(self, tx: Transaction, leased: _Leased) -> Letter:
        circ = self._unit(tx, leased)
        user = circ.user(leased.user_id)
        return Letter(
            id=leased.id,
            type=leased.type,
            address=persons.email(circ, user),
            name=f"{user.given_name} {user.surname}".strip(),
            sender=circ.agency.name,
            subject=notices.subject(leased.type),
            text=leased.content,
            created_at=leased.created_at,
        )

    async def _send(self, leased: _Leased, letter: Letter) -> None:
        try:
            await self._sender.send(letter)
        except Unsent as error:
            await self._put_back(leased, str(error), None if error.for_good else next_pause(leased.attempts))
            return
        except Exception as error:  # noqa: BLE001 - a bug in a sender must not lose the notice
            _log.error("notice could not be sent", exc_info=error)
            await self._put_back(leased, f"sending failed here: {type(error).__name__}", next_pause(leased.attempts))
            return
        self._metrics.noticed("sent")
        await self._settle(lambda tx: tx.run("settle_notice", id=leased.id, at=self._clock.now()))

    async def _put_back(self, leased: _Leased, why: str, pause: Micros | None) -> None:
        """Put a notice back for later, or aside for good (`pause` is None), of which staff are told."""
        self._metrics.noticed("given up" if pause is None else "not sent")
        _log.warning("notice not sent", kind=leased.type, attempts=leased.attempts, given_up=pause is None)
        at = NEVER if pause is None else self._clock.now() + pause

        def put_back(tx: Transaction) -> None:
            tx.run("postpone_notice", id=leased.id, send_at=at, error=why)
            if pause is None:
                circ = self._unit(tx, leased)
                who = circ.user(leased.user_id).primary_id
                note = f"notice to user {who} ({leased.type}) could not be sent: {why}; tell the user otherwise"
                circ.ask_staff(Role.BORROWING, TaskKind.REVIEW, note=note)

        await self._settle(put_back)

    async def _settle(self, work: Callable[[Transaction], object]) -> None:
        try:
            await self._store.transact(work)
        except Exception as error:  # noqa: BLE001 - the lease runs out, and the notice is sent again
            _log.error("notice could not be settled", exc_info=error)

    def _unit(self, tx: Transaction, leased: _Leased) -> Circulation:
        agency = tx.one("agency_by_id", Agency._make, id=leased.agency_id)
        if agency is None:
            message = f"agency {leased.agency_id} of notice {leased.id} is not in the store"
            raise LookupError(message)
        now = self._clock.now()
        return Circulation(tx, agency=agency, partner=None, partners={}, now=now, new_id=lambda: f"notice-{now}")
