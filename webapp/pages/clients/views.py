"""The clients: the list, and one with what they hold and the mails they got."""

from typing import Any

from flask import Blueprint, render_template, request

from webapp.adapters.clock import now
from webapp.core import audience, clients
from webapp.core.audience import client_name
from webapp.core.audience.wording import country_name, language_name
from webapp.core.broadcasts import reported
from webapp.core.consent import standing
from webapp.core.rules import reasons
from webapp.extensions import db
from webapp.pages import shell
from webapp.pages.broadcasts import draft
from webapp.pages.clients.forms import SearchForm
from webapp.pages.fragments import fragment
from webapp.pages.suppressions.forms import DoNotMailForm, source_label
from webapp.pages.suppressions.views import lifted

bp = Blueprint("clients", __name__, url_prefix="/clients")

NAMES = {"country_name": country_name, "language_name": language_name, "client_name": client_name}


@bp.get("/")
def index() -> str:
    """The list; for htmx only the part below the filters."""
    is_fragment = request.headers.get("HX-Request") and not request.headers.get("HX-History-Restore-Request")
    directory = audience.directory(db.session)
    form = SearchForm(request.args)
    if not is_fragment:
        form.offer(clients.values(db.session, directory))
    wanted = form.wanted()
    context: dict[str, Any] = {
        "form": form,
        "page": clients.search(db.session, wanted, _number(request.args.get("page")), directory),
        "narrowed": not wanted.is_empty,
        "filters": {name: value for name, value in request.args.items() if value and name != "page"},
        **NAMES,
    }
    return (
        fragment("clients/_client_list.html", **context)
        if is_fragment
        else render_template("clients/index.html", **context)
    )


@bp.get("/<int:client_id>")
def show(client_id: int) -> str:
    client = clients.get(db.session, client_id)
    standing_now = standing.of_client(db.session, client)
    today = now().astimezone(shell.viewer_zone()).date()
    sent = clients.mails(db.session, client_id)
    return render_template(
        "clients/show.html",
        client=client,
        name=client_name(client),
        standing=standing_now,
        do_not_mail=DoNotMailForm(formdata=None),
        lifted=lifted() if client.address_key else None,
        source_label=source_label,
        mails=[
            (delivery, draft.title(broadcast), reasons.in_words(delivery.state, delivery.reason))
            for delivery, broadcast in sent
        ],
        reports=reported.facts_of(db.session, [delivery.id for delivery, _ in sent]),
        overdue={service.id for service in client.services if clients.is_overdue(service, today)},
        **NAMES,
    )


def _number(text: str | None) -> int:
    return int(text) if text and text.isdecimal() and len(text) < 9 else 1
