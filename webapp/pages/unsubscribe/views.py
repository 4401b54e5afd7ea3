"""What a mail's own links lead to: declining, choosing, and the mail in the browser. For everybody who holds a mail's token: no sign-in, no
cookie, no script. GET, HEAD and OPTIONS change nothing, as scanners follow every link of a mail."""

import logging
import time
from datetime import datetime

from flask import Blueprint, Response, current_app, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from webapp.adapters.clock import now, ticks
from webapp.adapters.database import will_write
from webapp.core.broadcasts import delivered
from webapp.core.cadence import DECLINE_HOLDS_S
from webapp.core.consent import unsubscribing
from webapp.core.consent.unsubscribing import Holder, Way
from webapp.core.rules.consent import LONGEST_REASON
from webapp.core.rules.mail_uses import COUNTED_FOR
from webapp.core.rules.media import names
from webapp.core.rules.message.parts import NO_TOKEN
from webapp.extensions import csrf, db
from webapp.pages.unsubscribe import look, rate
from webapp.pages.unsubscribe.languages import LANGUAGES

TOLD = {
    "all": ("declined", "declined marketing"),
    "undo": ("declined_no_more", "taken that back"),
    "topics": ("topics_chosen", "chosen topics"),
}
"""What somebody did with a button of these pages: its event in the log, and how it is said there."""

log = logging.getLogger(__name__)

bp = Blueprint("unsubscribe", __name__)
csrf.exempt(bp)  # what stands in a link is all that proves anything here: no cookie says who somebody is

ONE_CLICK = ("List-Unsubscribe", "One-Click")
"""The body of RFC 8058 section 3.1."""

MAIL_POLICY = (
    "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; style-src 'unsafe-inline'; "
    "img-src 'self' data: https:; frame-ancestors 'none'"
)
"""A mail may show its own styles and pictures; it runs nothing and sends nothing."""


@bp.get("/unsubscribe/<token>")
def page(token: str) -> ResponseReturnValue:
    """Where a mail's link to unsubscribe leads, and what became of it."""
    return _page(token, "unsubscribe.page")


@bp.get("/preferences/<token>")
def preferences(token: str) -> ResponseReturnValue:
    """The same, with the topics first."""
    return _page(token, "unsubscribe.preferences")


@bp.post("/unsubscribe/<token>")
@bp.post("/preferences/<token>")
def submit(token: str) -> ResponseReturnValue:
    """The one button of a mail program, or those of the page."""
    is_one_click = request.form.get(ONE_CLICK[0]) == ONE_CLICK[1]
    what, way = ("all", Way.ONE_CLICK) if is_one_click else (request.form.get("do", ""), Way.PAGE)
    if not rate.allows(token, ticks()):
        return Response(status=429, headers={"Retry-After": str(rate.WINDOW_S)})
    who = unsubscribing.holder(db.session, token)
    if who is not None:
        db.session.rollback()
        will_write(db.session)
        _do(what, who, way, now())
        db.session.commit()
        _tell(who, way, what)
        _until_senders_know(who)
    if is_one_click:
        return Response(status=200, mimetype="text/plain")
    here = "unsubscribe.preferences" if request.path.startswith("/preferences/") else "unsubscribe.page"
    return redirect(url_for(here, token=token, lang=look.asked_language(), done=request.form.get("do")), 303)


@bp.get("/view/<token>")
def view(token: str) -> ResponseReturnValue:
    """A mail as it was, alone on its page."""
    mail = delivered.by_token(db.session, token, now(), current_app.config["PUBLIC_URL"])
    if mail is None:
        look.speak(None)
        gone = token == NO_TOKEN
        return render_template("unsubscribe/gone.html", **look.known(db.session), is_sample=gone, of_mail=True), 404
    if mail.shown.html is None:
        return Response(mail.shown.text, mimetype="text/plain", headers={"Content-Security-Policy": MAIL_POLICY})
    html = names.shown(mail.shown.html, url_for("media.index"), current_app.config["PUBLIC_URL"])
    return Response(html, mimetype="text/html", headers={"Content-Security-Policy": MAIL_POLICY})


@bp.get("/unsubscribe-style/<colour>.css")
def style(colour: str) -> ResponseReturnValue:
    """The business's colour, for the pages of this room."""
    found = look.style_of(colour)
    return Response(found or "", 200 if found else 404, mimetype="text/css")


@bp.after_request
def _headers(response: Response) -> Response:
    return look.closed(response)


def _page(token: str, here: str) -> ResponseReturnValue:
    who = unsubscribing.holder(db.session, token)
    look.speak(who.language if who else None)
    known = look.known(db.session) | {"languages": LANGUAGES, "here": here, "token": token}
    if who is None:
        return render_template("unsubscribe/gone.html", **known, is_sample=token == NO_TOKEN, of_mail=False), 404
    return render_template(
        "unsubscribe/index.html",
        **known,
        who=who,
        has_declined=unsubscribing.has_declined_all(db.session, who),
        choices=unsubscribing.choices(db.session, who),
        done=request.args.get("done"),
        language=look.asked_language(),
        longest_reason=LONGEST_REASON,
        counted_days=COUNTED_FOR.days,
    )


def _do(what: str, who: Holder, way: Way, at: datetime) -> None:
    if what == "all":
        unsubscribing.decline_all(db.session, who, way, at, request.form.get("reason", ""))
    elif what == "undo":
        unsubscribing.take_back(db.session, who, at)
    elif what == "topics":
        wanted = {int(value) for value in request.form.getlist("topic") if value.isascii() and value.isdecimal()}
        unsubscribing.choose(db.session, who, wanted, at)


def _tell(who: Holder, way: Way, what: str) -> None:
    """Say in the log what became of whose mail, without saying who that is."""
    if what in TOLD:
        event, words = TOLD[what]
        about = {"event": event, "delivery": who.delivery_id, "way": way.value}
        log.info("delivery %s: its recipient has %s", who.delivery_id, words, extra=about)


def _until_senders_know(who: Holder) -> None:
    """Hold the answer while a mail to this address may be under way: whoever declined and was told so gets none that begins after that.
    A sender far from its database hears of it later, and so does this process."""
    began = ticks()
    if unsubscribing.may_be_on_its_way(db.session, who):
        db.session.rollback()
        is_here = db.engine.dialect.name == "sqlite"  # its senders look into shared memory before each mail
        time.sleep(DECLINE_HOLDS_S if is_here else max(DECLINE_HOLDS_S, 4 * (ticks() - began)))
