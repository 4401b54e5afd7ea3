"""What every page shares: who is asked to sign in, security headers, errors as pages, what the templates know."""

from datetime import UTC, datetime
from http import HTTPStatus
from zoneinfo import ZoneInfo

from flask import Flask, Response, flash, g, redirect, render_template, request, session, url_for
from flask_login import UserMixin, current_user
from markupsafe import Markup
from werkzeug.exceptions import HTTPException

from webapp.adapters.clock import now
from webapp.adapters.database import will_write
from webapp.core import clients, users
from webapp.core.errors import Conflict, DomainError, NotFound
from webapp.core.tables.users import User
from webapp.extensions import db, login
from webapp.pages import wording

OPEN_ROOMS = frozenset({"sign_in", "assets", "health"})
"""Blueprints that answer without a sign-in."""

CONTENT_SECURITY_POLICY = (
    "default-src 'self'; img-src 'self' data: https:; object-src 'none'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'self'"
)


class SignedIn(UserMixin):
    """The user of this request, known by a token that the server can revoke."""

    def __init__(self, user: User, token: str):
        self.id, self.email, self.name, self.time_zone, self.token = (
            user.id,
            user.email,
            user.name,
            user.time_zone,
            token,
        )

    def get_id(self) -> str:
        return self.token


def install(app: Flask) -> None:
    """Bind the shared behaviour to `app`. Comes after CSRF, so that a long upload is read before a write begins."""
    login.login_view = "sign_in.form"
    login.login_message = ""
    login.user_loader(_load_user)
    app.before_request(_begin)
    app.after_request(_headers)
    app.register_error_handler(DomainError, _refusal)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(Exception, _fault)
    app.context_processor(_context)
    for name in wording.FILTERS:
        app.add_template_filter(getattr(wording, name), name)
    app.add_template_filter(_moment, "moment")
    app.add_template_filter(_ago, "ago")
    app.add_template_filter(local, "local")
    app.add_url_rule("/", "home", lambda: redirect(url_for("broadcasts.index")))


def _load_user(token: str) -> SignedIn | None:
    user = users.signed_in(db.session, token, now())
    return SignedIn(user, token) if user else None


def _begin():
    if request.method not in ("GET", "HEAD", "OPTIONS"):
        will_write(db.session)
    if request.endpoint in (None, "static") or request.blueprint in OPEN_ROOMS or current_user.is_authenticated:
        return None
    if request.headers.get("HX-Request"):
        return Response(status=204, headers={"HX-Redirect": url_for("sign_in.form")})
    return redirect(url_for("sign_in.form", next=request.full_path.rstrip("?") if request.method == "GET" else None))


def _headers(response: Response) -> Response:
    response.headers.setdefault("Content-Security-Policy", CONTENT_SECURITY_POLICY)
    response.headers.setdefault("X-Content-Type-Options", "nosniff")
    response.headers.setdefault("Referrer-Policy", "same-origin")
    if response.mimetype == "text/html":
        response.headers.setdefault("Cache-Control", "no-store")
        response.vary.add("HX-Request")
    return response


def _refusal(error: DomainError):
    """A refusal nobody turned into a field's message: a toast over the page the user is on, or a page of its own."""
    db.session.rollback()
    status = 404 if isinstance(error, NotFound) else 409 if isinstance(error, Conflict) else 422
    if request.headers.get("HX-Request"):
        return (
            render_template("_toast.html", tone="bad", message=str(error)),
            status,
            {
                "HX-Retarget": "#toasts",
                "HX-Reswap": "beforeend",
            },
        )
    if request.method == "POST" and request.referrer and status != 404:
        flash(str(error), "bad")
        return redirect(request.referrer)
    return render_template("error.html", status=status, title=_title(status), message=str(error)), status


def _http_error(error: HTTPException):
    if error.code is None or error.code < 400:
        return error
    db.session.rollback()
    message = (
        error.description if error.code in (400, 413, 422) and error.description else _MESSAGES.get(error.code, "")
    )
    return _error_page(error.code, message)


def _fault(error: Exception):
    from flask import current_app

    if current_app.testing or current_app.debug:
        raise error
    current_app.logger.exception("unhandled error on %s %s", request.method, request.path)
    db.session.rollback()
    return _error_page(
        500, "Nothing was changed by this request. Try again; if it stays, look into the web server's log."
    )


def _error_page(status: int, message: str):
    if request.headers.get("HX-Request"):
        return (
            render_template("_toast.html", tone="bad", message=message or _title(status)),
            status,
            {
                "HX-Retarget": "#toasts",
                "HX-Reswap": "beforeend",
            },
        )
    return render_template("error.html", status=status, title=_title(status), message=message), status


_MESSAGES = {
    403: "You may not do this.",
    404: "There is nothing at this address. It may have been deleted, or the link is incomplete.",
    405: "This address does not take that kind of request.",
    413: "The file is too large.",
}


def _title(status: int) -> str:
    return {404: "Not found", 409: "Changed meanwhile", 422: "Not possible", 500: "Something went wrong"}.get(
        status, HTTPStatus(status).phrase
    )


def viewer_zone() -> ZoneInfo:
    """The signed-in user's time zone; UTC for a stranger."""
    return ZoneInfo(getattr(current_user, "time_zone", None) or "UTC")


def local(at: datetime | None) -> datetime | None:
    """An instant in the viewer's zone."""
    return at.astimezone(viewer_zone()) if at else None


def _moment(at: datetime | None, style: str = "auto") -> Markup:
    """A <time> in the viewer's zone; hovering shows the exact time with the zone. `style`: auto, time, day, full."""
    if at is None:
        return Markup("")
    there = at.astimezone(viewer_zone())
    return _time_tag(at, wording.moment(there, now().astimezone(viewer_zone()), style))


def _ago(at: datetime | None) -> Markup:
    """A <time> that says how long ago ("10 min ago"); hovering shows the exact time with the zone."""
    return _time_tag(at, wording.ago(at, now())) if at else Markup("")


def _time_tag(at: datetime, text: str) -> Markup:
    exact = at.astimezone(viewer_zone()).strftime("%a %-d %b %Y, %H:%M:%S %Z")
    return Markup('<time datetime="{}" title="{}">{}</time>').format(at.astimezone(UTC).isoformat(), exact, text)


def _context() -> dict:
    return {"theme": request.cookies.get("theme"), "now": _request_now, "nav": _nav, "demo": _demo()}


def _request_now() -> datetime:
    return g.setdefault("now", now())


def _demo() -> bool:
    from flask import current_app

    return bool(current_app.config["MAIL_CATCHER_DIR"])


def _nav() -> dict:
    """Numbers shown in the navigation."""
    return {"clients": clients.count(db.session)}


def remember_sign_in(token: str, *, by_link: bool = False) -> None:
    """Put a sign-in's token into the browser's session; `by_link` lets the user set a password without the present one."""
    session.clear()
    session["by_link"] = by_link
    session["_user_id"] = token
    session["_fresh"] = True
    session.permanent = True
