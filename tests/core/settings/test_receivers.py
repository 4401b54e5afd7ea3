"""Limits by the recipient's domain as they are kept."""

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from webapp.core.errors import Conflict, Invalid
from webapp.core.rules.limits import NO_LIMITS
from webapp.core.rules.receivers import ReceiverLimit
from webapp.core.settings import limits, receivers
from webapp.core.tables.limits import SendingLimits

GOOGLE = ReceiverLimit(("gmail.com",), 20, connections=5)


def test_a_limit_is_added_changed_and_removed(session: Session):
    added = receivers.add(session, GOOGLE)
    session.commit()
    assert limits.read(session).receivers == (added,) and added.id
    wanted = ReceiverLimit(("gmail.com",), 600, 60)
    changed = receivers.change(session, added.id, wanted, seen=receivers.digest(added))
    session.commit()
    assert limits.receivers(session) == (changed,) and changed.id == added.id and changed.mails == 600
    receivers.remove(session, added.id, seen=receivers.digest(changed))
    session.commit()
    assert limits.read(session) == NO_LIMITS


def test_the_first_limit_brings_the_row_whose_lock_all_take(session: Session):
    assert session.scalars(select(SendingLimits.id)).all() == []
    receivers.add(session, GOOGLE)
    session.commit()
    assert session.scalars(select(SendingLimits.id)).all() == [limits.THE_ROW]


def test_a_limit_for_other_domains_is_another_one_and_no_number_is_given_twice(session: Session):
    added = receivers.add(session, GOOGLE)
    wider = ReceiverLimit(("gmail.com", "googlemail.com"), 20, connections=5)
    changed = receivers.change(session, added.id, wider, seen=receivers.digest(added))
    assert changed.id > added.id and limits.receivers(session) == (changed,)
    receivers.remove(session, changed.id, seen=receivers.digest(changed))
    assert receivers.add(session, GOOGLE).id > changed.id


def test_two_limits_for_one_domain_are_refused(session: Session):
    added = receivers.add(session, GOOGLE)
    other = receivers.add(session, ReceiverLimit(("aol.com",), 1))
    with pytest.raises(Invalid):
        receivers.add(session, GOOGLE)
    with pytest.raises(Invalid):
        receivers.change(session, other.id, ReceiverLimit(("gmail.com",), 1), seen=receivers.digest(other))
    assert limits.receivers(session) == (added, other)


def test_what_somebody_else_has_changed_is_not_gone_over(session: Session):
    added = receivers.add(session, GOOGLE)
    seen = receivers.digest(added)
    receivers.change(session, added.id, ReceiverLimit(("gmail.com",), 5), seen=seen)
    for call in (
        lambda: receivers.change(session, added.id, GOOGLE, seen=seen),
        lambda: receivers.remove(session, added.id, seen=seen),
        lambda: receivers.remove(session, 999, seen=seen),
    ):
        with pytest.raises(Conflict):
            call()
