"""What mails carry: files for everybody, and one for each recipient."""

import io
import zipfile
from email import message_from_bytes
from email.policy import default

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from tests import factories
from tests.core.media.test_library import MOST, document, picture
from tests.factories import NOW
from webapp.core import ledger
from webapp.core.broadcasts.review import review
from webapp.core.content import own_file_gaps
from webapp.core.content.compiling import compiled
from webapp.core.errors import DomainError, Invalid
from webapp.core.media import attachments, library, own_files
from webapp.core.rules.lifecycle import BroadcastState, DeliveryState, SkipReason
from webapp.core.tables.deliveries import Delivery, delivery_id
from webapp.core.tables.media import WithoutOwnFile

URL = "https://mail.example.com"


def names_in(data: bytes) -> list[str | None]:
    return [one.get_filename() for one in message_from_bytes(data, policy=default).iter_attachments()]  # type: ignore[attr-defined]


def archive(**files: bytes) -> io.BytesIO:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, data in files.items():
            packed.writestr(f"invoices/{name}.txt", data)
    return out


def take(
    session: Session, content_id: int, table: str, files: dict[str, io.BytesIO], most: int = MOST
) -> own_files.OwnFilesTaken:
    return own_files.take(session, content_id, table.encode(), files, None, NOW, most=most, pause=session.flush)


def test_a_mail_carries_its_picture_and_its_files(session: Session):
    logo = picture(session)
    broadcast = factories.broadcast(session, html=f'<p>Hi</p><img src="cid:{logo.name}" alt="Logo">')
    document(session, broadcast.content.id, "Größe.txt")
    session.commit()
    mail = compiled(session, broadcast, URL).mail(0, "ada@example.net", NOW, ["Ada"])
    found = message_from_bytes(mail.whole, policy=default)
    assert mail.size == len(mail.whole) and names_in(mail.whole) == ["Größe.txt"]
    assert [part["Content-ID"] for part in found.walk() if part["Content-ID"]] == [f"<{logo.name}>"]
    assert [part.get_content() for part in found.iter_attachments()] == ["Terms"]  # type: ignore[attr-defined]


def test_a_picture_that_is_gone_is_said(session: Session):
    broadcast = factories.broadcast(session, html=f'<img src="cid:{"0" * 32}.png" alt="Logo">')
    with pytest.raises(Invalid, match="not in the library"):
        compiled(session, broadcast, URL)


def test_a_mail_carries_so_much_and_no_more_and_nothing_twice(session: Session):
    content_id = factories.broadcast(session).content.id
    attachments.attach(session, content_id, "a.txt", b"a" * 600, None, NOW, most=1_000)
    attachments.attach(session, content_id, "b.txt", b"b" * 300, None, NOW, most=1_000)
    for name, data, words in (
        ("c.txt", b"c" * 500, "a mail carries at most 1 kB"),
        ("again.txt", b"a" * 600, "a mail carries at most 1 kB"),
        ("evil.exe", b"MZ", "can do harm"),
    ):
        with pytest.raises(Invalid, match=words):
            attachments.attach(session, content_id, name, data, None, NOW, most=1_000)
    with pytest.raises(Invalid, match="attached already"):
        attachments.attach(session, content_id, "again.txt", b"a" * 600, None, NOW, most=5_000)
    assert [one.name for one in attachments.listing(session, content_id)] == ["a.txt", "b.txt"]


@pytest.mark.parametrize(
    ("table", "rows"),
    [
        ("File;Client number\na.pdf;1\nb.pdf;2\n", {"1": "a.pdf", "2": "b.pdf"}),
        ("1,a.pdf\r\n2,a.pdf\r\n\r\n3,\r\n", {"1": "a.pdf", "2": "a.pdf"}),
        ("\ufeffNumber\tFilename\n007\tü.pdf\n", {"007": "ü.pdf"}),
    ],
)
def test_a_table_says_who_gets_which_file(table: str, rows: dict[str, str]):
    assert own_files.rows_of(table.encode()) == rows


@pytest.mark.parametrize(
    ("table", "words"),
    [("", "empty"), ("1\n2\n", "one column"), ("1,a.pdf\n1,b.pdf\n", "two files"), ("number,file\n", "names no file")],
)
def test_a_table_that_cannot_be_used_is_refused(table: str, words: str):
    with pytest.raises(Invalid, match=words):
        own_files.rows_of(table.encode())


def test_each_recipient_gets_their_own_file_and_who_has_none_is_known(session: Session):
    ada, bob, cid = (factories.client(session, number=number) for number in ("A1", "B2", "C3"))
    broadcast = factories.broadcast(session, html="<p>Hi</p>")
    table = "number,file\nA1,ada.txt\nB2,bob.TXT\nC3,lost.txt\nD4,evil.txt\n"
    files = {"all.zip": archive(ada=b"for Ada", Bob=b"for Bob", nobody=b"?", evil=b"#!/bin/sh")}
    taken = take(session, broadcast.content.id, table, files)
    assert (taken.rows, taken.lacking, taken.unnamed) == (2, [("C3", "lost.txt")], ["nobody.txt"])
    assert ["a script" in words for words in taken.refused] == [True]
    today = NOW.date()
    assert own_file_gaps.count(session, broadcast, broadcast.content, today) == 1
    assert [row[0] for row in own_file_gaps.listed(session, broadcast, broadcast.content, today)] == ["C3"]
    session.commit()
    content = compiled(session, broadcast, URL)
    session.commit()
    for client, name in ((ada, "ada.txt"), (bob, "Bob.txt")):
        whole = content.mail(delivery_id(broadcast.id, client.id), "a@example.net", NOW, ["x"]).whole
        assert names_in(whole) == [name]
    assert names_in(content.mail(0, "c@example.net", NOW, ["x"], cid.id).whole) == [], "a preview"
    said = [one.message for one in review(session, broadcast, NOW).warnings if one.place == "attachments"]
    assert said == ["1 recipient has no file of their own, and gets no mail."]
    assert library.listing(session) == ([], 0), "files of single recipients are not in the library"
    with pytest.raises(DomainError, match="no file for this recipient"):
        content.mail(delivery_id(broadcast.id, cid.id), "c@example.net", NOW, ["x"])


@pytest.mark.parametrize("when_missing", WithoutOwnFile)
def test_who_has_none_is_skipped_at_the_freeze_or_gets_the_mail_without_it(
    session: Session, when_missing: WithoutOwnFile
):
    factories.client(session, number="A1")
    factories.client(session, None, number="B2")
    factories.client(session, number="C3")
    broadcast = factories.broadcast(session, html="<p>Hi</p>")
    take(session, broadcast.content.id, "A1,a.txt", {"a.txt": io.BytesIO(b"for Ada")})
    own_files.decide(session, broadcast.content.id, when_missing)
    for state in (BroadcastState.SCHEDULED, BroadcastState.SENDING):
        broadcast.state, broadcast.started_at = state, NOW
        session.flush()
    assert ledger.freeze_chunk(session, broadcast.id, NOW)
    rows = {(row.state, row.reason) for row in session.scalars(select(Delivery))}
    lacking = (DeliveryState.SKIPPED, SkipReason.NO_FILE)
    expected = {(DeliveryState.PENDING, None), (DeliveryState.SKIPPED, SkipReason.NO_ADDRESS)}
    assert rows == expected | ({lacking} if when_missing is WithoutOwnFile.SKIP else set())


def test_a_file_that_unpacks_to_more_than_a_mail_has_room_for_is_not_read(session: Session):
    content_id = factories.broadcast(session).content.id
    taken = take(session, content_id, "1,a.txt", {"all.zip": archive(a=b"a" * 3_000_000)}, most=1_000_000)
    assert taken.rows == 0 and "larger than the 1.0 MB" in taken.refused[0]
