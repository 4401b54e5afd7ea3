"""Every situation of a broadcast x everything that may happen to it, each also a second time: what becomes of it stands in a table.

An event is meant for some situations and arrives in all of them, because jobs come late, early and twice, and pages are behind. Where the
table says nothing, nothing may happen: no state, no start, no mail.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from jobs.send_batch import send_batch
from jobs.start_broadcast import start_broadcast
from jobs.sweep import sweep
from tests import engine, factories
from tests.neighbours import MailServer
from tests.visitors import sign_in
from webapp.adapters import clock
from webapp.core import broadcasts, ledger
from webapp.core.rules.lifecycle import BroadcastState, DeliveryState
from webapp.core.sending import failures
from webapp.core.settings import from_addresses
from webapp.core.tables.broadcasts import Broadcast
from webapp.core.tables.clients import Client

S = BroadcastState
HOUR = timedelta(hours=1)
WAITING_PACE = {"batch_size": 1, "interval_s": 3600}
"""Of two mails one leaves, so that what sends goes on sending."""


@dataclass
class Play:
    """One broadcast in a situation, and who may act on it."""

    app: Flask
    session: Session
    key: int
    folder: Path

    def core(self, call: Callable[[Session, int], object]) -> None:
        call(self.session, self.key)
        self.session.commit()

    def job(self, job: Callable[..., object], *arguments: object) -> None:
        with self.app.app_context():
            job(*arguments)

    def post(self, where: str, **data: str) -> None:
        sign_in(self.app, self.session).post(f"/mass-mail/{self.key}/{where}", data=data)

    def version(self) -> str:
        self.session.rollback()
        return str(self.session.get_one(Broadcast, self.key, populate_existing=True).version)

    def clients(self) -> int:
        return self.session.scalar(select(func.count()).select_from(Client)) or 0

    def seen(self) -> tuple[S, object]:
        """The state, and when it started."""
        self.session.rollback()
        broadcast = self.session.get_one(Broadcast, self.key, populate_existing=True)
        return broadcast.state, broadcast.started_at


def _draft(_: Session, __: Broadcast) -> None:
    pass


def _due(session: Session, broadcast: Broadcast) -> None:
    broadcasts.schedule(session, broadcast.id, None, clock.now())


def _later(session: Session, broadcast: Broadcast) -> None:
    start = {"start_wall": "2126-12-24T18:00", "time_zone": "UTC"}
    broadcasts.edit(session, broadcast.id, None, start, clock.now())
    _due(session, broadcast)


def _undoable(session: Session, broadcast: Broadcast) -> None:
    broadcasts.schedule(session, broadcast.id, None, clock.now(), undo=HOUR)


def _later_undoable(session: Session, broadcast: Broadcast) -> None:
    _later(session, broadcast)
    broadcast.undo_until = clock.now() + HOUR
    session.flush()


def _missed(session: Session, broadcast: Broadcast) -> None:
    broadcasts.schedule(session, broadcast.id, None, clock.now() - HOUR)


def _collecting(session: Session, broadcast: Broadcast) -> None:
    _due(session, broadcast)
    broadcasts.start(session, broadcast.id, clock.now())
    ledger.freeze_chunk(session, broadcast.id, clock.now(), chunk=1)


def _collecting_paused(session: Session, broadcast: Broadcast) -> None:
    _collecting(session, broadcast)
    broadcasts.pause(session, broadcast.id, "lunch", clock.now())


def _sending(session: Session, broadcast: Broadcast) -> None:
    _collecting(session, broadcast)
    while not ledger.freeze_chunk(session, broadcast.id, clock.now()):
        pass


def _paused(session: Session, broadcast: Broadcast) -> None:
    _sending(session, broadcast)
    broadcasts.pause(session, broadcast.id, "lunch", clock.now())


def _paused_by_the_breaker(session: Session, broadcast: Broadcast) -> None:
    _sending(session, broadcast)
    broadcasts.stop(session, broadcast.id, "The relay refuses", clock.now(), probing=True)


def _needs_attention(session: Session, broadcast: Broadcast) -> None:
    _settled(session, broadcast, DeliveryState.UNCERTAIN)


def _finished(session: Session, broadcast: Broadcast) -> None:
    _settled(session, broadcast, DeliveryState.ACCEPTED)


def _settled(session: Session, broadcast: Broadcast, state: DeliveryState) -> None:
    _due(session, broadcast)
    broadcast.audience_filter = {"countries": ["XX"]}
    session.flush()
    broadcasts.start(session, broadcast.id, clock.now())
    ledger.freeze_chunk(session, broadcast.id, clock.now())
    factories.delivery(session, broadcast, state=state)
    broadcast.frozen_count = 1
    session.flush()
    broadcasts.finish_if_done(session, broadcast.id, clock.now())


def _cancelled(session: Session, broadcast: Broadcast) -> None:
    _sending(session, broadcast)
    broadcasts.cancel(session, broadcast.id, clock.now())


def _cancelled_before(session: Session, broadcast: Broadcast) -> None:
    broadcasts.cancel(session, broadcast.id, clock.now())


SITUATIONS: dict[str, tuple[Callable[[Session, Broadcast], None], BroadcastState]] = {
    "draft": (_draft, S.DRAFT),
    "scheduled for later": (_later, S.SCHEDULED),
    "scheduled and due": (_due, S.SCHEDULED),
    "created, can be undone": (_undoable, S.SCHEDULED),
    "created for later, can be undone": (_later_undoable, S.SCHEDULED),
    "start missed": (_missed, S.SCHEDULED),
    "collecting": (_collecting, S.SENDING),
    "collecting, paused": (_collecting_paused, S.PAUSED),
    "sending": (_sending, S.SENDING),
    "paused": (_paused, S.PAUSED),
    "paused by the breaker": (_paused_by_the_breaker, S.PAUSED),
    "needs attention": (_needs_attention, S.NEEDS_ATTENTION),
    "finished": (_finished, S.FINISHED),
    "cancelled": (_cancelled, S.CANCELLED),
    "cancelled before": (_cancelled_before, S.CANCELLED),
}

EVENTS: dict[str, Callable[[Play], None]] = {
    # Jobs, and what they do
    "a look begins": lambda play: play.job(start_broadcast, play.key),
    "a look": lambda play: play.job(send_batch, play.key),
    "a sweep": lambda play: play.job(sweep),
    # What a sender commits
    "the breaker opens": lambda play: play.core(
        lambda s, key: broadcasts.stop(s, key, "The relay refuses", clock.now(), probing=True)
    ),
    "a mistake stops it": lambda play: failures.pause_for(
        engine.runtime(engine.engine_of(play.app)), play.key, ValueError("x")
    ),
    "a probe succeeds": lambda play: play.core(broadcasts.probe_succeeded),
    "errors are counted": lambda play: play.core(lambda s, key: broadcasts.remember_relay_errors(s, key, 3)),
    "a sender ends": lambda play: play.core(lambda s, key: broadcasts.finish_if_done(s, key, clock.now())),
    "a chunk is frozen": lambda play: play.core(lambda s, key: ledger.freeze_chunk(s, key, clock.now())),
    "the rest is cancelled": lambda play: (
        play.core(lambda s, key: ledger.cancel_waiting(s, key, clock.now())) if play.seen()[0] is S.CANCELLED else None
    ),
    # Buttons
    "create broadcast": lambda play: play.post("review/", count=str(play.clients())),
    "pause": lambda play: play.post("pause"),
    "resume": lambda play: play.post("resume"),
    "resume an older pause": lambda play: play.post("resume", paused_at="2026-01-01T00:00:00+00:00"),
    "start now": lambda play: play.post("start-now"),
    "send now": lambda play: play.post("send-now", version=play.version(), count=str(play.clients())),
    "undo": lambda play: play.post("undo", version=play.version()),
    "undo an older version": lambda play: play.post("undo", version="0"),
    "leave out": lambda play: play.post("review/leave-out", source=str(play.key), version=play.version()),
    "cancel": lambda play: play.post("cancel"),
    "cancel as scheduled": lambda play: play.post("cancel", seen="scheduled"),
    "edit": lambda play: play.post("edit"),
    "rename": lambda play: play.post("name", name="Another"),
    "count as failed": lambda play: play.post("uncertain", decision="failed"),
    "send again": lambda play: play.post("uncertain", decision="retry"),
}

MOVES: dict[tuple[str, str], BroadcastState] = {
    ("scheduled and due", "a look begins"): S.SENDING,
    ("scheduled and due", "a look"): S.SENDING,
    ("sending", "the breaker opens"): S.PAUSED,
    ("collecting", "the breaker opens"): S.PAUSED,
    ("sending", "a mistake stops it"): S.PAUSED,
    ("collecting", "a mistake stops it"): S.PAUSED,
    ("draft", "create broadcast"): S.SCHEDULED,
    ("sending", "pause"): S.PAUSED,
    ("collecting", "pause"): S.PAUSED,
    ("paused", "resume"): S.SENDING,
    ("paused by the breaker", "resume"): S.SENDING,
    ("collecting, paused", "resume"): S.SENDING,
    ("draft", "cancel"): S.CANCELLED,
    ("scheduled for later", "cancel"): S.CANCELLED,
    ("scheduled and due", "cancel"): S.CANCELLED,
    ("start missed", "cancel"): S.CANCELLED,
    ("collecting", "cancel"): S.CANCELLED,
    ("collecting, paused", "cancel"): S.CANCELLED,
    ("sending", "cancel"): S.CANCELLED,
    ("paused", "cancel"): S.CANCELLED,
    ("paused by the breaker", "cancel"): S.CANCELLED,
    ("needs attention", "cancel"): S.CANCELLED,
    ("draft", "cancel as scheduled"): S.CANCELLED,
    ("scheduled for later", "cancel as scheduled"): S.CANCELLED,
    ("scheduled and due", "cancel as scheduled"): S.CANCELLED,
    ("start missed", "cancel as scheduled"): S.CANCELLED,
    ("created, can be undone", "cancel"): S.CANCELLED,
    ("created for later, can be undone", "cancel"): S.CANCELLED,
    ("created, can be undone", "cancel as scheduled"): S.CANCELLED,
    ("created for later, can be undone", "cancel as scheduled"): S.CANCELLED,
    ("scheduled for later", "edit"): S.DRAFT,
    ("scheduled and due", "edit"): S.DRAFT,
    ("created, can be undone", "edit"): S.DRAFT,
    ("created for later, can be undone", "edit"): S.DRAFT,
    ("start missed", "edit"): S.DRAFT,
    ("created, can be undone", "undo"): S.DRAFT,
    ("created for later, can be undone", "undo"): S.DRAFT,
    ("needs attention", "count as failed"): S.FINISHED,
    ("needs attention", "send again"): S.SENDING,
}
"""The cells in which something moves. Every other cell keeps its state."""

MAILS: dict[tuple[str, str], int] = {
    ("scheduled and due", "a look"): 1,
    ("collecting", "a look"): 1,
    ("sending", "a look"): 1,
}
"""The cells in which mails leave: a batch of one, as the pace allows."""


@pytest.fixture
def app(sqlite_app: Flask, redis_url: str, mail_server: MailServer) -> Flask:
    sqlite_app.config["REDIS_URL"] = redis_url
    sqlite_app.config["RELAY"] = mail_server.relay
    return sqlite_app


@pytest.mark.parametrize("situation", SITUATIONS)
def test_each_event_does_what_the_table_says_and_a_second_time_nothing(
    app: Flask, sqlite_session: Session, mail_server: MailServer, tmp_path: Path, situation: str
):
    make, state = SITUATIONS[situation]
    from_addresses.add(sqlite_session, "Example Hosting", "support@example.com")
    for _ in range(2):
        factories.client(sqlite_session)
    wrong = []
    for event, happen in EVENTS.items():
        broadcast = factories.broadcast(sqlite_session, **WAITING_PACE)
        make(sqlite_session, broadcast)
        sqlite_session.commit()
        play = Play(app, sqlite_session, broadcast.id, tmp_path)
        before, started = play.seen()
        assert before is state, situation
        mails = len(mail_server.mails)
        wanted = MOVES.get((situation, event), state)
        for time in ("once", "twice"):
            happen(play)
            found, began = play.seen()
            if found is not wanted:
                wrong.append(f"{event}, {time}: {found}, not {wanted}")
            if started and began != started:
                wrong.append(f"{event}, {time}: it started anew")
        if (sent := len(mail_server.mails) - mails) != MAILS.get((situation, event), 0):
            wrong.append(f"{event}: {sent} mails left")
        if found not in (S.FINISHED, S.CANCELLED):  # others are played in the same database
            broadcasts.cancel(sqlite_session, broadcast.id, clock.now())
            sqlite_session.commit()
    assert not wrong, wrong


def test_the_table_names_only_what_there_is():
    for situation, event in [*MOVES, *MAILS]:
        assert situation in SITUATIONS and event in EVENTS
