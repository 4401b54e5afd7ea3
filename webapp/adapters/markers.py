"""The markers: how far a database has got with sending, kept outside it, in the instance folder and in Redis. See
`core/settings/installation`."""

import fcntl
import json
import logging
import os
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from redis import Redis
from redis.exceptions import RedisError

from webapp import private
from webapp.core.settings.installation import HighWaterMark

log = logging.getLogger(__name__)

FOLDER = "sent"
KEY = "massmail:sent"
"""A hash in Redis, a field for each database."""


class Markers:
    """The markers that this machine can read and write. One that cannot be read says nothing; one that cannot be written protects less, and
    keeps nobody from sending."""

    def __init__(self, instance: Path, redis: Callable[[], Redis], prefix: str = "") -> None:
        self._folder = instance / FOLDER
        self._key = f"{prefix}{KEY}"
        self._redis = redis

    def read(self) -> list[HighWaterMark]:
        """All there are, of all databases."""
        found = [_mark(path.stem, text) for path in self._folder.glob("*.json") if (text := _text(path))]
        try:
            for name, value in self._redis().hgetall(self._key).items():
                found.append(_mark(_words(name), _words(value)))
        except (RedisError, ValueError) as error:
            log.warning("Redis cannot be asked how far sending has got: %s", error)
        return [mark for mark in found if mark is not None]

    def write(self, mark: HighWaterMark) -> None:
        """Write down that this was committed. Where a newer one stands already it stays."""
        text = json.dumps({"generation": mark.generation, "at": mark.at.isoformat() if mark.at else None})
        try:
            self._write_file(mark, text)
        except OSError as error:
            log.warning("The marker of what was sent cannot be written: %s", error)
        try:
            redis = self._redis()
            there = redis.hget(self._key, mark.database_id)
            if not _is_newer(mark.database_id, _words(there or ""), mark):
                redis.hset(self._key, mark.database_id, text)
        except RedisError as error:
            log.warning("Redis cannot be told how far sending has got: %s", error)

    def _write_file(self, mark: HighWaterMark, text: str) -> None:
        private.folder(self._folder)
        path = self._folder / f"{mark.database_id}.json"
        with open(self._folder / "lock", "a", opener=private.opener) as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if _is_newer(mark.database_id, _text(path), mark):
                return
            fresh = path.with_suffix(".new")
            with open(fresh, "w", opener=private.opener) as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            fresh.replace(path)


def _is_newer(database_id: str, there: str, mark: HighWaterMark) -> bool:
    known = _mark(database_id, there)
    return known is not None and known.generation > mark.generation


def _words(value: bytes | str) -> str:
    return value if isinstance(value, str) else value.decode("utf-8", "replace")


def _text(path: Path) -> str:
    with suppress(OSError, UnicodeDecodeError):
        return path.read_text()
    return ""


def _mark(database_id: str, text: str) -> HighWaterMark | None:
    """What a marker says; None for one that was cut off."""
    with suppress(ValueError, TypeError, KeyError):
        told = json.loads(text)
        return HighWaterMark(
            database_id, int(told["generation"]), datetime.fromisoformat(told["at"]) if told["at"] else None
        )
    return None
