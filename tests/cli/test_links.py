"""`flask links`."""

from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from webapp.core.tables.consent import LinkKey


def test_a_new_key_takes_the_place_of_the_old_one(sqlite_app: Flask, sqlite_session: Session):
    result = sqlite_app.test_cli_runner().invoke(args=["links", "new-key"])
    assert result.exit_code == 0 and result.output.startswith("Key 2: ")
    old, new = sqlite_session.scalars(select(LinkKey).order_by(LinkKey.id)).all()
    assert old.retired_at == new.made_at and new.retired_at is None and old.secret != new.secret
