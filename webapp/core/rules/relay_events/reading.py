"""Reading what a stranger sent: JSON that may be anything, within bounds. Whatever comes, nothing but Refused is raised."""

import json
import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any, NamedTuple

from webapp.core.rules.relay_event import LARGEST_RAW, LONGEST_KEY, LONGEST_STATUS, LONGEST_WORDS, EventKind, RelayEvent

LARGEST_BODY = 2 * 1024 * 1024
"""Octets of a call. Amazon's have at most 256 KB, SendGrid's and Brevo's some hundred events of a kilobyte or two each."""

MOST_EVENTS = 5_000
"""Events in one call."""

LONGEST_ADDRESS = 320
AHEAD = timedelta(minutes=5)
"""So far the relay's clock may be before ours."""

UNKEPT = re.compile("[\x00\ud800-\udfff]")
"""What a database cannot keep: NUL, and half of a surrogate pair."""

STATUS = re.compile(r"(?<![\d.])([245])\.(\d{1,3})\.(\d{1,3})(?![\d.])")
"""An enhanced code (RFC 3463 section 2)."""


class Refused(Exception):
    """The call is not taken. `str(error)` says why, in words for whoever looks after the source; none of them were sent by the caller.
    `is_final`: sent again, it would be refused again, so the relay need not try."""

    def __init__(self, why: str, *, is_final: bool = False):
        super().__init__(why)
        self.is_final = is_final


def parsed(raw: bytes) -> Any:
    """The JSON of a body (RFC 8259), or Refused."""
    if len(raw) > LARGEST_BODY:
        raise Refused("It is larger than a report of events can be.", is_final=True)
    try:
        return json.loads(raw.decode("utf-8"), parse_constant=_no_number)
    except (ValueError, RecursionError):  # a number with too many digits is a ValueError, too
        raise Refused("It is not JSON.", is_final=True) from None


def _no_number(name: str) -> float:
    raise ValueError(f"{name} is no JSON")


def some(value: object) -> Mapping[str, Any]:
    """An object of JSON; an empty one in the place of anything else."""
    return value if isinstance(value, dict) else {}


def listed(value: object) -> list[Any]:
    """A list of JSON; an empty one in the place of anything else."""
    return value if isinstance(value, list) else []


def words(value: object, most: int = LONGEST_WORDS) -> str:
    """A text, or a number as one, that can be kept, in at most so many characters; empty in the place of anything else."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    if not isinstance(value, str):
        value = f"{value:.20g}" if isinstance(value, float) else str(value) if abs(value) < 1 << 64 else ""
    return UNKEPT.sub("", value[: most * 2]).strip()[:most]


def _address(value: object) -> str:
    """A mail address; one in angle brackets comes without them."""
    found = words(value, LONGEST_ADDRESS * 2)
    bare = re.search(r"<([^<>]*)>", found)
    return (bare[1] if bare else found).strip()[:LONGEST_ADDRESS]


def status_in(*texts: object) -> str:
    """The first enhanced code in these texts; empty without one."""
    for text in texts:
        if found := STATUS.search(words(text)):
            return found[0][:LONGEST_STATUS]
    return ""


def instant(seconds: object) -> datetime | None:
    """The instant so many seconds after 1970; None for what is none."""
    if isinstance(seconds, str) and re.fullmatch(r"\d{1,12}(\.\d{1,9})?", seconds):
        seconds = float(seconds)
    if isinstance(seconds, bool) or not isinstance(seconds, int | float):
        return None
    try:
        return datetime.fromtimestamp(seconds, UTC) if math.isfinite(seconds) and seconds > 0 else None
    except (ValueError, OverflowError, OSError):
        return None


def written(text: object) -> datetime | None:
    """The instant that a text names by ISO 8601 with its zone; None for what names none."""
    try:
        # Some write seven decimals of a second; Python reads six.
        at = datetime.fromisoformat(re.sub(r"(\.\d{6})\d+", r"\1", words(text, 40)))
        return at.astimezone(UTC) if at.tzinfo else None
    except (ValueError, OverflowError):
        return None


def in_time(at: datetime | None, now: datetime, lasts: timedelta) -> None:
    """Refuse what was signed longer ago than the relay tries, or is to be signed yet: somebody else repeats it."""
    if at is None:
        raise Refused("It does not say when it was signed.", is_final=True)
    if at < now - lasts:
        raise Refused("It was signed too long ago: somebody may be repeating it.", is_final=True)
    if at > now + AHEAD:
        raise Refused("It is dated later than now. Look at this server's clock.")


class ReportedMail(NamedTuple):
    """Which mail a report is about, as it says."""

    address: str = ""
    message_id: str = ""
    mail_id: str = ""


NO_MAIL = ReportedMail()


def mail(address: object = None, message_id: object = None, mail_id: object = None) -> ReportedMail:
    """The same of what a report says: an address, a Message-ID, and what our own header became."""
    return ReportedMail(
        _address(address),
        words(message_id, LONGEST_KEY * 2).strip("<> \t\r\n")[:LONGEST_KEY],
        words(mail_id, LONGEST_KEY),
    )


def digest(*parts: object) -> str:
    """A name for an event whose relay gives it none: the same for the same words."""
    return sha256("\x1f".join(words(part, 4_000) for part in parts).encode()).hexdigest()


def digest_of(raw: bytes) -> str:
    return sha256(raw).hexdigest()


def again(value: object) -> bytes:
    """One event of several, as it is kept."""
    try:
        return json.dumps(value, ensure_ascii=True, separators=(",", ":"))[:LARGEST_RAW].encode()
    except RecursionError:  # what could just be read may be too deep to be written
        raise Refused("It is nested too deeply.", is_final=True) from None


def event(
    kind: EventKind | None,
    source: str,
    key: str,
    raw: bytes,
    *,
    name: str = "",
    said: str = "",
    status: str = "",
    at: datetime | None = None,
    of: ReportedMail = NO_MAIL,
) -> RelayEvent:
    """An event whose source has proved who it is. None as `kind`, and OTHER: one that nobody heeds, kept under the `name` that its relay
    gives it."""
    if kind is None or kind is EventKind.OTHER:
        kind, said = EventKind.OTHER, f"An event “{name[:80]}”." if name else "An event without a name."
    return RelayEvent(
        kind,
        source,
        key[:LONGEST_KEY],
        at=at,
        address=of.address,
        message_id=of.message_id,
        mail_id=of.mail_id,
        is_authentic=True,
        status=status,
        words=said[:LONGEST_WORDS],
        raw=raw[:LARGEST_RAW],
    )
