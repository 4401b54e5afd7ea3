"""Content, Templates; and how a draft begins with one, is filled in, and becomes one."""

import zipfile
from io import BytesIO

import pytest
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from tests import factories
from tests.core.branding.test_pictures import file
from tests.factories import NOW
from tests.pages import page
from webapp.core import broadcasts
from webapp.core.branding import brands
from webapp.core.branding.brands import Wanted
from webapp.core.designs import library
from webapp.core.designs.library import DesignText
from webapp.core.tables.branding import DesignKind
from webapp.core.tables.broadcasts import Broadcast

GALLERY = "ul[@class='gallery']//h3"
HTML = '<p>On <mark class="fill">day</mark> we <mark class="fill">what</mark>.</p>'


@pytest.fixture
def design(sqlite_session: Session) -> library.Shelved:
    made = library.make(
        sqlite_session, "Mine", DesignKind.MESSAGE, DesignText("Subject", "Before", HTML), "uma@example.org", NOW
    )
    sqlite_session.commit()
    return made


def empty_draft(session: Session) -> Broadcast:
    broadcast = factories.broadcast(session, subject="", html="")
    session.commit()
    return broadcast


def test_the_gallery_has_a_picture_of_each_and_is_searched(browser_client: FlaskClient, design: library.Shelved):
    shown = page.read(browser_client.get("/templates/"))
    names = shown.texts(GALLERY)
    assert names[0] == "Mine" and {"Incident", "Newsletter", "Two columns"} <= set(names) and len(names) == 12
    for frame in shown.all("ul[@class='gallery']//iframe"):
        answer = browser_client.get(frame["src"])
        assert "sandbox" in answer.headers["Content-Security-Policy"] and "b-sheet" in answer.get_data(as_text=True)
    assert page.read(browser_client.get("/templates/?q=planned")).texts(GALLERY) == ["Planned maintenance"]
    assert "No template is called that" in page.read(browser_client.get("/templates/?q=zzz")).text("#main")


def test_a_template_is_written_changed_and_taken_back(browser_client: FlaskClient, sqlite_session: Session):
    data = {"name": "Ours", "subject": "Hello", "preheader": "", "html": "<p>One</p>\r\n<p>x</p>"}
    assert browser_client.post("/templates/new", data=data | {"html": ""}).status_code == 422
    answer = browser_client.post("/templates/new", data=data)
    assert answer.status_code == 303
    url = answer.location
    changed = {"seen": "1", "subject": "Hello", "html": "<p>Two</p>", "note": "Shorter"}
    assert browser_client.post(f"{url}/edit", data=changed).status_code == 303
    assert browser_client.post(f"{url}/edit", data=changed | {"html": "<p>Three</p>"}).status_code == 422, "seen is 1"
    shown = page.read(browser_client.get(f"{url}?version=1"))
    assert "Shorter" in shown.text("#main") and "This is version 1" in shown.text("#main")
    back = shown.form("div[@class='notice']//form")
    browser_client.post(back["action"], data=back.fields)
    design_id = int(url.rpartition("/")[2])
    assert DesignText.of(library.get(sqlite_session, design_id).version).html == "<p>One</p>\n<p>x</p>"


def test_it_is_renamed_duplicated_and_put_away(
    browser_client: FlaskClient, sqlite_session: Session, design: library.Shelved
):
    url = f"/templates/{design.design.id}"
    browser_client.post(f"{url}/rename", data={"name": "Yours"})
    copy = browser_client.post(f"{url}/duplicate").location
    assert "Yours (copy)" in page.read(browser_client.get(copy)).heading
    browser_client.post(f"{url}/archive")
    assert "Yours" not in page.read(browser_client.get("/templates/")).texts(GALLERY)
    assert page.read(browser_client.get("/templates/?archived=1")).texts(GALLERY) == ["Yours"]
    browser_client.post(f"{url}/bring-back")
    assert "Yours" in page.read(browser_client.get("/templates/")).texts(GALLERY)
    told = browser_client.post(f"{url}/rename", data={"name": " "}, follow_redirects=True)
    assert "Give it a name." in told.get_data(as_text=True)


def test_a_new_mass_mail_begins_with_a_template(
    browser_client: FlaskClient, sqlite_session: Session, design: library.Shelved
):
    start = page.read(browser_client.get(f"/templates/{design.design.id}")).link("Create a mass mail")
    form = page.read(browser_client.get(start)).form("form[contains(@class, 'stack')]")
    data = form.fields | {"purpose": "important", "important_reason": "It changes what they pay"}
    answer = browser_client.post("/mass-mail/new", data=data)
    assert answer.status_code == 303, answer.get_data(as_text=True)
    sqlite_session.rollback()
    broadcast = sqlite_session.get_one(Broadcast, int(answer.location.split("/")[-3]))
    assert broadcast.content.html == HTML and broadcast.design_version_id == design.version.id


def test_an_empty_draft_begins_with_one_and_its_parts_are_filled_in(
    browser_client: FlaskClient, sqlite_session: Session, design: library.Shelved
):
    broadcast = empty_draft(sqlite_session)
    url = f"/mass-mail/{broadcast.id}"
    gallery = page.read(browser_client.get(f"{url}/content/")).link("Start from a template")
    assert "Use it" in page.read(browser_client.get(gallery)).text("#main")
    answer = browser_client.post(f"{url}/template/start", data={"version_id": str(design.version.id)})
    form = page.read(browser_client.get(answer.location)).form("form[@aria-label='Parts to fill']")
    browser_client.post(form["action"], data=form.fields | {"part-0": "Monday", "prompt": ["day", "what"]})
    sqlite_session.rollback()
    assert broadcast.content.html == '<p>On Monday we <mark class="fill">what</mark>.</p>'
    shown = page.read(browser_client.get(f"{url}/content/"))
    assert "1 part of the template still open" in shown.text("#origin") and "version 1" in shown.text("#origin")
    late = browser_client.post(f"{url}/template/parts", data={"part-0": "x", "prompt": ["day", "what"]})
    assert late.status_code == 409 and "Somebody has changed" in late.get_data(as_text=True)
    again = browser_client.post(f"{url}/template/start", data={"version_id": str(design.version.id)})
    assert again.status_code == 409


def test_a_newer_version_is_offered_with_what_would_change(
    browser_client: FlaskClient, sqlite_session: Session, design: library.Shelved
):
    broadcast = empty_draft(sqlite_session)
    url = f"/mass-mail/{broadcast.id}"
    browser_client.post(f"{url}/template/start", data={"version_id": str(design.version.id)})
    assert browser_client.get(f"{url}/template/newer").status_code == 404
    sqlite_session.rollback()
    library.change(
        sqlite_session,
        design.design.id,
        1,
        DesignText("Other", "Before", "<p>New words</p>"),
        "Better",
        "vic@example.org",
        NOW,
    )
    sqlite_session.commit()
    assert "There is a newer version of Mine" in page.read(browser_client.get(f"{url}/content/")).text("#origin")
    shown = page.read(browser_client.get(f"{url}/template/newer")).text("#main")
    assert "New words" in shown and "On day we what" in shown and "Better" in shown and "vic@example.org" in shown
    assert broadcast.content.html == HTML
    browser_client.post(f"{url}/template/newer", data={"seen": "2"})
    sqlite_session.rollback()
    assert broadcast.content.html == "<p>New words</p>" and broadcast.content.subject == "Other"


def test_a_message_is_kept_as_a_template(browser_client: FlaskClient, sqlite_session: Session):
    broadcast = factories.broadcast(sqlite_session, name="Spring", html="<p>Spring</p>")
    sqlite_session.commit()
    url = f"/mass-mail/{broadcast.id}"
    form = page.read(
        browser_client.get(page.read(browser_client.get(f"{url}/content/")).link("Save this as a template"))
    )
    assert form.at("form[@aria-label='Save as a template']//input[@id='name']")["value"] == "Spring"
    assert browser_client.post(f"{url}/template/keep", data={"name": "Incident"}).status_code == 422
    browser_client.post(f"{url}/template/keep", data={"name": "Spring mail"})
    sqlite_session.rollback()
    assert library.listing(sqlite_session, "Spring")[0].version.html == "<p>Spring</p>"


def test_a_draft_is_put_into_the_brand_and_taken_out(browser_client: FlaskClient, sqlite_session: Session):
    broadcast = factories.broadcast(sqlite_session)
    brands.save(sqlite_session, "", Wanted(), "", NOW)
    sqlite_session.commit()
    url = f"/mass-mail/{broadcast.id}"
    for wanted, words in ((True, "It stands in your brand."), (False, "It stands in no brand.")):
        form = page.read(browser_client.get(f"{url}/content/")).form("div[@id='origin']//form")
        browser_client.post(form["action"], data=form.fields)
        sqlite_session.rollback()
        assert broadcast.in_brand is wanted
        assert words in page.read(browser_client.get(f"{url}/content/")).text("#origin")
        assert ("b-sheet" in browser_client.get(f"{url}/content/mail").get_data(as_text=True)) is wanted


def test_a_design_is_imported_with_a_word_on_what_was_left_out(browser_client: FlaskClient, sqlite_session: Session):
    out = BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr(
            "index.html", "<title>Spring sale</title><p>Hi</p><img src='a.png' alt=''><script>x()</script>"
        )
        archive.writestr("a.png", file())
    answer = browser_client.post("/templates/import", data={"file": (BytesIO(out.getvalue()), "spring.zip")})
    shown = page.read(answer)
    assert "1 picture taken in" in shown.text("#main") and "A script is left out" in shown.text("#main")
    made = library.listing(sqlite_session, "Spring sale")[0]
    source = made.version.html.partition("/picture/")[2].partition('"')[0].partition("'")[0]
    assert browser_client.get(f"/picture/{source}").mimetype == "image/png"
    refused = browser_client.post("/templates/import", data={"file": (BytesIO(b"%PDF"), "a.pdf")})
    assert refused.status_code == 422 and "Take an .html file" in refused.get_data(as_text=True)


def test_a_draft_that_is_sent_is_changed_by_nobody(
    browser_client: FlaskClient, sqlite_session: Session, design: library.Shelved
):
    broadcast = factories.broadcast(sqlite_session)
    broadcasts.schedule(sqlite_session, broadcast.id, None, NOW)
    sqlite_session.commit()
    answer = browser_client.post(f"/mass-mail/{broadcast.id}/template/brand", data={"in_brand": "1"})
    assert answer.status_code == 409


def test_a_mass_mail_from_a_template_with_data_of_services_begins_as_one_of_services(browser_client, sqlite_session):
    versions = {one.design.comes_as: one.version for one in library.listing(sqlite_session)}
    for key, chosen in (("maintenance", "services"), ("newsletter", "general")):
        shown = page.read(browser_client.get(f"/mass-mail/new?template={versions[key].id}").text)
        assert shown.at("input[@name='message_type' and @checked]")["value"] == chosen
