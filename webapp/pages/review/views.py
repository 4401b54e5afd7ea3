"""The last step of a draft: everything at a glance, and the button that creates the broadcast."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from flask import current_app, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from webapp.adapters.clock import now
from webapp.adapters.database import writes_from_here
from webapp.core import audience, broadcasts
from webapp.core.broadcasts.review import Review, review
from webapp.core.broadcasts.text_concerns import SeenMails
from webapp.core.content import preflight
from webapp.core.rules import schedule
from webapp.core.rules.lifecycle import BroadcastState
from webapp.core.settings import limits
from webapp.core.tables.broadcasts import Broadcast
from webapp.extensions import db
from webapp.pages import wording
from webapp.pages.audience import sums
from webapp.pages.broadcasts import draft, number, purpose, starting
from webapp.pages.fragments import fragment
from webapp.pages.review import already, looking, mail  # noqa: F401 - looking adds its routes
from webapp.pages.review.blueprint import bp


@dataclass(frozen=True, slots=True)
class Looked:
    """A draft looked at as a whole: the frame of its page, what was found, and what `review/_mail.html` shows."""

    frame: draft.Draft
    review: Review
    mail: dict[str, Any]


@bp.get("/")
def index(broadcast_id: int) -> ResponseReturnValue:
    return _page(_look(broadcast_id))


@bp.post("/")
def create(broadcast_id: int) -> ResponseReturnValue:
    """Create Broadcast. The form carries the version and the number of recipients that the page showed, above a set number also that
    number as somebody typed it, and a tick for each warning: with another number or a warning that nobody ticked the page is shown again,
    with another version it is refused, and pressed twice it sends once."""
    broadcast = broadcasts.get(db.session, broadcast_id)
    version = request.form.get("version", broadcast.version, type=int)
    ticked: frozenset[str] = frozenset()
    if broadcast.state == BroadcastState.DRAFT:
        looked = _look(broadcast_id)
        ticked = looked.review.unticked & frozenset(request.form.getlist("tick"))
        if looked.review.blocking:
            return _page(looked), 422
        if problem := number.problem_of(request.form, looked.review.count.will_receive):
            return _page(looked, problem=problem), problem.status
        if looked.review.unticked - ticked:
            _keep(broadcast_id, ticked)
            return _page(_look(broadcast_id), is_unticked=True), 422
    writes_from_here(db.session)  # the version stands for the draft, the number for the clients
    broadcast = broadcasts.get(db.session, broadcast_id)
    if broadcast.state == BroadcastState.DRAFT and broadcast.version == version:
        count = audience.count(db.session, audience.audience_of(broadcast), now().date()).will_receive
        if problem := number.problem_of(request.form, count):
            db.session.rollback()
            return _page(_look(broadcast_id), problem=problem), problem.status
    at, undo = now(), current_app.config["UNDO"]
    preflight.keep(db.session, broadcast_id, ticked, current_user.email, at)
    broadcast = broadcasts.schedule(db.session, broadcast_id, version, at, undo=undo, by=current_user.email)
    if broadcast.scheduled_at != at:  # an earlier press did it
        db.session.rollback()
        return draft.redirect(url_for("broadcasts.show", broadcast_id=broadcast_id))
    return starting.begun(broadcast_id, "It is on the calendar." if broadcast.starts_at else "It is on its way.")


@bp.post("/tick")
def tick(broadcast_id: int) -> ResponseReturnValue:
    """Keep that somebody has weighed a warning, or take it back; the answer says how many are left. A tick for what is not said any more
    is not kept."""
    fingerprint = request.form.get("fingerprint", "")
    found = _look(broadcast_id).review
    if fingerprint in request.form.getlist("tick"):
        _keep(broadcast_id, {fingerprint} & found.unticked)
    elif fingerprint in found.ticks:
        writes_from_here(db.session)
        preflight.take_back(db.session, broadcast_id, fingerprint)
        db.session.commit()
    ticks = preflight.kept(db.session, broadcast_id)
    left = sum(one.fingerprint not in ticks for one in found.warnings)
    return fragment("review/_to_tick.html", number=left, oob=True)


def _keep(broadcast_id: int, fingerprints: Collection[str]) -> None:
    if not fingerprints:
        return
    writes_from_here(db.session)
    preflight.keep(db.session, broadcast_id, fingerprints, current_user.email, now())
    db.session.commit()


def _look(broadcast_id: int) -> Looked:
    frame = draft.load(broadcast_id, "review")
    shown = mail.shown(frame.broadcast)
    seen = SeenMails(mail.of_each_text(frame.broadcast, shown), current_app.config["PUBLIC_URL"])
    return Looked(frame, review(db.session, frame.broadcast, now(), seen), shown)


def _page(looked: Looked, *, problem: number.Problem | None = None, is_unticked: bool = False) -> str:
    broadcast, found = looked.frame.broadcast, looked.review
    chosen = audience.audience_of(broadcast)
    count = found.count.will_receive
    return render_template(
        "review/index.html",
        draft=looked.frame.without_done({finding.room for finding in found.blocking}),
        broadcast=broadcast,
        review=found,
        count=found.count,
        recipients=sums.sum_from(chosen, found.count),
        makeup=audience.makeup(db.session, audience.select_terms(db.session, chosen)),
        purpose=purpose.in_words(broadcast),
        already=already.shown(found.already, count),
        ticked=frozenset(request.form.getlist("tick")),
        is_unticked=is_unticked,
        problem=problem,
        pace_words=schedule.pace_in_words(broadcast.batch_size, broadcast.interval_s),
        rate_words=schedule.rate_in_words(broadcast.batch_size, broadcast.interval_s),
        ends_words=_ends_words(broadcast, count, found.to),
        bottleneck=_bottleneck(broadcast, count, found.to),
        button=_button(broadcast, count),
        **looked.mail,
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
