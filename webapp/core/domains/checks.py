"""What was found about each domain that mails come from, and how mails leave. The only writer of `domain_check` and `mail_route`."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import ip_address

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from webapp.core.errors import Invalid
from webapp.core.rules.sender_domains.answers import in_ascii, readable
from webapp.core.rules.sender_domains.findings import DomainFinding, DomainStanding, DomainTopic
from webapp.core.rules.sender_domains.judgements import OwnKey, SenderDomain
from webapp.core.rules.sender_domains.keys_in_dns import selectors_in
from webapp.core.settings import from_addresses
from webapp.core.tables.domains import DkimKey, DomainCheck, MailRoute

THE_ROW = 1
EVERY, AGAIN, WAITING = timedelta(days=1), timedelta(hours=1), timedelta(minutes=10)
"""A domain is looked at so often; where something is not known; and where a key waits for DNS."""

MOST_ADDRESSES, MOST_SELECTORS = 20, 10
ASKED_OF_BULK = (DomainTopic.SPF, DomainTopic.DKIM, DomainTopic.DMARC)
"""What large receivers want of whoever sends many mails."""


@dataclass(frozen=True, slots=True)
class Route:
    """How mails leave: from which addresses, and the domain that the relay wants to be included in SPF ("" for none)."""

    leaves_from: tuple[str, ...] = ()
    spf_include: str = ""


@dataclass(frozen=True, slots=True)
class DomainSeen:
    """A domain of From addresses as it was found last; `checked_at` None: never looked at."""

    domain: str
    findings: tuple[DomainFinding, ...]
    selectors: tuple[tuple[str, str], ...]
    checked_at: datetime | None

    @property
    def name(self) -> str:
        return readable(self.domain)

    @property
    def faults(self) -> int:
        return sum(one.standing in (DomainStanding.MISSING, DomainStanding.WRONG) for one in self.findings)

    @property
    def unknown(self) -> int:
        return sum(one.standing is DomainStanding.UNKNOWN for one in self.findings)


def domains(session: Session) -> list[str]:
    """The domains of the senders (in ASCII), that of the default sender first."""
    return list(dict.fromkeys(_domain_of(sender.address) for sender in from_addresses.listing(session)))


def listing(session: Session) -> list[DomainSeen]:
    known = {
        row.domain: row for row in session.scalars(select(DomainCheck).where(DomainCheck.domain.in_(domains(session))))
    }
    return [_seen(domain, known.get(domain)) for domain in domains(session)]


def of_sender(session: Session, address: str) -> DomainSeen:
    """What is known of the domain of an address."""
    domain = _domain_of(address)
    return _seen(domain, session.get(DomainCheck, domain))


def concerns(seen: DomainSeen) -> list[str]:
    """What a large broadcast from the domain would suffer from, as whole sentences; nothing where nobody has looked."""
    bad = (DomainStanding.MISSING, DomainStanding.WRONG)
    lacking = {one.topic: one for one in reversed(seen.findings) if one.topic in ASKED_OF_BULK and one.standing in bad}
    if not lacking:
        return []
    names = [topic.label for topic in ASKED_OF_BULK if topic in lacking]
    words = names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
    are = "is" if len(names) == 1 else "are"
    what = f"{words} of {seen.name} {are} not as large receivers want it: many of these mails may be refused or go to spam."
    return [what]


def route(session: Session) -> Route:
    row = session.get(MailRoute, THE_ROW, populate_existing=True)
    return Route(tuple(row.leaves_from), row.spf_include) if row else Route()


def save_route(session: Session, leaves_from: str, spf_include: str) -> None:
    """Keep what somebody typed: addresses with commas or blanks between them, and a domain. Raises Invalid, naming the field."""
    found = []
    for word in leaves_from.replace(",", " ").split():
        try:
            address = ip_address(word)
        except ValueError:
            raise Invalid(f"“{word}” is no address such as 192.0.2.1 or 2001:db8::1.", "leaves_from") from None
        found.append(str(address))
    if len(found) > MOST_ADDRESSES:
        raise Invalid(f"At most {MOST_ADDRESSES} addresses can be looked at.", "leaves_from")
    include = in_ascii(spf_include.strip().removeprefix("include:"))
    if include and (
        "." not in include
        or not include.replace(".", "").replace("-", "").replace("_", "").isalnum()
        or len(include) > 253
    ):
        raise Invalid("This is no domain such as spf.example.com.", "spf_include")
    session.merge(MailRoute(id=THE_ROW, leaves_from=list(dict.fromkeys(found)), spf_include=include))
    session.flush()


def name_selectors(session: Session, domain: str, typed: str) -> None:
    """Keep the selectors that the relay signs with: typed, or in the header of a mail that arrived. "" forgets them. Raises Invalid."""
    found = selectors_in(typed)
    if typed.strip() and not found:
        raise Invalid("There is no selector in this, and no DKIM-Signature with one.", "selectors")
    if len(found) > MOST_SELECTORS:
        raise Invalid(f"At most {MOST_SELECTORS} selectors can be looked at.", "selectors")
    _row(session, domain).selectors = [list(pair) for pair in found]
    session.flush()


def sender_domain(session: Session, domain: str, bounces_to: str) -> SenderDomain:
    """What is to be judged of a domain. `bounces_to`: the address of all return paths; "" where they are the senders' own."""
    known, leaves = session.get(DomainCheck, domain), route(session)
    keys = session.scalars(
        select(DkimKey)
        .where(DkimKey.domain == domain, DkimKey.retired_at.is_(None), DkimKey.signs_until.is_(None))
        .order_by(DkimKey.id)
    )
    own = tuple(OwnKey(key.selector, key.algorithm, key.public, key.signs_from is None) for key in keys)
    selectors = tuple((pair[0], pair[1]) for pair in known.selectors) if known else ()
    return SenderDomain(
        domain, _domain_of(bounces_to) or domain, leaves.leaves_from, leaves.spf_include, own, selectors
    )


def begin(session: Session, domain: str, now: datetime) -> None:
    """Somebody looks at the domain now."""
    _row(session, domain).looked_at = now
    session.flush()


def record(session: Session, domain: str, findings: Sequence[DomainFinding], now: datetime) -> None:
    """Keep what was found."""
    row = _row(session, domain)
    row.findings, row.checked_at = [one.as_json() for one in findings], now
    session.flush()


def due(session: Session, now: datetime) -> list[str]:
    """The domains that it is time to look at."""
    waiting = set(
        session.scalars(select(DkimKey.domain).where(DkimKey.signs_from.is_(None), DkimKey.retired_at.is_(None)))
    )
    rows = {row.domain: row for row in session.scalars(select(DomainCheck))}
    return [domain for domain in domains(session) if _is_due(rows.get(domain), domain in waiting, now)]


def _is_due(row: DomainCheck | None, is_waiting: bool, now: datetime) -> bool:
    if row is None or row.looked_at is None:
        return True
    is_open = row.checked_at is None or any(one["standing"] == DomainStanding.UNKNOWN for one in row.findings)
    return now - row.looked_at >= (WAITING if is_waiting else AGAIN if is_open else EVERY)


def _row(session: Session, domain: str) -> DomainCheck:
    dialect = sqlite if session.get_bind().dialect.name == "sqlite" else postgresql
    new: dict[str, object] = {"domain": domain, "selectors": [], "findings": []}
    session.execute(dialect.insert(DomainCheck).values(new).on_conflict_do_nothing(index_elements=[DomainCheck.domain]))
    return session.get_one(DomainCheck, domain, populate_existing=True)


def _seen(domain: str, row: DomainCheck | None) -> DomainSeen:
    if row is None:
        return DomainSeen(domain, (), (), None)
    findings = tuple(DomainFinding.of_json(one) for one in row.findings)
    return DomainSeen(domain, findings, tuple((pair[0], pair[1]) for pair in row.selectors), row.checked_at)


def _domain_of(address: str) -> str:
    return in_ascii(address.rpartition("@")[2])
