"""The real mail, as its first recipient gets it: on the review, and on the page of what is scheduled. Of a message in several languages,
each of its texts."""

from dataclasses import dataclass
from typing import Any

from flask import current_app, request, url_for

from webapp.adapters.clock import now
from webapp.core import audience
from webapp.core.broadcasts import languages
from webapp.core.content import previews
from webapp.core.content.languages import languages_of
from webapp.core.tables.broadcasts import Broadcast
from webapp.extensions import db


@dataclass(frozen=True, slots=True)
class TextLink:
    """One of several texts: its language in words, how many get it, and where it is shown."""

    name: str
    count: int
    url: str
    current: bool


def shown(broadcast: Broadcast) -> dict[str, Any]:
    """What `review/_mail.html` shows: the mail, for whom it was made, where its HTML stands, and the other texts. The page's address may
    say `language`; else it is the text of the first recipient."""
    at, wanted = now(), request.args.get("language")
    text = wanted if wanted in languages_of(broadcast) else None
    person = previews.at(db.session, audience.audience_of(broadcast), at.date(), None, text=text)
    text = text if text is not None else person.text if person else ""
    found = previews.preview(db.session, broadcast, person, at, current_app.config["PUBLIC_URL"], text=text)
    client_id = person.client_id if person else None
    url = url_for(
        "content.html", broadcast_id=broadcast.id, client=client_id, state=broadcast.version, language=text or None
    )
    return {"person": person, "preview": found, "preview_url": url, "texts": _texts(broadcast, text)}


def _texts(broadcast: Broadcast, current: str) -> list[TextLink]:
    if not broadcast.other_languages:
        return []
    numbers = languages.count(db.session, broadcast).numbers
    return [
        TextLink(
            audience.language_name(one or broadcast.main_language),
            numbers[one],
            f"{request.path}?language={one}#mail",
            one == current,
        )
        for one in languages_of(broadcast)
    ]
