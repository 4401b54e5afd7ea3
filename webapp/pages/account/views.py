"""The signed-in user's own account."""

from typing import Any

from flask import Blueprint, current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from webapp.adapters.clock import now
from webapp.adapters.database import writes_from_here
from webapp.core import users
from webapp.core.errors import Invalid
from webapp.extensions import db
from webapp.pages import cookies
from webapp.pages.account.forms import TIME_ZONES, PasswordForm, ProfileForm
from webapp.pages.shell import remember_sign_in

bp = Blueprint("account", __name__, url_prefix="/account")


@bp.get("/")
def index() -> ResponseReturnValue:
    return _page()


@bp.post("/profile")
def profile() -> ResponseReturnValue:
    form = ProfileForm()
    if form.validate_on_submit():
        try:
            users.change_profile(db.session, current_user.id, name=form.name.data or "", time_zone=form.time_zone.data)
        except Invalid as error:
            form.time_zone.errors = [str(error)]
        else:
            db.session.commit()
            flash("Your profile is saved.", "ok")
            return redirect(url_for("account.index"))
    return _page(profile=form), 422


@bp.post("/password")
def password() -> ResponseReturnValue:
    form = _password_form()
    # Whoever has somebody's browser for a moment must not find out the password at leisure.
    key = f"present:{current_user.sign_in_id}"
    if form.validate_on_submit():
        if not users.may_try(db.session, [key], now()):
            form.password.errors = ["Too many attempts. Wait a quarter of an hour, then try again."]
            return _page(password=form), 429
        try:
            current = form.current.data if "current" in form else None
            new = users.new_password(db.session, current_user.id, current, form.password.data)
            writes_from_here(db.session)
            token = users.change_password(db.session, new, current_user.token, now())
        except Invalid as error:
            writes_from_here(db.session)
            if error.field == "current":
                users.failed(db.session, [key], now())
            db.session.commit()
            form[error.field or "password"].errors = [str(error)]
        else:
            db.session.commit()
            remember_sign_in(token)
            flash("Your password is changed. You are signed out everywhere else, and sign-in links have ended.", "ok")
            return redirect(url_for("account.index"))
    return _page(password=form), 422


@bp.post("/sign-ins/<int:sign_in_id>/end")
def end_sign_in(sign_in_id: int) -> ResponseReturnValue:
    """End the sign-in of one browser; a second press finds it ended, which is as well."""
    if users.end_sign_in(db.session, current_user.id, sign_in_id):
        flash("That browser is signed out.", "ok")
    else:
        flash("That sign-in had ended already.", "ok")
    db.session.commit()
    return redirect(url_for("account.index", _anchor="sign-ins"))


@bp.post("/sign-out-elsewhere")
def sign_out_elsewhere() -> ResponseReturnValue:
    count = users.sign_out_elsewhere(db.session, current_user.id, current_user.token)
    db.session.commit()
    flash(f"{count} other sign-ins ended." if count != 1 else "1 other sign-in ended.", "ok")
    return redirect(url_for("account.index", _anchor="sign-ins"))


@bp.post("/theme")
def theme() -> ResponseReturnValue:
    response = redirect(url_for("account.index"))
    cookies.keep_theme(response, request.form.get("theme"))
    return response


def _page(profile: ProfileForm | None = None, password: PasswordForm | None = None) -> str:
    idle = current_app.config["SESSION_IDLE"]
    return render_template(
        "account/index.html",
        profile=profile or ProfileForm(formdata=None, name=current_user.name, time_zone=current_user.time_zone),
        password=password or _password_form(formdata=None),
        time_zones=TIME_ZONES,
        sign_ins=users.sign_ins(db.session, current_user.id, now(), idle),
        idle=idle,
    )


def _password_form(**kwargs: Any) -> PasswordForm:
    """The form, without the present password for somebody who came by a one-time link a moment ago."""
    form = PasswordForm(**kwargs)
    if current_user.may_set_password:
        del form.current
    return form
