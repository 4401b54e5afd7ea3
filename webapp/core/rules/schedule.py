"""When a broadcast starts, and how fast it goes: wall time and zone to instant, and both in plain words.

A wall time is what stands on a clock somewhere. When clocks are put forward some wall times do not exist, and when they are put
back some come twice; `look_up` answers with no, one or two instants, and `start` decides what that means for a broadcast.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from webapp.core.rules import zones

FORMAT = "%Y-%m-%dT%H:%M"
"""How a wall time is written, in forms and in the database: ISO 8601 to the minute, without a zone."""


@dataclass(frozen=True, slots=True)
class Start:
    """The judgement over a chosen start. Either `instant` is set, or `problem` says in a whole sentence why there is none and
    `field` which input it belongs to. `choices` are the two instants of a wall time that comes twice, else empty; `note` says
    which of them was taken.
    """

    instant: datetime | None
    problem: str | None = None
    field: str | None = None
    choices: tuple[datetime, ...] = ()
    note: str | None = None


def parse(wall: str) -> datetime | None:
    """A naive datetime from `2026-03-29T14:30` (seconds, if a browser sends them, are dropped); None when it is not one."""
    try:
        return datetime.strptime(wall.strip()[:16], FORMAT)
    except ValueError:
        return None


def look_up(wall: datetime, zone: str) -> tuple[datetime, ...]:
    """The instants (aware, UTC, in order) at which clocks in `zone` show the naive time `wall`: none, one or two."""
    tz = ZoneInfo(zone)
    found = set()
    for fold in (0, 1):
        instant = wall.replace(tzinfo=tz, fold=fold).astimezone(UTC)
        if instant.astimezone(tz).replace(tzinfo=None, fold=0) == wall:
            found.add(instant)
    return tuple(sorted(found))


def after_gap(wall: datetime, zone: str) -> datetime:
    """The first naive time that does exist after a `wall` that clocks in `zone` skip."""
    tz = ZoneInfo(zone)
    before = wall.replace(tzinfo=tz, fold=0).utcoffset()
    after = wall.replace(tzinfo=tz, fold=1).utcoffset()
    assert before is not None and after is not None
    # PEP 495: in a gap, fold=0 carries the offset before the change and fold=1 the one after it, so the change itself lies
    # between the two readings; walking minute by minute from the earlier one finds it in any zone, also with odd offsets.
    moment = (wall - after).replace(tzinfo=UTC) - timedelta(minutes=1)
    for _minute in range(48 * 60):
        moment += timedelta(minutes=1)
        local = moment.astimezone(tz).replace(tzinfo=None, fold=0)
        if local > wall:
            return local
    raise AssertionError(f"no time after {wall} in {zone}")


def start(wall: str | None, zone: str, now: datetime, *, second: bool = False) -> Start:
    """Judge a chosen start. `wall` None or "" means now; `second` chooses the later of two equal wall times.

    The present minute still counts as now: a form shows no seconds, so "14:02" chosen at 14:02:30 is not too late.
    """
    if not wall:
        return Start(now)
    if not (name := zones.find(zone)):
        return Start(
            None, f"There is no time zone called “{zone}”. Choose one from the list, like Europe/Berlin.", "time_zone"
        )
    if (local := parse(wall)) is None:
        return Start(None, "This is not a date and time. Write it like 2026-03-29 14:30.", "start_wall")
    place = zones.city(name)
    instants = look_up(local, name)
    if not instants:
        return Start(
            None,
            f"{local:%H:%M} does not exist on {day(local)} in {place}: clocks are put forward to {after_gap(local, name):%H:%M}.",
            "start_wall",
        )
    chosen = instants[-1] if second else instants[0]
    if chosen + timedelta(minutes=1) <= now:
        return Start(None, f"{local:%H:%M} on {day(local)} in {place} has passed.", "start_wall", _both(instants))
    if len(instants) == 1:
        return Start(chosen)
    which = "second" if second else "first"
    return Start(
        chosen,
        choices=instants,
        note=f"{local:%H:%M} comes twice on {day(local)} in {place}, because clocks are put back. "
        f"The {which} one is taken, {zones.offset(chosen, name)}.",
    )


def zone_info(*texts: str | None) -> ZoneInfo:
    """The first of some typed zones that exists; UTC when none does."""
    return ZoneInfo(next((name for text in texts if (name := zones.find(text or ""))), "UTC"))


def is_second(wall: str | None, zone: str, instant: datetime | None) -> bool:
    """Whether `instant` is the later one of a wall time that comes twice."""
    local = parse(wall) if wall else None
    if local is None or not (name := zones.find(zone)):
        return False
    instants = look_up(local, name)
    return len(instants) == 2 and instant == instants[1]


def _both(instants: tuple[datetime, ...]) -> tuple[datetime, ...]:
    return instants if len(instants) > 1 else ()


def day(moment: date) -> str:
    """A date in words: "29 March 2026"."""
    return f"{moment.day} {moment:%B %Y}"


def moment_in_words(instant: datetime, zone: str, now: datetime) -> str:
    """An instant as people in `zone` say it at `now`: "today 14:00", "tomorrow 09:00", "Fri 27 Nov, 09:00", "27 Nov 2027, 09:00"."""
    tz = ZoneInfo(zone)
    local, here = instant.astimezone(tz), now.astimezone(tz)
    days = (local.date() - here.date()).days
    if days == 0:
        return f"today {local:%H:%M}"
    if days == 1:
        return f"tomorrow {local:%H:%M}"
    if local.year == here.year or 0 < days < 180:
        return f"{local:%a} {local.day} {local:%b}, {local:%H:%M}"
    return f"{local.day} {local:%b %Y}, {local:%H:%M}"


def start_in_words(wall: str | None, zone: str, *, second: bool = False) -> str:
    """The chosen start: "as soon as you confirm", "Friday 27 November 2026, 09:00 in Berlin (UTC+1)"."""
    local = parse(wall) if wall else None
    if local is None:
        return "as soon as you confirm"
    name = zones.find(zone)
    if name is None:
        return f"{local:%A} {day(local)}, {local:%H:%M}"
    instants = look_up(local, name)
    offset = f" ({zones.offset(instants[-1 if second else 0], name)})" if instants else ""
    return f"{local:%A} {day(local)}, {local:%H:%M} in {zones.city(name)}{offset}"


def missed_in_words(meant: datetime, zone: str, now: datetime) -> str:
    """What is asked where a start was missed: when it was to be, that nobody was there, and what can be done."""
    local, here = (moment.astimezone(ZoneInfo(zone)) for moment in (meant, now))
    at = f"at {local:%H:%M}" if local.date() == here.date() else f"on {local:%A} {day(local)}, {local:%H:%M}"
    return f"It was to start {at} {zone}; nobody was there to send it. Start it now, choose another time, or cancel."


def pace_in_words(batch_size: int, interval_s: int) -> str:
    """The pace as it was set: "25 every 30 s", "as fast as the relay takes them"."""
    if batch_size == 0 or interval_s == 0:
        return "as fast as the relay takes them"
    return f"{batch_size:,} every {duration(interval_s)}"


def rate_in_words(batch_size: int, interval_s: int) -> str:
    """What a pace comes to: "about 50 a minute, 3,000 an hour", "about 4 an hour, 96 a day"; "" for an unlimited pace."""
    if batch_size == 0 or interval_s == 0:
        return ""
    minute, hour, a_day = (batch_size * seconds / interval_s for seconds in (60, 3600, 86400))
    if minute >= 1:
        pair = ((minute, "a minute"), (hour, "an hour"))
    elif hour >= 1:
        pair = ((hour, "an hour"), (a_day, "a day"))
    else:
        pair = ((a_day, "a day"), (a_day * 7, "a week"))
    return "about " + ", ".join(f"{_short(number)} {unit}" for number, unit in pair)


def duration(seconds: int) -> str:
    """A span in its largest whole units: "30 s", "5 min", "1 h", "1 h 30 min", "2 days"."""
    if seconds < 60:
        return f"{seconds} s"
    if seconds < 3600:
        minutes, rest = divmod(seconds, 60)
        return f"{minutes} min" + (f" {rest} s" if rest else "")
    if seconds < 48 * 3600:
        hours, rest = divmod(seconds // 60, 60)
        return f"{hours} h" + (f" {rest} min" if rest else "")
    return f"{round(seconds / 86400)} days"


def _short(number: float) -> str:
    return f"{number:,.0f}" if number >= 10 or number == int(number) else f"{number:.1f}"
