"""Uploaded files: kept in the instance folder under names of our own until they are imported, or too old."""

import secrets
import shutil
from datetime import datetime, timedelta
from pathlib import Path
from typing import BinaryIO

COMMAND_LINE = "command line"
"""Stands for the name of a file that was not uploaded, but named on the command line; it is not ours to remove."""


def save(stream: BinaryIO, instance: Path) -> str:
    """Keep what the stream holds; the name under which it is kept."""
    name = f"{secrets.token_hex(16)}.csv"
    folder = instance / "uploads"
    folder.mkdir(mode=0o700, exist_ok=True)
    with (folder / name).open("xb") as file:
        shutil.copyfileobj(stream, file, 1024 * 1024)
    return name


def path_of(name: str, instance: Path) -> Path:
    """Where the file of that name is kept."""
    return instance / "uploads" / Path(name).name


def remove_older_than(age: timedelta, instance: Path, now: datetime) -> None:
    """Remove the files that were uploaded longer ago than that."""
    for path in (instance / "uploads").glob("*.csv"):
        if path.stat().st_mtime < (now - age).timestamp():
            path.unlink(missing_ok=True)


def remove(name: str, instance: Path) -> None:
    """Remove the file, if it is still there."""
    if name and name != COMMAND_LINE:
        path_of(name, instance).unlink(missing_ok=True)
