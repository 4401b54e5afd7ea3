"""The relay: its health, its limits as they were learned, and recipients' domains that rest. The only writer of these tables.

Its `key`, host and port, names a relay. Its health is one fact for the whole site: when one process finds out that it cannot be reached,
all wait, and one process alone tries it again. Nothing here commits. On PostgreSQL the relay's row is locked before a broadcast's.

health.py   well, waiting or refusing, and who may probe
learned.py  limits that were learned by meeting them
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
