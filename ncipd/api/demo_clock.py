"""The demo's clock, set from outside so that a scenario can let days pass."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import msgspec

from ncipd.api.calls import Refused
from ncipd.circulation.clock import from_micros, to_micros

_SECOND = 1_000_000
_FAR = 1e11  # seconds: out of range in either direction
_LATEST = to_micros(datetime(2999, 1, 1, tzinfo=UTC), "UTC")  # leaves room for due dates that a date can hold
_PERIOD = re.compile(
    r"P(?:([0-9]{1,9})W)?(?:([0-9]{1,9})D)?(?:T(?:([0-9]{1,9})H)?(?:([0-9]{1,9})M)?(?:([0-9]{1,9})S)?)?"
)


class ClockSetting(msgspec.Struct, forbid_unknown_fields=True):
    """One of: `set` to a moment, `advance` by an ISO 8601 period, `advance_seconds`."""

    set: str | None = None
    advance: str | None = None
    advance_seconds: float | None = None


def shown(moment: int) -> str:
    """Write what the clock shows, to the microsecond: who reckons with it must not be behind it."""
    return from_micros(moment).isoformat(timespec="microseconds").replace("+00:00", "Z")


def moment_of(setting: ClockSetting, now: int) -> int:
    """Read which moment is meant, in microseconds; raises Refused for what cannot be read or lies too far away."""
    moment = _read(setting, now)
    if moment is None:
        raise Refused(
            422,
            "clock-unreadable",
            "This does not say what the clock should show.",
            hint='Send {"set": "2026-01-05T10:00:00Z"}, {"advance": "P1D"} or {"advance_seconds": 60}.',
        )
    if not 0 <= moment <= _LATEST:
        raise Refused(422, "clock-out-of-range", "The clock can show 1970 to 2998.")
    return moment


def _read(setting: ClockSetting, now: int) -> int | None:
    match setting:
        case ClockSetting(set=str(text), advance=None, advance_seconds=None):
            return _date(text)
        case ClockSetting(set=None, advance=str(text), advance_seconds=None):
            period = _period(text)
            return None if period is None else now + period
        case ClockSetting(set=None, advance=None, advance_seconds=float(seconds)):
            return now + int(max(-_FAR, min(_FAR, seconds)) * _SECOND)
        case _:
            return None


def _date(text: str) -> int | None:
    try:
        return to_micros(datetime.fromisoformat(text), "UTC")
    except (ValueError, OverflowError):
        return None


def _period(text: str) -> int | None:
    """Read P1D, PT2H, PT30M and their sums."""
    match = _PERIOD.fullmatch(text)
    if match is None or not any(match.groups()):
        return None
    weeks, days, hours, minutes, seconds = (int(group or 0) for group in match.groups())
    return ((((weeks * 7 + days) * 24 + hours) * 60 + minutes) * 60 + seconds) * _SECOND
