"""Logs: one JSON object per line on standard error, each with the correlation id of its message.

Redaction lives here and nowhere else. What is said at info level and above never holds user data: keys that could are
left out, objects are named by their class, exceptions by their type and the places they went through. Debug events keep
user data (somebody asked for it); secrets are masked at every level.

Say `log = structlog.get_logger()` at the top of a module, then `log.info("message answered", service=…)`: the event is
a constant sentence, what varies is a key.
"""

from __future__ import annotations

import itertools
import logging
import os
import sys
from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from datetime import date, datetime
from traceback import walk_tb
from typing import Any, Final, Literal

import msgspec
import structlog

Level = Literal["debug", "info", "warning", "error", "critical", "off"]

MASK: Final = "***"
LONGEST = 500  # characters of one value
SECRET = ("password", "secret", "token", "authorization", "authentication", "credential", "cookie")  # anywhere in a key
_PERSONAL = (  # as a word of a key: `user`, `user_id`, `given_name`
    "user users patron patrons identifier identifiers name names surname given mail email phone address addresses "
    "birth body raw xml payload document value values text detail note notes query pin"
)
PERSONAL = frozenset(_PERSONAL.split())

_correlation: ContextVar[str] = ContextVar("correlation", default="")
_run = os.urandom(4).hex()  # tells the ids of one run of ncipd from those of another
_count = itertools.count(1)


def correlate(identity: str = "") -> str:
    """Give everything that is logged from here on, in this task, one correlation id, and return it."""
    identity = identity or f"{_run}-{next(_count):06x}"
    _correlation.set(identity)
    return identity


def correlation() -> str:
    """The correlation id of this task; empty outside a message."""
    return _correlation.get()


def configure(level: Level = "info", *, console: bool | None = None) -> None:
    """Send logs of `level` and above to standard error, those of the libraries (from warning) too.

    `console`: coloured text for people instead of JSON; by default where standard error is a terminal.
    """
    console = sys.stderr.isatty() if console is None else console
    structlog.configure(
        processors=[_drop] if level == "off" else [*_common(), *(_for_people() if console else _for_programs())],
        wrapper_class=structlog.make_filtering_bound_logger("critical" if level == "off" else level),
        logger_factory=structlog.WriteLoggerFactory(sys.stderr)
        if console
        else structlog.BytesLoggerFactory(sys.stderr.buffer),
        cache_logger_on_first_use=True,
    )
    root = logging.getLogger()
    root.handlers = [logging.NullHandler() if level == "off" else _FromTheLibraries()]
    root.setLevel(logging.WARNING)
    logging.getLogger("aiohttp.access").disabled = True


def _common() -> list[structlog.typing.Processor]:
    stamp = structlog.processors.TimeStamper(fmt="iso", utc=True, key="at")
    return [structlog.processors.add_log_level, _add_correlation, redact, stamp]


def _for_people() -> list[structlog.typing.Processor]:
    return [structlog.dev.ConsoleRenderer(timestamp_key="at")]


def _for_programs() -> list[structlog.typing.Processor]:
    return [_to_json]


_encode = msgspec.json.Encoder().encode


def _to_json(_logger: object, _method: str, event: structlog.typing.EventDict) -> bytes:
    return _encode(event)


def _drop(_logger: object, _method: str, _event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    raise structlog.DropEvent


def _add_correlation(_logger: object, _method: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    if identity := _correlation.get():
        event.setdefault("correlation", identity)
    return event


def redact(_logger: object, method: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """Mask secrets; leave out what could be user data unless the event is a debug event.

    `exc_info` becomes `exception`: its type and path, because its words could hold data of the message.
    """
    error = _exception(event.pop("exc_info", None))
    clean = _redacted(event, personal=method == "debug")
    if error is not None:
        clean["exception"] = "\n".join(_told(error, words=method == "debug"))
    return clean


def _redacted(values: Mapping[str, Any], *, personal: bool) -> dict[str, Any]:
    return {
        str(key): MASK if kind == "secret" else _plain(value, personal=personal)
        for key, value in values.items()
        if (kind := _kind(str(key))) != "personal" or personal
    }


_kinds: dict[str, str] = {"event": "", "level": "", "correlation": "", "exception": ""}


def _kind(key: str) -> str:
    """What a key could hold: "secret", "personal" or neither. Keys are few, so each is looked at once."""
    kind = _kinds.get(key)
    if kind is None:
        lower = key.lower().replace("-", "_")
        secret = any(part in lower for part in SECRET)
        kind = "secret" if secret else "personal" if PERSONAL.intersection(lower.split("_")) else ""
        if len(_kinds) < 1_000:  # keys come from our own code; a key made of data must not fill memory
            _kinds[key] = kind
    return kind


def _plain(value: Any, *, personal: bool) -> Any:
    """What may be written of a value: scalars as they are (cut), containers inside out, objects by their class."""
    if value is None or isinstance(value, int | float | date | datetime):
        return value
    if isinstance(value, str):
        return str(value) if len(value) <= LONGEST or personal else f"{value[:LONGEST]}… ({len(value)} characters)"
    if isinstance(value, Mapping):
        return _redacted(value, personal=personal)
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(one, personal=personal) for one in value]
    if isinstance(value, bytes | bytearray | memoryview):
        return repr(bytes(value)) if personal else f"<{len(value)} bytes>"
    return repr(value) if personal else f"<{type(value).__name__}>"


def _exception(given: object) -> BaseException | None:
    """The exception that `exc_info=` means: itself, a triple, or true for the one being handled."""
    if isinstance(given, tuple):
        given = given[1]
    return given if isinstance(given, BaseException) else sys.exc_info()[1] if given else None


def _told(error: BaseException, *, words: bool, depth: int = 0) -> Iterator[str]:
    kind = type(error)
    yield f"{kind.__module__}.{kind.__qualname__}".removeprefix("builtins.") + (f": {error}" if words else "")
    for frame, line in walk_tb(error.__traceback__):
        yield f"  {frame.f_globals.get('__name__', '?')}:{line} {frame.f_code.co_name}"
    if depth > 4:  # a chain this long repeats itself
        return
    before = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    for other in (*getattr(error, "exceptions", ()), *((before,) if before else ())):
        yield "because of" if other is before else "containing"
        yield from _told(other, words=words, depth=depth + 1)


class _FromTheLibraries(logging.Handler):
    """Takes what asyncio, aiohttp and others say through `logging` into the same stream, under the same redaction."""

    def emit(self, record: logging.LogRecord) -> None:
        """Say it again through structlog; its arguments stay out, because they could be data."""
        log = structlog.get_logger()
        words = {"said": record.getMessage()} if record.levelno <= logging.DEBUG else {}
        log.log(
            record.levelno, str(record.msg).partition("\n")[0], logger=record.name, exc_info=record.exc_info, **words
        )
