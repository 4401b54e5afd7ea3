"""Events from the relay: the public address that relays call, and the page in the settings that is about it."""

import logging
from urllib.parse import urljoin

from flask import Blueprint, Response, current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as NoConnection
from werkzeug.exceptions import RequestEntityTooLarge

from webapp.adapters import relay_calls
from webapp.adapters.amazon import Amazon
from webapp.adapters.clock import now
from webapp.adapters.relay_calls import NOT_HERE, CallAnswer, Trial
from webapp.core import events
from webapp.core.consent import event_sources
from webapp.core.consent.event_sources import Given
from webapp.core.errors import Invalid
from webapp.core.rules.relay_events import passwords
from webapp.core.rules.relay_events.matching import matching_header
from webapp.core.rules.relay_events.providers import MAKERS, Provider
from webapp.core.tables.deliveries import CLIENTS
from webapp.extensions import csrf, db
from webapp.pages.relay_events.forms import KeyForm
from webapp.pages.relay_events.guides import GUIDES

LAST = 30
"""Events that the pages show."""

COME_BACK_S = 60
"""When a relay may try again, if the database is away."""

PROVIDERS = ",".join(Provider)

log = logging.getLogger(__name__)

bp = Blueprint("relay_events", __name__)
amazon = Amazon()


@bp.post("/events/<provider>/<secret>", provide_automatic_options=False)
def receive(provider: str, secret: str) -> Response:
    """What a relay calls. No cookie and no form: the secret in the address finds the source, and the body proves who calls."""
    if provider not in list(Provider):
        return _plain(NOT_HERE)
    maker, session = Provider(provider), db.session
    try:
        raw, headers = request.get_data(), dict(request.headers.items())
        return _plain(relay_calls.receive(session, maker, secret, raw, headers, now, amazon, events.record))
    except RequestEntityTooLarge:
        return _plain(CallAnswer(413, "It is larger than a report of events can be."))
    except (DBAPIError, NoConnection) as error:
        about = {"event": "relay_call_failed", "provider": maker.value}
        log.error("an event of %s could not be kept: %s", maker.label, error, extra=about)
        _undo()
        return _plain(CallAnswer(MAKERS[maker].comes_again, "It cannot be kept just now. Try again later."))


csrf.exempt(receive)


@bp.get("/settings/relay-events/")
def index() -> str:
    at = now()
    sources = event_sources.listing(db.session)
    return render_template(
        "relay_events/index.html",
        sources=[(source, event_sources.unheard(db.session, source, at)) for source in sources],
        providers=list(Provider),
        latest=event_sources.latest(db.session, LAST),
        broadcast_of=_broadcast_of,
    )


@bp.get(f"/settings/relay-events/add/<any({PROVIDERS}):provider>")
def new(provider: str) -> str:
    return _new(Provider(provider), KeyForm(formdata=None))


@bp.post(f"/settings/relay-events/add/<any({PROVIDERS}):provider>")
def add(provider: str) -> ResponseReturnValue:
    form = KeyForm()
    try:
        given = event_sources.add(db.session, Provider(provider), form.key.data or "", now())
    except Invalid as error:
        form.key.errors = [str(error)]
        return _new(Provider(provider), form), 422
    db.session.commit()
    return _page(given.source_id, given=given)


@bp.get("/settings/relay-events/<int:source_id>/")
def show(source_id: int) -> str:
    return _page(source_id)


@bp.post("/settings/relay-events/<int:source_id>/key")
def change_key(source_id: int) -> ResponseReturnValue:
    form = KeyForm()
    try:
        event_sources.change_key(db.session, source_id, form.key.data or "")
    except Invalid as error:
        db.session.rollback()
        form.key.errors = [str(error)]
        return _page(source_id, form), 422
    db.session.commit()
    flash("Saved. Calls are believed by this key from now on.", "ok")
    return _back(source_id)


@bp.post("/settings/relay-events/<int:source_id>/address")
def new_address(source_id: int) -> ResponseReturnValue:
    given = event_sources.new_address(db.session, source_id, now())
    db.session.commit()
    return _page(source_id, given=given)


@bp.post("/settings/relay-events/<int:source_id>/switch")
def switch(source_id: int) -> ResponseReturnValue:
    on = request.form.get("on") == "1"
    event_sources.switch(db.session, source_id, on=on)
    db.session.commit()
    flash("Its calls are taken again." if on else "Its calls are not taken any more.", "ok")
    return _back(source_id)


@bp.post("/settings/relay-events/<int:source_id>/header")
def header(source_id: int) -> ResponseReturnValue:
    on = request.form.get("on") == "1"
    event_sources.add_header(db.session, source_id, on=on)
    db.session.commit()
    flash(
        "Mails compiled from now on bear the header." if on else "Mails compiled from now on do not bear the header.",
        "ok",
    )
    return _back(source_id)


@bp.post("/settings/relay-events/<int:source_id>/remove")
def remove(source_id: int) -> ResponseReturnValue:
    event_sources.remove(db.session, source_id)
    db.session.commit()
    flash("The source is removed. What it said of mails stays.", "ok")
    return redirect(url_for("relay_events.index"), 303)


@bp.post("/settings/relay-events/<int:source_id>/try")
def try_out(source_id: int) -> ResponseReturnValue:
    """Send a sample the way of a call and show how far it came. Nothing of it is kept."""
    return _page(source_id, trial=relay_calls.try_out(db.session, source_id, now(), events.record))


def _back(source_id: int) -> ResponseReturnValue:
    return redirect(url_for("relay_events.show", source_id=source_id), 303)


def _new(provider: Provider, form: KeyForm) -> str:
    form.key.label.text = MAKERS[provider].key_word[:1].upper() + MAKERS[provider].key_word[1:]
    return render_template("relay_events/new.html", provider=provider, guide=GUIDES[provider], form=form)


def _page(source_id: int, form: KeyForm | None = None, given: Given | None = None, trial: Trial | None = None) -> str:
    source = event_sources.get(db.session, source_id)
    maker = MAKERS[source.provider]
    form = form or KeyForm(formdata=None)
    form.key.label.text = maker.key_word[:1].upper() + maker.key_word[1:]
    return render_template(
        "relay_events/show.html",
        source=source,
        maker=maker,
        guide=GUIDES[source.provider],
        form=form,
        given=given,
        address=_address(source.provider, given.secret) if given else None,
        shown_address=_address(source.provider, "…"),
        user=passwords.USER,
        trial=trial,
        header=matching_header(source.provider),
        unheard=event_sources.unheard(db.session, source, now()),
        latest=event_sources.latest(db.session, LAST, source.id),
        broadcast_of=_broadcast_of,
    )


def _address(provider: Provider, secret: str) -> str:
    below = url_for("relay_events.receive", provider=provider.value, secret="-")
    return f"{urljoin(current_app.config['PUBLIC_URL'], below.removesuffix('-'))}{secret}"


def _broadcast_of(delivery_id: int) -> int:
    return delivery_id // CLIENTS


def _plain(answer: CallAnswer) -> Response:
    response = Response(f"{answer.words}\n", answer.status, mimetype="text/plain")
    if answer.status == 401:
        response.headers["WWW-Authenticate"] = 'Basic realm="events"'
    if answer.status in (429, 503):
        response.headers["Retry-After"] = str(COME_BACK_S)
    return response


def _undo() -> None:
    try:
        db.session.rollback()
    except DBAPIError:
        db.session.invalidate()
