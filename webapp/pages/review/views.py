"""The last step of a draft: everything at a glance, and the button that creates the broadcast."""

from collections.abc import Mapping

from flask import current_app, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from webapp.adapters.clock import now
from webapp.adapters.database import writes_from_here
from webapp.core import audience, broadcasts
from webapp.core.broadcasts import already_sent
from webapp.core.broadcasts.review import Review, review
from webapp.core.rules import schedule
from webapp.core.rules.lifecycle import BroadcastState
from webapp.core.settings import limits
from webapp.core.tables.broadcasts import Broadcast
from webapp.extensions import db
from webapp.pages import wording
from webapp.pages.audience import sums
from webapp.pages.broadcasts import draft, number, purpose, starting
from webapp.pages.review import already, mail
from webapp.pages.review.blueprint import bp


@bp.get("/")
def index(broadcast_id: int) -> ResponseReturnValue:
    frame = draft.load(broadcast_id, "review")
    return _page(frame, review(db.session, frame.broadcast, now()))


@bp.post("/")
def create(broadcast_id: int) -> ResponseReturnValue:
    """Create Broadcast. The form carries the version and the number of recipients that the page showed, and above a set number also that
    number as somebody typed it: with another number the page is shown again, with another version it is refused, and pressed twice it
    sends once."""
    frame = draft.load(broadcast_id, "review")
    broadcast = frame.broadcast
    version = request.form.get("version", broadcast.version, type=int)
    if broadcast.state == BroadcastState.DRAFT:
        found = review(db.session, broadcast, now())
        if found.blocking:
            return _page(frame, found), 422
        if problem := number.problem_of(request.form, found.count.will_receive):
            return _page(frame, found, problem=problem), problem.status
    writes_from_here(db.session)  # the version stands for the draft, the number for the clients
    broadcast = broadcasts.get(db.session, broadcast_id)
    if broadcast.state == BroadcastState.DRAFT and broadcast.version == version:
        count = audience.count(db.session, audience.audience_of(broadcast), now().date()).will_receive
        if problem := number.problem_of(request.form, count):
            db.session.rollback()
            frame = draft.load(broadcast_id, "review")
            return _page(frame, review(db.session, frame.broadcast, now()), problem=problem), problem.status
    at, undo = now(), current_app.config["UNDO"]
    broadcast = broadcasts.schedule(db.session, broadcast_id, version, at, undo=undo, by=current_user.email)
    if broadcast.scheduled_at != at:  # an earlier press did it
        db.session.rollback()
        return draft.redirect(url_for("broadcasts.show", broadcast_id=broadcast_id))
    return starting.begun(broadcast_id, "It is on the calendar." if broadcast.starts_at else "It is on its way.")


def _page(frame: draft.Draft, found: Review, *, problem: number.Problem | None = None) -> str:
    broadcast = frame.broadcast
    chosen = audience.audience_of(broadcast)
    count = found.count.will_receive
    return render_template(
        "review/index.html",
        draft=frame.without_done({finding.room for finding in found.blocking}),
        broadcast=broadcast,
        review=found,
        count=found.count,
        recipients=sums.sum_from(chosen, found.count),
        makeup=audience.makeup(db.session, audience.select_terms(db.session, chosen)),
        purpose=purpose.in_words(broadcast),
        already=already.shown(already_sent.find(db.session, broadcast, found.count), count),
        problem=problem,
        pace_words=schedule.pace_in_words(broadcast.batch_size, broadcast.interval_s),
        rate_words=schedule.rate_in_words(broadcast.batch_size, broadcast.interval_s),
        ends_words=_ends_words(broadcast, count, found.to),
        bottleneck=_bottleneck(broadcast, count, found.to),
        button=_button(broadcast, count),
        **mail.shown(broadcast),
    )


def _bottleneck(broadcast: Broadcast, count: int, to: Mapping[int, int]) -> str:
    """The receiver that holds it up most, in words."""
    above = limits.read(db.session)
    return wording.bottleneck(above.held_up_by(count, broadcast.batch_size, broadcast.interval_s, to))


def _ends_words(broadcast: Broadcast, count: int, to: Mapping[int, int]) -> str:
    """When the last mail leaves if nothing hinders, on the clocks of the zone in which the start was chosen, else of whoever looks; ""
    where nothing limits it, or there is no mail."""
    if not count:
        return ""
    at = now()
    begins = max(broadcast.starts_at or at, at)
    ends = limits.read(db.session).forecast(count, broadcast.batch_size, broadcast.interval_s, begins, to)
    zone = broadcast.time_zone if broadcast.starts_at else current_user.time_zone
    return wording.in_zone(ends, zone, at) if ends else ""


def _button(broadcast: Broadcast, count: int) -> str:
    """What the button does with the number."""
    mails = wording.plural(count, "mail")
    if broadcast.starts_at is None:
        return f"send {mails}"
    return f"{mails}, {wording.in_zone(broadcast.starts_at, broadcast.time_zone, now())}"
