"""What the statements of the hot path give back."""

from datetime import datetime
from typing import NamedTuple

from webapp.core.rules.lifecycle import BroadcastState
from webapp.core.rules.pacing import Reading, Use


class Standing(NamedTuple):
    """Whether and how fast a broadcast may send: `batch_size` mails every `interval_s` seconds. `is_probing`: it feels its way with a
    relay that was ill. `is_marketing`: it may be declined."""

    state: BroadcastState
    is_frozen: bool
    batch_size: int
    interval_s: int
    is_probing: bool
    is_marketing: bool


class DueRow(NamedTuple):
    """A delivery that may be claimed. `merge_values` is the JSON list of its tags' values and `stamped_at` its Date, both None before its
    first claim. `attempts` counts attempts that were begun. `barred` says why its address must not be mailed any
    more, None where it may. `language` is that of its text, None for the broadcast's main one."""

    delivery_id: int
    client_id: int
    service_id: int | None
    addon_assignment_id: int | None
    address: str
    merge_values: str | None
    stamped_at: datetime | None
    attempts: int
    barred: str | None
    language: str | None = None


class ClaimedNow(NamedTuple):
    """How many mails are claimed, by whichever sender, and when that was true, by the wall clock that all senders share."""

    reading: Reading
    mails: int


class Counted(NamedTuple):
    """How many mails were counted, and the first minute in which there were any."""

    mails: int
    first: datetime | None


class KnownUse(NamedTuple):
    """A use of a pace as it is remembered; ids rise with time."""

    use_id: int
    use: Use
