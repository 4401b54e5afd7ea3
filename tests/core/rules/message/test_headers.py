"""Header fields by themselves and in whole mails."""

import itertools
import re
from base64 import b64decode
from binascii import a2b_qp
from datetime import UTC, datetime, timedelta, timezone
from operator import itemgetter

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.core.rules.message.mails import compiled, rendered, stamp
from tests.core.rules.message.readers import READERS, fit_for_the_wire
from webapp.core.errors import Invalid
from webapp.core.rules.message import Envelope, headers, message_id

LONG_LINK = "<https://example.com/u/" + "a" * 120 + ">"


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("Anna Bell", "To: Anna Bell <anna@example.com>\r\n"),
        ("", "To: anna@example.com\r\n"),
        ("Dr. Bell, Anna", 'To: "Dr. Bell, Anna" <anna@example.com>\r\n'),
        ('A "B" \\C', 'To: "A \\"B\\" \\\\C" <anna@example.com>\r\n'),
        ("Zoë", "To: =?utf-8?q?Zo=C3=AB?= <anna@example.com>\r\n"),
        ("王小明", "To: =?utf-8?b?546L5bCP5piO?= <anna@example.com>\r\n"),
        ("=?utf-8?q?x?=", "To: =?utf-8?b?PT91dGYtOD9xP3g/PQ==?= <anna@example.com>\r\n"),
        ("a\r\nBcc: x@y.z", 'To: "a Bcc: x@y.z" <anna@example.com>\r\n'),
    ],
)
def test_a_name_is_bare_quoted_or_encoded_as_it_needs(name, written):
    assert headers.mailbox("To", name, "anna@example.com") == written


@pytest.mark.parametrize(
    "name", ["x" * 900, "é" * 900, "word " * 50, "जीवन " * 40, "👩‍👩‍👧‍👦" * 30, "a" * 75, "a" * 72]
)
@pytest.mark.parametrize("address", ["a@b.example", "a" * 60 + "@" + "b" * 60 + ".example"])
def test_long_names_are_folded_and_read_back_whole(name, address):
    field = headers.mailbox("To", name, address)
    assert all(len(line) <= 76 for line in field.split("\r\n") if "=?" in line)
    assert all(len(word) <= 75 for word in re.findall(r"=\?.*?\?=", field))
    mail = rendered(compiled(text="x"), {"full_name": name}, to=stamp(address=address))
    assert all(read(mail).to == (name.strip(), address) for read in READERS)


@pytest.mark.parametrize(
    "address",
    [
        *("a b@c.example", "a@b\r\nBcc: x@y.z", "a@b@c", "<a@b.c>", "a@", "@b"),
        *(
            "ä@bü.example",
            "ä b@c.example",
            "ä\u2028@b.example",
            "ä\x85@b.example",
            "ä\u00a0@b.example",
            "ä<@b.example",
            "\ud800@b.example",
        ),
    ],
)
def test_an_address_that_could_break_the_field_is_refused(address):
    with pytest.raises(ValueError, match="is not an address"):
        headers.mailbox("To", "A", address)


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("", "To: žofie@example.com\r\n"),
        ("Anna", "To: Anna <žofie@example.com>\r\n"),
        ("Žofie", "To: =?utf-8?b?xb1vZmll?= <žofie@example.com>\r\n"),
    ],
)
def test_an_address_outside_ascii_is_written_as_it_is_and_the_name_as_ever(name, written):
    assert headers.mailbox("To", name, "žofie@example.com") == written


@pytest.mark.parametrize(
    "address", ["žofie@example.com", "用户@xn--r8jz45g.example", "שלום@example.com", "👍" * 16 + "@example.com"]
)
@pytest.mark.parametrize("name", ["", "Žofie Malá", "שלום עולם", "王" * 300])
def test_only_the_field_with_such_an_address_is_not_ascii(address, name):
    message = compiled("<p>Hi {{ first_name }}</p>")
    ours = rendered(message, {"full_name": name, "first_name": name}, to=stamp(address=address))
    plain = rendered(message, {"full_name": name, "first_name": name}, to=stamp(address="x@example.com"))
    assert [line for line in ours.split(b"\r\n") if not line.isascii()] == [
        line for line in ours.split(b"\r\n") if address.encode() in line
    ]
    assert ours.replace(address.encode(), b"x@example.com").replace(b"\r\n <x@", b" <x@") == plain.replace(
        b"\r\n <x@", b" <x@"
    )
    assert fit_for_the_wire(ours, international=True)
    assert all(read(ours).to == (name, address) for read in READERS)


def test_a_sender_outside_ascii_can_be_written_and_a_reply_address_cannot():
    mail = rendered(compiled(text="x", envelope=Envelope.of("Žofie <žofie@bücher.example>")), {})
    assert "From: =?utf-8?b?xb1vZmll?= <žofie@xn--bcher-kva.example>\r\n".encode() in mail
    with pytest.raises(Invalid, match="most servers would not take the mail") as refusal:
        compiled(text="x", envelope=Envelope.of("eva@example.com", "žofie@example.com"))
    assert refusal.value.field == "reply_to"


@pytest.mark.parametrize(
    ("subject", "lines"),
    [
        ("Short", ["Subject: Short"]),
        ("", ["Subject:"]),
        ("a  b \t c", ["Subject: a b c"]),
        ("word " * 20, ["Subject:" + " word" * 13, " word" * 7]),
        ("Grüße", ["Subject: =?utf-8?b?R3LDvMOfZQ==?="]),
        ("=?utf-8?q?x?=", ["Subject: =?utf-8?b?PT91dGYtOD9xP3g/PQ==?="]),
        ("x\r\nBcc: a@b.c", ["Subject: x Bcc: a@b.c"]),
        ("x\u2028y\x00z", ["Subject: x yz"]),
    ],
)
def test_a_subject_is_one_line_of_ascii_folded_at_blanks(subject, lines):
    assert headers.unstructured("Subject", subject).split("\r\n") == [*lines, ""]


def test_no_character_is_divided_between_two_encoded_words():
    for word in re.findall(r"=\?utf-8\?b\?(.*?)\?=", headers.unstructured("Subject", "aжé漢😀" * 30)):
        assert b64decode(word).decode()


@given(st.text(st.sampled_from("a жéजक漢 😀"), max_size=40).map(lambda text: text * 8), st.integers(2, 30))
@example("a" + "漢" * 100, 9)
def test_encoded_words_say_the_same_one_by_one_and_where_neighbours_in_base64_are_decoded_as_one(text, column):
    written = headers.encoded_words(text, column)
    words = re.findall(r"=\?utf-8\?(.)\?(.*?)\?=", written)
    assert written == "\r\n ".join(f"=?utf-8?{how}?{word}?=" for how, word in words)
    assert all(len(line) <= 76 for line in (" " * column + written).split("\r\n"))
    assert "".join(word_of(how, word).decode() for how, word in words) == text
    groups = itertools.groupby(words, key=itemgetter(0))
    joined = [word_of(how, "".join(word for _, word in group)) for how, group in groups]
    assert b"".join(joined).decode() == text


def word_of(how: str, word: str) -> bytes:
    return b64decode(word, validate=True) if how == "b" else a2b_qp(word, header=True)


def test_list_fields_are_never_encoded_and_folded_only_between_their_items():
    field = headers.extra("List-Unsubscribe", f"{LONG_LINK}, <mailto:leave@example.com?subject=leave>")
    assert field == f"List-Unsubscribe: {LONG_LINK},\r\n <mailto:leave@example.com?subject=leave>\r\n"
    assert "=?" not in field


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("List-Unsubscribe", "<https://example.com/ü>"),
        ("List-Unsubscribe", "<https://example.com/" + "a" * 1000 + ">"),
        ("List-Unsubscribe", "<https://example.com/>\r\nBcc: x@y.z"),
        ("Bcc", "x@y.z"),
        ("To", "x@y.z"),
        ("X: y\r\nBcc", "x@y.z"),
        ("X Y", "z"),
        ("", "z"),
    ],
)
def test_fields_that_would_do_harm_are_refused(name, value):
    with pytest.raises(Invalid):
        headers.extra(name, value)


def test_a_mail_has_each_field_once_in_a_fixed_order():
    extra = [
        ("List-Unsubscribe", LONG_LINK),
        ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"),
        ("X-Note", "grün"),
    ]
    mail = rendered(compiled("<p>Hi</p>", "Hi"), {"full_name": "Zoë Hall"}, extra)
    assert READERS[1](mail).fields == (
        "From", "To", "Reply-To", "Subject", "Date", "Message-ID", "MIME-Version",
        "List-Unsubscribe", "List-Unsubscribe-Post", "X-Note", "Content-Type",
    )  # fmt: skip
    assert b"\r\nDate: Mon, 23 Nov 2026 09:05:07 +0000\r\n" in mail
    assert b"\r\nList-Unsubscribe: " + LONG_LINK.encode() + b"\r\n" in mail


def test_a_date_is_said_in_utc_whatever_its_zone():
    there = datetime(2027, 1, 1, 0, 30, tzinfo=timezone(timedelta(hours=5, minutes=30)))
    assert headers.date(there) == headers.date(there.astimezone(UTC)) == "Thu, 31 Dec 2026 19:00:00 +0000"


def test_message_ids_differ_by_delivery_and_by_broadcast_and_come_from_the_senders_domain():
    ids = {message_id(number, secret, "example.com") for number in range(50) for secret in ("a", "b")}
    assert len(ids) == 100
    assert all(re.fullmatch(r"\d+\.[0-9a-f]{32}@example\.com", one) for one in ids)
    mail = rendered(compiled(text="x"), {})
    assert f"\r\nMessage-ID: <{message_id(17, stamp().broadcast_secret, 'example.com')}>\r\n".encode() in mail


def test_the_boundary_comes_from_the_broadcasts_secret_and_stands_in_no_part():
    message = compiled("<p>--=_x {{ company }}</p>")
    boundary = headers.boundary(stamp().broadcast_secret)
    mail = rendered(message, {"company": f"--{boundary}"})
    assert mail.count(b"--" + boundary.encode()) == 3
    assert f"--{boundary}" in READERS[0](mail).html
    assert boundary.encode() not in rendered(message, {}, to=stamp(secret="another"))


def test_a_sender_is_taken_apart_and_a_sender_that_cannot_be_used_is_refused():
    assert Envelope.of('"Müller, Eva" <eva@bücher.example>').from_address == "eva@xn--bcher-kva.example"
    assert Envelope.of("eva@example.com").from_name == ""
    for sender in ("", "Eva", "Eva <eva>", "Eva <eva@example.com> x <y"):
        with pytest.raises(Invalid) as refusal:
            Envelope.of(sender)
        assert refusal.value.field == "from_address"
    with pytest.raises(Invalid) as refusal:
        compiled(text="x", envelope=Envelope.of("eva@example.com", "nonsense"))
    assert refusal.value.field == "reply_to"
