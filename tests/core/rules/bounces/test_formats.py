"""Mails that came back, in the forms of the servers that people meet: each is read as what it says, and is a mail to other parsers too."""

import fast_mail_parser
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.core.rules.bounces.building import BACK, MARK, Format, own_form
from tests.core.rules.bounces.formats import FORMATS
from webapp.core.rules.bounces import read
from webapp.core.rules.relay_event import LONGEST_WORDS, EventKind


@pytest.mark.parametrize("one", FORMATS, ids=lambda one: one.name)
def test_each_form_is_read_as_what_it_says(one: Format):
    reading = read(one.raw)
    assert (reading.kind, reading.status) == (one.kind, one.status or reading.status), reading
    if one.address:
        assert reading.address == one.address
    assert list(reading.marks) == ([MARK] if one.is_marked else [])
    assert BACK in reading.recipients


def test_there_are_a_hundred_of_them_and_no_two_are_alike():
    assert len(FORMATS) >= 120
    assert len({one.name for one in FORMATS}) == len({one.raw for one in FORMATS}) == len(FORMATS)
    assert {one.kind for one in FORMATS} == set(EventKind) - {EventKind.UNSUBSCRIBED}


@pytest.mark.parametrize("one", FORMATS, ids=lambda one: one.name)
def test_each_is_a_mail_to_a_parser_that_shares_nothing_with_ours(one: Format):
    found = fast_mail_parser.parse_email(one.raw)
    assert not found.warnings
    assert found.subject
    assert found.from_
    assert found.text_plain or found.text_html


def test_what_our_own_mail_says_is_not_taken_for_the_reason():
    """The mail that comes back speaks of a disabled account and a full mailbox itself."""
    raw = own_form("Your message to zoe@example.net was returned.\n550 5.1.1 no such user", subject="Undeliverable")
    assert read(raw).status == "5.1.1"
    assert "disabled" not in read(raw).words


def test_a_mark_is_found_in_a_part_that_is_encoded():
    for encoding in ("base64", "8bit"):
        assert list(read(own_form("no such user", encoding=encoding)).marks) == [MARK]


PIECES = st.sampled_from(
    [
        *(one.raw for one in FORMATS[:: len(FORMATS) // 12]),
        *(b"\r\n", b"\n\n", b"--B\r\n", b"--B--", b"\0", b"\xff\xfe", b": ", b"=?utf-8?b?//8=?=", b"Content-Type: "),
        *(
            b"message/delivery-status",
            b"message/rfc822",
            b"multipart/report; boundary=B",
            b"Action: failed\r\n",
            b"5.1.1",
        ),
    ]
)


@given(st.lists(st.one_of(PIECES, st.binary(max_size=40)), max_size=12).map(b"".join))
@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
def test_whatever_comes_is_read_without_an_error(raw: bytes):
    reading = read(raw)
    assert reading.kind in EventKind
    assert len(reading.words) <= LONGEST_WORDS
    assert len(reading.marks) <= 10


@pytest.mark.parametrize(
    "raw",
    [
        b"".join(b'Content-Type: multipart/mixed; boundary="%d"\r\n\r\n--%d\r\n' % (n, n) for n in range(3_000)),
        b"Content-Type: message/rfc822\r\n\r\n" * 5_000,
        b"Subject: " + b"=?utf-8?q?=41?= " * 20_000 + b"\r\n\r\n",
        b"From: mailer-daemon@example.net\r\n\r\n" + b"a@b " * 60_000,
        b"From: mailer-daemon@example.net\r\n\r\n" + b"<" * 250_000,
        b"From: mailer-daemon@example.net\r\n\r\n" + b"mailbox " * 30_000,
        b"Content-Type: text/plain; charset=x-none\r\nContent-Transfer-Encoding: base64\r\n\r\n" + b"=" * 200_000,
    ],
    ids=lambda raw: raw[:24].decode("ascii"),
)
def test_hostile_mails_are_read_without_an_error(raw: bytes):
    assert read(raw).kind in EventKind
