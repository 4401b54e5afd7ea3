"""The health of the relay, for the whole site: well, waiting (all wait for it), or refusing."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from webapp.core import guarded
from webapp.core.cadence import FIRST_WAIT_S, LONGEST_WAIT_S
from webapp.core.relay.rows import ensure
from webapp.core.rules.relay_limits import RelayLimits
from webapp.core.tables.relay import Relay, RelayState


@dataclass(frozen=True, slots=True)
class Health:
    """How the relay is. `since`, `words`, `next_try_at` and `tries` are about a relay that is not well; `limits`, the instants at which
    they were learned, and `per_minute` are about any relay."""

    state: RelayState = RelayState.WELL
    since: datetime | None = None
    words: str = ""
    tries: int = 0
    next_try_at: datetime | None = None
    taken_at: datetime | None = None
    limits: RelayLimits = field(default_factory=RelayLimits)
    connections_at: datetime | None = None
    per_connection_at: datetime | None = None
    behind_dot_at: datetime | None = None
    per_minute: int | None = None
    per_minute_at: datetime | None = None

    @property
    def is_waiting(self) -> bool:
        return self.state is RelayState.WAITING

    @property
    def is_refusing(self) -> bool:
        return self.state is RelayState.REFUSING

    def next_try_in(self, now: datetime) -> float:
        """Seconds until a process may try a waiting relay again; 0.0 when it may try now."""
        return max((self.next_try_at - now).total_seconds(), 0.0) if self.next_try_at else 0.0


def read(session: Session, key: str) -> Health:
    """How the relay is now; well when nobody has met it yet."""
    row = session.scalar(select(Relay).where(Relay.key == key).execution_options(populate_existing=True))
    if row is None:
        return Health()
    return Health(
        row.state,
        row.since,
        row.words or "",
        row.tries,
        row.next_try_at,
        row.taken_at,
        RelayLimits(row.connections, row.per_connection, row.behind_dot),
        row.connections_at,
        row.per_connection_at,
        row.behind_dot_at,
        row.per_minute,
        row.per_minute_at,
    )


def wait(session: Session, key: str, words: str, now: datetime, *, waits_for: timedelta) -> Health:
    """The relay cannot be used at present: make all wait for it. When they have waited for `waits_for` it counts as refusing, and a person
    has to look. Returns how it is then."""
    ensure(session, key)
    before = read(session, key)
    if before.is_refusing:
        return before
    is_new = not before.is_waiting or before.since is None
    since = now if is_new or before.since is None else before.since
    if now - since >= waits_for:
        hours = f"{waits_for.total_seconds() / 3600:g}"
        refuse(session, key, f"It was waited for {hours} hours. {words}", now)
        return read(session, key)
    tries = 1 if is_new else before.tries + 1
    pause = min(FIRST_WAIT_S * 2 ** min(tries - 1, 10), LONGEST_WAIT_S)
    session.execute(
        update(Relay)
        .where(Relay.key == key)
        .values(
            state=RelayState.WAITING,
            since=since,
            words=words,
            tries=tries,
            next_try_at=now + timedelta(seconds=pause),
            probe_until=None,
        )
        .execution_options(synchronize_session=False)
    )
    return read(session, key)


def refuse(session: Session, key: str, words: str, now: datetime) -> None:
    """The relay would refuse whatever is sent: nobody tries it until a person says so (`try_now`)."""
    ensure(session, key)
    session.execute(
        update(Relay)
        .where(Relay.key == key)
        .values(state=RelayState.REFUSING, since=now, words=words, tries=0, next_try_at=None, probe_until=None)
        .execution_options(synchronize_session=False)
    )


def is_well(session: Session, key: str) -> bool:
    """The relay took a mail: it is well. True when it was not well before."""
    return guarded.change_one(
        session,
        update(Relay)
        .where(Relay.key == key, Relay.state != RelayState.WELL)
        .values(state=RelayState.WELL, since=None, words=None, tries=0, next_try_at=None, probe_until=None),
    )


def begin_probe(session: Session, key: str, now: datetime, until: datetime) -> bool:
    """Take the right to try a waiting relay until `until`; False when it is not time yet, or somebody else has the right."""
    is_free = or_(Relay.probe_until.is_(None), Relay.probe_until <= now)
    return guarded.change_one(
        session,
        update(Relay)
        .where(Relay.key == key, Relay.state == RelayState.WAITING, Relay.next_try_at <= now, is_free)
        .values(probe_until=until),
    )


def keep_probing(session: Session, key: str, until: datetime) -> None:
    """Prolong the right to probe. Only the process that has it may call this."""
    guarded.change_one(
        session, update(Relay).where(Relay.key == key, Relay.probe_until.is_not(None)).values(probe_until=until)
    )


def end_probe(session: Session, key: str) -> None:
    """Give the right to probe back before anything was found out."""
    guarded.change_one(session, update(Relay).where(Relay.key == key).values(probe_until=None))


def try_now(session: Session, now: datetime) -> None:
    """A person wants to know: every relay that is not well becomes waiting now, and may be tried at once."""
    guarded.change_one(
        session,
        update(Relay)
        .where(Relay.state != RelayState.WELL)
        .values(state=RelayState.WAITING, since=now, tries=0, next_try_at=now, probe_until=None),
    )


def take_note(session: Session, key: str, now: datetime) -> None:
    """The relay took a mail at this time."""
    ensure(session, key)
    guarded.change_one(session, update(Relay).where(Relay.key == key).values(taken_at=now))
