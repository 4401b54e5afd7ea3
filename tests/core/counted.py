"""What tests of opens and clicks share."""

from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from tests import engine
from tests.engine import PlainMailer
from webapp.core.consent import settings
from webapp.core.ports import Mail
from webapp.core.tables.broadcasts import Broadcast
from webapp.core.tables.consent import ConsentSettings
from webapp.core.tables.deliveries import Delivery

HTML = '<p>Dear {{ first_name }}, <a href="https://example.com/a">read</a> or <a href="https://example.com/c/{{ client_id }}">pay</a>.</p>'


def allow(session: Session, may_count: bool = True) -> None:
    session.rollback()
    session.get_one(ConsentSettings, settings.THE_ROW).may_count = may_count
    session.commit()


def sent(session: Session, where: Engine, folder: Path, mails: int = 2, **columns: Any) -> tuple[Broadcast, list[Mail]]:
    """A broadcast that counts clicks and opens, unless the columns say otherwise, and its mails as they left."""
    allow(session)
    chosen = {"html": HTML, "counts_clicks": True, "counts_opens": True} | columns
    broadcast = engine.sending_broadcast(session, mails, **chosen)
    mailer = PlainMailer()
    engine.send(where, broadcast.id, folder, lambda: mailer)
    session.rollback()
    session.refresh(broadcast)
    return broadcast, sorted(mailer.sent)


def left_at(session: Session, delivery_id: int) -> datetime:
    at = session.get_one(Delivery, delivery_id).stamped_at
    assert at is not None
    return at
