"""The console's cookies: names that no other program on the host uses, and who may read them."""

from urllib.parse import urlsplit

from flask import Flask, current_app, request
from werkzeug.wrappers import Response

THEMES = ("light", "dark")
YEARS_S = 5 * 365 * 86_400


def install(app: Flask) -> None:
    """Set up the cookies of `app` as PUBLIC_URL demands."""
    url = app.config["PUBLIC_URL"]
    app.config.update(
        SESSION_COOKIE_NAME=name("session", url),
        SESSION_COOKIE_SECURE=url.startswith("https://"),
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_PATH="/",
    )


def name(what: str, public_url: str) -> str:
    """The name of the cookie `what`. A browser sends a cookie to all ports of a host, so programs that use one name overwrite each other's;
    the port keeps two consoles apart. Browsers take `__Host-` only by TLS, for this very host and all of it
    (https://httpwg.org/http-extensions/draft-ietf-httpbis-rfc6265bis.html, section 4.1.3.2)."""
    parts = urlsplit(public_url)
    port = f"-{parts.port}" if parts.port else ""
    return f"{'__Host-' if parts.scheme == 'https' else ''}massmail{port}-{what}"


def theme() -> str | None:
    """The theme that was chosen on this browser; None: as the system has it."""
    chosen = request.cookies.get(name("theme", current_app.config["PUBLIC_URL"]))
    return chosen if chosen in THEMES else None


def keep_theme(response: Response, chosen: str | None) -> None:
    """Have the browser remember a theme, or forget it if `chosen` is none of them."""
    url = current_app.config["PUBLIC_URL"]
    rules = {"path": "/", "secure": url.startswith("https://"), "httponly": True, "samesite": "Lax"}
    if chosen in THEMES:
        response.set_cookie(name("theme", url), chosen, max_age=YEARS_S, **rules)
    else:
        response.delete_cookie(name("theme", url), **rules)
