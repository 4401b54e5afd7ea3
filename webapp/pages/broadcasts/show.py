"""The page of one mass mail from `scheduled` on: progress, chart, ledger, and what can be done with it."""

from datetime import datetime
from typing import Any, cast, get_args

from flask import abort, flash, make_response, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from sqlalchemy import select

from webapp.adapters import wakeups
from webapp.adapters.clock import now
from webapp.core import audience, broadcasts
from webapp.core.broadcasts import mail_uses, progress, timeline
from webapp.core.errors import Invalid, NotFound
from webapp.core.ledger import Decision, resolve_uncertain
from webapp.core.rules import mail_uses as rules
from webapp.core.rules import schedule
from webapp.core.rules.lifecycle import BroadcastState
from webapp.core.rules.relay_event import Fact
from webapp.core.tables.broadcasts import Broadcast
from webapp.core.tables.users import User
from webapp.extensions import db
from webapp.pages import wording
from webapp.pages.broadcasts import draft, live, starting
from webapp.pages.broadcasts.blueprint import bp
from webapp.pages.deliveries import ledger
from webapp.pages.fragments import fragment
from webapp.pages.holding.views import restores_of, sending_hold
from webapp.pages.hosts.views import lost
from webapp.pages.review import mail
from webapp.pages.settings.relay import waited_for

STOP_ASKING = 286
"""The status that ends htmx's polling."""


@bp.get("/<int:broadcast_id>/")
def show(broadcast_id: int) -> str:
    broadcast = broadcasts.named(db.session, broadcast_id)
    if broadcast.state == BroadcastState.DRAFT:
        abort(draft.redirect(draft.first_unfinished(broadcast)))
    context = _context(broadcast)
    return render_template(
        "broadcasts/show.html",
        ledger=ledger.load(broadcast, context["counts"], request.args, standalone=False),
        fingerprint=_fingerprint(context),
        hold=sending_hold(),
        restores=restores_of(broadcast),
        lost_hosts=lost(broadcast),
        uses=mail_uses.of_broadcast(db.session, broadcast),
        not_trusted=rules.NOT_TRUSTED,
        machines=rules.MACHINES,
        counted_days=rules.COUNTED_FOR.days,
        **(mail.shown(broadcast) if broadcast.state is BroadcastState.SCHEDULED else {}),
        **_about(broadcast),
        **context,
    )


@bp.get("/<int:broadcast_id>/progress", endpoint="progress")
def live_progress(broadcast_id: int) -> ResponseReturnValue:
    """The progress card, unless it is the one with `fingerprint`. The page knows the stage `seen`, the settled share `tenths` and the
    `version`. When the stage differs, head and actions come along, and the rest of the page is told; when the share differs, it is
    announced; when the version differs, what the mail is comes along."""
    try:
        broadcast = broadcasts.named(db.session, broadcast_id)
    except NotFound:
        return fragment("broadcasts/_gone.html"), STOP_ASKING
    context = _context(broadcast)
    fingerprint = _fingerprint(context)
    if request.args.get("fingerprint") == fingerprint:
        return "", 204
    changed = request.args.get("seen", "") != context["stage"]
    edited = request.args.get("version", broadcast.version, type=int) != broadcast.version
    answer = make_response(
        fragment(
            "broadcasts/_progress_answer.html",
            changed=changed,
            edited=edited,
            announce=changed or request.args.get("tenths", type=int) != context["progress"].counts.tenths,
            fingerprint=fingerprint,
            **(_about(broadcast) if edited else {}),
            **context,
        )
    )
    if changed:
        answer.headers["HX-Trigger"] = "broadcast-changed"
    return answer


@bp.get("/<int:broadcast_id>/timeline", endpoint="timeline")
def live_timeline(broadcast_id: int) -> str:
    broadcast = broadcasts.named(db.session, broadcast_id)
    return fragment("broadcasts/_timeline.html", **_context(broadcast))


@bp.post("/<int:broadcast_id>/pause")
def pause(broadcast_id: int) -> ResponseReturnValue:
    who, at = current_user.name or current_user.email, now()
    broadcast = broadcasts.pause(db.session, broadcast_id, f"by {who}", at)
    is_ours = broadcast.paused_at == at
    db.session.commit()
    if not is_ours:
        return _done(broadcast_id, "It is paused already, for the reason below.")
    if broadcast.frozen_at is None:
        return _done(broadcast_id, "Paused. Recipients are collected further, and mails leave, when it is resumed.")
    return _done(broadcast_id, "Paused. Mails already handed to the relay are settled, no new one leaves.")


@bp.post("/<int:broadcast_id>/resume")
def resume(broadcast_id: int) -> ResponseReturnValue:
    """Resume it from the pause that the page showed."""
    try:
        seen = datetime.fromisoformat(request.form["paused_at"]) if "paused_at" in request.form else None
    except ValueError:
        raise Invalid("This does not name a pause.", "paused_at") from None
    was_paused = broadcasts.get(db.session, broadcast_id).state == BroadcastState.PAUSED
    broadcasts.resume(db.session, broadcast_id, now(), paused_at=seen)
    db.session.commit()
    wakeups.wake(broadcast_id)
    return _done(broadcast_id, "Sending goes on." if was_paused else "It goes on already.")


@bp.get("/<int:broadcast_id>/cancel")
def ask_cancel(broadcast_id: int) -> str:
    """The question before cancelling, for browsers without JavaScript; elsewhere it is a dialog."""
    return render_template("broadcasts/cancel.html", **_context(broadcasts.named(db.session, broadcast_id)))


@bp.post("/<int:broadcast_id>/cancel")
def cancel(broadcast_id: int) -> ResponseReturnValue:
    seen = request.form.get("seen")
    state = BroadcastState(seen) if seen in set(BroadcastState) else None
    broadcast = broadcasts.cancel(db.session, broadcast_id, now(), seen=state)
    has_begun = broadcast.started_at is not None
    db.session.commit()
    wakeups.wake(broadcast_id)
    return _done(broadcast_id, "The rest is cancelled." if has_begun else "It is cancelled. Nobody has got it.")


@bp.get("/<int:broadcast_id>/uncertain")
def decide(broadcast_id: int) -> str:
    """The question what to do about mails of which nobody knows whether they were taken."""
    return render_template("broadcasts/decide.html", **_context(broadcasts.named(db.session, broadcast_id)))


@bp.post("/<int:broadcast_id>/uncertain")
def decided(broadcast_id: int) -> ResponseReturnValue:
    """Decide about all uncertain mails, or about the one that `delivery_id` names."""
    decision = request.form.get("decision", "")
    if decision not in get_args(Decision):
        raise Invalid("Choose what should be done.", "decision")
    try:
        ids = [int(request.form["delivery_id"])] if "delivery_id" in request.form else None
    except ValueError:
        raise Invalid("This does not name a mail.", "delivery_id") from None
    seen = request.form.get("number", type=int)
    moved = resolve_uncertain(db.session, broadcast_id, ids, cast(Decision, decision), now(), seen=seen)
    broadcasts.finish_if_done(db.session, broadcast_id, now())
    db.session.commit()
    wakeups.wake(broadcast_id)
    words = {"accepted": "counted as accepted", "failed": "counted as failed", "retry": "sent again"}[decision]
    return _done(broadcast_id, f"{wording.plural(moved, 'mail')} {'is' if moved == 1 else 'are'} {words}.")


def _done(broadcast_id: int, message: str) -> ResponseReturnValue:
    flash(message, "ok")
    return draft.redirect(url_for("broadcasts.show", broadcast_id=broadcast_id))


def _name_of(user_id: int | None) -> str:
    user = db.session.get(User, user_id) if user_id else None
    return (user.name or user.email) if user else ""


def _named_by_address(address: str) -> str:
    """The name of the user with this address, while there is one."""
    user = db.session.scalar(select(User).where(User.email == address)) if address else None
    return (user.name or user.email) if user else address


def _about(broadcast: Broadcast) -> dict[str, Any]:
    """What the card about the mail needs beside the rest."""
    return {
        "audience_words": audience.in_words(db.session, audience.audience_of(broadcast).filter),
        "created_by": _name_of(broadcast.created_by),
        "started_by": _named_by_address(broadcast.started_by),
    }


def _fingerprint(context: dict[str, Any]) -> str:
    return live.fingerprint(fragment("broadcasts/_progress.html", fingerprint="", **context))


def _context(broadcast: Broadcast) -> dict[str, Any]:
    at, zone = now(), current_user.time_zone
    read, missed = progress.read(db.session, broadcast, at), live.missed_start(broadcast)
    if broadcast.state is BroadcastState.SCHEDULED:
        starting.would_get(broadcast)
    return {
        "broadcast": broadcast,
        "title": draft.title(broadcast),
        "progress": read,
        "stage": live.stage(broadcast),
        "counts": read.counts,
        "groups": (*progress.Group, Fact.BOUNCED, Fact.COMPLAINED),
        "chart": timeline.timeline(db.session, broadcast, at, zone, None if waited_for(broadcast) else read.plan),
        "ceiling": wording.ceiling(read.ceiling),
        "pace_words": schedule.pace_in_words(broadcast.batch_size, broadcast.interval_s),
        "missed_words": schedule.missed_in_words(missed, broadcast.time_zone, at) if missed else "",
    }
