"""A Maildir to which another mail server delivers bounces: what lies in `new` is read, recorded, and moved to `cur`.

It is moved once it is committed: whatever ends in between is read again, and known then.
"""

import logging
from pathlib import Path

from webapp.adapters.bounces.taking import BounceTaker
from webapp.core.rules.bounces import LARGEST

log = logging.getLogger(__name__)


def read_new(taker: BounceTaker, folder: Path) -> int:
    """Take what is new, the oldest first. Returns how many mails. Raises FileNotFoundError where the folder is no Maildir, and
    SQLAlchemy's errors; what was not taken stays new."""
    taken = 0
    for path in sorted((folder / "new").iterdir()):
        if path.name.startswith(".") or not path.is_file():
            continue
        try:
            with path.open("rb") as file:
                raw = file.read(LARGEST)
        except FileNotFoundError:  # another reader had it
            continue
        taker.take(raw)
        _move(path, folder / "cur" / f"{path.name}:2,S")
        taken += 1
    return taken


def _move(path: Path, to: Path) -> None:
    try:
        path.rename(to)
    except FileNotFoundError:
        log.info("another reader has moved a mail", extra={"event": "bounce_moved", "mail": path.name})
