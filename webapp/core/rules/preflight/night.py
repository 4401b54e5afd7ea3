"""What time it is where the recipients live, when a mass mail begins."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib import resources
from zoneinfo import ZoneInfo, available_timezones

from webapp.core.rules.preflight.findings import Family, Finding, Severity, listed

NIGHT_BEGINS, NIGHT_ENDS = 22, 6
"""Hours on the clock: from 22:00 to before 06:00 hardly anybody reads, and some phones ring."""

_CONTINENTS = {
    "America": "the Americas",
    "Atlantic": "the Atlantic",
    "Indian": "the Indian Ocean",
    "Pacific": "the Pacific",
    "Arctic": "the Arctic",
}


@dataclass(frozen=True, slots=True)
class Region:
    """Recipients of one part of the world for whom it is night; `earliest` and `latest` are what their clocks show."""

    name: str
    recipients: int
    earliest: datetime
    latest: datetime

    @property
    def words(self) -> str:
        first, last = f"{self.earliest:%H:%M}", f"{self.latest:%H:%M}"
        when = first if first == last else f"between {first} and {last}"
        return f"for {self.recipients:,} in {self.name} it is {when}"


@cache
def zones_of(country: str) -> tuple[str, ...]:
    """The time zones of a country (ISO 3166 alpha-2), as `zone.tab` of the IANA database lists them."""
    return _by_country().get(country.upper(), ())


@cache
def _by_country() -> dict[str, tuple[str, ...]]:
    known, found = available_timezones(), dict[str, tuple[str, ...]]()
    for line in resources.files("tzdata.zoneinfo").joinpath("zone.tab").read_text("utf-8").splitlines():
        country, *rest = line.split("\t")
        if rest and not country.startswith("#") and rest[1] in known:
            found[country] = (*found.get(country, ()), rest[1])
    return found


def is_night(at: datetime) -> bool:
    """Whether people sleep at this time on their clock."""
    return at.hour >= NIGHT_BEGINS or at.hour < NIGHT_ENDS


def regions(by_country: Mapping[str, int], start: datetime) -> list[Region]:
    """Where it is night for recipients at `start` (aware), the most first. `by_country` counts them by country. A country with several
    zones counts where it is night in all of them: in which of them somebody lives is not known."""
    found: dict[str, list[tuple[int, list[datetime]]]] = {}
    for country, number in by_country.items():
        clocks = [start.astimezone(ZoneInfo(name)) for name in zones_of(country)]
        if number and clocks and all(map(is_night, clocks)):
            continent = zones_of(country)[0].partition("/")[0]
            found.setdefault(_CONTINENTS.get(continent, continent), []).append((number, clocks))
    answer = [_region(name, rows) for name, rows in found.items()]
    return sorted(answer, key=lambda one: (-one.recipients, one.name))


def _region(name: str, rows: Iterable[tuple[int, list[datetime]]]) -> Region:
    rows = list(rows)
    clocks = sorted((clock for _, some in rows for clock in some), key=_into_the_night)
    return Region(name, sum(number for number, _ in rows), clocks[0], clocks[-1])


def _into_the_night(clock: datetime) -> int:
    return (clock.hour - NIGHT_BEGINS) % 24 * 60 + clock.minute


def of_start(by_country: Mapping[str, int], start: datetime, *, is_marketing: bool) -> list[Finding]:
    """That it is night for some of the recipients when it starts. Marketing that rings a phone at night is declined; what must be told may
    have to be told at once."""
    found = regions(by_country, start)
    if not found:
        return []
    words = listed([region.words for region in found[:3]])
    return [
        Finding(
            f"{words[0].upper()}{words[1:]} when it starts.",
            "schedule",
            "",
            "By the zones of their countries. A phone may ring, and in the morning it is under what came since.",
            Family.SENDING,
            Severity.WARNING if is_marketing else Severity.HINT,
            "night",
            tuple(region.name for region in found),
        )
    ]
