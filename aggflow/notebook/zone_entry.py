"""The entry of a time zone: typed, with all zones to choose from."""

from __future__ import annotations

from typing import Final
from zoneinfo import available_timezones

from aggflow.notebook.entry import Entry, Option

_ZONES: Final = tuple(Option(zone) for zone in ("UTC", *sorted(available_timezones() - {"UTC"})))


def zone_entry(name: str = "time_zone", label: str = "Time zone", help: str = "") -> Entry:  # noqa: A002 - Entry calls it so
    """An entry of a zone, UTC to begin with.

    Parameters
    ----------
    name, label
        What the definition and people call it.
    help
        What follows the zone.
    """
    return Entry(name, label, "combo", "UTC", offer=lambda _: _ZONES, help=help)
