"""The real mail, as its first recipient gets it: on the review, and on the page of what is scheduled."""

from typing import Any

from flask import current_app, url_for

from webapp.adapters.clock import now
from webapp.core import audience
from webapp.core.content import previews
from webapp.core.tables.broadcasts import Broadcast
from webapp.extensions import db


def shown(broadcast: Broadcast) -> dict[str, Any]:
    """What `review/_mail.html` shows: the mail, for whom it was made, and where its HTML stands."""
    at = now()
    person = previews.at(db.session, audience.audience_of(broadcast), at.date(), None)
    found = previews.preview(db.session, broadcast, person, at, current_app.config["PUBLIC_URL"])
    client_id = person.client_id if person else None
    text = (person.text if person else "") or None
    url = url_for("content.html", broadcast_id=broadcast.id, client=client_id, state=broadcast.version, language=text)
    return {"person": person, "preview": found, "preview_url": url}
