"""A refusal for good that says that a mailbox is not there suppresses its address, by the rules, as long as it is a fact."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy.orm import Session

from tests import engine
from tests.engine import TAKEN, Clocks
from webapp.core import ledger
from webapp.core.consent import settings, suppressions
from webapp.core.ledger import Lease, RecordingSettings, Settled, again
from webapp.core.rules.final_refusals import RefusalRule
from webapp.core.rules.limits import NO_LIMITS
from webapp.core.rules.outcome import Reply, Stage, judge
from webapp.core.tables.broadcasts import Broadcast

UNKNOWN = Reply(Stage.RCPT, 550, "5.1.1 no such user")
DISABLED = Reply(Stage.RCPT, 550, "5.2.1 mailbox disabled")
NULL_MX = Reply(Stage.RCPT, 556, "5.1.10 takes no mail")
UNCLEAR = Reply(Stage.RCPT, 550, "go away")
POLICY = Reply(Stage.RCPT, 550, "5.7.1 not from you")


@pytest.fixture
def clocks() -> Clocks:
    return Clocks()


def claimed(session: Session, clocks: Clocks, broadcast: Broadcast) -> tuple[Lease, list]:
    lease = engine.lease_for(session, broadcast, clocks)
    claim = ledger.claim(session, lease, 100, lambda holders: [()] * len(holders), clocks.reading())
    session.commit()
    return lease, claim.mails


def record(session: Session, clocks: Clocks, broadcast: Broadcast, lease: Lease, mails: list, *replies: Reply) -> None:
    settled = [
        Settled(
            mail.delivery_id, mail.attempt, mail.stamped_at, judge(reply), reply, clocks.ticks, f"d{number}.example"
        )
        for number, (mail, reply) in enumerate(zip(mails, replies, strict=True))
    ]
    ledger.record(session, lease, settled, RecordingSettings.of(broadcast, NO_LIMITS), clocks.reading())
    session.commit()


def sent(session: Session, clocks: Clocks, *replies: Reply) -> Broadcast:
    """A broadcast to so many new clients, each answered so."""
    broadcast = engine.sending_broadcast(session, mails=len(replies))
    lease, mails = claimed(session, clocks, broadcast)
    record(session, clocks, broadcast, lease, mails, *replies)
    return broadcast


def suppressed(session: Session, broadcast: Broadcast) -> list[bool]:
    """Of each delivery, whether its address is suppressed."""
    addresses = [row.address_key for row in engine.rows(session, broadcast)]
    return [bool(suppressions.holding(session, [address])) for address in addresses]


def test_a_mailbox_that_is_not_there_is_suppressed_at_once_with_the_relays_words(session: Session, clocks: Clocks):
    broadcast = sent(session, clocks, UNKNOWN, TAKEN, POLICY, UNCLEAR)
    assert suppressed(session, broadcast) == [True, False, False, False]
    failed = engine.rows(session, broadcast)[0]
    [row] = suppressions.holding(session, [failed.address_key])
    assert (row.kind.value, row.scope.value, row.source, row.delivery_id) == (
        "bounced",
        "everything",
        "smtp",
        failed.id,
    )
    assert "550 5.1.1 no such user" in row.evidence


@pytest.mark.parametrize("reply", [DISABLED, NULL_MX])
def test_what_may_be_a_mistake_of_a_day_takes_a_second_refusal_within_thirty_days(
    session: Session, clocks: Clocks, reply: Reply
):
    first = sent(session, clocks, reply)
    assert suppressed(session, first) == [False]
    clocks.pass_(timedelta(days=29).total_seconds())
    second = engine.sending_broadcast(session, mails=0)
    lease, mails = claimed(session, clocks, second)
    record(session, clocks, second, lease, mails, reply)
    assert suppressed(session, second) == [True]


def test_two_refusals_further_apart_do_not_count_together(session: Session, clocks: Clocks):
    sent(session, clocks, DISABLED)
    clocks.pass_(timedelta(days=31).total_seconds())
    second = engine.sending_broadcast(session, mails=0)
    lease, mails = claimed(session, clocks, second)
    record(session, clocks, second, lease, mails, DISABLED)
    assert suppressed(session, second) == [False]


def test_a_second_attempt_of_the_same_mail_counts_too(session: Session, clocks: Clocks):
    broadcast = sent(session, clocks, DISABLED)
    clocks.pass_(3600)
    again.make_pending(session, broadcast.id, None, engine.BEFORE, clocks.wall)
    session.commit()
    lease, mails = claimed(session, clocks, broadcast)
    record(session, clocks, broadcast, lease, mails, DISABLED)
    assert suppressed(session, broadcast) == [True]


def test_the_rules_decide_for_each_reason(session: Session, clocks: Clocks):
    consent = settings.read(session)
    rules = dict(consent.rules) | {"no_such_mailbox": RefusalRule.NEVER, "mailbox_disabled": RefusalRule.ONCE}
    settings.save(session, replace(consent, rules=rules))
    session.commit()
    assert suppressed(session, sent(session, clocks, UNKNOWN, DISABLED, NULL_MX)) == [False, True, False]


def test_where_the_relay_refused_everybody_nobody_stays_suppressed(session: Session, clocks: Clocks):
    broadcast = engine.sending_broadcast(session, mails=3)
    lease, mails = claimed(session, clocks, broadcast)
    record(session, clocks, broadcast, lease, mails, UNKNOWN, POLICY, UNKNOWN)
    assert suppressed(session, broadcast) == [True, False, True]
    ledger.were_the_relays(session, broadcast.id, lease.sender_id, clocks.wall, clocks.wall)
    session.commit()
    assert suppressed(session, broadcast) == [False, False, False]
    [lifted, added] = suppressions.history(session, engine.rows(session, broadcast)[0].address_key)
    assert (lifted.action.value, added.action.value) == ("lifted", "added")


def test_a_mail_that_somebody_has_sent_again_is_sent(session: Session, clocks: Clocks):
    broadcast = sent(session, clocks, UNKNOWN)
    [row] = engine.rows(session, broadcast)
    suppressions.suppress(session, row.address_key, suppressions.SuppressionKind.UNSUBSCRIBED, clocks.wall)
    again.make_pending(session, broadcast.id, None, engine.BEFORE, clocks.wall)
    session.commit()
    assert [one.kind.value for one in suppressions.holding(session, [row.address_key])] == ["unsubscribed"]
    lease, mails = claimed(session, clocks, broadcast)
    assert len(mails) == 1
    record(session, clocks, broadcast, lease, mails, UNKNOWN)
    assert len(suppressions.holding(session, [row.address_key])) == 2


def test_the_next_mass_mail_is_not_sent_to_it(session: Session, clocks: Clocks):
    sent(session, clocks, UNKNOWN)
    following = engine.sending_broadcast(session, mails=1)
    assert engine.states(session, following) == {"skipped": 1, "pending": 1}


def test_acceptance_asks_the_database_nothing_about_it(
    session: Session, clocks: Clocks, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(settings, "read", lambda session: pytest.fail("the settings were read"))
    broadcast = engine.sending_broadcast(session, mails=2)
    lease, mails = claimed(session, clocks, broadcast)
    record(session, clocks, broadcast, lease, mails, TAKEN, POLICY)
