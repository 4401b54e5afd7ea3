"""The compose page of a message in several languages: its tabs, what becomes of those without a text, the original beside a translation."""

import pytest
from sqlalchemy.orm import Session

from tests import factories
from tests.pages.page import read
from webapp.core import broadcasts
from webapp.core.broadcasts import languages
from webapp.core.content.languages import content_of
from webapp.core.rules.languages import WithoutText
from webapp.core.settings import from_addresses
from webapp.core.tables.broadcasts import Broadcast

NOW = factories.NOW


@pytest.fixture
def draft(sqlite_session: Session) -> Broadcast:
    """A draft in English to four clients: two speak German, one Arabic, of one nobody knows it."""
    from_addresses.add(sqlite_session, "Example Hosting", "support@example.com")
    for name, language in (("Ada", "de"), ("Bob", "de-AT"), ("Ali", "ar"), ("Cat", None)):
        factories.client(sqlite_session, first_name=name, language=language)
    row = factories.broadcast(sqlite_session, subject="Hello", html="<p>Dear {{ first_name }}</p><p>News</p>")
    sqlite_session.commit()
    return row


def url(draft: Broadcast, rest: str = "") -> str:
    return f"/mass-mail/{draft.id}/content/{rest}"


def stored(session: Session, draft: Broadcast) -> Broadcast:
    session.expire_all()
    session.rollback()
    return session.get_one(Broadcast, draft.id)


def translated(session: Session, draft: Broadcast, *tags: str) -> None:
    for tag in tags:
        languages.add(session, draft.id, tag, NOW)
    session.commit()


def test_a_message_in_one_language_offers_those_of_its_recipients(browser_client, draft):
    html = browser_client.get(url(draft)).text
    assert "German (1)" in html and "Arabic (1)" in html and "in their language" not in html


def test_a_text_is_added_without_javascript_and_its_tab_has_its_number(browser_client, sqlite_session, draft):
    answer = browser_client.post(url(draft, "languages/add"), data={"tag": "de", "source": ""})
    assert answer.location == url(draft, "?language=de")
    page = browser_client.get(answer.location).text
    assert stored(sqlite_session, draft).other_languages == "de"
    assert 'aria-current="page"><bdi>German</bdi> <span class="count">2<' in page
    assert "2 clients have no text in their language (of 1 it is not known)" in page
    typed = browser_client.post(url(draft, "languages/add"), data={"other": "Arabic", "source": "empty"})
    assert typed.location == url(draft, "?language=ar")
    assert browser_client.post(url(draft, "languages/add"), data={"other": "Elvish"}).status_code == 422


def test_each_text_is_saved_for_itself_and_a_conflict_is_about_one(browser_client, sqlite_session, draft):
    translated(sqlite_session, draft, "de")
    german, english = url(draft, "?language=de"), url(draft)
    bases = {where: read(browser_client.get(where).text).value("base") for where in (german, english)}
    fields = {
        "from_address": "Example Hosting <support@example.com>",
        "html": "<p>Liebe {{ first_name }}</p>",
        "lost": "",
    }
    htmx = {"HX-Request": "true"}
    assert "unfinished" not in browser_client.get(german).text
    broken = browser_client.post(german, data={**fields, "subject": "", "base": bases[german]}, headers=htmx)
    assert 'id="language-tabs"' in broken.text and "unfinished" in broken.text
    bases[german] = read(broken.text).value("base")
    saved = browser_client.post(german, data={**fields, "subject": "Hallo", "base": bases[german]}, headers=htmx)
    assert saved.status_code == 200 and "language=de" in saved.text and "unfinished" not in saved.text
    own = browser_client.post(english, data={**fields, "subject": "Hi", "base": bases[english]}, headers=htmx)
    assert own.status_code == 200
    row = stored(sqlite_session, draft)
    assert (row.content.subject, content_of(row, "de").subject) == ("Hi", "Hallo")
    late = browser_client.post(german, data={**fields, "subject": "Moin", "base": bases[german]}, headers=htmx)
    assert late.status_code == 409 and "Hallo" in late.text and "language=de" in late.text


def test_the_preview_shows_a_text_to_somebody_who_gets_it(browser_client, sqlite_session, draft):
    translated(sqlite_session, draft, "de", "ar")
    broadcasts.edit(sqlite_session, draft.id, None, {"html": "<p>مرحبا {{ first_name }}</p>"}, NOW, language="ar")
    sqlite_session.commit()
    page = browser_client.get(url(draft, "?language=ar")).text
    assert "1 of 1" in page and 'dir="rtl"' in page
    mail = browser_client.get(url(draft, "mail?language=ar")).text
    assert '<html lang="ar" dir="rtl">' in mail and "Ali" in mail
    assert "1 of 2" in browser_client.get(url(draft, "?language=de")).text


def test_what_becomes_of_the_others_is_decided_by_a_button(browser_client, sqlite_session, draft):
    translated(sqlite_session, draft, "de")
    browser_client.post(url(draft, "languages/decide"), data={"without": "skip"})
    assert stored(sqlite_session, draft).without_text is WithoutText.SKIP
    html = browser_client.get(url(draft, "languages")).text
    assert html.startswith('<section class="card languages" id="languages"')
    assert 'value="skip" aria-pressed="true">Skip them' in html and "Fall back to English" in html
    assert "no text in their language" in browser_client.get(f"/mass-mail/{draft.id}/audience/recipient-count").text
    listed = browser_client.get(f"/mass-mail/{draft.id}/audience/recipients?reason=without_text").text
    assert "Ali" in listed and "Ada" not in listed


def test_the_original_stands_beside_a_translation_with_what_is_new(browser_client, sqlite_session, draft):
    translated(sqlite_session, draft, "de", "ar")
    broadcasts.edit(sqlite_session, draft.id, None, {"html": "<p>Dear {{ first_name }}</p><p>Prices rise</p>"}, NOW)
    sqlite_session.commit()
    page = browser_client.get(url(draft, "?language=de")).text
    assert "1 change since German was made" in page and "</span>Prices rise</mark>" in page and "1 changed" in page
    beside = browser_client.get(url(draft, "original?language=de&beside=ar"), headers={"HX-Request": "true"}).text
    assert beside.startswith('<section class="card original" id="original"') and "<mark>" not in beside
    assert "<bdi>Arabic</bdi>" in beside
    browser_client.post(url(draft, "languages/translated?language=de"))
    assert "<mark>" not in browser_client.get(url(draft, "?language=de")).text


def test_a_text_is_begun_anew_and_removed(browser_client, sqlite_session, draft):
    translated(sqlite_session, draft, "de", "ar")
    broadcasts.edit(sqlite_session, draft.id, None, {"subject": "Hallo"}, NOW, language="de")
    sqlite_session.commit()
    browser_client.post(url(draft, "languages/copy?language=ar"), data={"source": "de"})
    assert content_of(stored(sqlite_session, draft), "ar").subject == "Hallo"
    page = browser_client.get(url(draft, "?language=de")).text
    assert "Remove German" in page
    assert browser_client.post(url(draft, "languages/remove?language=de")).location == url(draft)
    assert stored(sqlite_session, draft).other_languages == "ar"
    for gone in ("?language=de", "languages?language=de", "tag-gaps?language=de", "mail?language=de"):
        assert browser_client.get(url(draft, gone)).status_code == 404


def test_review_shows_each_text_with_its_number(browser_client, sqlite_session, draft):
    translated(sqlite_session, draft, "de")
    languages.decide(sqlite_session, draft.id, NOW, without=WithoutText.MAIN)
    broadcasts.edit(sqlite_session, draft.id, None, {"subject": "Hallo {{ first_name }}"}, NOW, language="de")
    sqlite_session.commit()
    html = browser_client.get(f"/mass-mail/{draft.id}/review/").text
    assert "Hallo Ada" in html and "mail?client=" in html and "language=de" in html
    assert '<bdi>English</bdi> <span class="count">2<' in html and '<bdi>German</bdi> <span class="count">2<' in html
    main = browser_client.get(f"/mass-mail/{draft.id}/review/?language=").text
    assert "Hello" in main and "Hallo" not in main


def test_a_test_send_is_in_the_language_of_its_tab(browser_client, sqlite_session, draft, sqlite_app, mail_server):
    sqlite_app.config["RELAY"] = mail_server.relay
    translated(sqlite_session, draft, "de")
    broadcasts.edit(sqlite_session, draft.id, None, {"subject": "Hallo {{ first_name }}"}, NOW, language="de")
    sqlite_session.commit()
    browser_client.post(url(draft, "test?language=de"), data={"to": "me@example.org"})
    [mail] = mail_server.wait_for(1)
    assert mail.message["Subject"] == "[Test] Hallo Ada" and mail.message["Content-Language"] == "de"
