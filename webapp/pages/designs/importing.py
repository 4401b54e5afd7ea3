"""A design from elsewhere: uploaded, read, and kept as a template, with a word on each thing that could not be kept."""

from pathlib import PurePath

from flask import current_app, render_template, request
from flask.typing import ResponseReturnValue
from flask_login import current_user

from webapp.adapters.clock import now
from webapp.core.branding import pictures
from webapp.core.designs import archives, importing, library
from webapp.core.designs.library import DesignText, Shelved
from webapp.core.errors import Invalid
from webapp.core.tables.branding import DesignKind
from webapp.extensions import db
from webapp.pages.designs.blueprint import bp


@bp.get("/templates/import")
def import_form() -> str:
    return render_template("designs/import.html", error=None, name="")


@bp.post("/templates/import")
def take_in() -> ResponseReturnValue:
    upload, name = request.files.get("file"), request.form.get("name", "").strip()
    try:
        if upload is None or not upload.filename:
            raise Invalid("Choose a file first.", "file")
        files = archives.read(upload.stream.read(archives.LARGEST_FILE + 1), upload.filename)
        taken = importing.take(files, _host)
        name = name or taken.title[: library.LONGEST_NAME] or PurePath(upload.filename).stem[: library.LONGEST_NAME]
        made: Shelved = library.make(
            db.session,
            name,
            DesignKind.MESSAGE,
            DesignText(html=taken.html),
            current_user.email,
            now(),
            about="Imported",
        )
    except Invalid as error:
        db.session.rollback()
        return render_template("designs/import.html", error=error, name=name), 422
    db.session.commit()
    return render_template("designs/imported.html", design=made.design, taken=taken)


def _host(data: bytes) -> str:
    """Take a picture in; its address."""
    row = pictures.add(db.session, pictures.read(data), now())
    return f"{current_app.config['PUBLIC_URL']}/{pictures.path_of(row)}"
