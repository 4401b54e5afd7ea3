"""What a person answers about how a file is written: its encoding, lines in another one, text that was encoded twice, column names."""

from pathlib import Path

from flask import Blueprint, current_app, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from webapp.adapters import uploads
from webapp.adapters.database import writes_from_here
from webapp.core.errors import Invalid
from webapp.core.imports import mapping, reading, runs
from webapp.core.imports.answers import Answers
from webapp.extensions import db

bp = Blueprint("import_reading", __name__, url_prefix="/clients/import")


@bp.post("/<int:import_id>/reading")
def answer(import_id: int) -> ResponseReturnValue:
    """Read the file as the answer says. Where that gives it other columns, they are assigned anew."""
    run = runs.get(db.session, import_id)
    before, kind, columns, said = runs.layout_of(run), run.kind, dict(run.mapping), Answers.of_json(run.answers)
    source = uploads.get(db.engine, run.stored_as, Path(current_app.config["INSTANCE"]))
    try:
        layout = reading.look(
            source,
            request.form.get("encoding") or None,
            like=before,
            headed=_said("headed"),
            strangers=request.form.get("strangers"),
            mends=_said("mends"),
        )
    except Invalid as error:
        flash(str(error), "bad")
        return redirect(url_for("imports.show", import_id=import_id), 303)
    if layout.header != before.header:
        proposed = mapping.propose(layout.header, reading.samples(source, layout))
        kind, columns, said = proposed.kind, proposed.assignment.mapping, Answers(open=proposed.open)
    writes_from_here(db.session)
    runs.reopen(db.session, import_id, kind, columns, said, layout)
    db.session.commit()
    return redirect(url_for("imports.show", import_id=import_id), 303)


def _said(name: str) -> bool | None:
    """Yes or no, as the button says; None where it is not asked."""
    return {"yes": True, "no": False}.get(request.form.get(name, ""))
