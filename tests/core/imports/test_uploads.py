"""Uploads in the database: whole or not there, in chunks, and gone when nobody needs them."""

import io
import tracemalloc
from datetime import timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from tests.core.imports.steps import NOW, imported, written
from webapp.adapters.database import will_write
from webapp.core.errors import Conflict
from webapp.core.imports import reading, runs, uploads
from webapp.core.tables.imports import Upload, UploadChunk


@pytest.fixture
def engine(session: Session):
    return session.get_bind()


def keep(engine, content: bytes, at=NOW) -> str:
    return uploads.keep(engine, will_write, io.BytesIO(content), at)


def count(session: Session, table) -> int:
    session.rollback()
    return session.scalar(select(func.count()).select_from(table)) or 0


@pytest.mark.parametrize(
    "size", [0, 1, uploads.CHUNK_OCTETS - 1, uploads.CHUNK_OCTETS, uploads.CHUNK_OCTETS + 1, 3 * uploads.CHUNK_OCTETS]
)
def test_what_was_stored_is_read_again(engine, size: int):
    content = (b"0123456789,abcdefghijk\r\n" * (size // 24 + 1))[:size]
    found = uploads.find(engine, keep(engine, content))
    assert found is not None and found.size == size
    with found.open() as first, found.open() as second:
        assert first.read(10) == content[:10]
        assert second.read() == content
        assert first.read() == content[10:]


def test_a_stream_that_gives_little_at_a_time_makes_no_small_chunks(session: Session, engine):
    class Dripping(io.BytesIO):
        def read(self, size=-1):
            return super().read(min(size, 70_000))

    name = uploads.keep(engine, will_write, Dripping(b"x" * (uploads.CHUNK_OCTETS + 5)), NOW)
    assert count(session, UploadChunk) == 2
    assert uploads.find(engine, name).open().read() == b"x" * (uploads.CHUNK_OCTETS + 5)


def test_a_large_file_is_never_in_memory_as_a_whole(engine):
    class Zeros(io.RawIOBase):
        left = 64 * uploads.CHUNK_OCTETS

        def read(self, size=-1):
            given = min(size, self.left)
            self.left -= given
            return b"0" * given

    tracemalloc.start()
    found = uploads.find(engine, uploads.keep(engine, will_write, Zeros(), NOW))
    with found.open() as stream:
        assert sum(len(piece) for piece in iter(lambda: stream.read(100_000), b"")) == 64 * uploads.CHUNK_OCTETS
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 16 * uploads.CHUNK_OCTETS


def test_others_write_between_two_chunks(session: Session, engine):
    class Interrupted(io.BytesIO):
        def read(self, size=-1):
            with Session(engine) as other:
                will_write(other)
                other.rollback()
            return super().read(size)

    assert uploads.keep(engine, will_write, Interrupted(b"x" * 2 * uploads.CHUNK_OCTETS), NOW)


def test_an_upload_that_broke_off_is_no_file_and_is_swept(session: Session, engine):
    class Broken(io.BytesIO):
        def read(self, size=-1):
            if self.tell():
                raise OSError("the browser has gone")
            return super().read(size)

    with pytest.raises(OSError, match="gone"):
        uploads.keep(engine, will_write, Broken(b"x" * 2 * uploads.CHUNK_OCTETS), NOW)
    assert count(session, UploadChunk) == 1
    assert uploads.find(engine, session.scalar(select(Upload.name))) is None
    session.rollback()
    assert uploads.remove_forsaken(engine, will_write, NOW + timedelta(minutes=59)) == 0
    assert uploads.remove_forsaken(engine, will_write, NOW + timedelta(minutes=61)) == 1
    assert count(session, Upload) == count(session, UploadChunk) == 0


def test_only_what_no_import_names_is_swept(session: Session, engine, tmp_path):
    forsaken, named = keep(engine, b"a"), keep(engine, b"b")
    run = imported(session, written(tmp_path / "a.csv", "Client ID,Status", "1,Active"))
    run.stored_as = named
    session.commit()
    uploads.remove_forsaken(engine, will_write, NOW + timedelta(days=1))
    assert uploads.find(engine, forsaken) is None and uploads.find(engine, named) is not None
    runs.forget_old(session, files_before=NOW + timedelta(days=1), issues_before=NOW)
    session.commit()
    uploads.remove_forsaken(engine, will_write, NOW + timedelta(days=1))
    assert count(session, Upload) == count(session, UploadChunk) == 0


def test_a_removed_file_says_so_to_who_is_reading_it(engine):
    name = keep(engine, b"x" * 2 * uploads.CHUNK_OCTETS)
    found = uploads.find(engine, name)
    stream = found.open()
    stream.read(10)
    uploads.remove(engine, will_write, name)
    uploads.remove(engine, will_write, name)
    with pytest.raises(Conflict, match="Upload it again"):
        stream.read()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "cp1252"])
def test_a_stored_file_reads_as_one_on_the_disk(engine, tmp_path, encoding: str):
    rows = [f"{number},Jürgen Groß,juergen{number}@example.com" for number in range(40_000)]
    path = written(tmp_path / "a.csv", "Client ID,Name,Email", *rows, encoding=encoding)
    found = uploads.find(engine, keep(engine, path.read_bytes()))
    assert found.size > uploads.CHUNK_OCTETS
    layout = reading.look(found)
    assert layout == reading.look(path)
    assert list(reading.records(found, layout)) == list(reading.records(path, layout))
