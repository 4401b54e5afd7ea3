"""The log that the SMTP server of the tests writes about what it received: the truth with which the ledger is compared."""

import bisect
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Taken:
    """One mail that the server received completely, to the final dot.

    `at` is when the dot was there (time.monotonic, which all processes of a machine share), `asked_at` when the server asked for the
    content, before which nothing of it can have come; `answer` what the server said to the dot (None: it said nothing that can be
    understood), `kept` whether it holds the mail now, whatever it said: an unanswered one may have been taken.
    `parameters` are those of MAIL FROM.
    """

    at: float
    asked_at: float
    connection: int
    mail_from: str
    recipient: str
    message_id: str
    sha256: str
    size: int
    answer: str | None
    kept: bool
    parameters: str


def events(log: Path, kind: str | None = None) -> Iterator[dict[str, Any]]:
    """What the server wrote, in order: "connected", "signed_in", "fault", "protocol" (a command out of order), "mail"."""
    with log.open(encoding="utf-8") as lines:
        for line in lines:
            if not line.endswith(
                "\n"
            ):  # it is being written, or the server was killed; its other half would be the next "line"
                return
            event = json.loads(line)
            if kind is None or event["event"] == kind:
                yield event


def received(log: Path) -> list[Taken]:
    """Every mail that came completely, kept or not, in the order in which the dots came."""
    return [_taken(event) for event in events(log, "mail")]


class Arrivals:
    """The same list while it grows: each line is read once."""

    def __init__(self, log: Path) -> None:
        self._log, self._at = log, 0
        self._mails: list[Taken] = []

    def so_far(self) -> list[Taken]:
        with self._log.open("rb") as lines:
            lines.seek(self._at)
            new = lines.read()
        whole = new[: new.rfind(b"\n") + 1]
        self._at += len(whole)
        self._mails += [_taken(event) for event in map(json.loads, whole.splitlines()) if event["event"] == "mail"]
        return self._mails


def kept(log: Path) -> list[Taken]:
    """The mails the server holds: the accepted ones and those it took without saying so."""
    return [mail for mail in received(log) if mail.kept]


def per_recipient(log: Path) -> Counter[str]:
    """How many mails the server holds for each recipient."""
    return Counter(mail.recipient for mail in kept(log))


def repeats(log: Path) -> dict[str, list[Taken]]:
    """Message-ID -> its mails, of those the server holds more than once."""
    by_id: dict[str, list[Taken]] = {}
    for mail in kept(log):
        by_id.setdefault(mail.message_id, []).append(mail)
    return {message_id: mails for message_id, mails in by_id.items() if len(mails) > 1}


def most_in_any(log: Path, seconds: float, mail_from: str | None = None) -> int:
    """The largest number of mails that came completely within any `seconds`, kept or not; of all, or of one sender's."""
    times = sorted(mail.at for mail in received(log) if mail_from in (None, mail.mail_from))
    return max((i - bisect.bisect_right(times, at - seconds) + 1 for i, at in enumerate(times)), default=0)


def _taken(event: dict[str, Any]) -> Taken:
    return Taken(**{name: event[name] for name in Taken.__dataclass_fields__})
