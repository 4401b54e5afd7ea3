"""Settings, Retention: how long personal data is kept. What a shorter time removes at once is said and asked before."""

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from webapp.adapters.clock import now
from webapp.core.broadcasts import forgetting
from webapp.core.broadcasts.forgetting import Effect
from webapp.core.errors import Invalid
from webapp.core.rules.retention import Retention, check
from webapp.core.settings import retention
from webapp.extensions import db
from webapp.pages.retention.forms import RetentionForm

bp = Blueprint("retention", __name__, url_prefix="/settings/retention")


@bp.get("/")
def index() -> ResponseReturnValue:
    kept = retention.read(db.session)
    return _page(RetentionForm(formdata=None, uploads_days=kept.uploads_days, values_days=kept.values_days))


@bp.post("/")
def save() -> ResponseReturnValue:
    form = RetentionForm()
    if not form.validate_on_submit():
        return _page(form), 422
    wanted = Retention(form.uploads_days.data, form.values_days.data)
    try:
        check(wanted)
    except Invalid as error:
        form[error.field or "values_days"].errors = [str(error)]
        return _page(form), 422
    effect = forgetting.effect(db.session, wanted, now())
    if effect and form.agreed.data != _told(wanted, effect):
        return _page(form, asked=effect, agreed=_told(wanted, effect)), 409
    retention.save(db.session, wanted)
    db.session.commit()
    flash("Saved. What is older is removed within minutes." if effect else "Saved.", "ok")
    return redirect(url_for("retention.index"))


def _told(wanted: Retention, effect: Effect) -> str:
    """What the question was about: another time, or more to remove meanwhile, is asked anew."""
    return f"{wanted.uploads_days} {wanted.values_days} {effect.uploads} {effect.broadcasts}"


def _page(form: RetentionForm, asked: Effect | None = None, agreed: str = "") -> str:
    return render_template("retention/index.html", form=form, asked=asked, agreed=agreed)
