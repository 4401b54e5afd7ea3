"""What a relay keeps, beside the ledger, byte by byte: each accepted mail once, as the program made it, below what the relay wrote above
it."""

import bisect
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import parsedate_to_datetime
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from tests import engine
from webapp.core.broadcasts.delivered import mail
from webapp.core.rules.lifecycle import DeliveryState
from webapp.core.tables.broadcasts import Broadcast
from webapp.core.tables.deliveries import Delivery

_FIELD = re.compile(rb"([!-9;-~]+):[^\n]*\n(?:[ \t][^\n]*\n)*")
_MESSAGE_ID = re.compile(rb"^Message-ID: (<[^>\n]+>)", re.MULTILINE | re.IGNORECASE)
ABOVE = frozenset({"return-path", "delivered-to", "x-original-to", "envelope-to", "delivery-date", "received"})
"""Fields a relay writes above a mail (RFC 5321 section 4.4, and what keeps the envelope's recipient)."""
FOR = ("delivered-to", "envelope-to")
MOST_WORDS = 5


@dataclass
class Kept:
    """What was found. `lost` and `twice` count mails; `differing` those that are not what the program made, `strangers` those of no row.
    `came_at` is when they came, by the relay's own stamps (whole seconds)."""

    mails: int = 0
    accepted: int = 0
    lost: int = 0
    twice: int = 0
    differing: int = 0
    strangers: int = 0
    states: dict[str, int] = field(default_factory=dict)
    came_at: list[datetime] = field(default_factory=list)
    words: list[str] = field(default_factory=list)

    @property
    def is_well(self) -> bool:
        return not (self.lost or self.twice or self.differing or self.strangers or self.words)

    def says(self, words: str) -> None:
        if len(self.words) < MOST_WORDS:
            self.words.append(words)


def files(maildir: Path) -> list[Path]:
    return [file for part in ("new", "cur") for file in (maildir / part).iterdir()]


def compare(session: Session, broadcasts: Sequence[int], maildir: Path, now: datetime) -> dict[int, Kept]:
    """Each of the broadcasts beside the Maildir, which holds their mails and no others."""
    by_id: dict[bytes, list[bytes]] = {}
    for file in files(maildir):
        data = file.read_bytes()
        found = _MESSAGE_ID.search(data)
        by_id.setdefault(found[1] if found else b"", []).append(data)
    kept = {key: _of(session, key, by_id, now) for key in broadcasts}
    if by_id:
        last = kept[broadcasts[-1]]
        last.strangers = sum(map(len, by_id.values()))
        last.says(f"the relay has mails of no row: {list(by_id)[:3]}")
    return kept


def most_in_any(times: Sequence[datetime], seconds: int) -> int:
    """The most mails within any so many seconds, by stamps of whole seconds. It is never more than there were: stamps of n and n + s, cut
    off, cannot be nearer to each other than s seconds when the instants were not."""
    stamps = sorted(at.timestamp() for at in times)
    return max((place - bisect.bisect_right(stamps, at - seconds) + 1 for place, at in enumerate(stamps)), default=0)


def _of(session: Session, key: int, by_id: dict[bytes, list[bytes]], now: datetime) -> Kept:
    found = Kept()
    session.rollback()
    broadcast = session.get_one(Broadcast, key, populate_existing=True)
    rows = session.scalars(select(Delivery).where(Delivery.broadcast_id == key)).all()
    found.mails = broadcast.frozen_count or 0
    if len(rows) != found.mails:
        found.says(f"{len(rows)} rows, {found.mails} were frozen")
    for row in rows:
        found.states[row.state.value] = found.states.get(row.state.value, 0) + 1
        made = mail(session, broadcast, row, now, engine.URL)
        if made is None:
            continue
        message_id = made.header("Message-ID").encode()
        copies = by_id.pop(message_id, [])
        if row.state is DeliveryState.ACCEPTED:
            found.accepted += 1
            if not copies:
                found.lost += 1
                found.says(f"{row.address}: accepted, but the relay does not have it")
        elif copies:
            found.strangers += len(copies)
            found.says(f"{row.address}: {row.state}, but the relay has it")
        if len(copies) > 1:
            found.twice += len(copies) - 1
            found.says(f"{row.address}: {len(copies)} mails")
        for data in copies:
            _compare_one(found, row.address or "", made.data.replace(b"\r\n", b"\n"), data)
    return found


def _compare_one(found: Kept, address: str, made: bytes, data: bytes) -> None:
    above = data.removesuffix(made)
    fields = _fields(above)
    received = next((value for name, value in fields if name == "received"), "")
    if received:
        found.came_at.append(parsedate_to_datetime(received.rpartition(";")[2].strip()))
    else:
        found.says(f"{address}: the relay wrote no Received above it")
    if len(above) == len(data):
        found.differing += 1
        found.says(f"{address}: not as it was made: {_first_difference(made, data)}")
    elif strange := {name for name, _ in fields} - ABOVE:
        found.differing += 1
        found.says(f"{address}: the relay wrote {', '.join(sorted(strange))} above it")
    for name, value in fields:
        if name in FOR and value != address:
            found.differing += 1
            found.says(f"{address}: the envelope said {value}")


def _fields(above: bytes) -> list[tuple[str, str]]:
    return [
        (match[1].decode().lower(), " ".join(match[0].partition(b":")[2].decode("utf-8", "replace").split()))
        for match in _FIELD.finditer(above)
    ]


def _first_difference(made: bytes, data: bytes) -> str:
    """Where it begins, seen from the end, for above it are other fields."""
    for place, (one, other) in enumerate(zip(reversed(made), reversed(data), strict=False)):
        if one != other:
            return f"…{made[-place - 30 : len(made) - place + 20]!r} became …{data[-place - 30 : len(data) - place + 20]!r}"
    return "it is shorter"
