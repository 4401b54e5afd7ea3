"""The real mail, as its first recipient gets it: on the review, and on the page of what is scheduled. Of a message in several languages,
each of its texts."""

from collections.abc import Mapping
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
    at, text = now(), text_asked_for(broadcast)
    person = previews.at(db.session, audience.audience_of(broadcast), at.date(), None, text=text)
    text = text if text is not None else person.text if person else ""
    found = previews.preview(db.session, broadcast, person, at, current_app.config["PUBLIC_URL"], text=text)
    client_id = person.client_id if person else None
    url = url_for(
        "content.html", broadcast_id=broadcast.id, client=client_id, state=broadcast.version, language=text or None
    )
    return {
        "person": person,
        "preview": found,
        "preview_url": url,
        "shown_text": text,
        "texts": texts(broadcast, text),
    }


def text_asked_for(broadcast: Broadcast) -> str | None:
    """The language of the text that the page's address says; None where it says none."""
    wanted = request.args.get("language")
    return wanted if wanted in languages_of(broadcast) else None


def of_each_text(broadcast: Broadcast, mail: Mapping[str, Any]) -> dict[str, previews.DraftPreview]:
    """Each text as its first recipient gets it, by its language; `mail` is what `shown` has made of one of them."""
    return {
        text: mail["preview"] if text == mail["shown_text"] else _first(broadcast, text)
        for text in languages_of(broadcast)
    }


def _first(broadcast: Broadcast, text: str) -> previews.DraftPreview:
    at, url = now(), current_app.config["PUBLIC_URL"]
    person = previews.at(db.session, audience.audience_of(broadcast), at.date(), None, text=text)
    return previews.preview(db.session, broadcast, person, at, url, text=text)


def texts(broadcast: Broadcast, current: str) -> list[TextLink]:
    """The texts of a message in several languages, as links to the same page; none for a message in one."""
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
