"""Marketing or important: from whom it comes, and that nothing is sent before somebody has said it."""

import pytest
from sqlalchemy.orm import Session

from tests import factories
from tests.factories import NOW
from webapp.core import broadcasts
from webapp.core.broadcasts import purposes
from webapp.core.errors import Invalid
from webapp.core.rules.consent import Purpose
from webapp.core.settings import from_addresses
from webapp.core.tables.consent import Topic

NEWS = "News <news@example.com>"
USUAL = "Example Hosting <support@example.com>"


def test_marketing_comes_from_the_sender_of_marketing_unless_another_was_chosen(session: Session):
    from_addresses.add(session, "Example Hosting", "support@example.com")
    news = from_addresses.add(session, "News", "news@example.com")
    from_addresses.use_for_marketing(session, news.id, True)
    draft = factories.broadcast(session, purpose=None, from_address=USUAL)
    marketing = purposes.checked(session, "marketing", 1, "")
    important = purposes.checked(session, "important", None, "A new law")
    assert purposes.choose(session, draft, marketing, NOW).from_address == NEWS
    assert purposes.choose(session, draft, important, NOW).from_address == USUAL
    draft = broadcasts.edit(session, draft.id, None, {"from_address": "Ada <ada@example.com>"}, NOW)
    assert purposes.choose(session, draft, marketing, NOW).from_address == "Ada <ada@example.com>"
    from_addresses.use_for_marketing(session, news.id, False)
    assert from_addresses.default(session, Purpose.MARKETING) == USUAL


def test_a_retired_topic_stays_on_the_broadcast_that_has_it_and_is_offered_to_no_other(session: Session):
    session.get_one(Topic, 2).retired_at = NOW
    session.flush()
    with pytest.raises(Invalid, match="Choose the topic"):
        purposes.checked(session, "marketing", 2, "")
    assert purposes.checked(session, "marketing", 2, "", kept=2)["topic_id"] == 2


def test_nothing_is_scheduled_before_somebody_has_said_it(session: Session):
    draft = factories.broadcast(session, purpose=None)
    with pytest.raises(Invalid, match="Nobody has said yet"):
        broadcasts.schedule(session, draft.id, None, NOW)


def test_a_duplicate_is_for_the_same(session: Session):
    original = factories.broadcast(session, purpose=Purpose.MARKETING, topic_id=2, important_reason="")
    copy = broadcasts.duplicate(session, original.id, None, NOW)
    assert (copy.purpose, copy.topic_id) == (Purpose.MARKETING, 2)
