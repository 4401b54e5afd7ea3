"""Signing in and out."""

import logging

from flask import (
    Blueprint,
    current_app,
    flash,
    make_response,
    redirect,
    render_template,
    request,
    session,
    url_for,
)
from flask.typing import ResponseReturnValue
from flask_login import current_user

from webapp.adapters.clock import now
from webapp.adapters.database import writes_from_here
from webapp.core import users
from webapp.core.tables.users import User
from webapp.extensions import db
from webapp.pages.coming_back import places
from webapp.pages.shell import remember_sign_in
from webapp.pages.sign_in import browsers
from webapp.pages.sign_in.forms import LinkForm, SignInForm

bp = Blueprint("sign_in", __name__)
log = logging.getLogger(__name__)


@bp.get("/sign-in")
def form() -> ResponseReturnValue:
    if current_user.is_authenticated:
        return redirect(places.safe(request.args.get("next")) or url_for("home"))
    return render_template("sign_in/form.html", form=SignInForm())


@bp.post("/sign-in")
def submit() -> ResponseReturnValue:
    form = SignInForm()
    if not form.validate_on_submit():
        return render_template("sign_in/form.html", form=form), 422
    email = form.email.data
    browser = browsers.known_as(users.id_of(db.session, email))
    keys = users.keys_for(db.session, email, request.remote_addr, browser, now())
    if not users.may_try(db.session, keys, now()):
        return _too_many(form)
    fitting = users.fitting_hash(db.session, email, form.password.data)
    writes_from_here(db.session)  # whoever tries many passwords at once must not learn more than one after the other
    if not users.may_try(db.session, keys, now()):
        return _too_many(form)
    user = users.authenticate(db.session, email, fitting, keys, now())
    if user is None:
        db.session.commit()
        _refused("wrong e-mail or password")
        form.password.errors = ["E-mail or password is wrong."]
        return render_template("sign_in/form.html", form=form), 422
    user_id = _enter(user)
    return browsers.remember(make_response(places.go_on()), user_id)


@bp.get("/sign-in/link/")
def link() -> str:
    """Ask before spending the link: mail scanners and previews follow links, but do not press buttons. What opens it stands behind the #,
    which browsers keep to themselves, so that no log of a server or proxy and no Referer ever has it."""
    return render_template("sign_in/link.html", form=LinkForm(formdata=None))


@bp.post("/sign-in/link/")
def follow_link() -> ResponseReturnValue:
    form = LinkForm()
    if not form.validate_on_submit():
        return render_template("sign_in/link.html", form=form), 422
    typed = form.token.data.strip()
    user = users.use_link(db.session, typed.rpartition("#")[2], now())
    if user is None:
        _refused("the link is not good any more")
        flash(
            "This sign-in link was used already, is too old, or a newer one was made. Sign in with your password, or ask for a new link.",
            "bad",
        )
        return redirect(url_for("sign_in.form"))
    is_new = user.used_at is None
    user_id = _enter(user, by_link=True)
    if is_new:
        minutes = int(users.SETS_PASSWORD_FOR.total_seconds() / 60)
        flash(f"Set a password of your own under your account within {minutes} minutes.", "ok")
    return browsers.remember(redirect(url_for("home")), user_id)


@bp.post("/sign-out")
def sign_out() -> ResponseReturnValue:
    if current_user.is_authenticated:
        users.sign_out(db.session, current_user.token)
        db.session.commit()
    session.clear()
    flash("You are signed out.", "ok")
    return redirect(url_for("sign_in.form"))


def _too_many(form: SignInForm) -> ResponseReturnValue:
    db.session.rollback()
    _refused("too many attempts")
    form.password.errors = ["Too many attempts. Wait a quarter of an hour, then try again."]
    return render_template("sign_in/form.html", form=form), 429


def _refused(why: str) -> None:
    """Who it was stands nowhere in the log; the proxy's has the address, beside the same id of the request."""
    log.info("sign-in refused: %s", why, extra={"event": "sign_in_refused", "why": why})


def _enter(user: User, *, by_link: bool = False) -> int:
    lasts = current_app.config["SESSION_LASTS"]
    token = users.sign_in(db.session, user, now(), browsers.place(), lasts=lasts, by_link=by_link)
    user_id = user.id
    db.session.commit()
    remember_sign_in(token)
    way = "link" if by_link else "password"
    log.info("user %s signed in by %s", user_id, way, extra={"event": "signed_in", "user": user_id, "way": way})
    return user_id
