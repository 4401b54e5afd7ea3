"""Count, list, choices and the one SELECT agree with each other and with a plain reading of the rules, whatever changes."""

import random
import threading

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from tests.core.audience import audience_world
from tests.core.audience.audience_world import TODAY
from webapp.core import audience
from webapp.core.audience import Audience, AudienceFilter, Term
from webapp.core.rules.earlier import EarlierOutcome, Fate
from webapp.core.rules.lifecycle import SkipReason
from webapp.core.rules.statuses import MessageType
from webapp.core.tables.clients import Client

TERM_OF = {
    SkipReason.LEFT_OUT: Term.LEFT_OUT,
    SkipReason.NO_ADDRESS: Term.NO_USABLE_ADDRESS,
    SkipReason.INVALID_ADDRESS: Term.NO_USABLE_ADDRESS,
    SkipReason.OPTED_OUT: Term.OPTED_OUT,
    SkipReason.SUPPRESSED: Term.SUPPRESSED,
    SkipReason.WITHOUT_TEXT: Term.WITHOUT_TEXT,
    SkipReason.SAME_ADDRESS: Term.SAME_ADDRESS,
    None: Term.WILL_RECEIVE,
}
REASONS = set(TERM_OF.values())


def check(session: Session, of: Audience, chance: random.Random) -> None:
    """Everything the program says about an audience, against the plain reading."""
    expected = audience_world.read(session, of)
    rows = session.execute(audience.recipients(of, TODAY)).all()
    assert [row.client_id for row in rows] == sorted(row.client_id for row in rows)
    by_term = {term: {row.client_id for row in rows if TERM_OF[row.skip_reason] is term} for term in REASONS}
    assert by_term == {term: expected.terms[term] for term in REASONS}, of
    assert {row.client_id: row.service_id for row in rows} == expected.services
    assert {row.client_id: row.addon_assignment_id for row in rows} == expected.assignments

    if of.texts is not None:
        assert {row.client_id: row.language for row in rows} == {
            client_id: text or None for client_id, text in expected.texts.items()
        }
        check_texts(session, of, expected)

    count = audience.count(session, of, TODAY)
    assert {term: getattr(count, term) for term in Term} == {term: len(ids) for term, ids in expected.terms.items()}, of
    declined = count.opted_out + count.suppressed + count.without_text
    skipped = count.left_out + count.no_usable_address + declined + count.same_address
    assert count.matching + count.added - skipped == count.will_receive

    for term in (Term.WILL_RECEIVE, chance.choice(list(Term))):
        page = audience.listing(session, of, TODAY, reason=term, limit=1000)
        assert page.total == len(expected.terms[term])
        assert {row.client.id for row in page.rows} == expected.terms[term], (term, of)
    sample = audience.sample(session, of, TODAY)
    assert len(sample) == min(20, count.will_receive)
    assert {row.client.id for row in sample} <= expected.terms[Term.WILL_RECEIVE]


def check_texts(session: Session, of: Audience, expected: audience_world.Reading) -> None:
    """The number on each language's tab."""
    assert of.texts is not None
    receive, without = expected.terms[Term.WILL_RECEIVE], expected.terms[Term.WITHOUT_TEXT]
    terms = audience.select_terms(session, of).terms
    counted = audience.count_texts(session, of.texts, terms[Term.WILL_RECEIVE] | terms[Term.WITHOUT_TEXT])
    assert counted.numbers == {
        text: sum((expected.texts[one] or "") == text for one in receive) for text in ("", *of.texts.others)
    }
    assert counted.without == sum(expected.texts[one] is None for one in receive | without)
    by_text = audience.receivers_by_text(session, of.texts, terms[Term.WILL_RECEIVE])
    assert {text: len(clients) for text, clients in by_text.items()} == counted.numbers


@pytest.mark.parametrize("seed", range(3))
def test_count_list_and_select_agree_for_any_filter_while_the_data_changes(session: Session, seed: int):
    world = audience_world.make(session, seed)
    for _ in range(15):
        world.change()
        check(session, world.audience(world.any_filter()), world.chance)


@pytest.mark.parametrize("fate", Fate)
def test_they_agree_while_the_ledger_of_an_earlier_broadcast_changes(session: Session, fate: Fate):
    world = audience_world.make(session, 51, clients=20)
    outcomes = tuple(EarlierOutcome.of(broadcast.id, fate) for broadcast in world.earlier)
    of = world.audience(AudienceFilter(MessageType.GENERAL, earlier_outcomes=outcomes))
    for _ in range(12):
        for _ in range(3):
            world.move_one()
        session.flush()
        check(session, of, world.chance)


def test_any_cut_of_the_select_holds_the_same_rows_as_the_whole(session: Session):
    world = audience_world.make(session, 11)
    for _ in range(6):
        of = world.audience(world.any_filter())
        whole = [tuple(row) for row in session.execute(audience.recipients(of, TODAY))]
        for after, upto in ((0, 20), (20, 49_150), (49_150, 10**9)):
            cut = [tuple(row) for row in session.execute(audience.recipients(of, TODAY, after=after, upto=upto))]
            assert cut == [row for row in whole if after < row[0] <= upto]
        some = [row[0] for row in whole[::3]]
        assert [tuple(row) for row in session.execute(audience.recipients(of, TODAY, only=some))] == whole[::3]


def test_the_number_behind_a_choice_is_what_choosing_it_alone_gives(session: Session):
    world = audience_world.make(session, 21)
    for _ in range(3):
        chosen = world.any_filter()
        for criterion in audience.choices(session, chosen):
            for choice in criterion.choices:
                values = {**chosen.to_dict(), criterion.name: [choice.value]}
                alone = AudienceFilter.from_dict(chosen.message_type, values)
                matching = audience.count(session, Audience(alone), TODAY).matching
                if criterion.name == "not_reached_by":  # the number is of those whom it leaves out
                    without = AudienceFilter.from_dict(chosen.message_type, {**values, criterion.name: []})
                    matching = audience.count(session, Audience(without), TODAY).matching - matching
                assert choice.count == matching, (choice, chosen)
                assert choice.chosen == (choice.value in {str(value) for value in getattr(chosen, criterion.name)})


def test_every_client_is_explained_as_the_select_decides(session: Session):
    world = audience_world.make(session, 31, clients=25)
    clients = session.scalars(select(Client.id)).all()
    for _ in range(3):
        of = world.audience(world.any_filter())
        expected = audience_world.read(session, of)
        for client_id in clients:
            explained = audience.explain(session, of, client_id, TODAY)
            assert explained.gets_it == (client_id in expected.terms[Term.WILL_RECEIVE])
            assert explained.reasons and all(reason.endswith(".") for reason in explained.reasons), explained
            assert (explained.recipient is None) == (client_id not in expected.services)


def test_what_one_session_has_not_committed_no_other_counts(session: Session):
    world = audience_world.make(session, 41, clients=10)
    everybody = Audience(AudienceFilter(MessageType.GENERAL))
    session.commit()
    before = audience.count(session, everybody, TODAY).matching
    session.commit()
    with Session(session.get_bind()) as other:
        world.add_client()
        assert audience.count(session, everybody, TODAY).matching == before + 1
        assert audience.count(other, everybody, TODAY).matching == before
        assert audience.count(session, everybody, TODAY).matching == before + 1
        other.rollback()
        session.rollback()
        assert audience.count(other, everybody, TODAY).matching == before
        assert audience.count(session, everybody, TODAY).matching == before


def test_many_threads_count_right_while_somebody_writes(session: Session):
    world = audience_world.make(session, 51, clients=20)
    everybody = Audience(AudienceFilter(MessageType.GENERAL))
    session.commit()
    wrong: list[tuple[int, int]] = []
    over = threading.Event()

    def watch() -> None:
        while not over.is_set():
            with Session(session.get_bind()) as own:
                before = len(own.scalars(select(Client.id)).all())
                counted = audience.count(own, everybody, TODAY).matching
                after = len(own.scalars(select(Client.id)).all())
                if not before <= counted <= after:
                    wrong.append((before, counted))

    watchers = [threading.Thread(target=watch) for _ in range(3)]
    for watcher in watchers:
        watcher.start()
    try:
        for _ in range(15):
            world.add_client()
            session.commit()
    finally:
        over.set()
        for watcher in watchers:
            watcher.join()
    assert not wrong
