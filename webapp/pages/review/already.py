"""Who has got the text of a draft already, in words, and leaving them out."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from flask import flash, request, url_for
from flask.typing import ResponseReturnValue

from webapp.adapters.clock import now
from webapp.core import broadcasts
from webapp.core.broadcasts import already_sent
from webapp.core.broadcasts.already_sent import Overlap
from webapp.core.errors import Invalid
from webapp.extensions import db
from webapp.pages import shell, wording
from webapp.pages.broadcasts import draft
from webapp.pages.review.blueprint import bp


@dataclass(frozen=True, slots=True)
class Already:
    """One earlier mass mail with what is said of it. Nobody can be left out for one that has not begun."""

    earlier: Overlap
    words: str


@bp.post("/leave-out")
def leave_out(broadcast_id: int) -> ResponseReturnValue:
    """Leave out whom the mass mail `source` has reached."""
    source = request.form.get("source", type=int)
    if source is None or not 0 < source < 10**9:
        raise Invalid("This does not say whom to leave out. Open the review anew.", "source")
    before = broadcasts.get(db.session, broadcast_id).version
    left = already_sent.leave_out(db.session, broadcast_id, request.form.get("version", type=int), source, now())
    changed = left.version != before
    db.session.commit()
    if changed:
        flash("They are left out. The filter says so, and there it can be taken back.", "ok")
    return draft.redirect(url_for("review.index", broadcast_id=broadcast_id))


def shown(found: Mapping[str, Overlap], count: int) -> dict[str, Already]:
    """For the review of a draft that `count` recipients would get, by the fingerprint of the finding."""
    return {fingerprint: Already(one, _words(one, count)) for fingerprint, one in found.items()}


def _words(one: Overlap, count: int) -> str:
    """ "96 of these 105 got this text 12 minutes ago, and 4 more are about to get it." """
    what = "this text" if one.same_text else "the mail that this is a copy of"
    of_these = f"of these {count:,}"
    at = shell.local(one.at)
    if one.is_scheduled:
        return (
            f"{one.to_come:,} {of_these} {_are(one.to_come)} to get {what} {when(at) if at else 'in a moment'} already."
        )
    if not one.got:
        return f"{one.to_come:,} {of_these} {_are(one.to_come)} about to get {what}."
    more = f", and {one.to_come:,} more {_are(one.to_come)} about to get it" if one.to_come else ""
    return f"{one.got:,} {of_these} got {what} {when(at)}{more}."


def _are(number: int) -> str:
    return "is" if number == 1 else "are"


def when(at: datetime | None) -> str:
    """How long ago, in whole words: "12 minutes ago", "on 14 November 2026", and for what is to come "on Fri 27 Nov, 09:00"."""
    if at is None:
        return "before"
    seconds = (now() - at).total_seconds()
    if seconds < -1:
        return f"on {at:%a %-d %b, %H:%M}"
    for size, name in ((86_400, "day"), (3600, "hour"), (60, "minute")):
        if seconds >= size:
            passed = int(seconds // size)
            return f"on {at:%-d %B %Y}" if size == 86_400 and passed > 7 else f"{wording.plural(passed, name)} ago"
    return "a moment ago"
