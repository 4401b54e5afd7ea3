"""What leaves: each mail and call to one taker at a time, again after its pauses, given up in the end and shown."""

import itertools
import threading
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from tests import engine, factories
from tests.core.notices.news import NOW, begin, later, look, paused
from webapp.adapters.database import will_write
from webapp.core.errors import Conflict
from webapp.core.notices import outbox, webhook
from webapp.core.notices.outbox import Answer, Errand
from webapp.core.tables.notices import NoticeDispatch
from webapp.core.tables.users import User

OK, AWAY = Answer(True, "250 OK"), Answer(False, "cannot be reached", is_for_all=True)
URL = "https://hooks.example.com/"


def news(session: Session, *, mails: int = 0, call: bool = False) -> list[User]:
    """A notice that is to leave, by so many mails, and by a call."""
    begin(session)
    if call:
        webhook.set_up(session, URL, NOW)
    authors = [factories.user(session) for _ in range(mails)]
    for author in authors or [None]:
        paused(session, created_by=author.id if author else None)
    look(session)
    return authors


def take(session: Session, now=NOW) -> Errand:
    errand = outbox.take(session, now)
    assert errand is not None
    return errand


def states(session: Session) -> list[tuple[str, int]]:
    session.expire_all()
    rows = session.scalars(select(NoticeDispatch).order_by(NoticeDispatch.id))
    return [(row.state.value, row.attempts) for row in rows]


def tries(session: Session, answer: Answer, up_to: timedelta) -> list[timedelta]:
    """When attempts are made that all get this answer, if somebody always looks."""
    made, now = [], NOW
    while now <= NOW + up_to:
        errand = outbox.take(session, now)
        if errand is None:
            due = session.scalars(select(NoticeDispatch.due_at).where(NoticeDispatch.state == "waiting")).all()
            if not due:
                return made
            now = max(now, min(due))
            continue
        made.append(now - NOW)
        outbox.settle(session, errand, answer, now)
    return made


def test_a_call_that_is_not_taken_is_tried_again_after_each_pause_and_then_given_up(sqlite_session: Session):
    news(sqlite_session, call=True)
    made = tries(sqlite_session, Answer(False, "500 Internal Server Error"), timedelta(days=9))
    gaps = [after - before for before, after in itertools.pairwise(made)]
    assert gaps == [timedelta(seconds=s) for s in (5, 60, 300, 1800, 7200)]
    assert states(sqlite_session) == [("given_up", 6)]
    [(row, notice, user)] = outbox.troubles(sqlite_session)
    assert row.answer == "500 Internal Server Error" and notice.kind == "paused_itself" and user is None


def test_a_mail_is_tried_for_three_days_because_the_relay_may_be_what_is_ill(sqlite_session: Session):
    news(sqlite_session, mails=1)
    made = tries(sqlite_session, AWAY, timedelta(days=9))
    assert timedelta(days=3) <= made[-1] <= timedelta(days=3, hours=2)
    assert states(sqlite_session) == [("given_up", len(made))]


def test_a_relay_that_is_away_is_tried_by_one_mail_at_a_time(sqlite_session: Session):
    news(sqlite_session, mails=3)
    outbox.settle(sqlite_session, take(sqlite_session), AWAY, NOW)
    assert outbox.take(sqlite_session, NOW) is None
    assert states(sqlite_session) == [("waiting", 1), ("waiting", 0), ("waiting", 0)]
    for _ in range(3):
        outbox.settle(sqlite_session, take(sqlite_session, later(seconds=5)), OK, later(seconds=5))
    assert {state for state, _attempts in states(sqlite_session)} == {"done"}


def test_fifty_that_pause_at_once_are_one_mail_to_their_author(sqlite_session: Session):
    begin(sqlite_session)
    uma, bob = factories.user(sqlite_session), factories.user(sqlite_session)
    for number in range(50):
        paused(sqlite_session, created_by=uma.id, name=f"News {number}")
    paused(sqlite_session, created_by=bob.id)
    assert len(look(sqlite_session)) == 51
    errand = take(sqlite_session)
    assert (errand.user_id, len(errand.others)) == (uma.id, 49)
    assert take(sqlite_session).user_id == bob.id
    outbox.settle(sqlite_session, errand, OK, NOW)
    assert sorted(states(sqlite_session)) == [("done", 1)] * 50 + [("waiting", 1)]


def test_a_refused_recipient_is_given_up_at_once_and_keeps_nobody_waiting(sqlite_session: Session):
    news(sqlite_session, mails=2)
    refused = Answer(False, "550 5.1.1 no such user", is_final=True)
    outbox.settle(sqlite_session, take(sqlite_session), refused, NOW)
    outbox.settle(sqlite_session, take(sqlite_session), OK, NOW)
    assert [state for state, _attempts in states(sqlite_session)] == ["given_up", "done"]


def test_what_was_given_up_is_tried_again_when_somebody_asks(sqlite_session: Session):
    news(sqlite_session, mails=1)
    outbox.settle(sqlite_session, take(sqlite_session), Answer(False, "550 no", is_final=True), NOW)
    row = sqlite_session.scalars(select(NoticeDispatch)).one()
    outbox.try_again(sqlite_session, row.id, later(days=1))
    with pytest.raises(Conflict):
        outbox.try_again(sqlite_session, row.id, later(days=1))
    outbox.settle(sqlite_session, take(sqlite_session, later(days=1)), OK, later(days=1))
    assert states(sqlite_session) == [("done", 1)] and outbox.troubles(sqlite_session) == []


def test_an_attempt_whose_maker_is_gone_is_made_again_and_a_late_failure_changes_nothing(sqlite_session: Session):
    news(sqlite_session, mails=1)
    lost = take(sqlite_session)
    assert outbox.take(sqlite_session, later(minutes=9)) is None
    again = take(sqlite_session, later(minutes=10))
    outbox.settle(sqlite_session, lost, AWAY, later(minutes=11))
    assert outbox.take(sqlite_session, later(minutes=12)) is None, "the other attempt is still being made"
    outbox.settle(sqlite_session, again, OK, later(minutes=12))
    assert states(sqlite_session) == [("done", 2)]


def test_who_was_locked_meanwhile_gets_no_mail_and_a_webhook_that_is_gone_no_call(sqlite_session: Session):
    [author] = news(sqlite_session, mails=1, call=True)
    author.is_active = False
    webhook.remove(sqlite_session)
    assert outbox.take(sqlite_session, NOW) is None
    assert [state for state, _attempts in states(sqlite_session)] == ["dropped", "dropped"]


def test_a_new_secret_signs_beside_the_old_one_for_a_day(sqlite_session: Session):
    begin(sqlite_session)
    old = webhook.set_up(sqlite_session, URL, NOW)
    new = webhook.rotate(sqlite_session, NOW)
    hook = webhook.get(sqlite_session)
    assert webhook.secrets_of(hook, later(hours=23)) == (new, old)
    assert webhook.secrets_of(hook, later(hours=24)) == (new,)


def test_each_mail_goes_to_one_of_those_who_work_it_off_at_once(app: Flask, session: Session):
    news(session, mails=6)
    session.commit()
    where, together, taken = engine.engine_of(app), threading.Barrier(3), []

    def work_off() -> None:
        together.wait()
        with Session(where) as own:
            while True:
                will_write(own)
                errand = outbox.take(own, NOW)
                own.commit()
                if errand is None:
                    return
                taken.append(errand.dispatch_id)

    threads = [threading.Thread(target=work_off) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(taken) == len(set(taken)) == 6
