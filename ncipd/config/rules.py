"""What must hold of settings beyond their types: of one by itself, and between those of doors and partners."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from ncipd.circulation.partner import NamedBy
from ncipd.config.mistakes import Mistake, did_you_mean
from ncipd.ncip.messages import MESSAGES
from ncipd.ncip.problem_types import ProblemType
from ncipd.ncip.receive import REPAIR_NAMES
from ncipd.ncip.schemes import AgencyElementType, ItemElementType, RequestElementType, UserElementType
from ncipd.ncip.types import Initiation

if TYPE_CHECKING:
    from ncipd.config import Notices


def nonsense(name: str, value: Any) -> str:  # noqa: PLR0911 - one line per setting
    """What a value's type does not tell: zones that exist, addresses that can be reached, no negative numbers."""
    if type(value) is int and value < 0:
        return f"expected 0 or more, got {value}"
    if name in _NEEDED and not (value.strip() if isinstance(value, str) else value):
        return "must not be empty"
    if name in _LISTED:
        strange = next((one for one in value if one is not None and one.strip().casefold() not in _LISTED[name]), None)
        listed = _LISTED[name].values()
        return "" if strange is None else f"the standard has no {strange!r}{did_you_mean(strange, listed)}"
    if name in _NAMED:
        what, known = _NAMED[name]
        strange = next((one for one in value if one is not None and one not in known), None)
        return "" if strange is None else f"no {what} is called {strange!r}{did_you_mean(strange, known)}"
    if name in _SENSIBLE:
        sensible, expected = _SENSIBLE[name]
        return "" if sensible(value) else f"expected {expected}, got {value!r}"
    if name == "keys" and (bad := [key for key in value if key is not None and (not key or set(key) & set("/?#% "))]):
        return f"expected keys that can stand in a path (POST /ncip/KEY), got {bad[0]!r}"
    return ""


def of_notices(notices: Notices | None) -> Iterator[Mistake]:
    """What must be there where e-mail is sent: an address that it comes from."""
    if notices is not None and notices.sender == "smtp" and not re.fullmatch(r"[^@\s]+@[^@\s]+", notices.from_address):
        found = f"got {notices.from_address!r}" if notices.from_address else "it is missing"
        yield Mistake("notices.from_address", f"expected an e-mail address such as library@example.org, {found}")


def between_partners(tables: object) -> Iterator[Mistake]:
    """What must hold among partners: path keys differ; at one agency codes differ, and one at most is the fallback."""
    keys: dict[str, int] = {}
    codes: dict[tuple[str, str], int] = {}
    fallbacks: dict[str, int] = {}
    for at, table in enumerate(tables if isinstance(tables, list) else [], 1):
        partner = table if isinstance(table, dict) else {}
        agency, code = str(partner.get("agency", at)), str(partner.get("code", at))
        first = codes.setdefault((agency, code.casefold()), at)
        if first != at:
            yield Mistake(f"partner[{at}].code", f"{code!r} is also partner[{first}] of {agency}")
        for key in _keys_of(partner):
            if (first := keys.setdefault(key, at)) != at:
                yield Mistake(f"partner[{at}].keys", f"{key!r} names partner[{first}] already; a key names one partner")
        if partner.get("fallback") is True and (first := fallbacks.setdefault(agency, at)) != at:
            yield Mistake(f"partner[{at}].fallback", f"partner[{first}] is the fallback of {agency} already")


def _keys_of(partner: dict[str, Any]) -> list[str]:
    """The path keys that name a partner; none where it is not named by any."""
    keys, named_by = partner.get("keys"), partner.get("named_by", [NamedBy.PATH_KEY])
    if not isinstance(keys, list) or not isinstance(named_by, list) or NamedBy.PATH_KEY not in named_by:
        return []
    return [key for key in keys if isinstance(key, str)]


def of_doors(doors: list[dict[str, Any]], partners: list[dict[str, Any]]) -> Iterator[Mistake]:
    """What must hold among the settings of a TCP door, and between it and the others and the partners."""
    listening: dict[str, int] = {}
    for at, door in enumerate(doors, 1):
        listen, code = str(door.get("listen", at)), str(door.get("partner", ""))
        if not listen.endswith(":0") and (first := listening.setdefault(listen, at)) != at:
            yield Mistake(f"tcp[{at}].listen", f"tcp[{first}] listens on {listen} already")
        for setting in ("private_key", "client_ca"):
            if door.get(setting) and not door.get("certificate"):
                yield Mistake(f"tcp[{at}].{setting}", "is for TLS, which needs a certificate; set certificate as well")
        known = {str(partner.get("code", "")).casefold(): str(partner.get("code", "")) for partner in partners}
        agencies = {partner.get("agency") for partner in partners if same_code(partner.get("code"), code)}
        if code and not agencies:
            yield Mistake(f"tcp[{at}].partner", f"no [[partner]] has the code {code!r}{did_you_mean(code, known)}")
        if len(agencies) > 1 and not door.get("agency"):
            yield Mistake(f"tcp[{at}].agency", f"missing; several agencies have a partner {code!r}")


def same_code(one: object, other: str) -> bool:
    """Whether both are the code of the same partner: case does not matter."""
    return isinstance(one, str) and one.casefold() == other.casefold()


def _is_address(listen: str) -> bool:
    found = re.fullmatch(r"(?:\[[0-9A-Fa-f:.]+\]|[^\s:/\[\]]+):([0-9]{1,5})", listen)
    return found is not None and int(found[1]) <= 65535


def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (OSError, ValueError, KeyError):  # ZoneInfoNotFoundError is a KeyError
        return False
    return True


def _is_reachable(url: str) -> bool:
    try:
        parts = urlsplit(url)
        port = parts.port  # raises ValueError for one that there cannot be
        known = parts.scheme in {"http", "https"} or (parts.scheme in {"tcp", "tcps"} and bool(port))
    except ValueError:
        return False
    return known and bool(parts.hostname)


def _words(*lists: type[StrEnum]) -> dict[str, str]:
    return {member.value.casefold(): member.value for words in lists for member in words}


_NEEDED: Final = frozenset({"code", "agency", "host", "data", "named_by", "authenticated_by"})
_SERVICES: Final = frozenset(name for name, kind in MESSAGES.items() if issubclass(kind, Initiation))
_NAMED: Final = {"refuse_repairs": ("repair", REPAIR_NAMES), "services": ("service", _SERVICES)}
_LISTED: Final = {
    "problem_types": _words(ProblemType),
    "always_include": _words(AgencyElementType, ItemElementType, RequestElementType, UserElementType),
}
_SENSIBLE: Final[dict[str, tuple[Callable[[str], object], str]]] = {
    "listen": (_is_address, "an address and a port such as '0.0.0.0:5001' or '[::1]:5001'"),
    "time_zone": (lambda value: not value or _is_zone(value), "an IANA time zone such as 'Europe/Berlin'"),
    "url": (
        lambda value: not value or _is_reachable(value),
        "an http:// or https:// address, or tcp:// or tcps:// with a port",
    ),
    "prefix": (
        lambda value: re.fullmatch(r"(?!xml)[a-z_][a-z0-9_.-]*|", value, re.IGNORECASE),
        "a namespace prefix such as 'ns1', or '' for none",
    ),
    "content_type": (
        re.compile(r"[\w.+-]+/[\w.+-]+( ?; ?[\w.-]+=(\"[\w .-]+\"|[\w.-]+))*", re.ASCII).fullmatch,
        "a media type such as 'application/xml; charset=utf-8'",
    ),
}
