"""The third step of a draft: when it starts, and how fast it goes. Every change is saved as it is made."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from flask import Blueprint, flash, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from werkzeug.datastructures import MultiDict

from webapp.adapters.clock import now
from webapp.core import audience
from webapp.core.broadcasts import steps
from webapp.core.broadcasts.steps import Step
from webapp.core.errors import Conflict
from webapp.core.rules import schedule, zones
from webapp.core.settings import limits
from webapp.core.tables.broadcasts import Broadcast
from webapp.extensions import db
from webapp.pages import wording
from webapp.pages.broadcasts import draft, saving
from webapp.pages.fragments import fragment
from webapp.pages.schedule.forms import POLICIES, WHEN, ScheduleForm

bp = Blueprint("schedule", __name__, url_prefix="/mass-mail/<int:broadcast_id>/schedule")


@dataclass(frozen=True, slots=True)
class Forecast:
    """What the choices on the page come to; shown beside the form. `problem` instead of times when they cannot be used. `ceiling` is
    what holds it back more than its own pace, `bottleneck` the receiver that does so more than both."""

    count: int
    zone: str
    start: str = ""
    end: str = ""
    takes_s: float = 0
    start_here: str = ""
    end_here: str = ""
    problem: bool = False
    ceiling: str = ""
    bottleneck: str = ""


@bp.get("/")
def index(broadcast_id: int) -> ResponseReturnValue:
    frame = draft.load(broadcast_id, "schedule")
    form = _form_of(frame.broadcast)
    return _page(frame, form, _judge(form, now()))


@bp.post("/")
def save(broadcast_id: int) -> ResponseReturnValue:
    """Save what changed. With htmx the checks and the forecast come back, without it the next page (or this one: `keep_mine`)."""
    frame = draft.load(broadcast_id, "schedule")
    form = ScheduleForm()
    is_valid = form.validate_on_submit()
    start = _judge(form, now())
    if not is_valid or start.problem:
        db.session.rollback()  # counting takes its time: others may write meanwhile
        return _refuse(frame, form, start)
    try:
        saved = saving.save(broadcast_id, Step.SCHEDULE, lambda stored: _changes(stored, form, start), _of_lost)
    except Conflict:
        return _conflict(broadcast_id, form, start)
    if request.headers.get("HX-Request"):
        return fragment("schedule/_saved.html", **_context(frame, form, start) | {"base": saved.base})
    if "keep_mine" in request.form:
        flash("The schedule is saved.", "ok")
        return draft.redirect(url_for("schedule.index", broadcast_id=broadcast_id))
    return draft.redirect(url_for("review.index", broadcast_id=broadcast_id))


def _refuse(frame: draft.Draft, form: ScheduleForm, start: schedule.Start) -> ResponseReturnValue:
    """What is to be mended, beside what was typed. Nothing is saved, so the page has still started from what it did."""
    if request.headers.get("HX-Request"):
        return fragment("schedule/_saved.html", **_context(frame, form, start)), 422
    return _page(frame, form, start, refused=_refused(form, start)), 422


def _of_lost(fields: MultiDict[str, str], _broadcast: Broadcast) -> steps.Changes | None:
    form = ScheduleForm(fields, meta={"csrf": False})
    start = _judge(form, now())
    return (lambda stored: _changes(stored, form, start)) if form.validate() and not start.problem else None


def _conflict(broadcast_id: int, form: ScheduleForm, start: schedule.Start) -> ResponseReturnValue:
    def differences(broadcast: Broadcast) -> list[saving.Difference]:
        changed = _changes(broadcast, form, start)
        second = schedule.is_second(broadcast.start_wall, broadcast.time_zone, broadcast.starts_at)
        theirs = schedule.start_in_words(broadcast.start_wall, broadcast.time_zone, second=second)
        mine = theirs
        if "start_wall" in changed:
            mine = schedule.start_in_words(changed["start_wall"], changed["time_zone"], second=changed["start_second"])
        stored_pace = schedule.pace_in_words(broadcast.batch_size, broadcast.interval_s)
        pace = schedule.pace_in_words(form.batch_size.data or 0, form.interval_s.data or 0)
        policies = {value: label for value, label, _words in POLICIES}
        wanted = policies[form.uncertain_policy.data or ""]
        return [
            *saving.different("Starts", theirs, mine),
            *saving.different("Pace", stored_pace, pace),
            *saving.different("No answer", policies[broadcast.uncertain_policy.value], wanted),
        ]

    def page(clash: saving.Clash) -> str:
        return _page(draft.load(broadcast_id, "schedule"), form, start, conflict=clash, base=clash.base)

    return saving.conflict(broadcast_id, Step.SCHEDULE, differences, page)


def _form_of(broadcast: Broadcast) -> ScheduleForm:
    """The form as it is stored. For a start "now" it proposes tomorrow at nine, for whoever chooses a date."""
    wall = schedule.parse(broadcast.start_wall) if broadcast.start_wall else None
    tomorrow = now().astimezone(schedule.zone_info(broadcast.time_zone)) + timedelta(days=1)
    shown = wall or tomorrow.replace(hour=9, minute=0)
    second = schedule.is_second(broadcast.start_wall, broadcast.time_zone, broadcast.starts_at)
    return ScheduleForm(
        formdata=None,
        when="later" if wall else "now",
        date=shown.date(),
        time=shown.time(),
        time_zone=broadcast.time_zone,
        which="second" if second else "first",
        batch_size=broadcast.batch_size,
        interval_s=broadcast.interval_s,
        uncertain_policy=broadcast.uncertain_policy.value,
    )


def _judge(form: ScheduleForm, at: datetime) -> schedule.Start:
    if form.when.data != "later":
        return schedule.Start(at)
    zone = form.time_zone.data or ""
    if not form.date.data or not form.time.data:
        unknown = None if zones.find(zone) else schedule.start("?", zone, at)
        return unknown or schedule.Start(None, "Choose a date and a time.", "start_wall")
    return schedule.start(_wall(form), zone, at, second=form.which.data == "second")


def _wall(form: ScheduleForm) -> str:
    return datetime.combine(form.date.data, form.time.data).strftime(schedule.FORMAT)


def _changes(broadcast: Broadcast, form: ScheduleForm, start: schedule.Start) -> dict[str, Any]:
    """What differs from what is stored, as `steps.save` takes it; and that somebody was here."""
    values: dict[str, Any] = {} if broadcast.schedule_seen else {"schedule_seen": True}
    values |= {
        name: form[name].data
        for name in ("batch_size", "interval_s", "uncertain_policy")
        if form[name].data != getattr(broadcast, name)
    }
    later = form.when.data == "later"
    # A zone belongs to a time: without one, all is said on the clocks of whoever looks.
    zone = zones.find(form.time_zone.data or "") or broadcast.time_zone
    if not later:
        zone = current_user.time_zone if broadcast.start_wall else broadcast.time_zone
    wall = _wall(form) if later else None
    starts_at = start.instant if later else None
    if (wall, zone, starts_at) != (broadcast.start_wall, broadcast.time_zone, broadcast.starts_at):
        second = schedule.is_second(wall, zone, starts_at)
        values |= {"start_wall": wall, "time_zone": zone, "start_second": second}
    return values


def _context(frame: draft.Draft, form: ScheduleForm, start: schedule.Start) -> dict[str, Any]:
    typed = zones.find(form.time_zone.data or "") if form.when.data == "later" else None
    zone = typed or current_user.time_zone
    return {
        "draft": frame,
        "broadcast": frame.broadcast,
        "form": form,
        "start": start,
        "start_choices": [(instant, zones.offset(instant, zone)) for instant in start.choices],
        "rate": _rate(form),
        "forecast": _forecast(frame.broadcast, form, start, zone),
        "starts": WHEN,
        "policies": POLICIES,
    }


def _rate(form: ScheduleForm) -> str:
    """What the pace comes to, as a sentence; "" when it cannot be used."""
    if form.batch_size.errors or form.interval_s.errors or form.batch_size.data is None or not form.interval_s.data:
        return ""
    if form.batch_size.data == 0:
        return "As fast as the relay takes them."
    words = schedule.rate_in_words(form.batch_size.data, form.interval_s.data)
    return f"{words[0].upper()}{words[1:]}."


def _forecast(broadcast: Broadcast, form: ScheduleForm, start: schedule.Start, zone: str) -> Forecast:
    at = now()
    selected = audience.select_terms(db.session, audience.audience_of(broadcast))
    count = selected.sum.will_receive
    if start.instant is None or not _rate(form):
        return Forecast(count, zone, problem=True)
    later, here = form.when.data == "later", current_user.time_zone
    begins = max(start.instant, at)
    above = limits.read(db.session)
    to = audience.to_receivers(db.session, selected, above.receivers)
    pace = (form.batch_size.data or 0, form.interval_s.data or 0)
    ends, held_up_by = above.forecast(count, *pace, begins, to), above.held_up_by(count, *pace, to)

    def words(moment: datetime | None, of_zone: str) -> str:
        return schedule.moment_in_words(moment, of_zone, at) if moment else ""

    def end_words(of_zone: str) -> str:
        """The end; of the day of the start only the hour."""
        if not ends:
            return ""
        start_day, end = (moment.astimezone(schedule.zone_info(of_zone)) for moment in (begins, ends))
        return f"{end:%H:%M}" if start_day.date() == end.date() else words(ends, of_zone)

    return Forecast(
        count,
        zone,
        start=words(begins, zone) if later else "now",
        end=end_words(zone),
        takes_s=(ends - begins).total_seconds() if ends else 0,
        start_here=words(begins, here) if here != zone and later else "",
        end_here=end_words(here) if here != zone else "",
        ceiling="" if held_up_by else wording.ceiling(above.ceiling(count, *pace)),
        bottleneck=wording.bottleneck(held_up_by),
    )


def _page(
    frame: draft.Draft, form: ScheduleForm, start: schedule.Start, *, refused: str | None = None, **extra: Any
) -> str:
    """`refused` is the field to mend of what could not be saved, "" when it is none of them; None when nothing was refused."""
    today = now().astimezone(schedule.zone_info(form.time_zone.data, current_user.time_zone)).date()
    context = {"base": saving.base_in_form(frame.broadcast, Step.SCHEDULE), **_context(frame, form, start)} | extra
    return render_template("schedule/index.html", zones=zones.zones(), today=today, refused=refused, **context)


def _refused(form: ScheduleForm, start: schedule.Start) -> str:
    if start.problem:
        return "time_zone" if start.field == "time_zone" else "date"
    return next((name for name in ("batch_size", "interval_s") if form[name].errors), "")
