"""A draft to those whom one thing became of: exactly they, as the ledger has it when it is counted and when it is frozen."""

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from tests import engine, factories
from tests.core.audience.audience_world import TODAY
from tests.engine import NOW
from webapp.core import audience, broadcasts, ledger
from webapp.core.audience import Audience, AudienceFilter, Term
from webapp.core.broadcasts import follow_ups, resending
from webapp.core.errors import Conflict, Invalid
from webapp.core.rules.earlier import EarlierOutcome, Fate
from webapp.core.rules.lifecycle import BroadcastState, DeliveryState
from webapp.core.rules.statuses import HoldingStatus, MessageType
from webapp.core.tables.broadcasts import Broadcast, PickKind
from webapp.core.tables.clients import Client
from webapp.core.tables.deliveries import Delivery

B, D = BroadcastState, DeliveryState


def source(session: Session, **deliveries: int) -> Broadcast:
    """A finished broadcast with so many deliveries in each state; beside it a client it did not go to."""
    made = factories.broadcast(session, state=B.FINISHED, name="Price change", started_at=NOW, frozen_at=NOW)
    for state, count in deliveries.items():
        for _ in range(count):
            factories.delivery(session, made, state=D(state))
    factories.client(session)
    session.commit()
    return made


def follow(session: Session, of: Broadcast, fate: Fate, *, same_text: bool = False) -> Broadcast:
    made = follow_ups.create(session, of.id, fate, None, NOW, same_text=same_text)
    session.commit()
    return made


def receive(session: Session, draft: Broadcast) -> set[int]:
    page = audience.listing(session, audience.audience_of(draft), TODAY, reason=Term.MATCHING, limit=1000)
    count = audience.count(session, audience.audience_of(draft), TODAY)
    assert count.matching == page.total == len(page.rows)
    return {row.client.id for row in page.rows}


def who(session: Session, of: Broadcast, *states: DeliveryState) -> set[int]:
    query = select(Delivery.client_id).where(Delivery.broadcast_id == of.id, Delivery.state.in_(states))
    return set(session.scalars(query))


def test_each_group_is_exactly_its_clients(session: Session):
    of = source(session, accepted=4, failed=3, skipped=2, suppressed=1)
    assert receive(session, follow(session, of, Fate.FAILED)) == who(session, of, D.FAILED)
    assert receive(session, follow(session, of, Fate.ACCEPTED)) == who(session, of, D.ACCEPTED)
    assert receive(session, follow(session, of, Fate.SKIPPED)) == who(session, of, D.SKIPPED, D.SUPPRESSED)
    with pytest.raises(Conflict, match="no clients whose mail was cancelled"):
        follow(session, of, Fate.CANCELLED)


def test_the_freeze_takes_those_and_nobody_else(session: Session):
    of = source(session, accepted=4, failed=3)
    draft = follow(session, of, Fate.FAILED, same_text=True)
    broadcasts.edit(session, draft.id, None, {"batch_size": 0, "interval_s": 0}, NOW)
    broadcasts.schedule(session, draft.id, None, NOW)
    broadcasts.start(session, draft.id, NOW)
    while not ledger.freeze_chunk(session, draft.id, NOW, chunk=3):
        session.commit()
    session.commit()
    assert who(session, draft, D.PENDING) == who(session, of, D.FAILED)
    assert engine.tallied(session, draft) == {"pending": 3}


def test_the_count_follows_the_ledger_of_the_source(session: Session):
    of = source(session, failed=3, accepted=1)
    draft = follow(session, of, Fate.FAILED)
    assert len(receive(session, draft)) == 3
    for _ in resending.send_again(session, of.id, None, NOW, seen=3, resends=0):
        session.commit()
    assert receive(session, draft) == set()
    words = audience.in_words(session, audience.audience_of(draft).filter)
    assert "The 0 clients of “Price change” (23 Nov 2026) whose mail failed." in words
    assert "is not finished: who they are is decided when this mass mail starts." in words


def test_words_say_number_name_day_and_what_became_of_them(session: Session):
    of = source(session, failed=1, skipped=2)

    def said(**criteria) -> str:
        return audience.in_words(session, AudienceFilter(MessageType.GENERAL, **criteria))

    failed, skipped = EarlierOutcome.of(of.id, Fate.FAILED), EarlierOutcome.of(of.id, Fate.SKIPPED)
    assert said(earlier_outcomes=(failed,)) == "The one client of “Price change” (23 Nov 2026) whose mail failed."
    assert said(earlier_outcomes=(failed, skipped), countries=("DE",), languages=("de",)) == (
        "Of the 3 clients of “Price change” (23 Nov 2026) whose mail failed or who were skipped, "
        "those in Germany that speak German."
    )
    assert "no longer exists" in said(earlier_outcomes=(EarlierOutcome("999:failed"),))


def test_a_client_who_was_not_among_them_is_told_so(session: Session):
    of = source(session, failed=1, accepted=1)
    draft = follow(session, of, Fate.FAILED)
    [accepted] = who(session, of, D.ACCEPTED)
    explained = audience.explain(session, audience.audience_of(draft), accepted, TODAY)
    assert not explained.gets_it
    assert explained.reasons == ("Is not the one client of “Price change” (23 Nov 2026) whose mail failed.",)


def test_it_can_be_narrowed_down(session: Session):
    of = source(session, failed=3)
    some = next(iter(who(session, of, D.FAILED)))
    session.get_one(Client, some).country = "AT"
    session.commit()
    narrow = AudienceFilter(
        MessageType.GENERAL, countries=("AT",), earlier_outcomes=(EarlierOutcome.of(of.id, Fate.FAILED),)
    )
    assert audience.count(session, Audience(narrow), TODAY).will_receive == 1


def test_with_the_text_the_tags_speak_of_the_same_product_in_whatever_status(session: Session):
    vps, web = factories.product(session), factories.product(session)
    client, by_hand = factories.client(session), factories.client(session)
    factories.service(session, client, web, next_due_on=TODAY)
    mine = factories.service(session, client, vps, status=HoldingStatus.SUSPENDED)
    chosen = AudienceFilter(MessageType.SERVICES, products=(vps.id,), service_statuses=(HoldingStatus.ACTIVE,))
    of = factories.broadcast(session, message_type=MessageType.SERVICES, audience_filter=chosen.to_dict(), subject="Hi")
    audience.pick(session, of.id, by_hand.id, PickKind.ADDED)
    for state in (B.SCHEDULED, B.SENDING):
        of.state = state
        session.flush()
    for one in (client, by_hand):
        factories.delivery(session, of, one, state=D.FAILED)
    draft = follow(session, of, Fate.FAILED, same_text=True)
    rows = session.execute(audience.recipients(audience.audience_of(draft), TODAY)).all()
    assert [(row.client_id, row.service_id) for row in rows] == [(client.id, mine.id), (by_hand.id, None)]
    assert draft.content.subject == "Hi"
    plain = follow(session, of, Fate.FAILED)
    assert plain.message_type is MessageType.GENERAL
    assert receive(session, plain) == {client.id, by_hand.id}


@pytest.mark.parametrize("text", ["", "17", "17:", ":failed", "x:failed", "17:sent", "-1:failed", "99999999999:failed"])
def test_what_names_no_outcome_is_refused(text: str):
    with pytest.raises(Invalid):
        AudienceFilter.from_dict(MessageType.GENERAL, {"earlier_outcomes": [text]})
