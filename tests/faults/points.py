"""Named points in a sending process at which it can be told to die, and the file by which it is told.

The tests write a `Plan`; `tests.faults.dying_worker` reads it in every work-horse as it is forked.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

PLAN = "TEST_PLAN"
"""The variable that names the file of the plan."""

POINTS = {
    "started": "scheduled became sending, nothing frozen yet, uncommitted",
    "chunk-half": "the rows of a freeze chunk are in, but not counted, uncommitted",
    "chunk-committed": "between two freeze chunks",
    "lease-opened": "the lease is open, nothing claimed",
    "claim-uncommitted": "a group is claimed, uncommitted",
    "claim-committed": "a group is claimed, nothing of it handed over",
    "body-unannounced": "the relay waits for a mail's content, the journal knows nothing of it",
    "body-announced": "the journal has the line before the content, nothing has left",
    "body-half": "half of the content has left",
    "dot-left": "content and dot have left, the reply is not read",
    "reply-read": "the reply is read, not in the journal",
    "reply-written": "the reply is in the journal, not in the database",
    "record-uncommitted": "a group is recorded, uncommitted",
    "record-committed": "a group is recorded",
    "journal-shortening": "a shorter journal is made, or was just put in the place of the longer one",
    "lease-ending": "all is done, the lease has not ended",
    "lease-ended": "the lease has ended, the broadcast is not finished",
    "recovery-uncommitted": "what a killed sender left behind is settled, uncommitted",
    "recovery-committed": "what a killed sender left behind is settled",
    "worker": "the worker and its work-horse at once, while the content of a mail leaves",
}

ON_THE_WIRE = ("body-announced", "body-half", "dot-left", "reply-read", "reply-written", "claim-committed")
"""Where somebody dies first, so that there is something to recover."""


@dataclass(frozen=True)
class Death:
    """A work-horse dies when it passes `point` for the `nth` time (from 1)."""

    point: str
    nth: int = 1


@dataclass(frozen=True)
class Plan:
    """How a worker's next work-horses behave. The first that comes to the first death dies, then the second is due, and so on.

    `connections` to the relay, `group` mails in a transaction, `chunk` clients frozen at a time, `journal` octets before it is shortened,
    `patience_s` with a database that takes nothing.
    """

    deaths: Sequence[Death] = ()
    connections: int = 3
    group: int = 200
    chunk: int = 20_000
    journal: int = 1 << 18
    patience_s: float = 120.0

    def write(self, path: Path) -> None:
        """Have it heeded from now on; no death of an earlier plan counts."""
        for index in range(10):
            grave(path, index).unlink(missing_ok=True)
        fresh = path.with_suffix(".new")
        fresh.write_text(json.dumps(asdict(self)))
        fresh.rename(path)

    @classmethod
    def read(cls, path: Path) -> "Plan":
        values = json.loads(path.read_text()) if path.exists() else {}
        return cls(**values | {"deaths": tuple(Death(**one) for one in values.get("deaths", ()))})


def grave(path: Path, index: int) -> Path:
    """The file in which the process that dies the plan's death number `index` writes its id, just before."""
    return path.with_suffix(f".died-{index}")


def dead(path: Path, index: int) -> int | None:
    """The process that died that death and is gone, None as long as there is none."""
    try:
        pid = int(grave(path, index).read_text() or "0")
    except FileNotFoundError:
        return None
    return pid if pid and not is_alive(pid) else None


def is_alive(pid: int) -> bool:
    """Whether there is such a process that still runs; one that its parent has only to bury does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state not in "ZX"
