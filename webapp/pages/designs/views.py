"""Content, Templates: the gallery, and one template with its versions."""

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from webapp.adapters.clock import now
from webapp.core import broadcasts
from webapp.core.branding import brands
from webapp.core.designs import library
from webapp.core.designs.library import DesignText
from webapp.core.errors import Invalid
from webapp.core.tables.branding import DesignKind
from webapp.extensions import db
from webapp.pages.designs import drafts, editing, importing, shown  # noqa: F401 - which add their routes
from webapp.pages.designs.blueprint import bp

__all__ = ["bp"]


@bp.get("/templates/")
def index() -> str:
    """All templates as pictures of the mails that they become; with `for` to start that draft from one."""
    search, archived = request.args.get("q", "").strip()[:100], "archived" in request.args
    chosen_for = request.args.get("for", type=int)
    found = library.listing(db.session, search, archived=archived)
    return render_template(
        "designs/index.html",
        kinds=[(kind, [one for one in found if one.design.kind is kind]) for kind in reversed(DesignKind)],
        search=search,
        archived=archived,
        broadcast=broadcasts.get(db.session, chosen_for) if chosen_for else None,
        has_brand=brands.in_force(db.session) is not None,
    )


@bp.get("/templates/<int:design_id>")
def show(design_id: int) -> str:
    """One template, whole, with who changed it when."""
    shelved = library.get(db.session, design_id)
    versions = library.versions(db.session, design_id)
    wanted = request.args.get("version", type=int)
    version = next((one for one in versions if one.number == wanted), shelved.version)
    return render_template(
        "designs/show.html",
        design=shelved.design,
        version=version,
        versions=versions,
        said=DesignText.of(version),
        newest=shelved.version,
    )


@bp.get("/templates/<int:design_id>/mail")
def mail(design_id: int) -> ResponseReturnValue:
    """The mail that a version becomes, for a frame."""
    versions = library.versions(db.session, library.get(db.session, design_id).design.id)
    wanted = request.args.get("version", type=int)
    version = next((one for one in versions if one.number == wanted), versions[0])
    return shown.mail(DesignText.of(version), "dark" if "dark" in request.args else "light")


@bp.post("/templates/<int:design_id>/rename")
def rename(design_id: int) -> ResponseReturnValue:
    try:
        design = library.rename(db.session, design_id, request.form.get("name", ""))
    except Invalid as error:
        db.session.rollback()
        flash(str(error), "bad")
        return _to(design_id)
    db.session.commit()
    flash(f"It is called {design.name} now.", "ok")
    return _to(design_id)


@bp.post("/templates/<int:design_id>/duplicate")
def duplicate(design_id: int) -> ResponseReturnValue:
    made = library.duplicate(db.session, design_id, current_user.email, now())
    db.session.commit()
    flash("This is the copy.", "ok")
    return _to(made.design.id)


@bp.post("/templates/<int:design_id>/archive")
def archive(design_id: int) -> ResponseReturnValue:
    library.put_away(db.session, design_id, now())
    db.session.commit()
    flash("It is offered no more. Mass mails that were made from it stay as they are.", "ok")
    return redirect(url_for("designs.index"), 303)


@bp.post("/templates/<int:design_id>/bring-back")
def bring_back(design_id: int) -> ResponseReturnValue:
    library.bring_back(db.session, design_id)
    db.session.commit()
    flash("It is offered again.", "ok")
    return _to(design_id)


@bp.post("/templates/<int:design_id>/versions/<int:version_id>")
def go_back(design_id: int, version_id: int) -> ResponseReturnValue:
    """Have an earlier version hold again, as a new one."""
    version = library.go_back(db.session, design_id, version_id, current_user.email, now())
    db.session.commit()
    flash(f"This is version {version.number}.", "ok")
    return _to(design_id)


def _to(design_id: int) -> ResponseReturnValue:
    return redirect(url_for("designs.show", design_id=design_id), 303)
