"""The notices of the signed-in user: the bell that says how many are new, and the list behind it."""

from flask import Blueprint, Response, current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from webapp.adapters.clock import now
from webapp.core.notices import lists
from webapp.extensions import db
from webapp.pages import wording
from webapp.pages.fragments import fragment
from webapp.pages.notices import background

NOTICES_A_PAGE = 50

bp = Blueprint("notices", __name__, url_prefix="/notices")


@bp.get("/")
def index() -> str:
    before = request.args.get("before", type=int)
    found = lists.listing(db.session, current_user.id, before=before, most=NOTICES_A_PAGE + 1)
    more = found[NOTICES_A_PAGE - 1].id if len(found) > NOTICES_A_PAGE else None
    return render_template("notices/index.html", entries=found[:NOTICES_A_PAGE], before=before, more=more)


@bp.get("/bell")
def bell() -> ResponseReturnValue:
    """The bell, if it is to show something else than `new` and `newest`, which it shows now."""
    background.look_if_nobody_does(current_app._get_current_object())  # type: ignore[attr-defined] # Flask types its proxy as what it stands for
    shown = request.args.get("new", 0, type=int), request.args.get("newest", 0, type=int)
    ringing = lists.bell(db.session, current_user.id)
    if (ringing.new, ringing.newest_id) == shown:
        return Response(status=204)
    arrived = ringing.newest_id > shown[1]
    return fragment("notices/_bell.html", ringing=ringing, is_update=True, arrived=arrived)


@bp.post("/read")
def read() -> ResponseReturnValue:
    """Count everything up to the newest notice on the page as read, or `only` one; what has come since stays new."""
    up_to, only = request.form.get("up_to", 0, type=int), request.form.get("only", type=int)
    marked = lists.mark_read(db.session, current_user.id, now(), up_to=up_to if only is None else only, only=only)
    db.session.commit()
    if marked:
        flash(f"{wording.plural(marked, 'notice')} marked as read.", "ok")
    return redirect(url_for("notices.index"))
