"""Texts of a draft in other languages: added, copied, removed, and what is decided about clients who have none."""

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from tests import factories
from webapp.core import audience, broadcasts
from webapp.core.broadcasts import languages
from webapp.core.broadcasts.review import review
from webapp.core.content.languages import content_of, since_translated
from webapp.core.errors import Conflict, Invalid, NotFound
from webapp.core.rules.languages import WithoutText
from webapp.core.settings import from_addresses
from webapp.core.tables.broadcasts import Broadcast, Content

NOW = factories.NOW


@pytest.fixture
def draft(sqlite_session: Session) -> Broadcast:
    from_addresses.add(sqlite_session, "Example Hosting", "support@example.com")
    return factories.broadcast(sqlite_session, subject="Hello", html="<p>One</p><p>Two</p>")


def test_a_new_text_begins_as_a_copy_and_the_main_one_gets_a_language(sqlite_session: Session, draft: Broadcast):
    assert languages.add(sqlite_session, draft.id, "german", NOW) == "de"
    languages.add(sqlite_session, draft.id, "pt-BR", NOW, source=None)
    assert (draft.main_language, draft.other_languages) == ("en", "de pt-BR")
    assert content_of(draft, "de").subject == "Hello" and content_of(draft, "pt-BR").subject == ""


def test_what_is_no_language_or_has_a_text_is_refused(sqlite_session: Session, draft: Broadcast):
    languages.add(sqlite_session, draft.id, "de", NOW)
    for typed in ("Klingonish", "", "de", "English"):
        with pytest.raises(Invalid):
            languages.add(sqlite_session, draft.id, typed, NOW)
    with pytest.raises(Invalid):
        languages.decide(sqlite_session, draft.id, NOW, main="de")
    with pytest.raises(NotFound):
        content_of(draft, "fr")


def test_a_removed_text_is_gone_and_the_main_one_stays(sqlite_session: Session, draft: Broadcast):
    languages.add(sqlite_session, draft.id, "de", NOW)
    languages.remove(sqlite_session, draft.id, "de", NOW)
    assert draft.other_languages == "" and [one.language for one in draft.contents] == [""]
    with pytest.raises(Invalid):
        languages.remove(sqlite_session, draft.id, "", NOW)
    assert audience.audience_of(draft).texts is None


def test_what_changed_in_the_main_text_since_the_translation_is_known(sqlite_session: Session, draft: Broadcast):
    languages.add(sqlite_session, draft.id, "de", NOW)
    broadcasts.edit(sqlite_session, draft.id, None, {"html": "<p>Eins</p><p>Zwei</p>"}, NOW, language="de")
    assert draft.content.html == "<p>One</p><p>Two</p>"
    assert not any(field.has_changed for field in since_translated(draft, "de"))
    broadcasts.edit(sqlite_session, draft.id, None, {"html": "<p>One</p><p>Three</p>"}, NOW)
    [changed] = [field for field in since_translated(draft, "de") if field.has_changed]
    assert [one.text for one in changed.paragraphs if one.is_new] == ["Three"] and changed.gone == 1
    languages.is_up_to_date(sqlite_session, draft.id, "de", NOW)
    assert not any(field.has_changed for field in since_translated(draft, "de"))


def test_what_becomes_of_clients_without_a_text_must_be_decided_where_there_are_any(
    sqlite_session: Session, draft: Broadcast
):
    for language in ("de", "nl", None):
        factories.client(sqlite_session, language=language)
    languages.add(sqlite_session, draft.id, "de", NOW)
    words = "2 clients have no text in their language (of 1 it is not known): fall back to English, or skip them?"
    assert words in [finding.message for finding in review(sqlite_session, draft, NOW).blocking]
    with pytest.raises(Invalid, match="2 clients"):
        broadcasts.schedule(sqlite_session, draft.id, None, NOW)
    for decided, number in ((WithoutText.SKIP, 1), (WithoutText.MAIN, 3)):
        languages.decide(sqlite_session, draft.id, NOW, without=decided)
        found = review(sqlite_session, draft, NOW)
        assert not found.blocking and found.count.will_receive == number
    broadcasts.schedule(sqlite_session, draft.id, None, NOW)
    with pytest.raises(Conflict):
        languages.add(sqlite_session, draft.id, "fr", NOW)


def test_an_unfinished_text_blocks_and_says_which(sqlite_session: Session, draft: Broadcast):
    factories.client(sqlite_session, language="de")
    languages.add(sqlite_session, draft.id, "de", NOW, source=None)
    blocking = review(sqlite_session, draft, NOW).blocking
    assert [one.message for one in blocking] == ["German: the subject is empty.", "German: the mail has no text."]
    broadcasts.edit(
        sqlite_session, draft.id, None, {"subject": "Hallo", "html": "<p>{{ first_nam }}</p>"}, NOW, language="de"
    )
    [finding] = review(sqlite_session, draft, NOW).blocking
    assert finding.message.startswith("German, Body: ") and finding.language == "de"


def test_a_duplicate_has_all_texts_and_a_deleted_draft_none(sqlite_session: Session, draft: Broadcast):
    languages.add(sqlite_session, draft.id, "de", NOW)
    languages.decide(sqlite_session, draft.id, NOW, without=WithoutText.SKIP)
    broadcasts.edit(sqlite_session, draft.id, None, {"subject": "Hallo"}, NOW, language="de")
    copy = broadcasts.duplicate(sqlite_session, draft.id, None, NOW)
    assert (copy.main_language, copy.other_languages, copy.without_text) == ("en", "de", WithoutText.SKIP)
    assert content_of(copy, "de").subject == "Hallo" and content_of(copy, "de").translated_from
    broadcasts.delete_draft(sqlite_session, draft.id)
    assert set(sqlite_session.scalars(select(Content.broadcast_id))) == {copy.id}


def test_copying_one_text_over_another_replaces_it(sqlite_session: Session, draft: Broadcast):
    languages.add(sqlite_session, draft.id, "de", NOW, source=None)
    languages.copy(sqlite_session, draft.id, "de", "", NOW)
    assert content_of(draft, "de").html == draft.content.html
    with pytest.raises(Invalid):
        languages.copy(sqlite_session, draft.id, "de", "de", NOW)
