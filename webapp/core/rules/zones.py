"""Named time zones for people to choose from: the zones of the IANA database that are a place, and UTC."""

from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib import resources
from zoneinfo import ZoneInfo, available_timezones

from babel import Locale


@dataclass(frozen=True, slots=True)
class Zone:
    """A zone to choose. `name` is the IANA name, `city` its last part in words, `country` the English name of its country ("" for UTC)."""

    name: str
    city: str
    country: str

    @property
    def label(self) -> str:
        return f"{self.city}, {self.country}" if self.country else self.city


@cache
def zones() -> tuple[Zone, ...]:
    """Every zone that `zone.tab` of the IANA database lists, by city, and UTC first."""
    countries = Locale("en").territories
    known = available_timezones()
    found = []
    for line in resources.files("tzdata.zoneinfo").joinpath("zone.tab").read_text("utf-8").splitlines():
        if line.startswith("#"):
            continue
        country, _coordinates, name = line.split("\t")[:3]
        if name in known:
            found.append(Zone(name, city(name), countries.get(country, country)))
    return (Zone("UTC", "UTC", ""), *sorted(found, key=lambda zone: (zone.city, zone.country)))


@cache
def find(text: str) -> str | None:
    """The IANA name meant by what somebody typed: "Europe/Berlin", "europe/berlin", "Berlin" or "Berlin, Germany".

    None when nothing, or more than one thing, is meant.
    """
    wanted = " ".join(text.split()).casefold()
    if not wanted:
        return None
    for name in available_timezones():
        if (
            name.casefold() == wanted
            and not name.startswith(("posix/", "right/"))
            and name not in ("localtime", "Factory")
        ):
            return name
    matches = {zone.name for zone in zones() if wanted in (zone.city.casefold(), zone.label.casefold())}
    return matches.pop() if len(matches) == 1 else None


def city(name: str) -> str:
    """The place a zone is named after, in words: "Europe/Berlin" -> "Berlin", "America/New_York" -> "New York"."""
    return name.rsplit("/", 1)[-1].replace("_", " ")


def offset(instant: datetime, name: str) -> str:
    """How far the zone is from UTC at an instant: "UTC", "UTC+1", "UTC-3:30"."""
    delta = instant.astimezone(ZoneInfo(name)).utcoffset()
    assert delta is not None
    seconds = int(delta.total_seconds())
    hours, minutes = divmod(abs(seconds) // 60, 60)
    sign = "-" if seconds < 0 else "+"
    return "UTC" if seconds == 0 else f"UTC{sign}{hours}" + (f":{minutes:02d}" if minutes else "")
