"""Who has a draft open."""

from flask import current_app
from flask.typing import ResponseReturnValue
from flask_login import current_user
from sqlalchemy.exc import DBAPIError

from webapp.adapters.clock import now
from webapp.adapters.database import writes_from_here
from webapp.core import broadcasts
from webapp.core.broadcasts import presence
from webapp.core.errors import NotFound
from webapp.core.rules.lifecycle import CHANGEABLE
from webapp.extensions import db
from webapp.pages.broadcasts.blueprint import bp
from webapp.pages.fragments import fragment

ENOUGH = 286
"""htmx asks no more after this status."""


@bp.get("/<int:broadcast_id>/here")
def here(broadcast_id: int) -> ResponseReturnValue:
    """The others who have the draft open; and whoever asks has, too. When it is no draft any more, the question has an end."""
    try:
        state = broadcasts.named(db.session, broadcast_id).state
    except NotFound:
        return "", ENOUGH
    if state not in CHANGEABLE:
        return "", ENOUGH
    at, user_id = now(), current_user.id
    others = presence.others(db.session, broadcast_id, user_id, at)
    if presence.is_due(db.session, broadcast_id, user_id, at):
        _note(broadcast_id, user_id)
    return fragment("broadcasts/_here.html", broadcast_id=broadcast_id, others=others)


def _note(broadcast_id: int, user_id: int) -> None:
    """It does not matter if that cannot be written just now: the next question comes soon."""
    try:
        writes_from_here(db.session)
        presence.seen(db.session, broadcast_id, user_id, now())
        db.session.commit()
    except DBAPIError as error:
        current_app.logger.warning("a visit to a draft was not noted: %s", error)
        db.session.rollback()
