"""Names of machines: where replies go (MX: RFC 5321 section 5.1, RFC 7505), and what an address is called (PTR)."""

from dataclasses import dataclass
from ipaddress import ip_address

from webapp.core.rules.sender_domains.answers import Lookup, sure

MOST_NAMES = 5
"""So many names of an address are confirmed."""


@dataclass(frozen=True, slots=True)
class ReverseName:
    """What an address is called, and whether one of these names leads back to it."""

    names: tuple[str, ...]
    is_confirmed: bool


def mail_servers(lookup: Lookup, domain: str) -> list[str] | None:
    """The mail servers of a domain, the first to be tried first; None where it says that it takes no mail. Without MX records that is the
    domain itself if it has an address. Raises DnsAway."""
    records = [record.split(" ") for record in sure(lookup(domain, "MX")).records]
    if records:
        if [host for _, host in records] in ([""], ["."]):
            return None
        return [host for _, host in sorted(records, key=lambda record: int(record[0]))]
    return [domain] if addresses(lookup, domain) else []


def addresses(lookup: Lookup, host: str) -> tuple[str, ...]:
    """The addresses of a host. Raises DnsAway."""
    return sure(lookup(host, "A")).records + sure(lookup(host, "AAAA")).records


def reverse_name(lookup: Lookup, address: str) -> ReverseName:
    """Raises DnsAway."""
    number = ip_address(address)
    names = sure(lookup(number.reverse_pointer, "PTR")).records[:MOST_NAMES]
    kind = "A" if number.version == 4 else "AAAA"
    confirmed = any(number in map(ip_address, sure(lookup(name, kind)).records) for name in names)
    return ReverseName(names, confirmed)
