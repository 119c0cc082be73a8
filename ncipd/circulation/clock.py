"""Dates between the wire and the store: aware or naive date-times there, microseconds in UTC here."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

if TYPE_CHECKING:
    from ncipd.circulation.model import Micros

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
EARLIEST: Micros = (datetime.min.replace(tzinfo=UTC) - _EPOCH) // _MICROSECOND
LATEST: Micros = (datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC) - _EPOCH) // _MICROSECOND
DAY: Micros = 24 * 60 * 60 * 1_000_000
SECOND: Micros = 1_000_000
MINUTE: Micros = 60 * 1_000_000


def to_micros(moment: datetime, zone: str) -> Micros:
    """Turn a date-time into the store's form; one without a zone is local to `zone` (an IANA name).

    The years 1 and 9999 stand for ever: what a zone moves out of them stays at their ends, where it can be told again.
    """
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=zone_info(zone))
    return min(max((moment - _EPOCH) // _MICROSECOND, EARLIEST), LATEST)


def when_told(moment: datetime, zone: str) -> Micros:
    """Turn the date-time of an event that is told into the store's form.

    One in whole seconds is as precise as that: it counts as the end of its second, so that it is not taken to be before
    what is known, to the microsecond, to have happened in the same second.
    """
    return to_micros(moment, zone) + (SECOND - 1 if moment.microsecond == 0 else 0)


def not_after(told: Micros, known: Micros) -> bool:
    """Say whether an event that is told is of the time of one that is known, as far as can be told, or before it."""
    return told <= known or (_in_whole_seconds(told) and told // SECOND == known // SECOND)


def as_told(moment: Micros) -> datetime:
    """Turn the stored moment of an event into the date-time that told it."""
    return from_micros(moment - (SECOND - 1) if _in_whole_seconds(moment) else moment)


def _in_whole_seconds(told: Micros) -> bool:
    return told % SECOND == SECOND - 1


def from_micros(moment: Micros) -> datetime:
    """Turn a stored moment into an aware date-time in UTC."""
    return _EPOCH + timedelta(microseconds=moment)


def optional_date(moment: Micros | None) -> datetime | None:
    """Turn a stored moment that may be absent into a date-time."""
    return None if moment is None else from_micros(moment)


def end_of_day(moment: Micros, zone: str) -> Micros:
    """Give the end (23:59:59) of the day that `moment` falls on in `zone`."""
    return days_later(moment, 0, zone)


def days_later(moment: Micros, days: int, zone: str) -> Micros:
    """Give the end of the day `days` days after the day of `moment`, counted on the calendar of `zone`."""
    try:
        local = _wall(moment, zone) + timedelta(days=days)
    except OverflowError:
        return LATEST
    # Where clocks go back at midnight, 23:59:59 comes twice: the day ends with the second (fold).
    return to_micros(local.replace(hour=23, minute=59, second=59, microsecond=0, fold=1), zone)


def days_earlier(moment: Micros, days: int, zone: str) -> Micros:
    """Give the same time of day `days` days before, counted on the calendar of `zone`."""
    if not days:
        return moment
    try:
        return to_micros((_wall(moment, zone) - timedelta(days=days)).replace(fold=1), zone)
    except OverflowError:
        return EARLIEST


def _wall(moment: Micros, zone: str) -> datetime:
    """Give the date and time that clocks show in a zone; at the ends of time, a day within them."""
    within = min(max(moment, EARLIEST + DAY), LATEST - DAY)
    return from_micros(within).astimezone(zone_info(zone)).replace(tzinfo=None)


def zone_info(name: str) -> ZoneInfo:
    """Find a time zone by its IANA name; raises ValueError for a name that is none."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as error:
        message = f"{name!r} is not an IANA time zone; expected a name such as 'Europe/Berlin'"
        raise ValueError(message) from error
