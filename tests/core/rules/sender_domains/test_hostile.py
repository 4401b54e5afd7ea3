"""Whatever stands in DNS, there is a judgement: others write there, too."""

from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.dns_server import dns_server
from webapp.adapters.dns import Dns
from webapp.core.rules.sender_domains.answers import DnsAnswer
from webapp.core.rules.sender_domains.findings import DomainFinding
from webapp.core.rules.sender_domains.judgements import SenderDomain, judge_domain, keys_shown
from webapp.core.rules.sender_domains.keys_in_dns import selectors_in

SENDER = SenderDomain(
    "example.com", "example.com", ("192.0.2.1", "2001:db8::1"), "r.example", selectors=(("s1", ""), ("s2", "x.example"))
)
PIECES = st.sampled_from(
    [
        "v=spf1",
        "v=DMARC1;",
        "v=DKIM1;",
        "v=STSv1; id=",
        "p=",
        "p=none;",
        "sp=",
        "psd=y;",
        "psd=n;",
        "pct=¹;",
        "pct=٣;",
        "rua=",
        "k=",
        "h=",
        "s=",
        "t=",
        "t=y;",
        "include:",
        "redirect=",
        "exists:",
        "a",
        "a/64",
        "mx",
        "mx//129",
        "a:",
        "ptr",
        "all",
        "-",
        "~",
        "?",
        "+",
        "ip4:",
        "ip6:",
        "192.0.2.1",
        "/24",
        "/99",
        "::1",
        "%{ir}",
        "%{s0r-}",
        "%{d99}",
        "%",
        "%{",
        "example.com",
        "r.example",
        ".",
        ":",
        "/",
        ";",
        " ",
        " ",
        "AAAA",
        "=",
        "\x00",
        "ä",
        "“",
    ]
)
TEXTS = st.lists(PIECES, max_size=12).map("".join)
RECORDS = st.dictionaries(
    st.sampled_from(
        [
            "example.com",
            "_dmarc.example.com",
            "_dmarc.com",
            "r.example",
            "s1._domainkey.example.com",
            "_mta-sts.example.com",
        ]
    ),
    st.lists(TEXTS | TEXTS.map("v=spf1 {}".format) | TEXTS.map("v=DMARC1; {}".format), max_size=3),
)


@settings(max_examples=150)
@given(RECORDS)
@example({"example.com": ["v=spf1 a/64 mx//129 -all"]})
@example({"example.com": ["v=spf1 include:example.com redirect=example.com"]})
def test_every_zone_has_a_judgement(zone: dict[str, list[str]]):
    others = {"A": ("192.0.2.9",), "AAAA": ("2001:db8::9",), "MX": ("10 mx.example.com",), "PTR": ("mx.example.com",)}

    def lookup(name: str, kind: str) -> DnsAnswer:
        return DnsAnswer(tuple(zone.get(name, ())) if kind == "TXT" else others[kind])

    found = judge_domain(lookup, SENDER)
    assert [DomainFinding.of_json(one.as_json()) for one in found] == found
    assert all(one.what.endswith(".") for one in found), found
    assert keys_shown(lookup, SENDER) == []


@given(st.text() | TEXTS)
def test_whatever_is_pasted_selectors_are_names(text: str):
    assert all(selector.isascii() and " " not in selector for selector, _ in selectors_in(text))


def test_what_cannot_be_printed_or_asked_for_is_no_error():
    with dns_server({("example.com", "TXT"): ["a\x00b\u202ec"]}) as (server, _):
        dns = Dns([server])
        assert dns.look_up("example.com", "TXT").records == ("a\ufffdb\ufffdc",)
        for name in ("a..b", "x" * 64 + ".example", "ä" * 70 + ".example", ".", "a b.example", "\x00.example"):
            assert not dns.look_up(name, "A").records
