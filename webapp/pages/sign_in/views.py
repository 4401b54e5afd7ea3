"""Signing in and out."""

from flask import Blueprint, flash, redirect, render_template, request, session, url_for
from flask_login import current_user

from webapp.adapters.clock import now
from webapp.adapters.database import writes_from_here
from webapp.core import users
from webapp.core.tables.users import User
from webapp.extensions import db
from webapp.pages.coming_back import places
from webapp.pages.shell import remember_sign_in
from webapp.pages.sign_in.forms import SignInForm

bp = Blueprint("sign_in", __name__)


@bp.get("/sign-in")
def form():
    if current_user.is_authenticated:
        return redirect(places.safe(request.args.get("next")) or url_for("home"))
    return render_template("sign_in/form.html", form=SignInForm())


@bp.post("/sign-in")
def submit():
    form = SignInForm()
    if not form.validate_on_submit():
        return render_template("sign_in/form.html", form=form), 422
    email, keys = form.email.data, [f"email:{form.email.data.strip().lower()}", f"from:{request.remote_addr}"]
    if not users.may_try(db.session, keys, now()):
        return _too_many(form)
    fitting = users.fitting_hash(db.session, email, form.password.data)
    writes_from_here(db.session)  # whoever tries many passwords at once must not learn more than one after the other
    if not users.may_try(db.session, keys, now()):
        return _too_many(form)
    user = users.authenticate(db.session, email, fitting, keys, now())
    if user is None:
        db.session.commit()
        form.password.errors = ["E-mail or password is wrong."]
        return render_template("sign_in/form.html", form=form), 422
    _enter(user)
    return places.go_on()


@bp.get("/sign-in/link/<token>")
def link(token: str):
    """Ask before spending the link: mail scanners and previews follow links, but do not press buttons."""
    return render_template("sign_in/link.html", token=token)


@bp.post("/sign-in/link/<token>")
def follow_link(token: str):
    user = users.use_link(db.session, token, now())
    if user is None:
        flash(
            "This sign-in link was used already or is too old. Sign in with your password, or ask for a new link.",
            "bad",
        )
        return redirect(url_for("sign_in.form"))
    _enter(user, by_link=True)
    return redirect(url_for("home"))


@bp.post("/sign-out")
def sign_out():
    if current_user.is_authenticated:
        users.sign_out(db.session, current_user.token)
        db.session.commit()
    session.clear()
    flash("You are signed out.", "ok")
    return redirect(url_for("sign_in.form"))


def _too_many(form: SignInForm):
    db.session.rollback()
    form.password.errors = ["Too many attempts. Wait a quarter of an hour, then try again."]
    return render_template("sign_in/form.html", form=form), 429


def _enter(user: User, *, by_link: bool = False) -> None:
    token = users.sign_in(db.session, user, now())
    db.session.commit()
    remember_sign_in(token, by_link=by_link)
