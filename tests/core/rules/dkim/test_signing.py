"""Signatures as others verify them, and the same bytes each time."""

import hashlib
import re
from base64 import b64encode
from datetime import UTC, datetime, timedelta
from functools import cache

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.core.rules.dkim.dkimpy import verdicts
from tests.dns_server import dns_server
from webapp.core.rules.dkim import VALID_FOR, Algorithm, MailSigner, SigningKey, canonical, opened, record_of
from webapp.core.rules.dkim.keys import made
from webapp.core.rules.message import (
    Enclosed,
    Enclosure,
    Envelope,
    Frame,
    MailIdentity,
    MessageParts,
    compile_message,
)
from webapp.core.rules.message.enclosures import encoded

NOW = datetime.now(UTC).replace(microsecond=0)
DOMAIN = "example.com"


@cache
def key(algorithm: Algorithm, which: int = 1) -> tuple[SigningKey, str]:
    """A key of example.com, and its record."""
    private, public = made(algorithm)
    return SigningKey(DOMAIN, f"s{which}-{algorithm.kind}", algorithm, opened(private)), record_of(algorithm, public)


def zone(which: int = 1) -> dict[tuple[str, str], list[str]]:
    found = {}
    for algorithm in Algorithm:
        own, record = key(algorithm, which)
        found[f"{own.selector}._domainkey.{DOMAIN}", "TXT"] = [record]
    return found


def signer(*which: int) -> MailSigner:
    return MailSigner([key(algorithm, one)[0] for one in which or (1,) for algorithm in Algorithm])


def mail(
    html: str = "<p>Dear {{ first_name }},  there is\t news.</p>", name: str = "Zoë", date: datetime = NOW
) -> bytes:
    message = compile_message(
        MessageParts("News for {{ first_name }}: a subject that is so long that it must be folded", html),
        Envelope.of("Exämple <news@example.com>", "help@example.com"),
        Frame("https://mail.example.com", is_marketing=True, list_name="topic-1", broadcast_id=17),
    )
    values = {"full_name": f"{name} Hall", "first_name": name}
    return message.render(
        [values.get(tag, "Words") for tag in message.tags], MailIdentity(7, "s", "zoe@example.net", date, "t" * 44)
    )


def signed(data: bytes, date: datetime = NOW, by: MailSigner | None = None) -> bytes:
    return (by or signer()).fields(data, date) + data


def with_attachments() -> bytes:
    files = [Enclosure("Preise 2027.pdf", "application/pdf", encoded(bytes(range(256)) * 40))]
    parts = MessageParts("Prices", "<p>Dear {{ first_name }},</p>\n\n\n")
    message = compile_message(parts, Envelope.of("news@example.com"), None, Enclosed([], files))
    data, tail = message.render(["Zoë", "Zoë"], MailIdentity(7, "s", "zoe@example.net", NOW)), message.tail("s")
    return signer().fields(data, NOW, tail) + data + b"".join(tail)


def test_dkimpy_verifies_both_signatures_and_finds_what_was_changed():
    whole = signed(mail())
    old = NOW - timedelta(days=9)
    long = signed(mail("<p>" + "word <b>and</b>   more<br>" * 900 + "{{ first_name }}</p>"))
    cases = {
        "as it was": (whole, "good", "good"),
        "base64": (signed(mail("<p>Здравствуйте, {{ first_name }}! Цена остаётся прежней.</p>")), "good", "good"),
        "long": (long, "good", "good"),
        "with attachments": (with_attachments(), "good", "good"),
        "nothing in it": (signed(b"From: a@example.com\r\nSubject: x\r\n\r\n"), "good", "good"),
        "empty lines and blanks": (signed(b"From: a@example.com\r\n\r\na  b \t\r\n\r\n\t \r\n\r\n"), "good", "good"),
        "blanks changed on the way": (whole.replace(b"Feedback-ID: ", b"FEEDBACK-ID:   "), "good", "good"),
        "another body": (whole.replace(b"there is", b"there was"), "body hash mismatch", "body hash mismatch"),
        "another subject": (whole.replace(b"Subject: ", b"Subject: =?utf-8?q?Re:_?= "), "bad", "bad"),
        "another way out": (whole.replace(b"<https://mail.example.com", b"<https://evil.example.org", 1), "bad", "bad"),
        "a second sender": (whole.replace(b"\r\nTo:", b"\r\nFrom: e@evil.example\r\nTo:", 1), "bad", "bad"),
        "another key": (signed(mail(), by=signer(2)).replace(b"s=s2-", b"s=s1-"), "bad", "bad"),
        "expired": (signed(mail(date=old), old), "past", "past"),
        "no such key": (whole.replace(b"s=s1-", b"s=s3-"), "not good", "not good"),
        "two generations": (signed(mail(), by=signer(1, 2)), *["good"] * 4),
    }
    with dns_server(zone(1) | zone(2)) as (server, _):
        found = verdicts([data for data, *_ in cases.values()], server)
    for (name, (_, *wanted)), said in zip(cases.items(), found, strict=True):
        assert len(said) == len(wanted), name
        for one, all_said in zip(wanted, said, strict=True):
            assert all_said != "good" if one == "not good" else one in all_said, f"{name}: {all_said}"


def test_the_same_mail_has_the_same_signature_whoever_signs_and_whatever_was_signed_before():
    data, warmed = mail(), signer()
    for number in range(5):
        warmed.fields(mail(name=f"Name{number}"), NOW)
    assert warmed.fields(data, NOW) == signer().fields(data, NOW) == warmed.fields(data, NOW)


def test_what_is_signed_is_named_and_from_once_more():
    said = re.sub(rb"\s", b"", signer().fields(mail(), NOW)).decode()
    assert (
        said.count(
            "h=From:From:To:Subject:Date:Message-ID:MIME-Version:Content-Type:Reply-To:List-Unsubscribe:"
            "List-Unsubscribe-Post:List-Id:Feedback-ID;"
        )
        == 2
    )
    assert f"t={int(NOW.timestamp())};x={int((NOW + VALID_FOR).timestamp())};" in said


def test_no_line_is_longer_than_a_mail_should_have():
    assert max(map(len, signer().fields(mail(), NOW).split(b"\r\n"))) <= 78


def test_a_key_signs_the_mails_of_its_time_alone():
    private, _ = made(Algorithm.ED25519)
    sign, hour = opened(private), timedelta(hours=1)
    old = SigningKey(DOMAIN, "old", Algorithm.ED25519, sign, NOW - hour, NOW)
    new = SigningKey(DOMAIN, "new", Algorithm.ED25519, sign, NOW)
    both = MailSigner([old, new])
    assert b"s=old" in (before := both.fields(mail(), NOW - timedelta(seconds=1))) and b"s=new" not in before
    assert b"s=new" in (after := both.fields(mail(), NOW)) and b"s=old" not in after
    assert both.fields(mail(), NOW - 2 * hour) == b""


LINES = st.lists(
    st.sampled_from([b"a", b"word and word", b"x" * 300, b"", b" ", b"\t", b"a  b ", b"\xc3\xa4"]), max_size=12
)
BODIES = LINES.map(lambda lines: b"".join(line + b"\r\n" for line in lines))


def naive(raw: bytes) -> bytes:
    """The hash of a relaxed body, word by word as RFC 6376 section 3.4.4 has it."""
    lines = [re.sub(rb"[ \t]+", b" ", line).rstrip(b" ") for line in raw.split(b"\r\n")]
    while lines and not lines[-1]:
        lines.pop()
    whole = b"".join(line + b"\r\n" for line in lines)
    return b64encode(hashlib.sha256(whole).digest())


@given(st.lists(BODIES, min_size=1, max_size=5), BODIES)
@example([b"x" * 600 + b"\r\n \r\n", b"x" * 600 + b"\r\n \r\ny\r\n", b"x" * 600 + b"\r\n"], b"")
def test_what_bodies_have_in_common_changes_no_hash(bodies: list[bytes], start: bytes):
    hashes = canonical.BodyHash()
    for one in bodies:
        for whole in (start * 3 + one, one):
            assert hashes.of(whole) == naive(whole)


@pytest.mark.parametrize("raw, form", [(b"SUBJect \t:  A \r\n\t b ", b"subject:A b"), (b"X:", b"x:")])
def test_a_field_in_its_relaxed_form(raw: bytes, form: bytes):
    assert canonical.field(raw) == form
