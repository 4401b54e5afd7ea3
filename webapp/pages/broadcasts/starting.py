"""From the calendar to the start, and back: undo, send now, start what was missed, and the question before the schedule is stopped."""

from datetime import timedelta
from typing import Any

from flask import current_app, flash, g, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from webapp.adapters import wakeups
from webapp.adapters.clock import now
from webapp.core import audience, broadcasts
from webapp.core.errors import Conflict
from webapp.core.rules import schedule
from webapp.core.rules.lifecycle import NOT_BEGUN, BroadcastState
from webapp.core.tables.broadcasts import Broadcast
from webapp.extensions import db
from webapp.pages import wording
from webapp.pages.broadcasts import draft, live, number
from webapp.pages.broadcasts.blueprint import bp


@bp.post("/<int:broadcast_id>/start-now")
def start_now(broadcast_id: int) -> ResponseReturnValue:
    """Start what was missed."""
    broadcasts.confirm_start(db.session, broadcast_id, now(), undo=current_app.config["UNDO"], by=current_user.email)
    return begun(broadcast_id, "It starts as soon as a worker is free.")


@bp.get("/<int:broadcast_id>/send-now")
def ask_send_now(broadcast_id: int) -> str:
    """The question before a scheduled one starts before its time; a dialog where there is JavaScript."""
    broadcast = broadcasts.named(db.session, broadcast_id)
    return render_template("broadcasts/send_now.html", **_asked(broadcast))


@bp.post("/<int:broadcast_id>/send-now")
def send_now(broadcast_id: int) -> ResponseReturnValue:
    """Start it before its time, for as many as the question named. Above the set number this is typed."""
    broadcast = broadcasts.named(db.session, broadcast_id)
    version = request.form.get("version", -1, type=int)
    if broadcast.state is BroadcastState.SCHEDULED and not broadcast.start_confirmed_at:
        count = would_get(broadcast)
        if (problem := number.problem_of(request.form, count)) is not None:
            return render_template("broadcasts/send_now.html", problem=problem, **_asked(broadcast)), problem.status
    broadcasts.send_now(
        db.session, broadcast_id, version, now(), undo=current_app.config["UNDO"], by=current_user.email
    )
    return begun(broadcast_id, "It starts as soon as a worker is free.")


def begun(broadcast_id: int, words: str) -> ResponseReturnValue:
    """Commit, and have a worker look at it when its time has come. Goes to its page; where it can be undone that says so itself."""
    broadcast = broadcasts.get(db.session, broadcast_id)
    at, can_undo = broadcasts.begins_at(broadcast), live.undo_until(broadcast) is not None
    db.session.commit()
    if not wakeups.wake(broadcast_id, at):
        flash("The queue of the workers does not answer at present. It starts as soon as one looks again.", "warn")
    elif not can_undo:
        flash(words, "ok")
    return draft.redirect(url_for("broadcasts.show", broadcast_id=broadcast_id))


@bp.post("/<int:broadcast_id>/undo")
def undo(broadcast_id: int) -> ResponseReturnValue:
    """Take back that it goes out, while nothing has left."""
    broadcasts.undo(db.session, broadcast_id, request.form.get("version", type=int), now())
    db.session.commit()
    flash("Undone. Nothing has left: it is a draft, as it was.", "ok")
    return draft.redirect(url_for("review.index", broadcast_id=broadcast_id))


@bp.get("/<int:broadcast_id>/edit")
def ask_edit(broadcast_id: int) -> ResponseReturnValue:
    """The question before the schedule is stopped; a dialog where there is JavaScript."""
    broadcast = broadcasts.named(db.session, broadcast_id)
    if broadcast.state is BroadcastState.DRAFT:
        return draft.redirect(draft.first_unfinished(broadcast))
    return render_template("broadcasts/edit.html", **_asked(broadcast))


@bp.post("/<int:broadcast_id>/edit")
def back_to_draft(broadcast_id: int) -> ResponseReturnValue:
    """Take a scheduled broadcast off the calendar, to change it."""
    broadcast = broadcasts.get(db.session, broadcast_id)
    if broadcast.state not in NOT_BEGUN:
        raise Conflict(f"This mass mail is {broadcast.state.label} by now: it cannot be changed any more.")
    if broadcast.state is BroadcastState.SCHEDULED:
        broadcasts.unschedule(db.session, broadcast_id, request.form.get("version", type=int), now())
        db.session.commit()
        flash("It is a draft again and starts only when you create it anew.", "ok")
    step = request.form.get("step", "")
    room = step if step in dict(draft.STEPS) else "review"
    return draft.redirect(url_for(f"{room}.index", broadcast_id=broadcast_id))


@bp.app_template_global()
def undo_s() -> int:
    """For how many seconds whoever says that it goes out can take that back."""
    undo: timedelta = current_app.config["UNDO"]
    return round(undo.total_seconds())


@bp.app_template_global()
def starts_figure(broadcast: Broadcast) -> str:
    """The start in short, on the clocks of its own zone: "today 14:00"."""
    assert broadcast.starts_at is not None
    return schedule.moment_in_words(broadcast.starts_at, broadcast.time_zone, now())


@bp.app_template_global()
def may_send_now(broadcast: Broadcast) -> bool:
    """Whether it waits for a time to come, so that somebody may want it earlier."""
    return bool(broadcast.starts_at and broadcast.starts_at > now() and not broadcast.start_confirmed_at)


@bp.app_template_global()
def would_get(broadcast: Broadcast) -> int:
    """How many would get it if it started now, counted once a request. A view counts before it makes a page that says it."""
    counted: dict[int, int] = g.setdefault("would_get", {})
    if broadcast.id not in counted:
        count = audience.count(db.session, audience.audience_of(broadcast), now().date())
        counted[broadcast.id] = count.will_receive
    return counted[broadcast.id]


def _asked(broadcast: Broadcast) -> dict[str, Any]:
    would_get(broadcast)
    return {"broadcast": broadcast, "title": draft.title(broadcast)}


@bp.app_template_global()
def start_words(broadcast: Broadcast) -> str:
    """When it starts, on the clocks of its own zone: "Friday 27 November 2026, 09:00 in Berlin (UTC+1)"."""
    second = schedule.is_second(broadcast.start_wall, broadcast.time_zone, broadcast.starts_at)
    return schedule.start_in_words(broadcast.start_wall, broadcast.time_zone, second=second)


@bp.app_template_global()
def start_here(broadcast: Broadcast) -> str:
    """The start on the clocks of the viewer, with their zone, where they show something else; else ""."""
    if broadcast.starts_at is None:
        return ""
    return wording.elsewhere(broadcast.starts_at, broadcast.time_zone, current_user.time_zone, now())
