"""The endpoints: who may call, what is looked at, what is done."""

from __future__ import annotations

import json
from dataclasses import dataclass
from hashlib import sha256
from importlib import resources
from typing import TYPE_CHECKING, Any

import msgspec
from aiohttp import hdrs, web

from ncipd import log
from ncipd.api import answers, calls
from ncipd.api.calls import Refused
from ncipd.api.demo_clock import ClockSetting, moment_of, shown
from ncipd.circulation.model import RequestStatus, Role, TaskKind
from ncipd.circulation.unit import Circulation
from ncipd.desk import actions, finding, views
from ncipd.journal import Entry

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from ncipd.circulation.model import Agency
    from ncipd.clock import Clock
    from ncipd.desk import Action
    from ncipd.directory import Directory
    from ncipd.store.port import Store, Transaction

    Endpoint = Callable[[web.Request], Awaitable[Any]]

PREFIX = "/api/v1"
OUTBOX_STATES = ("queued", "sending", "sent", "dead")
_LAST = 2**63 - 1  # number of a row that the store can have


@dataclass(frozen=True)
class Caller:
    """Who works the desk, and at which agency."""

    agency: Agency
    operator: str


class Api:
    """The JSON endpoints over one store."""

    def __init__(
        self,
        store: Store,
        directory: Directory,
        *,
        clock: Clock,
        new_id: Callable[[], str],
        demo: bool,
        wake: Callable[[], None],
    ) -> None:
        """Take what the desk works on; `wake` tells the outbox that something may wait."""
        self._store = store
        self._directory = directory
        self._clock = clock
        self._new_id = new_id
        self._demo = demo
        self._wake = wake

    def routes(self, app: web.Application) -> None:
        """Add the endpoints to an application."""
        agency = PREFIX + "/agencies/{agency}"
        table: list[tuple[str, str, Endpoint]] = [
            ("GET", PREFIX + "/openapi.yaml", self._openapi),
            ("GET", agency + "/tasks", self._tasks),
            ("POST", agency + "/tasks/{id}/done", self._task_done),
            ("GET", agency + "/requests", self._requests),
            ("GET", agency + "/requests/{id}", self._request),
            ("GET", agency + "/requests/{id}/pick-slip", self._pick_slip),
            ("GET", agency + "/items/{barcode}", self._item),
            ("GET", agency + "/users/{identifier}", self._user),
            ("GET", agency + "/outbox", self._outbox),
            ("POST", agency + "/outbox/{id}/retry", self._retry),
            ("GET", agency + "/journal", self._journal),
            *(("POST", f"{agency}/desk/{name}", self._act(action)) for name, action in actions().items()),
        ]
        if self._demo:
            table += [
                ("GET", PREFIX + "/demo/clock", self._read_clock),
                ("POST", PREFIX + "/demo/clock", self._set_clock),
            ]
        for method, path, endpoint in table:
            app.router.add_route(method, path, _guarded(endpoint))
        app.router.add_route(hdrs.METH_ANY, PREFIX + "/{rest:.*}", _guarded(answers.nowhere))

    # ------------------------------------------------------------------------------------------ who may

    async def _caller(self, request: web.Request) -> Caller:
        code = request.match_info["agency"]
        agency = self._directory.agency(code)
        scheme, _, token = request.headers.get(hdrs.AUTHORIZATION, "").partition(" ")
        if scheme.lower() == "bearer" and token.strip():
            digest = sha256(token.strip().encode("utf-8", "surrogateescape")).digest()
            row = self._store.read(lambda tx: tx.one("operator_by_token", token_hash=digest))
            if row is None:
                raise Refused(401, "token-unknown", "This token is not known here.", hint="Make one with `ncipd init`.")
            if agency is None or row[1] != agency.id:
                raise Refused(403, "token-of-another-agency", f"This token does not open agency {code!r}.")
            return Caller(agency, row[2])
        if not self._demo:
            raise Refused(401, "token-missing", "Send the operator's token as `Authorization: Bearer …`.")
        calls.refuse_foreign(request)
        if agency is None:
            known = ", ".join(one.code for one in self._directory.agencies())
            raise Refused(404, "agency-unknown", f"No agency here is called {code!r}.", hint=f"Known: {known}.")
        return Caller(agency, "demo")

    # ------------------------------------------------------------------------------------------ looking

    async def _look(self, request: web.Request, view: Callable[[Circulation], Any]) -> Any:
        caller = await self._caller(request)
        return self._store.read(lambda tx: view(self._unit(tx, caller)))

    def _unit(self, tx: Transaction, caller: Caller) -> Circulation:
        return Circulation(
            tx,
            agency=caller.agency,
            partner=None,
            partners=self._directory.partners_of(caller.agency),
            now=self._clock.now(),
            new_id=self._new_id,
            our_code=caller.agency.code,
        )

    async def _tasks(self, request: web.Request) -> Any:
        role, kind = _role(request), calls.word(request, "kind", TaskKind)
        after, most = calls.number(request, "after", 0), calls.most(request)
        return await self._look(request, lambda circ: {"tasks": views.tasks(circ, role, kind, after, most)})

    async def _requests(self, request: web.Request) -> Any:
        role, status, most = _role(request), calls.word(request, "status", RequestStatus), calls.most(request)
        called = request.query.get("identifier", "").strip()
        return await self._look(request, lambda circ: {"requests": views.requests(circ, role, status, called, most)})

    async def _request(self, request: web.Request) -> Any:
        role, name = _role(request), request.match_info["id"]
        return await self._look(request, lambda circ: views.request(circ, finding.request(circ, name, role)))

    async def _pick_slip(self, request: web.Request) -> Any:
        name = request.match_info["id"]
        return await self._look(request, lambda circ: views.pick_slip(circ, finding.request(circ, name, Role.LENDING)))

    async def _item(self, request: web.Request) -> Any:
        barcode = request.match_info["barcode"]
        return await self._look(request, lambda circ: views.item(circ, views.find_item(circ, barcode)))

    async def _user(self, request: web.Request) -> Any:
        name = request.match_info["identifier"]
        return await self._look(request, lambda circ: views.user(circ, finding.user(circ, name)))

    async def _outbox(self, request: web.Request) -> Any:
        state, most = calls.word(request, "state", OUTBOX_STATES), calls.most(request)
        states = (state,) if state else OUTBOX_STATES
        return await self._look(request, lambda circ: {"messages": views.outbox(circ, states, most)})

    async def _journal(self, request: web.Request) -> Any:
        before, most = calls.number(request, "before", _LAST), calls.most(request)
        name = request.query.get("request", "").strip()

        def look(circ: Circulation) -> list[views.Json]:
            if not name:
                return views.journal(circ, before, most)
            lines: list[views.Json] = views.request(circ, finding.request(circ, name))["journal"]
            return [line for line in reversed(lines) if line["id"] < before][:most]

        return await self._look(request, lambda circ: {"journal": look(circ)})

    async def _openapi(self, _request: web.Request) -> web.Response:
        text = resources.files("ncipd").joinpath("openapi.yaml").read_text("utf-8")
        return web.Response(text=text, content_type="application/yaml")

    # ------------------------------------------------------------------------------------------ doing

    def _act(self, action: Action) -> Endpoint:
        async def call(request: web.Request) -> web.Response:
            caller = await self._caller(request)
            parameters = calls.converted(await calls.body(request), action.parameters)
            about = action.name.encode() + b"\0" + msgspec.json.encode(parameters)
            return await self._once(request, caller, about, lambda tx: self._do(tx, caller, action, parameters))

        return call

    def _do(self, tx: Transaction, caller: Caller, action: Action, parameters: Any) -> dict[str, Any]:
        circ = self._unit(tx, caller)
        done = action.run(parameters, circ)
        about = circ.request_id or (done.request.id if done.request else None)
        note = "; ".join(circ.notes)
        self._write_down(tx, caller, action.name, note, side=circ.side or "", request=about)
        return answers.shown(circ, done)

    async def _task_done(self, request: web.Request) -> web.Response:
        caller, number = await self._caller(request), calls.path_number(request, "task")

        def strike(tx: Transaction) -> dict[str, Any]:
            if not tx.run("finish_task", id=number, agency=caller.agency.id, at=self._clock.now()):
                raise Refused(404, "task-not-found", f"There is no open task {number} here.", field="task")
            self._write_down(tx, caller, "task-done", f"task {number}")
            return answers.done(f"Task {number} is done.")

        return await self._once(request, caller, b"task-done\0%d" % number, strike)

    async def _retry(self, request: web.Request) -> web.Response:
        caller, number = await self._caller(request), calls.path_number(request, "message")

        def revive(tx: Transaction) -> dict[str, Any]:
            if not tx.run("revive_outbox", id=number, agency=caller.agency.id, now=self._clock.now()):
                told = f"No message {number} of this agency waits or was given up."
                raise Refused(404, "message-not-found", told, field="message")
            self._write_down(tx, caller, "outbox-retry", f"message {number}")
            return answers.done(f"Message {number} is being sent again.")

        return await self._once(request, caller, b"outbox-retry\0%d" % number, revive)

    async def _once(
        self, request: web.Request, caller: Caller, about: bytes, work: Callable[[Transaction], Any]
    ) -> web.Response:
        """Do something in a transaction of its own, or give the answer that its Idempotency-Key has had already."""
        key = request.headers.get("Idempotency-Key", "").strip()
        whose: dict[str, Any] = {"agency": caller.agency.id, "operator": caller.operator, "key": key}
        fingerprint = sha256(about).digest()

        def once(tx: Transaction) -> str:
            known = tx.one("desk_answer", **whose) if key else None
            if known is not None:
                if known[0] != fingerprint:
                    told = f"Idempotency-Key {key!r} was used for another action; use a new one."
                    raise Refused(422, "key-used", told)
                return str(known[2])
            answer = json.dumps(work(tx), ensure_ascii=False)
            if key:
                now = self._clock.now()
                tx.run("insert_desk_answer", **whose, fingerprint=fingerprint, status=200, answer=answer, stored_at=now)
            return answer

        answer = await self._store.transact(once)
        self._wake()
        return answers.text(200, answer)

    def _write_down(
        self, tx: Transaction, caller: Caller, what: str, note: str, *, side: str = "", request: int | None = None
    ) -> None:
        Entry(
            at=self._clock.now(),
            direction="desk",
            service=what,
            correlation=log.correlation(),
            agency=caller.agency.id,
            side=side,
            request=request,
            operator=caller.operator,
            note=note,
        ).write(tx)

    # ------------------------------------------------------------------------------------------ the demo's clock

    async def _read_clock(self, request: web.Request) -> Any:
        calls.refuse_foreign(request)
        return {"now": shown(self._clock.now())}

    async def _set_clock(self, request: web.Request) -> Any:
        calls.refuse_foreign(request)
        setting = calls.converted(await calls.body(request), ClockSetting)
        self._clock.set(moment_of(setting, self._clock.now()))
        self._wake()
        return {"now": shown(self._clock.now())}


def _guarded(endpoint: Endpoint) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def call(request: web.Request) -> web.Response:
        log.correlate()
        if hdrs.CONTENT_ENCODING in request.headers:
            refusal = answers.error(415, "compressed", "Send the body as it is, not compressed.")
            return await answers.hang_up(request, refusal)
        try:
            answer = await endpoint(request)
        except Exception as error:  # noqa: BLE001 - the desk gets words, the log gets the reason
            return answers.refusal(request, error)
        return answer if isinstance(answer, web.Response) else answers.document(answer)

    return call


def _role(request: web.Request) -> Role | None:
    text = calls.word(request, "role", Role)
    return Role(text) if text else None
