"""The library: kept once, found, replaced in drafts alone, deleted only where no mail refers to it."""

from datetime import timedelta
from io import BytesIO

import pytest
from PIL import Image
from sqlalchemy.orm import Session

from tests import factories
from tests.factories import NOW
from webapp.core import broadcasts
from webapp.core.broadcasts import replaced_pictures
from webapp.core.errors import Conflict
from webapp.core.media import attachments, forgetting, library, uses
from webapp.core.rules.lifecycle import BroadcastState
from webapp.core.rules.media import pictures
from webapp.core.tables import Base
from webapp.core.tables.media import MediaFile

MOST = 5_000_000


def picture(session: Session, colour: str = "red", name: str = "logo.png") -> MediaFile:
    out = BytesIO()
    Image.new("RGB", (40, 30), colour).save(out, "PNG")
    return library.add_picture(session, pictures.prepared(out.getvalue()), name, None, NOW, alt=f"A {colour} square")


def document(session: Session, content_id: int, name: str = "terms.txt", data: bytes = b"Terms") -> MediaFile:
    return library.get(session, attachments.attach(session, content_id, name, data, None, NOW, most=MOST).file_id)


def test_what_comes_twice_is_kept_once_and_is_known_by_a_name_that_nobody_guesses(session: Session):
    first, again, other = picture(session), picture(session, name="x.png"), picture(session, "blue")
    assert first is again and first.name != other.name and len(first.name) == 36
    found = library.picture(session, first.name)
    assert found is not None and len(found.data) == first.size
    assert library.picture(session, "0" * 32 + ".png") is None


def test_it_is_found_by_words_of_its_name_and_of_what_it_shows(session: Session):
    red, blue = picture(session), picture(session, "blue", "Sky_1%.png")
    for search, found in (
        ("LOGO", [red]),
        ("square blue", [blue]),
        ("sky_1%", [blue]),
        ("nothing", []),
        ("", [blue, red]),
    ):
        assert list(library.listing(session, search)[0]) == found


@pytest.mark.parametrize("address", ["https://mail.example.com/media/{}", "cid:{}"])
def test_a_file_is_deleted_only_where_no_mail_refers_to_it(session: Session, address: str):
    file = picture(session)
    broadcast = factories.broadcast(session, name="Spring", html=f'<img src="{address.format(file.name)}" alt="x">')
    assert [(one.title, one.may_change) for one in uses.of(session, file)] == [("Spring", True)]
    with pytest.raises(Conflict, match="“Spring” refers to it"):
        library.remove(session, file.id)
    broadcasts.delete_draft(session, broadcast.id)
    library.remove(session, file.id)
    assert library.listing(session) == ([], 0)


def test_an_attachment_keeps_its_file_and_a_duplicate_shares_it(session: Session):
    broadcast = factories.broadcast(session, name="Spring")
    file = document(session, broadcast.content.id)
    copy = broadcasts.duplicate(session, broadcast.id, None, NOW)
    assert [one.file_id for one in attachments.listing(session, copy.content.id)] == [file.id]
    broadcasts.delete_draft(session, broadcast.id)
    with pytest.raises(Conflict, match="refers to it"):
        library.remove(session, file.id)


def test_a_replaced_picture_changes_drafts_and_no_mail_that_is_scheduled_or_sent(session: Session):
    old, new = picture(session), picture(session, "blue")
    html = f'<img src="cid:{old.name}" alt="x">'
    draft, sent = (
        factories.broadcast(session, html=html),
        factories.broadcast(session, html=html, state=BroadcastState.FINISHED),
    )
    version = draft.version
    assert replaced_pictures.replace(session, old, new, NOW) == 1
    session.expire_all()
    assert new.name in draft.content.html and draft.version == version + 1
    assert sent.content.html == html and library.picture(session, old.name)
    assert list(library.listing(session)[0]) == [new]


def test_what_nothing_refers_to_is_forgotten_after_its_time(session: Session):
    used, unused, replaced = picture(session), picture(session, "blue"), picture(session, "green")
    factories.broadcast(session, html=f'<img src="cid:{used.name}" alt="">')
    replaced_pictures.replace(session, replaced, unused, NOW)
    left = []
    for days in (0, 2, 500):
        assert forgetting.forget_unused(session, NOW + timedelta(days=days), 0, 50) is None
        left.append({one.name for one in session.query(MediaFile)})
    assert left == [{used.name, unused.name, replaced.name}, {used.name, unused.name}, {used.name}]


def test_every_column_in_which_a_picture_may_stand_is_looked_at():
    """A table with HTML in it, or with a document that becomes HTML, is named in `uses.TEXTS`; else its pictures would be forgotten."""
    looked_at = {(column.class_.__tablename__, column.key) for column in uses.TEXTS.values()}
    telling = ("html", "mjml", "body", "document", "design", "footer", "header_html")
    there = {
        (table.name, column.name)
        for table in Base.metadata.tables.values()
        for column in table.columns
        if column.name in telling
    }
    assert there == looked_at
