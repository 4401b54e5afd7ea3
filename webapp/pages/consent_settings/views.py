"""Settings, Consent: topics, how unknown choices count, who the business is on public pages, what counts as a bounce, and hashes."""

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from webapp.adapters.clock import now
from webapp.adapters.database import will_write
from webapp.core.broadcasts import drafts
from webapp.core.consent import hashing, settings, topics
from webapp.core.errors import Invalid
from webapp.core.rules import final_refusals
from webapp.extensions import db
from webapp.pages.consent_settings.forms import ConsentForm, TopicForm

bp = Blueprint("consent_settings", __name__, url_prefix="/settings/consent")


@bp.get("/")
def index() -> ResponseReturnValue:
    return _page(ConsentForm.of(settings.read(db.session)))


@bp.post("/")
def save() -> ResponseReturnValue:
    form = ConsentForm()
    if not form.validate_on_submit():
        return _page(form), 422
    try:
        settings.save(db.session, form.wanted(settings.read(db.session)))
    except Invalid as error:
        db.session.rollback()
        form[error.field or "business_name"].errors = [str(error)]
        return _page(form), 422
    if not form.may_count.data:
        drafts.count_nothing(db.session)
    db.session.commit()
    flash("Saved. Counts and senders heed it from now on.", "ok")
    return redirect(url_for("consent_settings.index"), 303)


@bp.post("/topics")
def add_topic() -> ResponseReturnValue:
    form = TopicForm()
    try:
        topics.add(db.session, form.name.data or "", form.description.data or "")
    except Invalid as error:
        db.session.rollback()
        form[error.field or "name"].errors = [str(error)]
        return _page(ConsentForm.of(settings.read(db.session)), topic=form), 422
    db.session.commit()
    flash("The topic can be chosen for marketing from now on.", "ok")
    return _to_topics()


@bp.post("/topics/<int:topic_id>")
def change_topic(topic_id: int) -> ResponseReturnValue:
    form = TopicForm()
    topics.change(db.session, topic_id, form.name.data or "", form.description.data or "")
    db.session.commit()
    flash("Saved.", "ok")
    return _to_topics()


@bp.post("/topics/<int:topic_id>/retire")
def retire_topic(topic_id: int) -> ResponseReturnValue:
    topics.retire(db.session, topic_id, now())
    db.session.commit()
    flash("The topic is offered no more. Mass mails that have it keep it.", "ok")
    return _to_topics()


@bp.post("/topics/<int:topic_id>/bring-back")
def bring_topic_back(topic_id: int) -> ResponseReturnValue:
    topics.bring_back(db.session, topic_id)
    db.session.commit()
    flash("The topic is offered again. Who declined it has still declined it.", "ok")
    return _to_topics()


@bp.post("/hashes")
def hash_addresses() -> ResponseReturnValue:
    """Keep addresses as hashes from now on, and turn those there are, in short transactions. What was turned stays so if it ends early."""
    will_write(db.session)
    settings.keep_hashed(db.session)
    db.session.commit()
    turned = True
    while turned:
        will_write(db.session)
        turned = hashing.turn_some(db.session) > 0
        db.session.commit()
    flash("Addresses are kept as hashes from now on.", "ok")
    return redirect(url_for("consent_settings.index", _anchor="hashes-title"), 303)


def _to_topics() -> ResponseReturnValue:
    return redirect(url_for("consent_settings.index", _anchor="topics-title"), 303)


def _page(form: ConsentForm, topic: TopicForm | None = None) -> str:
    return render_template(
        "consent_settings/index.html",
        form=form,
        topic=topic or TopicForm(formdata=None),
        topics=topics.listing(db.session),
        keep_hashed=settings.read(db.session).keep_hashed,
        left=hashing.left(db.session),
        refusals=[form[reason] for reason in final_refusals.USUAL],
    )
