"""The library's pages, and pictures for everybody who reads a mail with them."""

from io import BytesIO

import pytest
from flask import Flask
from flask.testing import FlaskClient
from PIL import Image
from sqlalchemy.orm import Session

from tests import factories
from tests.pages.page import read
from tests.visitors import sign_in
from webapp.core.rules.lifecycle import BroadcastState
from webapp.core.tables.broadcasts import Broadcast


@pytest.fixture
def visitor(sqlite_app: Flask, sqlite_session: Session) -> FlaskClient:
    return sign_in(sqlite_app, sqlite_session)


def png(colour: str = "red", width: int = 40) -> BytesIO:
    out = BytesIO()
    Image.new("RGB", (width, 30), colour).save(out, "PNG")
    return BytesIO(out.getvalue())


def upload(visitor: FlaskClient, file: BytesIO | None = None, name: str = "logo.png", **fields: str) -> dict[str, str]:
    answer = visitor.post("/media/pictures", data={"file": (file or png(), name), **fields})
    assert answer.status_code == 200, answer.json
    found: dict[str, str] = answer.json  # type: ignore[assignment]
    return found


def path_of(told: dict[str, str]) -> str:
    return "/media/" + told["hosted"].rpartition("/")[2]


def test_the_editor_learns_by_which_names_a_mail_shows_a_picture(visitor: FlaskClient):
    told = upload(visitor, png(width=1800), width="200", alt="Our  logo")
    assert told["hosted"].startswith("http") and told["inside"] == "cid:" + path_of(told).removeprefix("/media/")
    assert (told["width"], told["alt"], told["adds"]) == (200, "Our logo", "1 kB")
    assert visitor.get(f"/media/about/{path_of(told).removeprefix('/media/')}").json == told


@pytest.mark.parametrize(("data", "words"), [(b"<svg xmlns='x'/>", "SVG"), (b"no picture", "no PNG"), (b"", "empty")])
def test_what_is_no_picture_is_refused_in_words(visitor: FlaskClient, data: bytes, words: str):
    answer = visitor.post("/media/pictures", data={"file": (BytesIO(data), "logo.png")})
    assert answer.status_code == 422 and words in answer.json["problem"]  # type: ignore[index]


def test_everybody_sees_a_picture_whose_name_they_know_for_good_and_nothing_of_it_runs(
    visitor: FlaskClient, sqlite_app: Flask
):
    path, stranger = path_of(upload(visitor)), sqlite_app.test_client()
    answer = stranger.get(path)
    assert (answer.status_code, answer.mimetype) == (200, "image/png") and Image.open(BytesIO(answer.data)).size == (
        40,
        30,
    )
    head = answer.headers
    assert (
        head["Cache-Control"] == "public, max-age=31536000, immutable" and head["X-Content-Type-Options"] == "nosniff"
    )
    assert "sandbox" in head["Content-Security-Policy"] and "Set-Cookie" not in head
    assert stranger.get(path, headers={"If-None-Match": head["ETag"]}).status_code == 304
    assert [stranger.get(other).status_code for other in ("/media/" + "0" * 32 + ".png", "/media/x")] == [404, 404]
    assert stranger.get("/media/").status_code == stranger.get("/media/file/1").status_code == 302


def test_the_library_is_searched_and_a_file_says_what_shows_it(visitor: FlaskClient, sqlite_session: Session):
    told = upload(visitor, alt="A red square")
    upload(visitor, png("blue"), "sky.png")
    factories.broadcast(sqlite_session, name="Spring", html=f'<img src="{told["inside"]}" alt="x">')
    sqlite_session.commit()
    assert read(visitor.get("/media/")).texts(".//ul//a//b") == ["sky.png", "logo.png"]
    found = read(visitor.get("/media/?q=square", headers={"HX-Request": "true"}))
    assert found.texts(".//a//b") == ["logo.png"]
    page = read(visitor.get(found.at(".//li/a")["href"]))
    assert "Spring" in page and "draft" in page
    assert visitor.get(found.at(".//li/a/img")["src"]).mimetype == "image/jpeg"


def test_a_replaced_picture_stays_in_what_was_sent_and_is_deleted_only_without_a_mail(
    visitor: FlaskClient, sqlite_session: Session
):
    told = upload(visitor)
    drafted = factories.broadcast(sqlite_session, html=f'<img src="{told["inside"]}" alt="x">')
    sent = factories.broadcast(
        sqlite_session, html=f'<img src="{told["inside"]}" alt="x">', state=BroadcastState.FINISHED
    )
    sqlite_session.commit()
    ids = drafted.id, sent.id
    assert visitor.post("/media/file/1/replace", data={"file": (BytesIO(b"no"), "x.png")}).status_code == 422
    answer = visitor.post("/media/file/1/replace", data={"file": (png("blue"), "new.png")}, follow_redirects=True)
    assert "1 draft shows it now" in answer.text
    sqlite_session.rollback()
    new, old = (sqlite_session.get_one(Broadcast, id_).content.html for id_ in ids)
    assert told["inside"] in old and told["inside"] not in new
    refused = visitor.post("/media/file/1/delete")
    assert refused.status_code == 409 and "refers to it" in refused.text
    assert visitor.post("/media/file/1", data={"file_name": "Old.png", "alt": " x "}).status_code == 303
    assert visitor.get("/media/file/1/download").headers["Content-Disposition"] == "attachment; filename=Old.png"


def test_a_picture_inside_the_mail_is_seen_in_the_preview(visitor: FlaskClient, sqlite_session: Session):
    told = upload(visitor)
    draft = factories.broadcast(sqlite_session, html=f'<p><img src="{told["inside"]}" alt="Logo"></p>')
    sqlite_session.commit()
    answer = visitor.get(f"/mass-mail/{draft.id}/content/mail")
    assert f'src="{path_of(told)}"' in answer.text and "cid:" not in answer.text
    assert 'media="/media/"' in visitor.get(f"/mass-mail/{draft.id}/content/").text
