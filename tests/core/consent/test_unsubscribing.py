"""Declining by token, on both databases."""

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from tests import engine, factories
from tests.core.consent.consent_world import marketing, token_of, topic
from webapp.core.consent import settings, suppressions, unsubscribing
from webapp.core.consent.unsubscribing import Holder, Way
from webapp.core.rules.address_hashes import address_hash
from webapp.core.rules.consent import SuppressionKind
from webapp.core.tables.broadcasts import Broadcast
from webapp.core.tables.consent import Suppression, TopicOptOut

NOW = factories.NOW


@pytest.fixture
def broadcast(session: Session) -> Broadcast:
    return marketing(session, 2, topic_id=topic(session).id)


@pytest.fixture
def who(session: Session, broadcast: Broadcast) -> Holder:
    found = unsubscribing.holder(session, token_of(session, engine.rows(session, broadcast)[0].id))
    assert found is not None
    return found


def test_the_first_time_counts_and_is_kept(session: Session, who: Holder):
    for way, reason in ((Way.PAGE, "too\nmany  " + "x" * 300), (Way.ONE_CLICK, "")):
        unsubscribing.decline_all(session, who, way, NOW, reason)
        assert unsubscribing.has_declined_all(session, who)
    found = session.scalars(select(Suppression)).one()
    assert (found.source, found.delivery_id, found.evidence[:10], len(found.evidence)) == (
        "link",
        who.delivery_id,
        "too many x",
        200,
    )


def test_taking_it_back_leaves_other_reasons_alone(session: Session, who: Holder):
    suppressions.suppress(session, who.address_key, SuppressionKind.BOUNCED, NOW)
    unsubscribing.decline_all(session, who, Way.PAGE, NOW)
    unsubscribing.take_back(session, who, NOW)
    unsubscribing.take_back(session, who, NOW)
    assert not unsubscribing.has_declined_all(session, who)
    assert session.scalars(select(Suppression.kind)).all() == [SuppressionKind.BOUNCED]


def test_topics_are_chosen_again_and_again(session: Session, broadcast: Broadcast, who: Holder):
    other = topic(session, "Tips")
    assert [choice.is_wanted for choice in unsubscribing.choices(session, who)] == [True, True]
    for wanted in ({other.id}, {other.id}, set(), {other.id, broadcast.topic_id}):
        unsubscribing.choose(session, who, wanted, NOW)
        chosen = {choice.topic_id for choice in unsubscribing.choices(session, who) if choice.is_wanted}
        assert chosen == wanted
    assert not session.scalars(select(TopicOptOut)).all()


def test_an_address_that_is_kept_as_a_hash_is_known_again(session: Session, broadcast: Broadcast, who: Holder):
    hashed = address_hash(settings.read(session).hash_key, who.address_key)
    kind = SuppressionKind.UNSUBSCRIBED
    suppressions.suppress(session, hashed, kind, NOW)
    session.get_one(Suppression, (hashed, kind)).is_hashed = True
    session.add(TopicOptOut(address_key=hashed, topic_id=broadcast.topic_id, created_at=NOW, is_hashed=True))
    session.flush()
    assert unsubscribing.has_declined_all(session, who)
    assert [choice.is_wanted for choice in unsubscribing.choices(session, who)] == [False]


def test_who_has_a_mail_to_come_is_known(session: Session, broadcast: Broadcast, who: Holder):
    assert unsubscribing.may_be_on_its_way(session, who)
    engine.rows(session, broadcast)[0].state = "suppressed"
    session.flush()
    assert not unsubscribing.may_be_on_its_way(session, who)
