"""Settings, Domains: what DNS says of the domains that mails come from, the records to set, and our keys."""

from flask import Blueprint, current_app, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from webapp.adapters import clock, domain_round
from webapp.adapters.database import writes_from_here
from webapp.adapters.dns import resolver
from webapp.core.domains import checks, keys
from webapp.core.domains.checks import DomainSeen
from webapp.core.domains.sealing import Seal
from webapp.core.errors import Conflict, Invalid, NotFound
from webapp.core.rules.sender_domains.answers import readable
from webapp.extensions import db
from webapp.pages.domains.forms import RouteForm, SelectorsForm

bp = Blueprint("domains", __name__, url_prefix="/settings/domains")


@bp.get("/")
def index() -> ResponseReturnValue:
    return _page()


@bp.get("/<domain>")
def show(domain: str) -> ResponseReturnValue:
    return _shown(_known(domain))


@bp.post("/<domain>/check")
def check(domain: str) -> ResponseReturnValue:
    """Look now. It takes as long as DNS takes, at most some seconds; nothing of the database is held meanwhile."""
    _known(domain)
    db.session.rollback()
    servers, bounces_to = current_app.config["DNS"], current_app.config["BOUNCE_ADDRESS"] or ""
    domain_round.look_at(db.engine, domain, resolver(servers), bounces_to)
    flash(f"{readable(domain)} was looked at.", "ok")
    return redirect(url_for("domains.show", domain=domain))


@bp.post("/route")
def set_route() -> ResponseReturnValue:
    form = RouteForm()
    if form.validate_on_submit():
        try:
            checks.save_route(db.session, form.leaves_from.data or "", form.spf_include.data or "")
        except Invalid as error:
            db.session.rollback()
            form[error.field or "leaves_from"].errors = [str(error)]
        else:
            db.session.commit()
            flash("Saved. It counts when a domain is looked at next.", "ok")
            return redirect(url_for("domains.index"))
    return _page(form), 422


@bp.post("/<domain>/selectors")
def set_selectors(domain: str) -> ResponseReturnValue:
    form = SelectorsForm()
    seen = _known(domain)
    if form.validate_on_submit():
        try:
            checks.name_selectors(db.session, domain, form.selectors.data or "")
        except Invalid as error:
            db.session.rollback()
            form.selectors.errors = [str(error)]
        else:
            db.session.commit()
            return check(domain)
    return _shown(seen, form), 422


@bp.post("/<domain>/keys")
def make_keys(domain: str) -> ResponseReturnValue:
    _known(domain)
    writes_from_here(db.session)
    try:
        keys.make(db.session, domain, _seal(), clock.now())
    except Conflict as error:
        db.session.rollback()
        flash(str(error), "warn")
    else:
        db.session.commit()
        flash("The keys are made. Publish their records; they sign once DNS shows them.", "ok")
    return redirect(url_for("domains.show", domain=domain, _anchor="keys-title"))


@bp.post("/<domain>/keys/withdraw")
def withdraw_keys(domain: str) -> ResponseReturnValue:
    _known(domain)
    keys.withdraw(db.session, domain)
    db.session.commit()
    flash("The keys that waited are gone.", "ok")
    return redirect(url_for("domains.show", domain=domain, _anchor="keys-title"))


@bp.post("/<domain>/keys/stop")
def stop_keys(domain: str) -> ResponseReturnValue:
    _known(domain)
    writes_from_here(db.session)
    keys.stop(db.session, domain, clock.now())
    db.session.commit()
    flash("In a few minutes nothing is signed any more. Leave the records in DNS for a week.", "ok")
    return redirect(url_for("domains.show", domain=domain, _anchor="keys-title"))


def _known(domain: str) -> DomainSeen:
    for one in checks.listing(db.session):
        if one.domain == domain:
            return one
    raise NotFound("No sender has an address of this domain (any more).")


def _seal() -> Seal:
    return Seal(current_app.config["SECRET_KEY"])


def _page(form: RouteForm | None = None) -> str:
    route = checks.route(db.session)
    filled = RouteForm(formdata=None, leaves_from=", ".join(route.leaves_from), spf_include=route.spf_include)
    relay, seen = current_app.config["RELAY"], checks.listing(db.session)
    return render_template("domains/index.html", form=form or filled, seen=seen, relay=relay)


def _shown(seen: DomainSeen, form: SelectorsForm | None = None) -> str:
    typed = ", ".join(f"{selector}._domainkey.{domain}" if domain else selector for selector, domain in seen.selectors)
    found = keys.listing(db.session, seen.domain, _seal(), clock.now())
    states = {key.state for key in found}
    return render_template(
        "domains/show.html",
        seen=seen,
        keys=found,
        is_waiting=keys.KeyState.WAITING in states,
        is_signing=keys.KeyState.SIGNING in states,
        form=form or SelectorsForm(formdata=None, selectors=typed),
        asks_dns=current_app.config["DNS"] is not None,
    )
