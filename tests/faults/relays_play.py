"""A row of the table of relays, played with real workers: a broadcast to that relay, watched as people see it, to its end."""

import html
import re
import socket
import time
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType

from flask.testing import FlaskClient
from sqlalchemy import update

from tests import comparison, factories, oracle_log
from tests.certificates import Authority
from tests.faults.places import Kind, scene
from tests.faults.relays_table import Pace, Row
from tests.faults.rest import is_at_rest, let_time_pass
from tests.faults.result import Result
from tests.scenes import Scene
from tests.smtp_oracle import Oracle
from tests.smtp_script import Fault, Script
from tests.visitors import sign_in
from webapp.core import ledger, limits
from webapp.core.rules.lifecycle import BroadcastState, DeliveryState
from webapp.core.rules.limits import Limits
from webapp.core.rules.pacing import Retries
from webapp.core.tables.broadcasts import Broadcast
from webapp.core.tables.deliveries import Delivery

CONNECTIONS = 10
RETRY_MINUTES = 0.1
"""What is deferred is tried again soon, lest a row take hours."""
MOST_CLICKS = 4
"""More are not tried: it will not end."""
LOOKS_S, QUIET_S = 0.25, 0.7
OVER = (BroadcastState.FINISHED, BroadcastState.NEEDS_ATTENTION)
AT_WORK = (DeliveryState.PENDING, DeliveryState.CLAIMED, DeliveryState.HELD, DeliveryState.DEFERRED)


class Relay:
    """The scripted server of a row, which can go away and come back at the same address; a context manager."""

    def __init__(self, row: Row, folder: Path, log: Path) -> None:
        self._log, self._host = log, row.host
        self._authority = Authority(folder)
        (folder / "other").mkdir()
        self._itself = Authority(folder / "other").itself()
        self.ca_file = self._authority.ca_file
        family = socket.AF_INET6 if ":" in row.host else socket.AF_INET
        with socket.create_server((row.host, 0), family=family) as free:
            self.port = free.getsockname()[1]
        self._script = self._told(row.script)
        self._server: Oracle | None = None

    def __enter__(self) -> "Relay":
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self.goes()

    def comes(self) -> None:
        """It listens."""
        self._server = Oracle(self._log, self._script, self.port, self._host)
        self._server.__enter__()

    def goes(self) -> None:
        """It is not there any more, and every connection to it ended; in the midst of a mail, perhaps."""
        server, self._server = self._server, None
        if server is not None:
            server.__exit__(None, None, None)

    def shuts_down(self) -> None:
        """The same in good order: it answers for the mails that it has, and takes no other."""
        assert self._server is not None
        bye = "421 4.3.2 shutting down"
        self._server.follow(
            replace(self._script, faults=tuple(Fault(stage, "421", reply=bye) for stage in ("banner", "mail")))
        )
        came, looked = -1, len(oracle_log.received(self._log))
        while came != looked:
            time.sleep(QUIET_S)
            came, looked = looked, len(oracle_log.received(self._log))
        self.goes()

    def follow(self, script: Script) -> None:
        """Behave like this from now on, and come back if it was gone."""
        self._script = self._told(script)
        if self._server is None:
            self.comes()
        else:
            self._server.follow(self._script)

    def wait_until_quiet(self) -> None:
        if self._server is not None:
            self._server.wait_until_quiet(60)

    def _told(self, script: Script) -> Script:
        if script.certificate is None:
            return script
        files = {
            "good": lambda: self._authority.server(self._host),
            "itself": lambda: self._itself,
            "expired": lambda: self._authority.server(self._host, until=datetime(2020, 1, 1, tzinfo=UTC)),
            "other": lambda: self._authority.server("relay.example.test"),
        }
        return replace(script, certificate=str(files[script.certificate]()))


@dataclass
class Course:
    """How a row went: how often "Resume" was pressed, for which reasons, whether what had to be seen was, how many mails had been refused
    by then, whether it came to its end, and what was not as the table says."""

    clicks: int = 0
    reasons: list[str] = field(default_factory=list)
    has_seen: bool = False
    is_over: bool = False
    tried: int = 0
    began: float = 0.0
    took_s: float = 0.0
    wrong: list[str] = field(default_factory=list)


def play(family: str, row: Row, kind: Kind, pace: Pace) -> Result:
    """Play a row on a database of this kind; what was found, with a note that tells of each row whether it is as the table says."""
    found = Result(family)
    where = f"{row.number} ({row.words}), {kind}, {f'{pace[0]} every {pace[1]} s' if pace[1] else 'fast'}"
    with scene(kind, connections=CONNECTIONS) as place:
        for address in row.audience:
            factories.client(place.session, email=address)
        retries = Retries((RETRY_MINUTES,), 0.1, timedelta(hours=1))
        limits.save(place.session, Limits(retries=retries))
        place.session.commit()
        visitor = sign_in(place.app, place.session)
        with ExitStack() as stack:
            relay = stack.enter_context(Relay(row, place.folder, place.log))
            environ = {"MAIL_SERVER": row.host} | {
                name: value.format(ca=relay.ca_file) for name, value in row.settings.items()
            }
            stack.enter_context(place.workers(relay.port, row.workers, **environ))
            key = place.broadcast(0, html="", text=row.text, batch_size=pace[0], interval_s=pace[1])
            if not row.absent:
                relay.comes()
            course = _Watch(place, relay, visitor, row, key).to_the_end()
        compared = comparison.compare(place.session, key, place.log, is_over=course.is_over)
        course.wrong += compared.wrong[:4]
        _compare(course, row, compared, place)
        found.add(
            where,
            mails=compared.mails,
            lost=compared.lost,
            duplicates=compared.twice + compared.unknown,
            uncertain=compared.uncertain,
        )
        told = f"row {where}: {course.took_s:.0f} s, {course.clicks} clicks, {compared.states}"
    if course.wrong:
        found.broken(f"{told}. {'; '.join(course.wrong)}")
    else:
        found.notes.append(told)
    return found


class _Watch:
    """Somebody who looks at the page of a broadcast until there is nothing more to come."""

    def __init__(self, place: Scene, relay: Relay, visitor: FlaskClient, row: Row, key: int) -> None:
        self._place, self._relay, self._visitor, self._row, self._key = place, relay, visitor, row, key
        self._course = Course(began=time.monotonic())
        self._comes_at: float | None = None
        self._has_been_away = False

    def to_the_end(self) -> Course:
        course, row = self._course, self._row
        self._place.wake(self._key)
        end = course.began + row.patience_s + self._paced_s()
        while True:
            state = self._place.state(self._key)
            course.took_s = time.monotonic() - course.began
            self._move_relay()
            if row.sees and not course.has_seen and self._sees(state):
                course.has_seen = True
                self._told()
                if row.stops:
                    return course
                self._goes_on(state)
            elif state is BroadcastState.PAUSED and is_at_rest(self._place, self._key):
                if course.clicks >= MOST_CLICKS or row.stops:
                    course.wrong.append(f"it paused: {self._reason()!r}")
                    return course
                course.reasons.append(self._reason())
                self._press()
            elif state in OVER and is_at_rest(self._place, self._key):
                self._relay.wait_until_quiet()
                course.is_over = True
                return course
            elif time.monotonic() > end:
                course.wrong.append(f"after {course.took_s:.0f} s it is {state} ({self._reason()!r})")
                return course
            time.sleep(LOOKS_S)

    def _paced_s(self) -> float:
        broadcast = self._place.session.get_one(Broadcast, self._key)
        if not broadcast.interval_s:
            return 0.0
        return len(self._row.audience) / broadcast.batch_size * broadcast.interval_s * 1.5

    def _move_relay(self) -> None:
        """Have it go away, and come back."""
        if self._row.away is None or (self._has_been_away and self._comes_at is None):
            return
        mails, seconds = self._row.away
        if not self._has_been_away and self._place.arrived() >= mails:
            self._relay.shuts_down()
            self._has_been_away, self._comes_at = True, time.monotonic() + seconds
        elif self._comes_at is not None and time.monotonic() >= self._comes_at:
            self._relay.comes()
            self._comes_at = None

    def _sees(self, state: BroadcastState) -> bool:
        if state not in self._row.then:
            return False
        text = self._page()
        if not all(re.search(pattern, text) for pattern in self._row.sees):
            return False
        return state is not BroadcastState.PAUSED or is_at_rest(self._place, self._key)

    def _page(self) -> str:
        answer = self._visitor.get(f"/mass-mail/{self._key}/")
        assert answer.status_code == 200, answer.status
        return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", answer.text)).split())

    def _told(self) -> None:
        """What must hold at the moment when it is seen."""
        course, row = self._course, self._row
        course.tried = sum(event["stage"] != "banner" for event in oracle_log.events(self._place.log, "fault"))
        if row.tried is not None and course.tried > row.tried:
            course.wrong.append(f"{course.tried} mails were refused before that was seen, at most {row.tried} may be")
        failed = ledger.counts(self._place.session, self._key).get(DeliveryState.FAILED, 0)
        if failed > row.failed or (failed and not row.failed):
            course.wrong.append(f"{failed} are failed while it is seen")

    def _goes_on(self, state: BroadcastState) -> None:
        if self._row.well is not None:
            self._relay.follow(self._row.well)
        if self._row.gives_up:
            self._place.do(
                lambda session: session.execute(
                    update(Delivery)
                    .where(Delivery.broadcast_id == self._key, Delivery.state.in_(AT_WORK))
                    .values(stamped_at=Delivery.changed_at - timedelta(hours=3))
                    .execution_options(synchronize_session=False)
                )
            )
            let_time_pass(self._place, self._key)
        if state is BroadcastState.PAUSED:
            self._press()

    def _press(self) -> None:
        """One click on "Resume"."""
        self._course.clicks += 1
        answer = self._visitor.post(f"/mass-mail/{self._key}/resume")
        assert answer.status_code in (302, 303), answer.status
        self._place.session.rollback()

    def _reason(self) -> str:
        self._place.session.rollback()
        return self._place.session.get_one(Broadcast, self._key, populate_existing=True).pause_reason or ""


def _compare(course: Course, row: Row, compared: comparison.Comparison, place: Scene) -> None:
    """Say where a row is not as the table says."""
    wrong, states = course.wrong, compared.states
    if row.sees and not course.has_seen:
        wrong.append(f"the page never said {' and '.join(row.sees)} while it was {' or '.join(row.then)}")
    if course.clicks > row.clicks:
        wrong.append(f"{course.clicks} clicks instead of {row.clicks}; it paused for {course.reasons}")
    if not row.stops:
        wanted = {"accepted": len(row.audience) - row.failed} | ({"failed": row.failed} if row.failed else {})
        if states != wanted:
            wrong.append(f"{states} instead of {wanted}")
    elif set(states) - {*AT_WORK}:
        wrong.append(f"{states}, though nothing could be sent")
    if row.meanwhile is not None:
        mails, seconds = row.meanwhile
        began = min((event["at"] for event in oracle_log.events(place.log, "connected")), default=course.began)
        came = sum(mail.at - began < seconds for mail in oracle_log.kept(place.log))
        if came < mails:
            wrong.append(f"{came} mails were accepted within {seconds:g} s instead of {mails}")
    if row.polite:
        strays = {event["command"] for event in oracle_log.events(place.log, "protocol")}
        if strays:
            wrong.append(f"said out of order: {sorted(strays)[:3]}")
