"""A filled database gets its notices, and nobody hears of what was over by then."""

import flask_migrate
from flask import Flask
from sqlalchemy import inspect, select
from sqlalchemy.orm import Session

from tests import engine, factories
from tests.core.notices.news import broadcast, look, paused
from webapp.adapters import clock
from webapp.core.rules.lifecycle import BroadcastState
from webapp.core.tables.broadcasts import Broadcast
from webapp.core.tables.deliveries import Delivery
from webapp.core.tables.notices import Notice

TABLES = {"notice", "notice_receipt", "notice_dispatch", "notice_choice", "notice_watch", "webhook"}
BEFORE = "0007-1"


def test_an_older_database_keeps_everything_and_old_news_are_none(app: Flask, session: Session):
    began = clock.now()
    author = factories.user(session)
    over = broadcast(session, BroadcastState.FINISHED, finished_at=began, created_by=author.id)
    factories.delivery(session, over)
    paused(session, at=began, created_by=author.id)
    session.commit()
    with app.app_context():
        flask_migrate.downgrade(revision=BEFORE)
        assert not TABLES & set(inspect(engine.engine_of(app)).get_table_names())
        flask_migrate.upgrade()
    session.expire_all()
    assert len(session.scalars(select(Broadcast)).all()) == 2 and len(session.scalars(select(Delivery)).all()) == 1
    assert look(session, clock.now()) == []
    paused(session, at=clock.now(), created_by=author.id)
    assert look(session, clock.now()) == ["paused_itself"]
    session.commit()
    with app.app_context():
        flask_migrate.downgrade(revision=BEFORE)
        flask_migrate.upgrade()
    session.expire_all()
    assert session.scalars(select(Notice)).all() == []
