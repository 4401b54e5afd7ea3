"""Limits by the recipient's domain: how many mails a receiver is given in a second or a minute, and over how many connections at a time.

A receiver is whoever stands behind a domain, or behind a group of them: mails to gmail.com and googlemail.com meet the same servers, so
they share one limit. The rule of the pace (`pacing.py`) holds for each receiver by itself, over all broadcasts and senders together.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import idna

from webapp.core.errors import Invalid

SECOND_S, MINUTE_S = 1, 60
MOST_RULES, MOST_DOMAINS = 50, 50
MOST_MAILS, MOST_CONNECTIONS = 1_000_000, 10_000
LONGEST_DOMAIN = 253

_DOMAIN = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)(\.(?!-)[a-z0-9-]{1,63}(?<!-))+")


@dataclass(frozen=True, slots=True)
class ReceiverLimit:
    """At most `mails` in any `interval_s` seconds go to the `domains` together, and at most `connections` carry such mails at a time. 0: no
    limit of that kind. `id` is 0 for one that is not kept yet."""

    domains: tuple[str, ...]
    mails: int = 0
    interval_s: int = SECOND_S
    connections: int = 0
    id: int = 0

    @property
    def name(self) -> str:
        """What people call it: its first domain."""
        return self.domains[0]

    def takes_s(self, count: int) -> float:
        """Seconds from the first of so many mails to the last, if they leave as fast as the limit lets them."""
        return (-(-max(count, 1) // self.mails) - 1) * self.interval_s if self.mails else 0.0


class Suggestion(NamedTuple):
    """Values to begin with. Receivers publish none: these are what careful senders stay under."""

    name: str
    limit: ReceiverLimit


SUGGESTIONS = (
    Suggestion("Google", ReceiverLimit(("gmail.com", "googlemail.com"), 20, SECOND_S, 5)),
    Suggestion("Microsoft", ReceiverLimit(("outlook.com", "hotmail.com", "live.com", "msn.com"), 10, SECOND_S, 5)),
    Suggestion("Yahoo and AOL", ReceiverLimit(("yahoo.com", "ymail.com", "rocketmail.com", "aol.com"), 5, SECOND_S, 3)),
)


class Bottleneck(NamedTuple):
    """The receiver whose limit holds a broadcast back most: `mails` go to it, the last `takes_s` seconds after the first."""

    limit: ReceiverLimit
    mails: int
    takes_s: float


def parse_domains(typed: str) -> tuple[str, ...]:
    """Domains as somebody types them, with commas, blanks or lines between them, as addresses have them: lower case, A-labels (RFC 5890).
    Raises Invalid that names the first that cannot be one.

    >>> parse_domains("Gmail.com, @googlemail.com")
    ('gmail.com', 'googlemail.com')
    """
    found: dict[str, None] = {}
    for word in re.split(r"[\s,;]+", typed.strip()):
        if not word:
            continue
        domain = _in_ascii(word.rpartition("@")[2].rstrip(".").lower())
        if domain is None:
            raise Invalid(
                f"“{word[:60]}” is not a domain: write it as it stands after the @, as in gmail.com.", "domains"
            )
        found[domain] = None
    if not found:
        raise Invalid("Enter a domain, as in gmail.com.", "domains")
    if len(found) > MOST_DOMAINS:
        raise Invalid(f"At most {MOST_DOMAINS} domains stand together.", "domains")
    return tuple(found)


def _in_ascii(domain: str) -> str | None:
    try:
        plain = domain if domain.isascii() else idna.encode(domain, uts46=True).decode()
    except idna.IDNAError:
        return None
    return plain if len(plain) <= LONGEST_DOMAIN and _DOMAIN.fullmatch(plain) else None


def check(limit: ReceiverLimit, others: Iterable[ReceiverLimit]) -> None:
    """Raises Invalid, with the name of the field, where a limit makes no sense beside the `others`."""
    if not 0 <= limit.mails <= MOST_MAILS:
        raise Invalid(f"Use 0 for no limit, or a number up to {MOST_MAILS:,}.", "mails")
    if not 0 <= limit.connections <= MOST_CONNECTIONS:
        raise Invalid(f"Use 0 for no limit, or a number up to {MOST_CONNECTIONS:,}.", "connections")
    if not limit.mails and not limit.connections:
        raise Invalid("Set at least one of mails and connections.", "mails")
    if limit.interval_s not in (SECOND_S, MINUTE_S):
        raise Invalid("Choose a second or a minute.", "interval_s")
    known = list(others)
    taken = {domain: one for one in known for domain in one.domains}
    for domain in limit.domains:
        if domain in taken:
            of_whom = "" if taken[domain].name == domain else f", with {taken[domain].name}"
            raise Invalid(f"{domain} has a limit already{of_whom}.", "domains")
    if len(known) >= MOST_RULES:
        raise Invalid(f"At most {MOST_RULES} receivers can have limits.", "domains")


@lru_cache(maxsize=8)
def by_domain(limits: tuple[ReceiverLimit, ...]) -> Mapping[str, ReceiverLimit]:
    """The limit of each domain that has one."""
    return {domain: limit for limit in limits for domain in limit.domains}


def bottleneck(limits: Iterable[ReceiverLimit], counts: Mapping[int, int]) -> Bottleneck | None:
    """Of so many mails by the id of the limit, those that take longest, if they leave as fast as their limit lets them; None where all of
    them may leave at once."""
    found = [
        Bottleneck(limit, counts[limit.id], limit.takes_s(counts[limit.id])) for limit in limits if limit.id in counts
    ]
    slowest = max(found, key=lambda one: one.takes_s, default=None)
    return slowest if slowest and slowest.takes_s > 0 else None
