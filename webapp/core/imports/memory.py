"""How the last file with a header was imported, so that the next one asks nothing that was said already."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from webapp.core.errors import Invalid
from webapp.core.imports.answers import Answers
from webapp.core.imports.fields import key
from webapp.core.imports.layouts import is_numbered
from webapp.core.imports.mapping import checked
from webapp.core.rules import digests
from webapp.core.tables.imports import ImportKind, ImportMemory, ImportRun


@dataclass(frozen=True)
class Remembered:
    """What was said about a file with this header, `file_name`, when it was imported `at`."""

    kind: ImportKind
    mapping: dict[str, int]
    answers: Answers
    file_name: str
    at: datetime


def recall(session: Session, header: Sequence[str]) -> Remembered | None:
    """What was said about the last file with these columns in this order; None if there was none, or if it does not fit any more."""
    found = session.scalar(select(ImportMemory).where(ImportMemory.header_key == header_key(header)))
    if found is None or is_numbered(header):
        return None
    answers = Answers.of_json(found.answers).without_open()
    try:
        mapping = checked(found.kind, found.mapping, len(header), answers.constants)
    except Invalid:
        return None
    return Remembered(found.kind, mapping, answers, found.file_name, found.used_at)


def remember(session: Session, run: ImportRun, now: datetime) -> None:
    """Keep how this import reads its file for the next one with its header."""
    key_ = header_key(run.header)
    found = session.scalar(select(ImportMemory).where(ImportMemory.header_key == key_))
    if found is None:
        found = ImportMemory(header_key=key_)
        session.add(found)
    found.kind, found.mapping, found.file_name, found.used_at = run.kind, dict(run.mapping), run.file_name, now
    found.answers = Answers.of_json(run.answers).without_open().as_json()
    session.flush()


def forget(session: Session, header: Sequence[str]) -> None:
    """The next file with this header is guessed and asked anew."""
    session.execute(delete(ImportMemory).where(ImportMemory.header_key == header_key(header)))


def header_key(header: Sequence[str]) -> str:
    """Equal for headers whose names differ by case, blanks and punctuation alone."""
    return digests.digest([key(name) or name for name in header])
