"""The recipients of a draft as a list, and what is decided about them by hand."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from flask import flash, render_template, request, url_for
from flask.typing import ResponseReturnValue

from webapp.adapters.clock import now
from webapp.core import audience, broadcasts
from webapp.core.audience import Audience, Recipient, Term
from webapp.core.errors import NotFound
from webapp.core.rules.lifecycle import NOT_BEGUN
from webapp.core.tables.broadcasts import Broadcast, PickKind
from webapp.core.tables.clients import Client
from webapp.extensions import db
from webapp.pages.audience import sums
from webapp.pages.audience.blueprint import bp
from webapp.pages.audience.forms import PickForm
from webapp.pages.broadcasts import draft
from webapp.pages.fragments import fragment

ROWS = 50
CANDIDATES = 8
"""Clients that a search for somebody to add shows."""

bp.add_app_template_global(audience.client_name, "client_name")


@dataclass(frozen=True, slots=True)
class Member:
    """A client beside an audience: their row in it (None for who is outside), and what was decided by hand."""

    client: Client
    recipient: Recipient | None
    pick: PickKind | None


@bp.get("/recipients")
def recipients(broadcast_id: int) -> str:
    """The clients behind a term of the sum, searched and paged; with htmx only the list."""
    frame = draft.load(broadcast_id, "audience", shows=NOT_BEGUN)
    broadcast, of = frame.broadcast, audience.audience_of(frame.broadcast)
    term = _term(request.args.get("reason", ""))
    search = request.args.get("q", "").strip()[:200]
    page = max(1, request.args.get("page", 1, type=int))
    listing = audience.listing(
        db.session, of, now().date(), search=search, reason=term, offset=(page - 1) * ROWS, limit=ROWS
    )
    context = {
        "broadcast": broadcast,
        "term": term,
        "search": search,
        "page": page,
        "listing": listing,
        "members": [Member(row.client, row, row.pick) for row in listing.rows],
        "recipients": sums.sum_of(broadcast),
        "message_type": broadcast.message_type,
    }
    if request.headers.get("HX-Target") == "recipients":
        return fragment("audience/_recipients.html", **context)
    candidates = _candidates(broadcast, request.args.get("add", ""))
    return render_template("audience/recipients.html", draft=frame, **context, **candidates)


@bp.get("/candidates")
def candidates(broadcast_id: int) -> str:
    """Clients to add beyond the filter, found by name, address or number."""
    broadcast = broadcasts.get(db.session, broadcast_id)
    found = _candidates(broadcast, request.args.get("add", ""))
    return fragment("audience/_candidates.html", broadcast=broadcast, **found)


@bp.post("/pick")
def pick(broadcast_id: int) -> ResponseReturnValue:
    """Decide about one client by hand; with htmx their row comes back as it is now, with the sum."""
    form = PickForm().checked()
    client_id, kind = form.client_id.data, form.pick_kind
    broadcast = broadcasts.edit(db.session, broadcast_id, None, {}, now())
    audience.pick(db.session, broadcast_id, client_id, kind)
    db.session.commit()
    member, back = _member(audience.audience_of(broadcast), client_id), form.back.data or ""
    if request.headers.get("HX-Request"):
        return fragment(
            "audience/_picked.html",
            broadcast=broadcast,
            member=member,
            recipients=sums.sum_of(broadcast),
            message_type=broadcast.message_type,
            term=_term(dict(parse_qsl(back)).get("reason", "")),
            place=form.place.data,
            back=back,
        )
    flash(f"{audience.client_name(member.client)}: {_done(kind)}", "ok")
    here = url_for("audience.recipients", broadcast_id=broadcast_id)
    return draft.redirect(f"{here}?{back}" if back else here)


def _term(wanted: str) -> Term:
    return Term(wanted) if wanted in set(Term) else Term.WILL_RECEIVE


def _done(kind: PickKind | None) -> str:
    return {PickKind.ADDED: "added by hand.", PickKind.LEFT_OUT: "left out.", None: "the filter decides again."}[kind]


def _candidates(broadcast: Broadcast, search: str) -> dict[str, Any]:
    search = search.strip()[:200]
    found = audience.find_clients(db.session, search, CANDIDATES + 1)
    of = audience.audience_of(broadcast)
    inside = {row.client.id: row for row in _rows(of, [client.id for client in found])}
    picks = audience.picks_of(db.session, broadcast.id) if found else {}
    return {
        "add": search,
        "found": [Member(client, inside.get(client.id), picks.get(client.id)) for client in found[:CANDIDATES]],
        "more_found": len(found) > CANDIDATES,
    }


def _member(of: Audience, client_id: int) -> Member:
    client = db.session.get(Client, client_id)
    if client is None or of.broadcast_id is None:
        raise NotFound("This client does not exist (any more).")
    row = next(iter(_rows(of, [client_id])), None)
    return Member(client, row, audience.picks_of(db.session, of.broadcast_id).get(client_id))


def _rows(of: Audience, ids: list[int]) -> list[Recipient]:
    return list(audience.recipients_among(db.session, of, now().date(), ids))
