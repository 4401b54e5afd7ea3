"""Caught mails: what the demo's mail catcher took instead of a relay, as the clients would have got it."""

import re
from email.message import EmailMessage, MIMEPart
from pathlib import Path
from typing import Any

from flask import Blueprint, Response, current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import exists, select

from webapp.core.errors import NotFound
from webapp.core.rules.lifecycle import BroadcastState
from webapp.core.tables.broadcasts import Broadcast
from webapp.demo.coming_back import Comeback, answer, bring
from webapp.demo.maildir import Maildir, Summary
from webapp.extensions import db
from webapp.pages.fragments import fragment

bp = Blueprint("mail_catcher", __name__, url_prefix="/mail-catcher")

MAILS_A_PAGE = 50
MAIL_POLICY = (
    "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data: https:; "
    "frame-ancestors 'self'"
)
"""A caught mail may show its own styles and pictures; it runs nothing, sends nothing and knows nothing of the console."""


@bp.get("/")
def index() -> str:
    return render_template("mail_catcher/index.html", **_list())


@bp.get("/mails")
def mails() -> str:
    return fragment("mail_catcher/_mails.html", **_list())


@bp.get("/<name>")
def show(name: str) -> str:
    maildir = _maildir()
    summary = _found(maildir, name)
    message = maildir.message(name)
    headers = maildir.headers(name)
    html, text = message.get_body(("html",)), message.get_body(("plain",))
    ways = [way for way, there in (("html", html), ("text", text), ("source", True)) if there]
    way = request.args.get("as")
    older, newer = maildir.beside(name)
    return render_template(
        "mail_catcher/show.html",
        mail=summary,
        headers=headers,
        to=next((value for field, value in headers if field.lower() == "to"), summary.recipient),
        ways=ways,
        way=way if way in ways else ways[0],
        text=_text(text) if text else "",
        source=maildir.source(name).decode("utf-8", "replace"),
        older=older,
        newer=newer,
        fates=list(Comeback) if current_app.config["BOUNCE_ADDRESS"] else [],
    )


@bp.get("/<name>/html")
def html(name: str) -> Response:
    """The HTML part alone, for the frame on the mail's page. Its links open in a new tab."""
    maildir = _maildir()
    _found(maildir, name)
    part = maildir.message(name).get_body(("html",))
    if part is None:
        raise NotFound("This mail has no HTML part.")
    page = _text(part)
    target = '<base target="_blank">'
    page = re.sub(r"(<head[^>]*>)", rf"\1{target}", page, count=1) if re.search("<head", page) else target + page
    return Response(page, mimetype="text/html", headers={"Content-Security-Policy": MAIL_POLICY})


@bp.get("/<name>/source")
def source(name: str) -> Response:
    maildir = _maildir()
    _found(maildir, name)
    disposition = {"Content-Disposition": f'attachment; filename="{name}.eml"'}
    return Response(maildir.source(name), mimetype="message/rfc822", headers=disposition)


@bp.post("/<name>/come-back")
def come_back(name: str) -> ResponseReturnValue:
    """Have the mail come back, as if its recipient's server or provider had sent something."""
    maildir = _maildir()
    mail, wanted = _found(maildir, name), request.form.get("fate", "")
    listener = current_app.config["BOUNCE_LISTEN"]
    if wanted not in set(Comeback) or not current_app.config["BOUNCE_ADDRESS"]:
        raise NotFound("Nothing listens for mails that come back.")
    fate = Comeback(wanted)
    db.session.commit()  # the listener writes, too, and waits for whoever has noted that somebody is here
    if bring(listener, maildir.return_path(name), answer(fate, mail.recipient, maildir.source(name))):
        flash(f"{fate.label}: it has come back, and stands in the ledger.", "ok")
    else:
        flash("It did not come back: it is a test, or nothing listens for mails that come back.", "bad")
    return redirect(url_for("mail_catcher.show", name=name))


@bp.post("/empty")
def empty() -> ResponseReturnValue:
    removed = _maildir().empty()
    flash(f"{removed:,} caught mails are removed.", "ok")
    return redirect(url_for("mail_catcher.index"))


def _maildir() -> Maildir:
    folder = current_app.config["MAIL_CATCHER_DIR"]
    if not folder:
        raise NotFound("There is no mail catcher here: this console hands its mails to a relay.")
    return Maildir(Path(folder))


def _found(maildir: Maildir, name: str) -> Summary:
    try:
        return maildir.summary(name)
    except FileNotFoundError:
        raise NotFound("This mail is not in the catcher any more.") from None


def _text(part: EmailMessage | MIMEPart) -> str:
    """A text part's content; what its character set does not explain is shown as �."""
    try:
        content: str = part.get_content()
    except (LookupError, UnicodeError):
        return bytes(part.get_payload(decode=True)).decode("utf-8", "replace")
    return content


def _list() -> dict[str, Any]:
    search = request.args.get("q", "").strip()
    offset = max(0, request.args.get("from", 0, type=int))
    rows, total = _maildir().page(search, offset, MAILS_A_PAGE)
    under_way = (BroadcastState.SCHEDULED, BroadcastState.SENDING)
    return {
        "mails": rows,
        "total": total,
        "search": search,
        "offset": offset,
        "page": MAILS_A_PAGE,
        "more_to_come": offset == 0 and db.session.scalar(select(exists().where(Broadcast.state.in_(under_way)))),
    }
