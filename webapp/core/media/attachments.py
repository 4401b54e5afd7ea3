"""Files that every mail of a content carries."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Integer, insert, literal, select
from sqlalchemy.orm import Session

from webapp.core.errors import Invalid, NotFound
from webapp.core.media import library, own_files
from webapp.core.rules.media.documents import judged
from webapp.core.tables.media import Attachment, MediaFile, OwnFile, OwnFiles

MOST_FILES = 20
"""Attachments of a content."""


@dataclass(frozen=True, slots=True)
class AttachedFile:
    """An attachment as it is listed: `size` counts octets of the file; a mail has about 1.37 times as many."""

    id: int
    file_id: int
    name: str
    media_type: str
    size: int


def attach(
    session: Session,
    content_id: int,
    file_name: str,
    data: bytes,
    user_id: int | None,
    now: datetime,
    *,
    most: int,
    agreed: bool = False,
) -> AttachedFile:
    """Attach a file to all mails of a content, which together take at most `most` octets. Raises Invalid("…", "file"), among them
    TypeQuestion where somebody has to agree first."""
    document = judged(file_name, data, agreed=agreed)
    there = listing(session, content_id)
    if len(there) >= MOST_FILES:
        raise Invalid(f"A mail carries at most {MOST_FILES} files.", "file")
    refuse_too_much(
        document.name, len(data), sum(one.size for one in there) + own_files.largest(session, content_id), most
    )
    file = library.add_document(session, data, document, user_id, now)
    if any(one.file_id == file.id for one in there):
        raise Invalid(f"“{document.name}” is attached already.", "file")
    row = Attachment(content_id=content_id, file_id=file.id, name=document.name)
    session.add(row)
    session.flush()
    return AttachedFile(row.id, file.id, row.name, file.media_type, file.size)


def refuse_too_much(name: str, size: int, others: int, most: int) -> None:
    """Raise Invalid where a file is too much for a mail that carries so many octets already."""
    if size + others <= most:
        return
    besides = f" beside the {in_megabytes(others)} that are attached" if others else ""
    raise Invalid(
        f"“{name}” has {in_megabytes(size)}{besides}; a mail carries at most {in_megabytes(most)}. Put it on a web server, and link to it.",
        "file",
    )


def in_megabytes(octets: int) -> str:
    """So many octets in words."""
    return f"{octets / 1e6:,.1f} MB" if octets >= 1_000_000 else f"{max(1, round(octets / 1000)):,} kB"


def detach(session: Session, content_id: int, attachment_id: int) -> None:
    """Take an attachment off a content; the file stays in the library. Raises NotFound."""
    row = session.get(Attachment, attachment_id)
    if row is None or row.content_id != content_id:
        raise NotFound("This file is not attached (any more).")
    session.delete(row)
    session.flush()


def listing(session: Session, content_id: int) -> list[AttachedFile]:
    """The attachments of a content in their order."""
    rows = session.execute(
        select(Attachment.id, MediaFile.id, Attachment.name, MediaFile.media_type, MediaFile.size)
        .join(MediaFile, MediaFile.id == Attachment.file_id)
        .where(Attachment.content_id == content_id)
        .order_by(Attachment.id)
    )
    return [AttachedFile(*row) for row in rows]


def copy(session: Session, from_id: int, to_id: int) -> None:
    """Have one content carry what another does; the files are shared."""
    of_copy = literal(to_id, Integer)
    all_of = select(of_copy, Attachment.file_id, Attachment.name).where(Attachment.content_id == from_id)
    session.execute(insert(Attachment).from_select(["content_id", "file_id", "name"], all_of.order_by(Attachment.id)))
    rule = select(of_copy, OwnFiles.when_missing).where(OwnFiles.content_id == from_id)
    session.execute(insert(OwnFiles).from_select(["content_id", "when_missing"], rule))
    own = select(of_copy, OwnFile.client_number, OwnFile.file_id, OwnFile.name).where(OwnFile.content_id == from_id)
    session.execute(insert(OwnFile).from_select(["content_id", "client_number", "file_id", "name"], own))
