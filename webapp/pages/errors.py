"""Errors as pages, and as toasts over the page one is on."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from types import MappingProxyType
from urllib.parse import quote, urlsplit

from flask import Flask, current_app, flash, g, redirect, render_template, request, session
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import CSRFError
from markupsafe import Markup, escape
from sqlalchemy.exc import DataError, DBAPIError, InterfaceError, OperationalError, TimeoutError
from werkzeug.exceptions import HTTPException

from webapp.adapters import schema
from webapp.core.errors import Conflict, DomainError, NotFound
from webapp.extensions import db
from webapp.pages import access
from webapp.pages.coming_back import places
from webapp.pages.fragments import fragment

READING = frozenset({"GET", "HEAD", "OPTIONS"})
"""Methods that change nothing."""

COME_BACK_S = 10
"""When a browser or proxy may try again, if the database is away."""

AWAY = (OperationalError, InterfaceError, TimeoutError)
"""What SQLAlchemy raises when the database cannot be reached or used."""

NUMBER_TOO_LARGE, TEXT_TOO_LONG, UNKEPT_LETTERS = "22003", "22001", ("22021", "22P05")
"""Codes of PostgreSQL (https://www.postgresql.org/docs/current/errcodes-appendix.html)."""

SMALL = 2**31 - 1
"""The largest id of a table whose ids have 32 bits."""

KB, MB = 1024, 1024 * 1024


def install(app: Flask) -> None:
    """Bind the errors to `app`."""
    app.register_error_handler(DomainError, _refusal)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(CSRFError, _stale)
    for kind in AWAY:
        app.register_error_handler(kind, _database_away)
    app.register_error_handler(DataError, _beyond_the_database)
    app.register_error_handler(OverflowError, _beyond_numbers)
    app.register_error_handler(Exception, _fault)


def _refusal(error: DomainError) -> ResponseReturnValue:
    """A refusal nobody turned into a field's message: a toast over the page the user is on, or a page of its own."""
    _undo()
    status = 404 if isinstance(error, NotFound) else 409 if isinstance(error, Conflict) else 422
    if request.method == "POST" and (back := _page_before()) and status != 404 and not _is_htmx():
        flash(str(error), "bad")
        return redirect(back)
    return said(status, str(error))


def _stale(error: CSRFError) -> ResponseReturnValue:
    """A form of a page that was opened before the present sign-in."""
    try:
        return places.stale(error)
    except CSRFError:
        return _http_error(error)


def _http_error(error: HTTPException) -> ResponseReturnValue:
    if error.code is None or error.code < 400:
        return error
    _undo()
    message = error.description if error.code in (400, 422) and error.description else _MESSAGES.get(error.code, "")
    if error.code == 413:
        most = request.max_content_length or 0
        size = f"{most // MB} MB" if most >= MB else f"{most // KB} kB"
        message = f"This address takes at most {size} at a time. Nothing was changed; send it in smaller parts."
    return said(error.code, message)


def _page_before() -> str | None:
    """The page of ours on which the form stood. Whoever sends the header may write another site's address into it."""
    before = urlsplit(request.referrer or "")
    if (before.scheme, before.netloc) != (request.scheme, request.host):
        return None
    path = "/" + quote(before.path, safe="/%").lstrip("/")
    return f"{path}?{before.query}" if before.query else path


def _beyond_the_database(error: DataError) -> ResponseReturnValue:
    """PostgreSQL refuses a value: a number too large for its column (22003), a text too long (22001), a letter it cannot keep."""
    state = getattr(error.orig, "sqlstate", None)
    if state == NUMBER_TOO_LARGE:
        return _beyond_numbers(error)
    if state not in (TEXT_TOO_LONG, *UNKEPT_LETTERS):
        return _fault(error)
    what = "is longer than can be kept" if state == TEXT_TOO_LONG else "holds a character that cannot be kept"
    current_app.logger.warning("refused on %s: PostgreSQL's code %s", access.asked_for(request), state)
    _undo()
    return said(422, f"Something in this form {what}. Nothing was changed.", typed())


def _beyond_numbers(error: Exception) -> ResponseReturnValue:
    """A number beyond what the database counts to stands for nothing there is."""
    current_app.logger.warning("refused on %s: a number too large", access.asked_for(request))
    _undo()
    is_of_the_address = any(isinstance(value, int) and value > SMALL for value in (request.view_args or {}).values())
    if request.method in READING or is_of_the_address:
        return said(404, _MESSAGES[404])
    return said(422, "A number in this form is too large. Nothing was changed.", typed())


def _database_away(error: Exception) -> ResponseReturnValue:
    """The database cannot be reached, has no room, or is locked for too long. Says so without asking it anything more."""
    current_app.logger.error("the database cannot be used on %s: %s", access.asked_for(request), error)
    return _in_trouble(503, _AWAY, {"Retry-After": str(COME_BACK_S)})


def _fault(error: Exception) -> ResponseReturnValue:
    if current_app.testing or current_app.debug:
        raise error
    current_app.logger.exception("unhandled error on %s", access.asked_for(request))
    return _in_trouble(
        500, "Nothing was changed by this request. Try again; if it stays, look into the web server's log."
    )


def demand_schema(app: Flask) -> None:
    """Have `app` answer 503 to everything but its assets, health and metrics while its tables are not those that the program was written
    for. Comes before all else that asks the database."""
    app.before_request(_demand_schema)


def _demand_schema() -> ResponseReturnValue | None:
    if request.endpoint == "static" or request.blueprint in ("assets", "health", "metrics"):
        return None
    problem = current_app.extensions["massmail-schema"].problem()
    if problem is None:
        return None
    current_app.logger.error("%s.", problem)
    command = Markup('<code class="nowrap">{}</code>').format(schema.UPGRADE)
    what = escape(problem).replace(escape(schema.UPGRADE), command)
    message = Markup("{}. Nothing was lost, and what was being sent goes on by itself then.").format(what)
    return _in_trouble(503, message, {"Retry-After": str(COME_BACK_S)}, "Not ready yet")


def _in_trouble(
    status: int, message: str, headers: Mapping[str, str] = MappingProxyType({}), title: str | None = None
) -> ResponseReturnValue:
    """Trouble of the program's own, told without the database and with what was typed."""
    title = title or _title(status)
    _undo()
    g.is_in_trouble = True  # from here on nobody's name is asked for
    kept = typed()
    if request.method not in READING:
        message = Markup("{} {}").format(message, _STILL_HERE if _is_htmx() else _KEPT if kept else _SENT_ALONG)
    if _is_htmx():
        # Only what passes by itself is taken back by itself.
        passing = ("reading" if request.method in READING else "change") if status == 503 else None
        return _toast(status, Markup("{}. {}").format(title, message), passing, headers)
    page = render_template("error.html", status=status, title=title, message=message, is_trouble=True, kept=kept)
    return page, status, headers


def _undo() -> None:
    """Undo whatever the request has begun, also on a connection that is dead."""
    try:
        db.session.rollback()
    except DBAPIError:
        db.session.invalidate()


def typed() -> list[tuple[str, str]]:
    """What somebody typed who was signed in before the trouble; who is, cannot be asked now."""
    return places.typed() if "_user_id" in session else []


def said(
    status: int, message: str, kept: Sequence[tuple[str, str]] = (), again: str = "Try again"
) -> ResponseReturnValue:
    """The error as a toast for htmx, else as a page, with a button that sends the fields `kept`."""
    if _is_htmx():
        return _toast(status, message or _title(status))
    try:
        page = render_template(
            "error.html", status=status, title=_title(status), message=message, kept=kept, again=again
        )
        return page, status
    except AWAY as error:  # which the page found out only when it asked who is signed in
        return _database_away(error)


def _toast(
    status: int, message: str, trouble: str | None = None, headers: Mapping[str, str] = MappingProxyType({})
) -> ResponseReturnValue:
    """A toast over the page. `trouble`: what failed, "reading" or "change", if it is to be taken back once that works again."""
    toast = fragment("_toast.html", tone="bad", message=message, trouble=trouble)
    return toast, status, {"HX-Retarget": "#toasts", "HX-Reswap": "beforeend", **headers}


def _is_htmx() -> bool:
    return "HX-Request" in request.headers


_MESSAGES = {
    403: "You may not do this.",
    404: "There is nothing at this address. It may have been deleted, or the link is incomplete.",
    405: "This address does not take that kind of request.",
}
_TITLES = {
    400: "Not possible",
    404: "Not found",
    409: "Changed meanwhile",
    413: "Too large",
    422: "Not possible",
    500: "Something went wrong",
    503: "The database does not answer",
}
_AWAY = "It cannot be reached or used just now. Nothing was lost, and what was being sent goes on by itself once it is back."
_KEPT = "What you typed is kept on this page, and “Try again” sends it once more."
_STILL_HERE = "What you typed is still on this page; try again in a moment."
_SENT_ALONG = "Reloading this page sends what you typed once more."


def _title(status: int) -> str:
    return _TITLES.get(status) or HTTPStatus(status).phrase
