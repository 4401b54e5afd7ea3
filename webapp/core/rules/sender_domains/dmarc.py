"""DMARC (RFC 9989): what a domain asks receivers to do, and which other domains count as the same organization."""

from dataclasses import dataclass

from webapp.core.rules.sender_domains.answers import Lookup, sure, tags_of

MOST_STEPS = 8
"""Names that a walk up the tree looks at (RFC 9989 section 4.10)."""

POLICIES = ("none", "quarantine", "reject")


class DmarcError(Exception):
    """There is a record that nobody heeds; the text says why, as a part of a sentence."""


@dataclass(frozen=True, slots=True)
class DmarcPolicy:
    """What holds for mails from a domain. `domain` is where the record stands, `policy` what it asks for this domain (sp= where the record
    is of the organization above), `strict_spf` and `strict_dkim` that another domain of the same organization does not do."""

    domain: str
    policy: str
    record: str
    reports_to: str = ""
    percent: int = 100
    is_test: bool = False
    strict_spf: bool = False
    strict_dkim: bool = False


def policy_of(lookup: Lookup, domain: str) -> DmarcPolicy | None:
    """What holds for mails from `domain`: its own record, else that of its organization, else that of the registry above; None where there
    is none. Raises DmarcError, DnsAway."""
    organization = organization_of(lookup, domain)
    for name in dict.fromkeys((domain, organization, organization.partition(".")[2])):
        if not name or not (record := _record(lookup, name)):
            continue
        tags = tags_of(record)
        if name not in (domain, organization) and tags.get("psd", "u").lower() != "y":
            continue
        policy = tags.get("p", "").lower()
        if name != domain:
            policy = tags.get("sp", policy).lower()
        if policy not in POLICIES:
            if "rua" not in tags:
                raise DmarcError(f"it asks for “{policy}”, which is no policy" if policy else "it has no policy (p=)")
            policy = "none"
        percent = tags.get("pct", "100")
        return DmarcPolicy(
            name,
            policy,
            record,
            reports_to=tags.get("rua", ""),
            percent=int(percent) if percent.isdecimal() else 100,
            is_test=tags.get("t", "n").lower() == "y",
            strict_spf=tags.get("aspf", "r").lower() == "s",
            strict_dkim=tags.get("adkim", "r").lower() == "s",
        )
    return None


def organization_of(lookup: Lookup, domain: str) -> str:
    """The organizational domain (RFC 9989 section 4.10.2): found by walking up the tree, without a list of suffixes. Raises DnsAway."""
    highest = domain
    for name in _steps(domain):
        try:
            record = _record(lookup, name)
        except DmarcError:
            continue
        if not record:
            continue
        kind = tags_of(record).get("psd", "u").lower()
        if kind == "n":
            return name
        if kind == "y":
            below = domain.split(".")[-(name.count(".") + 2) :]
            return ".".join(below)
        highest = name
    return highest


def is_aligned(lookup: Lookup, domain: str, other: str, *, strict: bool) -> bool:
    """Whether a check that `other` passed counts for mails from `domain`. Raises DnsAway."""
    if domain == other:
        return True
    return not strict and organization_of(lookup, domain) == organization_of(lookup, other)


def _record(lookup: Lookup, name: str) -> str:
    """The record of a name; "" for none. Raises DmarcError, DnsAway."""
    found = [text for text in sure(lookup(f"_dmarc.{name}", "TXT")).records if tags_of(text).get("v", "") == "DMARC1"]
    if len(found) > 1:
        raise DmarcError(f"{name} has {len(found)} of them, and there may be only one")
    return found[0] if found else ""


def _steps(domain: str) -> list[str]:
    """The names to look at: the domain, then those above it, so that eight are enough for any (RFC 9989 section 4.10)."""
    labels = domain.split(".")
    above = labels[-(MOST_STEPS - 1) :] if len(labels) > MOST_STEPS else labels[1:]
    return [domain, *(".".join(above[place:]) for place in range(len(above)))]
