"""What is news: a table of facts and the notices that come of them; each once, to those who asked for it, and no storm."""

import threading
from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from tests import engine, factories
from tests.core.notices.news import NOW, RELAY_DOWN, begin, broadcast, hearers, later, look, mailed, paused
from webapp.adapters.database import will_write
from webapp.core.notices import choices, facts, looking, webhook
from webapp.core.notices.choices import NoticePreference
from webapp.core.rules.lifecycle import BroadcastState, DeliveryState
from webapp.core.rules.notices import Scope
from webapp.core.tables.broadcasts import Broadcast
from webapp.core.tables.notices import Notice, NoticeDispatch, NoticeReceipt

S = BroadcastState


@pytest.mark.parametrize("state", list(S))
@pytest.mark.parametrize(
    ("columns", "kinds"),
    [
        ({}, {S.NEEDS_ATTENTION: "needs_decision", S.FINISHED: "finished"}),
        ({"pause_reason": RELAY_DOWN, "paused_at": NOW, "probing": True}, {S.PAUSED: "paused_itself"}),
        (
            {"pause_reason": "Sending stopped because of an unexpected error: x", "paused_at": NOW},
            {S.PAUSED: "paused_itself"},
        ),
        ({"pause_reason": "by Uma Example", "paused_at": NOW}, {S.PAUSED: None}),
        ({"pause_reason": "by Uma Example", "paused_at": NOW, "probing": True}, {S.PAUSED: None}),
        ({"pause_reason": None, "paused_at": NOW}, {S.PAUSED: None}),
    ],
)
def test_what_happened_by_itself_makes_a_notice_and_what_a_person_did_makes_none(
    sqlite_session: Session, state: S, columns: dict, kinds: dict
):
    begin(sqlite_session)
    broadcast(sqlite_session, state, **columns)
    always = {S.NEEDS_ATTENTION: "needs_decision", S.FINISHED: "finished"}
    expected = (always | kinds).get(state)
    assert look(sqlite_session) == ([expected] if expected else [])
    assert look(sqlite_session, later(days=1)) == [], "each once"


SITE = {
    "waits_for_relay": ("relay_waiting_since", timedelta(minutes=10), {S.SENDING}),
    "no_worker": ("no_worker_since", timedelta(seconds=30), {S.SENDING, S.SCHEDULED}),
}


@pytest.mark.parametrize("state", [S.DRAFT, S.SCHEDULED, S.SENDING, S.CANCELLED])
@pytest.mark.parametrize("kind", list(SITE))
def test_a_trouble_of_the_site_is_told_when_it_lasts_and_keeps_somebody_waiting(
    sqlite_session: Session, kind: str, state: S
):
    begin(sqlite_session)
    broadcast(sqlite_session, state)
    fact, patience, waiting = SITE[kind]
    assert look(sqlite_session, NOW + patience - timedelta(seconds=1), **{fact: NOW}) == []
    assert look(sqlite_session, NOW + patience, **{fact: NOW}) == ([kind] if state in waiting else [])
    assert look(sqlite_session, later(days=1), **{fact: NOW}) == []


def test_without_a_worker_a_mass_mail_that_is_not_due_yet_waits_for_nobody(sqlite_session: Session):
    begin(sqlite_session)
    broadcast(sqlite_session, S.SCHEDULED, starts_at=later(hours=1))
    assert look(sqlite_session, later(minutes=5), no_worker_since=NOW) == []
    assert look(sqlite_session, later(hours=1), no_worker_since=NOW) == ["no_worker"]


@pytest.mark.parametrize("state", [S.DRAFT, S.SCHEDULED, S.SENDING])
def test_a_missed_start_is_told_once_for_each_start(sqlite_session: Session, state: S):
    begin(sqlite_session)
    row = broadcast(sqlite_session, state)
    waits = state is not S.SENDING
    assert look(sqlite_session, later(minutes=40), missed_starts={row.id: NOW}) == (["missed_start"] if waits else [])
    assert look(sqlite_session, later(minutes=50), missed_starts={row.id: NOW}) == []
    if waits:
        assert look(sqlite_session, later(hours=3), missed_starts={row.id: later(hours=2)}) == ["missed_start"]


def test_what_happened_before_there_were_notices_is_no_news(sqlite_session: Session):
    begin(sqlite_session, since=NOW)
    broadcast(sqlite_session, S.FINISHED)
    broadcast(sqlite_session, S.NEEDS_ATTENTION)
    paused(sqlite_session)
    assert look(sqlite_session, later(minutes=1)) == []


def test_the_facts_are_those_of_the_instant_without_anybodys_address(sqlite_session: Session):
    begin(sqlite_session)
    row = paused(sqlite_session, "The relay says: 550 5.7.1 <bob@client.example> refused", name="Autumn news")
    for state in (DeliveryState.ACCEPTED, DeliveryState.ACCEPTED, DeliveryState.FAILED, DeliveryState.SKIPPED):
        factories.delivery(sqlite_session, row, state=state)
    look(sqlite_session)
    about = sqlite_session.scalars(select(Notice.facts)).one()
    assert about == {
        "id": row.id,
        "name": "Autumn news",
        "state": "paused",
        "reason": "The relay says: 550 5.7.1 (an address) refused",
        "counts": {"accepted": 2, "failed": 1, "uncertain": 0, "skipped": 1, "waiting": 0, "cancelled": 0},
    }


# No storm


def again(session: Session, row: Broadcast, reason: str, at) -> None:
    """Resumed by somebody, and paused by itself once more."""
    row.state = S.SENDING
    session.flush()
    row.state, row.pause_reason, row.paused_at = S.PAUSED, reason, at
    session.flush()


def test_pausing_again_for_the_same_reason_is_told_a_quarter_of_an_hour_later_if_it_still_is_so(
    sqlite_session: Session,
):
    begin(sqlite_session)
    row = paused(sqlite_session, "20 mails failed one after the other. The last: 451 id A1B2")
    assert look(sqlite_session) == ["paused_itself"]
    for minute in (1, 2, 3):
        again(
            sqlite_session,
            row,
            f"{20 + minute} mails failed one after the other. The last: 451 id C{minute}",
            later(minutes=minute),
        )
        assert look(sqlite_session, later(minutes=minute)) == []
    assert look(sqlite_session, later(minutes=15)) == ["paused_itself"]
    assert look(sqlite_session, later(hours=5)) == []


def test_pausing_again_for_another_reason_is_told_at_once(sqlite_session: Session):
    begin(sqlite_session)
    row = paused(sqlite_session)
    look(sqlite_session)
    again(sqlite_session, row, "The relay says: 535 authentication failed", later(minutes=1))
    assert look(sqlite_session, later(minutes=1)) == ["paused_itself"]


def test_fifty_mass_mails_that_wait_for_one_relay_are_one_notice_that_names_some(sqlite_session: Session):
    begin(sqlite_session)
    uma = factories.user(sqlite_session)
    for number in range(50):
        broadcast(sqlite_session, S.SENDING, name=f"News {number}", created_by=uma.id)
    assert look(sqlite_session, later(minutes=11), relay_waiting_since=NOW) == ["waits_for_relay"]
    about = sqlite_session.scalars(select(Notice.facts)).one()
    assert about["number"] == 50 and len(about["broadcasts"]) == facts.MOST_NAMED
    assert hearers(sqlite_session) == mailed(sqlite_session) == [uma.id]


def test_who_begins_to_wait_later_hears_of_the_same_notice_once(sqlite_session: Session):
    begin(sqlite_session)
    uma, bob = factories.user(sqlite_session), factories.user(sqlite_session)
    broadcast(sqlite_session, S.SENDING, created_by=uma.id)
    look(sqlite_session, later(minutes=11), relay_waiting_since=NOW)
    broadcast(sqlite_session, S.SENDING, created_by=bob.id)
    for minute in (12, 13):
        assert look(sqlite_session, later(minutes=minute), relay_waiting_since=NOW) == []
    assert hearers(sqlite_session) == mailed(sqlite_session) == [uma.id, bob.id]


def test_a_relay_that_comes_and_goes_is_told_of_once_in_a_quarter_of_an_hour(sqlite_session: Session):
    begin(sqlite_session)
    broadcast(sqlite_session, S.SENDING)
    assert look(sqlite_session, later(minutes=10), relay_waiting_since=NOW) == ["waits_for_relay"]
    assert look(sqlite_session, later(minutes=22), relay_waiting_since=later(minutes=12)) == []
    assert look(sqlite_session, later(minutes=25), relay_waiting_since=later(minutes=12)) == ["waits_for_relay"]


# Who hears


def test_the_author_hears_and_whoever_asked_for_all_and_nobody_who_is_locked(sqlite_session: Session):
    begin(sqlite_session)
    author, other, all_of_them, quiet, locked = (factories.user(sqlite_session) for _ in range(5))
    locked.is_active = False
    everything = NoticePreference(scope=Scope.ALL)
    choices.save(
        sqlite_session, {all_of_them.id: everything, quiet.id: NoticePreference(by_mail=False, scope=Scope.ALL)}
    )
    broadcast(sqlite_session, S.FINISHED, created_by=author.id)
    look(sqlite_session)
    assert hearers(sqlite_session) == [author.id, all_of_them.id, quiet.id]
    assert mailed(sqlite_session) == [author.id, all_of_them.id]
    assert other.id not in hearers(sqlite_session) and locked.id not in hearers(sqlite_session)


@pytest.mark.parametrize("author", ["nobody", "locked"])
def test_what_nobody_would_hear_of_is_in_everybodys_list_but_mailed_to_none(sqlite_session: Session, author: str):
    begin(sqlite_session)
    uma, bob = factories.user(sqlite_session), factories.user(sqlite_session, is_active=False)
    paused(sqlite_session, created_by=bob.id if author == "locked" else None)
    look(sqlite_session)
    assert (hearers(sqlite_session), mailed(sqlite_session)) == ([uma.id], [])


def test_the_webhook_is_called_once_for_each_notice_whoever_reads_it(sqlite_session: Session):
    begin(sqlite_session)
    webhook.set_up(sqlite_session, "https://hooks.example.com/", NOW)
    for _ in range(2):
        choices.save(sqlite_session, {factories.user(sqlite_session).id: NoticePreference(scope=Scope.ALL)})
    paused(sqlite_session)
    look(sqlite_session)
    look(sqlite_session, later(minutes=1))
    calls = select(func.count()).select_from(NoticeDispatch).where(NoticeDispatch.channel == "webhook")
    assert sqlite_session.scalar(calls) == 1


# Two at once


def test_two_who_look_at_the_same_instant_write_each_notice_once(app: Flask, session: Session):
    begin(session)
    uma = factories.user(session)
    webhook.set_up(session, "https://hooks.example.com/", NOW)
    for make in _HAPPENINGS:
        make(session, uma.id)
    session.commit()
    where, together, written = engine.engine_of(app), threading.Barrier(4), []

    def sweep() -> None:
        with Session(where) as own:
            together.wait()
            will_write(own)
            written.append(looking.look(own, later(minutes=20), relay_waiting_since=NOW, no_worker_since=NOW))
            own.commit()

    threads = [threading.Thread(target=sweep) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    kinds = sorted(session.scalars(select(Notice.kind)))
    assert kinds == ["finished", "needs_decision", "no_worker", "paused_itself", "waits_for_relay"]
    assert sorted(written) == [0, 0, 0, 5]
    assert session.scalar(select(func.count()).select_from(NoticeReceipt)) == 5
    assert session.scalar(select(func.count()).select_from(NoticeDispatch)) == 10


_HAPPENINGS: list[Callable[[Session, int], object]] = [
    lambda session, author: broadcast(session, S.FINISHED, created_by=author),
    lambda session, author: broadcast(session, S.NEEDS_ATTENTION, created_by=author),
    lambda session, author: broadcast(session, S.SENDING, created_by=author),
    lambda session, author: paused(session, created_by=author),
]


def test_the_database_itself_keeps_a_notice_from_being_written_twice(session: Session):
    """As if the other had looked before either had written."""
    begin(session)
    paused(session)
    look(session)
    written = session.scalars(select(Notice)).one()
    again = {name: getattr(written, name) for name in ("kind", "occasion", "broadcast_id")}
    assert looking._write(session, **again, about={}, at=NOW, now=NOW) is None
