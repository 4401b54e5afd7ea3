"""Another picture in the place of one: drafts show it from then on, and what is scheduled or sent stays as it was."""

from datetime import datetime

from sqlalchemy.orm import Session

from webapp.core.broadcasts.drafts import edit
from webapp.core.media import library, uses
from webapp.core.tables.media import MediaFile


def replace(session: Session, old: MediaFile, new: MediaFile, now: datetime) -> int:
    """Put `new` where `old` stands, in the library and in drafts; how many contents of drafts show it now."""
    if new.id == old.id:
        return 0
    found = uses.drafts_with(session, old.name)
    for content in found:
        edit(session, content.broadcast_id, None, {}, now)
        content.html = content.html.replace(old.name, new.name)
    library.replaced(session, old.id, new)
    session.flush()
    return len(found)
