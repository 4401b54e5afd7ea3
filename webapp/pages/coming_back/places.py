"""Where a sign-in leads: back to the page that asked for it, with what was typed there."""

import json
from urllib.parse import urlsplit

from flask import current_app, has_request_context, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response

from webapp.pages.sign_in.forms import SignInForm

FROM_STRANGERS = 64 * 1024
"""Octets that a request may have before somebody has signed in."""

FORM = "application/x-www-form-urlencoded"

SECRETS = frozenset({"password", "current", "again"})
"""Fields in which passwords are typed."""

LONGEST = 2000
"""Characters of an address to come back to; longer ones do not fit everywhere."""


def safe(target: str | None) -> str | None:
    """`target`, if it is the path of a page of this console, else None. A browser reads `//host`, `/\\host` and a path with a tab or line
    break in it as another host's address (https://url.spec.whatwg.org/#url-parsing)."""
    if not target or len(target) > LONGEST or not target.startswith("/") or target.startswith("//"):
        return None
    if "\\" in target or any(ord(sign) <= 0x20 or ord(sign) == 0x7F for sign in target):
        return None
    parts = urlsplit(target)
    return None if parts.scheme or parts.netloc or _is_of_the_sign_in(parts.path) else target


def _is_of_the_sign_in(path: str) -> bool:
    return path.removeprefix(request.script_root if has_request_context() else "").startswith("/sign-in")


def wanted() -> str | None:
    """The page that somebody is on, or asks for, and can be shown again: none that only takes forms, and no fragment."""
    if "HX-Request" in request.headers:
        return safe(_path_of(request.headers.get("HX-Current-URL", "")))
    if request.method in ("GET", "HEAD"):
        return safe(request.script_root + request.full_path.rstrip("?"))
    return safe(_path_of(request.referrer or "")) if is_from_here() else None


def turn_away() -> ResponseReturnValue:
    """The answer to a request that needs a sign-in: htmx is told, so that the page asks in a window of its own; a page leads to the sign-in
    and back; what a form sent is kept beside the sign-in."""
    if "HX-Request" in request.headers:
        return Response(status=401)
    kept = typed() if is_from_here() else []
    if not kept:
        return redirect(url_for("sign_in.form", next=wanted()))
    form = SignInForm(formdata=None)
    return render_template("sign_in/form.html", form=form, coming=wanted(), kept=_pack(kept), kept_to=_sent_to()), 401


def go_on() -> ResponseReturnValue:
    """The answer to a sign-in that has worked: the page that was wanted, or what was typed before, to be sent now."""
    coming = safe(request.args.get("next")) or url_for("home")
    to, fields = safe(request.form.get("kept_to")), _unpack(request.form.get("kept"))
    if to and fields:
        return render_template("coming_back/kept.html", fields=fields, to=to, coming=coming)
    return redirect(coming)


def stale(error: CSRFError) -> ResponseReturnValue:
    """The answer to a form whose token is of an earlier sign-in: the page goes on with a new one, and nothing that was typed is lost."""
    if request.blueprint == "sign_in":
        return redirect(url_for("coming_back.sign_in_window") if "HX-Request" in request.headers else _same_page(), 303)
    if not current_user.is_authenticated or not is_from_here():
        raise error
    if "HX-Request" in request.headers:
        return Response(status=401)
    if not (fields := typed()):
        raise error
    coming = wanted() or url_for("home")
    return render_template("coming_back/kept.html", fields=fields, to=_sent_to(), coming=coming), 400


def is_from_here() -> bool:
    """Whether a page of this console has sent the request, as its browser says. No other page can make a browser say so
    (https://developer.mozilla.org/en-US/docs/Web/HTTP/Reference/Headers/Origin)."""
    origin = request.headers.get("Origin")
    ours = {urlsplit(current_app.config["PUBLIC_URL"]).netloc, request.host}
    return urlsplit(origin).netloc in ours if origin else request.headers.get("Sec-Fetch-Site") == "same-origin"


def typed() -> list[tuple[str, str]]:
    """What a form sent, to be sent once more from the page that says it failed. A file cannot be kept, a password is not to be written into
    a page, and of somebody who was never signed in only little is read."""
    if request.method != "POST" or request.mimetype != FORM:
        return []
    if "_user_id" not in session:
        request.max_content_length = FROM_STRANGERS
    try:
        fields = list(request.form.items(multi=True))
    except HTTPException:
        return []
    return [] if any(name in SECRETS for name, _ in fields) else [field for field in fields if field[0] != "csrf_token"]


def _path_of(url: str) -> str:
    """Path and query of an address, whatever host it names."""
    parts = urlsplit(url)
    return parts.path + (f"?{parts.query}" if parts.query else "")


def _same_page() -> str:
    return url_for("sign_in.form", next=safe(request.args.get("next")))


def _sent_to() -> str | None:
    return safe(request.script_root + request.full_path.rstrip("?"))


def _pack(fields: list[tuple[str, str]]) -> str:
    return json.dumps(fields, ensure_ascii=False)


def _unpack(text: str | None) -> list[tuple[str, str]]:
    try:
        return [(str(name), str(value)) for name, value in json.loads(text or "[]")]
    except (ValueError, TypeError):
        return []
