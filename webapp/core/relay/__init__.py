"""The relay: how it is, what it was learned to take, and which recipients' domains are given time. The only writer of these tables.

A relay is named by `key`, host and port. Its health is one fact for the whole site: who finds out that it cannot be reached has all wait,
and one process alone tries it again. Nothing here commits; on PostgreSQL whoever needs the relay's row takes its lock before a broadcast's.

health.py   well, waiting or refusing, and who may probe
learned.py  limits that were found out by meeting them
domains.py  recipients' domains that deferred again and again
"""

from webapp.core.relay.domains import clear_rest, give_rest, resting
from webapp.core.relay.health import (
    Health,
    begin_probe,
    end_probe,
    is_well,
    keep_probing,
    read,
    refuse,
    take_note,
    try_now,
    wait,
)
from webapp.core.relay.learned import forget, learn, learn_rate

__all__ = [
    "Health",
    "begin_probe",
    "clear_rest",
    "end_probe",
    "forget",
    "give_rest",
    "is_well",
    "keep_probing",
    "learn",
    "learn_rate",
    "read",
    "refuse",
    "resting",
    "take_note",
    "try_now",
    "wait",
]
