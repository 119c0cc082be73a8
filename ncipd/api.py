"""The desk's door: JSON under `/api/v1`, for the staff of one agency at a time.

Who may: the holder of a bearer token of that agency; under `--demo` on a loopback address anyone, but then a foreign
Host or Origin, or a body that is not `application/json`, is refused, so that no page in a browser can work the desk.
What was done once under an Idempotency-Key is not done again. The description is `openapi.yaml` beside this file.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from importlib import resources
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import msgspec
import structlog
from aiohttp import web

from ncipd import log
from ncipd.circulation.clock import to_micros
from ncipd.circulation.errors import DeskError, ErrorKind
from ncipd.circulation.lifecycle import IllegalMoveError
from ncipd.circulation.model import Role
from ncipd.circulation.unit import Circulation
from ncipd.desk import Done, actions, finding, views
from ncipd.journal import Entry
from ncipd.ncip.problems import Problem

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from ncipd.circulation.model import Agency
    from ncipd.clock import Clock
    from ncipd.desk import Action
    from ncipd.directory import Directory
    from ncipd.store.port import Store, Transaction

PREFIX = "/api/v1"
LONGEST = 64 * 1024  # bytes of a JSON body
MOST = 200  # rows of a list, unless asked
_LOOPBACK = ("localhost", "127.0.0.1", "::1")
_STATUS = {ErrorKind.NOT_FOUND: 404, ErrorKind.CONFLICT: 409, ErrorKind.INVALID: 422}
_log = structlog.get_logger()


class Refused(Exception):
    """A call that gets an error document."""

    def __init__(self, status: int, code: str, message: str, **more: object) -> None:
        """Say which HTTP status, and what is wrong."""
        super().__init__(message)
        self.status, self.code, self.message, self.more = status, code, message, more


@dataclass(frozen=True)
class Caller:
    """Who works the desk, at which agency, and how the agency was called."""

    agency: Agency
    operator: str
    code: str


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
        table: list[tuple[str, str, Callable[[web.Request], Awaitable[Any]]]] = [
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
            app.router.add_route(method, path, self._guarded(endpoint))

    # ------------------------------------------------------------------------------------------ who may

    def _guarded(
        self, endpoint: Callable[[web.Request], Awaitable[Any]]
    ) -> Callable[[web.Request], Awaitable[web.Response]]:
        async def call(request: web.Request) -> web.Response:
            log.correlate()
            try:
                answer = await endpoint(request)
            except Refused as refused:
                return _error(refused.status, refused.code, refused.message, **refused.more)
            except DeskError as error:
                return _error(_STATUS[error.kind], error.code, error.message, **_about(error))
            except Problem as problem:
                code = str(problem.type).lower().replace(" - ", "-").replace(" ", "-")
                return _error(409, code, problem.detail, field=problem.element, value=problem.value)
            except IllegalMoveError as error:
                return _error(409, "status-does-not-allow", f"{str(error).capitalize()}.")
            except Exception as error:  # noqa: BLE001 - the desk gets words, the log gets the reason
                _log.error("desk call failed", path=request.path, exc_info=error)
                return _error(
                    500, "failed", "Something went wrong here; nothing was done.", hint=f"Quote {log.correlation()}."
                )
            return answer if isinstance(answer, web.Response) else _json(200, answer)

        return call

    async def _caller(self, request: web.Request) -> Caller:
        code = request.match_info["agency"]
        agency = self._directory.agency(code)
        bearer = request.headers.get("Authorization", "")
        if bearer.startswith("Bearer "):
            digest = sha256(bearer.removeprefix("Bearer ").strip().encode()).digest()
            row = self._store.read(lambda tx: tx.one("operator_by_token", token_hash=digest))
            if row is None:
                raise Refused(401, "token-unknown", "This token is not known here.", hint="Make one with `ncipd init`.")
            if agency is None or row[1] != agency.id:
                raise Refused(403, "token-of-another-agency", f"This token does not open agency {code!r}.")
            return Caller(agency, row[2], code)
        if not self._demo:
            raise Refused(401, "token-missing", "Send the operator's token as `Authorization: Bearer …`.")
        _refuse_foreign(request)
        if agency is None:
            known = ", ".join(one.code for one in self._directory.agencies())
            raise Refused(404, "agency-unknown", f"No agency here is called {code!r}.", hint=f"Known: {known}.")
        return Caller(agency, "demo", code)

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
        role, kind, after = _role(request), request.query.get("kind", ""), _number(request, "after", 0)
        most = _number(request, "most", MOST)
        return await self._look(request, lambda circ: {"tasks": views.tasks(circ, role, kind, after, most)})

    async def _requests(self, request: web.Request) -> Any:
        role, query = _role(request), request.query
        most = _number(request, "most", MOST)
        return await self._look(
            request,
            lambda circ: {
                "requests": views.requests(circ, role, query.get("status", ""), query.get("identifier", ""), most)
            },
        )

    async def _request(self, request: web.Request) -> Any:
        role = _role(request)
        name = request.match_info["id"]
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
        state = request.query.get("state", "")
        states = (state,) if state else ("queued", "sending", "sent", "dead")
        most = _number(request, "most", MOST)
        return await self._look(request, lambda circ: {"messages": views.outbox(circ, states, most)})

    async def _journal(self, request: web.Request) -> Any:
        before, most = _number(request, "before", 2**62), _number(request, "most", MOST)
        return await self._look(request, lambda circ: {"journal": views.journal(circ, before, most)})

    async def _openapi(self, _request: web.Request) -> web.Response:
        text = resources.files("ncipd").joinpath("openapi.yaml").read_text("utf-8")
        return web.Response(text=text, content_type="application/yaml")

    # ------------------------------------------------------------------------------------------ doing

    def _act(self, action: Action) -> Callable[[web.Request], Awaitable[Any]]:
        async def call(request: web.Request) -> web.Response:
            caller = await self._caller(request)
            sent = await _body(request)
            try:
                parameters = msgspec.convert(sent, action.parameters)
            except msgspec.ValidationError as error:
                raise Refused(422, "parameters-wrong", f"{error}", hint=f"Expected: {_expected(action)}.") from error
            key = request.headers.get("Idempotency-Key", "").strip()
            status, answer = await self._store.transact(lambda tx: self._do(tx, caller, action, parameters, key))
            self._wake()
            return web.Response(status=status, text=answer, content_type="application/json")

        return call

    def _do(self, tx: Transaction, caller: Caller, action: Action, parameters: Any, key: str) -> tuple[int, str]:
        fingerprint = sha256(action.name.encode() + b"\0" + msgspec.json.encode(parameters)).digest()
        if key:
            known = tx.one("desk_answer", agency=caller.agency.id, operator=caller.operator, key=key)
            if known is not None:
                if known[0] != fingerprint:
                    raise Refused(
                        422, "key-used", f"Idempotency-Key {key!r} was used for another action; use a new one."
                    )
                return known[1], known[2]
        circ = self._unit(tx, caller)
        done = action.run(parameters, circ)
        answer = json.dumps(_shown(circ, done), ensure_ascii=False)
        if key:
            tx.run(
                "insert_desk_answer",
                agency=caller.agency.id,
                operator=caller.operator,
                key=key,
                fingerprint=fingerprint,
                status=200,
                answer=answer,
                stored_at=circ.now,
            )
        Entry(
            at=circ.now,
            direction="desk",
            service=action.name,
            correlation=log.correlation(),
            agency=caller.agency.id,
            side=circ.side or "",
            request=circ.request_id or (done.request.id if done.request else None),
            operator=caller.operator,
            note="; ".join(circ.notes),
        ).write(tx)
        return 200, answer

    async def _task_done(self, request: web.Request) -> Any:
        caller, number = await self._caller(request), _path_number(request)
        now = self._clock.now()
        struck = await self._store.transact(
            lambda tx: tx.run("finish_task", id=number, agency=caller.agency.id, at=now)
        )
        if not struck:
            raise Refused(404, "task-not-found", f"There is no open task {number} here.")
        return {"done": True, "message": f"Task {number} is done."}

    async def _retry(self, request: web.Request) -> Any:
        caller, number = await self._caller(request), _path_number(request)
        now = self._clock.now()
        revived = await self._store.transact(
            lambda tx: tx.run("revive_outbox", id=number, agency=caller.agency.id, now=now)
        )
        if not revived:
            raise Refused(404, "message-not-found", f"No message {number} of this agency waits or was given up.")
        self._wake()
        return {"done": True, "message": f"Message {number} is being sent again."}

    # ------------------------------------------------------------------------------------------ the demo's clock

    async def _read_clock(self, request: web.Request) -> Any:
        _refuse_foreign(request)
        return {"now": views.moment(self._clock.now())}

    async def _set_clock(self, request: web.Request) -> Any:
        _refuse_foreign(request)
        sent = await _body(request)
        wanted, seconds, period = sent.get("set"), sent.get("advance_seconds"), sent.get("advance")
        if isinstance(wanted, str) and (found := _date(wanted)) is not None:
            self._clock.set(found)
        elif isinstance(seconds, int | float):
            self._clock.advance(int(seconds * 1_000_000))
        elif isinstance(period, str) and (micros := _period(period)) is not None:
            self._clock.advance(micros)
        else:
            raise Refused(422, "clock-unreadable", 'Expected {"set": "2026-01-05T10:00:00Z"} or {"advance": "P1D"}.')
        self._wake()
        return {"now": views.moment(self._clock.now())}


# ---------------------------------------------------------------------------------------------- small things


def _refuse_foreign(request: web.Request) -> None:
    """Without a token only this machine may call, and no page of another site through a browser here."""
    host = urlsplit(f"//{request.host}").hostname or ""
    origin = request.headers.get("Origin", "")
    if host not in _LOOPBACK:
        raise Refused(403, "host-foreign", f"Host {request.host!r} is not this machine; use a token.")
    if origin and urlsplit(origin).hostname not in _LOOPBACK:
        raise Refused(403, "origin-foreign", f"Calls from pages of {origin!r} are refused; use a token.")
    if request.method == "POST" and request.content_type != "application/json":
        raise Refused(415, "not-json", "Send the body as application/json.")


async def _body(request: web.Request) -> dict[str, Any]:
    if request.content_type != "application/json":
        raise Refused(415, "not-json", "Send the body as application/json.")
    if (request.content_length or 0) > LONGEST:
        raise Refused(413, "too-large", f"A desk call has at most {LONGEST} bytes.")
    raw = await request.content.read(LONGEST + 1)
    if len(raw) > LONGEST:
        raise Refused(413, "too-large", f"A desk call has at most {LONGEST} bytes.")
    try:
        sent = json.loads(raw or b"{}")
    except ValueError as error:
        raise Refused(400, "json-unreadable", f"The body is no JSON: {error}.") from error
    if not isinstance(sent, dict):
        raise Refused(422, "not-an-object", "The body must be a JSON object.")
    return sent


def _shown(circ: Circulation, done: Done) -> dict[str, Any]:
    return {
        "done": True,
        "message": done.message,
        "instruction": done.instruction,
        "request": views.request_line(done.request) if done.request else None,
        "item": views.item(circ, done.item) if done.item else None,
        "loan": views.loan_line(done.loan) if done.loan else None,
    }


def _expected(action: Action) -> str:
    return ", ".join(
        f"{field.name}{'' if field.required else '?'}" for field in msgspec.structs.fields(action.parameters)
    )


def _about(error: DeskError) -> dict[str, object]:
    about: dict[str, object] = {"field": error.field, "value": error.value, "hint": error.hint}
    return {key: value for key, value in about.items() if value not in ("", None)}


def _json(status: int, document: Any) -> web.Response:
    return web.Response(status=status, text=json.dumps(document, ensure_ascii=False), content_type="application/json")


def _error(status: int, code: str, message: str, **more: object) -> web.Response:
    shown = {key: value for key, value in more.items() if value is not None}
    return _json(status, {"error": {"code": code, "message": message, **shown}})


def _role(request: web.Request) -> Role | None:
    text = request.query.get("role", "")
    if not text:
        return None
    try:
        return Role(text)
    except ValueError as error:
        raise Refused(
            422, "role-unknown", f"{text!r} is no role; expected lending or borrowing.", field="role"
        ) from error


def _number(request: web.Request, name: str, default: int) -> int:
    text = request.query.get(name, "")
    if not text:
        return default
    if not text.isdigit():
        raise Refused(422, "not-a-number", f"{name} is {text!r}; expected a whole number.", field=name)
    return int(text)


def _path_number(request: web.Request) -> int:
    text = request.match_info["id"]
    if not text.isdigit():
        raise Refused(404, "not-found", f"{text!r} is no number.")
    return int(text)


def _date(text: str) -> int | None:
    try:
        return to_micros(datetime.fromisoformat(text), "UTC")
    except ValueError:
        return None


def _period(text: str) -> int | None:
    """Read P1D, PT2H, PT30M and their sums."""
    match = re.fullmatch(r"P(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?", text)
    if match is None or not any(match.groups()):
        return None
    weeks, days, hours, minutes, seconds = (int(group or 0) for group in match.groups())
    return ((((weeks * 7 + days) * 24 + hours) * 60 + minutes) * 60 + seconds) * 1_000_000
