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
from flask.typing import ResponseReturnValue
from flask_login import current_user

from webapp.adapters import import_jobs, uploads
from webapp.adapters.clock import now
from webapp.adapters.database import will_write, writes_from_here
from webapp.core.errors import Invalid
from webapp.core.imports import asking, changes, issues, mapping, memory, reading, runs
from webapp.core.imports.answers import KIND, REFUSE, Answers
from webapp.core.tables.imports import ImportKind, ImportRun, ImportState
from webapp.extensions import db
from webapp.pages.fragments import fragment
from webapp.pages.imports.forms import CONSTANT, UNSAID, Columns, RequestedLayout, UploadForm, answered, choices
from webapp.pages.imports.readings import both_days, both_prices

bp = Blueprint("imports", __name__, url_prefix="/clients/import")

NOBODY_ASKED = "The queue does not answer. The import is noted and begins as soon as a worker looks."


@bp.get("/")
def index() -> ResponseReturnValue:
    return _index(UploadForm(formdata=None))


@bp.post("/")
def upload() -> ResponseReturnValue:
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
    proposed = mapping.propose(layout.header, samples)
    will_write(db.session)
    known = memory.recall(db.session, layout.header)
    run = runs.create(
        db.session,
        file_name=Path(form.file.data.filename or "").name or "upload.csv",
        stored_as=stored_as,
        size=form.file.data.stream.tell(),
        layout=layout,
        kind=known.kind if known else proposed.kind,
        mapping=known.mapping if known else proposed.assignment.mapping,
        answers=known.answers if known else Answers(open=proposed.open),
        user_id=user_id,
        now=now(),
    )
    db.session.commit()
    return redirect(url_for("imports.show", import_id=run.id), 303)


@bp.get("/<int:import_id>")
def show(import_id: int) -> ResponseReturnValue:
    """The import in its present state; for htmx only the part that moves."""
    run = runs.get(db.session, import_id)
    return _show(run)


@bp.post("/<int:import_id>/check")
def check(import_id: int) -> ResponseReturnValue:
    """Read the file with the mapping chosen, and count what an import would do."""
    run = runs.get(db.session, import_id)
    before = runs.layout_of(run)
    answers = Answers.of_json(run.answers)
    asked = RequestedLayout.of(request.form, _kind(run), before)
    if asked.kind is None:
        problem = Invalid("Say first what the rows of this file are.", KIND)
        return _show(run, asked=asked, problem=problem), 422
    columns = Columns.of(request.form, asked.kind)
    same_kind = asked.kind is run.kind
    stored_as = _for_every_worker(run)
    try:
        columns.demand_said(asked.kind)
        source = uploads.get(db.engine, stored_as, _instance())
        layout = reading.look(source, asked.encoding, asked.delimiter, before)
        writes_from_here(db.session)  # `remap` refuses what is worked on by now
        said = Answers(columns.constants, answers.statuses if same_kind else {}, answers.order, answers.mark)
        runs.remap(db.session, import_id, asked.kind, columns.mapping, layout, said)
        runs.begin(db.session, import_id, "check", now())
    except Invalid as error:
        db.session.rollback()
        return _show(runs.get(db.session, import_id), asked=asked, columns=columns, problem=error), 422
    return _asked(import_id, "check")


@bp.post("/<int:import_id>/answers")
def answers(import_id: int) -> ResponseReturnValue:
    """Check the file again with what was said about its status words, dates and prices."""
    run = runs.get(db.session, import_id)
    asking.demand_answers(run, "check")
    layout = runs.layout_of(run)
    said = answered(request.form, run.kind, Answers.of_json(run.answers))
    _for_every_worker(run)
    writes_from_here(db.session)
    run = runs.get(db.session, import_id)
    runs.remap(db.session, import_id, run.kind, run.mapping, layout, said)
    runs.begin(db.session, import_id, "check", now())
    return _asked(import_id, "check")


@bp.post("/<int:import_id>/forget")
def forget(import_id: int) -> ResponseReturnValue:
    """Guess and ask anew what was remembered of a file with this header."""
    run = runs.get(db.session, import_id)
    layout = runs.layout_of(run)
    source = uploads.find(db.engine, run.stored_as, _instance())
    proposed = mapping.propose(layout.header, reading.samples(source, layout) if source else ())
    writes_from_here(db.session)
    memory.forget(db.session, layout.header)
    runs.reopen(db.session, import_id, proposed.kind, proposed.assignment.mapping, Answers(open=proposed.open))
    db.session.commit()
    flash("What was said about the earlier file is forgotten.", "ok")
    return redirect(url_for("imports.show", import_id=import_id), 303)


@bp.post("/<int:import_id>/run")
def run(import_id: int) -> ResponseReturnValue:
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
def stop(import_id: int) -> ResponseReturnValue:
    runs.stop(db.session, import_id)
    db.session.commit()
    flash("Stopped. Nothing was imported.", "ok")
    return redirect(url_for("imports.show", import_id=import_id), 303)


@bp.post("/<int:import_id>/discard")
def discard(import_id: int) -> ResponseReturnValue:
    if runs.get(db.session, import_id).state not in runs.WORKING.values():
        db.session.rollback()
        writes_from_here(db.session)
        while changes.clear(db.session, import_id):  # in short transactions, so that others can write
            db.session.commit()
            writes_from_here(db.session)
    stored_as = runs.discard(db.session, import_id)
    db.session.commit()
    uploads.remove(db.engine, stored_as, _instance())
    flash("The import is off the list. Clients stay as they are.", "ok")
    return redirect(url_for("imports.index"), 303)


@bp.get("/<int:import_id>/changes.csv")
def changed(import_id: int) -> ResponseReturnValue:
    """All that an import would change, or has changed, field by field."""
    run = runs.get(db.session, import_id)
    response = Response(stream_with_context(changes.as_csv(db.session, run)), mimetype="text/csv")
    response.headers.set("Content-Disposition", "attachment", filename=f"{Path(run.file_name).stem}-changes.csv")
    response.headers["Cache-Control"] = "no-store"
    return response


@bp.get("/<int:import_id>/<any(refused, repaired):which>.csv")
def rows(import_id: int, which: str) -> ResponseReturnValue:
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


def _asked(import_id: int, step: str) -> ResponseReturnValue:
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
    asked: RequestedLayout | None = None,
    columns: Columns | None = None,
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
        "asked": asking.questions(run),
        "options": _options(run),
        "mapping": None,
        "issues": None,
        "changes": None,
        "stored": runs.layout_of(run),
    }
    if run.state in (ImportState.UPLOADED, ImportState.CHECKED, ImportState.FAILED):
        source = uploads.find(db.engine, run.stored_as, _instance())
        if source is not None:
            context["mapping"] = _mapping(run, source, asked, columns)
    if run.state in (ImportState.CHECKED, ImportState.DONE):
        context |= {"issues": _issues(run), "changes": _changes(run)}
    is_fragment = request.headers.get("HX-Request") and not request.headers.get("HX-History-Restore-Request")
    return (
        fragment("imports/_import.html", **context) if is_fragment else render_template("imports/show.html", **context)
    )


def _options(run: ImportRun) -> dict[str, Any]:
    """What can be answered to the questions about a file, and chosen for its columns."""
    return {
        "statuses": asking.STATUSES[run.kind],
        "REFUSE": REFUSE,
        "CONSTANT": CONSTANT,
        "UNSAID": UNSAID,
        "both_days": both_days,
        "both_prices": both_prices,
        "kinds": ImportKind,
        "encodings": reading.ENCODINGS,
        "delimiters": reading.DELIMITERS,
    }


def _mapping(
    run: ImportRun, source: reading.Source, asked: RequestedLayout | None, columns: Columns | None
) -> dict[str, Any]:
    stored, said = runs.layout_of(run), Answers.of_json(run.answers)
    asked = asked or RequestedLayout.of(request.args, _kind(run), stored)
    fits = KIND not in said.open and asked.fits(run.kind, stored)
    layout = stored if fits else reading.look(source, asked.encoding, asked.delimiter, stored)
    samples = reading.samples(source, layout)
    kept = Columns(dict(run.mapping), dict(said.constants))
    if columns is None and fits:
        columns = kept
    known = memory.recall(db.session, layout.header)
    return {
        "reading": asked,
        "layout": layout,
        "samples": samples,
        "unchecked": columns != kept or not fits,
        "why_kind": mapping.propose(layout.header, samples).why_kind if asked.kind is None else None,
        "proposed_kind": run.kind,
        "choices": choices(asked.kind, layout, samples, columns, said.open if fits else ()) if asked.kind else [],
        "known": known if known and fits and (known.kind, known.mapping) == (run.kind, run.mapping) else None,
    }


def _kind(run: ImportRun) -> ImportKind | None:
    """What the rows of a file are, if that is not in doubt."""
    return None if KIND in Answers.of_json(run.answers).open else run.kind


def _changes(run: ImportRun) -> dict[str, Any]:
    number = max(1, min(request.args.get("changes", 1, type=int), 1_000_000))
    page = changes.listing(
        db.session, run.id, field=request.args.get("changed") or None, offset=(number - 1) * changes.CHANGES_A_PAGE
    )
    return {"page": page, "number": number, "name_of": changes.name}


def _issues(run: ImportRun) -> dict[str, Any]:
    which = request.args.get("rows")
    refused = which == "refused" or (which != "repaired" and run.refused > 0)
    number = request.args.get("page", 1, type=int)
    page = issues.listing(
        db.session,
        run.id,
        refused=refused,
        field=request.args.get("field") or None,
        offset=(max(1, min(number, 1_000_000)) - 1) * issues.ISSUES_A_PAGE,
    )
    return {"page": page, "refused_shown": refused, "number": max(1, number), "label": issues.label}


def _instance() -> Path:
    return Path(current_app.config["INSTANCE"])
