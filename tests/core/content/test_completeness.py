"""What a message lacks is decided once: the review and the guard before the calendar say the same of it."""

import pytest

from tests import factories
from tests.factories import NOW
from webapp.core import broadcasts
from webapp.core.broadcasts.review import review
from webapp.core.content.completeness import missing, unlisted_sender
from webapp.core.errors import Invalid
from webapp.core.settings import from_addresses

LACKS = [
    ({"from_address": ""}, "from_address", "No sender is chosen."),
    ({"subject": " \t"}, "subject", "The subject is empty."),
    ({"html": "\n", "text": None}, "html", "The mail has no text."),
    ({"html": "", "text": " "}, "html", "The mail has no text."),
]


@pytest.mark.parametrize(("columns", "field", "words"), LACKS)
def test_each_lack_names_its_field(sqlite_session, columns, field, words):
    (found,) = missing(factories.broadcast(sqlite_session, **columns))
    assert (found.field, found.message) == (field, words)


@pytest.mark.parametrize(("columns", "field", "words"), LACKS)
def test_the_review_and_the_calendar_refuse_it_in_the_same_words(sqlite_session, columns, field, words):
    from_addresses.add(sqlite_session, "Example Hosting", "support@example.com")
    factories.client(sqlite_session)
    broadcast = factories.broadcast(sqlite_session, **columns)
    assert [(one.place, one.message) for one in review(sqlite_session, broadcast, NOW).blocking] == [(field, words)]
    with pytest.raises(Invalid, match=words) as refused:
        broadcasts.schedule(sqlite_session, broadcast.id, None, NOW)
    assert refused.value.field == field


def test_they_come_in_the_order_of_writing_and_a_whole_message_lacks_nothing(sqlite_session):
    nothing = factories.broadcast(sqlite_session, from_address="", subject="", html="")
    assert [one.field for one in missing(nothing)] == ["from_address", "subject", "html"]
    assert missing(factories.broadcast(sqlite_session)) == []
    assert missing(factories.broadcast(sqlite_session, html="", text="Hello")) == []


def test_a_sender_is_on_the_list_or_it_is_said(sqlite_session):
    broadcast = factories.broadcast(sqlite_session)
    found = unlisted_sender(sqlite_session, broadcast)
    assert found and found.field == "from_address" and "is not in the list of senders" in found.message
    from_addresses.add(sqlite_session, "Example Hosting", "support@example.com")
    assert unlisted_sender(sqlite_session, broadcast) is None
    assert unlisted_sender(sqlite_session, factories.broadcast(sqlite_session, from_address="")) is None
