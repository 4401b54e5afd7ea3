"""All mass mails, and the page of one."""

from flask import Blueprint, flash, render_template, request, url_for

from webapp.adapters.clock import now
from webapp.core import broadcasts
from webapp.extensions import db
from webapp.pages.broadcasts import draft

bp = Blueprint("broadcasts", __name__, url_prefix="/mass-mail")


@bp.get("/")
def index():
    return ""


@bp.post("/<int:broadcast_id>/name")
def rename(broadcast_id: int):
    """Save the name from the head of a draft. An unchanged name is not a save, so that Enter after a change does no harm."""
    broadcast = broadcasts.get(db.session, broadcast_id)
    name = " ".join(request.form.get("name", "").split())[:200]
    if name != broadcast.name:
        version = request.form.get("version", type=int)
        broadcast = broadcasts.edit(db.session, broadcast_id, version, {"name": name}, now())
        db.session.commit()
    if request.headers.get("HX-Request"):
        return render_template("broadcasts/_renamed.html", broadcast=broadcast, title=draft.title(broadcast))
    flash("The name is saved.", "ok")
    room = request.args.get("step", "")
    return draft.redirect(
        url_for(f"{room if room in dict(draft.STEPS) else 'review'}.index", broadcast_id=broadcast_id)
    )
