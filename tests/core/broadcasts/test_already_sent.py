"""A draft that says what others have said: who of its recipients has got that already, and leaving them out."""

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from tests import factories
from tests.factories import NOW
from webapp.core import audience, broadcasts, ledger
from webapp.core.broadcasts import already_sent
from webapp.core.broadcasts.already_sent import Overlap
from webapp.core.errors import Conflict
from webapp.core.rules.lifecycle import BroadcastState as S
from webapp.core.rules.lifecycle import DeliveryState as D
from webapp.core.tables.broadcasts import Broadcast, PickKind
from webapp.core.tables.deliveries import Delivery

TODAY = NOW.date()


def sent(session: Session, *, accepted: int = 0, failed: int = 0, pending: int = 0, **columns) -> Broadcast:
    """A broadcast that was frozen to new clients, of whom so many were accepted and so many failed."""
    one = factories.broadcast(session, **{"subject": "News", "html": "<p>Hello</p>"} | columns)
    for _ in range(accepted + failed + pending):
        factories.client(session, country="FR")
    one.audience_filter = {"countries": ["FR"]}
    session.flush()
    broadcasts.schedule(session, one.id, None, NOW)
    broadcasts.start(session, one.id, NOW)
    while not ledger.freeze_chunk(session, one.id, NOW):
        pass
    rows = session.scalars(select(Delivery).where(Delivery.broadcast_id == one.id).order_by(Delivery.id)).all()
    states = [D.ACCEPTED] * accepted + [D.FAILED] * failed
    for row, state in zip(rows, states, strict=False):
        row.state, row.sender_id = D.CLAIMED, 1
        session.flush()
        row.state, row.sender_id = state, None
        ledger.tally.add(session, one.id, 1, {D.PENDING: -1, state: 1})
    session.commit()
    return one


def draft_of(session: Session, subject: str = "News", html: str = "<div>hello</div>", **columns) -> Broadcast:
    draft = factories.broadcast(session, subject=subject, html=html, **columns)
    session.commit()
    return draft


def found(session: Session, draft: Broadcast) -> list[Overlap]:
    return already_sent.find(session, draft, audience.count(session, audience.audience_of(draft), TODAY))


def test_the_same_subject_and_text_is_found_with_how_many_of_these_got_it(session: Session):
    source = sent(session, accepted=3, failed=1, pending=2)
    for _ in range(4):
        factories.client(session)
    (one,) = found(session, draft_of(session))
    assert (one.broadcast_id, one.got, one.to_come, one.same_text) == (source.id, 3, 2, True)


def test_who_is_not_among_the_recipients_of_the_draft_is_not_counted(session: Session):
    sent(session, accepted=3)
    factories.client(session, country="DE")
    assert found(session, draft_of(session, audience_filter={"countries": ["DE"]})) == []


def test_another_text_is_no_repetition_unless_it_is_a_copy(session: Session):
    source = sent(session, accepted=2)
    assert found(session, draft_of(session, html="<p>Good bye</p>")) == []
    copy = broadcasts.duplicate(session, source.id, None, NOW)
    assert [(one.got, one.same_text) for one in found(session, copy)] == [(2, True)]
    broadcasts.edit(session, copy.id, None, {"subject": "News, corrected"}, NOW)
    assert [(one.got, one.same_text) for one in found(session, copy)] == [(2, False)]


def test_one_that_is_scheduled_with_the_same_text_is_said(session: Session):
    for _ in range(3):
        factories.client(session)
    first, second = draft_of(session), draft_of(session)
    assert found(session, second) == []
    broadcasts.schedule(session, first.id, None, NOW)
    (one,) = found(session, second)
    assert (one.broadcast_id, one.to_come, one.is_scheduled) == (first.id, 3, True)
    with pytest.raises(Conflict, match="nobody to leave out"):
        already_sent.leave_out(session, second.id, None, first.id, NOW)


def test_left_out_is_whoever_got_it_or_is_about_to_and_who_failed_gets_it(session: Session):
    source = sent(session, accepted=3, failed=1, pending=2)
    by_hand = session.scalars(select(Delivery.client_id).where(Delivery.state == D.ACCEPTED)).first()
    draft = draft_of(session, audience_filter={"countries": ["FR"]})
    audience.pick(session, draft.id, by_hand, PickKind.ADDED)
    session.commit()
    for _press in range(2):
        already_sent.leave_out(session, draft.id, draft.version, source.id, NOW)
        session.commit()
    assert audience.count(session, audience.audience_of(draft), TODAY).will_receive == 1
    assert found(session, draft) == []
    words = audience.in_words(session, audience.audience_of(draft).filter)
    assert words.startswith("Clients in France. Left out is whoever got “") and words.endswith("or is about to.")
    broadcasts.schedule(session, draft.id, None, NOW)
    broadcasts.start(session, draft.id, NOW)
    while not ledger.freeze_chunk(session, draft.id, NOW):
        pass
    assert ledger.counts(session, draft.id)[D.PENDING] == 1


def test_one_that_was_sent_to_nobody_is_not_mentioned(session: Session):
    source = sent(session, failed=2)
    assert found(session, draft_of(session)) == [] and source.state is S.SENDING
