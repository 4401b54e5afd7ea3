"""The first step of a draft: who gets it. Every change is saved as it is made, and what it comes to is shown at once."""

from dataclasses import replace
from typing import Any

from flask import flash, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import MultiDict

from webapp.adapters.clock import now
from webapp.core import audience, broadcasts
from webapp.core.audience import AudienceFilter
from webapp.core.audience.choices import LABELS
from webapp.core.broadcasts import steps
from webapp.core.broadcasts.steps import Step
from webapp.core.errors import Conflict
from webapp.core.rules.statuses import MessageType
from webapp.core.tables.broadcasts import Broadcast
from webapp.extensions import db
from webapp.pages.audience import members, sums  # noqa: F401 - members adds the routes of the list of recipients
from webapp.pages.audience.blueprint import bp
from webapp.pages.audience.forms import changes_to, chosen_filter, type_of_form
from webapp.pages.audience.shown import shown
from webapp.pages.broadcasts import draft, purpose, saving
from webapp.pages.fragments import fragment

EXPLAINED = 4
"""Clients whose case is explained at once."""


@bp.get("/")
def index(broadcast_id: int) -> ResponseReturnValue:
    """The filter page. While the copy of a large database is not at hand yet, a frame that asks for it."""
    frame = draft.load(broadcast_id, "audience")
    if not audience.is_warm(db.session) and "counted" not in request.args:
        return render_template("audience/cold.html", draft=frame, broadcast=frame.broadcast)
    return _page(frame, audience.audience_of(frame.broadcast).filter)


@bp.post("/")
def save(broadcast_id: int) -> ResponseReturnValue:
    """Save the choices. With htmx all that follows from them comes back, without it the next page (or this one: `stay`)."""
    broadcast = broadcasts.get(db.session, broadcast_id)
    chosen = chosen_filter(request.form, type_of_form(request.form, broadcast))
    try:
        saved = _save(broadcast_id, chosen)
    except Conflict:
        return _conflict(broadcast_id, chosen)
    if "switch" in request.form:
        return _switched(saved, request.form["switch"])
    if request.headers.get("HX-Request"):
        context = _context(saved.broadcast, chosen) | {"base": saved.base}
        return fragment("audience/_saved.html", **context), {"HX-Trigger": "recipients-changed"}
    if {"stay", "keep_mine"} & request.form.keys():
        flash("The audience is saved.", "ok")
        return draft.redirect(url_for("audience.index", broadcast_id=broadcast_id))
    return draft.redirect(url_for("content.index", broadcast_id=broadcast_id))


@bp.get("/recipient-count")
def recipient_count(broadcast_id: int) -> str:
    """The sum and the filter in words, as stored."""
    broadcast = broadcasts.get(db.session, broadcast_id)
    return fragment("audience/_recipient_count.html", recipients=sums.sum_of(broadcast))


@bp.get("/explain")
def explain(broadcast_id: int) -> ResponseReturnValue:
    """Does this client get it? For the clients found by a name, an address or a number."""
    if request.headers.get("HX-Request"):
        broadcast = broadcasts.get(db.session, broadcast_id)
        return fragment("audience/_explain.html", broadcast=broadcast, **_explained(broadcast))
    frame = draft.load(broadcast_id, "audience")
    return _page(frame, audience.audience_of(frame.broadcast).filter)


def _save(broadcast_id: int, chosen: AudienceFilter) -> saving.Saved:
    def of_lost(fields: MultiDict[str, str], broadcast: Broadcast) -> steps.Changes:
        wanted = chosen_filter(fields, type_of_form(fields, broadcast))
        return lambda stored: changes_to(stored, wanted)

    return saving.save(broadcast_id, Step.AUDIENCE, lambda stored: changes_to(stored, chosen), of_lost)


def _switched(saved: saving.Saved, wanted: str) -> ResponseReturnValue:
    """Another message type: what applies to it stays, the rest is set aside."""
    broadcast = saved.broadcast
    old = audience.audience_of(broadcast).filter
    if wanted in set(MessageType) and wanted != old.message_type:
        new = AudienceFilter.from_dict(MessageType(wanted), broadcast.audience_filter or {})
        steps.save(
            db.session, broadcast.id, Step.AUDIENCE, lambda stored: changes_to(stored, new), now(), known={saved.base}
        )
        db.session.commit()
        if aside := " and ".join(LABELS[name].lower() for name in old.set_aside(new.message_type)):
            flash(f"Your choices of {aside} are set aside. They come back with {old.message_type.label}.", "info")
    return draft.redirect(url_for("audience.index", broadcast_id=broadcast.id))


def _conflict(broadcast_id: int, chosen: AudienceFilter) -> ResponseReturnValue:
    def differences(broadcast: Broadcast) -> list[saving.Difference]:
        stored = audience.audience_of(broadcast).filter
        types = (stored.message_type.label, chosen.message_type.label)
        words = (audience.in_words(db.session, stored), audience.in_words(db.session, chosen))
        return [*saving.different("Message type", *types), *saving.different("Recipients", *words)]

    def page(clash: saving.Clash) -> str:
        return _page(draft.load(broadcast_id, "audience"), chosen, conflict=clash)

    def beside(broadcast: Broadcast) -> str:
        return fragment("audience/_unsaved.html", **_context(broadcast, chosen))

    return saving.conflict(broadcast_id, Step.AUDIENCE, differences, page, beside)


def _page(frame: draft.Draft, chosen: AudienceFilter, **extra: Any) -> str:
    context = _context(frame.broadcast, chosen) | _explained(frame.broadcast) | extra
    context["purpose"] = purpose.in_words(frame.broadcast)
    return render_template("audience/index.html", draft=frame, **context)


def _context(broadcast: Broadcast, chosen: AudienceFilter) -> dict[str, Any]:
    """What the page and its fragments show for the choices made, be they saved or not."""
    of = replace(audience.audience_of(broadcast), filter=chosen)
    selected = audience.select_terms(db.session, of)
    return {
        "broadcast": broadcast,
        "chosen": chosen,
        "base": steps.digest(broadcast, Step.AUDIENCE),
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
