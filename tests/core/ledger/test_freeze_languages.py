"""Freeze of a broadcast in several languages: who gets which text, as it was counted, listed and explained."""

import random

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from tests import engine, factories
from tests.core.audience import audience_world
from tests.core.audience.audience_world import TODAY
from tests.engine import BEFORE
from webapp.core import audience, broadcasts, ledger
from webapp.core.audience import Term
from webapp.core.broadcasts import languages
from webapp.core.rules.languages import WithoutText
from webapp.core.rules.lifecycle import BroadcastState
from webapp.core.tables.broadcasts import Broadcast, Content
from webapp.core.tables.clients import Client

SKIPPED = {
    Term.LEFT_OUT: {"left_out"},
    Term.NO_USABLE_ADDRESS: {"no_address", "invalid_address"},
    Term.OPTED_OUT: {"opted_out"},
    Term.SUPPRESSED: {"suppressed"},
    Term.WITHOUT_TEXT: {"without_text"},
    Term.SAME_ADDRESS: {"same_address"},
}


def freeze(session: Session, broadcast: Broadcast, chunk: int) -> None:
    while not ledger.freeze_chunk(session, broadcast.id, BEFORE, chunk=chunk):
        session.commit()
    session.commit()


@pytest.mark.parametrize("seed", range(6))
def test_rows_are_what_was_counted_listed_and_read(session: Session, seed: int):
    world = audience_world.make(session, 100 + seed, clients=30)
    broadcast = world.broadcast
    of = world.audience(world.any_filter())
    while of.texts is None:
        of = world.audience(world.any_filter())
    broadcast.message_type, broadcast.audience_filter = of.filter.message_type, of.filter.to_dict()
    broadcast.purpose, broadcast.topic_id = of.purpose, of.topic_id
    broadcast.main_language, broadcast.other_languages = of.texts.main, " ".join(of.texts.others)
    broadcast.without_text = of.texts.without
    session.add_all(Content(broadcast_id=broadcast.id, language=tag) for tag in ("", *of.texts.others))
    broadcast.state = BroadcastState.SCHEDULED
    session.flush()
    assert audience.audience_of(broadcast) == of
    broadcast.state, broadcast.started_at = BroadcastState.SENDING, engine.NOW
    expected, counted = audience_world.read(session, of), audience.count(session, of, TODAY)
    session.commit()

    freeze(session, broadcast, chunk=random.Random(seed).randint(1, 40))
    rows = {row.client_id: row for row in engine.rows(session, broadcast)}
    assert {one for one, row in rows.items() if row.state == "pending"} == expected.terms[Term.WILL_RECEIVE]
    for term, reasons in SKIPPED.items():
        assert {one for one, row in rows.items() if row.reason in reasons} == expected.terms[term], term
    assert {one: row.language for one, row in rows.items()} == {
        one: text or None for one, text in expected.texts.items()
    }
    assert engine.tallied(session, broadcast).get("pending", 0) == counted.will_receive


def test_a_language_that_comes_while_recipients_are_collected_finds_its_text(session: Session):
    for language in ("de", "en", None):
        factories.client(session, language=language)
    broadcast = factories.broadcast(session)
    languages.add(session, broadcast.id, "Portuguese", BEFORE)
    languages.decide(session, broadcast.id, BEFORE, without=WithoutText.SKIP)
    broadcasts.schedule(session, broadcast.id, None, BEFORE)
    assert broadcasts.start(session, broadcast.id, BEFORE)
    assert not ledger.freeze_chunk(session, broadcast.id, BEFORE, chunk=2)
    late = factories.client(session, language="pt-AO")
    freeze(session, broadcast, chunk=2)
    found = [(row.reason, row.language) for row in engine.rows(session, broadcast)]
    assert found == [("without_text", None), (None, None), ("without_text", None), (None, "pt")]
    assert engine.rows(session, broadcast)[-1].client_id == late.id


def test_whoever_is_skipped_does_not_stand_in_the_way_of_another_at_the_same_address(session: Session):
    first = factories.client(session, language="nl")
    second = factories.client(session, first.address, language="de")
    broadcast = factories.broadcast(session)
    languages.add(session, broadcast.id, "de", BEFORE)
    languages.decide(session, broadcast.id, BEFORE, without=WithoutText.SKIP)
    of = audience.audience_of(broadcast)
    assert [row.client.id for row in audience.listing(session, of, TODAY).rows] == [second.id]
    explained = audience.explain(session, of, first.id, TODAY)
    assert explained.reasons == ("No text is in their language, Dutch, and such clients are skipped.",)
    reasons = audience.explain(session, of, second.id, TODAY).reasons
    assert reasons == ("Has all that the filter asks for.", "Gets the text in German.")
    broadcasts.schedule(session, broadcast.id, None, BEFORE)
    assert broadcasts.start(session, broadcast.id, BEFORE)
    freeze(session, broadcast, chunk=1)
    assert [row.reason for row in engine.rows(session, broadcast)] == ["without_text", None]


def test_with_one_text_nobody_is_asked_for_a_language(session: Session):
    factories.client(session, language=None)
    broadcast = engine.sending_broadcast(session, mails=2)
    assert {row.language for row in engine.rows(session, broadcast)} == {None}
    assert len(session.scalars(select(Client)).all()) == 3
