"""The question whether mails that failed should be sent again, all or those that failed for one reason."""

from dataclasses import dataclass

from flask import Blueprint, flash, render_template, request, url_for
from flask.typing import ResponseReturnValue

from webapp.adapters import wakeups
from webapp.adapters.clock import now
from webapp.adapters.database import will_write
from webapp.core import broadcasts
from webapp.core.broadcasts import resending
from webapp.core.errors import Invalid
from webapp.core.rules import reasons, schedule
from webapp.core.rules.lifecycle import BroadcastState, DeliveryState
from webapp.extensions import db
from webapp.pages import wording
from webapp.pages.broadcasts import draft

bp = Blueprint("resending", __name__, url_prefix="/mass-mail/<int:broadcast_id>/again")

HOPELESS = frozenset({"no_such_mailbox", "no_such_domain"})
"""Reasons that a second try seldom changes, and that cost the sender's name something."""


@dataclass(frozen=True, slots=True)
class FailureReason:
    """One reason (None: all) with how many failed for it."""

    reason: str | None
    words: str
    count: int
    url: str
    current: bool


@bp.get("/")
def ask(broadcast_id: int) -> str:
    """The question, with the number and the reasons."""
    broadcast = broadcasts.named(db.session, broadcast_id)
    found = resending.failures(db.session, broadcast_id)
    reason = request.args.get("reason")
    if reason not in found:
        reason = None
    choices = [_choice(broadcast_id, None, "All", sum(found.values()), reason)]
    for code, count in found.items():
        words = reasons.in_words(DeliveryState.FAILED, code or None)
        choices.append(_choice(broadcast_id, code, words[:1].upper() + words[1:], count, reason))
    return render_template(
        "resending/ask.html",
        broadcast=broadcast,
        title=draft.title(broadcast),
        choices=choices,
        chosen=next(choice for choice in choices if choice.current),
        hopeless=HOPELESS & (found.keys() if reason is None else {reason}),
        is_cancelled=broadcast.state is BroadcastState.CANCELLED,
        pace_words=schedule.pace_in_words(broadcast.batch_size, broadcast.interval_s),
    )


@bp.post("/")
def send(broadcast_id: int) -> ResponseReturnValue:
    """Send them again, chunk by chunk: others may write in between."""
    number, resends = (request.form.get(name, type=int) for name in ("number", "resends"))
    if number is None or resends is None:
        raise Invalid("This does not say how many mails are meant. Open the question anew.")
    reason = request.form.get("reason") if "reason" in request.form else None
    moved = 0
    for count in resending.send_again(db.session, broadcast_id, reason, now(), seen=number, resends=resends):
        db.session.commit()
        moved += count
        will_write(db.session)
    state = broadcasts.get(db.session, broadcast_id).state
    db.session.rollback()
    wakeups.wake(broadcast_id)
    are = f"{wording.plural(moved, 'mail')} that failed {'is' if moved == 1 else 'are'} sent again"
    flash(f"{are}{' when you resume' if state is BroadcastState.PAUSED else ''}.", "ok")
    return draft.redirect(url_for("broadcasts.show", broadcast_id=broadcast_id))


def _choice(broadcast_id: int, reason: str | None, words: str, count: int, chosen: str | None) -> FailureReason:
    url = url_for("resending.ask", broadcast_id=broadcast_id, reason=reason)
    return FailureReason(reason, words, count, url, reason == chosen)
