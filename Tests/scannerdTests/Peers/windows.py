"""Prints the windows of up/down series over some minutes, by the system's time-zone database.

    windows.py 2026-03-08T05:00:00 1440 btc-up-or-down-5m bitcoin-up-or-down-hourly ...

One line for each: series, slug, start and end in seconds since 1970. It begins with windows that run at the time that is
given in UTC, and ends with one that begins after the last minute.
"""

import sys
from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

NEW_YORK = ZoneInfo("America/New_York")
LONG_NAMES = {"btc": "bitcoin", "eth": "ethereum", "sol": "solana"}


def four_hours(begin, end):
    """Starts at 0, 4, 8, 12, 16 and 20 o'clock of New York's walls."""
    day = begin.astimezone(NEW_YORK).date() - timedelta(days=1)
    starts = []
    while True:
        for hour in range(0, 24, 4):
            start = datetime(day.year, day.month, day.day, hour, tzinfo=NEW_YORK)
            starts.append(int(start.timestamp()))
            if start > end + timedelta(hours=8):
                return starts
        day += timedelta(days=1)


def regular(begin, end, seconds):
    first = int(begin.timestamp()) // seconds * seconds
    return list(range(first, int(end.timestamp()) + 4 * seconds, seconds))


def hour_name(asset, start):
    local = datetime.fromtimestamp(start, NEW_YORK)
    clock = local.strftime("%I%p").lstrip("0").lower()
    second = "-2" if local.fold else ""
    month = local.strftime("%B").lower()
    return f"{LONG_NAMES.get(asset, asset)}-up-or-down-{month}-{local.day}-{local.year}-{clock}{second}-et"


def main():
    begin = datetime.fromisoformat(sys.argv[1]).replace(tzinfo=timezone.utc)
    end = begin + timedelta(minutes=int(sys.argv[2]))
    for series in sys.argv[3:]:
        asset, length = series.split("-up-or-down-")
        if length == "4h":
            starts = four_hours(begin, end)
        else:
            starts = regular(begin, end, {"5m": 300, "15m": 900, "hourly": 3600}[length])
        for start, stop in zip(starts, starts[1:]):
            if stop <= begin.timestamp():
                continue
            slug = hour_name(asset, start) if length == "hourly" else f"{asset}-updown-{length}-{start}"
            print(series, slug, start, stop)


main()
