"""`ncipd desk`: the desk's JSON endpoints from a terminal."""

from __future__ import annotations

import json
from http.client import HTTPException
from typing import Any, NamedTuple
from urllib.error import HTTPError
from urllib.parse import quote, urlencode
from urllib.request import HTTPRedirectHandler, Request, build_opener

import msgspec
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from ncipd.desk import actions

SECONDS = 30  # to wait for an answer


class View(NamedTuple):
    """Something to look at, or to do, that is no desk action: its path, the parameter in it, and those behind it."""

    path: str
    inside: str
    filters: tuple[str, ...]
    summary: str
    method: str = "GET"


VIEWS = {
    "tasks": View("tasks", "", ("role", "kind", "after", "most"), "List what is to do."),
    "finish-task": View("tasks/{}/done", "task", (), "Strike a task off the list.", "POST"),
    "requests": View("requests", "", ("role", "status", "identifier", "most"), "List open requests."),
    "show-request": View("requests/{}", "request", ("role",), "Show one request with its history."),
    "pick-slip": View("requests/{}/pick-slip", "request", (), "Show what to fetch for a lending request."),
    "item": View("items/{}", "barcode", (), "Show one item."),
    "user": View("users/{}", "user", (), "Show one user."),
    "outbox": View("outbox", "", ("state", "most"), "List our own messages to partners."),
    "send-again": View("outbox/{}/retry", "message", (), "Send a message of the outbox again now.", "POST"),
    "journal": View("journal", "", ("request", "before", "most"), "List what was said and done, the newest first."),
}


class DeskCallError(Exception):
    """A call that was refused, or did not get through."""


def call(url: str, agency: str, what: str, values: dict[str, str], *, token: str, key: str) -> dict[str, Any]:
    """Call one endpoint; raises DeskCallError with what is wrong and what to do."""
    root = f"{url.rstrip('/').removesuffix('/ncip')}/api/v1/agencies/{quote(agency, safe='')}"
    headers = {"Accept": "application/json"}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    if key:
        headers["Idempotency-Key"] = key
    view, action = VIEWS.get(what), actions().get(what)
    if view is not None:
        path, body = _path(what, view, values), b"{}" if view.method == "POST" else None
    elif action is not None:
        sent = {name: _typed(action.parameters, name, value) for name, value in values.items()}
        path, body = f"desk/{what}", json.dumps(sent).encode()
    else:
        raise DeskCallError(f"{what!r} is no action; there are {', '.join([*sorted(actions()), *VIEWS])}")
    if body is not None:
        headers["Content-Type"] = "application/json"
    return _open(f"{root}/{path}", body, headers)


def _path(what: str, view: View, values: dict[str, str]) -> str:
    named = dict(values)
    inside = named.pop(view.inside, "")
    if view.inside and not inside:
        raise DeskCallError(f"{what} needs {view.inside}=…")
    unknown = [name for name in named if name not in view.filters]
    if unknown:
        known = ", ".join(name for name in (view.inside, *view.filters) if name)
        raise DeskCallError(f"{what} takes no {unknown[0]}; there are {known}")
    query = f"?{urlencode(named)}" if named else ""
    return view.path.format(quote(inside, safe="")) + query


def _typed(parameters: type[msgspec.Struct], name: str, value: str) -> object:
    kinds = {field.name: field.type for field in msgspec.structs.fields(parameters)}
    if kinds.get(name) is not bool:
        return value
    return {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}.get(value.lower(), value)


class _StaysHere(HTTPRedirectHandler):
    """Follows no redirection: the token is for the address that the user named, and no other."""

    def redirect_request(self, *_: Any) -> None:
        """Refuse."""


def _open(url: str, body: bytes | None, headers: dict[str, str]) -> dict[str, Any]:
    try:
        request = Request(url, data=body, headers=headers)  # noqa: S310 - checked below
        if request.type not in ("http", "https"):
            raise DeskCallError(f"{url} is no web address; write --url http://host:port")
        with build_opener(_StaysHere).open(request, timeout=SECONDS) as answer:
            found = json.load(answer)
    except HTTPError as error:
        raise DeskCallError(_words(error)) from error
    except OSError as error:  # URLError too
        reason = getattr(error, "reason", error)
        raise DeskCallError(f"{url} cannot be reached: {reason}; is ncipd running there?") from error
    except (ValueError, HTTPException) as error:
        raise DeskCallError(f"{url} is not answered by ncipd's desk ({error}); check --url") from error
    if not isinstance(found, dict):
        raise DeskCallError(f"{url} is not answered by ncipd's desk; check --url")
    return found


def _words(error: HTTPError) -> str:
    try:
        told = json.load(error)["error"]
        return f"{told['message']} {told.get('hint', '')}".strip()
    except (ValueError, KeyError, TypeError, AttributeError, OSError):
        return f"HTTP {error.code} {error.reason} from {error.url}"


def list_actions() -> None:
    """Print every action and view with its parameters."""
    table = Table("action", "parameters", "what it does", title="ncipd desk", title_justify="left")
    for name, action in sorted(actions().items()):
        fields = msgspec.structs.fields(action.parameters)
        takes = [f"{field.name}{'' if field.required else '?'}" for field in fields]
        table.add_row(name, " ".join(takes), escape(action.summary))
    table.add_section()
    for name, view in VIEWS.items():
        takes = [*([view.inside] if view.inside else []), *(f"{one}?" for one in view.filters)]
        table.add_row(name, " ".join(takes), view.summary)
    Console().print(table)
