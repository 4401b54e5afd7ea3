"""Errors as pages, and as toasts over the page one is on."""

from http import HTTPStatus

from flask import Flask, current_app, flash, g, redirect, render_template, request
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError, TimeoutError
from werkzeug.exceptions import HTTPException

from webapp.core.errors import Conflict, DomainError, NotFound
from webapp.extensions import db

READING = frozenset({"GET", "HEAD", "OPTIONS"})
"""Methods that change nothing."""

COME_BACK_S = 10
"""When a browser or proxy may try again, if the database is away."""

KB, MB = 1024, 1024 * 1024


def install(app: Flask) -> None:
    """Bind the errors to `app`."""
    app.register_error_handler(DomainError, _refusal)
    app.register_error_handler(HTTPException, _http_error)
    for kind in (OperationalError, InterfaceError, TimeoutError):
        app.register_error_handler(kind, _database_away)
    app.register_error_handler(Exception, _fault)


def _refusal(error: DomainError):
    """A refusal nobody turned into a field's message: a toast over the page the user is on, or a page of its own."""
    db.session.rollback()
    status = 404 if isinstance(error, NotFound) else 409 if isinstance(error, Conflict) else 422
    if request.method == "POST" and request.referrer and status != 404 and not _is_htmx():
        flash(str(error), "bad")
        return redirect(request.referrer)
    return _said(status, str(error))


def _http_error(error: HTTPException):
    if error.code is None or error.code < 400:
        return error
    db.session.rollback()
    message = error.description if error.code in (400, 422) and error.description else _MESSAGES.get(error.code, "")
    if error.code == 413:
        most = request.max_content_length or 0
        size = f"{most // MB} MB" if most >= MB else f"{most // KB} kB"
        message = f"This address takes at most {size} at a time. Nothing was changed; send it in smaller parts."
    return _said(error.code, message)


def _database_away(error: Exception):
    """The database cannot be reached, has no room, or is locked for too long. Says so without asking it anything more."""
    current_app.logger.error("the database cannot be used on %s %s: %s", request.method, request.path, error)
    _let_go()
    body, status, headers = _said(503, _AWAY if request.method in READING else f"{_AWAY} {_SENT_ALONG}")
    return body, status, headers | {"Retry-After": str(COME_BACK_S)}


def _fault(error: Exception):
    if current_app.testing or current_app.debug:
        raise error
    current_app.logger.exception("unhandled error on %s %s", request.method, request.path)
    _let_go()
    return _said(500, "Nothing was changed by this request. Try again; if it stays, look into the web server's log.")


def _let_go() -> None:
    """Undo whatever the request has begun, also on a connection that is dead, and ask for nobody's name any more."""
    g.is_in_trouble = True
    try:
        db.session.rollback()
    except DBAPIError:
        db.session.invalidate()


def _said(status: int, message: str) -> tuple[str, int, dict[str, str]]:
    """The error as a toast for htmx, else as a page; trouble of the program's own is told without the database."""
    is_trouble = status >= 500
    if _is_htmx():
        words = f"{_title(status)}. {message}" if is_trouble else message or _title(status)
        toast = render_template("_toast.html", tone="bad", message=words, is_trouble=is_trouble)
        return toast, status, {"HX-Retarget": "#toasts", "HX-Reswap": "beforeend"}
    title = _title(status)
    page = render_template("error.html", status=status, title=title, message=message, is_trouble=is_trouble)
    return page, status, {}


def _is_htmx() -> bool:
    return "HX-Request" in request.headers


_MESSAGES = {
    403: "You may not do this.",
    404: "There is nothing at this address. It may have been deleted, or the link is incomplete.",
    405: "This address does not take that kind of request.",
}
_TITLES = {
    404: "Not found",
    409: "Changed meanwhile",
    413: "Too large",
    422: "Not possible",
    500: "Something went wrong",
    503: "The database does not answer",
}
_AWAY = (
    "It cannot be reached or used just now. Nothing was changed, and what was being sent goes on by itself once it is back. "
    "Try again in a moment."
)
_SENT_ALONG = "Reloading this page sends what you typed once more."


def _title(status: int) -> str:
    return _TITLES.get(status) or HTTPStatus(status).phrase
