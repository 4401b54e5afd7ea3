"""Marketing or important: asked when a mass mail is made, and to be changed while it is a draft."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from flask import flash, render_template, request, url_for
from flask.typing import ResponseReturnValue

from webapp.adapters.clock import now
from webapp.core import broadcasts
from webapp.core.broadcasts import purposes
from webapp.core.consent import settings
from webapp.core.consent.topics import topics
from webapp.core.errors import Invalid
from webapp.core.rules import mail_uses
from webapp.core.rules.consent import Purpose
from webapp.core.rules.lifecycle import BroadcastState
from webapp.core.tables.broadcasts import Broadcast
from webapp.core.tables.consent import Topic
from webapp.extensions import db
from webapp.pages.broadcasts import draft
from webapp.pages.broadcasts.blueprint import bp


@dataclass(frozen=True, slots=True)
class PurposeChoice:
    """The question with what was answered, and what is to be counted. `problem` says what is wrong with the field named `field`."""

    topics: tuple[Topic, ...]
    purpose: str = ""
    topic_id: int | None = None
    reason: str = ""
    counts_clicks: bool = False
    counts_opens: bool = False
    field: str = ""
    problem: str = ""


def asked(form: Mapping[str, str] | None = None) -> PurposeChoice:
    """The question anew, or with what a form answered."""
    found = tuple(topics(db.session))
    if form is None:
        return PurposeChoice(found)
    ticks = ("counts_clicks" in form, "counts_opens" in form)
    return PurposeChoice(found, form.get("purpose", ""), _number(form), form.get("important_reason", ""), *ticks)


def checked(choice: PurposeChoice, kept: int | None = None) -> dict[str, Any]:
    """What `purposes.choose` takes. Raises Invalid."""
    return purposes.checked(db.session, choice.purpose, choice.topic_id, choice.reason, kept=kept)


def refused(choice: PurposeChoice, error: Invalid) -> PurposeChoice:
    """The choice with what is wrong about it."""
    return replace(choice, field=error.field or "purpose", problem=str(error))


@bp.get("/<int:broadcast_id>/purpose")
def ask_purpose(broadcast_id: int) -> ResponseReturnValue:
    broadcast = broadcasts.named(db.session, broadcast_id)
    if broadcast.state is not BroadcastState.DRAFT:
        return draft.redirect(url_for("broadcasts.show", broadcast_id=broadcast_id))
    stored = PurposeChoice(
        tuple(topics(db.session, but_also=broadcast.topic_id)),
        broadcast.purpose or "",
        broadcast.topic_id,
        broadcast.important_reason,
        broadcast.counts_clicks,
        broadcast.counts_opens,
    )
    return _page(broadcast, stored)


@bp.post("/<int:broadcast_id>/purpose")
def set_purpose(broadcast_id: int) -> ResponseReturnValue:
    broadcast = broadcasts.get(db.session, broadcast_id)
    choice = replace(asked(request.form), topics=tuple(topics(db.session, but_also=broadcast.topic_id)))
    try:
        counted = purposes.counted(db.session, clicks=choice.counts_clicks, opens=choice.counts_opens)
        purposes.choose(db.session, broadcast, checked(choice, broadcast.topic_id) | counted, now())
    except Invalid as error:
        return _page(broadcast, refused(choice, error)), 422
    db.session.commit()
    flash("Saved. The number of recipients heeds it.", "ok")
    return draft.redirect(url_for("audience.index", broadcast_id=broadcast_id))


def in_words(broadcast: Broadcast) -> str:
    """What it is for, in one line, and what is counted of it; "" where nobody has said it."""
    purpose, counted = _purpose_in_words(broadcast), counted_in_words(broadcast)
    return f"{purpose} · {counted.lower()} counted" if purpose and counted else purpose


@bp.app_template_global()
def counted_in_words(broadcast: Broadcast) -> str:
    """What is counted of its mails; "" for nothing."""
    chosen = ((broadcast.counts_clicks, "clicks"), (broadcast.counts_opens, "opens"))
    names = [name for is_chosen, name in chosen if is_chosen]
    return " and ".join(names).capitalize()


def _purpose_in_words(broadcast: Broadcast) -> str:
    if broadcast.purpose is Purpose.MARKETING:
        topic = db.session.get(Topic, broadcast.topic_id) if broadcast.topic_id else None
        return f"Marketing: {topic.name}" if topic else "Marketing"
    return f"Important: {broadcast.important_reason}" if broadcast.purpose else ""


def _page(broadcast: Broadcast, choice: PurposeChoice) -> str:
    may_count = settings.read(db.session).may_count
    title = draft.title(broadcast)
    return render_template(
        "broadcasts/purpose.html",
        broadcast=broadcast,
        title=title,
        choice=choice,
        may_count=may_count,
        counted_days=mail_uses.COUNTED_FOR.days,
        not_trusted=mail_uses.NOT_TRUSTED,
    )


def _number(form: Mapping[str, str]) -> int | None:
    said = form.get("topic_id", "")
    return int(said) if said.isascii() and said.isdecimal() and len(said) < 10 else None
