"""Sending to a relay that is ill, or refuses everybody: the broadcast pauses in the relay's own words, and feels its way back."""

from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import Engine, delete
from sqlalchemy.orm import Session

from tests import engine
from tests.engine import TAKEN, PlainMailer
from tests.spoken import spoken
from webapp.adapters import clock, logs
from webapp.core import broadcasts
from webapp.core.ports import Mail
from webapp.core.rules.lifecycle import BroadcastState
from webapp.core.rules.outcome import Reply, Stage
from webapp.core.sending import SenderSettings
from webapp.core.tables.deliveries import PaceUse

POLICY = Reply(Stage.DOT, 550, "5.7.1 we do not like you")
UNKNOWN = Reply(Stage.RCPT, 550, "5.1.1 no such user")
S = BroadcastState


@pytest.fixture
def where(app: Flask) -> Engine:
    return engine.engine_of(app)


def test_an_ill_relay_pauses_the_broadcast_in_its_own_words_and_nobody_fails(
    where: Engine, session: Session, tmp_path: Path
):
    broadcast = engine.sending_broadcast(session, mails=200)
    mailer = PlainMailer(lambda mail: POLICY)
    ending = engine.send(where, broadcast.id, tmp_path, lambda: mailer)
    assert ending.state is engine.state_of(session, broadcast) is S.PAUSED
    assert "550 5.7.1 we do not like you" in (broadcast.pause_reason or "") and broadcast.probing
    assert len(mailer.sent) == 10
    assert engine.states(session, broadcast) == engine.tallied(session, broadcast) == {"held": 10, "pending": 190}


def test_a_relay_that_refuses_everybody_pauses_the_broadcast_however_it_words_that(
    where: Engine, session: Session, tmp_path: Path
):
    broadcast = engine.sending_broadcast(session, mails=100, batch_size=5, interval_s=60)
    for _ in range(6):
        engine.elsewhere(where, lambda s: s.execute(delete(PaceUse)))  # the minute is over
        ending = engine.send(where, broadcast.id, tmp_path, lambda: PlainMailer(lambda mail: UNKNOWN))
        if ending.state is not S.SENDING:
            break
    assert ending.state is engine.state_of(session, broadcast) is S.PAUSED
    assert "20 mails failed one after the other" in (broadcast.pause_reason or "")
    assert engine.states(session, broadcast) == engine.tallied(session, broadcast) == {"held": 20, "pending": 80}


def test_a_mail_whose_commands_are_out_is_called_back_when_the_relay_proves_ill_before_its_content(
    where: Engine, session: Session, tmp_path: Path
):
    class Pipelining(PlainMailer):
        def _carry(self, exchange, mail):
            following = exchange.take()
            exchange.settled(mail, Reply(Stage.MAIL, 550, "5.7.1 not from you"))
            super()._carry(exchange, following)

    broadcast = engine.sending_broadcast(session, mails=20)
    mailer = Pipelining()
    assert engine.send(where, broadcast.id, tmp_path, lambda: mailer).state is S.PAUSED
    assert not mailer.sent and engine.states(session, broadcast) == {"held": 1, "pending": 19}
    assert [row.attempts for row in engine.rows(session, broadcast)] == [1] + [0] * 19


@pytest.mark.parametrize("taken", [0, 1, 2])
def test_an_ill_relay_pauses_it_also_when_each_mail_has_a_sender_of_its_own(
    where: Engine, session: Session, tmp_path: Path, taken: int
):
    broadcast = engine.sending_broadcast(session, mails=20, batch_size=1, interval_s=60)
    mailers = []
    for number in range(15):
        engine.elsewhere(where, lambda s: s.execute(delete(PaceUse)))  # the minute is over
        mailers.append(PlainMailer(lambda mail, number=number: TAKEN if number < taken else POLICY))
        ending = engine.send(where, broadcast.id, tmp_path, lambda: mailers[-1])
        if ending.state is not S.SENDING:
            break
    assert ending.state is S.PAUSED and [len(mailer.sent) for mailer in mailers] == [1] * (taken + 10)
    assert engine.states(session, broadcast).get("failed", 0) == 0


def test_a_resume_probes_with_one_mail_and_then_sends_the_rest(where: Engine, session: Session, tmp_path: Path):
    broadcast = engine.sending_broadcast(session, mails=20)
    key = broadcast.id
    engine.send(where, key, tmp_path, lambda: PlainMailer(lambda mail: POLICY))
    for answers, sent in (([POLICY], 1), ([], 20)):
        engine.elsewhere(where, lambda s: broadcasts.resume(s, key, clock.now()))
        script = list(answers)
        mailer = PlainMailer(lambda mail, script=script: script.pop() if script else TAKEN)
        ending = engine.send(where, broadcast.id, tmp_path, lambda mailer=mailer: mailer)
        assert len(mailer.sent) == sent, (ending, engine.states(session, key))
    assert ending.state is S.FINISHED and engine.states(session, broadcast) == {"accepted": 20}
    assert engine.state_of(session, broadcast) is S.FINISHED and not broadcast.probing


def test_who_began_before_the_relay_was_ill_makes_room_for_one_that_probes(
    where: Engine, session: Session, tmp_path: Path
):
    """Another sender's breaker opened, and somebody resumed, between two looks of this one."""
    broadcast = engine.sending_broadcast(session, mails=60)
    key = broadcast.id

    def trouble(session: Session) -> None:
        broadcasts.stop(session, key, "ill", clock.now(), probing=True)
        broadcasts.resume(session, key, clock.now())

    def answer(mail: Mail) -> Reply:
        if len(first.sent) == 3:
            engine.elsewhere(where, trouble)
        return TAKEN

    settings = SenderSettings(group=4)
    first = PlainMailer(answer)
    ending = engine.send(where, key, tmp_path, lambda: first, settings=settings)
    assert (ending.state, ending.next_in) == (S.SENDING, 0.0) and len(first.sent) < 30
    assert engine.state_of(session, broadcast) is S.SENDING and broadcast.probing

    second = PlainMailer()
    ending = engine.send(where, key, tmp_path, lambda: second, settings=settings)
    assert ending.state is S.FINISHED and engine.states(session, broadcast) == {"accepted": 60}
    assert len(first.sent) + len(second.sent) == 60
    assert engine.state_of(session, broadcast) is S.FINISHED and not broadcast.probing


def test_a_relay_that_cannot_be_reached_pauses_it_before_a_mail_is_touched(
    where: Engine, session: Session, tmp_path: Path
):
    broadcast = engine.sending_broadcast(session, mails=5)
    refused = Reply(Stage.AUTH, 535, "5.7.8 who are you")
    mailer = PlainMailer(troubles=[refused])
    assert (
        engine.send(where, broadcast.id, tmp_path, lambda: mailer).state
        is engine.state_of(session, broadcast)
        is S.PAUSED
    )
    assert "535 5.7.8 who are you" in (broadcast.pause_reason or "")
    assert not mailer.sent and engine.states(session, broadcast) == {"pending": 5}


def test_what_both_threads_of_a_sender_say_belongs_to_its_job(where: Engine, session: Session, tmp_path: Path):
    broadcast = engine.sending_broadcast(session, mails=20)
    with spoken() as heard, logs.belonging_to("of-this-job"):
        engine.send(where, broadcast.id, tmp_path, lambda: PlainMailer(lambda mail: POLICY))
    told = heard.events("sender_begun", "breaker", "sender_ended")
    assert [(one["event"], one["broadcast"]) for one in told] == [
        ("sender_begun", broadcast.id),
        ("breaker", broadcast.id),
        ("sender_ended", broadcast.id),
    ]
    assert {one["request"] for one in told} == {"of-this-job"}
