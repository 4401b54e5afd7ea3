"""From what a content refers to and carries to the enclosures of its mails. Each file is encoded once in a process; all mails share it."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import replace

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from webapp.core.errors import Invalid
from webapp.core.media import library, own_files
from webapp.core.rules.media.names import inside
from webapp.core.rules.message.enclosures import Enclosed, Enclosure, encoded
from webapp.core.rules.message.parts import RenderError
from webapp.core.tables.broadcasts import Content
from webapp.core.tables.media import Attachment, MediaBytes, MediaFile, WithoutOwnFile

NO_OWN_FILE = "There is no file for this recipient, and mails without one are not to leave."
GONE = "The picture {} is not in the library any more. Put it in again."

OwnOf = Callable[[int, bool], Sequence[Enclosure]]
"""The files of the client with that id alone. The second says that the mail is to leave: raises RenderError then where there is no
file, and mails without one must not leave."""


class EncodedFiles:
    """Encoded octets of files by name, which stands for them for good; so many in all that a process stays as large as it is."""

    def __init__(self, most: int) -> None:
        self._most, self._held = most, 0
        self._known: OrderedDict[str, bytes] = OrderedDict()
        self._lock = threading.Lock()

    def of(self, name: str, read: Callable[[], bytes]) -> bytes:
        """The file in base64; `read` gives its octets where they are not here."""
        with self._lock:
            if name in self._known:
                self._known.move_to_end(name)
                return self._known[name]
        body = encoded(read())
        with self._lock:
            if name not in self._known and len(body) <= self._most:
                self._known[name] = body
                self._held += len(body)
            while self._held > self._most:
                self._held -= len(self._known.popitem(last=False)[1])
        return body


_SHARED = EncodedFiles(48_000_000)
_OWN = EncodedFiles(16_000_000)
"""Apart, so that files of single recipients do not drive out those that each mail needs."""


def enclosed(session: Session, content: Content) -> Enclosed:
    """What all mails of a content carry. Raises Invalid("…", "html") for a picture that is not there."""
    names = inside(content.html)
    known = library.by_name(session, names)
    for name in names:
        if name not in known:
            raise Invalid(GONE.format(f"cid:{name}"), "html")
    pictures = [replace(_enclosure(session, known[name], name, _SHARED), cid=name) for name in names]
    rows = session.execute(
        select(MediaFile, Attachment.name)
        .join(Attachment, Attachment.file_id == MediaFile.id)
        .where(Attachment.content_id == content.id)
        .order_by(Attachment.id)
    ).all()
    files = [_enclosure(session, file, name, _SHARED) for file, name in rows]
    return Enclosed(pictures, files, has_own=own_files.summed(session, content.id) is not None)


def own_of(session: Session, content: Content) -> OwnOf | None:
    """What finds the file of a single recipient; None where nobody gets one. It may be called when the session is closed, and by any
    thread: it asks the database anew for each mail."""
    rule = own_files.summed(session, content.id)
    if rule is None:
        return None
    bind, content_id = session.get_bind(), content.id
    engine = bind if isinstance(bind, Engine) else bind.engine
    may_lack = rule.when_missing is WithoutOwnFile.SEND

    def own(client_id: int, is_to_leave: bool) -> Sequence[Enclosure]:
        with Session(engine) as reading:
            found = own_files.of_client(reading, content_id, client_id)
            if found is not None:
                return (_enclosure(reading, *found, _OWN),)
        if may_lack or not is_to_leave:
            return ()
        raise RenderError(NO_OWN_FILE)

    return own


def _enclosure(session: Session, file: MediaFile, name: str, kept: EncodedFiles) -> Enclosure:
    def read() -> bytes:
        return session.scalars(select(MediaBytes.data).where(MediaBytes.file_id == file.id)).one()

    return Enclosure(name, file.media_type, kept.of(file.name, read))
