"""Marketing or important: asked when a mass mail is made, and to be changed while it is a draft."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from flask import flash, render_template, request, url_for
from flask.typing import ResponseReturnValue

from webapp.adapters.clock import now
from webapp.core import broadcasts
from webapp.core.broadcasts import purposes
from webapp.core.consent.topics import topics
from webapp.core.errors import Invalid
from webapp.core.rules.consent import Purpose
from webapp.core.rules.lifecycle import BroadcastState
from webapp.core.tables.broadcasts import Broadcast
from webapp.core.tables.consent import Topic
from webapp.extensions import db
from webapp.pages.broadcasts import draft
from webapp.pages.broadcasts.blueprint import bp


@dataclass(frozen=True, slots=True)
class PurposeChoice:
    """The question with what was answered. `problem` says what is wrong with the field named `field`."""

    topics: tuple[Topic, ...]
    purpose: str = ""
    topic_id: int | None = None
    reason: str = ""
    field: str = ""
    problem: str = ""


def asked(form: Mapping[str, str] | None = None) -> PurposeChoice:
    """The question anew, or with what a form answered."""
    found = tuple(topics(db.session))
    if form is None:
        return PurposeChoice(found)
    return PurposeChoice(found, form.get("purpose", ""), _number(form), form.get("important_reason", ""))


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
    )
    return _page(broadcast, stored)


@bp.post("/<int:broadcast_id>/purpose")
def set_purpose(broadcast_id: int) -> ResponseReturnValue:
    broadcast = broadcasts.get(db.session, broadcast_id)
    choice = replace(asked(request.form), topics=tuple(topics(db.session, but_also=broadcast.topic_id)))
    try:
        purposes.choose(db.session, broadcast, checked(choice, broadcast.topic_id), now())
    except Invalid as error:
        return _page(broadcast, refused(choice, error)), 422
    db.session.commit()
    flash("Saved. The number of recipients heeds it.", "ok")
    return draft.redirect(url_for("audience.index", broadcast_id=broadcast_id))


def in_words(broadcast: Broadcast) -> str:
    """What it is for, in one line; "" where nobody has said it."""
    if broadcast.purpose is Purpose.MARKETING:
        topic = db.session.get(Topic, broadcast.topic_id) if broadcast.topic_id else None
        return f"Marketing: {topic.name}" if topic else "Marketing"
    return f"Important: {broadcast.important_reason}" if broadcast.purpose else ""


def _page(broadcast: Broadcast, choice: PurposeChoice) -> str:
    return render_template("broadcasts/purpose.html", broadcast=broadcast, title=draft.title(broadcast), choice=choice)


def _number(form: Mapping[str, str]) -> int | None:
    said = form.get("topic_id", "")
    return int(said) if said.isascii() and said.isdecimal() and len(said) < 10 else None
