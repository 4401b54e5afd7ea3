"""The ledger of a mass mail, and the mail of each recipient."""

import re
from urllib.parse import urlsplit

from flask import (
    Blueprint,
    Response,
    current_app,
    make_response,
    render_template,
    request,
    stream_with_context,
    url_for,
)
from flask.typing import ResponseReturnValue

from webapp.adapters.clock import now
from webapp.core import broadcasts
from webapp.core.broadcasts import delivered, delivery_list, mail_uses, progress, reported
from webapp.core.broadcasts.delivery_list import DeliveryRow
from webapp.core.errors import DomainError, NotFound
from webapp.core.media.attachments import in_megabytes
from webapp.core.rules.media import names
from webapp.core.tables.broadcasts import Broadcast
from webapp.extensions import db
from webapp.pages.broadcasts import draft
from webapp.pages.deliveries import export as csv_export
from webapp.pages.deliveries import ledger
from webapp.pages.fragments import fragment
from webapp.pages.settings.relay import relay_health

bp = Blueprint("deliveries", __name__, url_prefix="/mass-mail/<int:broadcast_id>/deliveries")

MAIL_POLICY = (
    "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; style-src 'unsafe-inline'; "
    "img-src 'self' data: https:; frame-ancestors 'self'"
)
"""A mail may show its own styles and pictures; it runs nothing, sends nothing and knows nothing of the console."""

WAYS = ("html", "text", "source")


@bp.get("/")
def index(broadcast_id: int) -> ResponseReturnValue:
    """The ledger on a page of its own; with htmx only the ledger."""
    broadcast = broadcasts.named(db.session, broadcast_id)
    counts = progress.counts_of(db.session, [broadcast_id])[broadcast_id]
    relay_health()
    is_fragment = request.headers.get("HX-Request") and not request.headers.get("HX-History-Restore-Request")
    own = request.script_root + request.path
    looking_at = urlsplit(request.headers.get("HX-Current-URL", request.url)).path
    context = {
        "broadcast": broadcast,
        "title": draft.title(broadcast),
        "counts": counts,
        "ledger": ledger.load(broadcast, counts, request.args, standalone=looking_at == own),
    }
    answer = make_response(
        fragment("deliveries/_ledger.html", **context)
        if is_fragment
        else render_template("deliveries/index.html", **context)
    )
    if is_fragment and (header := _ADDRESS.get(_pressed())):
        room = "deliveries.index" if looking_at == own else "broadcasts.show"
        answer.headers[header] = ledger.url(room, broadcast_id, request.args)
    return answer


_ADDRESS = {"chip": "HX-Push-Url", "ledger-next": "HX-Push-Url", "ledger-previous": "HX-Push-Url"} | {
    "ledger-search": "HX-Replace-Url"
}
"""What the browser's address does when something of the ledger is pressed, so that Back leads to what was looked at: each choice and page
is an entry of its history, and what is typed is one."""


def _pressed() -> str:
    pressed = request.headers.get("HX-Trigger", "")
    return "chip" if pressed.startswith("chip-") else pressed


@bp.get("/export.csv")
def export(broadcast_id: int) -> ResponseReturnValue:
    """Every recipient under the filter of the page, as a download."""
    broadcast = broadcasts.get(db.session, broadcast_id)
    is_counted = broadcast.counts_clicks or broadcast.counts_opens
    group, search = ledger.group_in(request.args), ledger.search_in(request.args)
    name = f"mass-mail-{broadcast_id}{f'-{group.value}' if group else ''}.csv"
    return Response(
        stream_with_context(csv_export.lines(db.session, broadcast_id, group, search, with_uses=is_counted)),
        mimetype="text/csv",
        headers={"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"},
    )


@bp.get("/<int:delivery_id>")
def show(broadcast_id: int, delivery_id: int) -> str:
    """The mail exactly as it was rendered for this client, and what became of it."""
    broadcast, row = _found(broadcast_id, delivery_id)
    delivery = delivered.get(db.session, broadcast_id, delivery_id)
    mail, error = None, None
    try:
        mail = delivered.mail(db.session, broadcast, delivery, now(), current_app.config["PUBLIC_URL"])
    except DomainError as problem:
        error = str(problem)
    ways = [way for way in WAYS if mail and (way != "html" or mail.shown.html is not None)]
    way = request.args.get("as", "")
    return render_template(
        "deliveries/show.html",
        broadcast=broadcast,
        title=draft.title(broadcast),
        row=row,
        mail=mail,
        unmade=delivered.unmade(broadcast, delivery),
        never_sent=delivered.was_never_sent(delivery),
        error=error,
        ways=ways,
        way=way if way in ways else (ways or [""])[0],
        tries=delivered.attempts(db.session, delivery),
        reports=reported.of_delivery(db.session, delivery_id),
        files=[(name, in_megabytes(octets)) for name, octets in mail.files] if mail else [],
        uses=mail_uses.of_delivery(db.session, delivery_id),
    )


@bp.get("/<int:delivery_id>/html")
def html(broadcast_id: int, delivery_id: int) -> ResponseReturnValue:
    """The HTML part alone, for the frame on the delivery's page, under a policy of its own. Its links open in a new tab."""
    broadcast, _row = _found(broadcast_id, delivery_id)
    mail = _mail(broadcast, delivery_id)
    if mail.shown.html is None:
        raise NotFound("This mail has no HTML part.")
    target = '<base target="_blank">'
    shown = names.shown(mail.shown.html, url_for("media.index"), current_app.config["PUBLIC_URL"])
    page, done = re.subn(r"(<head[^>]*>)", rf"\1{target}", shown, count=1)
    return Response(
        page if done else target + page, mimetype="text/html", headers={"Content-Security-Policy": MAIL_POLICY}
    )


@bp.get("/<int:delivery_id>/message.eml")
def message(broadcast_id: int, delivery_id: int) -> ResponseReturnValue:
    """The whole message as it goes over the wire, as a download."""
    broadcast, _row = _found(broadcast_id, delivery_id)
    mail = _mail(broadcast, delivery_id)
    disposition = f'attachment; filename="mass-mail-{broadcast_id}-{delivery_id}.eml"'
    return Response(mail.data, mimetype="message/rfc822", headers={"Content-Disposition": disposition})


def _found(broadcast_id: int, delivery_id: int) -> tuple[Broadcast, DeliveryRow]:
    broadcast = broadcasts.get(db.session, broadcast_id)
    row = delivery_list.get(db.session, broadcast_id, delivery_id)
    if row is None:
        raise NotFound("This mass mail has no such recipient.")
    return broadcast, row


def _mail(broadcast: Broadcast, delivery_id: int) -> delivered.LedgerMail:
    """The mail, or NotFound that says why there is none."""
    delivery = delivered.get(db.session, broadcast.id, delivery_id)
    mail = delivered.mail(db.session, broadcast, delivery, now(), current_app.config["PUBLIC_URL"])
    if mail is None:
        raise NotFound(delivered.unmade(broadcast, delivery) or "There is no mail.")
    return mail
