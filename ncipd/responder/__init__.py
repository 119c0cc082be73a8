"""Bytes in, bytes out: every message is answered, and what it did is durable before the answer leaves.

The way of a message: parse → recognise both ends → validate, repairing what may be repaired → decode → one transaction
(stored reply? else the service → encode → check → store the reply → journal) → commit → answer. The bytes stored are
the bytes sent; an answer that fails its own check rolls everything back. Lookups read on the side, and their journal
line joins the next batch.

Nothing raised in here reaches the sender: a `Problem` becomes the standard's element, a bug becomes Temporary
Processing Failure with the correlation id under which it was logged.
"""

from __future__ import annotations

import json
from time import perf_counter
from typing import TYPE_CHECKING, NamedTuple, Protocol

import structlog

from ncipd import log
from ncipd.authentication import Authentication
from ncipd.circulation.clock import when_told
from ncipd.circulation.errors import DeskError
from ncipd.circulation.keys import placed
from ncipd.circulation.lifecycle import IllegalMoveError
from ncipd.circulation.partner import MEDIA_TYPE
from ncipd.circulation.quirks import answered
from ncipd.circulation.unit import Circulation
from ncipd.journal import Entry
from ncipd.ncip import messages, version
from ncipd.ncip.document import DEFAULT_LIMITS, Document, Limits
from ncipd.ncip.paths import local_name
from ncipd.ncip.problems import Problem, ProblemType
from ncipd.ncip.read import read
from ncipd.ncip.receive import REPAIR_NAMES, receive, wire_of_unreadable
from ncipd.ncip.repairs import TOLERATED
from ncipd.ncip.types import Initiation, Response
from ncipd.ncip.wire import Wire
from ncipd.responder import replies
from ncipd.responder.answers import as_problem, refusal, written
from ncipd.responder.exchange import Exchange
from ncipd.services import services

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ncipd.circulation.partner import Partner
    from ncipd.directory import Directory, Parties
    from ncipd.metrics import Metrics
    from ncipd.ncip.applied import Applied
    from ncipd.services import Service
    from ncipd.store.port import Store, Transaction, Value

_log = structlog.get_logger()


class Door(NamedTuple):
    """Through which door a message came, and what the door knows of its sender."""

    transport: str
    key: str | None = None
    credentials: str | None = None
    peer: str = ""
    agency: str = ""
    """Code of the agency of messages that name none; "" = the first one made."""
    partner: str = ""
    """Code of the partner whose messages those are that name none."""


class Now(Protocol):
    """A clock."""

    def now(self) -> int:
        """Give the present moment in microseconds since 1970, UTC."""
        ...


class Answer(NamedTuple):
    """The bytes of an answer, and the media type that its partner wants for them over HTTP."""

    body: bytes
    media_type: str = MEDIA_TYPE


class Responder:
    """Answers NCIP messages from the store."""

    def __init__(
        self,
        store: Store,
        directory: Directory,
        *,
        clock: Now,
        new_id: Callable[[], str],
        reply_key: bytes,
        metrics: Metrics,
        limits: Limits = DEFAULT_LIMITS,
        keep_bodies: bool = True,
        strict: bool = False,
        wake: Callable[[], None] = lambda: None,
    ) -> None:
        """Take what the answers come from; `reply_key` keys the hashes of stored replies, 16 to 64 bytes.

        `strict` allows no repair of what the schema refuses. `wake` is called when a message to a partner waits in the
        outbox.
        """
        self._store = store
        self._directory = directory
        self._clock = clock
        self._new_id = new_id
        self._reply_key = reply_key
        self._metrics = metrics
        self._limits = limits
        self._keep_bodies = keep_bodies
        self._repairs = TOLERATED if strict else REPAIR_NAMES
        self._wake = wake
        self._services = services()
        self._authentication = Authentication(store, clock)

    async def respond(self, raw: bytes, door: Door) -> Answer:
        """Answer one message; always an NCIPMessage, whatever came."""
        started = perf_counter()
        entry = Entry(self._clock.now(), "in", "", log.correlate())
        exchange = Exchange(entry, raw)
        try:
            answer = await self._answer(exchange, door)
        except Problem as problem:
            answer = await self._refuse(exchange, problem)
        except (IllegalMoveError, DeskError) as error:
            answer = await self._refuse(exchange, as_problem(error))
        except Exception as error:  # noqa: BLE001 - the last line of defence: silence or a stack trace would be worse
            answer = await self._fail(exchange, error)
        seconds = perf_counter() - started
        self._metrics.message(exchange.service or "(unreadable)", entry.verdict, seconds)
        _log.info(
            "message answered",
            service=exchange.service,
            verdict=entry.verdict,
            partner=entry.partner,
            repairs=entry.repairs,
            door=door.transport,
            peer=door.peer,
            milliseconds=round(seconds * 1000, 2),
        )
        return Answer(answer) if exchange.partner is None else Answer(answer, exchange.partner.content_type)

    async def refuse(self, raw: bytes, problem: Problem) -> bytes:
        """Answer what a door could not even hand over as a message; `raw` is what there is of it."""
        entry = Entry(self._clock.now(), "in", "", log.correlate())
        answer = await self._refuse(Exchange(entry, raw, wire_of_unreadable(raw)), problem)
        self._metrics.message("(unreadable)", entry.verdict, 0.0)
        _log.info("message refused", verdict=entry.verdict)
        return answer

    async def _answer(self, exchange: Exchange, door: Door) -> bytes:
        exchange.partner = self._directory.assumed(door.key, door.agency, door.partner)
        try:
            document = receive(exchange.raw, limits=self._limits)
        except Problem:
            exchange.wire = _agreed(wire_of_unreadable(exchange.raw), exchange.partner)
            raise
        exchange.wire = _agreed(document.wire, exchange.partner)
        if version.is_lookup(document.root):
            return await self._versions(exchange, document)
        service = self._service(exchange, document)
        parties = self._directory.recognise(document, door.key, door.agency, door.partner, door.credentials)
        exchange.partner, exchange.our_code = parties.partner, parties.our_code
        exchange.entry.agency, exchange.entry.partner = parties.agency.id, parties.partner.code
        exchange.wire = _agreed(document.wire, parties.partner)
        reading = read(document, allowed=self._repairs.difference(parties.partner.refuse_repairs))
        message = reading.envelope.message
        if not isinstance(message, service.message):
            raise Problem(ProblemType.INVALID_MESSAGE_SYNTAX_ERROR, detail="The NCIPMessage holds no message.")
        exchange.header = message.initiation_header
        self._count_repairs(exchange, reading.repairs)
        _authorise(parties, document.service or "")
        exchange.document = None
        del document, reading
        exchange.proof = await self._authentication.prove(
            message, lambda view: self._store.read(lambda tx: view(self._unit(tx, exchange, message, parties)))
        )
        if service.reads:
            return await self._look_up(exchange, service, message, parties)
        exchange.key = {
            "agency": parties.agency.id,
            "partner": parties.partner.code,
            "service": exchange.service,
            "identity": replies.identity(message, exchange.wire, self._reply_key),
        }
        answer = await self._store.transact(
            lambda tx: self._carry_out(tx, exchange, service, message, parties), _sealed
        )
        if exchange.again:
            self._metrics.resent(exchange.service or "")
        if exchange.unit is not None and exchange.unit.sends:
            self._wake()
        return answer

    async def _versions(self, exchange: Exchange, document: Document) -> bytes:
        exchange.entry.service = exchange.service = "LookupVersion"
        asked = version.read(document.root)
        answer = version.answer(asked, [*self._services, "LookupVersion"])
        await self._write_later(exchange, answer)
        return answer

    # ------------------------------------------------------------------------------------------ what was asked

    def _service(self, exchange: Exchange, document: Document) -> Service:
        if document.kind == "foreign":
            root = local_name(document.root)[:60]
            raise Problem(
                ProblemType.UNSUPPORTED_SERVICE,
                element=root,
                detail=f"The root element is {root}, and not NCIPMessage; send one NCIPMessage as the whole body, "
                "without an envelope around it.",
            )
        if not document.speaks:
            raise Problem(
                ProblemType.UNSUPPORTED_SERVICE,
                element="NCIPMessage",
                value=document.version,
                detail="NCIP versions 1 and 2 are spoken here; send an NCIPMessage of version 1.0, or of version 2.0, "
                "2.01 or 2.02 (namespace http://www.niso.org/2008/ncip).",
            )
        name = document.service
        if name is None:
            raise Problem(
                ProblemType.UNSUPPORTED_SERVICE,
                element="NCIPMessage",
                detail="The NCIPMessage holds no message that could be answered; put one initiation message into it.",
            )
        exchange.entry.service = exchange.wire.called(name) or name
        known = getattr(messages, name, None)
        if isinstance(known, type) and issubclass(known, Response):
            raise Problem(
                ProblemType.PROTOCOL_ERROR,
                element=name,
                detail=f"{name} is a response, and nothing was asked; send an initiation message.",
            )
        if not exchange.wire.has(name):
            raise Problem(
                ProblemType.UNSUPPORTED_SERVICE,
                element=name,
                detail=f"NCIP 1 has no {name}; send it as NCIP 2.",
            )
        found = self._services.get(name)
        is_message = isinstance(known, type) and issubclass(known, Initiation)
        if found is not None or is_message:
            exchange.service = name
            exchange.document = document
        if found is None:
            raise Problem(
                ProblemType.UNSUPPORTED_SERVICE,
                element=name,
                detail=f"{name} is not served here; served are {', '.join(sorted(self._services))}.",
            )
        return found

    def _count_repairs(self, exchange: Exchange, repairs: tuple[Applied, ...]) -> None:
        if repairs:
            names = list(dict.fromkeys(applied.name for applied in repairs))
            exchange.entry.repairs = json.dumps(names)
            for name in names:
                self._metrics.repaired(name)

    # ------------------------------------------------------------------------------------------ carrying it out

    def _unit(self, tx: Transaction, exchange: Exchange, message: Initiation, parties: Parties) -> Circulation:
        action = getattr(message, "mandated_action", None)
        zone = parties.partner.time_zone or parties.agency.time_zone
        exchange.unit = Circulation(
            tx,
            agency=parties.agency,
            partner=parties.partner,
            partners=parties.partners,
            now=exchange.entry.at,
            new_id=self._new_id,
            our_code=parties.our_code,
            partner_agency=parties.partner_agency,
            places=self._directory.places,
            happened_at=when_told(action.date_event_occurred, zone) if action is not None else None,
            proof=exchange.proof,
        )
        return exchange.unit

    async def _look_up(self, exchange: Exchange, service: Service, message: Initiation, parties: Parties) -> bytes:
        def look(tx: Transaction) -> tuple[bytes, Circulation]:
            circ = self._unit(tx, exchange, message, parties)
            return written(exchange, _serve(service, message, circ)), circ

        answer, circ = self._store.read(look)
        self._note(exchange, circ)
        await self._write_later(exchange, answer)
        return answer

    def _carry_out(
        self, tx: Transaction, exchange: Exchange, service: Service, message: Initiation, parties: Parties
    ) -> Callable[[], bytes]:
        """Do what is asked, in a unit of work; gives what then seals it: writes the answer, checks it, and keeps it."""
        entry = exchange.entry
        stored = replies.find(tx, exchange.key, entry.at, parties.partner.resend_window_minutes)
        if stored is not None:
            entry.note = "sent again: the stored answer was repeated"
            exchange.again = True
            again = entry.write(tx)
            return lambda: self._repeat(tx, exchange, again, stored)
        circ = self._unit(tx, exchange, message, parties)
        response = _serve(service, message, circ)
        self._note(exchange, circ)
        journal = entry.write(tx)
        reply = replies.keep(tx, exchange.key, circ.traces, at=entry.at, journal=journal) if circ.traces else None
        _keep(tx, exchange)
        return lambda: self._say(tx, exchange, journal, response, reply)

    def _repeat(self, tx: Transaction, exchange: Exchange, journal: int, stored: Mapping[str, Value]) -> bytes:
        answer = replies.answer_of(tx, stored)
        if self._keep_bodies:
            exchange.entry.say(tx, journal, exchange.raw, answer)
        return answer

    def _say(
        self, tx: Transaction, exchange: Exchange, journal: int, response: Response, reply: dict[str, Value] | None
    ) -> bytes:
        answer = written(exchange, response)
        kept = exchange.entry.say(tx, journal, exchange.raw, answer) if self._keep_bodies else None
        if reply is not None and kept is not answer:  # the audit trail does not have these very bytes
            reply["body"] = answer
        return answer

    @staticmethod
    def _note(exchange: Exchange, circ: Circulation) -> None:
        exchange.entry.side = circ.side or ""
        exchange.entry.request = circ.request_id
        exchange.entry.note = "; ".join(circ.notes)

    # ------------------------------------------------------------------------------------------ saying no

    async def _refuse(self, exchange: Exchange, problem: Problem) -> bytes:
        try:
            answer = refusal(exchange, problem)
        except Exception as error:  # noqa: BLE001 - an answer that cannot be written must not be silence
            return await self._fail(exchange, error)
        exchange.entry.verdict = str(problem.type)
        await self._write_later(exchange, answer)
        return answer

    async def _fail(self, exchange: Exchange, error: Exception) -> bytes:
        _log.error("message failed", service=exchange.service, exc_info=error)
        problem = Problem(
            ProblemType.TEMPORARY_PROCESSING_FAILURE,
            detail="The message could not be processed and nothing of it was kept; send it again later, and quote "
            f"{exchange.entry.correlation} if it goes on.",
        )
        exchange.entry.verdict = str(problem.type)
        try:
            answer = refusal(exchange, problem)
        except Exception as again:  # noqa: BLE001 - then without anything that came from the message
            _log.error("refusal failed", service=exchange.service, exc_info=again)
            answer = exchange.wire.plain.refuse((problem.as_element(None),))
        await self._write_later(exchange, answer)
        return answer

    # ------------------------------------------------------------------------------------------ writing it down

    def _words(self, exchange: Exchange, answer: bytes) -> tuple[bytes | None, bytes | None]:
        return (exchange.raw, answer) if self._keep_bodies else (None, None)

    async def _write_later(self, exchange: Exchange, answer: bytes) -> None:
        said = self._words(exchange, answer)

        def write_down(tx: Transaction) -> None:
            exchange.entry.write(tx, *said)
            _keep(tx, exchange)

        try:
            if exchange.unit is not None and exchange.unit.kept:
                await self._store.transact(write_down)  # a person has to see it: it must not get lost
            else:
                await self._store.later(write_down)
        except Exception as error:  # noqa: BLE001 - the answer is more than the line about it
            _log.error("journal line lost", exc_info=error)


def _sealed(seal: Callable[[], bytes]) -> bytes:
    return seal()


def _serve(service: Service, message: Initiation, circ: Circulation) -> Response:
    """Carry a service out, unless the user could not be authenticated: a stored answer goes before that."""
    if circ.proof is not None and circ.proof.problem is not None:
        raise circ.proof.problem
    message = placed(message, circ)
    response = service.run(message, circ)
    return answered(circ.partner, message, response) if circ.partner.quirks else response


def _agreed(wire: Wire, partner: Partner | None) -> Wire:
    """Give the form of a message's answer that its partner wants, where one is known."""
    return wire if partner is None else wire.agreed(prefix=partner.prefix, datatypes=partner.v1_datatypes)


def _keep(tx: Transaction, exchange: Exchange) -> None:
    """Put on the task list what a person has to see, whether the message was carried out or refused."""
    for role, kind, note in exchange.unit.kept if exchange.unit is not None else ():
        tx.insert(
            "insert_task",
            agency=exchange.entry.agency,
            role=role,
            kind=kind,
            request=None,
            item=None,
            note=note,
            created_at=exchange.entry.at,
        )


def _authorise(parties: Parties, service: str) -> None:
    allowed = parties.partner.services
    if allowed and service not in allowed:
        raise Problem(
            ProblemType.UNAUTHORIZED_SERVICE_FOR_SYSTEM,
            element=service,
            value=parties.partner.code,
            detail=f"Partner {parties.partner.code} may use {', '.join(allowed)} here, and not {service}.",
        )
