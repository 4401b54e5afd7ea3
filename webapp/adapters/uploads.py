"""Uploaded files: where they are read from. They are kept in the database (`core/imports/uploads`); those that an earlier version laid into
the instance folder are read there, on the machine that has them, until they are taken over."""

from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from sqlalchemy import Engine

from webapp.adapters.database import will_write
from webapp.core.errors import Conflict
from webapp.core.imports import uploads
from webapp.core.imports.reading import Source

COMMAND_LINE = "command line"
"""Stands for the name of a file that was not uploaded, but named on the command line; it is not ours to remove."""


class MissingFile:
    """In place of a file that is not in the database, and not on this machine either."""

    def open(self, _mode: str, /) -> BinaryIO:
        raise Conflict(uploads.GONE)


def save(engine: Engine, stream: BinaryIO, now: datetime) -> str:
    """Keep what the stream holds; the name under which it is kept."""
    return uploads.keep(engine, will_write, stream, now)


def find(engine: Engine, name: str, instance: Path) -> Source | None:
    """The file of that name; None when it is not there (any more)."""
    if not name or name == COMMAND_LINE:
        return None
    path = _path(name, instance)
    return uploads.find(engine, name) or (path if path.is_file() else None)


def get(engine: Engine, name: str, instance: Path) -> Source:
    """The file of that name. Raises Conflict when it is not there."""
    found = find(engine, name, instance)
    if found is None:
        raise Conflict(uploads.GONE)
    return found


def take_over(engine: Engine, name: str, instance: Path, now: datetime) -> str | None:
    """Bring a file that an earlier version laid into the folder into the database, for workers on other machines; its new name, or None
    when it is there already. The old one goes with `remove`, once the new name is written down."""
    found = find(engine, name, instance)
    if not isinstance(found, Path):
        return None
    with found.open("rb") as stream:
        return save(engine, stream, now)


def remove(engine: Engine, name: str, instance: Path) -> None:
    """Remove the file, if it is still there."""
    if name and name != COMMAND_LINE:
        uploads.remove(engine, will_write, name)
        _path(name, instance).unlink(missing_ok=True)


def tidy(engine: Engine, before: datetime, instance: Path, now: datetime) -> None:
    """Remove uploads that no import names, and files in the folder that are from `before` that instant."""
    uploads.remove_forsaken(engine, will_write, now)
    for path in (instance / "uploads").glob("*.csv"):
        if path.stat().st_mtime < before.timestamp():
            path.unlink(missing_ok=True)


def _path(name: str, instance: Path) -> Path:
    return instance / "uploads" / Path(name).name
