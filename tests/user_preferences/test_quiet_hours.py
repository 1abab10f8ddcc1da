"""Quiet hours in wall time, on ordinary days and in the nights when clocks change."""

from datetime import UTC, datetime, timedelta

import pytest

from user_preferences.quiet_hours import DAYS, QuietHours, from_json, minutes, quiet_until

NIGHT = [["22:00", "07:00"]]
WARSAW, NEW_YORK = "Europe/Warsaw", "America/New_York"


def hours(spans=None, *, days=DAYS, zone=WARSAW, **more) -> QuietHours:
    return kept({"enabled": True, "timezone": zone, "days": dict.fromkeys(days, spans or NIGHT)} | more)


def kept(stored) -> QuietHours:
    found = from_json(stored)
    assert found
    return found


def utc(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("now", "until"),
    [
        ("2026-01-14T20:59:59", None),
        ("2026-01-14T21:00:00", "2026-01-15T06:00:00"),  # the first minute is quiet
        ("2026-01-15T02:00:00", "2026-01-15T06:00:00"),  # it began the day before
        ("2026-01-15T05:59:59", "2026-01-15T06:00:00"),
        ("2026-01-15T06:00:00", None),  # the last is not
        ("2026-07-14T20:30:00", "2026-07-15T05:00:00"),  # summer time
    ],
)
def test_night_is_quiet_from_its_first_minute_to_before_its_last(now, until):
    assert quiet_until(hours(), utc(now), zone="") == (until and utc(until))


@pytest.mark.parametrize(
    ("zone", "spans", "now", "until"),
    [
        # The clock goes from 02:00 to 03:00: the night is an hour shorter.
        (WARSAW, NIGHT, "2026-03-28T23:00:00", "2026-03-29T05:00:00"),
        (NEW_YORK, NIGHT, "2026-03-08T05:00:00", "2026-03-08T11:00:00"),
        # It ends at a time that does not exist: as much later as was left out.
        (WARSAW, [["00:00", "02:30"]], "2026-03-29T00:00:00", "2026-03-29T01:30:00"),
        (NEW_YORK, [["00:00", "02:30"]], "2026-03-08T06:00:00", "2026-03-08T07:30:00"),
        # It begins at one.
        (WARSAW, [["02:30", "05:00"]], "2026-03-29T01:29:59", None),
        (WARSAW, [["02:30", "05:00"]], "2026-03-29T01:30:00", "2026-03-29T03:00:00"),
        # The clock goes back: the night is an hour longer.
        (WARSAW, NIGHT, "2026-10-24T21:00:00", "2026-10-25T06:00:00"),
        (NEW_YORK, NIGHT, "2026-11-01T03:00:00", "2026-11-01T12:00:00"),
        # It ends at a time that comes twice: the first one.
        (WARSAW, [["00:00", "02:30"]], "2026-10-25T00:29:59", "2026-10-25T00:30:00"),
        (WARSAW, [["00:00", "02:30"]], "2026-10-25T00:30:00", None),
        (WARSAW, [["00:00", "02:30"]], "2026-10-25T01:15:00", None),
        (NEW_YORK, [["00:00", "01:30"]], "2026-11-01T05:29:00", "2026-11-01T05:30:00"),
        (NEW_YORK, [["00:00", "01:30"]], "2026-11-01T06:15:00", None),
    ],
)
def test_nights_when_clocks_change(zone, spans, now, until):
    assert quiet_until(hours(spans, zone=zone), utc(now), zone="") == (until and utc(until))


def test_neighbouring_hours_are_one():
    weekend = {"fri": [["18:00", "24:00"]], "sat": [["00:00", "24:00"]], "sun": [["00:00", "24:00"]]}

    assert quiet_until(kept({"days": weekend}), utc("2026-11-20T19:00:00"), zone="") == utc("2026-11-23T00:00:00")


def test_other_days_are_loud():
    assert quiet_until(hours(days=["mon"], zone="UTC"), utc("2026-11-17T23:00:00"), zone="") is None
    assert quiet_until(hours(days=["mon"], zone="UTC"), utc("2026-11-17T03:00:00"), zone="")  # Monday's night


def test_week_without_an_opening_holds_nothing():
    assert quiet_until(hours([["00:00", "24:00"]]), utc("2026-11-17T23:00:00"), zone="") is None


def test_zone_of_the_hours_comes_before_that_of_the_customer():
    now = utc("2026-01-14T21:30:00")

    assert quiet_until(hours(zone=WARSAW), now, zone=NEW_YORK)
    assert quiet_until(hours(zone=""), now, zone=NEW_YORK) is None
    assert quiet_until(hours(zone=""), now, zone=WARSAW)
    assert quiet_until(hours(zone=""), utc("2026-01-14T22:30:00"), zone="") == utc("2026-01-15T07:00:00")


@pytest.mark.parametrize(
    ("channels", "channel", "is_covered"),
    [([], "email", True), (["email"], "email", True), (["slack"], "email", False), ([], "in_app", False)],
)
def test_channels_that_fall_silent(channels, channel, is_covered):
    assert hours(channels=channels).covers(channel) is is_covered


@pytest.mark.parametrize("stored", [None, {}, {"enabled": False, "days": {"mon": NIGHT}}, {"days": {}}])
def test_nothing_to_keep(stored):
    assert from_json(stored) is None


def test_whatever_is_quiet_ends_when_it_is_loud():
    mine = hours([["22:00", "07:00"], ["12:30", "13:00"]])
    for step in range(0, 14 * 24 * 60, 17):
        now = utc("2026-03-22T00:00:00") + timedelta(minutes=step)
        if until := quiet_until(mine, now, zone=""):
            assert until > now
            assert quiet_until(mine, until, zone="") is None


@pytest.mark.parametrize("wall", ["24:01", "7:00", "07:60", "0700", "", "07:0x", "٠٧:٠٠", "-1:00"])
def test_wall_time_that_is_none(wall):
    with pytest.raises(ValueError, match=r"is not HH:MM|after the end"):
        minutes(wall)


def test_hours_are_plain():
    assert QuietHours().covers("email")
