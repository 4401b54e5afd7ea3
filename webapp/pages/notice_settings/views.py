"""Who hears of what happens by itself, and the webhook of the house."""

import secrets

from flask import Blueprint, current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from webapp.adapters import webhooks
from webapp.adapters.clock import now
from webapp.core.errors import Conflict, Invalid
from webapp.core.notices import choices, outbox, webhook
from webapp.core.notices.choices import NoticePreference
from webapp.core.rules.notices import NoticeKind, Scope
from webapp.core.settings import from_addresses
from webapp.extensions import db
from webapp.pages.notice_settings.forms import WebhookForm

TEST_TYPE = "webhook.test"

bp = Blueprint("notice_settings", __name__, url_prefix="/settings/notices")


@bp.get("/")
def index() -> ResponseReturnValue:
    return _page()


@bp.post("/who")
def who() -> ResponseReturnValue:
    chosen = {}
    for user, before in choices.listing(db.session):
        if f"scope-{user.id}" in request.form:
            try:
                scope = Scope(request.form[f"scope-{user.id}"])
            except ValueError:
                scope = before.scope
            chosen[user.id] = NoticePreference(by_mail=f"mail-{user.id}" in request.form, scope=scope)
    choices.save(db.session, chosen)
    db.session.commit()
    flash("Who hears of what is saved.", "ok")
    return redirect(url_for("notice_settings.index"))


@bp.post("/webhook")
def set_up() -> ResponseReturnValue:
    """A first address, or another one."""
    form = WebhookForm()
    try:
        if webhook.read(db.session) is None:
            secret = webhook.set_up(db.session, form.url.data or "", now())
            db.session.commit()
            return _page(secret=secret)
        webhook.change_url(db.session, form.url.data or "")
    except (Invalid, Conflict) as error:
        db.session.rollback()
        form.url.errors = [str(error)]
        return _page(form), 409 if isinstance(error, Conflict) else 422
    db.session.commit()
    flash("Another address is called from now on, signed by the same secret.", "ok")
    return redirect(url_for("notice_settings.index", _anchor="webhook-title"))


@bp.post("/webhook/secret")
def new_secret() -> ResponseReturnValue:
    secret = webhook.rotate(db.session, now())
    db.session.commit()
    return _page(secret=secret)


@bp.post("/webhook/remove")
def remove() -> ResponseReturnValue:
    webhook.remove(db.session)
    db.session.commit()
    flash("The webhook is removed. Nobody is called any more.", "ok")
    return redirect(url_for("notice_settings.index", _anchor="webhook-title"))


@bp.post("/webhook/test")
def send_test() -> ResponseReturnValue:
    """Call the webhook now and show its answer. Nothing of the database is held meanwhile."""
    hook, at = webhook.get(db.session), now()
    url, signed_by = hook.url, webhook.secrets_of(hook, at)
    db.session.rollback()
    told = {"type": TEST_TYPE, "timestamp": at.isoformat(), "data": {"url": current_app.config["PUBLIC_URL"]}}
    inside = current_app.config["WEBHOOK_INSIDE"]
    answer = webhooks.call(url, signed_by, f"test_{secrets.token_hex(8)}", told, at, inside=inside)
    return _page(answer=answer)


@bp.post("/again/<int:dispatch_id>")
def try_again(dispatch_id: int) -> ResponseReturnValue:
    outbox.try_again(db.session, dispatch_id, now())
    db.session.commit()
    flash("It is tried again within half a minute.", "ok")
    return redirect(url_for("notice_settings.index", _anchor="troubles-title"))


def _page(form: WebhookForm | None = None, **extra: object) -> str:
    hook = webhook.read(db.session)
    return render_template(
        "notice_settings/index.html",
        form=form or WebhookForm(formdata=None, url=hook.url if hook else ""),
        hook=hook,
        signs_old_too=hook is not None and len(webhook.secrets_of(hook, now())) > 1,
        hearers=choices.listing(db.session),
        me=current_user.id,
        scopes=list(Scope),
        events=[kind.event for kind in NoticeKind],
        sender=current_app.config["MAIL_DEFAULT_SENDER"] or from_addresses.default(db.session),
        troubles=outbox.troubles(db.session),
        **extra,
    )
