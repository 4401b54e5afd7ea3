"""Settings, Links in mails: addresses of the business's own site that are each client's own, as tags."""

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from webapp.adapters.clock import now
from webapp.core.errors import Invalid
from webapp.core.settings import tag_links
from webapp.extensions import db
from webapp.pages.tag_links.forms import TagLinkForm

bp = Blueprint("tag_links", __name__, url_prefix="/settings/links")


@bp.get("/")
def index() -> ResponseReturnValue:
    return _page(TagLinkForm(formdata=None))


@bp.post("/")
def add() -> ResponseReturnValue:
    form = TagLinkForm()
    try:
        link = tag_links.add(db.session, form.name.data or "", form.label.data or "", form.pattern.data or "", now())
    except Invalid as error:
        db.session.rollback()
        _complain(form, error)
        return _page(form), 422
    db.session.commit()
    flash(f"{{{{ {link.name} }}}} can be used in messages from now on.", "ok")
    return redirect(url_for("tag_links.index"), 303)


@bp.post("/<int:link_id>")
def change(link_id: int) -> ResponseReturnValue:
    form = TagLinkForm()
    try:
        tag_links.change(db.session, link_id, form.label.data or "", form.pattern.data or "", now())
    except Invalid as error:
        db.session.rollback()
        _complain(form, error)
        return _page(TagLinkForm(formdata=None), changed=link_id, change_form=form), 422
    db.session.commit()
    flash("Saved. Mass mails that have started keep the address they had.", "ok")
    return redirect(url_for("tag_links.index"), 303)


@bp.post("/<int:link_id>/remove")
def remove(link_id: int) -> ResponseReturnValue:
    tag_links.remove(db.session, link_id, now())
    db.session.commit()
    flash("The link is removed. Mass mails that have started keep it.", "ok")
    return redirect(url_for("tag_links.index"), 303)


def _complain(form: TagLinkForm, error: Invalid) -> None:
    form[error.field or "pattern"].errors = [str(error)]


def _page(form: TagLinkForm, changed: int | None = None, change_form: TagLinkForm | None = None) -> str:
    """`changed` is the link whose change was refused, `change_form` what was written."""
    listed = tag_links.listing(db.session)
    forms = {one.link.id: TagLinkForm.of(one.link) for one in listed}
    if changed is not None and change_form is not None:
        forms[changed] = change_form
    return render_template("tag_links/index.html", form=form, links=listed, forms=forms, changed=changed)
