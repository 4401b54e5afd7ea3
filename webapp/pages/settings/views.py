"""Settings of the installation: senders and relay, and who may sign in."""

import math
from datetime import timedelta
from urllib.parse import urljoin

from flask import current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from webapp.adapters import account_mail
from webapp.adapters.clock import now
from webapp.adapters.database import writes_from_here
from webapp.core import users
from webapp.core.content import trial_sends
from webapp.core.errors import Conflict, Invalid
from webapp.core.rules.limits import LONGEST_HOURS, Limits
from webapp.core.rules.pacing import Retries
from webapp.core.settings import from_addresses, limits
from webapp.extensions import db, mail
from webapp.pages import wording
from webapp.pages.holding.views import sending_hold
from webapp.pages.settings import receivers, relay
from webapp.pages.settings.blueprint import bp
from webapp.pages.settings.forms import FromAddressForm, LimitsForm, UserForm

TESTS = 200
"""So many test mails are shown."""

CEILINGS = ("per_second", "per_day", "connections")
"""Limits of which 0 means that there is none."""


@bp.get("/sending")
def sending() -> ResponseReturnValue:
    return _sending()


@bp.post("/sending/limits")
def set_limits() -> ResponseReturnValue:
    """What stands above all mass mails. It holds at once, also for those that are being sent."""
    form = LimitsForm()
    if form.validate_on_submit():
        try:
            limits.save(db.session, _limits_of(form), seen=form.seen.data or "")
        except Conflict:
            db.session.rollback()
            return _sending(limits_form=form, in_force=_seen_anew(form)), 409
        except Invalid as error:
            db.session.rollback()
            form[error.field or "per_second"].errors = [str(error)]
        else:
            db.session.commit()
            flash("The limits are set. They hold for mass mails that are being sent, too.", "ok")
            return redirect(url_for("settings.sending", _anchor="limits-title"))
    return _sending(limits_form=form), 422


@bp.post("/sending/from-addresses")
def add_from_address() -> ResponseReturnValue:
    form = FromAddressForm()
    if form.validate_on_submit():
        try:
            sender = from_addresses.add(db.session, form.name.data or "", form.address.data)
        except Invalid as error:
            form[error.field or "address"].errors = [str(error)]
        else:
            db.session.commit()
            flash(f"{sender.address} can be used as a sender.", "ok")
            return redirect(url_for("settings.sending"))
    return _sending(form), 422


@bp.post("/sending/from-addresses/<int:sender_id>/default")
def make_default(sender_id: int) -> ResponseReturnValue:
    sender = from_addresses.make_default(db.session, sender_id)
    db.session.commit()
    flash(f"New mass mails come from {sender.address}.", "ok")
    return redirect(url_for("settings.sending"))


@bp.post("/sending/from-addresses/<int:sender_id>/marketing")
def use_for_marketing(sender_id: int) -> ResponseReturnValue:
    wanted = bool(request.form.get("wanted"))
    sender = from_addresses.use_for_marketing(db.session, sender_id, wanted)
    db.session.commit()
    flash(f"New marketing comes from {sender.address if wanted else 'the default sender'}.", "ok")
    return redirect(url_for("settings.sending"))


@bp.post("/sending/from-addresses/<int:sender_id>/remove")
def remove_from_address(sender_id: int) -> ResponseReturnValue:
    sender = from_addresses.remove(db.session, sender_id)
    address = sender.address
    db.session.commit()
    flash(
        f"{address} is off the list. Drafts that use it need another sender; what is scheduled or being sent keeps it.",
        "ok",
    )
    return redirect(url_for("settings.sending"))


@bp.get("/test-sends")
def tests() -> str:
    """The last test mails of all, also of drafts and users that are gone."""
    per_hour = current_app.config["TESTS_PER_HOUR"]
    return render_template("settings/tests.html", tests=trial_sends.listing(db.session, limit=TESTS), per_hour=per_hour)


@bp.get("/users", endpoint="users")
def user_list() -> ResponseReturnValue:
    return _users(UserForm(formdata=None))


@bp.post("/users")
def add_user() -> ResponseReturnValue:
    form = UserForm()
    if form.validate_on_submit():
        writes_from_here(db.session)
        try:
            user = users.create(
                db.session,
                form.email.data,
                None,
                now(),
                name=form.name.data or "",
                time_zone=current_user.time_zone,
            )
        except Invalid as error:
            db.session.rollback()
            form[error.field or "email"].errors = [str(error)]
        else:
            return _linked(user.id)
    return _users(form), 422


@bp.post("/users/<int:user_id>/link")
def user_link(user_id: int) -> ResponseReturnValue:
    """A way in for somebody who has never been here. Whoever has, gets a link only from the server itself: with one, a user could become
    another."""
    writes_from_here(db.session)
    return _linked(user_id)


@bp.post("/users/<int:user_id>/active/<int:active>")
def set_active(user_id: int, active: int) -> ResponseReturnValue:
    user = users.set_active(db.session, user_id, bool(active), by=current_user.id)
    if active:
        users.unlock(db.session, user)
    db.session.commit()
    flash(f"{user.email} can sign in again." if active else f"{user.email} can no longer sign in.", "ok")
    return redirect(url_for("settings.users"))


def _linked(user_id: int) -> str:
    """Make a link, tell its owner, show it."""
    token = users.make_link(db.session, user_id, now(), by=current_user.id)
    db.session.commit()
    user = users.get(db.session, user_id)
    to, sender = user.email, from_addresses.default(db.session)
    db.session.rollback()  # the relay may take its time
    by = current_user.name or current_user.email
    told = account_mail.link_was_made(mail, current_app.config["MAIL_DEFAULT_SENDER"] or sender, to, by, now())
    link = urljoin(current_app.config["PUBLIC_URL"], url_for("sign_in.link")) + "#" + token
    return _users(UserForm(formdata=None), link=link, link_for=to, told=told)


def _limits_of(form: LimitsForm) -> Limits:
    """What the form says. Raises Invalid for pauses that are no numbers."""
    words = (form.retry_minutes.data or "").replace(",", " ").split()
    try:
        minutes = tuple(float(word) for word in words)
    except ValueError:
        raise Invalid("Use minutes with commas between them, as in 1, 5, 15.", "retry_minutes") from None
    hours = min(form.give_up_hours.data or 0, LONGEST_HOURS + 1)  # no more than a timedelta can hold
    retries = Retries(minutes, (form.retry_spread.data or 0) / 100, timedelta(hours=hours))
    waits_for = timedelta(minutes=_wait_minutes(form.wait_hours.data or ""))
    return Limits(form.per_second.data or 0, form.per_day.data or 0, form.connections.data or 0, retries, waits_for)


def _wait_minutes(typed: str) -> int:
    """Hours, as somebody types them, in whole minutes."""
    try:
        hours = float(typed.strip())
    except ValueError:
        hours = math.nan
    if math.isnan(hours) or hours < 0:
        raise Invalid("Use a number of hours, as in 12 or 0.5.", "wait_hours")
    return round(min(hours, LONGEST_HOURS + 1) * 60)


def _limits_form() -> LimitsForm:
    in_force = limits.read(db.session)
    return LimitsForm(formdata=None, seen=limits.digest(in_force), **_as_typed(in_force))


def _as_typed(above: Limits) -> dict[str, int | str]:
    """The limits as the fields of the form take them."""
    retries = above.retries
    return {
        "per_second": above.per_second,
        "per_day": above.per_day,
        "connections": above.connections,
        "retry_minutes": ", ".join(f"{minutes:g}" for minutes in retries.minutes),
        "retry_spread": round(retries.spread * 100),
        "give_up_hours": round(retries.give_up_after.total_seconds() / 3600),
        "wait_hours": f"{above.waits_for.total_seconds() / 3600:.2f}".rstrip("0").rstrip("."),
    }


def _seen_anew(form: LimitsForm) -> dict[str, str]:
    """What is in force where it differs from what was typed, in words by field. The form counts as having seen it from now on."""
    in_force = limits.read(db.session)
    form.seen.data = limits.digest(in_force)
    typed = _as_typed(_limits_of(form))
    return {
        name: "no limit"
        if value == 0 and name in CEILINGS
        else wording.number(value)
        if isinstance(value, int)
        else value
        for name, value in _as_typed(in_force).items()
        if value != typed[name]
    }


def _sending(
    form: FromAddressForm | None = None,
    limits_form: LimitsForm | None = None,
    in_force: dict[str, str] | None = None,
) -> str:
    return render_template(
        "settings/sending.html",
        form=form or FromAddressForm(formdata=None),
        limits_form=limits_form or _limits_form(),
        in_force=in_force,
        senders=from_addresses.listing(db.session),
        relay=current_app.config["RELAY"],
        hold=sending_hold(),
        **relay.context(),
        **receivers.context(),
    )


def _users(form: UserForm, **extra: object) -> str:
    return render_template("settings/users.html", form=form, users=users.listing(db.session), **extra)
