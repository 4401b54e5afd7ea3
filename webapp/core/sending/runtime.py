"""What a sender is given: its settings, and its connections to the world around it."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from webapp.core import cadence
from webapp.core.domains.sealing import Seal
from webapp.core.ports import Watch
from webapp.core.rules.bounces import ReturnPath
from webapp.core.rules.pacing import Reading


@dataclass(frozen=True, slots=True)
class SenderSettings:
    """How a sender works. Times in seconds.

    `group`: mails in one transaction. `connections`: how many connections to the relay a process would like, where there is a limit for
    all processes. `latest_s`: an outcome waits at most so long for its group. `lead_s`: mails are claimed so long before the pace lets them
    leave. `near_s`: the sender waits for a next mail that is nearer than this while nobody else wants the worker; longer than from one
    sweep to the next, so that no time is lost where nobody wakes it earlier. `slice_s`: a sender that is never idle makes room after so
    long if another job waits. `stay_s`: a sender that waits for the relay stays at least so long, as all others would wait, too.
    `promote_s`: how often it makes rows pending whose time has come. `help_s`: a sender that was behind for so long calls for help.
    `limits_s`: how often it reads the limits above all broadcasts. `patience_s`: how long it insists when the database takes no outcomes.
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
        """A connection carries one mail and has announced the next, so a group has at least two mails for each."""
        return cls(connections=connections, group=max(cls().group, 2 * connections))


@dataclass(frozen=True, slots=True)
class Runtime:
    """What the core is given. `host_grace`: how long a machine may be away with its journals.

    `prepare` begins a session's transaction as one that will write. `reading` looks at all clocks, `ticks` at the steady one alone.
    `watch` looks at a broadcast's state outside of the transactions. `relay_key` names the relay (host and port), whose health is one fact
    for the whole site. `public_url` is the console's address as recipients reach it.
    `must_stop` says whether the process is asked to end, `somebody_waits` whether other work waits for this worker;
    the sender asks both a few times a second. `call_for_help` asks for another process to serve the same broadcast, if one is idle.
    While `in_haste` is entered it gives another way to prepare a transaction that writes much: its commit may return before the disk has
    it. `take_time` prepares the last of these transactions: when its commit returns, the disk has all of them. `seal` opens the keys that
    sign mails; None: no mail is signed. `return_path` is what the mails' return paths look like; None: they are the sender's address.
    """

    engine: Engine
    prepare: Callable[[Session], None]
    reading: Callable[[], Reading]
    ticks: Callable[[], float]
    watch: Callable[[int], Watch]
    relay_key: str = ""
    public_url: str = ""
    must_stop: Callable[[], bool] = lambda: False
    somebody_waits: Callable[[], bool] = lambda: False
    call_for_help: Callable[[], None] = lambda: None
    in_haste: Callable[[], AbstractContextManager[Callable[[Session], None]]] = lambda: nullcontext(
        lambda _session: None
    )
    take_time: Callable[[Session], None] = lambda _session: None
    host_grace: timedelta = cadence.HOST_GRACE
    seal: Seal | None = None
    return_path: ReturnPath | None = None
