"""SPF (RFC 7208): which addresses may send for a domain, and how many lookups it takes to know."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from webapp.core.rules.sender_domains.answers import Lookup, sure

Address = IPv4Address | IPv6Address

MOST_LOOKUPS = 10
MOST_VOID = 2
"""Terms that ask DNS, and answers without a record, that a check may take (RFC 7208 section 4.6.4)."""

_RESULTS = {"+": "pass", "-": "fail", "~": "softfail", "?": "neutral"}

_COUNTED_ON = 40
"""Lookups are counted so far beyond the limit, to say how many there are."""

_TERM = re.compile(r"([+\-~?]?)(all|include|a|mx|ptr|exists)(?:$|(?::([^\s]+?))?((?:/\d+)?(?://\d+)?))", re.I)
_IP_TERM = re.compile(r"([+\-~?]?)(ip4|ip6):(\S+)", re.I)
_MODIFIER = re.compile(r"([a-z][a-z0-9._-]*)=(\S*)", re.I)
_MACRO = re.compile(r"%(?:\{([slodiphcrtv])(\d*)(r?)([.\-+,/_=]*)\}|([%_-]))", re.I)


class SpfError(Exception):
    """The record cannot be used (permerror, RFC 7208 section 2.6.7); the text says why, as a part of a sentence."""


@dataclass(frozen=True, slots=True)
class SpfTerm:
    """A mechanism with its qualifier, or a modifier (qualifier "=")."""

    qualifier: str
    name: str
    value: str = ""
    mask: str = ""


@dataclass(frozen=True, slots=True)
class SpfSurvey:
    """What a record says in all: how many lookups its whole tree takes, what becomes of addresses that it does not name ("-", "~", "?",
    "+", or "" where it does not say), and the domains it includes."""

    lookups: int
    otherwise: str
    includes: tuple[str, ...]


def is_record(text: str) -> bool:
    return re.match(r"v=spf1( |$)", text, re.I) is not None


def parsed(record: str) -> list[SpfTerm]:
    """The terms of a record. Raises SpfError.

    >>> [term.name for term in parsed("v=spf1 a mx:example.com -all")]
    ['a', 'mx', 'all']
    """
    terms = []
    for word in record.split()[1:]:
        if found := _IP_TERM.fullmatch(word):
            _network(found[3], found[2].lower())
            terms.append(SpfTerm(found[1] or "+", found[2].lower(), found[3]))
        elif found := _TERM.fullmatch(word):
            name = found[2].lower()
            if name in ("include", "exists") and not found[3]:
                raise SpfError(f"“{word}” names nothing")
            terms.append(SpfTerm(found[1] or "+", name, found[3] or "", found[4] or ""))
        elif found := _MODIFIER.fullmatch(word):
            terms.append(SpfTerm("=", found[1].lower(), found[2]))
        else:
            raise SpfError(f"“{word}” is nothing that SPF knows")
    if sum(term.name == "redirect" for term in terms) > 1:
        raise SpfError("it has two redirects")
    return terms


def survey(lookup: Lookup, domain: str) -> SpfSurvey:
    """Read the whole tree of a domain's record. Raises SpfError, DnsAway."""
    walk = _Check(lookup, domain, None, _COUNTED_ON)
    walk.result(domain)
    return SpfSurvey(walk.count, walk.otherwise, tuple(walk.includes))


def allows(lookup: Lookup, domain: str, address: Address) -> str:
    """The result for mails with that return path that come from the address: pass, fail, softfail, neutral or none. Raises SpfError,
    DnsAway."""
    return _Check(lookup, domain, address, MOST_LOOKUPS).result(domain)


class _Check:
    """One check of a host (RFC 7208 section 4). Without an address no term matches, so that everything is looked at."""

    def __init__(self, lookup: Lookup, sender: str, address: Address | None, most: int) -> None:
        self._lookup, self._sender, self._address, self._most = lookup, sender, address, most
        self.count = self._void = 0
        self.otherwise = ""
        self.includes: list[str] = []

    def result(self, domain: str, depth: int = 0, *, is_own: bool = True) -> str:
        """Of a record; `is_own`: it is the sender's own or the one that it redirects to, and not one that is included."""
        records = [text for text in sure(self._lookup(domain, "TXT")).records if is_record(text)]
        if not records:
            return "none"
        if len(records) > 1:
            raise SpfError(f"{domain} has {len(records)} SPF records, and there may be only one")
        if depth > _COUNTED_ON:
            raise SpfError("its includes go round in a circle")
        terms = parsed(records[0])
        for term in terms:
            if term.name == "all" and term.qualifier != "=":
                self.otherwise = term.qualifier if is_own else self.otherwise
                return _RESULTS[term.qualifier]
            if term.qualifier != "=" and self._matches(term, domain, depth):
                return _RESULTS[term.qualifier]
        redirect = next((term.value for term in terms if term.name == "redirect"), "")
        if not redirect:
            return "neutral"
        self._asks()
        target = self._expanded(redirect, domain)
        found = self.result(target, depth + 1, is_own=is_own)
        if found == "none":
            raise SpfError(f"it redirects to {target}, which has no SPF record")
        return found

    def _asks(self) -> None:
        self.count += 1
        if self.count > self._most:
            raise SpfError(f"it takes more than {MOST_LOOKUPS} lookups")

    def _matches(self, term: SpfTerm, domain: str, depth: int) -> bool:
        if term.name in ("ip4", "ip6"):
            network = _network(term.value, term.name)
            return self._address is not None and self._address.version == network.version and self._address in network
        self._asks()
        target = self._expanded(term.value, domain) if term.value else domain
        if term.name == "include":
            self.includes.append(target)
            found = self.result(target, depth + 1, is_own=False)
            if found == "none":
                raise SpfError(f"it includes {target}, which has no SPF record")
            return found == "pass"
        if term.name == "exists":
            return self._address is not None and bool(self._records(target, "A"))
        if term.name == "ptr":
            return False  # not to be used, and no relay of ours is named by it (RFC 7208 section 5.5)
        hosts = [target]
        if term.name == "mx":
            hosts = [record.partition(" ")[2] for record in self._records(target, "MX")]
            if len(hosts) > MOST_LOOKUPS:
                raise SpfError(f"{target} has more than {MOST_LOOKUPS} mail servers")
        return any(self._is_of(host, term.mask) for host in hosts if host)

    def _is_of(self, host: str, mask: str) -> bool:
        if self._address is None:
            return False
        kind = "A" if self._address.version == 4 else "AAAA"
        wide = re.search(r"(?<!/)/(\d+)" if kind == "A" else r"//(\d+)", mask)
        length = int(wide[1]) if wide else (32 if kind == "A" else 128)
        if length > (32 if kind == "A" else 128):
            raise SpfError(f"“{mask}” is too long for an address")
        return any(self._address in ip_network(f"{one}/{length}", strict=False) for one in self._records(host, kind))

    def _records(self, name: str, kind: str) -> Sequence[str]:
        found = sure(self._lookup(name, kind)).records
        if not found:
            self._void += 1
            if self._void > MOST_VOID:
                raise SpfError(f"more than {MOST_VOID} of the names in it have no record")
        return found

    def _expanded(self, text: str, domain: str) -> str:
        """A domain with its macros written out (RFC 7208 section 7)."""
        address = self._address or ip_address("192.0.2.1")
        dotted = str(address) if address.version == 4 else ".".join(address.exploded.replace(":", ""))
        version = "in-addr" if address.version == 4 else "ip6"
        values = {"s": f"postmaster@{self._sender}", "l": "postmaster", "o": self._sender, "d": domain, "i": dotted}
        values |= {"v": version, "h": self._sender, "p": "unknown", "c": str(address), "r": "unknown", "t": "0"}

        def written(found: re.Match[str]) -> str:
            if found[5]:
                return {"%": "%", "_": " ", "-": "%20"}[found[5]]
            parts = re.split(f"[{re.escape(found[4] or '.')}]", values[found[1].lower()])
            if found[3]:
                parts.reverse()
            return ".".join(parts[-int(found[2]) :] if found[2] else parts)

        return _MACRO.sub(written, text).rstrip(".").lower()


def _network(text: str, name: str) -> IPv4Network | IPv6Network:
    try:
        network = ip_network(text, strict=False)
    except ValueError:
        raise SpfError(f"“{name}:{text}” is no address") from None
    if network.version != (4 if name == "ip4" else 6):
        raise SpfError(f"“{name}:{text}” is of the other kind of address")
    return network


def with_terms(record: str, terms: Sequence[str]) -> str:
    """The record with these terms in front of whatever might refuse them; a new one where there is none.

    >>> with_terms("v=spf1 mx ~all", ["ip4:192.0.2.1"])
    'v=spf1 mx ip4:192.0.2.1 ~all'
    """
    words = record.split() or ["v=spf1", "~all"]
    end = next(
        (place for place, word in enumerate(words) if re.fullmatch(r"[\-~?].*|[+]?all|redirect=.*", word, re.I)),
        len(words),
    )
    missing = [term for term in terms if term.lower() not in map(str.lower, words)]
    return " ".join([*words[:end], *missing, *words[end:]])
