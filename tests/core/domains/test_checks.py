"""What is kept of domains, when they are looked at, and what a review is told."""

from datetime import timedelta

import pytest
from sqlalchemy.orm import Session

from tests.factories import NOW
from webapp.core.domains import checks, keys
from webapp.core.domains.sealing import Seal
from webapp.core.errors import Invalid
from webapp.core.rules.sender_domains.findings import DomainFinding, DomainStanding, DomainTopic
from webapp.core.settings import from_addresses

D = "example.com"
HOUR = timedelta(hours=1)


def found(session: Session, **standings: str) -> None:
    """As if somebody had looked."""
    checks.begin(session, D, NOW)
    kept = {topic.value: "good" for topic in DomainTopic} | standings
    checks.record(
        session,
        D,
        [DomainFinding(DomainTopic(one), DomainStanding(how), "So it is.") for one, how in kept.items()],
        NOW,
    )


@pytest.fixture
def sender(session: Session) -> Session:
    from_addresses.add(session, "News", "news@example.com")
    from_addresses.add(session, "", "other@EXAMPLE.com")
    from_addresses.add(session, "", "info@bücher.example")
    return session


def test_each_domain_of_the_senders_stands_once(sender: Session):
    assert checks.domains(sender) == [D, "xn--bcher-kva.example"]
    assert [one.name for one in checks.listing(sender)] == [D, "bücher.example"]
    assert checks.of_sender(sender, "x@bücher.example").checked_at is None


def test_when_a_domain_is_looked_at(sender: Session):
    from_addresses.remove(sender, 3)
    assert checks.due(sender, NOW) == [D]
    found(sender)
    assert checks.due(sender, NOW + 23 * HOUR) == [] and checks.due(sender, NOW + 24 * HOUR) == [D]
    found(sender, mx="unknown")
    assert checks.due(sender, NOW + 0.9 * HOUR) == [] and checks.due(sender, NOW + HOUR) == [D]
    keys.make(sender, D, Seal("s"), NOW)
    assert checks.due(sender, NOW + 0.1 * HOUR) == [] and checks.due(sender, NOW + 0.2 * HOUR) == [D]


def test_what_a_review_is_told(sender: Session):
    def told() -> list[str]:
        return checks.concerns(checks.of_sender(sender, "news@example.com"))

    assert told() == [], "nobody has looked"
    found(sender, mx="wrong", reverse="missing")
    assert told() == []
    found(sender, spf="unknown")
    assert told() == [], "what could not be looked up is not missing"
    found(sender, dmarc="missing")
    assert told()[0].startswith("DMARC of example.com is not as")
    found(sender, spf="wrong", dkim="missing", dmarc="missing")
    assert told()[0].startswith("SPF, DKIM and DMARC of example.com are not as")


def test_how_mails_leave_is_kept_and_judged(sender: Session):
    checks.save_route(sender, "192.0.2.1, 2001:DB8::1 192.0.2.1", "include:_spf.Relay.example")
    checks.name_selectors(sender, D, "k1, DKIM-Signature\nk2")
    checks.name_selectors(
        sender,
        D,
        "DKIM-Signature: v=1; d=relay.example;\r\n s=K7; bh=x\r\nSubject: x\r\nDKIM-Signature: d=example.com; s=k8",
    )
    judged = checks.sender_domain(sender, D, "")
    assert judged.leaves_from == ("192.0.2.1", "2001:db8::1") and judged.spf_include == "_spf.relay.example"
    assert judged.selectors == (("k7", "relay.example"), ("k8", D)) and judged.return_path == D
    assert checks.sender_domain(sender, D, "bounce+*@Bounce.example.com").return_path == "bounce.example.com"
    checks.name_selectors(sender, D, "")
    assert checks.sender_domain(sender, D, "").selectors == ()


@pytest.mark.parametrize(
    "leaves, include, field",
    [
        ("192.0.2", "", "leaves_from"),
        ("x", "", "leaves_from"),
        ("", "a b.example", "spf_include"),
        ("", "relay", "spf_include"),
    ],
)
def test_what_makes_no_sense_is_refused(sender: Session, leaves: str, include: str, field: str):
    with pytest.raises(Invalid) as refused:
        checks.save_route(sender, leaves, include)
    assert refused.value.field == field


def test_a_text_without_a_selector_is_refused(sender: Session):
    with pytest.raises(Invalid):
        checks.name_selectors(sender, D, "Subject: none here; d=example.com; s=a b!")
