"""Machines that are away with mails of a broadcast: what is in doubt, and the decision that one will not come back."""

from pathlib import Path

from flask import Blueprint, current_app, flash, render_template, request, url_for
from flask.typing import ResponseReturnValue

from webapp.adapters import clock, journal, wakeups
from webapp.core import broadcasts, ledger
from webapp.core.errors import Invalid
from webapp.core.ledger import LostHost
from webapp.core.rules.lifecycle import BroadcastState
from webapp.core.tables.broadcasts import Broadcast
from webapp.extensions import db
from webapp.pages import wording
from webapp.pages.broadcasts import draft
from webapp.pages.fragments import fragment

bp = Blueprint("hosts", __name__, url_prefix="/mass-mail")

QUIET = frozenset({BroadcastState.DRAFT, BroadcastState.SCHEDULED, BroadcastState.FINISHED})
"""States in which no machine has anything in hand."""


def lost(broadcast: Broadcast) -> list[LostHost] | None:
    """The machines that are away; None where nobody needs to look for any."""
    if broadcast.state in QUIET:
        return None
    here = journal.names(Path(current_app.config["INSTANCE"]) / "journals")
    return ledger.lost_hosts(db.session, broadcast.id, clock.now(), current_app.config["HOST_GRACE"], here)


@bp.get("/<int:broadcast_id>/lost-hosts")
def lost_hosts(broadcast_id: int) -> str:
    broadcast = broadcasts.named(db.session, broadcast_id)
    return fragment("hosts/_lost_hosts.html", broadcast=broadcast, hosts=lost(broadcast))


@bp.get("/<int:broadcast_id>/lost-hosts/<machine>")
def ask(broadcast_id: int, machine: str) -> str:
    """The question before a machine is given up, for browsers without JavaScript; elsewhere it is a dialog."""
    broadcast = broadcasts.named(db.session, broadcast_id)
    found = [host for host in lost(broadcast) or () if host.machine == machine]
    return render_template(
        "hosts/give_up.html",
        broadcast=broadcast,
        title=draft.title(broadcast),
        host=found[0] if found else None,
    )


@bp.post("/<int:broadcast_id>/lost-hosts")
def give_up(broadcast_id: int) -> ResponseReturnValue:
    """It will not come back: decide about its mails now."""
    try:
        ids = [int(word) for word in request.form.get("senders", "").split()]
    except ValueError:
        ids = []
    if not ids:
        raise Invalid("This does not name a machine.", "senders")
    seen = request.form.get("number", type=int)
    moved = ledger.give_up(db.session, broadcast_id, ids, clock.reading(), seen=seen)
    broadcasts.finish_if_done(db.session, broadcast_id, clock.now())
    db.session.commit()
    wakeups.wake(broadcast_id)
    flash(f"Decided: nobody knows of {wording.plural(moved, 'mail')} whether the relay took {_it(moved)}.", "ok")
    return draft.redirect(url_for("broadcasts.show", broadcast_id=broadcast_id))


def _it(count: int) -> str:
    return "it" if count == 1 else "them"
