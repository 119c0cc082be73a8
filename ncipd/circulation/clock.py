"""Dates between the wire and the store: aware or naive date-times there, microseconds in UTC here."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

if TYPE_CHECKING:
    from ncipd.circulation.model import Micros

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
DAY: Micros = 24 * 60 * 60 * 1_000_000
MINUTE: Micros = 60 * 1_000_000


def to_micros(moment: datetime, zone: str) -> Micros:
    """Turn a date-time into the store's form; one without a zone is local to `zone` (an IANA name)."""
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=zone_info(zone))
    return (moment - _EPOCH) // _MICROSECOND


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
    local = _wall(moment, zone) + timedelta(days=days)
    # Where clocks go back at midnight, 23:59:59 comes twice: the day ends with the second (fold).
    return to_micros(local.replace(hour=23, minute=59, second=59, microsecond=0, fold=1), zone)


def days_earlier(moment: Micros, days: int, zone: str) -> Micros:
    """Give the same time of day `days` days before, counted on the calendar of `zone`."""
    return to_micros((_wall(moment, zone) - timedelta(days=days)).replace(fold=1), zone) if days else moment


def _wall(moment: Micros, zone: str) -> datetime:
    return from_micros(moment).astimezone(zone_info(zone)).replace(tzinfo=None)


def zone_info(name: str) -> ZoneInfo:
    """Find a time zone by its IANA name; raises ValueError for a name that is none."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as error:
        message = f"{name!r} is not an IANA time zone; expected a name such as 'Europe/Berlin'"
        raise ValueError(message) from error
