"""How the program speaks: one line for each event on standard error, as text or JSON, with the request or job that it belongs to.

No line holds personal data. What is logged are numbers, states and codes: never an address, a name, a subject or a token, and never the
words of a relay, which repeat the address that they refuse. An error is told by its kind and its place in the code; its own words only
where they speak of machines and code, since others may repeat what they were given. Whatever looks like an address and slips into a line
all the same is taken out here.
"""

import logging
import re
import smtplib
import sys
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from types import TracebackType
from typing import TextIO
from uuid import uuid4

from jinja2 import TemplateError
from pythonjsonlogger.json import JsonFormatter
from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError

OURS = ("webapp", "jobs")
"""Loggers that speak at the level that is set; all others at warning, or at a higher one that is set."""

CHATTER = "rq"
"""RQ sets the level of its loggers itself, again and again; below warning it is heard only where `debug` is set."""

TELLABLE = (SQLAlchemyError, RedisError, TemplateError, OSError, ImportError, AttributeError, NameError, TypeError)
"""Errors whose words speak of machines and code: those of a database leave out the values, see `adapters/database.py`."""

NOBODY = "-"
"""In place of an id where a line belongs to no request and no job."""

SAFE_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
ADDRESS = re.compile(r"[^\s@<>\"'`,;:()\[\]{}=|\\/]+@[^\s@<>\"'`,;:()\[\]{}=|\\/]+")
TAKEN_OUT = "(address)"

_belongs_to: ContextVar[str] = ContextVar("request_id", default=NOBODY)


def set_up(level: str, as_json: bool, stream: TextIO | None = None) -> None:
    """Have this process speak on `stream` (None: standard error) from `level` on: debug, info, warning or error. For the programs that
    serve, work or are called from a command line; a second call takes the place of the first."""
    root = logging.getLogger()
    for handler in [one for one in root.handlers if isinstance(one, _Voice)]:
        root.removeHandler(handler)
    least = logging.getLevelNamesMapping()[level.upper()]
    voice = _Voice(stream or sys.stderr)
    voice.setFormatter(_Json() if as_json else _PlainText())
    voice.addFilter(_bears_its_id)
    voice.addFilter(_is_one_line)
    if least > logging.DEBUG:
        voice.addFilter(_is_no_chatter)
    root.addHandler(voice)
    root.setLevel(max(least, logging.WARNING))
    for name in OURS:
        logging.getLogger(name).setLevel(least)
    for name, logger in list(
        logging.root.manager.loggerDict.items()
    ):  # what Flask and RQ have given theirs says it twice
        if isinstance(logger, logging.Logger) and name.partition(".")[0] in (*OURS, CHATTER):
            logger.handlers.clear()
            logger.propagate = True


def id_from(given: str | None) -> str:
    """The id of a request: what a proxy gave it, where that is up to 64 letters, digits and . _ - ; else a new one."""
    return given if given and SAFE_ID.fullmatch(given) else uuid4().hex


def current_id() -> str | None:
    """The id of the request or job that is being worked on here; None where there is none."""
    found = _belongs_to.get()
    return None if found == NOBODY else found


@contextmanager
def belonging_to(request_id: str) -> Iterator[None]:
    """What is logged inside, by this thread, belongs to the request or job with that id."""
    before = _belongs_to.get()
    begin(request_id)
    try:
        yield
    finally:
        begin(before)


def begin(request_id: str = NOBODY) -> None:
    """As `belonging_to`, from now on; without an id for what belongs to nothing."""
    _belongs_to.set(request_id)


class _Voice(logging.StreamHandler[TextIO]):
    """The one handler of this program."""


def _bears_its_id(record: logging.LogRecord) -> bool:
    record.request = _belongs_to.get()
    return True


def _is_no_chatter(record: logging.LogRecord) -> bool:
    return record.levelno >= logging.WARNING or record.name.partition(".")[0] != CHATTER


def _is_one_line(record: logging.LogRecord) -> bool:
    """RQ writes the text of an error behind its own words: `jobs/runtime.py` tells of that itself."""
    if record.name.partition(".")[0] == CHATTER:
        record.msg, record.args = record.getMessage().partition("\n")[0], None
    return True


def _without_addresses(line: str) -> str:
    return ADDRESS.sub(TAKEN_OUT, line) if "@" in line else line


def words_of(error: BaseException) -> str:
    """An error by its kind, and by its own words where they may be told."""
    kind = type(error).__qualname__
    is_tellable = isinstance(error, TELLABLE) and not isinstance(error, smtplib.SMTPException)
    return f"{kind}: {error}" if is_tellable else kind


def _told(error: BaseException, known: frozenset[int] = frozenset()) -> Iterator[str]:
    """An error with what led to it, the first first, as Python shows it."""
    earlier = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if earlier is not None and id(earlier) not in known:
        yield from _told(earlier, known | {id(error)})
        yield "\nwhich led to:\n\n"
    yield "Traceback (most recent call last):\n"
    yield from traceback.format_tb(error.__traceback__)
    yield f"{words_of(error)}\n"


class _Utc(logging.Formatter):
    """Instants in UTC, to the millisecond, as RFC 3339 writes them."""

    converter = staticmethod(time.gmtime)
    default_time_format = "%Y-%m-%dT%H:%M:%S"
    default_msec_format = "%s.%03dZ"

    def format(self, record: logging.LogRecord) -> str:
        record.exc_text = None  # what another handler has made of the error is no text of ours
        return _without_addresses(super().format(record))

    def formatException(
        self, ei: tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]
    ) -> str:
        return "".join(_told(ei[1])).rstrip("\n") if ei[1] is not None else ""


class _PlainText(_Utc):
    """One line for people; a traceback follows on lines of its own. A line break within a message begins no line."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s [%(request)s] %(message)s")

    def formatMessage(self, record: logging.LogRecord) -> str:
        return super().formatMessage(record).replace("\r", "\\r").replace("\n", "\\n")


class _Json(_Utc, JsonFormatter):
    """One object a line: `at`, `level`, `logger`, `request`, `message`, and the fields of the event."""

    def __init__(self) -> None:
        names = {"asctime": "at", "levelname": "level", "name": "logger"}
        JsonFormatter.__init__(
            self,
            "{asctime}{levelname}{name}{request}{message}",
            style="{",
            rename_fields=names,
            json_ensure_ascii=False,
        )
