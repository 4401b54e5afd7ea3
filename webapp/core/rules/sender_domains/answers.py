"""What DNS says, as rules are given it."""

from collections.abc import Callable
from dataclasses import dataclass

import idna


@dataclass(frozen=True, slots=True)
class DnsAnswer:
    """The records of one name and kind as texts: a TXT record joined, an MX as "10 mail.example.com", names without the last dot. `away`
    says why nothing is known, as DNS itself did not answer; then there are no records, which does not mean that there are none.
    `is_no_name`: the name does not exist, with whatever kind. `alias`: the name that it stands for (CNAME), where it stands for another."""

    records: tuple[str, ...] = ()
    away: str = ""
    is_no_name: bool = False
    alias: str = ""


Lookup = Callable[[str, str], DnsAnswer]
"""Asks DNS for a name (in ASCII) and a kind of record (A, AAAA, MX, PTR, TXT). Never raises."""


class DnsAway(Exception):
    """DNS did not answer what must be known; the text says what it said."""


def sure(answer: DnsAnswer) -> DnsAnswer:
    """The answer itself. Raises DnsAway where there is none."""
    if answer.away:
        raise DnsAway(answer.away)
    return answer


def in_ascii(domain: str) -> str:
    """A domain as DNS knows it: lower case, A-labels (RFC 5890). What cannot be one is given back as it is.

    >>> in_ascii("Straße.example.")
    'xn--strae-oqa.example'
    """
    domain = domain.strip().rstrip(".").lower()
    try:
        return domain if domain.isascii() else idna.encode(domain, uts46=True).decode()
    except idna.IDNAError:
        return domain


def readable(domain: str) -> str:
    """A domain as people read it.

    >>> readable("xn--strae-oqa.example")
    'straße.example'
    """
    try:
        return idna.decode(domain)
    except (idna.IDNAError, UnicodeError):
        return domain


def tags_of(record: str) -> dict[str, str]:
    """The tags of a record such as "v=DMARC1; p=none" (RFC 6376 section 3.2), names in lower case; the first of two alike counts."""
    found: dict[str, str] = {}
    for part in record.split(";"):
        name, equals, value = part.partition("=")
        if equals:
            found.setdefault(name.strip().lower(), value.strip())
    return found
