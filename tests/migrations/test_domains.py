"""A database in use gets the tables of domains, and loses them again."""

import flask_migrate
from flask import Flask
from sqlalchemy import inspect
from sqlalchemy.orm import Session

from tests import engine
from tests.factories import NOW
from webapp.core.domains import checks, keys
from webapp.core.domains.sealing import Seal
from webapp.core.settings import from_addresses

TABLES = {"domain_check", "mail_route", "dkim_key"}


def test_domains_can_be_looked_at_after_the_way_there_and_back(app: Flask, session: Session):
    from_addresses.add(session, "News", "news@example.com")
    keys.make(session, "example.com", Seal("s"), NOW)
    session.commit()
    with app.app_context():
        flask_migrate.downgrade(revision="0019")
        assert not TABLES & set(inspect(engine.engine_of(app)).get_table_names())
        flask_migrate.upgrade()
    session.expire_all()
    assert checks.domains(session) == ["example.com"] and keys.listing(session, "example.com", Seal("s"), NOW) == []
    keys.make(session, "example.com", Seal("s"), NOW)
    checks.save_route(session, "192.0.2.1", "")
    session.commit()
    assert checks.due(session, NOW) == ["example.com"]
