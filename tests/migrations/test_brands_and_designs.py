"""A database in use gets brands and templates, and loses them again; what was written before stands in no brand."""

import flask_migrate
from flask import Flask
from sqlalchemy import inspect, text
from sqlalchemy.orm import Session

from tests import engine, factories
from tests.factories import NOW
from webapp.core.branding import brands
from webapp.core.branding.brands import Wanted
from webapp.core.designs import library
from webapp.core.tables.broadcasts import Broadcast

TABLES = {"brand", "hosted_picture", "design", "design_version"}


def test_drafts_of_before_stand_in_no_brand_after_the_way_there_and_back(app: Flask, session: Session):
    brands.save(session, "", Wanted(), "uma@example.org", NOW)
    broadcast = factories.broadcast(session, in_brand=True)
    session.commit()
    with app.app_context():
        flask_migrate.downgrade(revision="0028")
        assert not TABLES & set(inspect(engine.engine_of(app)).get_table_names())
        flask_migrate.upgrade()
    session.expire_all()
    kept = session.get_one(Broadcast, broadcast.id)
    assert (kept.in_brand, kept.brand_id, kept.design_version_id) == (False, None, None)
    assert brands.in_force(session) is None and len(library.listing(session)) == 11
    assert session.scalar(text("SELECT count(*) FROM content")) == 1
