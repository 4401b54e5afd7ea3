"""Pages to look at a mass mail before it leaves: the mail alone in the full width, and what is different from the one it is a copy of."""

from flask import current_app, flash, render_template, request, url_for
from flask.typing import ResponseReturnValue

from webapp.adapters.clock import now
from webapp.core import audience, broadcasts
from webapp.core.broadcasts.comparison import comparison
from webapp.core.content import previews
from webapp.core.rules.lifecycle import CHANGEABLE
from webapp.core.tables.broadcasts import Broadcast
from webapp.extensions import db
from webapp.pages.broadcasts import draft
from webapp.pages.review import mail
from webapp.pages.review.blueprint import bp

VIEWS = ("desktop", "phone", "text")
MODES = {"dark": "dark", "images": "off", "marks": "marks"}
"""How the mail can be seen beside that, and what the address of its frame has then."""


@bp.get("/mail")
def large(broadcast_id: int) -> str:
    """The mail as any recipient gets it (`client`), in the full width; `view`, `dark`, `images` and `marks` say how, `language` with
    which of several texts; left out, with their own."""
    broadcast = broadcasts.get(db.session, broadcast_id)
    at, of = now(), audience.audience_of(broadcast)
    text = mail.text_asked_for(broadcast)
    person = previews.at(db.session, of, at.date(), request.args.get("client", type=int), text=text)
    text = text if text is not None else person.text if person else ""
    shown = previews.preview(db.session, broadcast, person, at, current_app.config["PUBLIC_URL"], text=text)
    kept = {name: value for name, value in MODES.items() if request.args.get(name) == value}
    view = request.args.get("view", "")
    view = view if view in VIEWS else VIEWS[0]
    client_id = person.client_id if person else None
    url = url_for(
        "content.html", broadcast_id=broadcast_id, client=client_id, state=broadcast.version, language=text or None
    )
    return render_template(
        "review/large.html",
        broadcast=broadcast,
        title=draft.title(broadcast),
        back_url=_back(broadcast),
        person=person,
        extremes=previews.extremes_of(db.session, broadcast, text=text),
        language=text,
        texts=mail.texts(broadcast, text),
        preview=shown,
        preview_url=url,
        shown_url="&".join([url, *(f"{name}={value}" for name, value in kept.items())]),
        chosen=(view, *kept.values()),
        kept=kept | {"view": view} | ({"language": text} if broadcast.other_languages else {}),
    )


@bp.get("/changes")
def changes(broadcast_id: int) -> ResponseReturnValue:
    """The draft beside the mass mail that it is a copy of, word by word."""
    broadcast = broadcasts.get(db.session, broadcast_id)
    found = comparison(db.session, broadcast)
    if found is None:
        flash("The mass mail that this is a copy of is gone, so there is nothing to compare it with.", "warn")
        return draft.redirect(_back(broadcast))
    return render_template(
        "review/changes.html",
        broadcast=broadcast,
        title=draft.title(broadcast),
        back_url=_back(broadcast),
        comparison=found,
        original=found.original,
        original_title=draft.title(found.original),
    )


def _back(broadcast: Broadcast) -> str:
    """The page that belongs to its state: the review of a draft, else its own."""
    room = "review.index" if broadcast.state in CHANGEABLE else "broadcasts.show"
    return url_for(room, broadcast_id=broadcast.id)
