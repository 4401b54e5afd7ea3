"""The Maildir in which the demo's mail catcher keeps mails, and what a list shows of them."""

import contextlib
import email.policy
import itertools
import os
import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from email.parser import BytesParser, HeaderParser
from functools import lru_cache
from pathlib import Path

from webapp import private
from webapp.core.rules.encoded_words import readable

HEADERS_AT_MOST = 16 * 1024
"""How much of a mail is read for the list: the fields it shows stand at the beginning."""
_NAME = re.compile(r"\d{20}\.\d+")
_FIELD = re.compile(rb"^(Return-Path|Delivered-To|From|To|Subject|Date):[ \t]*((?:.*(?:\r?\n[ \t].*)*))", re.I | re.M)


@dataclass(frozen=True, slots=True)
class Summary:
    """A caught mail in a list. `recipient` is the address of the envelope; `name_of_recipient`, `sender` and `subject` are from the
    header."""

    name: str
    caught_at: datetime
    recipient: str
    name_of_recipient: str
    sender: str
    subject: str
    size: int

    def matches(self, words: Sequence[str]) -> bool:
        text = f"{self.recipient} {self.name_of_recipient} {self.sender} {self.subject}".casefold()
        return all(word in text for word in words)


class Maildir:
    """Mails in a folder, as `new/<time>.<number>`: the oldest name sorts first. Two lines stand before each mail as it came,
    Return-Path and Delivered-To, with the addresses of the envelope."""

    def __init__(self, folder: Path):
        self.folder = folder
        private.folder(folder)
        for part in ("tmp", "new", "cur"):
            private.folder(folder / part)
        self._numbers = itertools.count()

    def keep(self, mail_from: str, recipients: Sequence[str], content: bytes) -> None:
        """Add one mail for each recipient. It appears at once and whole."""
        for recipient in recipients:
            name = f"{time.time_ns():020d}.{next(self._numbers)}"
            envelope = f"Return-Path: <{mail_from}>\r\nDelivered-To: {recipient}\r\n".encode()
            with open(self.folder / "tmp" / name, "xb", opener=private.opener) as file:
                file.write(envelope + content)
            (self.folder / "tmp" / name).rename(self.folder / "new" / name)

    def names(self) -> list[str]:
        """All mails, the newest first."""
        return sorted(
            (entry.name for entry in os.scandir(self.folder / "new") if _NAME.fullmatch(entry.name)), reverse=True
        )

    def page(self, search: str, offset: int, limit: int) -> tuple[list[Summary], int]:
        """Part of the mails whose recipient, sender or subject has all words of `search`, the newest first, and how many there are."""
        names = self.names()
        words = search.casefold().split()
        if not words:
            return list(self._summaries(names[offset : offset + limit])), len(names)
        found = [summary for summary in self._summaries(names) if summary.matches(words)]
        return found[offset : offset + limit], len(found)

    def beside(self, name: str) -> tuple[str | None, str | None]:
        """The mails caught before and after this one."""
        names = self.names()
        place = names.index(name) if name in names else len(names)
        return (
            names[place + 1] if place + 1 < len(names) else None,
            names[place - 1] if 0 < place < len(names) else None,
        )

    def _summaries(self, names: Sequence[str]) -> Iterator[Summary]:
        for name in names:
            with contextlib.suppress(FileNotFoundError):  # emptied meanwhile
                yield _summary(self.folder, name)

    def summary(self, name: str) -> Summary:
        """Raises FileNotFoundError."""
        return _summary(self.folder, _checked(name))

    def return_path(self, name: str) -> str:
        """Where what comes back goes: the sender of the envelope. Raises FileNotFoundError."""
        with (self.folder / "new" / _checked(name)).open("rb") as file:
            return file.readline().decode().partition("<")[2].rpartition(">")[0]

    def source(self, name: str) -> bytes:
        """The mail as it came, without the two lines of the envelope. Raises FileNotFoundError."""
        whole = (self.folder / "new" / _checked(name)).read_bytes()
        return whole.split(b"\r\n", 2)[2]

    def message(self, name: str) -> EmailMessage:
        """The mail, parsed. Raises FileNotFoundError."""
        return BytesParser(policy=email.policy.default).parsebytes(self.source(name))

    def headers(self, name: str) -> list[tuple[str, str]]:
        """The header fields of a mail in their order, readable. Raises FileNotFoundError.

        Not taken from `message()`: before Python 3.13 its addresses have a blank between the words that RFC 2047 section 6.2 joins.
        """
        parsed = HeaderParser(policy=email.policy.compat32).parsestr(self.source(name).decode("utf-8", "replace"))
        return [(field, readable(value)) for field, value in parsed.items()]

    def empty(self) -> int:
        """Remove all mails; returns how many there were."""
        removed = 0
        for name in self.names():
            with contextlib.suppress(FileNotFoundError):
                (self.folder / "new" / name).unlink()
                removed += 1
        return removed


@lru_cache(maxsize=100_000)
def _summary(folder: Path, name: str) -> Summary:
    """A mail never changes once it is there, so what was read stays true."""
    path = folder / "new" / name
    with path.open("rb") as file:
        head = file.read(HEADERS_AT_MOST)
        size = os.fstat(file.fileno()).st_size
    head = re.split(rb"\r?\n\r?\n", head, maxsplit=1)[0]
    fields: dict[str, str] = {}
    for key, value in _FIELD.findall(head):
        fields.setdefault(key.decode().lower(), _text_of(value))
    return Summary(
        name=name,
        caught_at=datetime.fromtimestamp(int(name.partition(".")[0]) / 1e9, UTC),
        recipient=fields.get("delivered-to", ""),
        name_of_recipient=fields.get("to", "").partition("<")[0].strip(' "'),
        sender=fields.get("from", ""),
        subject=fields.get("subject", ""),
        size=size,
    )


def _text_of(field: bytes) -> str:
    """A field's content as it came, readable."""
    return readable(field.decode("utf-8", "replace")).strip()


def _checked(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise FileNotFoundError(name)
    return name
