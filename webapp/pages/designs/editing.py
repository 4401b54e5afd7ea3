"""A template written or changed: each save is a version of its own."""

from itertools import groupby
from typing import Any

from flask import current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from webapp.adapters.clock import now
from webapp.core.designs import library
from webapp.core.designs.library import DesignText
from webapp.core.errors import Invalid
from webapp.core.rules import tags
from webapp.core.rules.media import names
from webapp.core.rules.statuses import MessageType
from webapp.core.tables.branding import DesignKind
from webapp.extensions import db
from webapp.pages.designs.blueprint import bp


@bp.get("/templates/new")
def new() -> str:
    return _page(None, DesignText(), "", 0)


@bp.post("/templates/new")
def create() -> ResponseReturnValue:
    said, name = _sent(), request.form.get("name", "")
    try:
        made = library.make(db.session, name, DesignKind.MESSAGE, said, current_user.email, now())
    except Invalid as error:
        db.session.rollback()
        return _page(None, said, name, 0, error), 422
    db.session.commit()
    flash("The template is kept.", "ok")
    return redirect(url_for("designs.show", design_id=made.design.id), 303)


@bp.get("/templates/<int:design_id>/edit")
def edit(design_id: int) -> str:
    shelved = library.get(db.session, design_id)
    return _page(design_id, DesignText.of(shelved.version), shelved.design.name, shelved.version.number)


@bp.post("/templates/<int:design_id>/edit")
def save(design_id: int) -> ResponseReturnValue:
    said, seen, note = _sent(), request.form.get("seen", 0, type=int), request.form.get("note", "")
    try:
        version = library.change(db.session, design_id, seen, said, note, current_user.email, now())
    except Invalid as error:
        db.session.rollback()
        name = library.get(db.session, design_id).design.name
        return _page(design_id, said, name, seen, error), 422
    db.session.commit()
    flash(
        f"Saved as version {version.number}. Drafts that were made from it are offered it, and stay as they are.", "ok"
    )
    return redirect(url_for("designs.show", design_id=design_id), 303)


def _sent() -> DesignText:
    html = request.form.get("html", "").replace("\r\n", "\n")
    subject, preheader = (" ".join(request.form.get(name, "").split())[:900] for name in ("subject", "preheader"))
    return DesignText(subject, preheader, html)


def _page(
    design_id: int | None, said: DesignText, name: str, seen: int, error: Invalid | None = None, **more: Any
) -> str:
    known = tags.tags_for(MessageType.ADDONS)
    return render_template(
        "designs/edit.html",
        design_id=design_id,
        form=said,
        name=name,
        seen=seen,
        error=error,
        tags=known,
        service_fields=tags.FIELDS,
        hosted=f"{current_app.config['PUBLIC_URL']}/{names.PLACE}/",
        tag_groups=[(group.value, list(members)) for group, members in groupby(known, lambda tag: tag.group)],
        **more,
    )
