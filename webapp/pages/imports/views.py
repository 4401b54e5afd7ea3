"""Import of clients, services and addons: upload, mapping, dry run, and the import itself."""

from pathlib import Path
from typing import Any

from flask import (
    Blueprint,
    Response,
    current_app,
    flash,
    redirect,
    render_template,
    request,
    stream_with_context,
    url_for,
)
from flask_login import current_user

from webapp.adapters import import_jobs, uploads
from webapp.adapters.clock import now
from webapp.adapters.database import will_write, writes_from_here
from webapp.core.errors import Invalid
from webapp.core.imports import issues, mapping, reading, runs
from webapp.core.tables.imports import ImportKind, ImportRun, ImportState
from webapp.extensions import db
from webapp.pages.imports.forms import Reading, UploadForm, choices, columns_in

bp = Blueprint("imports", __name__, url_prefix="/clients/import")

NOBODY_ASKED = "The queue does not answer. The import is noted and begins as soon as a worker looks."


@bp.get("/")
def index():
    return _index(UploadForm(formdata=None))


@bp.post("/")
def upload():
    form = UploadForm()
    if not form.validate_on_submit():
        return _index(form), 422
    user_id = current_user.id
    db.session.rollback()  # a large file takes its time, in which others want to write
    stored_as = uploads.save(db.engine, form.file.data.stream, now())
    source = uploads.get(db.engine, stored_as, _instance())
    try:
        layout = reading.look(source)
        samples = reading.samples(source, layout)
    except Invalid as error:
        uploads.remove(db.engine, stored_as, _instance())
        form.file.errors = [str(error)]
        return _index(form), 422
    kind = mapping.guess_kind(layout.header)
    will_write(db.session)
    runs.forget_old(db.session, now())
    run = runs.create(
        db.session,
        file_name=Path(form.file.data.filename or "").name or "upload.csv",
        stored_as=stored_as,
        size=form.file.data.stream.tell(),
        layout=layout,
        kind=kind,
        mapping=mapping.guess(kind, layout.header, samples),
        user_id=user_id,
        now=now(),
    )
    db.session.commit()
    uploads.tidy(db.engine, runs.FILES_KEPT, _instance(), now())
    return redirect(url_for("imports.show", import_id=run.id), 303)


@bp.get("/<int:import_id>")
def show(import_id: int):
    """The import in its present state; for htmx only the part that moves."""
    run = runs.get(db.session, import_id)
    return _show(run)


@bp.post("/<int:import_id>/check")
def check(import_id: int):
    """Read the file with the mapping chosen, and count what an import would do."""
    run = runs.get(db.session, import_id)
    before = runs.layout_of(run)
    asked = Reading.of(request.form, run.kind, before)
    columns = columns_in(request.form, asked.kind)
    stored_as = _for_every_worker(run)
    try:
        source = uploads.get(db.engine, stored_as, _instance())
        layout = reading.look(source, asked.encoding, asked.delimiter, before)
        writes_from_here(db.session)  # `remap` refuses what is worked on by now
        runs.remap(db.session, import_id, asked.kind, columns, layout)
        runs.begin(db.session, import_id, "check", now())
    except Invalid as error:
        db.session.rollback()
        return _show(runs.get(db.session, import_id), asked=asked, columns=columns, problem=error), 422
    return _asked(import_id, "check")


@bp.post("/<int:import_id>/run")
def run(import_id: int):
    """Import what was checked, as the page showed it. Pressing twice runs it once."""
    db.session.rollback()
    _for_every_worker(runs.get(db.session, import_id))
    writes_from_here(db.session)
    try:
        runs.begin(db.session, import_id, "run", now(), seen=request.form.get("seen", ""))
    except runs.Reassigned as error:
        db.session.rollback()
        return _show(runs.get(db.session, import_id), changed=error), 409
    return _asked(import_id, "run")


@bp.post("/<int:import_id>/stop")
def stop(import_id: int):
    runs.stop(db.session, import_id)
    db.session.commit()
    flash("Stopped. Nothing was imported.", "ok")
    return redirect(url_for("imports.show", import_id=import_id), 303)


@bp.post("/<int:import_id>/discard")
def discard(import_id: int):
    stored_as = runs.discard(db.session, import_id)
    db.session.commit()
    uploads.remove(db.engine, stored_as, _instance())
    flash("The import is off the list. Clients stay as they are.", "ok")
    return redirect(url_for("imports.index"), 303)


@bp.get("/<int:import_id>/<any(refused, repaired):which>.csv")
def rows(import_id: int, which: str):
    """The refused or repaired rows as they stood in the file, to be mended and uploaded again."""
    run = runs.get(db.session, import_id)
    name = f"{Path(run.file_name).stem}-{which}.csv"
    response = Response(
        stream_with_context(issues.as_csv(db.session, run, refused=which == "refused")), mimetype="text/csv"
    )
    response.headers.set("Content-Disposition", "attachment", filename=name)
    response.headers["Cache-Control"] = "no-store"
    return response


def _for_every_worker(run: ImportRun) -> str:
    """The name of the import's file, in the database from now on: an earlier version laid it into the folder of this machine."""
    old = run.stored_as
    new = uploads.take_over(db.engine, old, _instance(), now())
    if new is None:
        return old
    import_id = run.id
    writes_from_here(db.session)
    runs.rename_file(db.session, import_id, old, new)
    db.session.commit()
    uploads.remove(db.engine, old, _instance())
    return new


def _asked(import_id: int, step: str):
    db.session.commit()
    if not import_jobs.run_import(import_id, step):
        flash(NOBODY_ASKED, "warn")
    return redirect(url_for("imports.show", import_id=import_id), 303)


def _index(form: UploadForm) -> str:
    return render_template(
        "imports/index.html",
        form=form,
        runs=runs.listing(db.session),
        limit=current_app.config["MAX_UPLOAD"],
    )


def _show(
    run: ImportRun,
    *,
    asked: Reading | None = None,
    columns: dict[str, int] | None = None,
    problem: Invalid | None = None,
    changed: runs.Reassigned | None = None,
) -> str:
    context: dict[str, Any] = {
        "run": run,
        "stale": runs.is_stale(run, now()),
        "working": run.state in runs.WORKING.values(),
        "problem": problem,
        "changed": changed,
        "seen": runs.digest(run),
        "label": issues.label,
        "kinds": ImportKind,
        "encodings": reading.ENCODINGS,
        "delimiters": reading.DELIMITERS,
        "stored": runs.layout_of(run),
    }
    if run.state in (ImportState.UPLOADED, ImportState.CHECKED, ImportState.FAILED):
        source = uploads.find(db.engine, run.stored_as, _instance())
        if source is not None:
            context |= _mapping(run, source, asked, columns)
    if run.state in (ImportState.CHECKED, ImportState.DONE):
        context |= _issues(run)
    fragment = request.headers.get("HX-Request") and not request.headers.get("HX-History-Restore-Request")
    return render_template("imports/_import.html" if fragment else "imports/show.html", **context)


def _mapping(
    run: ImportRun, source: reading.Source, asked: Reading | None, columns: dict[str, int] | None
) -> dict[str, Any]:
    stored = runs.layout_of(run)
    asked = asked or Reading.of(request.args, run.kind, stored)
    layout = stored
    if not asked.fits(run.kind, stored):
        layout = reading.look(source, asked.encoding, asked.delimiter, stored)
    if columns is None and asked.fits(run.kind, stored):
        columns = run.mapping
    return {
        "reading": asked,
        "layout": layout,
        "unchecked": columns != run.mapping or not asked.fits(run.kind, stored),
        "choices": choices(asked.kind, layout, reading.samples(source, layout), columns),
    }


def _issues(run: ImportRun) -> dict[str, Any]:
    which = request.args.get("rows")
    refused = which == "refused" or (which != "repaired" and run.refused > 0)
    number = request.args.get("page", 1, type=int)
    page = issues.listing(
        db.session,
        run.id,
        refused=refused,
        field=request.args.get("field") or None,
        offset=(max(1, min(number, 1_000_000)) - 1) * issues.PAGE,
    )
    return {"issues": page, "refused_shown": refused, "page_number": max(1, number), "page_size": issues.PAGE}


def _instance() -> Path:
    return Path(current_app.config["INSTANCE"])
