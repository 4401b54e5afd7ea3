"""Content, Media: the pictures and documents of mails. And the pictures themselves, for everybody who reads a mail with them."""

from typing import Any

from flask import Blueprint, Response, abort, current_app, flash, jsonify, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from werkzeug.datastructures import FileStorage

from webapp.adapters.clock import now
from webapp.adapters.database import writes_from_here
from webapp.core.broadcasts import replaced_pictures
from webapp.core.errors import Conflict, Invalid
from webapp.core.media import library, uses
from webapp.core.media.attachments import in_megabytes
from webapp.core.rules.media import names, pictures
from webapp.core.tables.media import MediaFile
from webapp.extensions import db
from webapp.pages.fragments import fragment

bp = Blueprint("media", __name__, url_prefix=f"/{names.PLACE}")

FOR_GOOD = "public, max-age=31536000, immutable"
"""What stands at a picture's address never changes."""

NOTHING_RUNS = "default-src 'none'; style-src 'unsafe-inline'; sandbox; frame-ancestors 'none'"

BASE64 = 78 / 57
"""Octets in a mail for each of a file."""


@bp.get("/<name>")
def picture(name: str) -> ResponseReturnValue:
    """A picture of a mail. No sign-in: whoever got the mail knows the address, and nobody else."""
    found = library.picture(db.session, name)
    if found is None:
        abort(404)
    response = Response(found.data, mimetype=found.file.media_type)
    response.headers["Cache-Control"] = FOR_GOOD
    response.headers["Content-Security-Policy"] = NOTHING_RUNS
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    response.set_etag(found.file.digest[:32])
    return response.make_conditional(request)


@bp.get("/")
def index() -> ResponseReturnValue:
    """The library; for htmx only the part below the search."""
    context = _listing()
    if request.headers.get("HX-Request") and not request.headers.get("HX-History-Restore-Request"):
        return fragment("media/_media_list.html", **context)
    return render_template("media/index.html", problem=None, **context)


@bp.post("/")
def add() -> ResponseReturnValue:
    """Put a picture into the library."""
    try:
        file = _taken()
    except Invalid as error:
        return render_template("media/index.html", problem=str(error), **_listing()), 422
    db.session.commit()
    return redirect(url_for("media.show", file_id=file.id), 303)


@bp.post("/pictures")
def upload() -> ResponseReturnValue:
    """A picture from the editor; what it is called by, for the HTML of the mail."""
    try:
        file = _taken()
    except Invalid as error:
        return jsonify(problem=str(error)), 422
    db.session.commit()
    return jsonify(_about(file))


@bp.get("/about/<name>")
def about(name: str) -> ResponseReturnValue:
    """What is known of a picture of ours."""
    found = library.by_name(db.session, [name]).get(name)
    if found is None:
        abort(404)
    return jsonify(_about(found))


@bp.get("/file/<int:file_id>")
def show(file_id: int) -> ResponseReturnValue:
    """A file, and what refers to it."""
    return _show(library.get(db.session, file_id))


@bp.post("/file/<int:file_id>")
def describe(file_id: int) -> ResponseReturnValue:
    """Change what it is called, and what it shows in words."""
    library.describe(db.session, file_id, file_name=request.form.get("file_name", ""), alt=request.form.get("alt", ""))
    db.session.commit()
    flash("Saved. Mails that show it keep their words.", "ok")
    return redirect(url_for("media.show", file_id=file_id), 303)


@bp.post("/file/<int:file_id>/replace")
def replace(file_id: int) -> ResponseReturnValue:
    """Another picture in its place: in drafts at once, in no mail that is scheduled or sent."""
    old = library.get(db.session, file_id)
    try:
        new = _taken(otherwise=old.file_name, alt=old.alt, wanted=old.shown)
    except Invalid as error:
        return _show(library.get(db.session, file_id), problem=str(error)), 422
    changed = replaced_pictures.replace(db.session, library.get(db.session, file_id), new, now())
    db.session.commit()
    drafts = (
        f"{changed:,} {'draft shows' if changed == 1 else 'drafts show'} it now" if changed else "no draft showed it"
    )
    flash(f"Replaced: {drafts}. Mails that are scheduled or sent keep theirs.", "ok")
    return redirect(url_for("media.show", file_id=new.id), 303)


@bp.post("/file/<int:file_id>/delete")
def delete(file_id: int) -> ResponseReturnValue:
    """Delete a file that no mail refers to."""
    name = library.get(db.session, file_id).file_name
    try:
        library.remove(db.session, file_id)
    except Conflict as error:
        return _show(library.get(db.session, file_id), problem=str(error)), 409
    db.session.commit()
    flash(f"“{name}” is deleted.", "ok")
    return redirect(url_for("media.index"), 303)


@bp.get("/file/<int:file_id>/thumbnail")
def thumbnail(file_id: int) -> ResponseReturnValue:
    """A small copy of a picture."""
    small = library.thumbnail(db.session, file_id)
    if small is None:
        abort(404)
    kind = "image/png" if small.startswith(b"\x89PNG") else "image/jpeg"
    headers = {"Cache-Control": "private, max-age=86400", "Content-Security-Policy": NOTHING_RUNS}
    return Response(small, mimetype=kind, headers=headers)


@bp.get("/file/<int:file_id>/download")
def download(file_id: int) -> ResponseReturnValue:
    """The file itself."""
    found = library.with_bytes(db.session, file_id)
    response = Response(found.data, mimetype=found.file.media_type, headers={"Content-Security-Policy": NOTHING_RUNS})
    response.headers.set("Content-Disposition", "attachment", filename=found.file.file_name)
    return response


def _taken(otherwise: str = "", alt: str = "", wanted: int = 0) -> MediaFile:
    """The picture that was sent, kept. Raises Invalid."""
    sent = request.files.get("file")
    if sent is None or not sent.filename:
        raise Invalid("Choose a picture.", "file")
    width = request.form.get("width", type=int) or wanted
    made = pictures.prepared(_read(sent), width if 0 < width <= 2000 else 0)
    db.session.rollback()
    writes_from_here(db.session)
    said = request.form.get("alt", "") or alt
    return library.add_picture(db.session, made, sent.filename or otherwise, current_user.id, now(), alt=said)


def _read(sent: FileStorage) -> bytes:
    """What was sent, as far as it may be read."""
    return sent.stream.read(pictures.MOST_OCTETS + 1)


def _about(file: MediaFile) -> dict[str, Any]:
    public = current_app.config["PUBLIC_URL"]
    return {
        "hosted": f"{public}/{names.PLACE}/{file.name}",
        "inside": f"cid:{file.name}",
        "width": file.shown,
        "alt": file.alt,
        "adds": in_megabytes(round(file.size * BASE64)),
        "file_name": file.file_name,
    }


def _listing() -> dict[str, Any]:
    search = request.args.get("q", "")[:200]
    page = max(1, request.args.get("page", type=int) or 1)
    files, total = library.listing(db.session, search, page)
    first = (page - 1) * library.A_PAGE + 1

    def at(number: int) -> str:
        return url_for("media.index", q=search or None, page=number)

    return {
        "files": files,
        "total": total,
        "search": search,
        "first": first,
        "last": first + len(files) - 1,
        "newer": at(page - 1) if page > 1 else None,
        "older": at(page + 1) if first + len(files) - 1 < total else None,
        "held": in_megabytes(octets) if (octets := library.octets(db.session)) else "",
        "size_of": lambda file: in_megabytes(file.size),
    }


def _show(file: MediaFile, problem: str | None = None) -> str:
    found = uses.of(db.session, file)
    successor = db.session.get(MediaFile, file.replaced_by) if file.replaced_by else None
    return render_template(
        "media/show.html",
        file=file,
        uses=found,
        drafts=sum(1 for one in found if one.may_change),
        problem=problem,
        size=in_megabytes(file.size),
        about=_about(file) if file.is_picture else None,
        successor=successor,
    )
