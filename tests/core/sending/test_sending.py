"""Sending: the two threads together, with a relay on loopback and with one that answers as told."""

import threading
import time
from dataclasses import replace
from datetime import timedelta
from functools import partial
from itertools import count
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import Engine, text, update
from sqlalchemy.orm import Session

from tests import engine, factories
from tests.engine import TAKEN, PlainMailer
from tests.neighbours import MailServer
from webapp.adapters import clock, database, journal
from webapp.core import broadcasts, ledger, relay, sending
from webapp.core.cadence import LEASE_S
from webapp.core.ledger import Lease
from webapp.core.ledger.leases import take_over
from webapp.core.ports import JournalFinding, Mail
from webapp.core.rules.lifecycle import BroadcastState
from webapp.core.rules.outcome import Cause, Reply, Stage
from webapp.core.sending import SenderSettings, sweeping
from webapp.core.tables.deliveries import Sender, Tally

UNKNOWN = Reply(Stage.RCPT, 550, "5.1.1 no such user")
S = BroadcastState


@pytest.fixture
def where(app: Flask) -> Engine:
    return engine.engine_of(app)


def journals(folder: Path) -> tuple[sweeping.FindJournal, sweeping.DiscardJournal]:
    """Where the sweep finds the journals of senders that are no more, and how it lets go of them."""
    return partial(journal.find, folder), partial(journal.discard, folder)


def test_it_sends_each_mail_once_and_finishes(where: Engine, session: Session, tmp_path: Path, mail_server: MailServer):
    broadcast = engine.sending_broadcast(session, mails=30)
    ending = engine.send(where, broadcast.id, tmp_path, mail_server.relay)
    assert ending.state is S.FINISHED and ending.next_in is None
    assert engine.states(session, broadcast) == engine.tallied(session, broadcast) == {"accepted": 30}
    recipients = [mail.rcpt_to[0] for mail in mail_server.mails]
    assert sorted(recipients) == sorted(str(row.address) for row in engine.rows(session, broadcast))
    assert list(tmp_path.glob("*.journal")) == []
    assert ledger.open_senders(session) == []


def test_what_is_sent_is_what_was_fixed_at_the_claim(where: Engine, session: Session, tmp_path: Path):
    broadcast = engine.sending_broadcast(session, mails=3, subject="Dear {{ first_name }}")
    mailer = PlainMailer()
    engine.send(where, broadcast.id, tmp_path, lambda: mailer)
    assert [mail.delivery_id for mail in mailer.sent] == [row.id for row in engine.rows(session, broadcast)]
    for mail in mailer.sent:
        assert mail.mail_from == "support@example.com" and b"Subject: Dear Ada\r\n" in mail.data


def test_many_groups_roll_through(where: Engine, session: Session, tmp_path: Path):
    broadcast = engine.sending_broadcast(session, mails=120)
    mailer = PlainMailer()
    ending = engine.send(where, broadcast.id, tmp_path, lambda: mailer, settings=SenderSettings(group=7))
    assert ending.state is S.FINISHED and len(mailer.sent) == 120
    assert engine.states(session, broadcast) == engine.tallied(session, broadcast) == {"accepted": 120}


def test_each_recipients_reply_is_their_own(where: Engine, session: Session, tmp_path: Path):
    broadcast = engine.sending_broadcast(session, mails=6)
    keys = [row.id for row in engine.rows(session, broadcast)]
    answers = {
        keys[1]: UNKNOWN,
        keys[3]: Reply(Stage.RCPT, 452, "4.2.2 mailbox full"),
        keys[4]: Reply(Stage.DOT, None, "", "connection lost", Cause.LOST),
    }
    ending = engine.send(
        where, broadcast.id, tmp_path, lambda: PlainMailer(lambda mail: answers.get(mail.delivery_id, TAKEN))
    )
    assert [row.state.value for row in engine.rows(session, broadcast)] == [
        "accepted",
        "failed",
        "accepted",
        "deferred",
        "uncertain",
        "accepted",
    ]
    assert ending.state is S.SENDING and 40 < (ending.next_in or 0) <= 72


def test_a_mail_that_cannot_be_rendered_fails_alone(where: Engine, session: Session, tmp_path: Path):
    broadcast = engine.sending_broadcast(session, mails=3)
    broken = engine.rows(session, broadcast)[1]
    broken.merge_values = '["too", "many", "values", "by", "far"]'
    broken.stamped_at = engine.NOW
    session.commit()
    mailer = PlainMailer()
    ending = engine.send(where, broadcast.id, tmp_path, lambda: mailer)
    rows = engine.rows(session, broadcast)
    assert [row.state.value for row in rows] == ["accepted", "failed", "accepted"]
    assert rows[1].reason == "not_rendered" and rows[1].stage == "render" and ending.state is S.FINISHED


def test_content_that_cannot_be_compiled_pauses_the_broadcast(where: Engine, session: Session, tmp_path: Path):
    broadcast = engine.sending_broadcast(session, mails=2, from_address="nobody at all")
    ending = engine.send(where, broadcast.id, tmp_path, PlainMailer)
    assert ending.state is S.PAUSED and engine.state_of(session, broadcast) is S.PAUSED
    assert "address" in (broadcast.pause_reason or "") and engine.states(session, broadcast) == {"pending": 2}


def test_a_broadcast_that_is_not_sending_is_left_alone(where: Engine, session: Session, tmp_path: Path):
    broadcast = engine.sending_broadcast(session, mails=2)
    engine.elsewhere(where, lambda s: broadcasts.pause(s, broadcast.id, "lunch", clock.now()))
    assert engine.send(where, broadcast.id, tmp_path, PlainMailer).state is S.PAUSED
    assert engine.states(session, broadcast) == {"pending": 2}


@pytest.mark.parametrize("change", ["pause", "cancel"])
def test_after_a_pause_or_cancel_nothing_more_is_handed_over(
    where: Engine, session: Session, tmp_path: Path, change: str
):
    broadcast = engine.sending_broadcast(session, mails=300)
    key, numbers = broadcast.id, count(1)
    session.commit()

    def answer(mail: Mail) -> Reply:
        if next(numbers) == 20:
            if change == "pause":
                engine.elsewhere(where, lambda s: broadcasts.pause(s, key, "lunch", clock.now()))
            else:
                engine.elsewhere(where, lambda s: broadcasts.cancel(s, key, clock.now()))
        return TAKEN

    mailer = PlainMailer(answer)
    ending = engine.send(where, key, tmp_path, lambda: mailer)
    assert ending.why == "the broadcast is not sending any more" and ending.next_in is None
    assert len(mailer.sent) == 20
    assert engine.states(session, broadcast) == engine.tallied(session, broadcast) == {"accepted": 20, "pending": 280}


def test_a_process_asked_to_end_settles_what_is_on_the_wire_and_gives_the_rest_back(
    where: Engine, session: Session, tmp_path: Path
):
    broadcast = engine.sending_broadcast(session, mails=300)
    stop = threading.Event()
    numbers = count(1)

    def answer(mail: Mail) -> Reply:
        if next(numbers) == 5:
            stop.set()
        time.sleep(0.02)
        return TAKEN

    mailer = PlainMailer(answer)
    began = time.monotonic()
    ending = engine.send(where, broadcast.id, tmp_path, lambda: mailer, must_stop=stop.is_set)
    assert time.monotonic() - began < 5 and ending.next_in == 0.0
    sent = len(mailer.sent)
    assert 5 <= sent < 300
    assert (
        engine.states(session, broadcast)
        == engine.tallied(session, broadcast)
        == {"accepted": sent, "pending": 300 - sent}
    )


def test_others_who_wait_get_their_turn_after_a_slice(where: Engine, session: Session, tmp_path: Path):
    broadcast = engine.sending_broadcast(session, mails=300)
    slow = PlainMailer(lambda mail: time.sleep(0.02) or TAKEN)
    settings = SenderSettings(slice_s=0.3)
    ending = engine.send(where, broadcast.id, tmp_path, lambda: slow, settings=settings, somebody_waits=lambda: True)
    assert ending.why == "others wait" and ending.next_in == 0.0 and ending.state is S.SENDING


def test_a_sender_that_waits_for_its_pace_makes_room_at_once(where: Engine, session: Session, tmp_path: Path):
    broadcast = engine.sending_broadcast(session, mails=2, batch_size=1, interval_s=4)
    mailer, asked = PlainMailer(), count()
    waits = lambda: bool(mailer.sent) and next(asked) > 2  # noqa: E731
    ending = engine.send(where, broadcast.id, tmp_path, lambda: mailer, somebody_waits=waits)
    assert ending.why == "others wait" and ending.next_in is not None
    assert engine.states(session, broadcast) == {"accepted": 1, "pending": 1}


def test_senders_that_wait_for_the_relay_do_not_chase_each_other_away(where: Engine, session: Session, tmp_path: Path):
    broadcast = engine.sending_broadcast(session, mails=2)
    relay.wait(session, "relay:25", "cannot be reached", clock.now(), waits_for=timedelta(hours=1))
    session.commit()
    began, settings = clock.ticks(), SenderSettings(stay_s=0.5)
    terms = {"relay_key": "relay:25", "somebody_waits": lambda: True}
    ending = engine.send(where, broadcast.id, tmp_path, PlainMailer, settings=settings, **terms)
    assert ending.why == "others wait" and clock.ticks() - began > 0.5
    assert engine.states(session, broadcast) == {"pending": 2}


def test_a_sender_that_was_taken_over_changes_nothing_any_more(where: Engine, session: Session, tmp_path: Path):
    broadcast = engine.sending_broadcast(session, mails=50)
    key, numbers = broadcast.id, count(1)
    session.commit()

    def take_its_rows(s: Session) -> None:
        [sender] = ledger.open_senders(s)
        finding = replace(journal.find(tmp_path, sender.journal), is_held=False)
        assert ledger.recover(s, sender, finding, clock.reading())

    def answer(mail: Mail) -> Reply:
        if next(numbers) == 10:
            engine.elsewhere(where, take_its_rows)
        return TAKEN

    mailer = PlainMailer(answer)
    engine.send(where, key, tmp_path, lambda: mailer, settings=SenderSettings(group=10))
    found = engine.states(session, broadcast)
    assert found == engine.tallied(session, broadcast)
    accepted, uncertain = found.get("accepted", 0), found.get("uncertain", 0)
    assert accepted + uncertain + found["pending"] == 50 and accepted >= 9
    assert len(mailer.sent) <= accepted + uncertain + 30


def test_nothing_leaves_when_the_lease_is_over_by_ones_own_clock(where: Engine, session: Session, tmp_path: Path):
    broadcast = engine.sending_broadcast(session, mails=10)
    ahead = 0.0

    def ticks() -> float:
        return clock.ticks() + ahead

    def sleep(mail: Mail) -> None:
        nonlocal ahead
        if mail.delivery_id == engine.rows(session, broadcast)[3].id:
            ahead = LEASE_S

    mailer = PlainMailer(before_body=sleep)
    reading = lambda: replace(clock.reading(), ticks=ticks())  # noqa: E731
    engine.send(where, broadcast.id, tmp_path, lambda: mailer, ticks=ticks, reading=reading)
    assert len(mailer.sent) == 3
    assert engine.states(session, broadcast) == {"accepted": 3, "pending": 7}


def test_a_database_that_takes_nothing_stops_the_sending_and_loses_no_outcome(
    sqlite_app: Flask, sqlite_session: Session, tmp_path: Path
):
    session, where = sqlite_session, engine.engine_of(sqlite_app)
    broadcast = engine.sending_broadcast(session, mails=60)
    blocker = Session(where)
    numbers = count(1)

    def answer(mail: Mail) -> Reply:
        if next(numbers) == 10:
            blocker.rollback()
            database.will_write(blocker)
            threading.Timer(1.5, blocker.rollback).start()
        return TAKEN

    with where.connect() as connection:
        connection.execute(text("PRAGMA busy_timeout=100"))
    mailer = PlainMailer(answer)
    ending = engine.send(where, broadcast.id, tmp_path, lambda: mailer, settings=SenderSettings(group=5))
    assert ending.state is S.FINISHED and len(mailer.sent) == 60
    assert engine.states(session, broadcast) == engine.tallied(session, broadcast) == {"accepted": 60}


def test_when_the_database_stays_away_the_journal_tells_the_sweep(where: Engine, session: Session, tmp_path: Path):
    broadcast = engine.sending_broadcast(session, mails=30)
    broken = False

    def prepare(s: Session) -> None:
        database.will_write(s)
        if broken:
            s.execute(text("SELECT nothing FROM nowhere"))

    def answer(mail: Mail) -> Reply:
        nonlocal broken
        broken = len(mailer.sent) >= 9
        return TAKEN

    mailer = PlainMailer(answer)
    with pytest.raises(Exception, match="nowhere"):
        engine.send(
            where,
            broadcast.id,
            tmp_path,
            lambda: mailer,
            prepare=prepare,
            settings=SenderSettings(group=5, patience_s=0.5, retry_s=0.1),
        )
    assert engine.states(session, broadcast).get("claimed", 0) > 0
    assert len(journal.names(tmp_path)) == 1
    sweeping.recover(engine.runtime(where), *journals(tmp_path))
    assert journal.names(tmp_path) == []
    found = engine.states(session, broadcast)
    assert found == engine.tallied(session, broadcast)
    assert found == {"accepted": len(mailer.sent), "pending": 30 - len(mailer.sent)}


def test_a_mailer_that_breaks_off_leaves_only_what_it_had_begun_in_doubt(
    where: Engine, session: Session, tmp_path: Path
):
    broadcast = engine.sending_broadcast(session, mails=10)

    class Broken(PlainMailer):
        def _carry(self, exchange, mail):
            if len(self.sent) < 4:
                return super()._carry(exchange, mail)
            exchange.take()
            exchange.body_starts(mail)
            raise ValueError("a mistake in the program")

    with pytest.raises(ValueError, match="a mistake"):
        engine.send(where, broadcast.id, tmp_path, Broken)
    assert (
        engine.states(session, broadcast)
        == engine.tallied(session, broadcast)
        == {
            "accepted": 4,
            "uncertain": 1,
            "pending": 5,
        }
    )
    assert ledger.open_senders(session) == []


def test_two_senders_share_a_broadcast_and_no_mail_is_sent_twice(where: Engine, session: Session, tmp_path: Path):
    broadcast = engine.sending_broadcast(session, mails=200)
    key = broadcast.id
    session.commit()
    mailers = [PlainMailer(lambda mail: time.sleep(0.001) or TAKEN) for _ in range(2)]
    threads = [
        threading.Thread(
            target=engine.send,
            args=(where, key, tmp_path, lambda mailer=mailer: mailer),
            kwargs={"settings": SenderSettings(group=10)},
        )
        for mailer in mailers
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    first, second = ({mail.delivery_id for mail in mailer.sent} for mailer in mailers)
    assert first and second and not first & second and len(first | second) == 200
    assert engine.state_of(session, broadcast) is S.FINISHED


def test_a_sender_that_stays_behind_calls_for_help_and_one_that_keeps_up_does_not(
    where: Engine, session: Session, tmp_path: Path
):
    few = engine.sending_broadcast(session, mails=3)
    paced = engine.sending_broadcast(session, mails=17, batch_size=4, interval_s=1)
    many = engine.sending_broadcast(session, mails=40)
    calls: list[int] = []
    settings = SenderSettings(group=2, help_s=0.0, promote_s=0.05)
    runtime = {"call_for_help": lambda: calls.append(1)}
    engine.send(where, few.id, tmp_path, PlainMailer, settings=settings, **runtime)
    assert not calls
    slow = PlainMailer(before_body=lambda mail: time.sleep(0.001))
    engine.send(where, paced.id, tmp_path, lambda: slow, settings=replace(settings, group=50, near_s=0.1), **runtime)
    assert not calls
    engine.send(where, many.id, tmp_path, lambda: slow, settings=settings, **runtime)
    assert calls


def test_an_uncertain_mail_under_retry_is_sent_again_byte_for_byte(where: Engine, session: Session, tmp_path: Path):
    broadcast = engine.sending_broadcast(session, mails=1, uncertain_policy="retry")
    lost = PlainMailer(lambda mail: Reply(Stage.DOT, None, "", "no answer", Cause.SILENT))
    ending = engine.send(where, broadcast.id, tmp_path, lambda: lost)
    assert ending.state is S.SENDING and 50 < (ending.next_in or 0) <= 60
    engine.elsewhere(where, lambda s: s.execute(update(engine.Delivery).values(due_at=clock.now())))
    again = PlainMailer()
    assert engine.send(where, broadcast.id, tmp_path, lambda: again).state is S.FINISHED
    assert again.sent[0].data == lost.sent[0].data


def test_a_pace_lets_each_batch_go_an_interval_after_the_last(where: Engine, session: Session, tmp_path: Path):
    broadcast = engine.sending_broadcast(session, mails=6, batch_size=2, interval_s=1)
    moments: list[float] = []
    mailer = PlainMailer(before_body=lambda mail: moments.append(time.monotonic()))
    assert engine.send(where, broadcast.id, tmp_path, lambda: mailer).state is S.FINISHED
    gaps = [later - earlier for earlier, later in zip(moments, moments[2:], strict=False)]
    assert len(moments) == 6 and all(gap >= 1.0 for gap in gaps)
    assert moments[-1] - moments[0] < 20  # how much of a pace is used, the faults of paces measure


def test_when_the_next_batch_is_far_the_worker_is_given_back(where: Engine, session: Session, tmp_path: Path):
    broadcast = engine.sending_broadcast(session, mails=5, batch_size=2, interval_s=60)
    mailer = PlainMailer()
    began = time.monotonic()
    ending = engine.send(where, broadcast.id, tmp_path, lambda: mailer)
    assert len(mailer.sent) == 2 and time.monotonic() - began < 5
    assert ending.state is S.SENDING and 50 < (ending.next_in or 0) < 61


def test_the_sweep_wakes_what_is_due_and_recovers_and_cancels_the_rest(where: Engine, session: Session, tmp_path: Path):
    due = engine.sending_broadcast(session, mails=2)
    scheduled = factories.broadcast(session, batch_size=0, interval_s=0)
    broadcasts.schedule(session, scheduled.id, None, clock.now())
    later = factories.broadcast(session)
    session.commit()
    start = {"start_wall": "2126-12-24T18:00", "time_zone": "UTC"}
    broadcasts.edit(session, later.id, None, start, clock.now())
    broadcasts.schedule(session, later.id, None, clock.now())
    gone = engine.sending_broadcast(session, mails=0)
    cancelled = engine.sending_broadcast(session, mails=0)
    broadcasts.cancel(session, cancelled.id, clock.now())
    session.commit()
    woken = sweeping.sweep(engine.runtime(where), *journals(tmp_path))
    assert woken == [due.id, scheduled.id, gone.id] or set(woken) >= {due.id, scheduled.id}
    assert later.id not in woken and cancelled.id not in woken
    assert engine.states(session, cancelled).get("pending", 0) == 0
    lease: Lease | None = None
    lease = ledger.open_lease(session, due.id, host="h", pid=1, journal="x", reading=clock.reading())
    session.commit()
    assert due.id not in sweeping.sweep(engine.runtime(where), *journals(tmp_path))
    sender = session.get_one(Sender, lease.sender_id)
    assert sender.ended_at is None and take_over(session, lease, sender.expires_at, clock.now())


def test_a_broadcast_whose_counts_are_damaged_pauses_and_the_sweep_wakes_the_others(
    where: Engine, session: Session, tmp_path: Path
):
    damaged, well = (engine.sending_broadcast(session, mails=1) for _ in range(2))
    session.execute(update(Tally).where(Tally.broadcast_id == damaged.id).values(count=0))
    session.commit()
    assert well.id in sweeping.sweep(engine.runtime(where), *journals(tmp_path))
    assert engine.state_of(session, damaged) is S.PAUSED and "do not add up" in (damaged.pause_reason or "")


def test_a_journal_that_cannot_be_read_keeps_nobody_else_from_being_recovered(
    where: Engine, session: Session, tmp_path: Path
):
    leases = []
    for _ in range(2):
        broadcast = engine.sending_broadcast(session, mails=1)
        leases.append(engine.lease_for(session, broadcast, engine.Clocks(), journal=f"{broadcast.id}.journal"))

    def find(name: str) -> JournalFinding:
        if name.startswith(f"{leases[0].broadcast_id}."):
            raise PermissionError(13, "Permission denied")
        return JournalFinding(is_here=True, boot=clock.boot())

    sweeping.sweep(engine.runtime(where), find, lambda _: None)
    session.rollback()
    assert [sender.id for sender in ledger.open_senders(session)] == [leases[0].sender_id]


def test_what_the_database_refuses_pauses_the_broadcast_and_tells_nobodys_data(
    where: Engine, session: Session, tmp_path: Path
):
    broadcast = engine.sending_broadcast(session, mails=2)
    key = broadcast.id
    moved_elsewhere: list[int] = []

    def answer(_: Mail) -> Reply:
        if not moved_elsewhere:
            moved_elsewhere.append(1)
            engine.elsewhere(where, lambda s: s.execute(text(refuse_all(where))))
        return TAKEN

    began = time.monotonic()
    with pytest.raises(Exception, match="refused for a test"):
        engine.send(where, key, tmp_path, lambda: PlainMailer(answer), settings=SenderSettings(group=1))
    assert time.monotonic() - began < SenderSettings().patience_s
    assert engine.state_of(session, broadcast) is S.PAUSED
    assert (broadcast.pause_reason or "").endswith("unexpected error: refused for a test")


def refuse_all(where: Engine) -> str:
    """SQL after which no delivery can be accepted."""
    if where.dialect.name == "sqlite":
        return (
            "CREATE TRIGGER refusing BEFORE UPDATE ON delivery WHEN NEW.state = 'accepted' "
            "BEGIN SELECT RAISE(ABORT, 'refused for a test'); END"
        )
    return (
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'refused for a test' USING ERRCODE = 'check_violation'; END $$; "
        "CREATE TRIGGER refusing BEFORE UPDATE ON delivery FOR EACH ROW "
        "WHEN (NEW.state = 'accepted') EXECUTE FUNCTION refuse()"
    )


def test_there_is_nothing_left_to_say_about_a_finished_broadcast(where: Engine, session: Session, tmp_path: Path):
    broadcast = engine.sending_broadcast(session, mails=3)
    engine.send(where, broadcast.id, tmp_path, PlainMailer)
    assert sweeping.sweep(engine.runtime(where), *journals(tmp_path)) == []
    assert sending.Ending("the broadcast is not sending", S.FINISHED) == engine.send(
        where, broadcast.id, tmp_path, PlainMailer
    )
