"""Sending under limits by the recipient's domain: the threads together, with real time."""

import time
from collections import deque
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from tests import engine, factories
from tests.engine import TAKEN, PlainMailer
from tests.neighbours import MailServer
from webapp.core.consent import suppressions
from webapp.core.ledger import Claimed
from webapp.core.ports import Mail
from webapp.core.rules.consent import SuppressionKind
from webapp.core.rules.lifecycle import BroadcastState
from webapp.core.rules.outcome import Reply
from webapp.core.rules.receivers import MINUTE_S, ReceiverLimit
from webapp.core.sending.receiver_lines import ReceiverLines
from webapp.core.settings import receivers


@pytest.fixture
def where(app: Flask) -> Engine:
    return engine.engine_of(app)


def broadcast_to(session: Session, **mails: int) -> int:
    """A broadcast to so many clients at `google` and `elsewhere`."""
    for name, count in mails.items():
        for number in range(count):
            factories.client(session, f"{name}{number}@{'gmail.com' if name == 'google' else 'example.com'}")
    broadcast_id = engine.sending_broadcast(session, mails=0).id
    session.rollback()  # what is read from here on is what the senders wrote
    return broadcast_id


def limited(session: Session, **columns: int) -> None:
    receivers.add(session, ReceiverLimit(("gmail.com",), **columns))
    session.commit()


def test_all_are_sent_and_in_no_second_more_to_a_domain_than_it_is_given(
    where: Engine, session: Session, tmp_path: Path
):
    limited(session, mails=15)
    broadcast_id = broadcast_to(session, google=40, elsewhere=60)
    left: list[tuple[float, str]] = []

    def answer(mail: Mail) -> Reply:
        left.append((time.monotonic(), mail.rcpt_to.rpartition("@")[2]))
        return TAKEN

    ending = engine.send(where, broadcast_id, tmp_path, lambda: PlainMailer(answer))
    assert ending.state is BroadcastState.FINISHED and engine.states(session, broadcast_id) == {"accepted": 100}
    window: deque[float] = deque()
    for moment, domain in left:
        if domain == "gmail.com":
            window.append(moment)
            while window[0] <= moment - 1:
                window.popleft()
            assert len(window) <= 15
    of_others = [moment for moment, domain in left if domain != "gmail.com"]
    assert max(of_others) < max(moment for moment, _ in left), "those without a limit did not wait"


def test_a_sender_whose_domain_is_used_up_for_long_leaves_and_says_when_to_look_again(
    where: Engine, session: Session, tmp_path: Path
):
    limited(session, mails=4, interval_s=MINUTE_S)
    broadcast_id = broadcast_to(session, google=10, elsewhere=5)
    mailer = PlainMailer()
    ending = engine.send(where, broadcast_id, tmp_path, lambda: mailer)
    assert ending.state is BroadcastState.SENDING and len(mailer.sent) == 9
    assert ending.next_in == pytest.approx(60, abs=5)


def test_a_limit_that_is_taken_away_lets_all_go_that_waited(where: Engine, session: Session, tmp_path: Path):
    limited(session, mails=1, interval_s=MINUTE_S)
    broadcast_id = broadcast_to(session, google=30)
    assert engine.send(where, broadcast_id, tmp_path, PlainMailer).state is BroadcastState.SENDING
    [limit] = receivers.limits.receivers(session)
    receivers.remove(session, limit.id, seen=receivers.digest(limit))
    session.commit()
    assert engine.send(where, broadcast_id, tmp_path, PlainMailer).state is BroadcastState.FINISHED
    assert engine.states(session, broadcast_id) == {"accepted": 30}


def test_over_real_connections_all_arrive_though_only_one_may_carry_a_domain(
    where: Engine, session: Session, tmp_path: Path, mail_server: MailServer
):
    limited(session, connections=1)
    broadcast_id = broadcast_to(session, google=60, elsewhere=60)
    ending = engine.send(where, broadcast_id, tmp_path, mail_server.relay)
    assert ending.state is BroadcastState.FINISHED and len(mail_server.mails) == 120


def claimed(number: int) -> Claimed:
    return Claimed(number, f"ada{number}@gmail.com", [], engine.NOW, 1, receiver=1)


def test_lines_give_what_may_leave_and_has_room():
    lines = ReceiverLines()
    assert not lines and lines.open_at(5.0, {}) is None
    for number, not_before in enumerate((0.0, 0.0, 7.0)):
        lines.of(1).append((not_before, claimed(number)))
    lines.of(2).append((9.0, claimed(9)))
    assert lines and lines.mails == 4 and lines.standing(1) == 3
    assert lines.at_hand(5.0, {}) == 2 and lines.at_hand(5.0, {1: 1}) == 1 and lines.at_hand(5.0, {1: -1}) == 0
    assert lines.open_at(5.0, {1: 0}) is None and lines.next_after(5.0) == 9.0
    line = lines.open_at(5.0, {1: 1})
    assert line is not None
    assert [line.popleft()[1].delivery_id for _ in range(2)] == [0, 1]
    assert lines.open_at(5.0, {}) is None and lines.next_after(5.0) == 7.0


def test_who_must_not_be_mailed_any_more_gets_nothing_out_of_the_line_either(
    where: Engine, session: Session, tmp_path: Path
):
    """An address is suppressed while its mail waits for the limit of its domain."""
    limited(session, mails=5)
    broadcast_id = broadcast_to(session, google=15)
    sent: list[str] = []

    def answer(mail: Mail) -> Reply:
        sent.append(mail.rcpt_to)
        if len(sent) == 1:
            with Session(where) as other:
                suppressions.suppress(other, "google14@gmail.com", SuppressionKind.BY_HAND, engine.NOW)
                other.commit()
        return TAKEN

    ending = engine.send(where, broadcast_id, tmp_path, lambda: PlainMailer(answer))
    assert ending.state is BroadcastState.FINISHED
    assert "google14@gmail.com" not in sent and len(sent) == 14
    assert engine.states(session, broadcast_id) == {"accepted": 14, "suppressed": 1}
