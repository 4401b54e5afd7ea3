"""The library: pictures and documents, kept once each, found, replaced, and deleted when no mail refers to them."""

import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from sqlalchemy import ColumnElement, delete, exists, func, insert, or_, select, update
from sqlalchemy.orm import Session

from webapp.core.errors import Conflict, NotFound
from webapp.core.media import uses
from webapp.core.rules.media.documents import JudgedDocument
from webapp.core.rules.media.names import plain_file_name
from webapp.core.rules.media.pictures import PreparedPicture
from webapp.core.tables.media import Attachment, MediaBytes, MediaFile

A_PAGE = 48
LONGEST_ALT = 500


@dataclass(frozen=True, slots=True)
class StoredMedia:
    """A file with its octets."""

    file: MediaFile
    data: bytes


def add_picture(
    session: Session, made: PreparedPicture, file_name: str, user_id: int | None, now: datetime, *, alt: str = ""
) -> MediaFile:
    """Keep a picture. One that is there already, the same octet for octet, is given back."""
    name = plain_file_name(file_name, f"picture.{made.ending}")
    about = {
        "width": made.width,
        "height": made.height,
        "shown": made.shown,
        "alt": " ".join(alt.split())[:LONGEST_ALT],
    }
    row = MediaFile(is_picture=True, file_name=name, media_type=made.media_type, **about)
    return _kept(session, row, made.data, made.ending, made.thumbnail, user_id, now)


def add_document(
    session: Session, data: bytes, judged: JudgedDocument, user_id: int | None, now: datetime
) -> MediaFile:
    """Keep a file that was judged fit to be attached."""
    row = MediaFile(is_picture=False, file_name=judged.name, media_type=judged.media_type)
    ending = judged.ending if judged.ending.isascii() and judged.ending.isalnum() and len(judged.ending) <= 8 else "bin"
    return _kept(session, row, data, ending, None, user_id, now)


def _kept(
    session: Session,
    row: MediaFile,
    data: bytes,
    ending: str,
    thumbnail: bytes | None,
    user_id: int | None,
    now: datetime,
) -> MediaFile:
    digest = sha256(data).hexdigest()
    same: list[ColumnElement[bool]] = [
        MediaFile.digest == digest,
        MediaFile.is_picture == row.is_picture,
        MediaFile.media_type == row.media_type,
        MediaFile.replaced_by.is_(None),
    ]
    if row.is_picture:
        same.append(MediaFile.shown == row.shown)
    if known := session.scalar(select(MediaFile).where(*same).order_by(MediaFile.id).limit(1)):
        return known
    row.name = f"{secrets.token_hex(16)}.{ending}"
    row.size, row.digest, row.created_at, row.created_by = len(data), digest, now, user_id
    session.add(row)
    session.flush()
    # Not through the session, which would hold on to them.
    session.execute(insert(MediaBytes), {"file_id": row.id, "data": data, "thumbnail": thumbnail})
    return row


def get(session: Session, file_id: int) -> MediaFile:
    """The file. Raises NotFound."""
    file = session.get(MediaFile, file_id)
    if file is None:
        raise NotFound("This file is not in the library (any more).")
    return file


def picture(session: Session, name: str) -> StoredMedia | None:
    """The picture with that name, for everybody who knows it; None where there is none."""
    found = session.execute(
        select(MediaFile, MediaBytes.data).join(MediaBytes).where(MediaFile.name == name, MediaFile.is_picture)
    ).one_or_none()
    return StoredMedia(found[0], found[1]) if found else None


def with_bytes(session: Session, file_id: int) -> StoredMedia:
    """The file with its octets. Raises NotFound."""
    return StoredMedia(
        get(session, file_id), session.scalars(select(MediaBytes.data).where(MediaBytes.file_id == file_id)).one()
    )


def thumbnail(session: Session, file_id: int) -> bytes | None:
    """A small copy of a picture; None for others."""
    return session.scalar(select(MediaBytes.thumbnail).where(MediaBytes.file_id == file_id))


def by_name(session: Session, names: Collection[str]) -> dict[str, MediaFile]:
    """Those of the pictures that there are."""
    rows = session.scalars(select(MediaFile).where(MediaFile.name.in_(names), MediaFile.is_picture)) if names else ()
    return {row.name: row for row in rows}


def listing(session: Session, search: str = "", page: int = 1) -> tuple[Sequence[MediaFile], int]:
    """A page of the library, newest first, and how many files there are; `search` is for words in names and alt texts. Files of single
    recipients are not in it."""
    attached = exists().where(Attachment.file_id == MediaFile.id)
    conditions: list[ColumnElement[bool]] = [MediaFile.replaced_by.is_(None), or_(MediaFile.is_picture, attached)]
    for word in search.split():
        conditions.append(
            or_(MediaFile.file_name.icontains(word, autoescape=True), MediaFile.alt.icontains(word, autoescape=True))
        )
    total = session.scalar(select(func.count()).select_from(MediaFile).where(*conditions)) or 0
    found = select(MediaFile).where(*conditions).order_by(MediaFile.created_at.desc(), MediaFile.id.desc())
    return session.scalars(found.limit(A_PAGE).offset((max(page, 1) - 1) * A_PAGE)).all(), total


def octets(session: Session) -> int:
    """How many octets the library holds."""
    return session.scalar(select(func.coalesce(func.sum(MediaFile.size), 0))) or 0


def describe(session: Session, file_id: int, *, file_name: str, alt: str) -> MediaFile:
    """Change what a file is called, and what a picture shows, in words. Mails that show it keep what stands in them."""
    file = get(session, file_id)
    file.file_name, file.alt = plain_file_name(file_name, file.file_name), " ".join(alt.split())[:LONGEST_ALT]
    session.flush()
    return file


def replaced(session: Session, old_id: int, new: MediaFile) -> None:
    """Note that `new` takes the place of a file. Who holds texts with its name changes those that may be changed."""
    if new.id != old_id:
        session.execute(update(MediaFile).where(MediaFile.id == old_id).values(replaced_by=new.id))


def remove(session: Session, file_id: int) -> None:
    """Delete a file. Raises NotFound; Conflict, with what they are, where mails refer to it."""
    file = get(session, file_id)
    found = uses.of(session, file)
    if found:
        named = ", ".join(f"“{one.title}”" for one in found[:5])
        more = f" and {len(found) - 5:,} more" if len(found) > 5 else ""
        raise Conflict(
            f"“{file.file_name}” cannot be deleted: {named}{more} {'refers' if len(found) == 1 else 'refer'} to it."
        )
    forget(session, [file.id])
    session.expunge(file)


def forget(session: Session, file_ids: Sequence[int]) -> None:
    """Delete files that nothing refers to."""
    session.execute(update(MediaFile).where(MediaFile.replaced_by.in_(file_ids)).values(replaced_by=None))
    session.execute(delete(MediaBytes).where(MediaBytes.file_id.in_(file_ids)))
    session.execute(delete(MediaFile).where(MediaFile.id.in_(file_ids)))
