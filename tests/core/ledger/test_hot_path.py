"""Both databases keep the contract of the hot path: each operation does the same on either."""

import itertools
import json
import sqlite3
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from datetime import UTC, timedelta

import psycopg
import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from tests import engine, factories
from tests.engine import BEFORE, NOW, Clocks
from webapp.adapters import database
from webapp.core import ledger
from webapp.core.consent import settings, suppressions, topics
from webapp.core.ledger import Lease, order, tally
from webapp.core.ledger.hot_path import HotPath, hot
from webapp.core.ledger.on_postgresql import OnPostgresql
from webapp.core.ledger.on_sqlite import OnSqlite
from webapp.core.ledger.rows import DueRow, Standing
from webapp.core.rules.address_hashes import address_hash
from webapp.core.rules.consent import Purpose, SuppressionKind, SuppressionScope
from webapp.core.rules.lifecycle import BroadcastState, DeliveryState
from webapp.core.rules.limits import Limits
from webapp.core.rules.pacing import Reading, Use
from webapp.core.settings import limits
from webapp.core.tables.broadcasts import Broadcast
from webapp.core.tables.clients import Client
from webapp.core.tables.consent import Suppression, TopicOptOut
from webapp.core.tables.deliveries import Delivery, MinuteCount, Sender, Tally

MINUTE = NOW.replace(second=0, microsecond=0)
PAST = NOW - timedelta(days=1)
UNTRIED = order.untried(BEFORE)


@dataclass
class Scene:
    """A broadcast to three clients that is sending, and a sender of it."""

    session: Session
    path: HotPath
    clocks: Clocks
    broadcast: Broadcast
    lease: Lease
    is_marketing: bool = False

    def rows(self) -> list[Delivery]:
        """The deliveries as they stand now, inside the transaction."""
        query = select(Delivery).where(Delivery.broadcast_id == self.broadcast.id).order_by(Delivery.id)
        return list(self.session.scalars(query.execution_options(populate_existing=True)))

    def ids(self) -> list[int]:
        return [row.id for row in self.rows()]

    def claim(self, ids: Collection[int], *, epoch: int = 1, text: str = "Ada") -> set[int]:
        values = {key: [text, 'O\'Hara "☺"'] for key in ids}
        return set(
            self.path.claim(self.broadcast.id, self.lease.sender_id, epoch, NOW, values, is_marketing=self.is_marketing)
        )

    def suppress_address_of(self, row: Delivery) -> None:
        suppressions.suppress(self.session, row.address_key or "", SuppressionKind.BY_HAND, NOW)

    def others_wait(self, call: Callable[[HotPath], object]) -> bool:
        """Whether another sender that does this has to wait for the end of the transaction."""
        with Session(self.session.get_bind()) as other:
            connection = other.connection()
            cursor = connection.connection.cursor()
            try:
                if connection.dialect.name == "sqlite":
                    cursor.execute("ROLLBACK")
                    cursor.execute("PRAGMA busy_timeout=0")
                    cursor.execute("BEGIN IMMEDIATE")  # as each transaction of a sender begins
                else:
                    cursor.execute("SET LOCAL lock_timeout = '10ms'")
                    call(hot(other))
            except (sqlite3.OperationalError, psycopg.errors.LockNotAvailable):
                return True
            finally:
                connection.invalidate()
        return False

    def use_at(self, ticks: float, count: int = 1, boot: str = "this-boot") -> Use:
        return Use(Reading(NOW + timedelta(seconds=ticks, microseconds=7), boot, ticks), count)

    def known(self) -> list[Use]:
        return [use for _, use in self.path.uses(self.broadcast.id, 100)]


Case = Callable[[Scene], None]


def renew(scene: Scene) -> None:
    sender = scene.session.get_one(Sender, scene.lease.sender_id)
    sender.suspected_at, sender.suspected_boot, sender.suspected_ticks = NOW, "this-boot", 5.0
    scene.session.flush()
    until = NOW + timedelta(seconds=20, microseconds=7)
    assert scene.path.renew(sender.id, 1, until) is True
    scene.session.refresh(sender)
    assert (sender.expires_at, sender.suspected_at, sender.suspected_boot, sender.suspected_ticks) == (
        until,
        *[None] * 3,
    )
    assert scene.path.renew(sender.id, 2, NOW) is False
    sender.ended_at = NOW
    scene.session.flush()
    assert scene.path.renew(sender.id, 1, NOW) is False


def standing(scene: Scene) -> None:
    _standing(scene, scene.path.standing)


def lock_standing(scene: Scene) -> None:
    _standing(scene, scene.path.lock_standing)
    assert scene.others_wait(lambda path: path.lock_standing(scene.broadcast.id))


def _standing(scene: Scene, look: Callable[[int], Standing | None]) -> None:
    found = look(scene.broadcast.id)
    assert found == Standing(BroadcastState.SENDING, True, 0, 0, False, False)
    assert (type(found.state), type(found.is_frozen), type(found.is_probing)) == (BroadcastState, bool, bool)
    broadcast = scene.broadcast
    broadcast.state, broadcast.batch_size, broadcast.interval_s, broadcast.probing = BroadcastState.PAUSED, 5, 60, True
    broadcast.frozen_at, broadcast.purpose = None, Purpose.MARKETING
    scene.session.flush()
    assert look(broadcast.id) == Standing(BroadcastState.PAUSED, False, 5, 60, True, True)
    assert look(broadcast.id + 1) is None


def lock_limits(scene: Scene) -> None:
    scene.path.lock_limits()
    assert scene.others_wait(lambda path: path.lock_limits())


def claimed_now(scene: Scene) -> None:
    reading = scene.clocks.reading()
    for broadcast_id in (scene.broadcast.id, 0):
        assert scene.path.claimed_now(broadcast_id, reading).mails == 0
    scene.path.tally(scene.broadcast.id, scene.lease.sender_id, {DeliveryState.CLAIMED: 2})
    other = factories.broadcast(scene.session)
    beside = ledger.open_lease(scene.session, other.id, host="here", pid=2, journal="another", reading=reading)
    scene.path.tally(other.id, beside.sender_id, {DeliveryState.CLAIMED: 3})
    for broadcast_id, mails in ((scene.broadcast.id, 2), (other.id, 3), (0, 5)):
        found = scene.path.claimed_now(broadcast_id, reading)
        assert found.mails == mails and type(found.mails) is int
        assert found.reading == replace(reading, wall=found.reading.wall) and found.reading.wall.tzinfo is UTC


def claimed_in_line(scene: Scene) -> None:
    reading, (mine, other) = scene.clocks.reading(), (order.line(1), order.line(2))
    first, second, third = scene.rows()
    first.due_at, second.due_at, third.due_at = mine, mine, other
    scene.session.flush()
    for claimed, line, mails in (
        ([], mine, 0),
        ([first.id], mine, 1),
        ([second.id, third.id], mine, 2),
        ([], other, 1),
    ):
        assert len(scene.claim(claimed)) == len(claimed)
        found = scene.path.claimed_in_line(line, reading)
        assert found.mails == mails and type(found.mails) is int
        assert found.reading == replace(reading, wall=found.reading.wall) and found.reading.wall.tzinfo is UTC


def left_since(scene: Scene) -> None:
    assert scene.path.left_since(PAST) == (0, None)
    for minutes, accepted, other in ((0, 5, 1), (1, 20, 2), (2, 300, 0)):
        minute = MINUTE + timedelta(minutes=minutes)
        scene.path.count_minute(scene.broadcast.id, scene.lease.sender_id, minute, accepted, other)
    found = scene.path.left_since(MINUTE)
    assert type(found.mails) is int and found.first and found.first.tzinfo is UTC
    assert found == (322, MINUTE + timedelta(minutes=1))


def uses(scene: Scene) -> None:
    scene.path.add_uses(scene.broadcast.id, [scene.use_at(1.5), scene.use_at(2.5, 7), scene.use_at(3.5)])
    scene.path.add_uses(scene.broadcast.id + 1, [scene.use_at(4.5)])
    found = scene.path.uses(scene.broadcast.id, 2)
    assert [one.use for one in found] == [scene.use_at(3.5), scene.use_at(2.5, 7)]
    assert found[0].use_id > found[1].use_id and found[0].use.at.wall.tzinfo is UTC


def forget_uses(scene: Scene) -> None:
    scene.path.add_uses(scene.broadcast.id, [scene.use_at(ticks) for ticks in (1.0, 2.0, 3.0)])
    kept = scene.path.uses(scene.broadcast.id, 2)
    scene.path.forget_uses(scene.broadcast.id + 1, kept[0].use_id + 1)
    scene.path.forget_uses(scene.broadcast.id, kept[1].use_id)
    assert scene.path.uses(scene.broadcast.id, 100) == kept


def join_use(scene: Scene) -> None:
    join, key = scene.path.join_use, scene.broadcast.id
    assert join(key, scene.use_at(1.0), 0.0) is False
    scene.path.add_uses(key, [scene.use_at(1.0), scene.use_at(10.0, 2)])
    assert join(key, scene.use_at(12.0, 3), 10.5) is False, "the last one is older"
    assert join(key, scene.use_at(9.0, 3), 0.0) is False, "the last one is later"
    assert join(key, scene.use_at(12.0, 3, "another-boot"), 0.0) is False
    assert scene.known() == [scene.use_at(10.0, 2), scene.use_at(1.0)]
    assert join(key, scene.use_at(12.0, 3), 10.0) is True
    assert scene.known() == [scene.use_at(12.0, 5), scene.use_at(1.0)]


def add_uses(scene: Scene) -> None:
    scene.path.add_uses(scene.broadcast.id, iter([scene.use_at(1.0, 4), scene.use_at(2.0, boot="another-boot")]))
    assert scene.known() == [scene.use_at(2.0, boot="another-boot"), scene.use_at(1.0, 4)]


def due(scene: Scene) -> None:
    first, second, third = scene.rows()
    second.due_at, second.attempts, second.stamped_at, second.merge_values = PAST, 2, BEFORE, '["Ada"]'
    third.due_at = NOW + timedelta(seconds=1)
    scene.session.flush()
    scene.suppress_address_of(first)
    found = scene.path.due(scene.broadcast.id, NOW, 10, is_marketing=False)
    assert found == [
        DueRow(second.id, second.client_id, None, None, second.address or "", '["Ada"]', BEFORE, 2, None),
        DueRow(first.id, first.client_id, None, None, first.address or "", None, None, 0, "suppressed"),
    ]
    assert found[0].stamped_at and found[0].stamped_at.tzinfo is UTC
    assert scene.path.due(scene.broadcast.id, NOW, 1, is_marketing=False) == found[:1]
    assert scene.path.due(scene.broadcast.id + 1, NOW, 10, is_marketing=False) == []
    suppressions.lift(scene.session, first.address_key or "", SuppressionKind.BY_HAND, NOW, reason="a test")
    third.due_at = NOW
    barred(scene)


def untried(scene: Scene) -> None:
    first, second, third = scene.rows()
    second.due_at = PAST
    scene.session.flush()
    found = scene.path.untried(scene.broadcast.id, UNTRIED, 10, is_marketing=False)
    assert [row.delivery_id for row in found] == [first.id, third.id]
    assert found[0] == DueRow(first.id, first.client_id, None, None, first.address or "", None, None, 0, None)
    assert scene.path.untried(scene.broadcast.id, UNTRIED, 1, is_marketing=False) == found[:1]


def decline(scene: Scene, row: Delivery) -> None:
    suppressions.suppress(scene.session, row.address_key or "", SuppressionKind.UNSUBSCRIBED, NOW)


def barred(scene: Scene) -> None:
    """Each way in which an address can be barred, kept as it is and as a hash; for marketing and for what must be told."""
    session, (row, _, other) = scene.session, scene.rows()
    key, hash_key = row.address_key or "", settings.read(session).hash_key
    scene.broadcast.topic_id = 1

    def found() -> tuple[str | None, str | None]:
        session.flush()
        looks = (scene.path.due(scene.broadcast.id, NOW, 10, is_marketing=kind) for kind in (False, True))
        important, marketing = ({one.delivery_id: one.barred for one in rows} for rows in looks)
        assert important[other.id] is None and marketing[other.id] is None
        return important[row.id], marketing[row.id]

    for kept in (key, address_hash(hash_key, key)):
        for kind, scope in itertools.product(SuppressionKind, SuppressionScope):
            assert found() == (None, None)
            suppressions.suppress(session, kept, kind, NOW, scope=scope)
            session.execute(update(Suppression).values(is_hashed=kept != key))
            declines = (kind, scope) == (SuppressionKind.UNSUBSCRIBED, SuppressionScope.MARKETING)
            for_marketing = "opted_out" if declines else "suppressed"
            for_all = "suppressed" if scope is SuppressionScope.EVERYTHING else None
            assert found() == (for_all, for_marketing), (kept, kind, scope)
            suppressions.lift(session, kept, kind, NOW, reason="asked to")
        topics.opt_out(session, kept, 2, NOW)
        assert found() == (None, None), "another topic"
        topics.opt_out(session, kept, 1, NOW)
        session.execute(update(TopicOptOut).values(is_hashed=kept != key))
        assert found() == (None, "opted_out")
        for topic_id in (1, 2):
            assert topics.opt_in(session, kept, topic_id)
    client = session.get_one(Client, row.client_id)
    for choice, expected in ((True, None), (None, None), (False, "opted_out")):
        client.marketing_opt_in, client.address_key = choice, key
        client.address = client.address_key
        assert found() == (None, expected)


def claim(scene: Scene) -> None:
    ids = scene.ids()
    assert scene.claim(ids[:2], epoch=2) == set(), "a lease that was taken over"
    assert scene.claim(ids[:2]) == set(ids[:2])
    row, _, waiting = scene.rows()
    assert (row.state, row.sender_id, row.epoch, row.attempts) == (DeliveryState.CLAIMED, scene.lease.sender_id, 1, 1)
    assert (row.stamped_at, row.changed_at) == (NOW, NOW)
    assert json.loads(row.merge_values or "") == ["Ada", 'O\'Hara "☺"']
    assert waiting.state is DeliveryState.PENDING and waiting.merge_values is None
    ledger.release(scene.session, scene.lease, ids[:2], NOW)
    row.stamped_at = BEFORE
    scene.session.flush()
    assert scene.claim(ids[:1], text="Bob") == set(ids[:1])
    row = scene.rows()[0]
    assert row.stamped_at == BEFORE and json.loads(row.merge_values or "")[0] == "Ada", "what it says is fixed"
    scene.suppress_address_of(scene.rows()[2])
    assert scene.claim(ids[2:]) == set()
    ledger.release(scene.session, scene.lease, ids[:1], NOW)
    decline(scene, scene.rows()[1])
    assert scene.claim(ids[1:2]) == {ids[1]}, "what must be told cannot be declined"
    ledger.release(scene.session, scene.lease, ids[1:2], NOW)
    scene.is_marketing = True
    assert scene.claim(ids[1:2]) == set()
    scene.is_marketing = False
    scene.broadcast.state = BroadcastState.PAUSED
    scene.session.flush()
    assert scene.claim(ids[1:2]) == set()


def suppress(scene: Scene) -> None:
    ids = scene.ids()
    scene.claim(ids[:1])
    assert scene.path.suppress(NOW, "opted_out", ids[:2]) == 1, "what is claimed is not taken away"
    claimed, gone, pending = scene.rows()
    assert (gone.state, gone.reason, gone.changed_at) == (DeliveryState.SUPPRESSED, "opted_out", NOW)
    assert claimed.state is DeliveryState.CLAIMED and pending.state is DeliveryState.PENDING


def accept(scene: Scene) -> None:
    ids = scene.ids()
    scene.claim(ids[:2])
    texts = {ids[0]: '2.0.0 Ok "☺"', ids[2]: "never claimed"}
    assert scene.path.accept(scene.lease.sender_id + 1, NOW, 250, texts) == 0
    assert scene.path.accept(scene.lease.sender_id, NOW, 250, texts) == 1
    row, claimed, pending = scene.rows()
    assert (row.state, row.reason, row.sender_id, row.changed_at) == (DeliveryState.ACCEPTED, None, None, NOW)
    assert (row.reply_code, row.reply_text, row.stage) == (250, '2.0.0 Ok "☺"', "dot")
    assert claimed.state is DeliveryState.CLAIMED and pending.state is DeliveryState.PENDING


def tally_(scene: Scene) -> None:
    path, key, sender = scene.path, scene.broadcast.id, scene.lease.sender_id
    path.tally(key, sender, {DeliveryState.PENDING: -2, DeliveryState.CLAIMED: 2, DeliveryState.FAILED: 0})
    path.tally(key, sender, {DeliveryState.CLAIMED: -1, DeliveryState.ACCEPTED: 1})
    path.tally(key, tally.CONSOLE, {DeliveryState.ACCEPTED: 5})
    found = scene.session.execute(select(Tally.state, Tally.count).where(Tally.sender_id == sender)).all()
    assert dict(found) == {DeliveryState.PENDING: -2, DeliveryState.CLAIMED: 1, DeliveryState.ACCEPTED: 1}
    assert ledger.counts(scene.session, key)[DeliveryState.ACCEPTED] == 6


def count_minute(scene: Scene) -> None:
    key, sender = scene.broadcast.id, scene.lease.sender_id
    for minute, accepted, other in ((MINUTE, 5, 1), (MINUTE, 20, 2), (PAST, 7, 0)):
        scene.path.count_minute(key, sender, minute, accepted, other)
    found = scene.session.scalars(select(MinuteCount).order_by(MinuteCount.minute)).all()
    assert [(one.minute, one.accepted, one.other) for one in found] == [(PAST, 7, 0), (MINUTE, 25, 3)]


CASES: dict[str, Case] = {
    case.__name__.rstrip("_"): case
    for case in (
        renew,
        standing,
        lock_standing,
        lock_limits,
        claimed_now,
        claimed_in_line,
        left_since,
        uses,
        forget_uses,
        join_use,
        add_uses,
        due,
        untried,
        claim,
        suppress,
        accept,
        tally_,
        count_minute,
    )
}


def operations(of: type) -> set[str]:
    return {name for name in dir(of) if not name.startswith("_") and callable(getattr(of, name))}


@pytest.mark.parametrize("operation", CASES)
def test_an_operation_does_the_same_on_both_databases(session: Session, operation: str):
    clocks = Clocks()
    broadcast = engine.sending_broadcast(session)
    limits.save(session, Limits(per_second=1000))
    lease = engine.lease_for(session, broadcast, clocks)
    database.will_write(session)
    CASES[operation](Scene(session, hot(session), clocks, broadcast, lease))


def test_each_operation_has_a_case():
    assert operations(HotPath) == set(CASES)


@pytest.mark.parametrize("implementation", [OnSqlite, OnPostgresql])
def test_an_implementation_has_these_operations_and_no_others(implementation: type):
    assert operations(implementation) == set(CASES)
