"""Files that nothing refers to go by themselves: what a mail replaced, and what was put into none for a long time."""

from datetime import datetime, timedelta

from sqlalchemy import exists, or_, select
from sqlalchemy.orm import Session

from webapp.core.media import library, uses
from webapp.core.tables.media import Attachment, MediaFile, OwnFile

KEPT_UNUSED = timedelta(days=400)
"""So long a picture of the library that no mail refers to is kept. One that another took the place of goes after a day."""

KEPT_APART = timedelta(days=1)


def forget_unused(session: Session, now: datetime, after: int, most: int) -> int | None:
    """Look at up to `most` files with an id above `after`, and delete those that are over. Returns the last id looked at; None at the end.
    The caller commits, and calls again."""
    carried = or_(exists().where(Attachment.file_id == MediaFile.id), exists().where(OwnFile.file_id == MediaFile.id))
    over = or_(
        MediaFile.created_at < now - KEPT_UNUSED,
        (MediaFile.created_at < now - KEPT_APART) & (MediaFile.replaced_by.is_not(None) | ~MediaFile.is_picture),
    )
    rows = session.scalars(
        select(MediaFile).where(MediaFile.id > after, over, ~carried).order_by(MediaFile.id).limit(most)
    ).all()
    gone = [row.id for row in rows if not uses.is_used(session, row)]
    if gone:
        library.forget(session, gone)
    return rows[-1].id if len(rows) == most else None
