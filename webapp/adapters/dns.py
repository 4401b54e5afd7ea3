"""DNS by dnspython: short time-outs, a bound on how much is asked, and the same answer for the same question."""

import time
from collections.abc import Callable, Sequence

import dns.exception
import dns.name
import dns.nameserver
import dns.rdatatype
import dns.resolver
from dns.rdtypes.ANY.MX import MX
from dns.rdtypes.ANY.PTR import PTR
from dns.rdtypes.ANY.TXT import TXT

from webapp.core.ports import Resolver
from webapp.core.rules.sender_domains.answers import DnsAnswer

QUESTION_S = 2.0
"""A question waits this long for its answer."""

ALL_S = 12.0
"""All questions of one look together wait this long; what is asked after that is not known."""

MOST_QUESTIONS = 150
"""A record may have others looked at, and these others again."""

MOST_TIMEOUTS = 3
"""After so many questions in a row without an answer DNS counts as away."""

MOST_RECORDS, LONGEST = 50, 4096
"""So many records of an answer are read, and so many characters of each."""


class NoDns:
    """`ports.Resolver` where DNS is not to be asked."""

    def look_up(self, name: str, kind: str) -> DnsAnswer:
        return DnsAnswer(away="DNS is not asked on this server (MASSMAIL_DNS)")


class Dns:
    """`ports.Resolver` for one look at a domain. `servers`: the addresses to ask, each with its port; none: those of the system."""

    def __init__(
        self,
        servers: Sequence[tuple[str, int]] = (),
        *,
        question_s: float = QUESTION_S,
        ticks: Callable[[], float] = time.monotonic,
    ) -> None:
        self._servers, self._question_s, self._ticks = servers, question_s, ticks
        self._known: dict[tuple[str, str], DnsAnswer] = {}
        self._ends_at = ticks() + ALL_S
        self._timeouts = 0
        self._resolver: dns.resolver.Resolver | None = None

    def look_up(self, name: str, kind: str) -> DnsAnswer:
        key = (name.rstrip(".").lower(), kind)
        if key not in self._known:
            self._known[key] = self._asked(*key)
        return self._known[key]

    def _asked(self, name: str, kind: str) -> DnsAnswer:
        if self._timeouts >= MOST_TIMEOUTS:
            return DnsAnswer(away="DNS does not answer")
        if self._ticks() > self._ends_at or len(self._known) >= MOST_QUESTIONS:
            return DnsAnswer(away="it would take too many questions to DNS")
        try:
            absolute = dns.name.from_text(name + ".")
        except (dns.exception.DNSException, ValueError):
            return DnsAnswer(is_no_name=True)  # no such name can exist
        try:
            found = self._ready().resolve(absolute, kind, raise_on_no_answer=False)
        except dns.resolver.NXDOMAIN:
            self._timeouts = 0
            return DnsAnswer(is_no_name=True)
        except dns.exception.Timeout:
            self._timeouts += 1
            return DnsAnswer(away=f"DNS did not answer about {name} in time")
        except (dns.exception.DNSException, OSError) as error:
            return DnsAnswer(away=_words(name, error))
        self._timeouts = 0
        records = tuple(_text(one)[:LONGEST] for one in list(found.rrset or ())[:MOST_RECORDS])
        alias = found.canonical_name.to_text(omit_final_dot=True)
        return DnsAnswer(records, alias="" if alias.lower() == name else alias)

    def _ready(self) -> dns.resolver.Resolver:
        """The resolver, made when first needed. Raises NoResolverConfiguration where the system has none."""
        if self._resolver is None:
            resolver = dns.resolver.Resolver(configure=not self._servers)
            if self._servers:
                resolver.nameservers = [dns.nameserver.Do53Nameserver(*one) for one in self._servers]
            resolver.lifetime = self._question_s
            resolver.timeout = self._question_s / 2
            resolver.use_edns(0, 0, 1232)
            self._resolver = resolver
        return self._resolver


def resolver(servers: Sequence[tuple[str, int]] | None) -> Resolver:
    """What the setting MASSMAIL_DNS asks for, for one look at a domain."""
    return NoDns() if servers is None else Dns(servers)


def _text(record: object) -> str:
    if isinstance(record, TXT):
        text = b"".join(record.strings).decode("utf-8", "replace")
        return "".join(one if one.isprintable() else "\N{REPLACEMENT CHARACTER}" for one in text)
    if isinstance(record, MX):
        return f"{record.preference} {record.exchange.to_text(omit_final_dot=True)}"
    if isinstance(record, PTR):
        return record.target.to_text(omit_final_dot=True)
    return str(record)


def _words(name: str, error: Exception) -> str:
    if isinstance(error, dns.resolver.NoNameservers):
        return f"the name servers of {name} answered with an error"
    if isinstance(error, dns.resolver.NoResolverConfiguration):
        return "this machine names no DNS server"
    return f"DNS could not be asked about {name}"
