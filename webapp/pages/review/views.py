"""The last step of a draft: everything at a glance, and the button that creates the broadcast."""

from dataclasses import dataclass

from flask import Blueprint, flash, render_template, request, url_for
from flask_login import current_user

from webapp.adapters import wakeups
from webapp.adapters.clock import now
from webapp.adapters.database import writes_from_here
from webapp.core import audience, broadcasts, limits, previews
from webapp.core.audience import AudienceFilter
from webapp.core.review import Review, review
from webapp.core.rules import schedule
from webapp.core.rules.lifecycle import BroadcastState
from webapp.core.tables.broadcasts import Broadcast
from webapp.extensions import db
from webapp.pages import wording
from webapp.pages.audience import sums
from webapp.pages.broadcasts import draft

PARTS = 6
"""Bars shown of each spread."""

bp = Blueprint("review", __name__, url_prefix="/mass-mail/<int:broadcast_id>/review")


@bp.get("/")
def index(broadcast_id: int):
    frame = draft.load(broadcast_id, "review")
    return _page(frame, review(db.session, frame.broadcast, now()))


@bp.post("/")
def create(broadcast_id: int):
    """Create Broadcast. The form carries the version and the number of recipients that the page showed: with another number it is shown
    again, with another version it is refused, and pressed twice it sends once."""
    frame = draft.load(broadcast_id, "review")
    broadcast = frame.broadcast
    version = request.form.get("version", broadcast.version, type=int)
    if broadcast.state == BroadcastState.DRAFT:
        found = review(db.session, broadcast, now())
        if found.blocking:
            return _page(frame, found), 422
        seen = request.form.get("count", type=int)
        if seen != found.count.will_receive:
            return _page(frame, found, seen=seen), 409
    writes_from_here(db.session)  # the version stands for the draft, the number for the clients
    broadcast = broadcasts.get(db.session, broadcast_id)
    if broadcast.state == BroadcastState.DRAFT and broadcast.version == version:
        seen = request.form.get("count", type=int)
        if seen != audience.count(db.session, audience.audience_of(broadcast), now().date()).will_receive:
            db.session.rollback()
            frame = draft.load(broadcast_id, "review")
            return _page(frame, review(db.session, frame.broadcast, now()), seen=seen), 409
    broadcast = broadcasts.schedule(db.session, broadcast_id, version, now())
    starts_at, first = broadcast.starts_at, broadcast.state == BroadcastState.SCHEDULED
    db.session.commit()
    if first and not wakeups.wake(broadcast_id, starts_at):
        flash("The queue of the workers does not answer at present. It starts as soon as one looks again.", "warn")
    elif first:
        flash("It is on the calendar." if starts_at else "It is on its way.", "ok")
    return draft.redirect(url_for("broadcasts.show", broadcast_id=broadcast_id))


def _page(frame: draft.Draft, found: Review, *, seen: int | None = None) -> str:
    broadcast, at = frame.broadcast, now()
    chosen = audience.audience_of(broadcast)
    person = previews.at(db.session, chosen, at.date(), None)
    return render_template(
        "review/index.html",
        draft=frame.without_done({finding.room for finding in found.blocking}),
        broadcast=broadcast,
        review=found,
        count=found.count,
        recipients=sums.sum_from(chosen, found.count),
        spreads=_spreads(chosen.filter),
        seen=seen,
        person=person,
        preview=previews.preview(db.session, broadcast, person, at),
        start_words=_start_words(broadcast),
        start_here=_start_here(broadcast),
        pace_words=schedule.pace_in_words(broadcast.batch_size, broadcast.interval_s),
        rate_words=schedule.rate_in_words(broadcast.batch_size, broadcast.interval_s),
        ends_words=_ends_words(broadcast, found.count.will_receive),
        button=_button(broadcast, found.count.will_receive),
    )


@dataclass(frozen=True, slots=True)
class Spread:
    """How those who match are spread over countries or languages: the largest parts, and how many more there are."""

    label: str
    parts: list[tuple[str, int]]
    more: int


def _spreads(filter_: AudienceFilter) -> list[Spread]:
    spreads = []
    for criterion in audience.choices(db.session, filter_)[:2]:
        found = [choice for choice in criterion.chosen or criterion.choices if choice.count]
        found.sort(key=lambda choice: -choice.count)
        parts = [(choice.label, choice.count) for choice in found[:PARTS]]
        spreads.append(Spread(criterion.label, parts, len(found) - len(parts)))
    return spreads


def _start_words(broadcast: Broadcast) -> str:
    second = schedule.is_second(broadcast.start_wall, broadcast.time_zone, broadcast.starts_at)
    return schedule.start_in_words(broadcast.start_wall, broadcast.time_zone, second=second)


def _start_here(broadcast: Broadcast) -> str:
    """The start on the clocks of the viewer, where they show something else."""
    if broadcast.starts_at is None or broadcast.time_zone == current_user.time_zone:
        return ""
    return schedule.moment_in_words(broadcast.starts_at, current_user.time_zone, now())


def _ends_words(broadcast: Broadcast, count: int) -> str:
    """When the last mail leaves if nothing hinders, in the broadcast's zone; "" where nothing limits it, or there is no mail."""
    if not count:
        return ""
    at = now()
    begins = max(broadcast.starts_at or at, at)
    ends = limits.read(db.session).forecast(count, broadcast.batch_size, broadcast.interval_s, begins)
    return schedule.moment_in_words(ends, broadcast.time_zone, at) if ends else ""


def _button(broadcast: Broadcast, count: int) -> str:
    mails = wording.plural(count, "mail")
    if broadcast.starts_at is None:
        return f"Send {mails}"
    return f"Schedule {mails} for {schedule.moment_in_words(broadcast.starts_at, broadcast.time_zone, now())}"
