"""Where counted links of a mail lead, and the picture that tells of an opening. For everybody who holds a mail's token: no sign-in, no
cookie, no script. Only GET counts. Where a link leads was kept by its mass mail: nothing of it comes from the request."""

from flask import Blueprint, Response, current_app, render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy.exc import DBAPIError

from webapp.adapters.clock import now, ticks
from webapp.adapters.database import writes_from_here
from webapp.core.content import link_targets
from webapp.core.content.link_targets import Followed
from webapp.core.events import uses
from webapp.core.rules import mail_uses
from webapp.extensions import db
from webapp.pages.unsubscribe import look, rate

bp = Blueprint("tracking", __name__)

ONE_POINT = bytes.fromhex("47494638396101000100800000000000ffffff21f90401000000002c00000000010001000002024401003b")
"""A GIF of one transparent point."""


@bp.get("/go/<token>/<mark>")
def go(token: str, mark: str) -> ResponseReturnValue:
    """On to where a link of a mail leads."""
    found = link_targets.follow(db.session, token, mark, now())
    if found is None or found.address is None:
        look.speak(None)
        known = look.known(db.session)
        return render_template("unsubscribe/link_gone.html", **known, was_known=found is not None), 404
    if _counts(found, token) and _count(found):
        _look_for_a_burst(found)
    return Response(status=302, headers={"Location": found.address})


@bp.get("/seen/<token>.gif")
def seen(token: str) -> ResponseReturnValue:
    """The picture at the end of a mail: the same for whoever asks, so that nobody sees a broken one."""
    found = link_targets.opened(db.session, token, now())
    if found is not None and _counts(found, token):
        _count(found, by_machine=mail_uses.is_by_mail_program(request.user_agent.string))
    return Response(ONE_POINT, mimetype="image/gif")


@bp.after_request
def _headers(response: Response) -> Response:
    return look.closed(response)


def _counts(found: Followed, token: str) -> bool:
    """Whether this request is somebody's who uses the mail now. One over the limit of its token is answered all the same."""
    is_asked = request.method == "GET" and not mail_uses.is_ahead(request.headers.get)
    return is_asked and found.is_counted and rate.allows(token, ticks())


def _count(found: Followed, *, by_machine: bool = False) -> bool:
    """Whether it could be counted. Who follows a link gets there all the same: a number is worth less than a reader's way."""
    try:
        writes_from_here(db.session)
        uses.count(db.session, found.delivery_id, found.link, now(), by_machine=by_machine)
        db.session.commit()
        return True
    except DBAPIError as error:
        db.session.rollback()
        current_app.logger.warning("the use of a mail was not counted: %s", type(error).__name__)
        return False


def _look_for_a_burst(found: Followed) -> None:
    try:
        if uses.is_in_burst(db.session, found.delivery_id, now()):
            writes_from_here(db.session)
            uses.mark_burst(db.session, found.delivery_id, now())
            db.session.commit()
    except DBAPIError as error:
        db.session.rollback()
        current_app.logger.warning("a burst of clicks was not marked: %s", type(error).__name__)
