"""Drafts made from templates: started from a version, told of a newer one, and kept as they are unless somebody takes it."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from webapp.core import broadcasts
from webapp.core.content.fields import is_blank
from webapp.core.designs import library
from webapp.core.designs.library import DesignText
from webapp.core.errors import Conflict
from webapp.core.rules import fills
from webapp.core.rules.likeness import words
from webapp.core.tables.branding import Design, DesignVersion
from webapp.core.tables.broadcasts import Broadcast


@dataclass(frozen=True, slots=True)
class MadeFrom:
    """What a broadcast was made from. `newest` is the newest version, the same as `version` where there is no newer one."""

    design: Design
    version: DesignVersion
    newest: DesignVersion

    @property
    def is_newer_there(self) -> bool:
        return self.newest.number > self.version.number


@dataclass(frozen=True, slots=True)
class Change:
    """What one field of a draft says, and what it would say."""

    field: str
    before: str
    after: str


def start(session: Session, broadcast_id: int, version_id: int, now: datetime) -> Broadcast:
    """Fill an empty draft from a version of a template. Raises NotFound; Conflict where something is written already."""
    version, broadcast = library.version(session, version_id), broadcasts.get(session, broadcast_id)
    if not is_blank(broadcast.content):
        raise Conflict("Something is written in this mass mail already. A template starts an empty one.")
    return _take(session, broadcast, version, DesignText.of(version), now)


def made_from(session: Session, broadcast: Broadcast) -> MadeFrom | None:
    """The template of a broadcast, and the version that it was made with."""
    if broadcast.design_version_id is None:
        return None
    found = session.execute(
        select(Design, DesignVersion)
        .join(DesignVersion, DesignVersion.design_id == Design.id)
        .where(DesignVersion.id == broadcast.design_version_id)
    ).one_or_none()
    if found is None:
        return None
    design, version = found
    return MadeFrom(design, version, library.versions(session, design.id)[0])


def would_say(broadcast: Broadcast, made: MadeFrom) -> tuple[DesignText, bool]:
    """What a draft would say with the newest version: with what was filled in, where it is the template with its parts filled; and whether
    it is, so that nothing of the draft would be lost."""
    content, old, new = broadcast.content, made.version, DesignText.of(made.newest)
    values = fills.written(old.html, content.html)
    html = new.html if values is None else fills.carried_over(new.html, values)
    subject = new.subject if content.subject == old.subject else content.subject
    preheader = new.preheader if content.preheader == old.preheader else content.preheader
    return DesignText(subject, preheader, html, new.text), values is not None and content.text == old.text


def changes(broadcast: Broadcast, said: DesignText) -> list[Change]:
    """What would be another after `said` was taken, field by field; of the body its words."""
    content = broadcast.content
    pairs = [
        Change("subject", content.subject, said.subject),
        Change("preheader", content.preheader, said.preheader),
        Change("html", words(content.html), words(said.html)),
        Change("text", content.text or "", said.text or ""),
    ]
    found = [one for one in pairs if one.before != one.after]
    looks = Change("html", "", "") if content.html != said.html and all(one.field != "html" for one in found) else None
    return [*found, looks] if looks else found


def take_newest(session: Session, broadcast_id: int, seen: int, now: datetime) -> Broadcast:
    """Have a draft say what the newest version of its template says. `seen` is the number of the version that was offered. Raises Conflict
    where there is another by now, or none."""
    broadcast = broadcasts.get(session, broadcast_id)
    made = made_from(session, broadcast)
    if made is None or not made.is_newer_there or made.newest.number != seen:
        raise Conflict("The template has changed meanwhile. Look at it again.")
    return _take(session, broadcast, made.newest, would_say(broadcast, made)[0], now)


def fill(session: Session, broadcast_id: int, values: dict[str, str], version: int, now: datetime) -> Broadcast:
    """Write what belongs into the open parts of a draft, by their prompts. `version` is that of the draft that was looked at. Raises what
    `broadcasts.edit` raises."""
    broadcast = broadcasts.get(session, broadcast_id)
    html = fills.filled(broadcast.content.html, values)
    if html == broadcast.content.html:
        return broadcast
    return broadcasts.edit(session, broadcast_id, version, {"html": html}, now)


def said_by(broadcast: Broadcast) -> DesignText:
    """What a draft says, to be kept as a template."""
    content = broadcast.content
    return DesignText(content.subject, content.preheader, content.html, content.text)


def _take(session: Session, broadcast: Broadcast, version: DesignVersion, said: DesignText, now: datetime) -> Broadcast:
    changes = {"subject": said.subject, "preheader": said.preheader, "html": said.html, "text": said.text}
    return broadcasts.edit(session, broadcast.id, broadcast.version, changes | {"design_version_id": version.id}, now)
