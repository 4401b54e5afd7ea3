"""Uploaded files, kept in the database in chunks, so that every worker on any machine reads them.

Why this way: a chunk is a transaction of its own, so that a file of 512 MB keeps nobody from writing for longer than one chunk takes; it
is read chunk by chunk, too, and never as a whole in memory or in a file of its own. Commits, several times.
"""

import io
import secrets
import zlib
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, BinaryIO, Literal, cast

from sqlalchemy import Engine, delete, exists, func, select, update
from sqlalchemy.orm import Session

from webapp.core.errors import Conflict
from webapp.core.tables.imports import ImportRun, Upload, UploadChunk
from webapp.core.tables.list_imports import ListImport

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

CHUNK_OCTETS = 1024 * 1024
"""Octets of the file in a chunk, before they are compressed."""

FREED_AT_ONCE = 8
"""So many chunks are deleted in a transaction."""

FORSAKEN = timedelta(hours=1)
"""An upload that no import names, because it was never finished or its import is done or gone, is removed after this time."""

GONE = "The uploaded file has been removed. Upload it again."

Prepare = Callable[[Session], None]
"""Begins a session's transaction as one that will write."""


class StoredFile:
    """An uploaded file to be read as if it were a path: `open` gives a new reader from its beginning, which holds one chunk in memory and
    no transaction between two of them. Raises Conflict where the file is removed meanwhile."""

    def __init__(self, engine: Engine, upload_id: int, size: int) -> None:
        self._engine, self._id, self.size = engine, upload_id, size

    def open(self, _mode: Literal["rb"] = "rb") -> BinaryIO:
        return cast(BinaryIO, io.BufferedReader(_Chunks(self._engine, self._id, self.size), 128 * 1024))


class _Chunks(io.RawIOBase):
    def __init__(self, engine: Engine, upload_id: int, size: int) -> None:
        self._engine, self._id, self._size = engine, upload_id, size
        self._number, self._rest, self._read = 0, memoryview(b""), 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "WriteableBuffer") -> int:
        if not self._rest:
            if self._read == self._size:
                return 0
            self._rest = memoryview(self._next())
            self._read += len(self._rest)
        room = memoryview(buffer)
        count = min(len(room), len(self._rest))
        room[:count] = self._rest[:count]
        self._rest = self._rest[count:]
        return count

    def _next(self) -> bytes:
        key = UploadChunk.upload_id == self._id, UploadChunk.number == self._number
        with Session(self._engine) as session:
            data = session.scalar(select(UploadChunk.data).where(*key))
        if data is None:
            raise Conflict(GONE)
        self._number += 1
        return zlib.decompress(data)


def keep(engine: Engine, prepare: Prepare, stream: BinaryIO, now: datetime) -> str:
    """Store what the stream holds; the name under which it is found."""
    name = secrets.token_hex(16)
    with Session(engine) as session:
        prepare(session)
        upload = Upload(name=name, created_at=now)
        session.add(upload)
        session.flush()
        upload_id = upload.id
        session.commit()
        number = size = 0
        while piece := _piece(stream):
            data = zlib.compress(piece, 1)
            prepare(session)
            session.execute(UploadChunk.__table__.insert(), {"upload_id": upload_id, "number": number, "data": data})
            session.commit()
            number += 1
            size += len(piece)
        prepare(session)
        session.execute(update(Upload).where(Upload.id == upload_id).values(size=size, is_whole=True))
        session.commit()
    return name


def find(engine: Engine, name: str) -> StoredFile | None:
    """The whole file of that name; None when there is none (any more)."""
    with Session(engine) as session:
        row = session.execute(select(Upload.id, Upload.size).where(Upload.name == name, Upload.is_whole)).one_or_none()
    return StoredFile(engine, row.id, row.size) if row else None


def remove(engine: Engine, prepare: Prepare, name: str) -> None:
    """Remove the file of that name, if it is still there, in short transactions."""
    with Session(engine) as session:
        upload_id = session.scalar(select(Upload.id).where(Upload.name == name))
        session.rollback()
        if upload_id is not None:
            _remove(session, prepare, upload_id)


def remove_forsaken(engine: Engine, prepare: Prepare, now: datetime) -> int:
    """Remove uploads that no import names; how many. Those of the last hour may still be on their way."""
    named = exists().where(ImportRun.stored_as == Upload.name) | exists().where(ListImport.stored_as == Upload.name)
    with Session(engine) as session:
        ids = session.scalars(select(Upload.id).where(Upload.created_at < now - FORSAKEN, ~named)).all()
        session.rollback()
        for upload_id in ids:
            _remove(session, prepare, upload_id)
    return len(ids)


def _remove(session: Session, prepare: Prepare, upload_id: int) -> None:
    """The last chunks first: what is left of an upload that is being removed is never taken for a whole one."""
    prepare(session)
    session.execute(update(Upload).where(Upload.id == upload_id).values(is_whole=False))
    last = session.scalar(select(func.max(UploadChunk.number)).where(UploadChunk.upload_id == upload_id))
    session.commit()
    for end in range(-1 if last is None else last, -1, -FREED_AT_ONCE):
        prepare(session)
        numbers = UploadChunk.number > end - FREED_AT_ONCE
        session.execute(delete(UploadChunk).where(UploadChunk.upload_id == upload_id, numbers))
        session.commit()
    prepare(session)
    session.execute(delete(Upload).where(Upload.id == upload_id))
    session.commit()


def _piece(stream: BinaryIO) -> bytes:
    """The next CHUNK_OCTETS; fewer only at the end."""
    piece = stream.read(CHUNK_OCTETS)
    while piece and len(piece) < CHUNK_OCTETS and (more := stream.read(CHUNK_OCTETS - len(piece))):
        piece += more
    return piece
