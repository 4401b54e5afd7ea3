"""A worker's word that it lives: it outlasts a database that is away, and writes nothing for a job that is over at once."""

from collections.abc import Iterator
from contextlib import contextmanager

from flask import Flask
from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from jobs.presence import Presence
from tests.engine import engine_of
from tests.workers import wait_until
from webapp.core.sending import workers
from webapp.core.tables.workers import KnownWorker


class Neighbour:
    """A database that can be away. `asked` counts how often it was wanted."""

    def __init__(self, engine: Engine) -> None:
        self.engine, self.is_away, self.asked = engine, False, 0

    @contextmanager
    def __call__(self) -> Iterator[Engine]:
        self.asked += 1
        if self.is_away:
            raise OperationalError("SELECT 1", {}, Exception("away"))
        yield self.engine


def row(session: Session) -> KnownWorker | None:
    session.rollback()
    return session.query(KnownWorker).populate_existing().one_or_none()


def test_a_database_that_is_away_does_not_end_the_beat(app: Flask, session: Session, caplog):
    neighbour = Neighbour(engine_of(app))
    neighbour.is_away = True
    presence = Presence(["massmail"], neighbour, beat_s=0.05)
    presence.begin()
    wait_until(lambda: neighbour.asked >= 3, 20, "it asks again")
    assert row(session) is None
    assert caplog.text.count("cannot be told that this worker lives") == 1
    neighbour.is_away = False
    wait_until(lambda: row(session) is not None, 20, "it is known")
    presence.does("sends mass mail 4")
    wait_until(lambda: row(session).doing == "sends mass mail 4", 20, "what it does is known")
    presence.end()
    ended = row(session)
    assert ended and ended.ended_at is not None and ended.doing == workers.WAITS


def test_a_job_that_is_over_at_once_is_not_written(sqlite_app: Flask, sqlite_session: Session):
    neighbour = Neighbour(engine_of(sqlite_app))
    presence = Presence(["massmail"], neighbour)
    presence.begin()
    wait_until(lambda: row(sqlite_session) is not None, 20, "it is known")
    presence.does("looks for what is due")
    presence.does(workers.WAITS)
    presence.end()
    assert neighbour.asked == 2  # when it began, and when it ended
