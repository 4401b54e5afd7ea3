"""A new mass mail to those who failed, were skipped, accepted or cancelled: the question, and the draft."""

from flask import Blueprint, flash, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from webapp.adapters.clock import now
from webapp.core import broadcasts
from webapp.core.broadcasts import follow_ups, progress
from webapp.core.broadcasts.progress import Counts
from webapp.core.errors import Invalid
from webapp.core.rules import reasons
from webapp.core.rules.earlier import Fate
from webapp.core.tables.broadcasts import Broadcast
from webapp.extensions import db
from webapp.pages.broadcasts import draft

bp = Blueprint("follow_ups", __name__, url_prefix="/mass-mail/<int:broadcast_id>/follow-up")

SAME_TEXT = frozenset({Fate.FAILED, Fate.SKIPPED, Fate.CANCELLED})
"""Who has not got the mail is most likely to get the same one."""


@bp.app_template_global()
def fates_of(broadcast: Broadcast, counts: Counts) -> dict[Fate, int]:
    """What became of its clients so far, with their numbers; nothing before it was sent."""
    if not follow_ups.offered(broadcast):
        return {}
    found = {fate: sum(counts.states.get(state, 0) for state in fate.states) for fate in Fate}
    return {fate: count for fate, count in found.items() if count}


@bp.get("/")
def ask(broadcast_id: int) -> str:
    """The question to whom, and with which text."""
    broadcast = broadcasts.named(db.session, broadcast_id)
    found = fates_of(broadcast, progress.counts_of(db.session, [broadcast_id])[broadcast_id])
    wanted = request.args.get("to", "")
    chosen = Fate(wanted) if wanted in found else next(iter(found), None)
    why = follow_ups.by_reason(db.session, broadcast_id, chosen) if chosen and chosen is not Fate.ACCEPTED else {}
    return render_template(
        "follow_ups/ask.html",
        broadcast=broadcast,
        title=draft.title(broadcast),
        fates=found,
        chosen=chosen,
        why=[(reasons.in_words(chosen.states[0], code or None), count) for code, count in why.items()]
        if chosen
        else [],
        same_text=chosen in SAME_TEXT,
    )


@bp.post("/")
def create(broadcast_id: int) -> ResponseReturnValue:
    """Make the draft, and go where it is told whom it is for."""
    wanted = request.form.get("to", "")
    if wanted not in set(Fate):
        raise Invalid("Choose whom the new mass mail is for.", "to")
    made = follow_ups.create(
        db.session,
        broadcast_id,
        Fate(wanted),
        current_user.id,
        now(),
        same_text="same_text" in request.form,
        press=draft.press_in(request.form, f"{broadcast_id}-{wanted}"),
    )
    db.session.commit()
    flash("This is a new draft. It starts when you say so.", "ok")
    return draft.redirect(url_for("audience.index", broadcast_id=made.id))
