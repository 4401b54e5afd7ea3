"""Import of lists of other systems: upload, look at what it would do, take it over in slices."""

from pathlib import Path

from flask import current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from webapp.adapters import uploads
from webapp.adapters.clock import now
from webapp.adapters.database import will_write
from webapp.core.consent import lists
from webapp.core.consent.lists import ListSurvey
from webapp.core.consent.suppressions import Added
from webapp.core.errors import Invalid
from webapp.core.rules.consent import SuppressionKind
from webapp.extensions import db
from webapp.pages.suppressions.blueprint import bp, who
from webapp.pages.suppressions.forms import ListUploadForm
from webapp.pages.wording import plural

MOST_ROWS = 100_000
"""Rows of a file that are taken over in one request; the command line takes any number."""

KINDS = {
    SuppressionKind.IMPORTED: "Imported: nothing is mailed to them",
    SuppressionKind.UNSUBSCRIBED: "Unsubscribed: no marketing",
    SuppressionKind.BOUNCED: "Bounced: nothing is mailed to them",
    SuppressionKind.COMPLAINED: "Complained: nothing is mailed to them",
}
"""What the rows of a list can be where it does not say."""


@bp.get("/import")
def choose() -> ResponseReturnValue:
    return _choose(ListUploadForm(formdata=None))


@bp.post("/import")
def upload() -> ResponseReturnValue:
    form = ListUploadForm()
    if not form.validate_on_submit():
        return _choose(form), 422
    db.session.rollback()  # a large file takes its time, in which others want to write
    name = Path(form.file.data.filename or "").name[:100] or "list.csv"
    stored_as = uploads.save(db.engine, form.file.data.stream, now())
    try:
        lists.look(uploads.get(db.engine, stored_as, _instance()), name)
    except Invalid as error:
        uploads.remove(db.engine, stored_as, _instance())
        form.file.errors = [str(error)]
        return _choose(form), 422
    return redirect(url_for("suppressions.preview", stored_as=stored_as, name=name), 303)


@bp.get("/import/<stored_as>")
def preview(stored_as: str) -> ResponseReturnValue:
    """What taking the list over would do; nothing has changed yet."""
    name, otherwise = request.args.get("name", "list.csv")[:100], _otherwise(request.args.get("kind", ""))
    given = lists.look(uploads.get(db.engine, stored_as, _instance()), name)
    try:
        survey, problem = lists.preview(db.session, given, otherwise, now(), MOST_ROWS), None
    except Invalid as error:
        survey, problem = ListSurvey(), str(error)
    columns = {part.value: given.layout.header[at] for part, at in given.reading.columns.items()}
    return render_template(
        "suppressions/preview.html",
        given=given,
        columns=columns,
        survey=survey,
        problem=problem,
        otherwise=otherwise,
        kinds=KINDS,
        stored_as=stored_as,
    )


@bp.post("/import/<stored_as>")
def take_over(stored_as: str) -> ResponseReturnValue:
    """Take the list over. What was taken stays when the rest cannot be; then it can be done again."""
    name, otherwise = request.form.get("name", "list.csv")[:100], _otherwise(request.form.get("kind", ""))
    by, at, done, survey = who(), now(), Added(), ListSurvey()
    given = lists.look(uploads.get(db.engine, stored_as, _instance()), name)
    for entries in lists.slices(given, otherwise, at, survey, MOST_ROWS):
        will_write(db.session)
        done += lists.take_over(db.session, entries, at, by=by)
        db.session.commit()
    uploads.remove(db.engine, stored_as, _instance())
    unread = f" {plural(survey.unread, 'row')} could not be read." if survey.unread else ""
    flash(in_words(done) + unread, "warn" if survey.unread else "ok")
    return redirect(url_for("suppressions.index"), 303)


@bp.post("/import/<stored_as>/discard")
def discard(stored_as: str) -> ResponseReturnValue:
    db.session.rollback()  # the file is removed in transactions of its own
    uploads.remove(db.engine, stored_as, _instance())
    flash("The list is removed. Nothing was changed.", "ok")
    return redirect(url_for("suppressions.choose"), 303)


def in_words(done: Added) -> str:
    """What became of addresses, as a sentence."""
    said = [f"{plural(done.added, 'address', 'addresses')} added"]
    if done.widened:
        said.append(f"{plural(done.widened, 'one', 'ones')} now for everything".replace("1 one", "1"))
    if done.known:
        said.append(f"{done.known:,} known already")
    return f"{', '.join(said)}."


def _otherwise(kind: str) -> SuppressionKind:
    known = {one.value: one for one in KINDS}
    return known.get(kind, SuppressionKind.IMPORTED)


def _choose(form: ListUploadForm) -> str:
    return render_template("suppressions/import.html", form=form, limit=current_app.config["MAX_UPLOAD"])


def _instance() -> Path:
    return Path(current_app.config["INSTANCE"])
