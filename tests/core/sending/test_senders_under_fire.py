"""Senders when something around them goes wrong: a database that drops them, an answer that does not come, a machine that is gone."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from flask import Flask
from sqlalchemy import Connection, Engine, event, text
from sqlalchemy.orm import Session

from tests import engine
from tests.databases import make_app
from tests.engine import TAKEN, Clocks, PlainMailer
from tests.workers import wait_until
from webapp.core import ledger
from webapp.core.ledger import Lease, leases
from webapp.core.ports import Mail
from webapp.core.rules.lifecycle import BroadcastState
from webapp.core.rules.limits import Limits
from webapp.core.rules.outcome import Reply
from webapp.core.sending import SenderSettings
from webapp.core.settings import limits

S = BroadcastState


@pytest.fixture
def where(app: Flask) -> Engine:
    return engine.engine_of(app)


@pytest.fixture
def postgresql(postgresql_url: str, tmp_path: Path) -> Iterator[Engine]:
    where = engine.engine_of(make_app(postgresql_url, tmp_path))
    yield where
    where.dispose()


@contextmanager
def commits(where: Engine) -> Iterator[list[float]]:
    """The moments of all commits meanwhile."""
    moments: list[float] = []
    note = lambda _connection: moments.append(time.monotonic())  # noqa: E731
    event.listen(where, "commit", note)
    yield moments
    event.remove(where, "commit", note)


def drop_connections(where: Engine) -> None:
    """As a restart of the server, or a firewall that forgets."""
    others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    with where.connect() as connection:
        connection.execute(text(others))


def test_a_database_that_drops_its_connections_only_interrupts_the_sending(postgresql: Engine, tmp_path: Path):
    where = postgresql
    with Session(where) as session:
        broadcast_id = engine.sending_broadcast(session, mails=120).id
    drops = iter(range(30, 120, 30))
    at = next(drops)

    def answer(mail: Mail) -> Reply:
        nonlocal at
        time.sleep(0.002)
        if len(mailer.sent) == at:
            at = next(drops, 0)
            drop_connections(where)
        return TAKEN

    mailer = PlainMailer(answer)
    begin = time.monotonic()
    ending = engine.send(where, broadcast_id, tmp_path, lambda: mailer, settings=SenderSettings(group=5))
    assert ending.state is S.FINISHED and time.monotonic() - begin < 20
    assert len(mailer.sent) == len({mail.delivery_id for mail in mailer.sent}) == 120


@pytest.mark.parametrize("lost", [1, 2])
def test_mails_whose_claim_was_committed_without_an_answer_are_sent_all_the_same(
    postgresql: Engine, tmp_path: Path, lost: int
):
    """The answer to the commit is lost: of the first claim, or of the one after the first outcomes' record."""
    where = postgresql
    with Session(where) as session:
        broadcast_id = engine.sending_broadcast(session, mails=6, batch_size=3, interval_s=1).id
    claims: list[int] = []

    def lose_the_answer(connection: Connection) -> None:
        driver = connection.connection.driver_connection
        states = "SELECT count(*) FROM delivery WHERE state = 'claimed' AND changed_at > now() - interval '1 minute'"
        with driver.cursor() as cursor:
            if cursor.execute(states).fetchone()[0] and len(claims) < lost:
                claims.append(1)
                if len(claims) == lost:
                    driver.commit()
                    raise psycopg.OperationalError("the answer to the commit was lost")

    event.listen(where, "commit", lose_the_answer)
    mailer = PlainMailer()
    ending = engine.send(where, broadcast_id, tmp_path, lambda: mailer)
    assert len(claims) == lost and ending.state is S.FINISHED
    assert len(mailer.sent) == len({mail.delivery_id for mail in mailer.sent}) == 6


@pytest.mark.parametrize("case", ["the last mail of a large batch", "the probe of a large batch", "a high ceiling"])
def test_while_one_answer_is_waited_for_the_database_is_left_in_peace(
    where: Engine, session: Session, tmp_path: Path, case: str
):
    pace = {"batch_size": 0, "interval_s": 0} if case == "a high ceiling" else {"batch_size": 1000, "interval_s": 60}
    probing = case.startswith("the probe")
    broadcast = engine.sending_broadcast(session, mails=30 if probing else 3, **pace)
    broadcast.probing = probing
    if case == "a high ceiling":
        limits.save(session, Limits(per_second=1000))
    session.commit()

    def answer(mail: Mail) -> Reply:
        if len(mailer.sent) == (0 if probing else 2):
            time.sleep(0.5)
            slow.append(len(seen))
            time.sleep(1.5)
            slow.append(len(seen))
        return TAKEN

    slow: list[int] = []
    mailer = PlainMailer(answer)
    with commits(where) as seen:
        engine.send(where, broadcast.id, tmp_path, lambda: mailer)
    assert slow[1] - slow[0] < 8


def test_connections_are_closed_while_the_lease_still_says_that_they_are_held(
    where: Engine, session: Session, tmp_path: Path
):
    broadcast = engine.sending_broadcast(session, mails=3)
    limits.save(session, Limits(connections=4))
    session.commit()
    held: list[int] = []

    class Polite(PlainMailer):
        def close(self) -> None:
            session.rollback()
            held.extend(sender.connections for sender in ledger.open_senders(session))

    ending = engine.send(where, broadcast.id, tmp_path, Polite)
    assert ending.state is S.FINISHED and held == [4]


def test_two_senders_of_a_broadcast_do_not_wait_for_each_other(postgresql: Engine):
    """One shares out connections before it claims, the other only claims."""
    above = Limits(per_second=100, connections=4)
    claims: list[int] = []

    def claim(session: Session, lease: Lease) -> None:
        values = lambda holders: [["x"] for _ in holders]  # noqa: E731
        claims.append(len(ledger.claim(session, lease, 5, values, clocks.reading(), limits=above).mails))
        session.commit()

    clocks = Clocks()
    with Session(postgresql) as first, Session(postgresql) as second:
        broadcast = engine.sending_broadcast(first, mails=20, batch_size=50, interval_s=1)
        limits.save(first, above)
        one, two = (engine.lease_for(first, broadcast, clocks) for _ in range(2))
        ledger.share_connections(first, one, 4, wanted=4, holding=0, now=clocks.wall)
        thread = threading.Thread(target=claim, args=(second, two))
        thread.start()
        wait_until(lambda: is_somebody_blocked(postgresql), 60, "the second waits")
        claim(first, one)
        thread.join()
    assert claims == [5, 5]


def is_somebody_blocked(where: Engine) -> bool:
    with where.connect() as connection:
        return bool(connection.scalar(text("SELECT count(*) FROM pg_locks WHERE NOT granted")))


def test_who_has_the_only_connection_lets_others_have_it_after_a_while(
    where: Engine, session: Session, tmp_path: Path, monkeypatch
):
    monkeypatch.setattr(leases, "RENEW_S", 0.1)
    many, few = (engine.sending_broadcast(session, mails=300).id for _ in range(2))
    limits.save(session, Limits(connections=1))
    session.commit()
    settings = SenderSettings(group=5, slice_s=0.3, limits_s=0.05)
    slow = PlainMailer(lambda mail: time.sleep(0.01) or TAKEN)
    other = PlainMailer(lambda mail: time.sleep(0.01) or TAKEN)
    thread = threading.Thread(
        target=engine.send, args=(where, few, tmp_path, lambda: other), kwargs={"settings": settings}, daemon=True
    )
    slow.before_body = lambda mail: thread.start() if len(slow.sent) == 5 else None
    ending = engine.send(where, many, tmp_path, lambda: slow, settings=settings)
    assert ending.why == "others wait" and ending.next_in == 0.0
    thread.join()
    assert len(other.sent) > 100
