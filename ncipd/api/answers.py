"""What a call gets: a JSON document, or one error document for everything that goes wrong."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import structlog
from aiohttp import hdrs, web

from ncipd import log
from ncipd.api.calls import Refused
from ncipd.circulation.errors import DeskError, ErrorKind
from ncipd.circulation.lifecycle import IllegalMoveError
from ncipd.desk import views
from ncipd.ncip.problems import Problem
from ncipd.store.port import StoreFailure

if TYPE_CHECKING:
    from ncipd.circulation.unit import Circulation
    from ncipd.desk import Done

_STATUS = {ErrorKind.NOT_FOUND: 404, ErrorKind.CONFLICT: 409, ErrorKind.INVALID: 422}
_FIELDS = {"UserId": "user", "ItemId": "barcode", "RequestId": "request", "DesiredDateDue": "due_date"}
_log = structlog.get_logger()


def document(content: Any) -> web.Response:
    """Answer with a JSON document."""
    return text(200, json.dumps(content, ensure_ascii=False))


def text(status: int, content: str) -> web.Response:
    """Answer with JSON that is written already; nobody on the way may keep it."""
    headers = {hdrs.CACHE_CONTROL: "no-store"}
    return web.Response(status=status, text=content, content_type="application/json", headers=headers)


def done(message: str) -> dict[str, Any]:
    """Say that something is done that has no more to show."""
    return {"done": True, "message": message, "instruction": "", "request": None, "item": None, "loan": None}


def shown(circ: Circulation, came_to: Done) -> dict[str, Any]:
    """Show what a desk action came to."""
    return {
        **done(came_to.message),
        "instruction": came_to.instruction,
        "request": views.request_line(circ, came_to.request) if came_to.request else None,
        "item": views.item(circ, came_to.item) if came_to.item else None,
        "loan": views.loan_line(came_to.loan) if came_to.loan else None,
    }


def error(status: int, code: str, message: str, **more: object) -> web.Response:
    """Answer with an error document; what is None is left out."""
    told = {key: value for key, value in more.items() if value is not None}
    response = text(status, json.dumps({"error": {"code": code, "message": message, **told}}, ensure_ascii=False))
    if status == 401:
        response.headers[hdrs.WWW_AUTHENTICATE] = "Bearer"
    elif status in (408, 413):
        response.force_close()
    return response


def refusal(request: web.Request, why: Exception) -> web.Response:
    """Put what went wrong into words for the desk, and a bug into the log."""
    match why:
        case Refused():
            return error(why.status, why.code, why.message, **why.more)
        case DeskError():
            return error(_STATUS[why.kind], why.code, why.message, **_about(why))
        case Problem():
            code = re.sub(r"[^a-z0-9]+", "-", str(why.type).lower()).strip("-")
            return error(409, code, why.detail, field=_field(why.element), value=why.value)
        case IllegalMoveError():
            return error(409, "status-does-not-allow", f"{str(why).capitalize()}.")
    resource = request.match_info.route.resource  # not the path: there are users' numbers in it
    _log.error("desk call failed", endpoint=resource.canonical if resource else "", exc_info=why)
    hint = f"Quote {log.correlation()}."
    if isinstance(why, StoreFailure):
        return error(503, "store-unavailable", "The store takes no work just now; nothing was done.", hint=hint)
    return error(500, "failed", "Something went wrong here; nothing was done.", hint=hint)


def _about(why: DeskError) -> dict[str, object]:
    about: dict[str, object] = {"field": why.field, "value": why.value, "hint": why.hint}
    return {key: value for key, value in about.items() if value not in ("", None)}


def _field(element: str | None) -> str | None:
    """Give the parameter that an element of a message stands for: the desk need not know NCIP."""
    return next((_FIELDS[step] for step in (element or "").split("/") if step in _FIELDS), element)


async def hang_up(request: web.Request, response: web.Response) -> web.Response:
    """Answer and close the connection without reading the rest of what is sent."""
    await response.prepare(request)
    await response.write_eof()
    request.protocol.force_close()
    return response


async def nowhere(request: web.Request) -> web.Response:
    """Answer what no endpoint does: there is none at this path, or it takes another method."""
    known = {
        route.method
        for resource in request.app.router.resources()
        if (await resource.resolve(request))[1]
        for route in resource
        if route.method != hdrs.METH_ANY
    }
    if not known:
        raise Refused(404, "no-such-endpoint", f"There is no {request.path} here; see /api/v1/openapi.yaml.")
    allowed = ", ".join(sorted(known))
    response = error(405, "method-not-allowed", f"{request.path} takes {allowed}, not {request.method}.")
    response.headers[hdrs.ALLOW] = allowed
    return response
