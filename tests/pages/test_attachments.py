"""What the mails of a draft carry: attached, asked about, refused, taken off; and a file for each recipient."""

from email import message_from_bytes
from email.policy import default
from io import BytesIO

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from tests import factories
from tests.core.media.test_library import picture
from tests.pages.page import Page, read
from tests.visitors import sign_in
from webapp.core.broadcasts import lifecycle
from webapp.core.rules.lifecycle import DeliveryState
from webapp.core.tables.broadcasts import Broadcast

HTMX = {"HX-Request": "true"}
PDF = b"%PDF-1.7\n" + b"x" * 3_000_000


@pytest.fixture
def visitor(sqlite_app: Flask, sqlite_session: Session) -> FlaskClient:
    return sign_in(sqlite_app, sqlite_session)


@pytest.fixture
def draft(sqlite_session: Session) -> Broadcast:
    for number in ("A1", "B2"):
        factories.client(sqlite_session, number=number)
    row = factories.broadcast(sqlite_session, html="<p>Hi</p>")
    sqlite_session.commit()
    return row


def send(visitor: FlaskClient, draft: Broadcast, path: str = "", **fields: object) -> tuple[int, Page]:
    answer = visitor.post(f"/mass-mail/{draft.id}/attachments/{path}", data=fields, headers=HTMX)
    return answer.status_code, read(answer)


def names(page: Page) -> list[str]:
    return page.texts(".//ul[contains(@class, 'attached')]//a")


def test_files_are_attached_with_what_all_mails_take_and_taken_off_again(visitor: FlaskClient, draft: Broadcast):
    status, page = send(visitor, draft, file=[(BytesIO(PDF), "Größe.pdf"), (BytesIO(b"Terms"), "terms.txt")])
    assert status == 200 and names(page) == ["Größe.pdf", "terms.txt"]
    assert page.text("#attached-volume") == "4.1 MB in each mail × 2 = 8.2 MB: about 7 s on a line of 10 Mbit/s."
    assert names(read(visitor.get(f"/mass-mail/{draft.id}/content/"))) == ["Größe.pdf", "terms.txt"]
    link = page.at(".//ul[contains(@class, 'attached')]/li[1]/a")["href"]
    assert visitor.get(link).data == PDF
    status, page = send(
        visitor,
        draft,
        page.at(".//ul[contains(@class, 'attached')]/li[1]/form")["action"].rpartition("attachments/")[2],
    )
    assert status == 200 and names(page) == ["terms.txt"]


def test_what_is_too_much_or_runs_is_refused_and_a_wrong_name_is_asked_about(visitor: FlaskClient, draft: Broadcast):
    for name, data, words in (("a.pdf", PDF + PDF, "at most 5.0 MB"), ("a.exe", b"MZ", "can do harm")):
        status, page = send(visitor, draft, file=(BytesIO(data), name))
        assert status == 422 and words in page.alerts[0] and not page.has(".//input[@name='agreed']")
    status, page = send(visitor, draft, file=(BytesIO(b"%PDF-1.7"), "a.txt"))
    assert status == 422 and "looks like pdf" in page.alerts[0] and page.has(".//input[@name='agreed']")
    status, page = send(visitor, draft, file=(BytesIO(b"%PDF-1.7"), "a.txt"), agreed="1")
    assert status == 200 and names(page) == ["a.txt"]


def test_a_file_for_each_recipient_says_who_has_none(visitor: FlaskClient, draft: Broadcast):
    table = b"number,file\nA1,a.txt\nB2,lost.txt\n"
    status, page = send(visitor, draft, "own", table=(BytesIO(table), "t.csv"), files=(BytesIO(b"for Ada"), "a.txt"))
    assert status == 200 and "1 client has a file now" in page and "lost.txt for client B2" in page
    assert "1 recipient has no file" in page.text("#own-lacking")
    rows = visitor.get(f"/mass-mail/{draft.id}/attachments/own/lacking.csv").text.splitlines()
    assert rows[0] == "\ufeffclient,name,address" and rows[1].startswith("B2,")
    status, page = send(visitor, draft, "own/when-missing", when_missing="send")
    assert status == 200 and page.at("*[@name='when_missing'][@checked]")["value"] == "send"
    assert send(visitor, draft, "own", table=(BytesIO(b""), "t.csv"), files=(BytesIO(b"x"), "a.txt"))[0] == 422
    status, page = send(visitor, draft, "own/remove", remove="1")
    assert status == 200 and not page.has("#own-lacking")


def test_without_scripts_it_is_a_page_and_leads_back(visitor: FlaskClient, draft: Broadcast):
    url = f"/mass-mail/{draft.id}/attachments/"
    answer = visitor.post(url, data={"file": (BytesIO(b"Terms"), "terms.txt")}, follow_redirects=True)
    assert answer.status_code == 200 and names(read(answer)) == ["terms.txt"]
    assert visitor.post(url, data={}).status_code == 422


def test_a_mail_that_was_sent_is_shown_with_its_files_and_pictures(
    visitor: FlaskClient, draft: Broadcast, sqlite_session: Session
):
    send(visitor, draft, file=(BytesIO(b"Terms"), "Größe.txt"))
    sqlite_session.rollback()
    logo = picture(sqlite_session)
    draft.content.html = f'<p>Hi</p><img src="cid:{logo.name}" alt="Logo">'
    row = factories.delivery(
        sqlite_session, draft, state=DeliveryState.ACCEPTED, merge_values='["Ada"]', stamped_at=factories.NOW
    )
    sqlite_session.commit()
    url = f"/mass-mail/{draft.id}/deliveries/{row.id}"
    assert "Größe.txt" in read(visitor.get(url))
    assert "octets of pictures and attachments follow" in visitor.get(f"{url}?as=source").text
    assert f'src="/media/{logo.name}"' in visitor.get(f"{url}/html").text
    mail = message_from_bytes(visitor.get(f"{url}/message.eml").data, policy=default)
    assert [one.get_filename() for one in mail.iter_attachments()] == ["Größe.txt"]  # type: ignore[attr-defined]


def test_what_is_scheduled_is_not_changed(visitor: FlaskClient, draft: Broadcast, sqlite_session: Session):
    lifecycle.cancel(sqlite_session, draft.id, factories.NOW)
    sqlite_session.commit()
    assert send(visitor, draft, file=(BytesIO(b"Terms"), "terms.txt"))[0] == 409
    assert visitor.get(f"/mass-mail/{draft.id}/attachments/?language=xx").status_code == 404
