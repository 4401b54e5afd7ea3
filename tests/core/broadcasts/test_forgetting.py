"""What was needed for a while is removed by itself, and the fact stays."""

from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from tests import engine, factories
from tests.engine import NOW
from webapp.adapters import retention_round
from webapp.adapters.clock import now
from webapp.core import broadcasts
from webapp.core.broadcasts import delivered, forgetting
from webapp.core.consent import event_sources
from webapp.core.events import record
from webapp.core.rules.lifecycle import BroadcastState, DeliveryState
from webapp.core.rules.relay_event import EventKind, RelayEvent
from webapp.core.rules.relay_events.providers import Provider
from webapp.core.rules.retention import Retention
from webapp.core.settings import retention
from webapp.core.tables.broadcasts import Broadcast
from webapp.core.tables.deliveries import Delivery
from webapp.core.tables.event_sources import Became, ReceivedEvent
from webapp.core.tables.events import DeliveryEvent

KEPT = Retention()
ENDED = NOW - timedelta(days=91)


def sent(session: Session, ended: datetime) -> Broadcast:
    """A finished broadcast: two mails that were taken, and a client without an address. Commits."""
    broadcast = factories.broadcast(
        session, state=BroadcastState.FINISHED, frozen_at=ended, started_at=ended, finished_at=ended, frozen_count=3
    )
    for number in range(2):
        factories.delivery(
            session,
            broadcast,
            state=DeliveryState.ACCEPTED,
            attempts=1,
            merge_values=f'["Ann {number}"]',
            stamped_at=ended,
        )
    factories.delivery(session, broadcast, state=DeliveryState.SKIPPED, address=None, reason="no_address")
    session.commit()
    return broadcast


def values(session: Session, broadcast: Broadcast) -> list[str | None]:
    query = select(Delivery.merge_values).where(Delivery.broadcast_id == broadcast.id).order_by(Delivery.id)
    return list(session.scalars(query))


def remove(session: Session, kept: Retention = KEPT, most: int = 2) -> int:
    """As the rounds do it; how many transactions that took."""
    after: int | None = 0
    rounds = 0
    while after is not None:
        after = forgetting.remove_some(session, kept, NOW, after, most)
        session.commit()
        rounds += 1
    return rounds


def test_what_mails_said_goes_when_its_time_is_over_and_the_fact_stays(session: Session):
    old, young = sent(session, ENDED), sent(session, NOW - timedelta(days=89))
    assert forgetting.effect(session, KEPT, NOW) == (0, 1, 3)
    assert remove(session) == 4  # two rows, one, none, and no other broadcast
    assert values(session, old) == [None, None, None]
    assert values(session, young) == ['["Ann 0"]', '["Ann 1"]', None]
    assert engine.states(session, old) == {"accepted": 2, "skipped": 1}
    assert session.get_one(Broadcast, old.id).values_removed_at == NOW
    assert not forgetting.effect(session, KEPT, NOW) and remove(session) == 1
    row = engine.rows(session, old)[0]
    assert "no longer kept" in (delivered.unmade(old, row) or "")
    assert delivered.mail(session, old, row, NOW, engine.URL) is None


def test_what_is_not_over_keeps_its_values_however_old(session: Session):
    waiting = sent(session, ENDED)
    waiting.state = BroadcastState.SENDING
    waiting.finished_at = None
    session.commit()
    remove(session)
    assert values(session, waiting)[0] == '["Ann 0"]'


def test_who_failed_gets_a_mail_of_today_when_it_is_sent_again_later(session: Session):
    old = sent(session, ENDED)
    remove(session)
    broadcasts.reopen(session, old.id, None, NOW)
    session.commit()
    assert session.get_one(Broadcast, old.id).values_removed_at is None
    broadcasts.finish_if_done(session, old.id, NOW)
    row = engine.rows(session, old)[0]
    assert "no longer kept" in (delivered.unmade(old, row) or "")


def test_a_round_goes_by_what_is_set(session: Session, tmp_path: Path):
    broadcast = sent(session, now() - timedelta(days=40))
    where = session.get_bind()
    retention_round.tidy(where, tmp_path)
    assert values(session, broadcast)[0] is not None
    session.rollback()
    engine.elsewhere(where, lambda s: retention.save(s, Retention(7, 30)))
    retention_round.tidy(where, tmp_path)
    session.rollback()
    assert values(session, broadcast) == [None, None, None]


def test_a_round_removes_what_was_received_of_a_mail_and_keeps_what_it_says(session: Session, tmp_path: Path):
    broadcast = sent(session, now() - timedelta(days=40))
    delivery_id = engine.rows(session, broadcast)[0].id
    for days in (31, 29):
        event = RelayEvent(
            EventKind.OTHER, "mail", str(days), delivery_id=delivery_id, words="550 gone", raw=b"all of it"
        )
        record(session, event, now() - timedelta(days=days))
    session.commit()
    retention_round.tidy(session.get_bind(), tmp_path)
    rows = session.execute(
        select(DeliveryEvent.event_key, DeliveryEvent.raw, DeliveryEvent.words).order_by(DeliveryEvent.event_key)
    )
    assert [tuple(row) for row in rows] == [("29", b"all of it", "550 gone"), ("31", None, "550 gone")]


def test_a_round_goes_over_more_raw_events_than_fit_in_a_transaction(
    session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(retention_round, "AT_ONCE", 2)
    for number in range(5):
        record(session, RelayEvent(EventKind.OTHER, "mail", str(number), raw=b"all"), now() - timedelta(days=31))
    session.commit()
    retention_round.tidy(session.get_bind(), tmp_path)
    assert session.scalars(select(DeliveryEvent.raw)).all() == [None] * 5


def test_a_round_removes_reported_events_whose_time_is_over(session: Session, tmp_path: Path):
    source = event_sources.add(session, Provider.BREVO, "", now())
    for days, became in ((31, Became.IGNORED), (29, Became.IGNORED), (4, Became.RECORDED), (1, Became.RECORDED)):
        row = ReceivedEvent(
            source_id=source.source_id, event_key=str(days), kind=EventKind.OTHER, became=became, words="", digest=""
        )
        row.received_at = now() - timedelta(days=days)
        session.add(row)
    session.commit()
    retention_round.tidy(session.get_bind(), tmp_path)
    assert set(session.scalars(select(ReceivedEvent.event_key))) == {"29", "1"}
