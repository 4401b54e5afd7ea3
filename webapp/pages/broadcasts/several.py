"""What is done with several rows of the list at once: drafts deleted, sending paused. And the samples of an empty list."""

from collections.abc import Sequence

from flask import flash, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from webapp.adapters.clock import now
from webapp.core import broadcasts
from webapp.core.designs import samples
from webapp.core.rules.lifecycle import BroadcastState
from webapp.core.tables.broadcasts import Broadcast
from webapp.extensions import db
from webapp.pages.broadcasts import draft
from webapp.pages.broadcasts.blueprint import bp

MOST_AT_ONCE = 100


@bp.post("/chosen/ask-delete")
def choose_for_deletion() -> ResponseReturnValue:
    """Lead to the question. The list's one form is posted, so that its token stands in no address; the question has an address, so that
    Back and reload work."""
    return draft.redirect(
        url_for("broadcasts.ask_delete_chosen", id=request.form.getlist("id", type=int)[:MOST_AT_ONCE])
    )


@bp.get("/chosen/delete")
def ask_delete_chosen() -> ResponseReturnValue:
    """The question before drafts are deleted, with the name of each; and of what is none and stays."""
    drafts, others = _chosen()
    if not drafts:
        flash("Choose drafts to delete: what is scheduled, sent or being sent stays, with its ledger.", "warn")
        return draft.redirect(url_for("broadcasts.index"))
    return render_template("broadcasts/delete_chosen.html", drafts=drafts, others=others, title_of=draft.title)


@bp.post("/chosen/delete")
def delete_chosen() -> ResponseReturnValue:
    drafts, others = _chosen()
    for one in drafts:
        broadcasts.delete_draft(db.session, one.id)
    db.session.commit()
    said = (
        f"{_some(len(drafts), 'draft')} deleted." if drafts else "Nothing was deleted: these drafts are gone already."
    )
    flash(f"{said} Whatever is no draft stays." if others else said, "ok")
    return draft.redirect(url_for("broadcasts.index"))


@bp.post("/chosen/pause")
def pause_chosen() -> ResponseReturnValue:
    """Pause those of the chosen that are being sent."""
    drafts, others = _chosen()
    reason = f"by {current_user.name or current_user.email}"
    paused = [one for one in others if broadcasts.stop(db.session, one.id, reason, now())]
    db.session.commit()
    left = len(drafts) + len(others) - len(paused)
    said = (
        f"{_some(len(paused), 'mass mail')} paused." if paused else "Nothing was paused: none of these is being sent."
    )
    flash(f"{said} {_some(left, 'other')} not being sent." if paused and left else said, "ok" if paused else "warn")
    return draft.redirect(url_for("broadcasts.index"))


@bp.post("/samples")
def make_samples() -> ResponseReturnValue:
    """Three drafts to look at, in an empty house."""
    made = samples.make(db.session, current_user.id, now(), {"time_zone": current_user.time_zone})
    db.session.commit()
    if made:
        flash(f"{_some(len(made), 'sample')} made, as drafts. Nobody gets them unless you say so.", "ok")
    return draft.redirect(url_for("broadcasts.index"))


def _chosen() -> tuple[Sequence[Broadcast], Sequence[Broadcast]]:
    """The drafts and the others among what was ticked; what is gone is in neither."""
    ids = request.values.getlist("id", type=int)[:MOST_AT_ONCE]
    found = broadcasts.some(db.session, ids)
    drafts = [one for one in found if one.state is BroadcastState.DRAFT]
    return drafts, [one for one in found if one.state is not BroadcastState.DRAFT]


def _some(number: int, noun: str) -> str:
    """ "1 draft is", "3 drafts are"."""
    return f"{number} {noun} is" if number == 1 else f"{number} {noun}s are"
