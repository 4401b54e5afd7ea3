"""What is as receivers want it and what is not, for a domain that mails come from."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import ip_address

from webapp.core.rules.dkim import Algorithm, record_of
from webapp.core.rules.sender_domains import dmarc, hosts, keys_in_dns, spf
from webapp.core.rules.sender_domains.answers import DnsAway, Lookup, readable, sure, tags_of
from webapp.core.rules.sender_domains.dmarc import DmarcError
from webapp.core.rules.sender_domains.findings import DnsRecord, DomainFinding, DomainStanding, DomainTopic, away
from webapp.core.rules.sender_domains.spf import SpfError

GOOD, MISSING, WRONG, UNKNOWN = DomainStanding

WHY_SPF = (
    "Receivers ask whether this machine may send for the domain. Without a yes, bulk mail is refused or goes to spam."
)
WHY_DKIM = "A signature shows that the mail is yours and was not changed. Gmail, Yahoo and Microsoft want one on all bulk mail."
WHY_DMARC = "Gmail, Yahoo and Microsoft want whoever sends bulk mail to say what is to become of mails that only claim to be theirs."
WHY_MX = "Some receivers refuse mail from domains that cannot be answered, and replies and refusals would be lost."
WHY_REVERSE = "Gmail and others refuse mail from an address without a name that leads back to it."
SAY_FROM_WHERE = "Nobody has said from which addresses mails leave; that is asked for below."


@dataclass(frozen=True, slots=True)
class OwnKey:
    """A key of ours; `is_waiting`: it does not sign before DNS shows it."""

    selector: str
    algorithm: Algorithm
    public: str
    is_waiting: bool


@dataclass(frozen=True, slots=True)
class SenderDomain:
    """A domain of From addresses (in ASCII) and how its mails leave: the domain of their return path, the addresses they leave from, and
    what the relay wants to be included in SPF ("" for nothing). `selectors` are those that the relay signs with, each with its domain."""

    domain: str
    return_path: str
    leaves_from: tuple[str, ...] = ()
    spf_include: str = ""
    own_keys: tuple[OwnKey, ...] = ()
    selectors: tuple[tuple[str, str], ...] = ()


def judge_domain(lookup: Lookup, sender: SenderDomain) -> list[DomainFinding]:
    """All findings about a domain, by topic."""
    spf_found = _of_spf(lookup, sender)
    keys = list(_of_dkim(lookup, sender))
    signs = [domain for domain, finding in keys if finding.standing is GOOD]
    return [
        spf_found,
        *(finding for _, finding in keys),
        _of_dmarc(lookup, sender, spf_found, signs),
        _of_mx(lookup, sender.domain),
        *_of_reverse_names(lookup, sender),
        *_of_mta_sts(lookup, sender.domain),
    ]


def _of_spf(lookup: Lookup, sender: SenderDomain) -> DomainFinding:
    domain = sender.return_path
    try:
        return _judged_spf(lookup, sender)
    except DnsAway as error:
        return away(DomainTopic.SPF, str(error))
    except SpfError as error:
        return DomainFinding(
            DomainTopic.SPF, WRONG, f"The SPF record of {readable(domain)} is not heeded: {error}.", WHY_SPF
        )


def _judged_spf(lookup: Lookup, sender: SenderDomain) -> DomainFinding:
    domain, said = sender.return_path, readable(sender.return_path)
    records = [text for text in sure(lookup(domain, "TXT")).records if spf.is_record(text)]
    terms = [f"ip{ip_address(one).version}:{one}" for one in sender.leaves_from]
    terms += [f"include:{sender.spf_include}"] if sender.spf_include else []

    def finding(standing: DomainStanding, what: str, record: str = "", *notes: str) -> DomainFinding:
        to_set = (DnsRecord("TXT", domain, record),) if record else ()
        return DomainFinding(DomainTopic.SPF, standing, what, "" if standing is GOOD else WHY_SPF, to_set, notes)

    if not records:
        new = spf.with_terms("", terms) if terms else ""
        return finding(MISSING, f"{said} has no SPF record.", new, *([] if terms else [SAY_FROM_WHERE]))
    if len(records) > 1:
        merged = spf.with_terms(records[0], [word for one in records[1:] for word in _own_terms(one)])
        what = f"{said} has {len(records)} SPF records. There may be only one, so receivers heed none of them."
        return finding(WRONG, what, spf.with_terms(merged, terms))
    whole = spf.survey(lookup, domain)
    if whole.lookups > spf.MOST_LOOKUPS:
        what = f"The SPF record of {said} takes {whole.lookups} lookups. Receivers stop at {spf.MOST_LOOKUPS} and then heed none of it."
        return finding(
            WRONG, what, "", "Take out what you do not use any more, or name addresses (ip4, ip6) in place of names."
        )
    if whole.otherwise == "+":
        return finding(
            WRONG, f"The SPF record of {said} lets everybody send (+all).", records[0].replace("+all", "~all")
        )
    lacking = [one for one in sender.leaves_from if spf.allows(lookup, domain, ip_address(one)) != "pass"]
    if sender.spf_include and sender.spf_include not in whole.includes:
        lacking.append(sender.spf_include)
    if lacking:
        wanted = [term for term in terms if term.partition(":")[2] in lacking]
        return finding(
            WRONG, f"The SPF record of {said} does not allow {', '.join(lacking)}.", spf.with_terms(records[0], wanted)
        )
    notes = []
    if whole.otherwise in ("?", ""):
        notes.append("It says nothing about mails from elsewhere: ~all or -all at its end does.")
    if not terms:
        return finding(UNKNOWN, f"{said} has an SPF record. {SAY_FROM_WHERE}", "", *notes)
    allowed = ", ".join([*sender.leaves_from, *([sender.spf_include] if sender.spf_include else [])])
    notes.append(f"It takes {whole.lookups} of {spf.MOST_LOOKUPS} lookups.")
    return finding(GOOD, f"The SPF record of {said} allows {allowed}.", "", *notes)


def _own_terms(record: str) -> list[str]:
    return [
        word
        for word in record.split()[1:]
        if not word.lower().endswith("all") and not word.lower().startswith("redirect=")
    ]


def _of_dkim(lookup: Lookup, sender: SenderDomain) -> Iterator[tuple[str, DomainFinding]]:
    """Each with the domain (d=) that its key signs for."""
    for own in sender.own_keys:
        yield sender.domain, _guarded(DomainTopic.DKIM, lambda own=own: _of_own_key(lookup, sender.domain, own))  # type: ignore[misc]
    for selector, named in sender.selectors:
        domain = named or sender.domain
        yield domain, _guarded(DomainTopic.DKIM, lambda s=selector, d=domain: _of_selector(lookup, s, d))  # type: ignore[misc]
    if not sender.own_keys and not sender.selectors:
        what = "It is not known that anybody signs the mails of this domain."
        yield sender.domain, DomainFinding(DomainTopic.DKIM, MISSING, what, WHY_DKIM)


def _guarded(topic: DomainTopic, judge: Callable[[], DomainFinding]) -> DomainFinding:
    try:
        return judge()
    except DnsAway as error:
        return away(topic, str(error))


def _of_own_key(lookup: Lookup, domain: str, own: OwnKey) -> DomainFinding:
    name = keys_in_dns.name_of(own.selector, domain)
    found = keys_in_dns.published(lookup, own.selector, domain)
    to_set = (DnsRecord("TXT", name, record_of(own.algorithm, own.public)),)
    key = f"our key {own.selector} ({own.algorithm.label})"
    if not found.is_there:
        what = (
            f"DNS does not show {key} yet. It signs nothing before."
            if own.is_waiting
            else f"DNS does not show {key}, which signs."
        )
        return DomainFinding(DomainTopic.DKIM, MISSING if own.is_waiting else WRONG, what, WHY_DKIM, to_set)
    if found.problem or found.public != own.public:
        what = f"At the name of {key} stands something else: {found.problem or 'it is another key'}."
        return DomainFinding(DomainTopic.DKIM, WRONG, what, WHY_DKIM, to_set)
    notes = ("It is marked as a test (t=y), so some receivers count it for nothing.",) if found.is_test else ()
    return DomainFinding(DomainTopic.DKIM, GOOD, f"DNS shows {key}.", notes=notes)


def _of_selector(lookup: Lookup, selector: str, domain: str) -> DomainFinding:
    found = keys_in_dns.published(lookup, selector, domain)
    where = f"{selector} of {readable(domain)}"
    if not found.is_there:
        return DomainFinding(DomainTopic.DKIM, MISSING, f"There is no key at the selector {where}.", WHY_DKIM)
    if found.problem:
        return DomainFinding(
            DomainTopic.DKIM, WRONG, f"The key at the selector {where} verifies nothing: {found.problem}.", WHY_DKIM
        )
    notes = [f"It has {found.bits:,} bits; {keys_in_dns.ENOUGH_BITS:,} are usual by now."] if found.is_weak else []
    notes += ["It is marked as a test (t=y), so some receivers count it for nothing."] if found.is_test else []
    notes += [f"The name stands for {found.alias}."] if found.alias else []
    return DomainFinding(DomainTopic.DKIM, GOOD, f"There is a key at the selector {where}.", notes=tuple(notes))


def _of_dmarc(lookup: Lookup, sender: SenderDomain, spf_found: DomainFinding, signs: list[str]) -> DomainFinding:
    domain, said = sender.domain, readable(sender.domain)
    new = (DnsRecord("TXT", f"_dmarc.{domain}", f"v=DMARC1; p=none; rua=mailto:postmaster@{domain}"),)
    try:
        found = dmarc.policy_of(lookup, domain)
        if found is None:
            notes = (
                "p=none changes nothing for your mails; the reports show who sends in your name. Then quarantine can follow.",
            )
            return DomainFinding(DomainTopic.DMARC, MISSING, f"{said} has no DMARC record.", WHY_DMARC, new, notes)
        by_spf = dmarc.is_aligned(lookup, domain, sender.return_path, strict=found.strict_spf)
        by_dkim = [one for one in signs if dmarc.is_aligned(lookup, domain, one, strict=found.strict_dkim)]
    except DnsAway as error:
        return away(DomainTopic.DMARC, str(error))
    except DmarcError as error:
        return DomainFinding(
            DomainTopic.DMARC, WRONG, f"The DMARC record of {said} is not heeded: {error}.", WHY_DMARC, new
        )
    is_above = found.domain != domain
    what = f"{f'{readable(found.domain)}, above it, asks' if is_above else f'{said} asks'} for {_ASKED[found.policy]}."
    if not by_spf and not by_dkim:
        if spf_found.standing is UNKNOWN and not signs and any(sender.own_keys or sender.selectors):
            return DomainFinding(
                DomainTopic.DMARC, UNKNOWN, f"{what} Whether your mails pass is not known, as the keys are not."
            )
        what += (
            f" Your mails do not pass: their return path is at {readable(sender.return_path)}, another organization,"
        )
        return DomainFinding(DomainTopic.DMARC, WRONG, f"{what} and no signature of {said} is known.", WHY_DMARC)
    return DomainFinding(DomainTopic.DMARC, GOOD, what, notes=tuple(_dmarc_notes(found, spf_found, by_spf, by_dkim)))


_ASKED = {
    "none": "nothing to be done with mails that only claim to be from it (p=none)",
    "quarantine": "mails that only claim to be from it to go to spam (quarantine)",
    "reject": "mails that only claim to be from it to be refused (reject)",
}


def _dmarc_notes(found: dmarc.DmarcPolicy, spf_found: DomainFinding, by_spf: bool, by_dkim: list[str]) -> Iterator[str]:
    if not by_dkim:
        yield "Your mails pass by SPF alone, which is lost when they are forwarded: a signature stays."
    elif not by_spf or spf_found.standing is not GOOD:
        yield "Your mails pass by their signature."
    if found.policy == "none":
        yield "When the reports show nothing of yours that fails, quarantine is the next step."
    if found.percent < 100:
        yield f"It is meant for {found.percent} % of the mails (pct), which newer receivers do not heed."
    if found.is_test:
        yield "It is marked as a test (t=y): receivers do the next milder thing."
    if not found.reports_to:
        yield "It names no address for reports (rua=), which would show who sends in your name."


def _of_mx(lookup: Lookup, domain: str) -> DomainFinding:
    said = readable(domain)
    try:
        servers = hosts.mail_servers(lookup, domain)
        if servers is None:
            return DomainFinding(
                DomainTopic.MX, WRONG, f"{said} says that it takes no mail at all (a null MX).", WHY_MX
            )
        if not servers:
            return DomainFinding(DomainTopic.MX, MISSING, f"{said} has no mail server, so nobody can answer.", WHY_MX)
        lost = [server for server in servers if not hosts.addresses(lookup, server)]
    except DnsAway as error:
        return away(DomainTopic.MX, str(error))
    if len(lost) == len(servers):
        return DomainFinding(DomainTopic.MX, WRONG, f"The mail server of {said}, {lost[0]}, has no address.", WHY_MX)
    notes = (f"{', '.join(lost)} has no address.",) if lost else ()
    return DomainFinding(DomainTopic.MX, GOOD, f"Replies go to {', '.join(servers[:3])}.", notes=notes)


def _of_reverse_names(lookup: Lookup, sender: SenderDomain) -> Iterator[DomainFinding]:
    if not sender.leaves_from and not sender.spf_include:
        yield DomainFinding(DomainTopic.REVERSE, UNKNOWN, SAY_FROM_WHERE)
    for address in sender.leaves_from:
        yield _guarded(DomainTopic.REVERSE, lambda address=address: _of_reverse_name(lookup, address))  # type: ignore[misc]


def _of_reverse_name(lookup: Lookup, address: str) -> DomainFinding:
    found = hosts.reverse_name(lookup, address)
    host = "Whoever gave you the address sets its name."
    if not found.names:
        return DomainFinding(DomainTopic.REVERSE, MISSING, f"{address} has no name.", WHY_REVERSE, notes=(host,))
    names = ", ".join(found.names)
    if not found.is_confirmed:
        what = f"{address} is called {names}, but this name does not lead back to it."
        record = DnsRecord("A" if ip_address(address).version == 4 else "AAAA", found.names[0], address)
        return DomainFinding(DomainTopic.REVERSE, WRONG, what, WHY_REVERSE, (record,), (host,))
    return DomainFinding(DomainTopic.REVERSE, GOOD, f"{address} is called {names}, which leads back to it.")


def _of_mta_sts(lookup: Lookup, domain: str) -> Iterator[DomainFinding]:
    """Only where it is there (RFC 8461 section 3.1): it is about mail to the domain, and no receiver asks for it."""
    try:
        records = [
            text for text in sure(lookup(f"_mta-sts.{domain}", "TXT")).records if tags_of(text).get("v") == "STSv1"
        ]
    except DnsAway:
        return
    if len(records) > 1 or (records and not tags_of(records[0]).get("id", "").isalnum()):
        what = f"The MTA-STS record of {readable(domain)} is not heeded: there has to be one, with an id of letters and digits."
        yield DomainFinding(DomainTopic.MTA_STS, WRONG, what, "It has others encrypt what they send to you.")
    elif records:
        notes = ("Its policy file, which is fetched by https, was not looked at.",)
        yield DomainFinding(DomainTopic.MTA_STS, GOOD, f"{readable(domain)} has an MTA-STS record.", notes=notes)


def keys_shown(lookup: Lookup, sender: SenderDomain) -> list[str]:
    """The public halves of our keys that DNS shows as they are."""
    shown = []
    for own in sender.own_keys:
        with suppress(DnsAway):
            found = keys_in_dns.published(lookup, own.selector, sender.domain)
            if not found.problem and found.public == own.public:
                shown.append(own.public)
    return shown
