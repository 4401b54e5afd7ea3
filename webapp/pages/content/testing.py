"""Test sends of a message: to a few addresses, for one recipient or several who are worth looking at, or as a file."""

import re
from dataclasses import replace
from typing import Any

from flask import Response, current_app, render_template, request
from flask.typing import ResponseReturnValue
from flask_login import current_user

from webapp.adapters.clock import now, reading
from webapp.adapters.database import writes_from_here
from webapp.core import audience, broadcasts
from webapp.core.content import previews, trial_sends
from webapp.core.content.languages import languages_of
from webapp.core.domains import signing
from webapp.core.domains.sealing import Seal
from webapp.core.errors import DomainError
from webapp.core.ports import Mail
from webapp.core.tables.broadcasts import Broadcast
from webapp.extensions import db, mail
from webapp.pages.broadcasts import draft
from webapp.pages.content.blueprint import bp, language
from webapp.pages.content.people import chosen
from webapp.pages.fragments import fragment

PATIENCE = {"connect_timeout": 10.0, "command_timeout": 30.0, "dot_timeout": 60.0}
"""Seconds that somebody who waits before a page gives the relay; a broadcast has more."""


@bp.get("/test")
def test(broadcast_id: int) -> ResponseReturnValue:
    """The form of a test send as a page, for browsers without JavaScript."""
    return _test_page(draft.load(broadcast_id, "content"), to=current_user.email)


@bp.get("/tests")
def tests(broadcast_id: int) -> str:
    """The tests of this message: who sent them, when, to whom."""
    broadcast = broadcasts.get(db.session, broadcast_id)
    sent = trial_sends.listing(db.session, broadcast_id)
    return fragment("content/_tests.html", broadcast=broadcast, tests=sent)


@bp.get("/test-variants")
def test_variants(broadcast_id: int) -> str:
    """As whom a test can be made beside whoever the preview shows."""
    broadcast = broadcasts.get(db.session, broadcast_id)
    extremes = previews.extremes_of(db.session, broadcast, text=language())
    return fragment(
        "content/_test_variants.html",
        broadcast=broadcast,
        person=chosen(broadcast),
        extremes=extremes,
        texts=_other_texts(broadcast),
    )


@bp.get("/test.eml")
def eml(broadcast_id: int) -> Response:
    """The mail of one recipient as it would leave, as a file that mail programs open."""
    broadcast, at = broadcasts.get(db.session, broadcast_id), now()
    seal, url = Seal(current_app.config["SECRET_KEY"]), current_app.config["PUBLIC_URL"]
    one = trial_sends.as_it_leaves(db.session, broadcast, chosen(broadcast), at, url, text=language())
    (one,) = signing.signed_trial(db.session, [one], broadcast.from_address, seal, at)
    stem = re.sub(r"[^A-Za-z0-9]+", "-", draft.title(broadcast)).strip("-")[:60] or "mail"
    headers = {"Content-Disposition": f'attachment; filename="{stem}.eml"', "Cache-Control": "no-store"}
    return Response(one.whole, mimetype="message/rfc822", headers=headers)


@bp.post("/test")
def send_test(broadcast_id: int) -> ResponseReturnValue:
    """Send the draft to a few addresses, and say what the relay answered."""
    broadcast = broadcasts.get(db.session, broadcast_id)
    to, problem, person = request.form.get("to", ""), None, chosen(broadcast)
    try:
        at, seal, url = now(), Seal(current_app.config["SECRET_KEY"]), current_app.config["PUBLIC_URL"]
        made_for = _variants(broadcast, person)
        addresses = trial_sends.addresses(to)
        batch = trial_sends.mails(db.session, broadcast, made_for, addresses, at, url)
        batch = signing.signed_trial(db.session, batch, broadcast.from_address, seal, at)
        results = _sent(broadcast_id, batch, [one.label for one in made_for for _ in addresses])
    except DomainError as error:
        problem, results = str(error), []
        db.session.rollback()
    status = 422 if problem else 200
    if request.headers.get("HX-Request"):
        told = {"HX-Trigger": "test-sent"} if results else {}
        part = fragment("content/_test_result.html", results=results, problem=problem, person=person)
        return part, status, told
    return _test_page(draft.load(broadcast_id, "content"), to=to, results=results, problem=problem), status


def _variants(broadcast: Broadcast, person: previews.PreviewRecipient | None) -> list[trial_sends.TrialVariant]:
    """As whom the form asks for: whoever is shown, special recipients by their ids, and other texts by their languages."""
    chosen_ones = request.form.getlist("variant")
    return trial_sends.variants(
        db.session,
        broadcast,
        now().date(),
        person,
        request.form.getlist("variant", type=int),
        with_shown="shown" in chosen_ones,
        text=language(),
        languages=[one.removeprefix("text:") for one in chosen_ones if one.startswith("text:")],
    )


def _sent(broadcast_id: int, batch: list[Mail], labels: list[str]) -> list[trial_sends.Result]:
    """Hand over the mails of a test, written down before and after. The relay may take its time: meanwhile the database is let go of."""
    writes_from_here(db.session)
    tester = trial_sends.Tester(current_user.id, current_user.email)
    broadcast, per_hour = broadcasts.get(db.session, broadcast_id), current_app.config["TESTS_PER_HOUR"]
    ids = trial_sends.begin(db.session, broadcast, batch, tester, per_hour, reading(), labels)
    db.session.commit()
    results = list(trial_sends.send(batch, lambda one: mail.send_one(one, **PATIENCE)))
    writes_from_here(db.session)
    trial_sends.settle(db.session, ids, results)
    db.session.commit()
    return [replace(result, variant=label) for result, label in zip(results, labels, strict=True)]


def _other_texts(broadcast: Broadcast) -> list[tuple[str, str]]:
    """The texts beside the one that the page is about, each by its language and its name."""
    others = (one for one in languages_of(broadcast) if one != language())
    return [(one, audience.language_name(one or broadcast.main_language)) for one in others]


def _test_page(frame: draft.Draft, **context: Any) -> str:
    broadcast, person = frame.broadcast, chosen(frame.broadcast)
    sent = trial_sends.listing(db.session, broadcast.id)
    extremes = previews.extremes_of(db.session, broadcast, text=language())
    return render_template(
        "content/test.html",
        draft=frame,
        broadcast=broadcast,
        person=person,
        tests=sent,
        extremes=extremes,
        texts=_other_texts(broadcast),
        **context,
    )
