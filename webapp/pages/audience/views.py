"""The first step of a draft: who gets it. Every change is saved as it is made, and what it comes to is shown at once."""

from collections.abc import Mapping
from typing import Any

from flask import flash, render_template, request, url_for

from webapp.adapters.clock import now
from webapp.core import audience, broadcasts
from webapp.core.audience import Audience, AudienceFilter
from webapp.core.audience.choices import LABELS
from webapp.core.errors import Conflict
from webapp.core.rules.lifecycle import CHANGEABLE, BroadcastState
from webapp.core.rules.statuses import MessageType
from webapp.core.tables.broadcasts import Broadcast
from webapp.extensions import db
from webapp.pages.audience import members, sums  # noqa: F401 - members adds the routes of the list of recipients
from webapp.pages.audience.blueprint import bp
from webapp.pages.audience.forms import chosen_filter, digest
from webapp.pages.audience.shown import shown
from webapp.pages.broadcasts import draft
from webapp.pages.fragments import fragment

EXPLAINED = 4
"""Clients whose case is explained at once."""


@bp.get("/")
def index(broadcast_id: int):
    """The filter page. While the copy of a large database is not at hand yet, a frame that asks for it."""
    frame = draft.load(broadcast_id, "audience")
    if not audience.is_warm(db.session) and "counted" not in request.args:
        return render_template("audience/cold.html", draft=frame, broadcast=frame.broadcast)
    return _page(frame, audience.audience_of(frame.broadcast).filter)


@bp.post("/")
def save(broadcast_id: int):
    """Save the choices. With htmx all that follows from them comes back, without it the next page (or this one: `stay`)."""
    broadcast = broadcasts.get(db.session, broadcast_id)
    chosen = chosen_filter(request.form, _type_of_form(request.form, broadcast))
    try:
        broadcast = _save(broadcast, chosen)
    except Conflict:
        db.session.rollback()
        return _conflict(broadcast_id, chosen)
    if "switch" in request.form:
        return _switched(broadcast, request.form["switch"])
    if request.headers.get("HX-Request"):
        db.session.rollback()  # counting takes its time: others may write meanwhile, also if nothing was to be saved
        return fragment("audience/_saved.html", **_context(broadcast, chosen)), {"HX-Trigger": "recipients-changed"}
    if {"stay", "keep_mine"} & request.form.keys():
        flash("The audience is saved.", "ok")
        return draft.redirect(url_for("audience.index", broadcast_id=broadcast_id))
    return draft.redirect(url_for("content.index", broadcast_id=broadcast_id))


@bp.get("/recipient-count")
def recipient_count(broadcast_id: int):
    """The sum and the filter in words, as stored."""
    broadcast = broadcasts.get(db.session, broadcast_id)
    return fragment("audience/_recipient_count.html", recipients=sums.sum_of(broadcast))


@bp.get("/explain")
def explain(broadcast_id: int):
    """Does this client get it? For the clients found by a name, an address or a number."""
    if request.headers.get("HX-Request"):
        broadcast = broadcasts.get(db.session, broadcast_id)
        return fragment("audience/_explain.html", broadcast=broadcast, **_explained(broadcast))
    frame = draft.load(broadcast_id, "audience")
    return _page(frame, audience.audience_of(frame.broadcast).filter)


def _type_of_form(form: Mapping[str, str], broadcast: Broadcast) -> MessageType:
    """The message type for which the form was made; it may have been switched in another tab since."""
    sent = form.get("message_type", "")
    return MessageType(sent) if sent in set(MessageType) else broadcast.message_type


def _save(broadcast: Broadcast, chosen: AudienceFilter) -> Broadcast:
    """Save and commit what differs. Raises Conflict when the filter is no longer the one this page started from, or what its last
    request made of it, should the answer have been lost. What somebody changed elsewhere in the draft is no conflict."""
    stored = digest(audience.audience_of(broadcast).filter)
    if stored == digest(chosen):
        return broadcast
    known = {request.form.get("base"), request.form.get("keep_mine")}
    if lost := draft.lost():
        known.add(digest(chosen_filter(lost, _type_of_form(lost, broadcast))))
    if stored not in known:
        raise Conflict("Somebody else has changed the audience meanwhile.")
    return _store(broadcast, chosen)


def _store(broadcast: Broadcast, chosen: AudienceFilter) -> Broadcast:
    stored = chosen.stored(before=broadcast.audience_filter or {})
    changes = {"message_type": chosen.message_type, "audience_filter": stored}
    broadcast = broadcasts.edit(db.session, broadcast.id, broadcast.version, changes, now())
    db.session.commit()
    return broadcast


def _switched(broadcast: Broadcast, wanted: str):
    """Another message type: what applies to it stays, the rest is set aside."""
    old = audience.audience_of(broadcast).filter
    if wanted in set(MessageType) and wanted != old.message_type:
        new = AudienceFilter.from_dict(MessageType(wanted), broadcast.audience_filter or {})
        _store(broadcast, new)
        if aside := " and ".join(LABELS[name].lower() for name in old.set_aside(new.message_type)):
            flash(f"Your choices of {aside} are set aside. They come back with {old.message_type.label}.", "info")
    return draft.redirect(url_for("audience.index", broadcast_id=broadcast.id))


def _conflict(broadcast_id: int, chosen: AudienceFilter):
    """What was chosen stays on the page; what is stored is told."""
    broadcast = broadcasts.get(db.session, broadcast_id)
    if broadcast.state not in CHANGEABLE:
        why = "it is scheduled" if broadcast.state is BroadcastState.SCHEDULED else "sending has begun"
        raise Conflict(f"This mass mail cannot be changed any more: {why}. Your last choice is not saved.")
    if request.headers.get("HX-Request"):
        return fragment("audience/_conflict_answer.html", **_context(broadcast, chosen)), 422
    return _page(draft.load(broadcast_id, "audience"), chosen, conflict=True), 409


def _page(frame: draft.Draft, chosen: AudienceFilter, **extra: Any) -> str:
    context = _context(frame.broadcast, chosen) | _explained(frame.broadcast) | extra
    return render_template("audience/index.html", draft=frame, **context)


def _context(broadcast: Broadcast, chosen: AudienceFilter) -> dict[str, Any]:
    """What the page and its fragments show for the choices made, be they saved or not."""
    of = Audience(chosen, broadcast.id)
    selected = audience.select_terms(db.session, of)
    stored = audience.audience_of(broadcast).filter
    return {
        "broadcast": broadcast,
        "chosen": chosen,
        "base": digest(stored),
        "stored_words": audience.in_words(db.session, stored),
        "criteria": [shown(criterion) for criterion in audience.choices(db.session, chosen)],
        "types": MessageType,
        "recipients": sums.sum_from(of, selected.sum),
        "makeup": audience.makeup(db.session, selected),
        "sample": audience.sample_of(db.session, of, now().date(), selected),
    }


def _explained(broadcast: Broadcast) -> dict[str, Any]:
    """The answers for the clients searched for, as the audience is stored."""
    search = request.args.get("q", "").strip()[:200]
    of, today = audience.audience_of(broadcast), now().date()
    found = audience.find_clients(db.session, search, EXPLAINED + 1)
    answers = [audience.explain(db.session, of, client.id, today) for client in found[:EXPLAINED]]
    return {"search": search, "answers": answers, "more_answers": len(found) > EXPLAINED}
