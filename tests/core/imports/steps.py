"""Steps of the import tests: put a file in, check it, run it."""

import itertools
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy.orm import Session

from webapp.core.imports import mapping, runs
from webapp.core.imports.answers import NO_ANSWERS, Answers
from webapp.core.imports.reading import look, samples
from webapp.core.imports.running import MOST_REFUSED, ROWS_A_TRANSACTION, work
from webapp.core.tables.imports import ImportKind, ImportRun

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
DATA = Path(__file__).parents[2] / "data"
"""Small files of our own, each with oddities that real exports have."""
CASES = DATA / "cases"
"""Files that went wrong once, named after what is odd in them."""
SHARED = Path(__file__).parents[4] / "shared" / "data"
"""Larger exports that lie beside the repository, where they do."""


def ticking(start: datetime = NOW) -> Callable[[], datetime]:
    """A clock that is a second later each time it is looked at."""
    seconds = itertools.count()
    return lambda: start + timedelta(seconds=next(seconds))


def uploaded(
    session: Session, path: Path, kind: ImportKind | None = None, answers: Answers = NO_ANSWERS, **columns: int
) -> ImportRun:
    """The file as an import whose kind and mapping are guessed; `columns` maps further fields. Commits."""
    layout = look(path)
    kind = kind or mapping.propose(layout.header, samples(path, layout)).kind
    guessed = mapping.assign(kind, layout.header, samples(path, layout)).mapping | columns
    run = runs.create(
        session,
        file_name=path.name,
        stored_as=path.name,
        size=path.stat().st_size,
        layout=layout,
        kind=kind,
        mapping=guessed,
        answers=answers,
        user_id=None,
        now=NOW,
    )
    session.commit()
    return run


def checked(
    session: Session,
    path: Path,
    kind: ImportKind | None = None,
    answers: Answers = NO_ANSWERS,
    *,
    rows: int = ROWS_A_TRANSACTION,
    most_refused: int = MOST_REFUSED,
    **columns: int,
) -> ImportRun:
    """The file after its dry run; `rows` and `most_refused` are those of `work`."""
    run = uploaded(session, path, kind, answers, **columns)
    runs.begin(session, run.id, "check", NOW)
    session.commit()
    return work(session, run.id, "check", path, ticking(), rows=rows, most_refused=most_refused)


def imported(
    session: Session,
    path: Path,
    kind: ImportKind | None = None,
    answers: Answers = NO_ANSWERS,
    *,
    rows: int = ROWS_A_TRANSACTION,
    **columns: int,
) -> ImportRun:
    """The file after its import."""
    run = checked(session, path, kind, answers, rows=rows, **columns)
    runs.begin(session, run.id, "run", NOW)
    session.commit()
    return work(session, run.id, "run", path, ticking(), rows=rows)


def numbers(run: ImportRun) -> Mapping[str, int]:
    """The counts of an import that are not zero."""
    names = ("new", "changed", "unchanged", "refused", "repaired")
    return {name: getattr(run, name) for name in names if getattr(run, name)}


def written(path: Path, *lines: str, encoding: str = "utf-8", newline: str = "\r\n") -> Path:
    """A file with these lines."""
    path.write_bytes("".join(line + newline for line in lines).encode(encoding))
    return path
