"""Import of lists of other systems: upload, see what it would do, have it taken over, read what became of each row. A worker does the work,
so that a page can be left and come back to."""

from pathlib import Path
from typing import Any

from flask import Response, current_app, flash, redirect, render_template, request, stream_with_context, url_for
from flask.typing import ResponseReturnValue

from webapp.adapters import list_round, uploads
from webapp.adapters.clock import now
from webapp.adapters.database import will_write, writes_from_here
from webapp.core.consent import list_reports, list_runs, lists
from webapp.core.consent.suppressions import Added
from webapp.core.errors import Invalid
from webapp.core.imports import attempts
from webapp.core.rules.consent import EntryFate, SuppressionKind
from webapp.core.tables.imports import ImportState
from webapp.core.tables.list_imports import ListImport
from webapp.extensions import db
from webapp.pages.fragments import fragment
from webapp.pages.suppressions.blueprint import bp, who
from webapp.pages.suppressions.forms import ListUploadForm
from webapp.pages.wording import plural

KINDS = {
    SuppressionKind.IMPORTED: "Imported: nothing is mailed to them",
    SuppressionKind.UNSUBSCRIBED: "Unsubscribed: no marketing",
    SuppressionKind.BOUNCED: "Bounced: nothing is mailed to them",
    SuppressionKind.COMPLAINED: "Complained: nothing is mailed to them",
}
"""What the rows of a list can be where it does not say."""

FIRST_SHOWN = (EntryFate.REFUSED, EntryFate.NEW, EntryFate.WIDER, EntryFate.KNOWN, EntryFate.FREE)
"""Whose rows are shown first: of what there is the first of these."""

NOBODY_ASKED = "The queue does not answer. It is noted, and begins as soon as a worker looks."


@bp.get("/import")
def choose() -> ResponseReturnValue:
    return _choose(ListUploadForm(formdata=None))


@bp.post("/import")
def upload() -> ResponseReturnValue:
    """Keep a list, and have a worker look through it."""
    form = ListUploadForm()
    if not form.validate_on_submit():
        return _choose(form), 422
    by = who()
    db.session.rollback()  # a large file takes its time, in which others want to write
    name = Path(form.file.data.filename or "").name[-100:] or "list.csv"
    stored_as = uploads.save(db.engine, form.file.data.stream, now())
    try:
        given = lists.look(uploads.get(db.engine, stored_as, _instance()), name)
    except Invalid as error:
        uploads.remove(db.engine, stored_as, _instance())
        form.file.errors = [str(error)]
        return _choose(form), 422
    will_write(db.session)
    size = form.file.data.stream.tell()
    run = list_runs.create(db.session, given, stored_as=stored_as, size=size, by=by, now=now())
    list_runs.begin(db.session, run.id, "check", now())
    return _asked(run.id, "check")


@bp.get("/import/<int:import_id>")
def preview(import_id: int) -> ResponseReturnValue:
    """A list in its present state; for htmx only the part that moves."""
    run = list_runs.get(db.session, import_id)
    known = {
        "run": run,
        "columns": {part: run.header[at] for part, at in run.reading["columns"].items() if at < len(run.header)},
        "remarks": list_runs.layout_of(run).remarks(),
        "working": run.state in attempts.WORKING.values(),
        "stale": attempts.is_stale(run, now()),
        "kinds": KINDS,
        "report": _report(run) if run.state in (ImportState.CHECKED, ImportState.DONE) else None,
    }
    if request.headers.get("HX-Request") and not request.headers.get("HX-History-Restore-Request"):
        return fragment("suppressions/_list.html", **known)
    return render_template("suppressions/preview.html", **known)


@bp.post("/import/<int:import_id>/check")
def check(import_id: int) -> ResponseReturnValue:
    """Look through the list, also with another answer to what its rows are."""
    writes_from_here(db.session)
    list_runs.begin(db.session, import_id, "check", now(), _otherwise())
    return _asked(import_id, "check")


@bp.post("/import/<int:import_id>/run")
def take_over(import_id: int) -> ResponseReturnValue:
    """Have the list taken over. Pressing twice does it once."""
    writes_from_here(db.session)
    list_runs.begin(db.session, import_id, "run", now(), _otherwise())
    return _asked(import_id, "run")


@bp.post("/import/<int:import_id>/stop")
def stop(import_id: int) -> ResponseReturnValue:
    writes_from_here(db.session)
    taken = list_runs.stop(db.session, import_id)
    db.session.commit()
    stay = f"{plural(taken, 'address', 'addresses')} were taken over before that, and stay." if taken else ""
    flash(f"Stopped. {stay or 'Nothing was changed.'}", "ok")
    return redirect(url_for("suppressions.preview", import_id=import_id), 303)


@bp.post("/import/<int:import_id>/discard")
def discard(import_id: int) -> ResponseReturnValue:
    list_runs.demand_idle(db.session, import_id)
    writes_from_here(db.session)
    while list_reports.clear(db.session, import_id):  # in short transactions, so that others can write
        db.session.commit()
        writes_from_here(db.session)
    stored_as = list_runs.discard(db.session, import_id)
    db.session.commit()
    uploads.remove(db.engine, stored_as, _instance())
    flash("The list is removed. Suppressions stay as they are.", "ok")
    return redirect(url_for("suppressions.choose"), 303)


@bp.get("/import/<int:import_id>/report.csv")
def report(import_id: int) -> ResponseReturnValue:
    """What became of each row, or with `rows` of those of one fate."""
    run = list_runs.get(db.session, import_id)
    fate = _fate()
    name = f"{Path(run.file_name).stem}-{fate.value if fate else 'report'}.csv"
    lines = stream_with_context(list_reports.as_csv(db.session, import_id, fate))
    response = Response(lines, mimetype="text/csv")
    response.headers.set("Content-Disposition", "attachment", filename=name)
    response.headers["Cache-Control"] = "no-store"
    return response


def in_words(done: Added) -> str:
    """What became of addresses, as a sentence."""
    said = [f"{plural(done.added, 'address', 'addresses')} added"]
    if done.widened:
        said.append(f"{plural(done.widened, 'one', 'ones')} now for everything".replace("1 one", "1"))
    if done.known:
        said.append(f"{done.known:,} known already")
    return f"{', '.join(said)}."


def _report(run: ListImport) -> dict[str, Any]:
    """The rows of one fate, a page of them: those that are asked for, or the first that there are."""
    there = [fate for fate in EntryFate if getattr(run, fate.value)]
    fate = _fate() or next((one for one in FIRST_SHOWN if one in there), EntryFate.NEW)
    number = max(1, min(request.args.get("page", 1, type=int), 1_000_000))
    page = list_reports.page(db.session, run.id, fate, (number - 1) * list_reports.ROWS_A_PAGE)
    return {"fate": fate, "fates": there, "page": page, "number": number}


def _fate() -> EntryFate | None:
    rows = request.args.get("rows", "")
    return EntryFate(rows) if rows in set(EntryFate) else None


def _otherwise() -> SuppressionKind | None:
    return {one.value: one for one in KINDS}.get(request.form.get("kind", ""))


def _asked(import_id: int, step: str) -> ResponseReturnValue:
    db.session.commit()
    if not list_round.ask(import_id, step):
        flash(NOBODY_ASKED, "warn")
    return redirect(url_for("suppressions.preview", import_id=import_id), 303)


def _choose(form: ListUploadForm) -> str:
    limit, runs = current_app.config["MAX_UPLOAD"], list_runs.listing(db.session)
    return render_template("suppressions/import.html", form=form, limit=limit, runs=runs)


def _instance() -> Path:
    return Path(current_app.config["INSTANCE"])
