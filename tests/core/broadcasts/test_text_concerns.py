"""Each text of a draft is looked at, and each finding says of which it is."""

from email import message_from_bytes

import pytest
from sqlalchemy.orm import Session

from tests import factories
from tests.factories import NOW
from webapp.core import broadcasts
from webapp.core.broadcasts import languages, steps
from webapp.core.broadcasts.comparison import comparison
from webapp.core.broadcasts.review import Review, review
from webapp.core.broadcasts.text_concerns import SeenMails
from webapp.core.content import own_file_gaps, previews, trial_sends
from webapp.core.content.languages import content_of, languages_of
from webapp.core.rules.languages import WithoutText
from webapp.core.settings import from_addresses
from webapp.core.tables.broadcasts import Broadcast
from webapp.core.tables.media import OwnFiles, WithoutOwnFile

URL = "https://console.example.net"


@pytest.fixture
def draft(sqlite_session: Session) -> Broadcast:
    """A draft in English and German; of its three recipients two speak German, and one of these has no first name."""
    from_addresses.add(sqlite_session, "Example Hosting", "support@example.com")
    for name, language in (("Ada", "en"), ("Bea", "de"), ("", "de")):
        factories.client(sqlite_session, first_name=name, language=language)
    row = factories.broadcast(sqlite_session, subject="News", html="<p>Hello</p>")
    broadcasts.edit(sqlite_session, row.id, None, {"preheader": "What is new from May to June"}, NOW)
    languages.add(sqlite_session, row.id, "de", NOW)
    return row


def write(session: Session, draft: Broadcast, language: str, **changes: object) -> None:
    broadcasts.edit(session, draft.id, None, changes, NOW, language=language)


def looked_at(session: Session, draft: Broadcast) -> Review:
    texts = {one: previews.preview(session, draft, None, NOW, URL, text=one) for one in languages_of(draft)}
    return review(session, draft, NOW, SeenMails(texts, URL))


def said(session: Session, draft: Broadcast) -> list[tuple[str, str, str]]:
    """Rule, language and words of each warning and hint."""
    found = looked_at(session, draft)
    return [(one.rule, one.language, one.words) for one in (*found.warnings, *found.hints)]


def test_what_is_odd_in_a_translation_is_said_of_it_alone(sqlite_session: Session, draft: Broadcast):
    assert said(sqlite_session, draft) == []
    link = '<a href="https://example.com/">hier</a>'
    write(sqlite_session, draft, "de", html=f"<p>Hallo {{{{ first_name }}}}, im Anhang: {link}</p>")
    found = said(sqlite_session, draft)
    assert [one[:2] for one in found] == [("gap", "de"), ("links.example", "de"), ("attachment.missing", "de")]
    assert all(words.startswith("German: ") for _, _, words in found)
    assert found[0][2] == "German: first_name is empty for 1 recipient, and nothing stands in for it."


def test_a_tick_for_one_text_is_none_for_the_other(sqlite_session: Session, draft: Broadcast):
    for language in ("", "de"):
        write(sqlite_session, draft, language, html="<p>Hello, see the attachment</p>")
    languages.is_up_to_date(sqlite_session, draft.id, "de", NOW)
    first, second = looked_at(sqlite_session, draft).warnings
    assert (first.text_name, second.text_name) == ("English", "German")
    assert first.fingerprint != second.fingerprint


def test_a_translation_older_than_the_main_text_is_told_until_somebody_says_it_is_well(
    sqlite_session: Session, draft: Broadcast
):
    write(sqlite_session, draft, "", html="<p>Hello again</p>")
    assert said(sqlite_session, draft) == [
        ("translation.older", "de", "German: the text in English has changed since this one was made from it.")
    ]
    languages.is_up_to_date(sqlite_session, draft.id, "de", NOW)
    assert said(sqlite_session, draft) == []


def test_a_text_part_keeps_the_body_it_was_written_for_in_each_language(sqlite_session: Session, draft: Broadcast):
    write(sqlite_session, draft, "de", html="<p>Hallo</p>", text="Hallo")
    write(sqlite_session, draft, "de", html="<p>Guten Tag</p>")
    assert [one[:2] for one in said(sqlite_session, draft)] == [("text.older", "de")]
    copy = broadcasts.duplicate(sqlite_session, draft.id, None, NOW)
    assert ("text.older", "de") in [one[:2] for one in said(sqlite_session, copy)]


def test_what_was_decided_for_those_without_a_text_is_a_hint(sqlite_session: Session, draft: Broadcast):
    factories.client(sqlite_session, language="fr")
    for decided, gets in ((WithoutText.SKIP, "no mail"), (WithoutText.MAIN, "the text in English")):
        languages.decide(sqlite_session, draft.id, NOW, without=decided)
        (hint,) = [words for rule, _, words in said(sqlite_session, draft) if rule == "languages.gap"]
        assert hint == f"1 client has no text in their language, and gets {gets}."


def test_files_of_their_own_are_asked_of_those_who_get_the_text(sqlite_session: Session, draft: Broadcast):
    german = content_of(draft, "de")
    sqlite_session.add(OwnFiles(content_id=german.id, when_missing=WithoutOwnFile.SEND))
    sqlite_session.flush()
    assert own_file_gaps.count(sqlite_session, draft, german, NOW.date()) == 2
    assert ("attachment.own", "de") in [one[:2] for one in said(sqlite_session, draft)]


def test_a_test_can_be_of_several_texts_each_for_its_own_first_recipient(sqlite_session: Session, draft: Broadcast):
    write(sqlite_session, draft, "de", subject="Neues")
    made_for = trial_sends.variants(
        sqlite_session, draft, NOW.date(), None, [], with_shown=False, text="", languages=["", "de", "fr"]
    )
    assert [(one.label, one.person.name.split()[0], one.text) for one in made_for] == [
        ("English", "Ada", ""),
        ("German", "Bea", "de"),
    ]
    mails = trial_sends.mails(sqlite_session, draft, made_for, ["me@example.org"], NOW, URL)
    assert [message_from_bytes(one.whole)["Subject"] for one in mails] == [
        "[Test] [English] News",
        "[Test] [German] Neues",
    ]


def test_a_copy_is_compared_text_by_text(sqlite_session: Session, draft: Broadcast):
    copy = broadcasts.duplicate(sqlite_session, draft.id, None, NOW)
    found = comparison(sqlite_session, copy)
    assert found.changed == () and "German: Subject" in found.same and "Languages" in found.same
    write(sqlite_session, copy, "de", subject="Neues")
    languages.add(sqlite_session, copy.id, "fr", NOW)
    labels = {one.label for one in comparison(sqlite_session, copy).changed}
    assert {"German: Subject", "French: Body", "Languages"} <= labels and "German: Body" not in labels


def test_who_saved_a_text_is_known_for_each_language(sqlite_session: Session, draft: Broadcast):
    uma, bob = (factories.user(sqlite_session, name=name) for name in ("Uma", "Bob"))
    for who, language in ((uma, "de"), (bob, "")):
        steps.save(
            sqlite_session,
            draft.id,
            steps.Step.CONTENT,
            lambda _, name=who.name: {"subject": f"By {name}"},
            NOW,
            known={steps.digest(draft, steps.Step.CONTENT, language)},
            by=steps.Editor(who.id, who.email, who.name),
            language=language,
        )
    names = [steps.last_save(sqlite_session, draft, steps.Step.CONTENT, one).user_name for one in ("", "de")]
    assert names == ["Bob", "Uma"]
