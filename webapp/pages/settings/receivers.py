"""Limits by the recipient's domain: suggested ones by one click, others on a page of their own."""

from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from webapp.core.errors import Conflict, Invalid, NotFound
from webapp.core.rules.receivers import SUGGESTIONS, ReceiverLimit, by_domain, parse_domains
from webapp.core.settings import limits, receivers
from webapp.extensions import db
from webapp.pages import wording
from webapp.pages.settings.blueprint import bp
from webapp.pages.settings.forms import DomainLimitForm


@bp.get("/sending/domains/new")
def new_domain_limit() -> str:
    return _page(DomainLimitForm(formdata=None, mails=20, connections=5))


@bp.post("/sending/domains/new")
def add_domain_limit() -> ResponseReturnValue:
    form = DomainLimitForm()
    if form.validate_on_submit():
        try:
            limit = receivers.add(db.session, _limit_of(form))
        except Invalid as error:
            _refuse(form, error)
        else:
            return _done(f"{limit.name} is given {wording.receiver(limit)} from now on.")
    return _page(form), 422


@bp.post("/sending/domains/suggested")
def add_suggested_limit() -> ResponseReturnValue:
    """Take a suggestion over, for those of its domains that have no limit yet."""
    name = request.form.get("name", "")
    suggested = next((one.limit for one in _suggestions() if one.name == name), None)
    if suggested is None:
        raise NotFound("This suggestion was taken over meanwhile.")
    limit = receivers.add(db.session, suggested)
    return _done(f"{name} is given {wording.receiver(limit)} from now on.")


@bp.get("/sending/domains/<int:limit_id>")
def domain_limit(limit_id: int) -> str:
    limit = _known(limit_id)
    form = DomainLimitForm(
        formdata=None,
        seen=receivers.digest(limit),
        domains=", ".join(limit.domains),
        mails=limit.mails,
        interval_s=limit.interval_s,
        connections=limit.connections,
    )
    return _page(form, limit)


@bp.post("/sending/domains/<int:limit_id>")
def change_domain_limit(limit_id: int) -> ResponseReturnValue:
    form = DomainLimitForm()
    if form.validate_on_submit():
        try:
            limit = receivers.change(db.session, limit_id, _limit_of(form), seen=form.seen.data or "")
        except Invalid as error:
            _refuse(form, error)
        except Conflict:
            db.session.rollback()
            theirs = _known(limit_id)
            form.seen.data = receivers.digest(theirs)
            return _page(form, theirs, is_changed=True), 409
        else:
            return _done(f"{limit.name} is given {wording.receiver(limit)} from now on.")
    return _page(form, _known(limit_id)), 422


@bp.post("/sending/domains/<int:limit_id>/remove")
def remove_domain_limit(limit_id: int) -> ResponseReturnValue:
    limit = receivers.remove(db.session, limit_id, seen=request.form.get("seen") or request.args.get("seen", ""))
    return _done(f"{limit.name} has no limit any more: mails that waited for it leave within seconds.")


def context() -> dict[str, Any]:
    """What the card of these limits is made of."""
    known = limits.receivers(db.session)
    return {
        "domain_limits": [(limit, receivers.digest(limit)) for limit in known],
        "suggestions": _suggestions(),
    }


def _suggestions() -> list[Any]:
    """The suggestions for receivers none of whose domains has a limit yet."""
    taken = by_domain(limits.receivers(db.session))
    return [one for one in SUGGESTIONS if not any(domain in taken for domain in one.limit.domains)]


def _known(limit_id: int) -> ReceiverLimit:
    for limit in limits.receivers(db.session):
        if limit.id == limit_id:
            return limit
    raise NotFound("This limit was removed, or is for other domains by now.")


def _limit_of(form: DomainLimitForm) -> ReceiverLimit:
    """What the form says. Raises Invalid for what is no domain."""
    domains = parse_domains(form.domains.data or "")
    return ReceiverLimit(domains, form.mails.data or 0, form.interval_s.data, form.connections.data or 0)


def _refuse(form: DomainLimitForm, error: Invalid) -> None:
    db.session.rollback()
    form[error.field or "domains"].errors = [str(error)]


def _page(form: DomainLimitForm, limit: ReceiverLimit | None = None, *, is_changed: bool = False) -> str:
    return render_template("settings/domain_limit.html", form=form, limit=limit, is_changed=is_changed)


def _done(words: str) -> ResponseReturnValue:
    db.session.commit()
    flash(words, "ok")
    return redirect(url_for("settings.sending", _anchor="domains-title"), 303)
