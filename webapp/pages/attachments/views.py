"""What the mails of a draft carry: files for everybody, and one for each recipient."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from flask import Blueprint, Response, current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from webapp.adapters.clock import now
from webapp.adapters.database import will_write
from webapp.core import audience, broadcasts
from webapp.core.content import own_file_gaps
from webapp.core.errors import Invalid, NotFound
from webapp.core.media import attachments, own_files
from webapp.core.media.attachments import AttachedFile, in_megabytes
from webapp.core.media.own_files import OwnFilesSum, OwnFilesTaken
from webapp.core.rules import csv_cells
from webapp.core.rules.media.documents import TypeQuestion
from webapp.core.tables.broadcasts import Broadcast, Content
from webapp.core.tables.media import WithoutOwnFile
from webapp.extensions import db
from webapp.pages.broadcasts import draft
from webapp.pages.fragments import fragment
from webapp.pages.wording import duration

bp = Blueprint("attachments", __name__, url_prefix="/mass-mail/<int:broadcast_id>/attachments")

IN_A_MAIL = 78 / 57
"""Octets in a mail for each of a file: base64, and the ends of its lines."""

LINE_BITS_PER_S = 10_000_000
"""A line of which one can say how long an amount takes; the relay's own speed shows only when it takes large mails."""


@dataclass(frozen=True, slots=True)
class AttachedSum:
    """What the fragment shows. `most` is what a mail may carry, in words; `volume` says what all mails take together, "" for nothing."""

    files: list[tuple[AttachedFile, str]]
    most: str
    volume: str
    own: OwnFilesSum | None
    lacking: int
    language: str


def sum_of(broadcast: Broadcast, content: Content) -> AttachedSum:
    """What the mails of a content carry."""
    files = attachments.listing(db.session, content.id)
    own = own_files.summed(db.session, content.id)
    today = now().date()
    lacking = own_file_gaps.count(db.session, broadcast, content, today) if own else 0
    most = in_megabytes(current_app.config["MOST_ATTACHED"])
    shown = [(one, in_megabytes(one.size)) for one in files]
    each = sum(one.size for one in files)
    mean = own.total // own.count if own and own.count else 0
    volume = _volume(broadcast, each + mean, today) if each + mean else ""
    return AttachedSum(shown, most, volume, own, lacking, content.language)


def _volume(broadcast: Broadcast, each: int, today: date) -> str:
    recipients = audience.count(db.session, audience.audience_of(broadcast), today).will_receive
    octets = round(each * IN_A_MAIL)
    total = octets * recipients
    words = f"{in_megabytes(octets)} in each mail"
    if not recipients:
        return f"{words}."
    size = f"{total / 1e9:,.1f} GB" if total >= 1e9 else in_megabytes(total)
    takes = duration(max(1.0, total * 8 / LINE_BITS_PER_S))
    return f"{words} × {recipients:,} = {size}: about {takes} on a line of {LINE_BITS_PER_S // 1_000_000} Mbit/s."


@bp.get("/")
def index(broadcast_id: int) -> ResponseReturnValue:
    """The files as a page, for browsers without JavaScript, and as the fragment."""
    broadcast, content = _found(broadcast_id)
    return _answer(broadcast, content)


@bp.post("/")
def attach(broadcast_id: int) -> ResponseReturnValue:
    """Attach the files that were sent."""
    broadcast, content = _found(broadcast_id, changes=True)
    most, agreed = current_app.config["MOST_ATTACHED"], request.form.get("agreed") == "1"
    sent = [one for one in request.files.getlist("file") if one.filename]
    if not sent:
        return _answer(broadcast, content, problem="Choose a file.")
    try:
        for one in sent:
            data = one.stream.read(most + 1)
            attachments.attach(
                db.session, content.id, one.filename or "", data, current_user.id, now(), most=most, agreed=agreed
            )
    except Invalid as error:
        db.session.rollback()
        return _answer(*_found(broadcast_id), problem=str(error), asks=isinstance(error, TypeQuestion))
    return _changed(broadcast, content)


@bp.post("/<int:attachment_id>/detach")
def detach(broadcast_id: int, attachment_id: int) -> ResponseReturnValue:
    """Take a file off."""
    broadcast, content = _found(broadcast_id, changes=True)
    attachments.detach(db.session, content.id, attachment_id)
    return _changed(broadcast, content)


@bp.post("/own")
def own(broadcast_id: int) -> ResponseReturnValue:
    """Take the table and the files of single recipients."""
    broadcast, content = _found(broadcast_id, changes=True)
    content_id, user_id, at = content.id, current_user.id, now()
    table = request.files.get("table")
    sent = {one.filename: one.stream for one in request.files.getlist("files") if one.filename}
    if table is None or not table.filename or not sent:
        return _answer(broadcast, content, problem="Choose the table, and the files or an archive of them.")
    shared = sum(one.size for one in attachments.listing(db.session, content_id))
    room = max(0, current_app.config["MOST_ATTACHED"] - shared)
    try:
        taken = own_files.take(
            db.session, content_id, table.stream.read(), sent, user_id, at, most=room, pause=_let_others_write
        )
    except Invalid as error:
        db.session.rollback()
        return _answer(*_found(broadcast_id), problem=str(error))
    return _changed(broadcasts.get(db.session, broadcast_id), content, taken=taken)


@bp.post("/own/when-missing")
def decide(broadcast_id: int) -> ResponseReturnValue:
    """What becomes of recipients without a file."""
    broadcast, content = _found(broadcast_id, changes=True)
    said = request.form.get("when_missing", "")
    if said not in set(WithoutOwnFile):
        return _answer(broadcast, content, problem="Choose what becomes of those without a file.")
    own_files.decide(db.session, content.id, WithoutOwnFile(said))
    return _changed(broadcast, content)


@bp.post("/own/remove")
def remove_own(broadcast_id: int) -> ResponseReturnValue:
    """Nobody gets a file of their own any more."""
    broadcast, content = _found(broadcast_id, changes=True)
    own_files.remove(db.session, content.id)
    return _changed(broadcast, content)


@bp.get("/own/lacking.csv")
def lacking(broadcast_id: int) -> ResponseReturnValue:
    """Recipients without a file, as a table."""
    broadcast, content = _found(broadcast_id)
    rows = own_file_gaps.listed(db.session, broadcast, content, now().date())
    lines = [csv_cells.row(("client", "name", "address")), *map(csv_cells.row, rows)]
    name = f"mass-mail-{broadcast_id}-without-file.csv"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response("\ufeff" + "".join(lines), mimetype="text/csv", headers=headers)


def _found(broadcast_id: int, *, changes: bool = False) -> tuple[Broadcast, Content]:
    """The broadcast and its content in the language that is asked for. With `changes` it is claimed for an edit: raises Conflict where it
    is no draft any more. Raises NotFound."""
    broadcast = broadcasts.get(db.session, broadcast_id)
    if changes:
        broadcast = broadcasts.edit(db.session, broadcast_id, None, {}, now())
    language = request.values.get("language", "")
    for content in broadcast.contents:
        if content.language == language:
            return broadcast, content
    raise NotFound("This mass mail has no text in this language (any more).")


def _let_others_write() -> None:
    db.session.commit()
    will_write(db.session)


def _changed(broadcast: Broadcast, content: Content, **known: Any) -> ResponseReturnValue:
    db.session.commit()
    if not request.headers.get("HX-Request") and not known:
        flash("The attachments are saved.", "ok")
        return redirect(url_for("attachments.index", broadcast_id=broadcast.id, language=content.language or None), 303)
    return _answer(broadcast, content, **known)


def _answer(
    broadcast: Broadcast,
    content: Content,
    *,
    problem: str | None = None,
    asks: bool = False,
    taken: OwnFilesTaken | None = None,
) -> ResponseReturnValue:
    context = {
        "broadcast": broadcast,
        "attached": sum_of(broadcast, content),
        "problem": problem,
        "asks": asks,
        "taken": taken,
    }
    status = 422 if problem else 200
    if request.headers.get("HX-Request"):
        answer = fragment("attachments/_attachments.html", **context)
        return answer + fragment("broadcasts/_draft_saved.html", broadcast=broadcast, oob=True), status
    return render_template("attachments/index.html", draft=draft.load(broadcast.id, "content"), **context), status
