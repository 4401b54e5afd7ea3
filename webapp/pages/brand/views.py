"""Settings, Brand: how mails look, with all that follows from it to be seen while it is chosen."""

from dataclasses import replace

from flask import Blueprint, Response, current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from webapp.adapters.clock import now
from webapp.core.branding import brands
from webapp.core.branding.brands import EVERYONE
from webapp.core.consent import settings
from webapp.core.errors import Invalid, NotFound
from webapp.core.rules.branding.look import BrandLook, Legibility, Palette
from webapp.core.rules.branding.look import legibility as legibility_of
from webapp.core.tables.branding import Brand
from webapp.extensions import db
from webapp.pages.brand import sample
from webapp.pages.brand.forms import THEMES, BrandForm, tried
from webapp.pages.content.views import MAIL_POLICY
from webapp.pages.fragments import fragment

bp = Blueprint("brand", __name__, url_prefix="/settings/brand")

WIDTHS = (
    (320, "A small phone"),
    (375, "Mail on an iPhone"),
    (414, "Gmail on a phone"),
    (600, "Outlook, beside the list"),
    (768, "Mail on a tablet"),
    (1024, "Gmail in a browser"),
)
"""Pixels that mail programs have for a mail."""


@bp.get("/")
def index() -> ResponseReturnValue:
    brand = _brand()
    return _page(BrandForm.of(brands.values_of(brand) if brand else BrandLook()))


@bp.post("/")
def save() -> ResponseReturnValue:
    form = BrandForm()
    if not form.validate_on_submit():
        return _page(form), 422
    try:
        brands.save(db.session, _address(), form.wanted(), current_user.email, now())
    except Invalid as error:
        db.session.rollback()
        form[error.field if error.field in form else "footer"].errors = [str(error)]
        return _page(form), 422
    db.session.commit()
    flash("Saved. New mass mails stand in it; those that are scheduled keep what they have.", "ok")
    return redirect(url_for("brand.index", sender=_address() or None), 303)


@bp.post("/remove")
def remove() -> ResponseReturnValue:
    address = _address()
    brands.remove(db.session, address, current_user.email, now())
    db.session.commit()
    flash(f"{address} has no brand of its own any more." if address else "Mails stand in no brand any more.", "ok")
    return redirect(url_for("brand.index"), 303)


@bp.get("/mail")
def mail() -> ResponseReturnValue:
    """A mail in the brand, or in the one that is being tried out, alone on its page."""
    look = tried(_look(), request.args)
    theme = "dark" if "dark" in request.args else "light"
    page = sample.mail(look, current_app.config["PUBLIC_URL"], theme)
    return Response(page, headers={"Content-Security-Policy": MAIL_POLICY, "Cache-Control": "no-store"})


@bp.get("/legibility")
def legibility() -> str:
    """How well the colours that are being tried out can be read."""
    return fragment("brand/_legibility.html", judged=_judged(tried(_look(), request.args)))


def _judged(look: BrandLook) -> list[tuple[str, list[Legibility]]]:
    palettes: list[tuple[str, Palette]] = [(theme, getattr(look, theme)) for theme in THEMES]
    return [(f"By {theme}", list(legibility_of(palette))) for theme, palette in palettes]


def _address() -> str:
    """Whose brand it is about: the address of a sender, or EVERYONE. Raises NotFound."""
    address = request.values.get("sender", EVERYONE).strip().lower()
    if address and address not in (*brands.addresses(db.session), *brands.own(db.session)):
        raise NotFound("This sender is not in the list any more.")
    return address


def _brand() -> Brand | None:
    return brands.in_force(db.session, _address())


def _look() -> BrandLook:
    brand = _brand()
    if brand is not None:
        return brands.look_of(db.session, brand)
    known = settings.read(db.session)
    return BrandLook().by(known.business_name, known.postal_address)


def _page(form: BrandForm) -> str:
    address, brand = _address(), _brand()
    typed = {name: str(form[name].data or "") for name in form.data if name not in ("logo", "csrf_token")}
    look = tried(_look(), typed)
    return render_template(
        "brand/index.html",
        form=form,
        address=address,
        brand=brand,
        is_own=brand is not None and brand.from_address == address,
        addresses=brands.addresses(db.session),
        own=brands.own(db.session),
        logo=brands.logo_of(db.session, brand) if brand else None,
        look=replace(look, logo=None),
        judged=_judged(look),
        widths=WIDTHS,
        themes=THEMES,
    )
