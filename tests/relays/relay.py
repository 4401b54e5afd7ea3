"""What all the real relays have in common."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path

NO_LIMIT = "no limit"


@dataclass(frozen=True)
class Running:
    """A relay that listens on loopback. `maildir` is where everything comes that it takes; `settings` is what a worker needs beyond host
    and port; `log` what the relay says about itself, `version` which it is."""

    port: int
    maildir: Path
    log: Path
    version: str
    settings: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Real:
    """A relay that can be started in an empty folder: `run(folder, short)`. `patience_s` is for how long the mails of the full form may
    take it beyond their pace; `learns` is a pattern of what the program finds out about it."""

    name: str
    words: str
    run: Callable[[Path, bool], AbstractContextManager[Running]]
    learns: str = NO_LIMIT
    patience_s: float = 300.0
