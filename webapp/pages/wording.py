"""Numbers and times as people read them."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from webapp.core.rules import schedule, zones
from webapp.core.rules.limits import DAY_S
from webapp.core.rules.receivers import MINUTE_S, Bottleneck, ReceiverLimit

FILTERS = ("number", "duration", "plural", "receiver")


def number(value: int | float | None) -> str:
    """1234567 -> 1,234,567."""
    return "" if value is None else f"{value:,}"


def plural(count: int, one: str, many: str | None = None) -> str:
    """(1, "mail") -> "1 mail"; (1200, "mail") -> "1,200 mails"."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def ceiling(found: tuple[int, int] | None) -> str:
    """What holds all mass mails back together: (1000, 86400) -> "1,000 mails a day"; "" for nothing."""
    return f"{plural(found[0], 'mail')} a {'day' if found[1] == DAY_S else 'second'}" if found else ""


def rate(limit: ReceiverLimit) -> str:
    """How many mails a receiver is given: "20 a second", "600 a minute"; "" where that is not limited."""
    return f"{limit.mails:,} a {'minute' if limit.interval_s == MINUTE_S else 'second'}" if limit.mails else ""


def receiver(limit: ReceiverLimit) -> str:
    """A limit by the recipient's domain in words: "20 a second over 5 connections"."""
    connections = f"{plural(limit.connections, 'connection')}" if limit.connections else ""
    return " over ".join(part for part in (rate(limit), connections) if part)


def bottleneck(found: Bottleneck | None) -> str:
    """Which receiver holds a mass mail up: "gmail.com: 2,410 at 20 a second, about 2 min"; "" for none."""
    if found is None:
        return ""
    return f"{found.limit.name}: {found.mails:,} at {rate(found.limit)}, about {duration(found.takes_s)}"


def duration(seconds: float | timedelta) -> str:
    """Seconds in the two largest units that matter: 42 s, 3 min, 2 h 5 min, 3 d 4 h."""
    total = round(seconds.total_seconds() if isinstance(seconds, timedelta) else seconds)
    if total < 60:
        return f"{total} s"
    minutes, hours, days = total // 60, total // 3600, total // 86400
    if minutes < 60:
        return f"{minutes} min"
    if hours < 24:
        return f"{hours} h {minutes % 60} min" if minutes % 60 else f"{hours} h"
    return f"{days} d {hours % 24} h" if hours % 24 else f"{days} d"


def ago(at: datetime, now: datetime) -> str:
    """How long ago an instant was, both arguments in the viewer's zone; in words for the last minute, as a date after a week."""
    # Two times of one zone are subtracted by its clocks, which skip and repeat an hour.
    past = now.timestamp() - at.timestamp()
    if past < -60:
        return f"in {duration(-past)}"
    if past < 60:
        return "just now"
    if past < 7 * 86400:
        seconds = past if past < 86400 else past - past % 86400
        return f"{duration(seconds if past < 3600 else seconds - seconds % 3600)} ago"
    return f"{at:%-d %b}" if at.year == now.year else f"{at:%-d %b %Y}"


def elsewhere(at: datetime, zone: str, here: str, now: datetime) -> str:
    """An instant that is said on the clocks of `zone`, on those of `here`: "Fri 27 Nov, 08:00 in London"; "" where they show the same."""
    if at.astimezone(ZoneInfo(zone)).utcoffset() == at.astimezone(ZoneInfo(here)).utcoffset():
        return ""
    return in_zone(at, here, now)


def in_zone(at: datetime, zone: str, now: datetime) -> str:
    """An instant on the clocks of a zone, which is named: "today 14:00 in Berlin"."""
    return f"{schedule.moment_in_words(at, zone, now)} in {zones.city(zone)}"


def moment(at: datetime, now: datetime, style: str = "auto") -> str:
    """An instant, both arguments in the viewer's zone: today the time, this year day and time, else with the year."""
    if style == "time":
        return f"{at:%H:%M:%S}"
    if style == "day":
        return f"{at:%-d %b %Y}"
    if style == "full":
        return f"{at:%a %-d %b %Y, %H:%M %Z}"
    if at.date() == now.date():
        return f"{at:%H:%M}"
    return f"{at:%a %-d %b, %H:%M}" if at.year == now.year else f"{at:%-d %b %Y, %H:%M}"
