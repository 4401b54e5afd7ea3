"""Clients, Suppressions: the addresses that must not be mailed, and why; add, export, lift."""

from datetime import timedelta
from typing import Any

from flask import Response, flash, redirect, render_template, request, session, stream_with_context, url_for
from flask.typing import ResponseReturnValue

from webapp.adapters.clock import now
from webapp.core import clients
from webapp.core.consent import export as export_
from webapp.core.consent import listing, suppressions
from webapp.core.consent.listing import SuppressionPage, SuppressionPlace
from webapp.core.errors import DomainError, Invalid, NotFound
from webapp.core.rules.consent import SuppressionKind, SuppressionScope
from webapp.core.rules.suppression_lists import SuppressionEntry, instant
from webapp.core.tables.consent import Suppression
from webapp.core.tables.deliveries import CLIENTS
from webapp.extensions import db
from webapp.pages.fragments import fragment
from webapp.pages.suppressions import importing
from webapp.pages.suppressions.blueprint import SOURCE, bp, who
from webapp.pages.suppressions.forms import (
    AddForm,
    DoNotMailForm,
    LiftForm,
    SuppressionSearchForm,
    addresses_in,
    place_args,
    place_in,
    source_label,
)

__all__ = ["bp", "importing"]

UNDO_FOR = timedelta(minutes=10)
"""For so long a lift can be undone."""

SLICE = 1_000
"""Addresses suppressed in one statement."""

MOST_KEPT = 500
"""Characters of the evidence that a lift keeps for its undo: it is kept in the cookie, which has room for 4 kB in all."""

_FILTERS = ("q", "kind", "scope", "source")


@bp.get("/")
def index() -> ResponseReturnValue:
    """The list; for htmx only the part below the filters."""
    is_fragment = request.headers.get("HX-Request") and not request.headers.get("HX-History-Restore-Request")
    form = SuppressionSearchForm(request.args)
    wanted = form.wanted()
    page = listing.page(db.session, wanted, place_in(request.args))
    filters = {name: request.args[name] for name in _FILTERS if request.args.get(name)}
    context = {
        "form": form,
        "page": page,
        "beside": _beside(page),
        "narrowed": wanted != listing.SuppressionSearch(),
        "filters": filters,
        "newer": page.newer and _url(filters, page.newer),
        "older": page.older and _url(filters, page.older),
        "source_label": source_label,
    }
    if is_fragment:
        return fragment("suppressions/_suppression_list.html", **context)
    form.offer()
    return render_template("suppressions/index.html", lifted=lifted(), **context)


@bp.get("/add")
def add() -> ResponseReturnValue:
    return render_template("suppressions/add.html", form=AddForm(formdata=None), unread=[], done=None)


@bp.post("/add")
def take() -> ResponseReturnValue:
    """Suppress what can be read; what cannot is listed back."""
    form = AddForm()
    if not form.validate_on_submit():
        return render_template("suppressions/add.html", form=form, unread=[], done=None), 422
    pasted = addresses_in(form.addresses.data or "")
    scope, reason, at = SuppressionScope(form.scope.data), (form.reason.data or "").strip(), now()
    done = suppressions.Added()
    for start in range(0, len(pasted.keys), SLICE):
        entries = [
            SuppressionEntry(key, SuppressionKind.BY_HAND, scope, reason, SOURCE)
            for key in pasted.keys[start : start + SLICE]
        ]
        done += suppressions.add(db.session, entries, at, by=who())
    db.session.commit()
    if pasted.unread:
        form.addresses.data = "\n".join(piece for piece, _ in pasted.unread)
        return render_template("suppressions/add.html", form=form, unread=pasted.unread, done=done), 422
    flash(importing.in_words(done), "ok")
    return redirect(url_for("suppressions.index"), 303)


@bp.post("/do-not-mail")
def do_not_mail() -> ResponseReturnValue:
    """Suppress the address of a client, on whose page this was pressed."""
    form = DoNotMailForm()
    client = clients.get(db.session, _number(form.client.data))
    if not form.validate() or client.address_key is None:
        raise Invalid("This client has no address, or the reason is too long.")
    done = suppressions.suppress(
        db.session,
        client.address_key,
        SuppressionKind.BY_HAND,
        now(),
        scope=SuppressionScope(form.scope.data),
        reason=(form.reason.data or "").strip(),
        source=SOURCE,
        by=who(),
    )
    db.session.commit()
    flash("This client is not mailed any more." if done else "That holds already.", "ok")
    return redirect(_back(form), 303)


@bp.get("/export.csv")
def export() -> ResponseReturnValue:
    """All that the page's filters leave, as a download."""
    wanted = SuppressionSearchForm(request.args).wanted()
    return Response(
        stream_with_context(export_.as_csv(db.session, wanted)),
        mimetype="text/csv",
        headers={"Content-Disposition": 'attachment; filename="suppressions.csv"', "Cache-Control": "no-store"},
    )


@bp.get("/lift")
def ask() -> ResponseReturnValue:
    """The question before a lift, on a page of its own."""
    return _asked(LiftForm(request.args, meta={"csrf": False}))


@bp.post("/lift")
def lift() -> ResponseReturnValue:
    form = LiftForm()
    form.validate()
    row = _row(form)
    if row is None:
        raise NotFound("This address is not suppressed any more.")
    kept = {
        "address_key": row.address_key,
        "kind": row.kind.value,
        "scope": row.scope.value,
        "reason": row.reason,
        "source": row.source,
        "evidence": row.evidence[:MOST_KEPT],
        "since": row.created_at.isoformat(),
        "by": row.created_by,
        "delivery_id": row.delivery_id,
        "lifted_at": now().isoformat(),
    }
    try:
        if form.reason.errors:
            raise Invalid(str(form.reason.errors[0]), "reason")
        suppressions.lift(
            db.session, row.address_key, row.kind, now(), reason=form.reason.data or "", by=who(), source=SOURCE
        )
    except Invalid as error:
        form.reason.errors = [str(error)]
        return _asked(form), 422
    db.session.commit()
    session["lifted"] = kept
    return redirect(_back(form), 303)


@bp.post("/put-back")
def put_back() -> ResponseReturnValue:
    """Undo the last lift of this browser."""
    kept = lifted()
    session.pop("lifted", None)
    if kept is None:
        raise DomainError("There is nothing to undo any more. Add the address again instead.")
    entry = SuppressionEntry(
        kept["address_key"],
        SuppressionKind(kept["kind"]),
        SuppressionScope(kept["scope"]),
        kept["reason"],
        kept["source"],
        kept["evidence"],
        instant(kept["since"]),
    )
    done = suppressions.put_back(
        db.session, entry, now(), by=who(), created_by=kept["by"], delivery_id=kept["delivery_id"]
    )
    db.session.commit()
    flash("Undone: it is suppressed again." if done else "It is suppressed again already.", "ok")
    return redirect(_back(LiftForm()), 303)


def lifted() -> dict[str, Any] | None:
    """What this browser lifted last, as long as it can be undone."""
    kept: dict[str, Any] | None = session.get("lifted")
    at = instant(kept["lifted_at"]) if kept else None
    return kept if at is not None and now() - at < UNDO_FOR else None


def _url(filters: dict[str, Any], place: SuppressionPlace) -> str:
    """The list's address at a place, under its filters."""
    return url_for("suppressions.index", **(filters | place_args(place)))


def _asked(form: LiftForm) -> str:
    row = _row(form)
    if row is None:
        raise NotFound("This address is not suppressed any more.")
    return render_template("suppressions/lift.html", form=form, row=row)


def _row(form: LiftForm) -> Suppression | None:
    key, kind = (form.address_key.data or "")[:320], form.of()
    rows = suppressions.holding(db.session, [key]) if key else []
    return next((row for row in rows if row.kind is kind), None)


def _back(form: LiftForm | DoNotMailForm) -> str:
    client = _number(form.client.data)
    if client:
        return url_for("clients.show", client_id=client, _anchor="consent-title")
    return url_for("suppressions.index")


def _number(text: str | None) -> int:
    return int(text) if text and text.isdecimal() and len(text) < 19 else 0


def _beside(page: SuppressionPage) -> dict[str, Any]:
    """What stands beside the rows: who has the address, and which mail it was."""
    return {
        "clients": listing.clients(db.session, [row.address_key for row in page.rows]),
        "mails": {
            id_: url_for("deliveries.show", broadcast_id=id_ // CLIENTS, delivery_id=id_)
            for id_ in listing.mails(db.session, [row.delivery_id for row in page.rows if row.delivery_id])
        },
    }
