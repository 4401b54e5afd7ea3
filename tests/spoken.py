"""What the program says: everything that it logs while a test listens, as it would stand on standard error."""

import io
import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from webapp.adapters import logs


class Spoken(io.StringIO):
    """The lines so far."""

    def lines(self) -> list[str]:
        return self.getvalue().splitlines()

    def events(self, *names: str) -> list[dict[str, Any]]:
        """The lines of JSON that tell of these events (all, where none is named), in order."""
        told = [json.loads(line) for line in self.lines()]
        return [one for one in told if not names or one.get("event") in names]


@contextmanager
def spoken(level: str = "info", *, as_json: bool = True) -> Iterator[Spoken]:
    """Listen, and leave the loggers as they were."""
    names = (None, *logs.OURS)
    before = [logging.getLogger(name).level for name in names]
    kept = list(logging.getLogger().handlers)
    heard = Spoken()
    logs.set_up(level, as_json, heard)
    try:
        yield heard
    finally:
        logging.getLogger().handlers[:] = kept
        for name, was in zip(names, before, strict=True):
            logging.getLogger(name).setLevel(was)
