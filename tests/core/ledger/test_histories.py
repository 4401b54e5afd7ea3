"""Random histories: people, looks that come late, early and twice, workers that die, clocks that jump; and a plain model of what must be.

The model below knows nothing of SQL, leases or threads. After each step the broadcasts must be where it says they are, with as many mails
in each state; nobody gets a mail twice, and at the end everything that is sending comes to its end. `MASSMAIL_HISTORIES` is how many
of them are played on each database.
"""

import os
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

from flask import Flask
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from sqlalchemy.orm import Session

from tests import engine, factories
from webapp.core import broadcasts, ledger
from webapp.core.content import tag_catalogue
from webapp.core.content.compiling import compiled
from webapp.core.errors import Conflict
from webapp.core.ledger import Decision
from webapp.core.ports import JournalFinding, Mail
from webapp.core.rules.lifecycle import BroadcastState as S
from webapp.core.rules.pacing import Reading
from webapp.core.sending import sweeping
from webapp.core.tables.broadcasts import Broadcast

HISTORIES = int(os.environ.get("MASSMAIL_HISTORIES", "12"))
PHASES = (Phase.generate, *([Phase.shrink] if "MASSMAIL_HISTORIES" in os.environ else []))
"""To find a shorter history that fails as well takes minutes; who asks for more histories has them."""
STEPS = 25
CLIENTS = 5
CHUNK = 2
ASK_AFTER = timedelta(minutes=30)
PACE = (2, 60)
"""Mails, seconds. Time goes in steps of 31 s, so that the seconds a slow machine takes do not matter."""


@dataclass
class Model:
    """One broadcast, as a careful reader of the promises would keep it on paper."""

    pace: tuple[int, int] | None
    state: S = S.DRAFT
    meant: datetime | None = None
    undo_until: datetime | None = None
    collected: int = 0
    complete: bool = False
    rows: Counter[str] = field(default_factory=Counter)
    left: list[float] = field(default_factory=list)

    def schedules(self, wall: datetime, undo: timedelta) -> None:
        if self.state is S.DRAFT:
            self.state, self.meant = S.SCHEDULED, wall
            self.undo_until = wall + undo if undo else None

    def can_undo(self, wall: datetime) -> bool:
        return self.state is S.SCHEDULED and self.undo_until is not None and wall < self.undo_until

    def goes_back(self) -> None:
        self.state, self.undo_until = S.DRAFT, None

    def is_missed(self, wall: datetime) -> bool:
        meant = max((at for at in (self.meant, self.undo_until) if at), default=None)
        return self.state is S.SCHEDULED and meant is not None and meant < wall - ASK_AFTER

    def look_begins(self, wall: datetime, chunks: int) -> None:
        """It starts if it is time, and so many chunks of recipients are collected while it sends."""
        if self.state is S.SCHEDULED and not self.is_missed(wall) and not self.can_undo(wall):
            self.state = S.SENDING
        for _ in range(chunks if self.state is S.SENDING and not self.complete else 0):
            more = min(CHUNK, CLIENTS - self.collected)
            self.collected += more
            self.rows["pending"] += more
            self.complete = self.collected == CLIENTS
            if self.complete:
                return

    def may_leave(self, ticks: float) -> int:
        """How many mails a look may hand over at most."""
        if self.state is not S.SENDING or not self.complete:
            return 0
        if self.pace is None:
            return self.rows["pending"]
        batch, interval = self.pace
        return max(min(self.rows["pending"], batch - sum(at > ticks - interval for at in self.left)), 0)

    def leaves(self, count: int, ticks: float) -> None:
        self.move("pending", "accepted", count)
        self.left += [ticks] * count

    def recovers(self, in_doubt: int) -> None:
        """A dead sender's rows: those begun are in doubt, the others were never handed over."""
        self.move("claimed", "uncertain", in_doubt)
        self.move("claimed", "pending", self.rows["claimed"])

    def move(self, old: str, new: str, count: int) -> None:
        self.rows[old] -= count
        self.rows[new] += count

    def finish_if_done(self) -> None:
        if self.complete and self.state in (S.SENDING, S.NEEDS_ATTENTION):
            is_open = self.rows["pending"] + self.rows["claimed"]
            in_doubt = self.rows["uncertain"]
            self.state = S.SENDING if is_open else S.NEEDS_ATTENTION if in_doubt else S.FINISHED

    def cancels(self) -> bool:
        if self.state is not S.FINISHED:
            self.state = S.CANCELLED
        return self.state is S.CANCELLED


@dataclass
class Clocks(engine.Clocks):
    """They run, and can be turned besides."""

    began: float = field(default_factory=time.monotonic)

    def now(self) -> float:
        return self.ticks + time.monotonic() - self.began

    def today(self) -> datetime:
        return self.wall + timedelta(seconds=time.monotonic() - self.began)

    def reading(self) -> Reading:
        return Reading(self.today(), self.boot, self.now())


NO_TIME = timedelta(0)
UNDO = st.sampled_from([NO_TIME, timedelta(seconds=25)])
"""Over when time has passed once."""

WHICH = st.integers(0, 1)
SELDOM = st.integers(0, 5)
"""What ends a history, or throws it back, is done when this is 0."""


class Histories(RuleBasedStateMachine):
    """Two broadcasts to the same clients, without and with a pace."""

    def __init__(self, app: Flask, session: Session, folder: Path) -> None:
        super().__init__()
        self.engine, self.session, self.folder = engine.engine_of(app), session, folder
        self.clocks = Clocks()
        self.runtime = engine.runtime(self.engine, reading=self.clocks.reading, ticks=self.clocks.now)
        self.models = (Model(None), Model(PACE))
        self.keys: list[int] = []
        self.sent: list[Counter[int]] = [Counter(), Counter()]
        self.dead: dict[str, tuple[int, JournalFinding]] = {}
        self.started: dict[int, datetime] = {}

    @initialize(chunks=st.integers(0, CLIENTS))
    def two_that_are_scheduled(self, chunks: int) -> None:
        for model in self.models:
            batch, interval = model.pace or (0, 0)
            self.keys.append(factories.broadcast(self.session, batch_size=batch, interval_s=interval).id)
        self.session.commit()
        for which in (0, 1):
            self.schedule(which, NO_TIME)
            if chunks:
                self._begin(which, chunks)

    # People

    @rule(which=WHICH, undo=UNDO)
    def schedule(self, which: int, undo: timedelta) -> None:
        model = self.models[which]
        refused = self._refused(
            lambda s: broadcasts.schedule(s, self.keys[which], None, self.clocks.today(), undo=undo)
        )
        assert refused is (model.state is S.CANCELLED)
        model.schedules(self.clocks.today(), undo)

    @rule(which=WHICH)
    def undo(self, which: int) -> None:
        """In time, or late while nothing has left."""
        model = self.models[which]
        refused = self._refused(lambda s: broadcasts.undo(s, self.keys[which], None, self.clocks.today()))
        is_undone = model.state is S.SCHEDULED and model.undo_until is not None
        assert refused is not (is_undone or model.state is S.DRAFT)
        if is_undone:
            model.goes_back()

    @rule(which=WHICH, luck=SELDOM)
    def edit(self, which: int, luck: int) -> None:
        if luck:
            return
        model = self.models[which]
        refused = self._refused(lambda s: broadcasts.edit(s, self.keys[which], None, {}, self.clocks.today()))
        assert refused is (model.state is not S.DRAFT)

    @rule(which=WHICH, luck=SELDOM)
    def unschedule(self, which: int, luck: int) -> None:
        if luck:
            return
        model = self.models[which]
        refused = self._refused(lambda s: broadcasts.unschedule(s, self.keys[which], None, self.clocks.today()))
        assert refused is (model.state not in (S.DRAFT, S.SCHEDULED))
        if model.state is S.SCHEDULED:
            model.goes_back()

    @rule(which=WHICH)
    def pause(self, which: int) -> None:
        model = self.models[which]
        refused = self._refused(lambda s: broadcasts.pause(s, self.keys[which], "lunch", self.clocks.today()))
        assert refused is (model.state not in (S.SENDING, S.PAUSED))
        if model.state is S.SENDING:
            model.state = S.PAUSED

    @rule(which=WHICH, is_old=st.booleans())
    def resume(self, which: int, is_old: bool) -> None:
        model = self.models[which]
        seen = engine.BEFORE if is_old else None
        refused = self._refused(lambda s: broadcasts.resume(s, self.keys[which], self.clocks.today(), paused_at=seen))
        goes_on = model.state is S.PAUSED and not is_old
        assert refused is not (goes_on or model.state is S.SENDING)
        if goes_on:
            model.state = S.SENDING

    @rule(which=WHICH, luck=SELDOM)
    def cancel(self, which: int, luck: int = 0) -> None:
        if luck:
            return
        refused = self._refused(lambda s: broadcasts.cancel(s, self.keys[which], self.clocks.today()))
        assert refused is not self.models[which].cancels()

    @rule(which=WHICH, undo=UNDO)
    def confirm(self, which: int, undo: timedelta) -> None:
        model = self.models[which]
        refused = self._refused(lambda s: broadcasts.confirm_start(s, self.keys[which], self.clocks.today(), undo=undo))
        assert refused is (model.state is not S.SCHEDULED)
        if model.state is S.SCHEDULED and not model.can_undo(self.clocks.today()):
            model.meant = self.clocks.today()
            model.undo_until = model.meant + undo if undo else None

    @rule(which=WHICH, decision=st.sampled_from(["retry", "failed"]))
    def decide(self, which: int, decision: Decision) -> None:
        model, key = self.models[which], self.keys[which]

        def decided(session: Session) -> None:
            ledger.resolve_uncertain(session, key, None, decision, self.clocks.today())
            broadcasts.finish_if_done(session, key, self.clocks.today())

        refused = self._refused(decided)
        assert refused is (decision == "retry" and model.state is S.CANCELLED)
        if not refused:
            model.move("uncertain", "pending" if decision == "retry" else "failed", model.rows["uncertain"])
            model.finish_if_done()

    # Jobs

    @rule(which=WHICH, pause_at=st.none() | st.integers(0, 3))
    def look(self, which: int, pause_at: int | None) -> None:
        """A look runs to its end; or somebody pauses while the relay waits for the content of one of its mails."""
        self._look(which, pause_at)

    @rule(which=WHICH)
    def look_that_dies_collecting(self, which: int) -> None:
        self._begin(which, chunks=1)

    @rule(which=WHICH, many=st.integers(1, 3), has_begun=st.booleans())
    def look_that_dies_sending(self, which: int, many: int, has_begun: bool) -> None:
        """A worker claims mails and is no more, perhaps while the content of the first was on the wire."""
        model, key = self.models[which], self.keys[which]
        self._begin(which, chunks=CLIENTS)
        if model.state is not S.SENDING or model.rows["claimed"]:
            return
        name = f"dead-{key}-{len(self.dead)}"
        with Session(self.engine) as session:
            self.runtime.prepare(session)
            lease = ledger.open_lease(session, key, host="here", pid=1, journal=name, reading=self.clocks.reading())
            broadcast = session.get_one(Broadcast, key)
            read = partial(tag_catalogue.load_values, session, broadcast=broadcast, now=self.clocks.today())
            tags = compiled(session, broadcast, engine.URL).tags
            mails = ledger.claim(session, lease, many, lambda holders: read(holders, tags), self.clocks.reading()).mails
            session.commit()
        assert len(mails) <= min(many, model.may_leave(self.clocks.now()))
        begun = {(mail.delivery_id, mail.attempt) for mail in mails[:1] if has_begun}
        self.dead[name] = (which, JournalFinding(is_here=True, boot="this-boot", begun=begun))
        model.move("pending", "claimed", len(mails))
        model.left += [self.clocks.now()] * len(begun)

    @rule()
    def sweep(self) -> None:
        wall = self.clocks.today()
        woken = sweeping.sweep(self.runtime, self._find, self._forget, ask_after=ASK_AFTER)
        for model, key in zip(self.models, self.keys, strict=True):
            model.finish_if_done()
            if model.state is S.CANCELLED:
                model.move("pending", "cancelled", model.rows["pending"])
            is_due = model.state is S.SCHEDULED and not model.is_missed(wall) and not model.can_undo(wall)
            is_collecting = model.state is S.SENDING and not model.complete
            if is_due or is_collecting or (model.state is S.SENDING and model.pace is None):
                assert key in woken
            elif model.state is not S.SENDING:
                assert key not in woken, model.state

    @rule(which=WHICH)
    def the_breaker_opens(self, which: int) -> None:
        """As a sender commits it, however late."""
        model = self.models[which]
        stopped: list[bool] = []
        engine.elsewhere(
            self.engine,
            lambda s: stopped.append(
                broadcasts.stop(s, self.keys[which], "The relay refuses", self.clocks.today(), probing=True)
            ),
        )
        assert stopped == [model.state is S.SENDING]
        if model.state is S.SENDING:
            model.state = S.PAUSED

    # Time

    @rule(seconds=st.sampled_from([31, 31, 1900]))
    def time_passes(self, seconds: int) -> None:
        self.clocks.pass_(seconds)

    @rule(hours=st.sampled_from([-1, 1]))
    def the_clock_is_set(self, hours: int) -> None:
        """Back by an hour a start is not due yet, which the model need not know: it is meant for now."""
        if all(model.state is not S.SCHEDULED for model in self.models):
            self.clocks.step(3600 * hours)

    # What holds after each step

    @invariant()
    def it_is_where_the_model_says(self) -> None:
        for which, key in enumerate(self.keys):
            model = self.models[which]
            broadcast = self.session.get_one(Broadcast, key, populate_existing=True)
            self.session.rollback()
            assert broadcast.state is model.state
            assert (broadcast.frozen_at is not None) is model.complete
            assert broadcast.frozen_count == (CLIENTS if model.complete else None)
            rows = engine.states(self.session, key)
            assert Counter(rows) == +model.rows, (rows, model.rows)
            assert {state: count for state, count in engine.tallied(self.session, key).items() if count} == rows
            if broadcast.started_at:
                assert self.started.setdefault(key, broadcast.started_at) == broadcast.started_at
            assert not self.sent[which] or max(self.sent[which].values()) == 1

    def teardown(self) -> None:
        """What is sending comes to its end, by looks and sweeps alone; the rest is cancelled, so that the next history has room."""
        for _ in range(2 * CLIENTS):
            for which in range(len(self.keys)):
                if self.models[which].state is S.SENDING:
                    self._look(which, None)
            self.clocks.pass_(61)
        for which in range(len(self.keys)):
            assert self.models[which].state is not S.SENDING
            self.cancel(which)
        if self.keys:
            self.sweep()
            self.it_is_where_the_model_says()

    # How a look goes

    def _begin(self, which: int, chunks: int) -> None:
        key, made = self.keys[which], 0
        with Session(self.engine) as session:
            self.runtime.prepare(session)
            broadcasts.start(session, key, self.clocks.today(), ask_after=ASK_AFTER)
            session.commit()
            while made < chunks and broadcasts.get(session, key).state is S.SENDING:
                is_complete = ledger.freeze_chunk(session, key, self.clocks.today(), chunk=CHUNK)
                session.commit()
                made += 1
                if is_complete:
                    break
        self.models[which].look_begins(self.clocks.today(), chunks)

    def _look(self, which: int, pause_at: int | None) -> None:
        model, key = self.models[which], self.keys[which]
        self._begin(which, chunks=CLIENTS)
        if model.state is not S.SENDING:
            return
        sweeping.recover(self.runtime, self._find, self._forget, key)
        allowed, seen = model.may_leave(self.clocks.now()), 0

        def before_body(_: Mail) -> None:
            nonlocal seen
            if seen == pause_at:
                engine.elsewhere(self.engine, lambda s: broadcasts.pause(s, key, "lunch", self.clocks.today()))
            seen += 1

        mailer = engine.PlainMailer(before_body=before_body)
        engine.send(self.engine, key, self.folder, lambda: mailer, reading=self.clocks.reading, ticks=self.clocks.now)
        sent = engine.ids(mailer.sent)
        self.sent[which].update(sent)
        assert len(sent) <= allowed
        has_paused = pause_at is not None and seen > pause_at
        if has_paused:
            model.state = S.PAUSED
        elif model.pace is None:
            assert len(sent) == allowed
        model.leaves(len(sent), self.clocks.now())
        model.finish_if_done()

    def _find(self, journal: str) -> JournalFinding:
        return self.dead[journal][1] if journal in self.dead else JournalFinding(is_here=True, is_held=True)

    def _forget(self, journal: str) -> None:
        which, finding = self.dead.pop(journal)
        self.models[which].recovers(len(finding.begun))

    def _refused(self, call: Callable[[Session], object]) -> bool:
        try:
            engine.elsewhere(self.engine, call)
        except Conflict:
            return True
        return False


def test_every_history_goes_as_the_model_says(app: Flask, session: Session, tmp_path: Path):
    for _ in range(CLIENTS):
        factories.client(session)
    session.commit()
    checks = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]
    run_state_machine_as_test(  # type: ignore[no-untyped-call]
        lambda: Histories(app, session, tmp_path),
        settings=settings(
            max_examples=HISTORIES,
            phases=PHASES,
            stateful_step_count=STEPS,
            deadline=None,
            suppress_health_check=checks,
            database=None,
        ),
    )
