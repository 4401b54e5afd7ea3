"""What is said of domains, as a real DNS server shows them."""

from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.dns_server import SERVFAIL, SILENT, Zone, dns_server
from webapp.adapters.dns import Dns
from webapp.core.rules.dkim import Algorithm, record_of
from webapp.core.rules.dkim.keys import made
from webapp.core.rules.sender_domains.answers import in_ascii
from webapp.core.rules.sender_domains.findings import DomainFinding, DomainStanding, DomainTopic
from webapp.core.rules.sender_domains.judgements import OwnKey, SenderDomain, judge_domain

GOOD, MISSING, WRONG, UNKNOWN = DomainStanding
D, IP, KEY = "example.com", "192.0.2.1", "s1._domainkey.example.com"
_, ED = made(Algorithm.ED25519)
OURS = OwnKey("s1", Algorithm.ED25519, ED, is_waiting=True)


def public(bits: int) -> str:
    key = rsa.generate_private_key(65537, bits).public_key()
    return b64encode(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).decode()


RSA_1024 = public(1024)
BASE: Zone = {
    (D, "TXT"): ["v=spf1 ip4:192.0.2.1 -all", "other=thing"],
    (D, "MX"): ["20 two.example.com", "10 mx.example.com"],
    ("mx.example.com", "A"): [IP],
    ("two.example.com", "AAAA"): ["2001:db8::2"],
    ("1.2.0.192.in-addr.arpa", "PTR"): ["mx.example.com"],
    (f"_dmarc.{D}", "TXT"): ["v=DMARC1; p=reject; rua=mailto:d@example.com"],
    (KEY, "TXT"): [record_of(Algorithm.ED25519, ED)],
}
ALL_GOOD = SenderDomain(D, D, (IP,), "", (OURS,))
NOTHING: Zone = {}
Changes = Mapping[tuple[str, str], Sequence[str] | str]


@pytest.fixture(scope="module")
def asked() -> Iterator[tuple[dict, tuple[str, int]]]:
    """A zone that each test makes anew, and where it is asked."""
    zone: dict = {}
    with dns_server(zone) as (server, _):
        yield zone, server


def judged(
    asked: tuple[dict, tuple[str, int]], changes: Changes = NOTHING, sender: SenderDomain = ALL_GOOD
) -> list[DomainFinding]:
    zone, server = asked
    zone.clear()
    zone.update(BASE | changes)
    patience = 0.2 if SILENT in changes.values() else 10.0  # what answers is waited for, also on a busy machine
    return judge_domain(Dns([server], question_s=patience, ticks=lambda: 0.0).look_up, sender)


def of(findings: list[DomainFinding], topic: DomainTopic) -> DomainFinding:
    return next(one for one in findings if one.topic is topic)


def test_a_domain_that_is_as_it_should_be(asked: tuple[dict, tuple[str, int]]):
    found = judged(asked)
    assert {one.topic: one.standing for one in found} == dict.fromkeys([*DomainTopic][:5], GOOD), found
    assert [DomainFinding.of_json(one.as_json()) for one in found] == found
    assert "mx.example.com, two.example.com" in of(found, DomainTopic.MX).what
    assert not any(one.records for one in found)


def test_a_domain_without_anything_and_the_records_to_set(asked: tuple[dict, tuple[str, int]]):
    found = judged(asked, {key: [] for key in BASE} | {("x.example.com", "A"): [IP]})
    assert {one.topic: one.standing for one in found} == dict.fromkeys([*DomainTopic][:5], MISSING)
    assert of(found, DomainTopic.SPF).records == (("TXT", D, "v=spf1 ip4:192.0.2.1 ~all"),)
    assert of(found, DomainTopic.DKIM).records == (("TXT", KEY, f"v=DKIM1; k=ed25519; p={ED}"),)
    assert of(found, DomainTopic.DMARC).records == (
        ("TXT", f"_dmarc.{D}", "v=DMARC1; p=none; rua=mailto:postmaster@example.com"),
    )


def test_a_domain_that_does_not_exist_has_nothing(asked: tuple[dict, tuple[str, int]]):
    found = judged(asked, sender=SenderDomain("nowhere.test", "nowhere.test"))
    assert {one.topic: one.standing for one in found} == dict.fromkeys([*DomainTopic][:4], MISSING) | {
        DomainTopic.REVERSE: UNKNOWN
    }


MANY = {(f"i{n}.example.net", "TXT"): ["v=spf1 a ?all"] for n in range(6)}
INCLUDED = " ".join(f"include:i{n}.example.net" for n in range(6))
SUB = ("_s.example.net", "TXT")
SPF = [
    ("two records", {(D, "TXT"): ["v=spf1 a -all", "v=spf1 ip4:192.0.2.1 ~all"]}, WRONG, "v=spf1 a ip4:192.0.2.1 -all"),
    ("too many lookups", {**MANY, (D, "TXT"): [f"v=spf1 {INCLUDED} ip4:192.0.2.1 -all"]}, WRONG, "12 lookups"),
    ("+all", {(D, "TXT"): ["v=spf1 +all"]}, WRONG, "everybody"),
    ("all without a sign", {(D, "TXT"): ["v=spf1 all"]}, WRONG, "everybody"),
    ("?all", {(D, "TXT"): ["v=spf1 ip4:192.0.2.0/24 ?all"]}, GOOD, "says nothing about mails from elsewhere"),
    ("no all", {(D, "TXT"): ["v=spf1 ip4:192.0.2.0/24"]}, GOOD, "says nothing about mails from elsewhere"),
    ("~all", {(D, "TXT"): ["V=SPF1 a:mx.example.com/24 ~all"]}, GOOD, "1 of 10"),
    ("mx", {(D, "TXT"): ["v=spf1 mx -all"]}, GOOD, "1 of 10"),
    ("redirect", {(D, "TXT"): ["v=spf1 redirect=_s.example.net"], SUB: ["v=spf1 ip4:192.0.2.1 -all"]}, GOOD, "1 of 10"),
    ("redirect to +all", {(D, "TXT"): ["v=spf1 redirect=_s.example.net"], SUB: ["v=spf1 +all"]}, WRONG, "everybody"),
    ("redirect to nothing", {(D, "TXT"): ["v=spf1 redirect=_s.example.net"]}, WRONG, "redirects to _s.example.net"),
    (
        "include",
        {(D, "TXT"): ["v=spf1 include:_s.example.net -all"], SUB: ["v=spf1 ip4:192.0.2.1 ~all"]},
        GOOD,
        "1 of 10",
    ),
    (
        "include of +all is no +all",
        {(D, "TXT"): ["v=spf1 include:_s.example.net -all"], SUB: ["v=spf1 +all"]},
        GOOD,
        "",
    ),
    (
        "include of nothing",
        {(D, "TXT"): ["v=spf1 include:_s.example.net -all"]},
        WRONG,
        "includes _s.example.net, which has no",
    ),
    ("a circle", {(D, "TXT"): [f"v=spf1 include:{D} -all"]}, WRONG, "more than 10 lookups"),
    ("void lookups", {(D, "TXT"): ["v=spf1 a:x1.test a:x2.test a:x3.test -all"]}, WRONG, "have no record"),
    (
        "exists",
        {
            (D, "TXT"): ["v=spf1 exists:%{ir}.%{v}._spf.%{d} -all"],
            ("1.2.0.192.in-addr._spf.example.com", "A"): ["127.0.0.2"],
        },
        GOOD,
        "",
    ),
    ("no address", {(D, "TXT"): ["v=spf1 ip4:192.0.2.999 -all"]}, WRONG, "is no address"),
    ("no term", {(D, "TXT"): ["v=spf1 ipv4:192.0.2.1 -all"]}, WRONG, "“ipv4:192.0.2.1”"),
    (
        "not ours",
        {(D, "TXT"): ["v=spf1 ip4:203.0.113.9 a:two.example.com//64 -ip4:192.0.2.1 -all"]},
        WRONG,
        "v=spf1 ip4:203.0.113.9 a:two.example.com//64 ip4:192.0.2.1 -ip4:192.0.2.1 -all",
    ),
    ("nobody", {(D, "TXT"): ["v=spf1 -all"]}, WRONG, "v=spf1 ip4:192.0.2.1 -all"),
    ("silent", {(D, "TXT"): SILENT}, UNKNOWN, "in time"),
    ("SERVFAIL", {(D, "TXT"): SERVFAIL}, UNKNOWN, "answered with an error"),
    ("SERVFAIL within", {(D, "TXT"): ["v=spf1 include:_s.example.net -all"], SUB: SERVFAIL}, UNKNOWN, ""),
]


@pytest.mark.parametrize("changes, standing, words", [one[1:] for one in SPF], ids=[one[0] for one in SPF])
def test_spf(asked: tuple[dict, tuple[str, int]], changes: Changes, standing: DomainStanding, words: str):
    found = of(judged(asked, changes), DomainTopic.SPF)
    assert found.standing is standing, found
    assert words in " ".join([found.what, *found.notes, *(record.value for record in found.records)]), found
    assert found.why or standing in (GOOD, UNKNOWN)


def test_spf_is_asked_for_what_the_relay_wants_included(asked: tuple[dict, tuple[str, int]]):
    sender = SenderDomain(D, D, (), "_spf.relay.example", (OURS,))
    assert (
        of(judged(asked, sender=sender), DomainTopic.SPF).records[0].value
        == "v=spf1 ip4:192.0.2.1 include:_spf.relay.example -all"
    )
    relay = {
        (D, "TXT"): ["v=spf1 include:_spf.relay.example -all"],
        ("_spf.relay.example", "TXT"): ["v=spf1 ip4:203.0.113.0/24 -all"],
    }
    assert of(judged(asked, relay, sender), DomainTopic.SPF).standing is GOOD
    assert (
        of(judged(asked, sender=SenderDomain(D, D)), DomainTopic.SPF).standing is UNKNOWN
    )  # nobody has said from where


KEYS = [
    ("revoked", {(KEY, "TXT"): ["v=DKIM1; p="]}, WRONG, "revoked"),
    ("1024 bits", {(KEY, "TXT"): [f"v=DKIM1; p={RSA_1024}"]}, GOOD, "1,024 bits"),
    ("512 bits", {(KEY, "TXT"): [f"p={public(1024)[:80]}"]}, WRONG, "no key; was it cut off?"),
    (
        "by another name",
        {(KEY, "TXT"): [], (KEY, "CNAME"): ["k.relay.example"], ("k.relay.example", "TXT"): [f"k=rsa; p={RSA_1024}"]},
        GOOD,
        "stands for k.relay.example",
    ),
    ("another name without a key", {(KEY, "TXT"): [], (KEY, "CNAME"): ["k.relay.example"]}, MISSING, "no key"),
    ("a test", {(KEY, "TXT"): [f"v=DKIM1; t=y; p={RSA_1024}"]}, GOOD, "t=y"),
    ("SHA-1 alone", {(KEY, "TXT"): [f"v=DKIM1; h=sha1; p={RSA_1024}"]}, WRONG, "SHA-256"),
    ("not for mail", {(KEY, "TXT"): [f"v=DKIM1; s=other; p={RSA_1024}"]}, WRONG, "not for mail"),
    ("an unknown kind", {(KEY, "TXT"): [f"v=DKIM1; k=new; p={RSA_1024}"]}, WRONG, "“new”"),
    ("two", {(KEY, "TXT"): [f"p={RSA_1024}", f"p={ED}"]}, WRONG, "2 keys"),
    ("split by blanks", {(KEY, "TXT"): [f"k=ed25519; p={ED[:9]} {ED[9:]}"]}, GOOD, ""),
    ("silent", {(KEY, "TXT"): SILENT}, UNKNOWN, "in time"),
]


@pytest.mark.parametrize("changes, standing, words", [one[1:] for one in KEYS], ids=[one[0] for one in KEYS])
def test_keys_that_the_relay_signs_with(
    asked: tuple[dict, tuple[str, int]], changes: Changes, standing: DomainStanding, words: str
):
    found = of(judged(asked, changes, SenderDomain(D, D, (IP,), selectors=(("s1", ""),))), DomainTopic.DKIM)
    assert (found.standing, words in " ".join([found.what, *found.notes])) == (standing, True), found


def test_our_own_key_is_compared_with_what_stands_there(asked: tuple[dict, tuple[str, int]]):
    found = of(judged(asked, {(KEY, "TXT"): [f"v=DKIM1; p={RSA_1024}"]}), DomainTopic.DKIM)
    assert found.standing is WRONG and "another key" in found.what and found.records[0].value.endswith(ED)


ABOVE = "_dmarc.example.com"
NEWS = SenderDomain("news.example.com", "news.example.com", (IP,))
ELSEWHERE = SenderDomain(D, "bounce.relay.example", ())
DMARC = [
    ("none", ALL_GOOD, {(ABOVE, "TXT"): ["v=DMARC1;p=none"]}, GOOD, "names no address for reports"),
    ("quarantine", ALL_GOOD, {(ABOVE, "TXT"): ["v=DMARC1; p=quarantine; pct=20; t=y"]}, GOOD, "20 %"),
    ("no policy", ALL_GOOD, {(ABOVE, "TXT"): ["v=DMARC1; sp=none"]}, WRONG, "no policy"),
    ("an unknown policy", ALL_GOOD, {(ABOVE, "TXT"): ["v=DMARC1; p=block"]}, WRONG, "“block”"),
    (
        "no policy, but reports",
        ALL_GOOD,
        {(ABOVE, "TXT"): ["v=DMARC1; p=block; rua=mailto:d@example.com"]},
        GOOD,
        "p=none",
    ),
    ("two records", ALL_GOOD, {(ABOVE, "TXT"): ["v=DMARC1; p=none", "v=DMARC1; p=reject"]}, WRONG, "has 2 of them"),
    (
        "above, with sp",
        NEWS,
        {(ABOVE, "TXT"): ["v=DMARC1; p=none; sp=quarantine"]},
        GOOD,
        "example.com, above it, asks for mails that",
    ),
    ("above, without sp", NEWS, {}, GOOD, "refused"),
    (
        "above the above",
        SenderDomain("a.b.example.com", D),
        {("_dmarc.b.example.com", "TXT"): ["v=DMARC1; p=quarantine"]},
        GOOD,
        "example.com, above it, asks for mails that only claim to be from it to be refused",
    ),
    ("another organization", ELSEWHERE, {}, WRONG, "another organization"),
    (
        "a signature of another",
        SenderDomain(D, "bounce.relay.example", selectors=(("k1", "relay.example"),)),
        {("k1._domainkey.relay.example", "TXT"): [f"p={RSA_1024}"]},
        WRONG,
        "another organization",
    ),
    ("signed", SenderDomain(D, "bounce.relay.example", own_keys=(OURS,)), {}, GOOD, "by their signature"),
    (
        "strict",
        SenderDomain(D, "bounce.example.com"),
        {(ABOVE, "TXT"): ["v=DMARC1; p=none; aspf=s"]},
        WRONG,
        "another organization",
    ),
    ("relaxed", SenderDomain(D, "bounce.example.com"), {}, GOOD, "by SPF alone"),
    (
        "a registry above",
        SenderDomain("shop.co.example", "mail.other.co.example"),
        {("_dmarc.co.example", "TXT"): ["v=DMARC1; p=reject; psd=y"]},
        WRONG,
        "another organization",
    ),
    (
        "the registry's policy",
        SenderDomain("shop.co.example", "mail.shop.co.example"),
        {("_dmarc.co.example", "TXT"): ["v=DMARC1; p=reject; psd=y"]},
        GOOD,
        "refused",
    ),
    ("SERVFAIL", ALL_GOOD, {(ABOVE, "TXT"): SERVFAIL}, UNKNOWN, "answered with an error"),
]


@pytest.mark.parametrize("sender, changes, standing, words", [one[1:] for one in DMARC], ids=[one[0] for one in DMARC])
def test_dmarc(
    asked: tuple[dict, tuple[str, int]], sender: SenderDomain, changes: Changes, standing: DomainStanding, words: str
):
    found = of(judged(asked, changes, sender), DomainTopic.DMARC)
    assert (found.standing, words in " ".join([found.what, *found.notes])) == (standing, True), found


HOSTS = [
    ("null MX", DomainTopic.MX, {(D, "MX"): ["0 ."]}, WRONG, "no mail at all"),
    ("an address alone", DomainTopic.MX, {(D, "MX"): [], (D, "A"): [IP]}, GOOD, "Replies go to example.com"),
    ("a server without an address", DomainTopic.MX, {(D, "MX"): ["1 lost.example.com"]}, WRONG, "has no address"),
    ("silent", DomainTopic.MX, {(D, "MX"): SILENT}, UNKNOWN, "in time"),
    ("not confirmed", DomainTopic.REVERSE, {("mx.example.com", "A"): ["192.0.2.7"]}, WRONG, "does not lead back"),
    ("no name", DomainTopic.REVERSE, {("1.2.0.192.in-addr.arpa", "PTR"): []}, MISSING, "has no name"),
    ("SERVFAIL", DomainTopic.REVERSE, {("1.2.0.192.in-addr.arpa", "PTR"): SERVFAIL}, UNKNOWN, "error"),
    (
        "there",
        DomainTopic.MTA_STS,
        {(f"_mta-sts.{D}", "TXT"): ["v=STSv1; id=20261130;"]},
        GOOD,
        "has an MTA-STS record",
    ),
    ("without an id", DomainTopic.MTA_STS, {(f"_mta-sts.{D}", "TXT"): ["v=STSv1; id="]}, WRONG, "not heeded"),
]


@pytest.mark.parametrize(
    "topic, changes, standing, words", [one[1:] for one in HOSTS], ids=[f"{one[1]}: {one[0]}" for one in HOSTS]
)
def test_names_of_machines(
    asked: tuple[dict, tuple[str, int]], topic: DomainTopic, changes: Changes, standing: DomainStanding, words: str
):
    found = of(judged(asked, changes), topic)
    assert (found.standing, words in found.what) == (standing, True), found


def test_a_domain_of_other_letters_is_asked_for_as_dns_knows_it(asked: tuple[dict, tuple[str, int]]):
    domain = in_ascii("Bücher.example")
    changes = {(domain, "TXT"): ["v=spf1 ip4:192.0.2.1 -all"], (f"_dmarc.{domain}", "TXT"): ["v=DMARC1; p=none"]}
    found = judged(asked, changes, SenderDomain(domain, domain, (IP,)))
    assert of(found, DomainTopic.SPF).what.startswith("The SPF record of bücher.example allows")
    assert of(found, DomainTopic.DMARC).what.startswith("bücher.example asks")


def test_nothing_is_said_to_be_missing_when_dns_is_away(asked: tuple[dict, tuple[str, int]]):
    zone, server = asked
    zone.clear()
    zone.update(dict.fromkeys(BASE, SILENT) | {("example.com", "*"): SILENT})
    for name in ("s1._domainkey.example.com", "_mta-sts.example.com", "_dmarc.com"):
        zone[name, "*"] = SILENT
    dns = Dns([server], question_s=0.1)
    assert {one.standing for one in judge_domain(dns.look_up, ALL_GOOD)} == {UNKNOWN}
    assert dns.look_up("one.more.example", "A").away == "DNS does not answer"
