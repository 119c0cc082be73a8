"""`ncipd desk`: the desk's JSON endpoints from a terminal."""

from __future__ import annotations

import json
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import quote, urlencode
from urllib.request import Request, urlopen

import msgspec
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from ncipd.desk import actions

#: Views by name: the path, and which parameter is part of it.
VIEWS = {
    "tasks": ("tasks", ""),
    "requests": ("requests", ""),
    "request": ("requests/{}", "request"),
    "pick-slip": ("requests/{}/pick-slip", "request"),
    "item": ("items/{}", "barcode"),
    "user": ("users/{}", "user"),
    "outbox": ("outbox", ""),
    "journal": ("journal", ""),
}
_COLUMNS = {
    "tasks": ("id", "kind", "role", "request", "item", "title", "call_number", "location", "note"),
    "requests": ("id", "role", "partner", "identifier", "status_name", "title", "due_date"),
    "messages": ("id", "partner", "service", "state", "attempts", "next_at", "error"),
    "journal": ("id", "at", "direction", "partner", "service", "verdict", "operator", "note"),
}


class DeskCallError(Exception):
    """A call that was refused, or did not get through."""


def call(url: str, agency: str, what: str, values: dict[str, str], *, token: str, key: str) -> dict[str, Any]:
    """Call one endpoint; raises DeskCallError with what is wrong and what to do."""
    root = f"{url.rstrip('/').removesuffix('/ncip')}/api/v1/agencies/{quote(agency, safe='')}"
    headers = {"Accept": "application/json"}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    if what in VIEWS:
        path, inside = VIEWS[what]
        if inside and not values.get(inside):
            raise DeskCallError(f"{what} needs {inside}=…")
        place = path.format(quote(values.pop(inside, ""), safe="")) if inside else path
        query = f"?{urlencode(values)}" if values else ""
        return _open(Request(f"{root}/{place}{query}", headers=headers))  # noqa: S310 - the user names the address
    action = actions().get(what)
    if action is None:
        known = ", ".join([*sorted(actions()), *VIEWS])
        raise DeskCallError(f"{what!r} is no action; there are {known}")
    sent = {name: _typed(action.parameters, name, value) for name, value in values.items()}
    headers["Content-Type"] = "application/json"
    if key:
        headers["Idempotency-Key"] = key
    body = json.dumps(sent).encode()
    return _open(Request(f"{root}/desk/{what}", data=body, headers=headers, method="POST"))  # noqa: S310


def _typed(parameters: type[msgspec.Struct], name: str, value: str) -> object:
    kinds = {field.name: field.type for field in msgspec.structs.fields(parameters)}
    return value.lower() in ("true", "yes", "1") if kinds.get(name) is bool else value


def _open(request: Request) -> dict[str, Any]:
    try:
        with urlopen(request, timeout=30) as answer:  # noqa: S310
            found: dict[str, Any] = json.load(answer)
            return found
    except HTTPError as error:
        raise DeskCallError(_words(error)) from error
    except (URLError, OSError) as error:
        reason = getattr(error, "reason", error)
        raise DeskCallError(f"{request.full_url} cannot be reached: {reason}; is ncipd running there?") from error


def _words(error: HTTPError) -> str:
    try:
        told = json.load(error)["error"]
    except (ValueError, KeyError, TypeError):
        return f"HTTP {error.code} {error.reason}"
    return f"{told['message']} {told.get('hint', '')}".strip()


def list_actions() -> None:
    """Print every action and view with its parameters."""
    table = Table("action", "parameters", "what it does", title="ncipd desk", title_justify="left")
    for name, action in sorted(actions().items()):
        names = (f"{f.name}{'' if f.required else '?'}" for f in msgspec.structs.fields(action.parameters))
        table.add_row(name, " ".join(names), escape(action.summary))
    for name, (_, inside) in VIEWS.items():
        table.add_row(name, inside, "look")
    Console().print(table)


def show(what: str, answer: dict[str, Any]) -> None:
    """Print an answer for people."""
    console = Console(highlight=False)
    if answer.get("done"):
        console.print(f"[green]✓[/] {escape(answer['message'])}")
        return
    for key, columns in _COLUMNS.items():
        if isinstance(answer.get(key), list) and what not in ("request", "user"):
            table = Table(*columns)
            for row in answer[key]:
                table.add_row(
                    *(escape(str(row.get(column) if row.get(column) is not None else "")) for column in columns)
                )
            console.print(table)
            if not answer[key]:
                console.print("nothing")
            return
    console.print_json(json.dumps(answer))
