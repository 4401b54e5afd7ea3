"""What stands above all broadcasts: ceilings for the site, connections to the relay, and how long a mail is tried again."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import MappingProxyType

from webapp.core.errors import Invalid
from webapp.core.rules import pacing
from webapp.core.rules.pacing import Retries
from webapp.core.rules.receivers import Bottleneck, ReceiverLimit, bottleneck

LARGEST = 1_000_000_000
MOST_CONNECTIONS = 10_000
MOST_RETRIES, LONGEST_RETRY_MINUTES = 20, 7 * 24 * 60
LONGEST_HOURS = 30 * 24
SECOND_S, DAY_S = 1, 86_400
NOBODY: Mapping[int, int] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Limits:
    """`per_second` and `per_day`: in any second, any 24 hours, at most so many mails leave, of all broadcasts together. `connections`: all
    sending processes together hold at most so many to the relay. 0: no limit. A relay that cannot be used is waited for as long as
    `waits_for`; then a person has to look. `receivers` are limits by the recipient's domain."""

    per_second: int = 0
    per_day: int = 0
    connections: int = 0
    retries: Retries = field(default_factory=Retries)
    waits_for: timedelta = timedelta(hours=12)
    receivers: tuple[ReceiverLimit, ...] = ()

    @property
    def has_ceiling(self) -> bool:
        return bool(self.per_second or self.per_day)

    @property
    def is_shared(self) -> bool:
        """Whether broadcasts take from something that they share, so that only one may claim at a time."""
        return self.has_ceiling or any(one.mails for one in self.receivers)

    def forecast(
        self, count: int, batch_size: int, interval_s: int, start: datetime, to: Mapping[int, int] = NOBODY
    ) -> datetime | None:
        """When the last of `count` mails of a broadcast leaves, if the first leave at `start`, the relay is no hindrance and no other
        broadcast takes from the limits; None where nothing limits. `to` says how many go to each receiver, by the id of its limit."""
        size, seconds = self.slowest(count, batch_size, interval_s)
        ends = pacing.forecast(count, size, seconds, start)
        held = self.held_up_by(count, batch_size, interval_s, to)
        return start + timedelta(seconds=held.takes_s) if held else ends

    def held_up_by(self, count: int, batch_size: int, interval_s: int, to: Mapping[int, int]) -> Bottleneck | None:
        """The receiver whose limit holds so many mails back more than pace and ceilings; None where none does."""
        slowest = bottleneck(self.receivers, to)
        size, seconds = self.slowest(count, batch_size, interval_s)
        takes_s = (max(-(-count // size), 1) - 1) * seconds if size else 0
        return slowest if slowest and slowest.takes_s > takes_s else None

    def slowest(self, count: int, batch_size: int, interval_s: int) -> tuple[int, int]:
        """Of a broadcast's pace and the ceilings, the one under which so many mails take longest, as batch size and interval; (0, 0) where
        nothing limits."""
        paces = [(batch_size, interval_s), (self.per_second, SECOND_S), (self.per_day, DAY_S)]
        limited = [pace for pace in paces if pacing.is_limited(*pace)]
        return max(limited, key=lambda pace: (-(-count // pace[0]) - 1) * pace[1], default=(0, 0))

    def ceiling(self, count: int, batch_size: int, interval_s: int) -> tuple[int, int] | None:
        """The ceiling that holds so many mails back more than the broadcast's own pace, as how many in how many seconds; None where none
        does."""
        slowest = self.slowest(count, batch_size, interval_s)
        is_own = not count or slowest == (batch_size, interval_s) or not pacing.is_limited(*slowest)
        return None if is_own else slowest


NO_LIMITS = Limits()


def check(limits: Limits) -> Limits:
    """The limits. Raises Invalid, with the name of the field, where one makes no sense."""
    for name, largest in (("per_second", LARGEST), ("per_day", LARGEST), ("connections", MOST_CONNECTIONS)):
        if not 0 <= getattr(limits, name) <= largest:
            raise Invalid(f"Use 0 for no limit, or a number up to {largest:,}.", name)
    retries = limits.retries
    if not 1 <= len(retries.minutes) <= MOST_RETRIES:
        raise Invalid(f"Give 1 to {MOST_RETRIES} pauses.", "retry_minutes")
    if not all(0 < minutes <= LONGEST_RETRY_MINUTES for minutes in retries.minutes):
        raise Invalid(f"A pause lasts more than 0 and at most {LONGEST_RETRY_MINUTES:,} minutes.", "retry_minutes")
    if not 0 <= retries.spread <= 0.5:
        raise Invalid("Use 0 to 50 percent.", "retry_spread")
    if not 1 <= retries.give_up_after.total_seconds() / 3600 <= LONGEST_HOURS:
        raise Invalid(f"Use 1 to {LONGEST_HOURS} hours.", "give_up_hours")
    if not timedelta(minutes=1) <= limits.waits_for <= timedelta(hours=LONGEST_HOURS):
        raise Invalid(f"Use 1 minute to {LONGEST_HOURS} hours.", "wait_hours")
    return limits


def connections_for(limit: int, wanted: int, senders: int, of_others: int) -> int:
    """How many connections one of so many sending processes may hold: what it wants, but not more than its share of the `limit` (0: none),
    nor than the others have let go."""
    if not limit:
        return wanted
    return max(min(wanted, max(limit // max(senders, 1), 1), limit - of_others), 0)
