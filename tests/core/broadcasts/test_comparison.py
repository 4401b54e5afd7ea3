"""A draft beside the mass mail that it is a copy of."""

from tests import factories
from tests.factories import NOW
from webapp.core import broadcasts
from webapp.core.broadcasts.comparison import comparison


def changed(session, draft):
    found = comparison(session, draft)
    return {one.label: [(part.change.value, part.text.strip()) for part in one.stretches] for one in found.changed}


def test_a_fresh_copy_is_the_same(sqlite_session):
    copy = broadcasts.duplicate(sqlite_session, factories.broadcast(sqlite_session).id, None, NOW)
    found = comparison(sqlite_session, copy)
    assert found.changed == () and "Audience" in found.same and not found.only_looks


def test_what_was_changed_is_told_word_by_word(sqlite_session):
    original = factories.broadcast(sqlite_session, subject="News of May", html="<p>We move on Monday</p>")
    copy = broadcasts.duplicate(sqlite_session, original.id, None, NOW)
    changes = {
        "subject": "News of June",
        "html": "<h1>We move on Tuesday</h1>",
        "audience_filter": {"countries": ["DE"]},
    }
    broadcasts.edit(sqlite_session, copy.id, None, changes | {"preheader": "It moves", "batch_size": 50}, NOW)
    found = changed(sqlite_session, copy)
    assert found["Subject"] == [("same", "News of"), ("removed", "May"), ("added", "June")]
    assert found["Body"] == [("same", "We move on"), ("removed", "Monday"), ("added", "Tuesday")]
    assert found["Preheader"] == [("added", "It moves")]
    assert set(found) == {"Subject", "Preheader", "Body", "Audience", "Pace"}


def test_a_body_that_only_looks_otherwise_is_said_to(sqlite_session):
    original = factories.broadcast(sqlite_session, html="<p>Hello</p>")
    copy = broadcasts.duplicate(sqlite_session, original.id, None, NOW)
    broadcasts.edit(sqlite_session, copy.id, None, {"html": "<p><b>Hello</b></p>"}, NOW)
    assert comparison(sqlite_session, copy).only_looks


def test_without_an_original_there_is_nothing_to_compare(sqlite_session):
    assert comparison(sqlite_session, factories.broadcast(sqlite_session)) is None
    assert comparison(sqlite_session, factories.broadcast(sqlite_session, copied_from=12345)) is None
