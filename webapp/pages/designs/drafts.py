"""A draft and templates: started from one, its parts filled in, a newer version taken, kept as one; and whether it stands in the brand."""

from dataclasses import dataclass

from flask import flash, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from webapp.adapters.clock import now
from webapp.core import broadcasts
from webapp.core.branding import brands
from webapp.core.content.fields import LABELS, is_blank
from webapp.core.designs import library, using
from webapp.core.designs.using import MadeFrom
from webapp.core.errors import Invalid, NotFound
from webapp.core.rules import fills
from webapp.core.rules.message.brand_frame import can_stand
from webapp.core.tables.branding import DesignKind
from webapp.core.tables.broadcasts import Broadcast
from webapp.extensions import db
from webapp.pages.broadcasts import draft
from webapp.pages.designs.blueprint import bp

PREFIX = "/mass-mail/<int:broadcast_id>/template"


@dataclass(frozen=True, slots=True)
class Origin:
    """What the compose page says about where a draft comes from, what is open in it, and what it stands in. `has_brand`: its sender has
    one; `can_stand`: its body is none of its own."""

    made: MadeFrom | None
    is_blank: bool
    open_parts: list[str]
    has_brand: bool
    in_brand: bool
    can_stand: bool


def origin_of(broadcast: Broadcast) -> Origin:
    """The same for a broadcast."""
    html = broadcast.content.html
    return Origin(
        using.made_from(db.session, broadcast),
        is_blank(broadcast.content),
        fills.prompts(html),
        brands.in_force(db.session, brands.sender_of(broadcast)) is not None,
        broadcast.in_brand,
        can_stand(html) or not html.strip(),
    )


@bp.post(f"{PREFIX}/start")
def start(broadcast_id: int) -> ResponseReturnValue:
    """Fill an empty draft from a template."""
    version_id = request.form.get("version_id", 0, type=int)
    broadcast = using.start(db.session, broadcast_id, version_id, now())
    db.session.commit()
    if fills.prompts(broadcast.content.html):
        return draft.redirect(url_for("designs.parts", broadcast_id=broadcast_id))
    return _to_message(broadcast_id)


@bp.get(f"{PREFIX}/parts")
def parts(broadcast_id: int) -> ResponseReturnValue:
    """What is still open, as a form."""
    return _parts_page(broadcast_id)


@bp.post(f"{PREFIX}/parts")
def fill(broadcast_id: int) -> ResponseReturnValue:
    broadcast = broadcasts.get(db.session, broadcast_id)
    open_parts = fills.prompts(broadcast.content.html)
    values = {prompt: request.form.get(f"part-{number}", "") for number, prompt in enumerate(open_parts)}
    if request.form.getlist("prompt") != open_parts:
        return _parts_page(broadcast_id, "Somebody has changed this message meanwhile. These parts are open now."), 409
    using.fill(db.session, broadcast_id, values, broadcast.version, now())
    db.session.commit()
    left = len(fills.prompts(broadcast.content.html))
    flash(
        f"Saved. {left} {'part is' if left == 1 else 'parts are'} still open." if left else "Everything is filled in.",
        "ok",
    )
    return _to_message(broadcast_id)


@bp.get(f"{PREFIX}/newer")
def newer(broadcast_id: int) -> ResponseReturnValue:
    """What a newer version of the template would change in the draft."""
    frame = draft.load(broadcast_id, "content")
    made = using.made_from(db.session, frame.broadcast)
    if made is None or not made.is_newer_there:
        raise NotFound("There is no newer version of this mass mail’s template.")
    said, keeps_all = using.would_say(frame.broadcast, made)
    changes = [(LABELS[one.field], one) for one in using.changes(frame.broadcast, said)]
    return render_template("designs/newer.html", draft=frame, made=made, changes=changes, keeps_all=keeps_all)


@bp.post(f"{PREFIX}/newer")
def take_newer(broadcast_id: int) -> ResponseReturnValue:
    using.take_newest(db.session, broadcast_id, request.form.get("seen", 0, type=int), now())
    db.session.commit()
    flash("The draft says what the newest version says.", "ok")
    return _to_message(broadcast_id)


@bp.get(f"{PREFIX}/keep")
def keep_form(broadcast_id: int) -> str:
    """The question how a template that is made of this message is to be called."""
    frame = draft.load(broadcast_id, "content")
    return render_template("designs/keep.html", draft=frame, name=draft.title(frame.broadcast), error=None)


@bp.post(f"{PREFIX}/keep")
def keep(broadcast_id: int) -> ResponseReturnValue:
    """Keep a message as a template."""
    frame, name = draft.load(broadcast_id, "content"), request.form.get("name", "")
    try:
        said = using.said_by(frame.broadcast)
        made = library.make(db.session, name, DesignKind.MESSAGE, said, current_user.email, now())
    except Invalid as error:
        db.session.rollback()
        frame = draft.load(broadcast_id, "content")
        return render_template("designs/keep.html", draft=frame, name=name, error=error), 422
    db.session.commit()
    flash(f"{made.design.name} is among the templates now.", "ok")
    return _to_message(broadcast_id)


@bp.post(f"{PREFIX}/brand")
def brand(broadcast_id: int) -> ResponseReturnValue:
    """Put a draft into the brand, or take it out."""
    wanted = request.form.get("in_brand") == "1"
    broadcast = broadcasts.get(db.session, broadcast_id)
    if broadcast.in_brand != wanted:
        broadcasts.edit(db.session, broadcast_id, broadcast.version, {"in_brand": wanted}, now())
        db.session.commit()
    return _to_message(broadcast_id)


def _parts_page(broadcast_id: int, warning: str = "") -> str:
    frame = draft.load(broadcast_id, "content")
    open_parts = fills.prompts(frame.broadcast.content.html)
    return render_template("designs/parts.html", draft=frame, open_parts=open_parts, warning=warning)


def _to_message(broadcast_id: int) -> ResponseReturnValue:
    return draft.redirect(url_for("content.index", broadcast_id=broadcast_id))
