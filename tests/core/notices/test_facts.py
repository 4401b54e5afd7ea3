"""What happens to relay, workers and starts becomes a notice, once for as long as it lasts."""

from datetime import timedelta

from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from tests import factories
from tests.core.notices.news import NOW, begin, broadcast, later
from webapp.adapters import clock, notice_round
from webapp.core import broadcasts, relay
from webapp.core.notices import facts, looking
from webapp.core.notices.facts import SiteFacts
from webapp.core.rules.lifecycle import BroadcastState as S
from webapp.core.sending import workers
from webapp.core.sending.workers import Identity
from webapp.core.tables.notices import Notice
from webapp.extensions import db

RELAY = "relay.example.com:25"
HALF_AN_HOUR = timedelta(minutes=30)
HOURS = timedelta(hours=12)


def seen(session: Session, at) -> None:
    workers.seen(session, Identity("a", "mail1", 7, "1.0", ("massmail",)), workers.WAITS, at)


def of_the_site(session: Session, now, ask_after: timedelta | None = HALF_AN_HOUR) -> SiteFacts:
    return facts.of_the_site(session, now, relay_key=RELAY, ask_after=ask_after)


def told(session: Session, now) -> list[str]:
    """The kinds of the notices that a look at this instant writes."""
    known = set(session.scalars(select(Notice.id)))
    site = of_the_site(session, now)
    looking.look(
        session,
        now,
        relay_waiting_since=site.relay_waiting_since,
        no_worker_since=site.no_worker_since,
        missed_starts=site.missed_starts,
    )
    return [one.kind.value for one in session.scalars(select(Notice).order_by(Notice.id)) if one.id not in known]


def test_where_all_is_well_there_is_nothing_to_tell(session: Session):
    seen(session, NOW)
    broadcast(session, S.SCHEDULED, scheduled_at=NOW)
    assert of_the_site(session, NOW) == SiteFacts(None, None, {})


def test_a_relay_that_is_waited_for_is_told_of_once_and_anew_when_it_goes_again(session: Session):
    begin(session)
    broadcast(session, S.SENDING)
    for minutes in (0, 3, 8):
        seen(session, later(minutes=minutes))
        relay.wait(session, RELAY, "It cannot be reached", later(minutes=minutes), waits_for=HOURS)
        relay.wait(session, "other.example.com:25", "nor that", NOW, waits_for=HOURS)
        assert of_the_site(session, later(minutes=minutes)).relay_waiting_since == NOW
        assert told(session, later(minutes=minutes)) == []
    seen(session, later(minutes=11))
    assert told(session, later(minutes=11)) == ["waits_for_relay"]
    seen(session, later(minutes=40))
    assert told(session, later(minutes=40)) == []
    relay.is_well(session, RELAY)
    assert of_the_site(session, later(minutes=40)).relay_waiting_since is None
    relay.wait(session, RELAY, "It cannot be reached", later(minutes=50), waits_for=HOURS)
    seen(session, later(minutes=61))
    assert told(session, later(minutes=61)) == ["waits_for_relay"]


def test_a_relay_that_refuses_is_told_of_by_what_it_has_paused(session: Session):
    relay.refuse(session, RELAY, "535", NOW)
    assert of_the_site(session, later(minutes=20)).relay_waiting_since is None


def test_that_the_last_worker_is_gone_is_told_once_until_one_was_there_again(session: Session):
    begin(session)
    broadcast(session, S.SENDING)
    seen(session, NOW)
    assert told(session, later(seconds=29)) == []
    assert told(session, later(seconds=31)) == ["no_worker"]
    assert told(session, later(hours=5)) == []
    seen(session, later(hours=6))
    assert told(session, later(hours=6)) == []
    assert told(session, later(hours=6, seconds=31)) == ["no_worker"]


def test_where_there_never_was_a_worker_that_is_one_trouble_from_the_beginning(session: Session):
    begin(session)
    row = broadcast(session, S.SCHEDULED, starts_at=later(hours=1), scheduled_at=NOW)
    first = of_the_site(session, NOW).no_worker_since
    assert first is not None and of_the_site(session, later(minutes=5)).no_worker_since == first
    assert told(session, NOW) == []
    assert told(session, later(hours=1)) == ["no_worker"]
    assert told(session, later(hours=1, minutes=20)) == []
    assert row.id


def test_workers_are_told_from_the_dead_by_the_clock_they_are_seen_by(session: Session):
    seen(session, later(hours=2))
    site = facts.of_the_site(session, NOW, relay_key=RELAY, ask_after=None, seen_now=later(hours=2))
    assert site.no_worker_since is None


def test_starts_that_were_missed_are_told_with_the_instant_they_were_to_be(session: Session):
    begin(session)
    seen(session, NOW)
    late = broadcast(session, S.SCHEDULED, starts_at=later(minutes=-31), scheduled_at=later(days=-1))
    broadcast(session, S.SCHEDULED, starts_at=later(minutes=-29), scheduled_at=later(days=-1))
    broadcast(session, S.SENDING, starts_at=later(days=-1), scheduled_at=later(days=-1))
    assert of_the_site(session, NOW).missed_starts == {late.id: later(minutes=-31)}
    assert of_the_site(session, NOW, None).missed_starts == {}
    assert told(session, NOW) == ["missed_start"]
    broadcasts.confirm_start(session, late.id, NOW)
    assert of_the_site(session, later(seconds=1)).missed_starts.keys() == set()


def test_a_round_looks_with_the_settings_and_the_clock_of_the_database(app: Flask, session: Session):
    at = clock.now()
    begin(session, at - timedelta(days=1))
    factories.user(session)
    seen(session, at)
    broadcast(session, S.SENDING)
    late = broadcast(session, S.SCHEDULED, starts_at=at - timedelta(hours=1), scheduled_at=at - timedelta(days=1))
    relay.wait(session, app.config["RELAY"].key, "It is away", at - timedelta(minutes=11), waits_for=HOURS)
    session.commit()
    with app.app_context():
        for _ in range(2):
            notice_round.look(db.engine, app.config["RELAY"].key, app.config["MISSED_START"])
    found = session.scalars(select(Notice).order_by(Notice.id)).all()
    assert [(one.kind.value, one.broadcast_id) for one in found] == [
        ("missed_start", late.id),
        ("waits_for_relay", None),
    ]
