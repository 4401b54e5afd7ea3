"""What a sender is given: how it works, and what surrounds it."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from webapp.core import cadence
from webapp.core.domains.sealing import Seal
from webapp.core.ports import Watch
from webapp.core.rules.pacing import Reading


@dataclass(frozen=True, slots=True)
class SenderSettings:
    """How a sender works. Times in seconds.

    `group`: mails of one transaction. `connections`: how many to the relay a process would like, where they are limited for all.
    `latest_s`: an outcome waits at most so long for its group.
    `lead_s`: mails are claimed so long before the pace lets them leave. `near_s`: a next mail that is nearer is waited for
    while nobody else wants the worker; longer than from one sweep to the next, so that none of it is lost where nobody rings earlier.
    `slice_s`: after so long a sender that is never idle makes room if another job waits. `stay_s`: for so long at least it stays when it
    waits for the relay, as all others would. `promote_s`: how often rows are looked for
    whose time has come. `help_s`: a sender that was behind for so long calls for help. `limits_s`: how often the limits above all
    broadcasts are read. `patience_s`: how long to insist when the database does not take outcomes.
    """

    group: int = 400
    connections: int = 10
    latest_s: float = cadence.RECORD_WITHIN_S
    lead_s: float = cadence.CLAIM_AHEAD_S
    near_s: float = cadence.STAY_NEAR_S
    slice_s: float = cadence.TURN_S
    stay_s: float = cadence.STAY_FOR_RELAY_S
    promote_s: float = cadence.PROMOTE_EVERY_S
    help_s: float = cadence.CALL_FOR_HELP_S
    limits_s: float = cadence.LIMITS_EVERY_S
    patience_s: float = cadence.INSIST_S
    retry_s: float = cadence.INSIST_EVERY_S

    @classmethod
    def for_connections(cls, connections: int) -> "SenderSettings":
        """A connection carries one mail and has announced the next: groups of so many at least, lest the others run out meanwhile."""
        return cls(connections=connections, group=max(cls().group, 2 * connections))


@dataclass(frozen=True, slots=True)
class Runtime:
    """What the core is given. `host_grace`: how long a machine may be away with its journals.

    `prepare` begins a session's transaction as one that will write. `reading` looks at all clocks, `ticks` at the steady one alone.
    `watch` looks at a broadcast's state from beside.
    `seal` opens the keys that sign mails; None: no mail is signed.
    `relay_key` names the relay (host and port), whose health is one for the whole site.
    `must_stop` says that the process is asked to end, `somebody_waits` that other work waits for this worker; both are asked a few times
    a second. `call_for_help` asks for another process to serve the same broadcast, if there is an idle one.
    `in_haste`, for as long as it is entered, gives a way to prepare transactions of much that is written, whose commit may come before the
    disk has them; `take_time` has the last of them, and so all, there when its commit returns.
    """

    engine: Engine
    prepare: Callable[[Session], None]
    reading: Callable[[], Reading]
    ticks: Callable[[], float]
    watch: Callable[[int], Watch]
    relay_key: str = ""
    must_stop: Callable[[], bool] = lambda: False
    somebody_waits: Callable[[], bool] = lambda: False
    call_for_help: Callable[[], None] = lambda: None
    in_haste: Callable[[], AbstractContextManager[Callable[[Session], None]]] = lambda: nullcontext(
        lambda _session: None
    )
    take_time: Callable[[Session], None] = lambda _session: None
    host_grace: timedelta = cadence.HOST_GRACE
    seal: Seal | None = None
