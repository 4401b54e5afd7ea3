"""While everything is held: what the pages say, and the way on."""

from functools import partial
from pathlib import Path

from flask import Blueprint, current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from webapp.adapters import clock, journal, wakeups
from webapp.adapters.database import writes_from_here
from webapp.adapters.markers import Markers
from webapp.core.broadcasts import progress
from webapp.core.errors import Conflict, Invalid
from webapp.core.sending import releasing
from webapp.core.settings import installation
from webapp.core.settings.installation import Hold, Restore
from webapp.core.tables.broadcasts import Broadcast
from webapp.extensions import db
from webapp.pages import wording
from webapp.pages.broadcasts import draft
from webapp.pages.fragments import fragment
from webapp.pages.settings.relay import relay_health

bp = Blueprint("holding", __name__, url_prefix="/settings/held")


def sending_hold() -> Hold | None:
    """What holds everything at present."""
    return installation.hold_of(db.session)


def restores_of(broadcast: Broadcast) -> list[Restore]:
    """The restored back-ups in which this broadcast was open."""
    return installation.restores_of(db.session, broadcast)


@bp.get("/notice")
def notice() -> str:
    """What list, broadcast and settings say while everything is held; asked for again and again, so that it comes and goes by itself."""
    return fragment("holding/_notice.html", hold=sending_hold())


@bp.get("/")
def index() -> str:
    """What is held, one by one, and how to go on."""
    waiting = installation.would_send(db.session)
    relay_health()
    counts = progress.counts_of(db.session, [broadcast.id for broadcast in waiting])
    return render_template(
        "holding/index.html", hold=sending_hold(), waiting=waiting, counts=counts, title_of=draft.title
    )


@bp.post("/")
def hold() -> ResponseReturnValue:
    """Hold everything by hand."""
    who = current_user.name or current_user.email
    installation.hold(db.session, who, request.form.get("reason", "").strip()[:500], clock.now())
    db.session.commit()
    flash("Everything is held. What was sending stops within seconds.", "ok")
    return redirect(url_for("holding.index"), 303)


@bp.post("/release")
def release() -> ResponseReturnValue:
    """Let the broadcast that `broadcast_id` names send again, or all; `number` of them were seen."""
    who = current_user.name or current_user.email
    try:
        ids = [int(request.form["broadcast_id"])] if "broadcast_id" in request.form else None
    except ValueError:
        raise Invalid("This does not name a mass mail.", "broadcast_id") from None
    instance, redis = Path(current_app.config["INSTANCE"]), wakeups.connection()
    markers = Markers(instance, lambda: redis, current_app.config["REDIS_PREFIX"])
    marks = markers.read()
    writes_from_here(db.session)
    going = [one.id for one in installation.would_send(db.session) if ids is None or one.id in ids]
    if ids is None and len(going) != request.form.get("number", type=int):
        raise Conflict(
            "Meanwhile there are more or fewer mass mails that would be sent. Look at them, and decide again."
        )
    find = partial(journal.find, instance / "journals")
    mark = releasing.release(db.session, ids, marks, who, clock.reading(), find)
    db.session.commit()
    if mark is not None:
        markers.write(mark)
    for broadcast_id in going:
        wakeups.wake(broadcast_id)
    flash(f"Released: {wording.plural(len(going), 'mass mail')} {'goes' if len(going) == 1 else 'go'} on.", "ok")
    return redirect(url_for("holding.index") if ids else url_for("broadcasts.index"), 303)
