"""Where a file is used: in texts that name it, as an attachment, as a file of one recipient."""

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import exists, literal, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from webapp.core.rules import titles
from webapp.core.rules.lifecycle import CHANGEABLE
from webapp.core.tables.branding import Brand, DesignVersion
from webapp.core.tables.broadcasts import Broadcast, Content
from webapp.core.tables.media import Attachment, MediaFile, OwnFile

TEXTS: dict[str, InstrumentedAttribute[str]] = {
    "mass mail": Content.html,
    "template": DesignVersion.html,
    "brand": Brand.footer,
}
"""Columns in which names of stored pictures may stand, by what such a row is called. A picture whose name stands in none of them may be
forgotten: a table with HTML in it has its column here."""


class MediaUse(NamedTuple):
    """A mass mail (`broadcast_id`), or something else whose text names the file. `may_change`: it is a draft."""

    title: str
    broadcast_id: int | None = None
    state: str = ""
    may_change: bool = True


def of(session: Session, file: MediaFile) -> list[MediaUse]:
    """Everything that refers to a file, newest first."""
    refers = or_(
        Content.html.contains(file.name, autoescape=True),
        exists().where(Attachment.content_id == Content.id, Attachment.file_id == file.id),
        exists().where(OwnFile.content_id == Content.id, OwnFile.file_id == file.id),
    )
    rows = session.execute(
        select(Broadcast.id, Broadcast.name, Broadcast.state, Content.subject)
        .join(Content, Content.broadcast_id == Broadcast.id)
        .where(refers)
        .order_by(Broadcast.id.desc(), Content.id)
    )
    found: dict[int, MediaUse] = {}
    for id_, name, state, subject in rows:
        found.setdefault(id_, MediaUse(titles.title(name, subject), id_, state.label, state in CHANGEABLE))
    others = [
        MediaUse(f"a {what}")
        for what, column in TEXTS.items()
        if column is not Content.html and _stands_in(session, column, file.name)
    ]
    return [*found.values(), *others]


def drafts_with(session: Session, name: str) -> Sequence[Content]:
    """The contents of drafts in whose HTML the name of a picture stands."""
    return session.scalars(
        select(Content)
        .join(Broadcast, Broadcast.id == Content.broadcast_id)
        .where(Content.html.contains(name, autoescape=True), Broadcast.state.in_(CHANGEABLE))
        .order_by(Content.id)
    ).all()


def is_used(session: Session, file: MediaFile) -> bool:
    """Whether anything refers to a file."""
    for column in (Attachment.file_id, OwnFile.file_id):
        if session.scalar(select(literal(1)).where(column == file.id).limit(1)):
            return True
    return any(_stands_in(session, column, file.name) for column in TEXTS.values())


def _stands_in(session: Session, column: InstrumentedAttribute[str], name: str) -> bool:
    return session.scalar(select(literal(1)).where(column.contains(name, autoescape=True)).limit(1)) is not None
