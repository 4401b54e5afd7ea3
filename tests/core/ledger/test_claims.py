"""Claims: what a sender may take in hand, and what stays as it is when it may not."""

import json
import re

import pytest
from sqlalchemy import text, update
from sqlalchemy.orm import Session

from tests import engine
from tests.engine import Clocks
from webapp.core import broadcasts, ledger
from webapp.core.consent import suppressions
from webapp.core.ledger import Claim, Lease, LeaseLost, on_postgresql, on_sqlite
from webapp.core.ledger.leases import take_over
from webapp.core.rules.consent import SuppressionKind
from webapp.core.tables.broadcasts import Broadcast
from webapp.core.tables.clients import Client
from webapp.core.tables.deliveries import Delivery, Sender


def values(holders):
    return [
        [f"client {client_id}", "ä, \"quoted\", {braces}, 'single' \\ \u2028 \N{PILE OF POO}"]
        for client_id, *_ in holders
    ]


def claim(session: Session, lease: Lease, clocks: Clocks, limit: int = 10, load=values, **options) -> Claim:
    ledger.renew(session, lease, clocks.wall)
    claim = ledger.claim(session, lease, limit, load, clocks.reading(), **options)
    session.commit()
    return claim


@pytest.fixture
def clocks() -> Clocks:
    return Clocks()


def test_due_rows_are_claimed_in_order_with_what_they_will_say(session: Session, clocks: Clocks):
    broadcast = engine.sending_broadcast(session, mails=5)
    lease = engine.lease_for(session, broadcast, clocks)
    first = claim(session, lease, clocks, 3)
    second = claim(session, lease, clocks, 3)
    assert engine.ids(first.mails + second.mails) == [row.id for row in engine.rows(session, broadcast)]
    assert not first.exhausted and second.exhausted
    for row, mail in zip(engine.rows(session, broadcast), first.mails + second.mails, strict=True):
        assert (row.state, row.sender_id, row.epoch, row.attempts) == ("claimed", lease.sender_id, lease.epoch, 1)
        assert mail.values == json.loads(row.merge_values or "") == values([(row.client_id,)])[0]
        assert (mail.address, mail.attempt, mail.stamped_at) == (row.address, 1, clocks.wall)
        assert row.stamped_at == row.changed_at == clocks.wall
    assert engine.tallied(session, broadcast) == {"claimed": 5}


def test_what_was_fixed_at_the_first_claim_stays_at_every_later_one(session: Session, clocks: Clocks):
    broadcast = engine.sending_broadcast(session, mails=1)
    lease = engine.lease_for(session, broadcast, clocks)
    [before] = claim(session, lease, clocks).mails
    ledger.release(session, lease, [before.delivery_id], clocks.wall)
    session.commit()
    clocks.pass_(3600)
    session.execute(update(Client).values(first_name="Renamed"))
    [after] = claim(session, lease, clocks, load=lambda holders: 1 / 0).mails
    assert (after.values, after.stamped_at, after.attempt) == (before.values, before.stamped_at, 1)


@pytest.mark.parametrize("change", [broadcasts.pause, broadcasts.cancel])
def test_nothing_is_claimed_of_a_broadcast_that_was_paused_or_cancelled(session: Session, clocks: Clocks, change):
    broadcast = engine.sending_broadcast(session)
    lease = engine.lease_for(session, broadcast, clocks)
    if change is broadcasts.pause:
        broadcasts.pause(session, broadcast.id, "lunch", clocks.wall)
    else:
        broadcasts.cancel(session, broadcast.id, clocks.wall)
    session.commit()
    assert claim(session, lease, clocks) == Claim(is_sending=False)
    assert engine.states(session, broadcast) == {"pending": 3}


def test_nothing_is_claimed_before_the_freeze_is_complete(session: Session, clocks: Clocks):
    broadcast = engine.sending_broadcast(session)
    session.execute(update(Broadcast).values(frozen_at=None))
    lease = engine.lease_for(session, broadcast, clocks)
    assert not claim(session, lease, clocks).is_sending


def test_an_address_suppressed_since_the_freeze_is_never_handed_over(session: Session, clocks: Clocks):
    broadcast = engine.sending_broadcast(session, mails=3)
    unwilling = engine.rows(session, broadcast)[1]
    suppressions.suppress(session, unwilling.address_key or "", SuppressionKind.BY_HAND, clocks.wall)
    lease = engine.lease_for(session, broadcast, clocks)
    assert unwilling.id not in engine.ids(claim(session, lease, clocks).mails)
    assert engine.states(session, broadcast) == engine.tallied(session, broadcast) == {"claimed": 2, "suppressed": 1}
    assert engine.rows(session, broadcast)[1].reason == "suppressed"


def test_rows_that_are_not_due_yet_wait(session: Session, clocks: Clocks):
    broadcast = engine.sending_broadcast(session, mails=2)
    later = engine.rows(session, broadcast)[0]
    later.due_at = clocks.wall.replace(hour=10)
    session.commit()
    lease = engine.lease_for(session, broadcast, clocks)
    assert engine.ids(claim(session, lease, clocks).mails) == [later.id + 1]
    clocks.pass_(3600)
    assert engine.ids(claim(session, lease, clocks).mails) == [later.id]


def test_a_retry_whose_time_has_come_goes_before_mails_never_tried(session: Session, clocks: Clocks):
    broadcast = engine.sending_broadcast(session, mails=3)
    retry = engine.rows(session, broadcast)[2]
    retry.due_at = clocks.wall
    session.commit()
    lease = engine.lease_for(session, broadcast, clocks)
    assert engine.ids(claim(session, lease, clocks).mails)[0] == retry.id


def test_a_sender_whose_rows_were_taken_over_claims_nothing_more(session: Session, clocks: Clocks):
    broadcast = engine.sending_broadcast(session)
    lease = engine.lease_for(session, broadcast, clocks)
    assert take_over(session, lease, session.get_one(Sender, lease.sender_id).expires_at, clocks.wall) is not None
    session.commit()
    with pytest.raises(LeaseLost):
        ledger.renew(session, lease, clocks.wall)
    assert ledger.claim(session, lease, 10, values, clocks.reading()).mails == []
    session.commit()
    assert engine.states(session, broadcast) == {"pending": 3}


def test_released_rows_are_as_if_they_had_never_been_claimed(session: Session, clocks: Clocks):
    broadcast = engine.sending_broadcast(session, mails=4)
    lease = engine.lease_for(session, broadcast, clocks)
    mails = claim(session, lease, clocks).mails
    ledger.release(session, lease, engine.ids(mails[:3]), clocks.wall)
    session.commit()
    assert engine.states(session, broadcast) == engine.tallied(session, broadcast) == {"pending": 3, "claimed": 1}
    assert [row.attempts for row in engine.rows(session, broadcast)] == [0, 0, 0, 1]


def test_a_release_does_not_touch_what_another_sender_has(session: Session, clocks: Clocks):
    broadcast = engine.sending_broadcast(session, mails=1)
    mine, other = (engine.lease_for(session, broadcast, clocks) for _ in range(2))
    [mail] = claim(session, other, clocks).mails
    ledger.release(session, mine, [mail.delivery_id], clocks.wall)
    session.commit()
    assert engine.states(session, broadcast) == engine.tallied(session, broadcast) == {"claimed": 1}


def test_after_the_breaker_one_mail_is_tried_at_a_time(session: Session, clocks: Clocks):
    broadcast = engine.sending_broadcast(session, mails=3)
    broadcasts.stop(session, broadcast.id, "ill", clocks.wall, probing=True)
    broadcasts.resume(session, broadcast.id, clocks.wall)
    one, two = (engine.lease_for(session, broadcast, clocks) for _ in range(2))
    assert len(claim(session, one, clocks).mails) == 1
    assert claim(session, two, clocks).mails == []
    broadcasts.probe_succeeded(session, broadcast.id)
    assert len(claim(session, two, clocks).mails) == 2


def test_many_values_of_any_script_come_back_as_they_were(session: Session, clocks: Clocks):
    texts = ["", "Ирина", "محمد", "𠮷野家", 'a"b\\c', "</p>&amp;", "line\u2028sep", "0", "null", "\x7f", "ﷺ"]
    broadcast = engine.sending_broadcast(session, mails=len(texts))
    lease = engine.lease_for(session, broadcast, clocks)
    claim(session, lease, clocks, 100, load=lambda holders: [[text, text * 2] for text in texts])
    stored = [json.loads(row.merge_values or "") for row in engine.rows(session, broadcast)]
    assert stored == [[text, text * 2] for text in texts]


def test_a_pace_limits_how_many_are_claimed_and_says_when_the_next_may_be(session: Session, clocks: Clocks):
    broadcast = engine.sending_broadcast(session, mails=5, batch_size=2, interval_s=10)
    one, two = (engine.lease_for(session, broadcast, clocks) for _ in range(2))
    assert len(claim(session, one, clocks).mails) == 2
    blocked = claim(session, two, clocks)
    assert blocked.mails == [] and blocked.next_in is None and not blocked.exhausted
    assert len(session.query(Delivery).where(Delivery.sender_id == two.sender_id).all()) == 0


def test_on_sqlite_the_rows_of_a_group_are_found_by_their_ids(sqlite_session: Session):
    """Not by walking all rows in that state, once for each of the group, as SQLite would choose."""
    values = {"sender": 1, "epoch": 1, "now": "", "broadcast": 1, "rows": "{}", "code": 250, "reason": ""}
    for statement in (*on_sqlite.CLAIM.values(), on_sqlite.ACCEPT, on_sqlite.SUPPRESS):
        plan = sqlite_session.execute(text(f"EXPLAIN QUERY PLAN {statement}"), values).all()
        steps = [step[3].replace(" d ", " delivery ") for step in plan if re.search(r"\b(d|delivery)\b", step[3])]
        assert steps == ["SEARCH delivery USING INTEGER PRIMARY KEY (rowid=?)"], steps


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_on_postgresql_the_rows_of_a_group_are_found_by_their_ids(session: Session, clocks: Clocks):
    """Neither by walking the table nor all rows in that state, whatever the statistics say."""
    broadcast = engine.sending_broadcast(session, mails=300)
    lease = engine.lease_for(session, broadcast, clocks)
    given = {"sender": lease.sender_id, "epoch": 1, "now": engine.NOW, "broadcast": broadcast.id, "rows": "{}"}
    recorded = (250, engine.NOW, "{}", lease.sender_id)
    for statement, values in (
        *((one, given) for one in on_postgresql.CLAIM.values()),
        (on_postgresql.ACCEPT, recorded),
    ):
        ledger.renew(session, lease, engine.NOW)
        cursor = session.connection().connection.cursor()
        cursor.execute(f"EXPLAIN {statement}", values)
        plan = [row[0].strip() for row in cursor.fetchall()]
        found = [step for step in plan if " on delivery d " in step and "Update on" not in step]
        assert len(found) == 1 and "Index Scan using pk_delivery" in found[0], plan
