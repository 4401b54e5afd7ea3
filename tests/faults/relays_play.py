"""A row of the table of relays, played with real workers: a broadcast to that relay, watched as people see it, to its end."""

import html
import re
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import timedelta

from flask.testing import FlaskClient
from sqlalchemy import update

from tests import comparison, engine, factories, oracle_log
from tests.faults.places import Kind, scene
from tests.faults.relays_row import Pace, Row
from tests.faults.relays_server import Relay
from tests.faults.rest import is_at_rest, let_time_pass
from tests.faults.result import Result
from tests.scenes import Scene
from tests.visitors import sign_in
from webapp.adapters import clock
from webapp.config import RelaySettings
from webapp.core import ledger
from webapp.core.rules.lifecycle import BroadcastState, DeliveryState
from webapp.core.rules.limits import Limits
from webapp.core.rules.pacing import Retries
from webapp.core.settings import limits
from webapp.core.tables.broadcasts import Broadcast
from webapp.core.tables.deliveries import Delivery

CONNECTIONS = 10
RETRY_MINUTES = 0.1
"""What is deferred is tried again soon, lest a row take hours."""
MOST_CLICKS = 4
"""More are not tried: it will not end."""
MET_OFTEN = 5
"""A limit that is met so often must have been learned. At a pace, few mails over many connections may never meet it."""
SETTINGS = "/settings/sending"
LOOKS_S = 0.25
OVER = (BroadcastState.FINISHED, BroadcastState.NEEDS_ATTENTION)
AT_WORK = (DeliveryState.PENDING, DeliveryState.CLAIMED, DeliveryState.HELD, DeliveryState.DEFERRED)


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
        limits.save(place.session, _limits(row))
        place.session.commit()
        visitor = sign_in(place.app, place.session)
        with ExitStack() as stack:
            relay = stack.enter_context(Relay(row, place.folder, place.log))
            environ = {"MAIL_SERVER": row.host} | {
                name: value.format(ca=relay.ca_file) for name, value in row.settings.items()
            }
            stack.enter_context(place.workers(relay.port, row.workers, **environ))
            place.app.config["RELAY"] = RelaySettings(
                host=dict(row.settings).get("MAIL_SERVER", row.host), port=relay.port
            )
            key = place.broadcast(0, html="", text=row.text, batch_size=pace[0], interval_s=pace[1])
            if not row.absent:
                relay.comes()
            course = _Watch(place, relay, visitor, row, key).to_the_end()
        compared = comparison.compare(place.session, key, place.log, is_over=course.is_over)
        course.wrong += compared.wrong[:4]
        _compare(course, row, compared, place, key, words_of(visitor, SETTINGS))
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


def _limits(row: Row) -> Limits:
    """What an administrator would set, but for the times."""
    retries = Retries((RETRY_MINUTES,), 0.1, timedelta(hours=1))
    if row.waits_minutes is None:
        return Limits(retries=retries)
    return Limits(retries=retries, waits_for=timedelta(minutes=row.waits_minutes))


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
        return words_of(self._visitor, f"/mass-mail/{self._key}/")

    def _told(self) -> None:
        """What must hold at the moment when it is seen."""
        course, row = self._course, self._row
        faults = sum(event["stage"] != "banner" for event in oracle_log.events(self._place.log, "fault"))
        course.tried = faults + self._place.arrived()
        if row.tried is not None and course.tried > row.tried:
            course.wrong.append(f"{course.tried} mails were tried before that was seen, at most {row.tried} may be")
        self._place.session.rollback()  # what stands now, and not in the transaction of the look before the page
        failed = ledger.counts(self._place.session, self._key).get(DeliveryState.FAILED, 0)
        if failed > row.failed + row.may_fail:
            course.wrong.append(f"{failed} are failed while it is seen")

    def _goes_on(self, state: BroadcastState) -> None:
        if self._row.well is not None:
            self._relay.follow(self._row.well)
        if self._row.gives_up:
            long_ago = clock.now() - timedelta(hours=3)
            self._place.do(
                lambda session: session.execute(
                    update(Delivery)
                    .where(Delivery.broadcast_id == self._key, Delivery.state.in_(AT_WORK))
                    .values(stamped_at=long_ago)
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


def words_of(visitor: FlaskClient, address: str) -> str:
    """What a page says, in one line."""
    answer = visitor.get(address)
    assert answer.status_code == 200, answer.status
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", answer.text)).split())


def _compare(course: Course, row: Row, compared: comparison.Comparison, place: Scene, key: int, taught: str) -> None:
    """Say where a row is not as the table says. `taught` is the page of settings."""
    wrong, states = course.wrong, compared.states
    if row.sees and not course.has_seen:
        wrong.append(f"the page never said {' and '.join(row.sees)} while it was {' or '.join(row.then)}")
    if course.clicks > row.clicks:
        wrong.append(f"{course.clicks} clicks instead of {row.clicks}; it paused for {course.reasons}")
    if not row.stops:
        failed = min(max(states.get("failed", 0), row.failed), row.failed + row.may_fail)
        wanted = {"accepted": len(row.audience) - failed} | ({"failed": failed} if failed else {})
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
    if row.strays is not None:
        strays = [event["command"] for event in oracle_log.events(place.log, "protocol")]
        if len(strays) > row.strays:
            wrong.append(f"{len(strays)} commands were out of order, at most {row.strays} may be: {strays[:3]}")
    if row.attempts is not None:
        most = max(delivery.attempts for delivery in engine.rows(place.session, key))
        if most > row.attempts:
            wrong.append(f"somebody's mail took {most} attempts, at most {row.attempts} may be needed")
    met = sum(1 for event in oracle_log.events(place.log) if event["event"] in ("fault", "protocol"))
    if row.teaches is not None and met >= MET_OFTEN and not re.search(row.teaches, taught):
        wrong.append(f"the settings do not say {row.teaches!r}, which was met {met} times")
