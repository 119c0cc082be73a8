"""What a call brings: its body, its parameters, and whether it comes from where it may come from."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

import msgspec
from aiohttp import hdrs, web

if TYPE_CHECKING:
    from collections.abc import Iterable

    Parameters = TypeVar("Parameters", bound=msgspec.Struct)

LONGEST = 64 * 1024  # bytes of a JSON body
BODY_SECONDS = 30.0  # that a body may take to arrive
USUAL = 200  # rows of a list, unless asked
MOST = 1000  # rows of a list, at most
_NUMBER = re.compile(r"[0-9]{1,18}")
_LOOPBACK = ("localhost", "127.0.0.1", "::1")
_MACHINE_TO_HUMAN = (
    ("Object contains unknown field", "unknown parameter"),
    ("Object missing required field", "missing parameter"),
    ("Expected", "expected"),
    (" | null`", "`"),
    ("`str`", "text"),
    ("`bool`", "true or false"),
    ("`float`", "a number"),
    ("`int`", "a number"),
    ("`object`", "an object"),
    ("`array`", "a list"),
    ("`null`", "null"),
)


class Refused(Exception):
    """A call that gets an error document."""

    def __init__(self, status: int, code: str, message: str, **more: object) -> None:
        """Say which HTTP status, and what is wrong."""
        super().__init__(message)
        self.status, self.code, self.message, self.more = status, code, message, more


# ---------------------------------------------------------------------------------------------- where from


def refuse_foreign(request: web.Request) -> None:
    """Without a token only this machine may call, and no page of another site through a browser here."""
    origin = request.headers.get(hdrs.ORIGIN, "")
    if _hostname(f"//{request.host}") not in _LOOPBACK:
        raise Refused(403, "host-foreign", f"Host {request.host!r} is not this machine; use a token.")
    if origin and _hostname(origin) not in _LOOPBACK:
        raise Refused(403, "origin-foreign", f"Calls from pages of {origin!r} are refused; use a token.")
    if request.method == hdrs.METH_POST:
        _must_be_json(request)


def _hostname(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


# ---------------------------------------------------------------------------------------------- the body


async def body(request: web.Request) -> dict[str, Any]:
    """Read the body as a JSON object; raises Refused for anything else."""
    _must_be_json(request)
    raw = await _bytes(request)
    try:
        sent = msgspec.json.decode(raw or b"{}")
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Refused(400, "json-unreadable", f"The body is no JSON: {error}.") from error
    except RecursionError:
        raise Refused(400, "json-unreadable", "The body is nested too deeply to be read.") from None
    if not isinstance(sent, dict):
        raise Refused(422, "not-an-object", "The body must be a JSON object.")
    return sent


def _must_be_json(request: web.Request) -> None:
    if request.content_type != "application/json":
        raise Refused(415, "not-json", "Send the body as application/json.")


async def _bytes(request: web.Request) -> bytes:
    announced, raw = request.content_length or 0, bytearray()
    try:
        async with asyncio.timeout(BODY_SECONDS):
            while announced <= LONGEST and len(raw) <= LONGEST and (chunk := await request.content.readany()):
                raw += chunk
    except TimeoutError:
        raise Refused(408, "too-slow", f"The body did not arrive within {BODY_SECONDS:g} seconds.") from None
    except web.RequestPayloadError:
        raise Refused(400, "body-broken", "The body did not arrive as its headers say.") from None
    if max(announced, len(raw)) > LONGEST:
        raise Refused(413, "too-large", f"The body of a desk call has at most {LONGEST} bytes.")
    return bytes(raw)


def converted(sent: dict[str, Any], kind: type[Parameters]) -> Parameters:
    """Turn a body into parameters; raises Refused with the parameter, and all that would have been known."""
    try:
        return msgspec.convert(sent, kind)
    except msgspec.ValidationError as error:
        named = re.search(r"(?:field `|at `\$\.)([^`]+)`", str(error))
        field: dict[str, object] = {"field": named[1]} if named else {}
        raise Refused(422, "parameters-wrong", _spoken(error), hint=f"Expected: {expected(kind)}.", **field) from error


def expected(kind: type[msgspec.Struct]) -> str:
    """List the parameters by name; those that may be left out have a question mark."""
    fields = msgspec.structs.fields(kind)
    return ", ".join(f"{field.name}{'' if field.required else '?'}" for field in fields)


def _spoken(error: msgspec.ValidationError) -> str:
    """Say in a sentence what is wrong with a parameter: barcode: expected text, got a number."""
    text, _, place = str(error).partition(" - at `$.")
    for machine, human in _MACHINE_TO_HUMAN:
        text = text.replace(machine, human)
    text = text.replace("`", "'")
    return f"{place.rstrip('`')}: {text}." if place else f"{text[:1].upper()}{text[1:]}."


# ---------------------------------------------------------------------------------------------- path and query


def word(request: web.Request, name: str, known: Iterable[str]) -> str:
    """Read a parameter that may be left out or be one of a few words; '' where it is left out."""
    text = request.query.get(name, "")
    words = [str(one) for one in known]
    if text and text not in words:
        told = f"{text!r} is no {name}; expected one of {', '.join(words)}."
        raise Refused(422, f"{name}-unknown", told, field=name, value=text)
    return text


def number(request: web.Request, name: str, default: int) -> int:
    """Read a whole number that may be left out."""
    text = request.query.get(name, "")
    if not text:
        return default
    if not _NUMBER.fullmatch(text):
        raise Refused(422, "not-a-number", f"{name} is {text!r}; expected a whole number.", field=name, value=text)
    return int(text)


def most(request: web.Request) -> int:
    """Read how many rows are wanted at most."""
    wanted = number(request, "most", USUAL)
    if not 1 <= wanted <= MOST:
        raise Refused(422, "most-out-of-range", f"most is {wanted}; expected 1 to {MOST}.", field="most", value=wanted)
    return wanted


def path_number(request: web.Request, what: str) -> int:
    """Read the number in the path; raises Refused as for one that is not there."""
    text = request.match_info["id"]
    if not _NUMBER.fullmatch(text):
        raise Refused(404, f"{what}-not-found", f"{text!r} is no number of a {what}.", field=what, value=text)
    return int(text)
