"""Saving a step of a draft: the same guard and the same answer for audience, message and schedule.

A step's form carries `broadcasts/_step_base.html`. Its view calls `save`; on a Conflict it answers with `conflict`, which tells what is in
force beside what was typed, as a page or for htmx as `broadcasts/_conflict.html`. The htmx answer to what is saved includes
`broadcasts/_step_saved.html`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from flask import request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from werkzeug.datastructures import MultiDict

from webapp.adapters.clock import now
from webapp.core import broadcasts
from webapp.core.broadcasts import steps
from webapp.core.broadcasts.steps import Changes, Step
from webapp.core.errors import Conflict
from webapp.core.rules.lifecycle import CHANGEABLE, BroadcastState
from webapp.core.tables.broadcasts import Broadcast
from webapp.extensions import db
from webapp.pages.broadcasts import draft
from webapp.pages.fragments import fragment

FORMS = {Step.AUDIENCE: "audience-form", Step.CONTENT: "compose", Step.SCHEDULE: "schedule-form"}
STEP_NAMES = {Step.AUDIENCE: "this audience", Step.CONTENT: "this message", Step.SCHEDULE: "this schedule"}

SHOWN = 160
"""Characters that are shown of a long text which differs, from a little before the first difference."""

BEFORE = 40


@dataclass(frozen=True, slots=True)
class Saved:
    """A step as it was stored at the end of its transaction; `base` is its digest. The page goes on from that, and not from what somebody
    may have saved since."""

    broadcast: Broadcast
    base: str


@dataclass(frozen=True, slots=True)
class Difference:
    """One field of which another value is in force than the one that was typed."""

    label: str
    theirs: str
    mine: str


@dataclass(frozen=True, slots=True)
class Clash:
    """What `broadcasts/_conflict.html` shows. `words` name the step; `base` is the digest of what is in force, with which whoever keeps
    theirs goes over it; `form` is the id of the step's form, `url` its page. `saved_by` is who made the step what it is (None: not known),
    at `saved_at`; `is_own`: it was whoever asks, in another tab."""

    broadcast: Broadcast
    words: str
    differences: Sequence[Difference]
    base: str
    form: str
    url: str
    saved_by: str | None = None
    saved_at: datetime | None = None
    is_own: bool = False

    @property
    def is_changeable(self) -> bool:
        return self.broadcast.state in CHANGEABLE

    @property
    def is_scheduled(self) -> bool:
        return self.broadcast.state is BroadcastState.SCHEDULED


def save(
    broadcast_id: int,
    step: Step,
    changes: Changes,
    read_lost: Callable[[MultiDict[str, str], Broadcast], Changes | None],
    *,
    language: str = "",
) -> Saved:
    """Save what differs, and end the transaction, so that what is read next keeps nobody from writing. `read_lost` reads the fields of a
    request that got no answer; `language` is that of the text which is written. Raises what `steps.save` raises."""
    known = {one for one in (request.form.get("base"), request.form.get("keep_mine")) if one}
    fields = draft.lost()
    lost = read_lost(fields, broadcasts.get(db.session, broadcast_id)) if fields else None
    by = steps.Editor(current_user.id, current_user.email, current_user.name)
    broadcast = steps.save(
        db.session, broadcast_id, step, changes, now(), known=known, lost=lost, by=by, language=language
    )
    base = steps.digest(broadcast, step, language)
    db.session.commit()
    return Saved(broadcast, base)


def conflict(
    broadcast_id: int,
    step: Step,
    differences: Callable[[Broadcast], Sequence[Difference]],
    page: Callable[[Clash], str],
    beside: Callable[[Broadcast], str] = lambda _: "",
    *,
    language: str = "",
) -> ResponseReturnValue:
    """The answer when somebody was faster: what was typed stays on the page, and what is in force is told beside it. `beside` are further
    fragments for htmx. Raises Conflict where the broadcast cannot be changed any more and a whole page is to answer."""
    db.session.rollback()
    broadcast = broadcasts.get(db.session, broadcast_id)
    url = url_for(f"{step.value}.index", broadcast_id=broadcast_id)
    base = steps.digest(broadcast, step, language)
    clash = Clash(broadcast, STEP_NAMES[step], differences(broadcast), base, FORMS[step], url)
    if last := steps.last_save(db.session, broadcast, step, language):
        is_own = last.user_email == current_user.email
        clash = replace(clash, saved_by=last.user_name or last.user_email, saved_at=last.saved_at, is_own=is_own)
    if request.headers.get("HX-Request"):
        told = fragment("broadcasts/_conflict.html", conflict=clash)
        more = beside(broadcast) if clash.is_changeable else ""
        return told + more, 409, {"HX-Retarget": "#conflict", "HX-Reswap": "innerHTML"}
    if not clash.is_changeable:
        why = "it is scheduled" if clash.is_scheduled else "sending has begun"
        raise Conflict(f"This mass mail cannot be changed any more: {why}. What you typed is not saved.")
    return page(clash), 409


def base_in_form(broadcast: Broadcast, step: Step) -> str:
    """The digest that a page carries which shows again what it was sent: what that one had started from; else what is stored."""
    return request.form.get("base") or steps.digest(broadcast, step)


def different(label: str, theirs: str, mine: str) -> list[Difference]:
    """A field that differs, with the part of long texts in which it does; nothing for one that does not."""
    if theirs == mine:
        return []
    unlike = (number for number, (one, other) in enumerate(zip(theirs, mine, strict=False)) if one != other)
    first = next(unlike, min(len(theirs), len(mine)))
    begins = 0 if max(len(theirs), len(mine)) <= SHOWN else max(0, first - BEFORE)
    return [Difference(label, _part(theirs, begins), _part(mine, begins))]


def _part(text: str, begins: int) -> str:
    part = text[begins : begins + SHOWN]
    return f"{'…' if begins else ''}{part}{'…' if begins + SHOWN < len(text) else ''}"
