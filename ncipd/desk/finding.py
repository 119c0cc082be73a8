"""How staff name things: a barcode from a scanner, a request by its number or by the partner's id, a date as typed."""

from __future__ import annotations

import re
from datetime import date, datetime, time
from typing import TYPE_CHECKING

from ncipd.circulation import naming
from ncipd.circulation.clock import to_micros
from ncipd.circulation.errors import DeskError, ErrorKind
from ncipd.circulation.rows import request_row
from ncipd.desk import Done

_NUMBER = re.compile(r"[0-9]{1,18}")  # that a row can have

if TYPE_CHECKING:
    from ncipd.circulation.model import Item, Library, Micros, Request, Role, User
    from ncipd.circulation.unit import Circulation


def item(circ: Circulation, barcode: str) -> Item:
    """Find the live item with a barcode; a withdrawn one is named with what became of it."""
    found = circ.item_by_barcode(barcode)
    if found is not None:
        return found
    gone = circ.withdrawn_item(barcode)
    if gone is not None:
        whose = f" belongs to partner {gone.partner} and was sent back; it" if gone.temporary else ""
        raise DeskError(
            ErrorKind.CONFLICT,
            "item-withdrawn",
            f"Item {barcode}{whose} is withdrawn here.",
            field="barcode",
            value=barcode,
            hint="Send it back to its library." if gone.temporary else "It must be catalogued anew before it is used.",
        )
    raise DeskError(
        ErrorKind.NOT_FOUND,
        "item-not-found",
        f"No item here has the barcode {barcode!r}.",
        field="barcode",
        value=barcode,
        hint="Scan it again; a borrowed item is received first.",
    )


def withdrawn(circ: Circulation, barcode: str) -> Done | None:
    """Say what to do with an item that was scanned though it is withdrawn here; None where it is not."""
    gone = circ.withdrawn_item(barcode) if circ.item_by_barcode(barcode) is None else None
    if gone is None:
        return None
    if gone.temporary:
        words = f"{barcode} belongs to partner {gone.partner} and is withdrawn here: send it back."
        return Done(words, "send back", None, gone)
    return Done(f"{barcode} is ours, but withdrawn: give it to the cataloguers.", "withdrawn", None, gone)


def request(circ: Circulation, name: str, role: Role | None = None) -> Request:
    """Find a request by its id, one that it had before, or its number here; an open one before an ended one."""
    wanted = name.strip()
    named = requests_named(circ, wanted)
    if not named and _NUMBER.fullmatch(wanted):
        found = circ.tx.one("request_by_id", request_row, id=int(wanted))
        named = [found] if found is not None and found.agency_id == circ.agency.id else []
    named = [one for one in named if role is None or one.role is role]
    if not named:
        raise DeskError(
            ErrorKind.NOT_FOUND,
            "request-not-found",
            f"No request here is called {wanted!r}.",
            field="request",
            value=wanted,
        )
    still_open = [one for one in named if one.open]
    if len(still_open) > 1:
        numbers = ", ".join(f"{one.id} ({one.role}, {one.partner})" for one in still_open)
        raise DeskError(
            ErrorKind.CONFLICT,
            "request-ambiguous",
            f"{len(still_open)} open requests are called {wanted!r}.",
            field="request",
            value=wanted,
            hint=f"Use the number of one of them: {numbers}.",
        )
    return (still_open or named)[0]


def requests_named(circ: Circulation, name: str) -> list[Request]:
    """List the requests with this id, or that had it before, open ones and new ones first."""
    now = circ.tx.all("requests_named", request_row, agency=circ.agency.id, identifier=name)
    return now or naming.known_as(circ, name)


def user(circ: Circulation, identifier: str) -> User:
    """Find the one user with an identifier."""
    found = circ.users(identifier)
    if len(found) == 1:
        return found[0]
    many = bool(found)
    raise DeskError(
        ErrorKind.CONFLICT if many else ErrorKind.NOT_FOUND,
        "user-ambiguous" if many else "user-not-found",
        f"{len(found)} users here have the identifier {identifier!r}."
        if many
        else f"No user here is called {identifier!r}.",
        field="user",
        value=identifier,
        hint="Use an identifier that only one user has." if many else "Check the card number.",
    )


def library(circ: Circulation, code: str, field: str = "pickup_library") -> Library:
    """Find a library of the agency by its code."""
    found = circ.library(code)
    if found is None:
        raise DeskError(
            ErrorKind.NOT_FOUND,
            "library-not-found",
            f"No library has the code {code!r}.",
            field=field,
            value=code,
            hint=f"One of {', '.join(one.code for one in circ.libraries())}.",
        )
    return found


def moment(circ: Circulation, text: str | None, field: str = "due_date") -> Micros | None:
    """Read a date as typed: `2026-03-01` is the end of that day here, `2026-03-01T12:00` that moment."""
    if not text:
        return None
    try:
        if len(text) == len("2026-03-01"):
            return to_micros(datetime.combine(date.fromisoformat(text), time(23, 59, 59)), circ.agency.time_zone)
        return to_micros(datetime.fromisoformat(text), circ.agency.time_zone)
    except ValueError as error:
        raise DeskError(
            ErrorKind.INVALID,
            "date-unreadable",
            f"{text!r} is no date.",
            field=field,
            value=text,
            hint="Write it as 2026-03-01 or 2026-03-01T12:00.",
        ) from error


def coming(circ: Circulation, text: str | None, field: str = "due_date") -> Micros | None:
    """Read the date until which something is lent, as typed; raises DeskError where it is past."""
    found = moment(circ, text, field)
    if found is not None and found <= circ.now:
        raise DeskError(
            ErrorKind.INVALID,
            "date-past",
            f"{text!r} is past.",
            field=field,
            value=text,
            hint="Write a date to come, or leave it out for the usual one.",
        )
    return found


def required(value: str, field: str, what: str) -> str:
    """Give a value that an action cannot do without; raises DeskError where it is empty."""
    if value.strip():
        return value.strip()
    raise DeskError(ErrorKind.INVALID, "value-missing", f"{field} is empty; expected {what}.", field=field, value=value)
