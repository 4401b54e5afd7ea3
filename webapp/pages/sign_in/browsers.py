"""Browsers: which one it is, in words, and whether it has signed in to an account before."""

import secrets

from flask import current_app, request
from itsdangerous import BadData, URLSafeSerializer
from werkzeug.wrappers import Response

from webapp.core.users import SignInOrigin

MOST_ACCOUNTS = 10
LASTS_S = 365 * 86400

BROWSERS = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("Chrome/", "Chrome"),
    ("CriOS/", "Chrome"),
    ("Safari/", "Safari"),
)
SYSTEMS = (
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("CrOS", "ChromeOS"),
    ("Mac OS X", "macOS"),
    ("Linux", "Linux"),
)
"""What stands in User-Agent, the more particular first: most browsers call themselves Safari, too."""


def place() -> SignInOrigin:
    """Where this request comes from."""
    return SignInOrigin(words(request.headers.get("User-Agent", "")), request.remote_addr or "")


def words(user_agent: str) -> str:
    """A browser as people call it: Firefox on Linux."""
    browser = next((name for mark, name in BROWSERS if mark in user_agent), "")
    system = next((name for mark, name in SYSTEMS if mark in user_agent), "")
    return f"{browser or 'A browser'} on {system}" if system else browser


def known_as(user_id: int | None) -> str | None:
    """What this browser is called at that account; None where it has not signed in to it."""
    return _names().get(str(user_id)) if user_id is not None else None


def remember(response: Response, user_id: int) -> Response:
    """Have the browser be known at that account from now on."""
    names = _names()
    name = names.pop(str(user_id), None) or secrets.token_urlsafe(16)
    kept = dict([*names.items(), (str(user_id), name)][-MOST_ACCOUNTS:])
    response.set_cookie(
        _cookie(),
        _signed().dumps(kept),
        max_age=LASTS_S,
        path="/sign-in",
        secure=current_app.config["SESSION_COOKIE_SECURE"],
        httponly=True,
        samesite="Lax",
    )
    return response


def _names() -> dict[str, str]:
    try:
        names = _signed().loads(request.cookies.get(_cookie(), ""))
    except BadData:
        return {}
    return names if isinstance(names, dict) else {}


def _cookie() -> str:
    """The cookie that names this browser to the sign-in page alone, by account. It lets nobody in: it only gives the browser a count of
    failures of its own."""
    return f"known-{current_app.config['SESSION_COOKIE_NAME'].removeprefix('__Host-')}"


def _signed() -> URLSafeSerializer:
    return URLSafeSerializer(current_app.config["SECRET_KEY"], salt="known browser")
