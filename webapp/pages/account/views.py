"""The signed-in user's own account."""

from flask import Blueprint, flash, redirect, render_template, request, session, url_for
from flask_login import current_user

from webapp.adapters.database import writes_from_here
from webapp.core import users
from webapp.core.errors import Invalid
from webapp.extensions import db
from webapp.pages import cookies
from webapp.pages.account.forms import TIME_ZONES, PasswordForm, ProfileForm

bp = Blueprint("account", __name__, url_prefix="/account")


@bp.get("/")
def index():
    return _page()


@bp.post("/profile")
def profile():
    form = ProfileForm()
    if form.validate_on_submit():
        try:
            users.change_profile(db.session, current_user.id, name=form.name.data, time_zone=form.time_zone.data)
        except Invalid as error:
            form.time_zone.errors = [str(error)]
        else:
            db.session.commit()
            flash("Your profile is saved.", "ok")
            return redirect(url_for("account.index"))
    return _page(profile=form), 422


@bp.post("/password")
def password():
    form = _password_form()
    if form.validate_on_submit():
        try:
            current = form.current.data if "current" in form else None
            new = users.new_password(db.session, current_user.id, current, form.password.data)
            writes_from_here(db.session)
            users.change_password(db.session, new, current_user.token)
        except Invalid as error:
            form[error.field or "password"].errors = [str(error)]
        else:
            db.session.commit()
            session.pop("by_link", None)
            flash("Your password is changed. You are signed out everywhere else.", "ok")
            return redirect(url_for("account.index"))
    return _page(password=form), 422


@bp.post("/sign-out-elsewhere")
def sign_out_elsewhere():
    count = users.sign_out_elsewhere(db.session, current_user.id, current_user.token)
    db.session.commit()
    flash(f"{count} other sign-ins ended." if count != 1 else "1 other sign-in ended.", "ok")
    return redirect(url_for("account.index"))


@bp.post("/theme")
def theme():
    response = redirect(url_for("account.index"))
    cookies.keep_theme(response, request.form.get("theme"))
    return response


def _page(profile: ProfileForm | None = None, password: PasswordForm | None = None) -> str:
    return render_template(
        "account/index.html",
        profile=profile or ProfileForm(formdata=None, name=current_user.name, time_zone=current_user.time_zone),
        password=password or _password_form(formdata=None),
        time_zones=TIME_ZONES,
    )


def _password_form(**kwargs) -> PasswordForm:
    """The form, without the present password for somebody who came by a one-time link."""
    form = PasswordForm(**kwargs)
    if session.get("by_link"):
        del form.current
    return form
