"""What every page shares: who is asked to sign in, security headers, what the templates know."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from flask import Flask, Response, current_app, g, redirect, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_login import UserMixin, current_user
from markupsafe import Markup
from sqlalchemy.exc import DBAPIError

from webapp.adapters.clock import now
from webapp.adapters.database import will_write, writes_from_here
from webapp.core import audience, users
from webapp.core.notices import lists
from webapp.core.rules.relay_events.reading import LARGEST_BODY
from webapp.extensions import db, login
from webapp.pages import cookies, errors, wording
from webapp.pages.coming_back import places
from webapp.pages.workers.views import workers_banner
from webapp.paths import IS_CLONE

OPEN_ROOMS = frozenset({"sign_in", "coming_back", "assets", "health", "metrics", "pictures", "unsubscribe", "tracking"})
"""Blueprints that answer without a sign-in; the last three want a token."""

OPEN_ENDPOINTS = {"relay_events.receive": LARGEST_BODY, "media.picture": 0}
"""Endpoints that answer without a sign-in in a room that asks for one, each with the octets that it takes. The first wants a secret in its
address, and a proof with each call; the second shows pictures of mails to who knows their names."""

UPLOADS = frozenset(
    {"imports.upload", "suppressions.upload", "attachments.attach", "attachments.own", "brand.save", "designs.take_in"}
)
"""Endpoints that take large files."""

READS_FIRST = frozenset(
    {
        "review.create",
        "media.upload",
        "media.add",
        "media.replace",
        "content.send_test",
        "sign_in.submit",
        "settings.add_user",
        "settings.user_link",
        "account.password",
        "imports.check",
        "notice_settings.send_test",
        "resending.send",
        "suppressions.take_over",
        "consent_settings.hash_addresses",
        "unsubscribe.submit",
        "relay_events.receive",
        "relay_events.try_out",
    }
)
"""Endpoints that take their time before they write, if they do, to look at all recipients, to hash a password or to read a file or a
picture: when they write they say so themselves, and others may meanwhile."""

SEEN_EVERY = timedelta(minutes=1)
"""So often the use of a sign-in is noted."""

CONTENT_SECURITY_POLICY = (
    "default-src 'self'; img-src 'self' data: https:; object-src 'none'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'self'"
)

STRICT_TRANSPORT_SECURITY = f"max-age={365 * 86_400}"
"""Seconds for which a browser asks for this host by TLS only (RFC 6797). Other hosts of the domain are not ours to decide about."""


class SignedIn(UserMixin):
    """The user of this request, known by a token that the server can revoke."""

    def __init__(self, visit: users.Visit, token: str):
        user = visit.user
        self.id, self.email, self.name, self.time_zone = user.id, user.email, user.name, user.time_zone
        self.token, self.sign_in_id, self.may_set_password = token, visit.sign_in_id, visit.may_set_password

    def get_id(self) -> str:
        return self.token


DEMO_APART = f"{'python3 -m webapp' if IS_CLONE else 'massmail'} demo --apart --port 8001"
"""Starts a console beside this one that shares nothing with it."""


def admit(app: Flask) -> None:
    """Have `app` turn strangers away. Comes before CSRF, which reads what was sent: of a stranger nothing is read but a sign-in."""
    login.login_view = "sign_in.form"
    login.login_message = ""
    login.user_loader(_load_user)
    app.before_request(_admit)


def install(app: Flask) -> None:
    """Bind the shared behaviour to `app`. Comes after CSRF, so that a long upload is read before a write begins."""
    app.before_request(_begin)
    errors.install(app)
    app.after_request(_headers)
    app.teardown_request(_remember_seen)
    app.context_processor(_context)
    app.jinja_env.globals |= {"now": _request_now, "current_user": current_user}
    for name in wording.FILTERS:
        app.add_template_filter(getattr(wording, name), name)
    app.add_template_filter(_moment, "moment")
    app.add_template_filter(_ago, "ago")
    app.add_template_filter(local, "local")
    app.add_url_rule("/", "home", lambda: redirect(url_for("broadcasts.index")))


def _load_user(token: str) -> SignedIn | None:
    if g.get("is_in_trouble"):
        return None
    visit = users.signed_in(db.session, token, now(), current_app.config["SESSION_IDLE"])
    if visit is None:
        return None
    if now() - visit.seen_at > SEEN_EVERY and not _asks_by_itself():
        g.is_seen = visit.sign_in_id
    return SignedIn(visit, token)


def _asks_by_itself() -> bool:
    """Whether this may be a part of a page that asks again and again: a page left open does not keep its user signed in."""
    return request.method in errors.READING and "HX-Request" in request.headers


def _remember_seen(_error: BaseException | None) -> None:
    """Note at the end of a request that its sign-in is in use; it does not matter if that cannot be written just now."""
    sign_in_id = g.pop("is_seen", None)
    if sign_in_id is None or g.get("is_in_trouble"):
        return
    try:
        writes_from_here(db.session)
        users.seen(db.session, sign_in_id, now())
        db.session.commit()
    except DBAPIError as error:
        current_app.logger.warning("the use of a sign-in was not noted: %s", error)
        db.session.rollback()


def _begin() -> None:
    if request.method not in errors.READING and request.endpoint not in READS_FIRST:
        will_write(db.session)


def _admit() -> ResponseReturnValue | None:
    if request.endpoint in (None, "static") or request.blueprint in OPEN_ROOMS:
        if (
            request.blueprint != "sign_in" or "_user_id" not in session
        ):  # who was signed in may bring along what they typed then
            request.max_content_length = places.FROM_STRANGERS
        return None
    if request.endpoint in OPEN_ENDPOINTS:
        request.max_content_length = OPEN_ENDPOINTS[request.endpoint]
        return None
    if current_user.is_authenticated:
        if request.method not in errors.READING:
            db.session.rollback()  # what is sent is read next, and then a writing transaction begins
        if request.endpoint in UPLOADS:
            request.max_content_length = current_app.config["MAX_UPLOAD"]
        return None
    return places.turn_away()


def _headers(response: Response) -> Response:
    response.headers.setdefault("Content-Security-Policy", CONTENT_SECURITY_POLICY)
    response.headers.setdefault("X-Content-Type-Options", "nosniff")
    response.headers.setdefault("Referrer-Policy", "same-origin")
    if _is_by_tls():
        response.headers.setdefault("Strict-Transport-Security", STRICT_TRANSPORT_SECURITY)
    if request.endpoint != "static" and request.blueprint != "assets":  # all else is about people: pages, files, mails
        response.headers.setdefault("Cache-Control", "no-store")
    if response.mimetype == "text/html":
        response.vary.add("HX-Request")
    return response


def _is_by_tls() -> bool:
    """Whether this was asked for by TLS: as the trusted proxies tell, or where none is known, as the console's public address says."""
    config = current_app.config
    return request.is_secure or (not config["TRUSTED_PROXIES"] and config["PUBLIC_URL"].startswith("https://"))


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
    if at is None:
        return Markup("")
    return _time_tag(at, wording.ago(at.astimezone(viewer_zone()), now().astimezone(viewer_zone())))


def _time_tag(at: datetime, text: str) -> Markup:
    exact = at.astimezone(viewer_zone()).strftime("%a %-d %b %Y, %H:%M:%S %Z")
    return Markup('<time datetime="{}" title="{}">{}</time>').format(at.astimezone(UTC).isoformat(), exact, text)


def _context() -> dict[str, Any]:
    """What the frame around every page shows, loaded before it is made: no template asks the database. Strangers see no frame, and in
    trouble nobody is asked for."""
    known = {"theme": cookies.theme(), "demo": _demo(), "demo_command": DEMO_APART, "leaving_by": _leaving_by()}
    if g.get("is_in_trouble") or not current_user.is_authenticated:
        return known
    return known | {
        "client_count": audience.client_count(db.session),
        "ringing": lists.bell(db.session, current_user.id),
        "workers_banner": workers_banner(),
    }


def _request_now() -> datetime:
    at: datetime = g.setdefault("now", now())
    return at


def _demo() -> bool:
    return bool(current_app.config["MAIL_CATCHER_DIR"])


def _leaving_by() -> str | None:
    """The relay by which mails of a demo leave this machine; None where they are caught, and where this is no demo."""
    config = current_app.config
    return config["RELAY"].key if config["DEMO"] and not config["MAIL_CATCHER_DIR"] else None


def remember_sign_in(token: str) -> None:
    """Put a sign-in's token into the browser's session, in which nothing else stays."""
    session.clear()
    g.pop("csrf_token", None)  # it belonged to what was cleared
    session["_user_id"] = token
    session["_fresh"] = True
    session.permanent = True
