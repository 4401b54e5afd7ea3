"""The relay as people see it: how it is, on each page that it concerns, what was learned of it, and which domains are given time."""

from typing import Any

from flask import Response, current_app, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from webapp.adapters import clock, wakeups
from webapp.core import broadcasts, relay
from webapp.core.relay import Health
from webapp.core.rules.lifecycle import BroadcastState
from webapp.core.tables.broadcasts import Broadcast
from webapp.extensions import db
from webapp.pages.fragments import fragment
from webapp.pages.settings.blueprint import bp

MOST_DOMAINS = 20
"""So many domains that are given time are named; of the others their number says enough."""


def relay_health() -> Health:
    """How the relay is; asked for once in a request. A view whose page shows states of mass mails asks before the page is made."""
    known: Health | None = g.get("relay_health")
    if known is None:
        known = g.relay_health = relay.read(db.session, current_app.config["RELAY"].key)
    return known


@bp.app_template_global()
def waited_for(broadcast: Broadcast) -> Health | None:
    """The relay, where this broadcast is sending and waits for it."""
    if broadcast.state != BroadcastState.SENDING or broadcast.frozen_at is None:
        return None
    health = relay_health()
    return health if health.is_waiting else None


def refusing_relay() -> Health | None:
    """The relay, where it refuses whatever is sent."""
    health = relay_health()
    return health if health.is_refusing else None


@bp.app_template_global()
def relay_seen(health: Health | None) -> str:
    """Stands for a trouble of the relay, so that a page hears only of another."""
    return f"{health.state} {health.since.isoformat()}" if health and health.since else ""


@bp.get("/sending/relay-health")
def relay_health_now() -> str:
    """How the relay is, on the page of settings, which asks for it again and again."""
    return fragment("settings/_relay_health.html", **context())


@bp.get("/sending/relay-refuses")
def relay_refuses() -> ResponseReturnValue:
    """What the list of mass mails says while the relay refuses everything. Nothing is answered when the page has `seen` it."""
    relay = refusing_relay()
    if request.args.get("seen") == relay_seen(relay):
        return Response(status=204)
    return fragment("settings/_relay_refuses.html", relay=relay)


@bp.post("/sending/relay/try")
def try_relay() -> ResponseReturnValue:
    """Have the relay tried at once, by the mass mails that wait for it."""
    waiting = broadcasts.sending(db.session)
    relay.try_now(db.session, clock.now())
    db.session.commit()
    for broadcast_id in waiting:
        wakeups.wake(broadcast_id)
    if waiting:
        flash("The relay is tried now.", "ok")
    else:
        flash("The relay is tried with the next mail: no mass mail is sending at present.", "ok")
    return _back()


@bp.get("/sending/relay/forget")
def ask_forget_relay() -> str:
    """The question before what was learned is forgotten, for browsers without JavaScript; elsewhere it is a dialog."""
    return render_template("settings/forget_relay.html", health=relay_health())


@bp.post("/sending/relay/forget")
def forget_relay() -> ResponseReturnValue:
    relay.forget(db.session, current_app.config["RELAY"].key)
    db.session.commit()
    flash("What was learned of the relay is forgotten. Limits that are still there will be met again.", "ok")
    return _back()


def context() -> dict[str, Any]:
    """What the card of the relay is made of."""
    at = clock.now()
    rests = sorted(
        (rest for rest in relay.resting(db.session).values() if rest.until > at),
        key=lambda rest: (rest.until, rest.domain),
    )
    return {
        "health": relay_health(),
        "anything_is_sending": bool(broadcasts.sending(db.session)),
        "rests": rests[:MOST_DOMAINS],
        "more_rests": max(len(rests) - MOST_DOMAINS, 0),
    }


def _back() -> ResponseReturnValue:
    return redirect(url_for("settings.sending", _anchor="relay-title"), 303)
