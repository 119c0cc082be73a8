"""Dates between the wire and the store, in zones that shift their clocks in every way there is."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ncipd.circulation.clock import (
    as_told,
    days_earlier,
    days_later,
    end_of_day,
    from_micros,
    not_after,
    optional_date,
    to_micros,
    when_told,
    zone_info,
)

# One hour in the night, half an hour, at midnight forward and back, no shift at all, and both ends of the world.
ZONES = (
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "Australia/Lord_Howe",
    "Africa/Cairo",
    "America/Havana",
    "Asia/Beirut",
    "America/Santiago",
    "Asia/Kathmandu",
    "Pacific/Kiritimati",
    "Pacific/Pago_Pago",
)
zones = st.sampled_from(ZONES)
moments = st.integers(
    int(datetime(2020, 1, 1, tzinfo=UTC).timestamp()) * 1_000_000,
    int(datetime(2037, 12, 31, tzinfo=UTC).timestamp()) * 1_000_000,
)


def micros(*when: int, zone: str = "UTC") -> int:
    return to_micros(datetime(*when), zone)


def local(moment: int, zone: str) -> datetime:
    return from_micros(moment).astimezone(ZoneInfo(zone))


@given(moments)
def test_a_stored_moment_comes_back_as_the_same_moment(moment):
    back = from_micros(moment)
    assert back.tzinfo is UTC
    assert to_micros(back, "Asia/Kathmandu") == moment, "a date-time with a zone needs no other"
    assert optional_date(moment) == back


def test_what_is_absent_stays_absent():
    assert optional_date(None) is None


@given(st.datetimes(datetime(2020, 1, 1), datetime(2037, 1, 1)), zones)
def test_a_local_time_that_exists_once_is_read_as_that_time_there(wall, zone):
    """And one that a shift skipped or repeated is still on that day or the next."""
    there = local(to_micros(wall, zone), zone).replace(tzinfo=None)
    if (
        wall.replace(tzinfo=ZoneInfo(zone), fold=0).utcoffset()
        == wall.replace(tzinfo=ZoneInfo(zone), fold=1).utcoffset()
    ):
        assert there == wall
    assert abs(there - wall) <= timedelta(hours=1)


@given(moments, zones)
def test_the_end_of_a_day_is_its_last_second_and_never_before_the_moment(moment, zone):
    end = end_of_day(moment, zone)
    assert local(end, zone).strftime("%H:%M:%S") == "23:59:59"
    assert local(end, zone).date() == local(moment, zone).date()
    assert end >= moment - 999_999, "all of the last second belongs to the day"
    assert local(end + 1_000_000, zone).date() > local(moment, zone).date(), "no second of the day comes after it"
    assert end_of_day(end, zone) == end


@given(moments, st.integers(0, 800), zones)
def test_days_are_counted_on_the_calendar_and_not_in_hours(moment, days, zone):
    """28 days later is the end of the day with the date 28 days on, whatever the clocks did in between."""
    later = local(days_later(moment, days, zone), zone)
    assert later.date() == local(moment, zone).date() + timedelta(days=days)
    assert later.strftime("%H:%M:%S") == "23:59:59"


@given(moments, st.integers(0, 400), st.integers(0, 400), zones)
def test_more_days_are_never_earlier(moment, some, more, zone):
    assert days_later(moment, some, zone) <= days_later(moment, some + more, zone)
    assert days_later(moment, 0, zone) == end_of_day(moment, zone)


def test_a_loan_across_the_shift_ends_at_the_same_time_of_day():
    """Berlin shifted on 29 March 2026 at 01:00 UTC, and back on 25 October."""
    assert days_later(micros(2026, 3, 27, 12), 7, "Europe/Berlin") == micros(2026, 4, 3, 21, 59, 59)
    assert days_later(micros(2026, 10, 23, 12), 7, "Europe/Berlin") == micros(2026, 10, 30, 22, 59, 59)
    assert days_later(micros(2026, 3, 6, 12), 7, "America/New_York") == micros(2026, 3, 14, 3, 59, 59)


def test_a_day_with_two_ends_ends_with_the_second():
    """Cairo puts its clocks back at midnight: 23:59:59 comes twice on 29 October 2026."""
    assert end_of_day(micros(2026, 10, 29, 12), "Africa/Cairo") == micros(2026, 10, 29, 21, 59, 59)
    assert days_later(micros(2026, 10, 28, 12), 1, "Africa/Cairo") == micros(2026, 10, 29, 21, 59, 59)


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("moment", [datetime(9999, 12, 31, 23, 59, 59), datetime(1, 1, 1)])
def test_the_ends_of_time_can_be_stored_told_and_counted_from_in_every_zone(moment, zone):
    """Some systems write 9999-12-31 for *never*."""
    stored = to_micros(moment, zone)
    assert abs(from_micros(stored).replace(tzinfo=None) - moment) < timedelta(days=1)
    for reckoned in (days_later(stored, 0, zone), days_later(stored, 400, zone), days_earlier(stored, 400, zone)):
        assert 1 <= from_micros(reckoned).year <= 9999
    if moment.year == 9999:
        assert days_later(stored, 1, zone) >= stored - 86_400_000_000


@pytest.mark.parametrize("name", ["Europe/Nowhere", "", "../etc/passwd", "Berlin time"])
def test_a_zone_that_does_not_exist_is_named_with_what_was_expected(name):
    with pytest.raises(ValueError, match="IANA time zone"):
        zone_info(name)


@pytest.mark.parametrize(
    ("told", "known", "before"),
    [
        (datetime(2026, 1, 5, 12, 0, 5), datetime(2026, 1, 5, 12, 0, 5, 300_000), False),
        (datetime(2026, 1, 5, 12, 0, 5, 200_000), datetime(2026, 1, 5, 12, 0, 5, 300_000), True),
        (datetime(2026, 1, 5, 12, 0, 4), datetime(2026, 1, 5, 12, 0, 5), True),
        (datetime(2026, 1, 5, 12, 0, 6), datetime(2026, 1, 5, 12, 0, 5, 999_999), False),
    ],
)
def test_an_event_told_in_whole_seconds_is_of_the_end_of_its_second(told, known, before):
    assert (when_told(told, "UTC") < to_micros(known, "UTC")) is before
    assert as_told(when_told(told, "UTC")) == told.replace(tzinfo=UTC), "it is told on as it was told"


def test_an_event_told_in_whole_seconds_again_is_no_later_one():
    told = when_told(datetime(2026, 1, 5, 12, 0, 5), "UTC")
    assert not_after(told, micros(2026, 1, 5, 12, 0, 5, 300_000))
    assert not not_after(told, micros(2026, 1, 5, 12, 0, 4, 999_999))
    assert not not_after(micros(2026, 1, 5, 12, 0, 5, 400_000), micros(2026, 1, 5, 12, 0, 5, 300_000))
