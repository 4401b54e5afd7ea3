"""Pictures inside a mail and attachments, as other parsers read them."""

from datetime import UTC, datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default

import pytest
from fast_mail_parser import parse_email

from tests.core.rules.dkim.test_signing import naive
from webapp.core.rules.dkim import canonical
from webapp.core.rules.message import (
    Enclosed,
    Enclosure,
    Envelope,
    MailIdentity,
    MessageParts,
    MessageTooLarge,
    compile_message,
)
from webapp.core.rules.message.enclosures import encoded

CID = "0123456789abcdef0123456789abcdef.png"
PICTURE = Enclosure("logo.png", "image/png", encoded(bytes(range(256)) * 30), CID)
NAMES = (
    "terms.pdf",
    "Übersicht der Preise.pdf",
    "報告書.pdf",
    "a;b=c'%41.txt",
    "x" * 146 + ".pdf",
    "Ж" * 140 + ".pdf",
    "a=?b?=.txt",
)
FILES = tuple(Enclosure(name, "application/pdf", encoded(name.encode() * 50)) for name in NAMES)
HTML = f'<p>Dear {{{{ first_name }}}},</p><p><img src="cid:{CID}" alt="Logo"></p>'
SECRET = "s" * 32
IDENTITY = MailIdentity(17, SECRET, "ada@example.net", datetime(2026, 11, 23, tzinfo=UTC))
ENVELOPE = Envelope.of("News <news@example.com>", max_bytes=1_000_000)


def mail(enclosed: Enclosed | None, parts: MessageParts, own: tuple[Enclosure, ...] = ()) -> bytes:
    message = compile_message(parts, ENVELOPE, None, enclosed)
    return message.render(["Ada"] * len(message.tags), IDENTITY) + b"".join(message.tail(SECRET, own))


def parsed(data: bytes) -> EmailMessage:
    found = message_from_bytes(data, policy=default)
    assert isinstance(found, EmailMessage)
    assert [part.defects for part in found.walk() if part.defects] == []
    return found


def structure(part: EmailMessage) -> object:
    if not part.is_multipart():
        return part.get_content_type()
    return {part.get_content_type(): [structure(one) for one in part.iter_parts()]}  # type: ignore[arg-type]


PARTS = MessageParts("Hello", HTML)
RELATED = {"multipart/related": ["text/html", "image/png"]}


@pytest.mark.parametrize(
    ("enclosed", "parts", "expected"),
    [
        (Enclosed([PICTURE]), PARTS, {"multipart/alternative": ["text/plain", RELATED]}),
        (
            Enclosed([PICTURE], FILES[:1]),
            PARTS,
            {"multipart/mixed": [{"multipart/alternative": ["text/plain", RELATED]}, "application/pdf"]},
        ),
        (
            Enclosed([], FILES[:2]),
            MessageParts("Hello", "<p>Hi</p>"),
            {"multipart/mixed": [{"multipart/alternative": ["text/plain", "text/html"]}, *["application/pdf"] * 2]},
        ),
        (
            Enclosed([], FILES[:1]),
            MessageParts("Hello", "", "Hi"),
            {"multipart/mixed": ["text/plain", "application/pdf"]},
        ),
    ],
)
def test_parts_stand_where_mail_programs_look_for_them(enclosed: Enclosed, parts: MessageParts, expected: object):
    assert structure(parsed(mail(enclosed, parts))) == expected


def test_names_in_any_script_and_all_octets_are_read_by_others():
    data = mail(Enclosed([PICTURE], FILES), PARTS)
    found = parsed(data)
    attached = list(found.iter_attachments())
    assert [one.get_filename() for one in attached] == list(NAMES)
    assert [one.get_content() for one in attached] == [name.encode() * 50 for name in NAMES]
    assert [one["Content-Type"].params["name"] for one in attached[:3]] == list(NAMES[:3]), "what old programs read"
    picture = next(part for part in found.walk() if part.get_content_type() == "image/png")
    assert picture["Content-ID"] == f"<{CID}>" and picture.get_content_disposition() == "inline"
    assert picture.get_content() == bytes(range(256)) * 30
    other = parse_email(data)
    assert len(other.attachments) == len(FILES) + 1
    assert {one.content for one in other.attachments} >= {name.encode() * 50 for name in NAMES}
    assert f"cid:{CID}" in other.text_html[0] and "Dear Ada" in other.text_plain[0]


def test_no_line_is_too_long_begins_with_a_dot_or_lacks_its_end():
    data = mail(Enclosed([PICTURE], FILES), PARTS)
    lines = data.split(b"\r\n")
    assert b"\n" not in data.replace(b"\r\n", b"") and data.endswith(b"--\r\n")
    assert max(map(len, lines)) <= 200 and not any(line.startswith(b".") for line in lines)
    assert max(len(line) for line in lines if b"filename*" in line) < 78


def test_each_recipient_may_have_a_file_of_their_own():
    enclosed = Enclosed([], FILES[:1], has_own=True)
    names = [
        [one.get_filename() for one in parsed(mail(enclosed, PARTS, own)).iter_attachments()]
        for own in ((), FILES[1:2])
    ]
    assert names == [[NAMES[0]], list(NAMES[:2])]


def test_the_octets_of_a_file_are_those_of_all_mails_and_never_copied():
    message = compile_message(PARTS, ENVELOPE, None, Enclosed([PICTURE], FILES[:1]))
    first, second = message.tail(SECRET), message.tail(SECRET)
    assert [one for one in first if one is PICTURE.body] and [one for one in second if one is FILES[0].body]


def test_what_is_signed_is_the_hash_of_the_whole_body():
    message = compile_message(PARTS, ENVELOPE, None, Enclosed([PICTURE], FILES, has_own=True))
    hashes = canonical.BodyHash()
    for name, own in (("Ada", ()), ("Ada", ()), ("Zoë", FILES[:1]), ("Ada  B ", FILES[:1]), ("Ada  B ", ())):
        head, tail = message.render([name] * len(message.tags), IDENTITY), message.tail(SECRET, own)
        body = head.partition(b"\r\n\r\n")[2]
        assert hashes.of(body, tail) == naive(body + b"".join(tail))


def test_without_enclosures_a_mail_is_what_it_was():
    plain = compile_message(PARTS, ENVELOPE)
    assert compile_message(PARTS, ENVELOPE, None, Enclosed()).render(["Ada", "Ada"], IDENTITY) == plain.render(
        ["Ada", "Ada"], IDENTITY
    )
    assert plain.tail(SECRET) == ()


def test_a_mail_that_is_too_large_with_them_is_refused():
    with pytest.raises(MessageTooLarge):
        compile_message(PARTS, Envelope.of("a@example.com", max_bytes=5_000), None, Enclosed([PICTURE]))
