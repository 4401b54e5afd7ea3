"""The third step of a draft: when it starts, and how fast it goes. Every change is saved as it is made."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from flask import Blueprint, render_template, request, url_for
from flask_login import current_user

from webapp.adapters.clock import now
from webapp.core import audience, broadcasts
from webapp.core.rules import schedule, zones
from webapp.core.settings import limits
from webapp.core.tables.broadcasts import Broadcast
from webapp.extensions import db
from webapp.pages import wording
from webapp.pages.broadcasts import draft
from webapp.pages.fragments import fragment
from webapp.pages.schedule.forms import POLICIES, WHEN, ScheduleForm

bp = Blueprint("schedule", __name__, url_prefix="/mass-mail/<int:broadcast_id>/schedule")


@dataclass(frozen=True, slots=True)
class Forecast:
    """What the choices on the page come to; shown beside the form. `problem` instead of times when they cannot be used. `ceiling` is
    what holds it back more than its own pace."""

    count: int
    zone: str
    start: str = ""
    end: str = ""
    takes_s: float = 0
    start_here: str = ""
    end_here: str = ""
    problem: bool = False
    ceiling: str = ""


@bp.get("/")
def index(broadcast_id: int):
    frame = draft.load(broadcast_id, "schedule")
    form = _form_of(frame.broadcast)
    return _page(frame, form, _judge(form, now()))


@bp.post("/")
def save(broadcast_id: int):
    """Save what changed. With htmx the checks and the forecast come back, without it the next page."""
    frame = draft.load(broadcast_id, "schedule")
    form = ScheduleForm()
    valid = form.validate_on_submit()
    start = _judge(form, now())
    valid = valid and not start.problem
    if valid and (changes := _changes(frame.broadcast, form, start) | _seen(frame.broadcast)):
        version = frame.broadcast.version if _is_own_doing(frame.broadcast) else request.form.get("version", type=int)
        broadcasts.edit(db.session, broadcast_id, version, changes, now())
        db.session.commit()
    db.session.rollback()  # counting takes its time: others may write meanwhile, also if nothing was to be saved
    if request.headers.get("HX-Request"):
        return fragment("schedule/_saved.html", **_context(frame, form, start)), 200 if valid else 422
    if not valid:
        return _page(frame, form, start, refused=_refused(form, start)), 422
    return draft.redirect(url_for("review.index", broadcast_id=broadcast_id))


def _seen(broadcast: Broadcast) -> dict[str, Any]:
    return {} if broadcast.schedule_seen else {"schedule_seen": True}


def _is_own_doing(broadcast: Broadcast) -> bool:
    """Whether what is stored is what this page's last request made of it, whose answer was lost."""
    lost = draft.lost()
    if lost is None:
        return False
    form = ScheduleForm(lost, meta={"csrf": False})
    start = _judge(form, now())
    return form.validate() and not start.problem and not _changes(broadcast, form, start)


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
    """What differs from what is stored, as `broadcasts.edit` takes it."""
    values: dict[str, Any] = {
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
    count = audience.count(db.session, audience.audience_of(broadcast), now().date()).will_receive
    if start.instant is None or not _rate(form):
        return Forecast(count, zone, problem=True)
    later, here = form.when.data == "later", current_user.time_zone
    begins = max(start.instant, at)
    above = limits.read(db.session)
    ends = above.forecast(count, form.batch_size.data or 0, form.interval_s.data or 0, begins)

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
        ceiling=wording.ceiling(above.ceiling(count, form.batch_size.data or 0, form.interval_s.data or 0)),
    )


def _page(frame: draft.Draft, form: ScheduleForm, start: schedule.Start, refused: str | None = None) -> str:
    """`refused` is the field to mend of what could not be saved, "" when it is none of them; None when nothing was refused."""
    today = now().astimezone(schedule.zone_info(form.time_zone.data, current_user.time_zone)).date()
    return render_template(
        "schedule/index.html", zones=zones.zones(), today=today, refused=refused, **_context(frame, form, start)
    )


def _refused(form: ScheduleForm, start: schedule.Start) -> str:
    if start.problem:
        return "time_zone" if start.field == "time_zone" else "date"
    return next((name for name in ("batch_size", "interval_s") if form[name].errors), "")
