"""Opens and clicks: which were probably not the reader's own doing, and what may be said of their numbers."""

from collections.abc import Callable
from datetime import timedelta

from webapp.core.rules.relay_event import RAW_KEPT

OPENED, ANY_LINK = 0, -1
"""Numbers that stand for no single link of a mail."""

COUNTED_FOR = RAW_KEPT
"""A mail's uses are counted for so long from its Date on, and kept singly for as long."""

BURST = timedelta(seconds=5)
MANY = 4
"""So many links of one mail, or all that it has, within `BURST`: a program that looks whether they are safe, and no person."""

_PROXIES = ("GoogleImageProxy", "YahooMailProxy")
_APPLES = "Mozilla/5.0"
"""All that Apple's proxies (Mail Privacy Protection) say of themselves; browsers say more."""

NOT_TRUSTED = (
    "Take opens for a rough hint. Many mail programs fetch no pictures until they are told to, so an opened mail is not counted; "
    "others, Apple Mail and Gmail among them, fetch them through their own servers, some before anybody has opened the mail."
)
MACHINES = (
    "Filters of companies and providers follow links to see whether they are safe. Clicks on all links of a mail within seconds are "
    "probably theirs, and are shown apart."
)


def is_burst(clicked: int, links: int) -> bool:
    """Whether so many links clicked within `BURST`, of so many that the mail has, are probably a machine's doing.

    >>> [is_burst(*one) for one in ((1, 1), (2, 2), (2, 3), (4, 9))]
    [False, True, False, True]
    """
    return clicked >= MANY or 1 < clicked == links


def is_by_mail_program(user_agent: str) -> bool:
    """Whether a picture was fetched by the servers of a mail program, which may be before anybody saw the mail."""
    return user_agent.strip() == _APPLES or any(name in user_agent for name in _PROXIES)


def is_ahead(header: Callable[[str], str | None]) -> bool:
    """Whether a browser asks for what somebody might want to see next. `header` gives a field of its request (Fetch standard,
    `Sec-Purpose`; the others are older names of it)."""
    said = (header(name) or "" for name in ("Sec-Purpose", "Purpose", "X-Purpose", "X-Moz"))
    return any(word in value.lower() for value in said for word in ("prefetch", "prerender", "preview"))
