"""A step of a draft goes over nobody's change of the same step, and what changes in another step is no conflict."""

from typing import Any

import pytest
from sqlalchemy.orm import Session

from tests import engine, factories
from tests.factories import NOW
from webapp.core import broadcasts
from webapp.core.broadcasts import steps
from webapp.core.broadcasts.steps import Step
from webapp.core.errors import Conflict
from webapp.core.rules.lifecycle import BroadcastState
from webapp.core.rules.statuses import MessageType
from webapp.core.tables.broadcasts import Broadcast

MINE: dict[Step, dict[str, Any]] = {
    Step.AUDIENCE: {"audience_filter": {"countries": ["AT"]}},
    Step.CONTENT: {"subject": "Mine"},
    Step.SCHEDULE: {"batch_size": 9},
}
THEIRS: dict[Step, dict[str, Any]] = {
    Step.AUDIENCE: {"audience_filter": {"countries": ["DE"]}},
    Step.CONTENT: {"html": "<p>Theirs</p>"},
    Step.SCHEDULE: {"interval_s": 60},
}
PAIRS = [(mine, theirs) for mine in Step for theirs in Step if mine is not theirs]


def wanting(values: dict[str, Any]) -> steps.Changes:
    def changes(broadcast: Broadcast) -> dict[str, Any]:
        def stored(name: str) -> Any:
            return getattr(broadcast.content if name in broadcasts.ON_CONTENT else broadcast, name)

        return {name: value for name, value in values.items() if stored(name) != value}

    return changes


def save(
    session: Session, broadcast: Broadcast, step: Step, known: str, lost: dict[str, Any] | None = None
) -> Broadcast:
    wanted = wanting(lost) if lost else None
    return steps.save(session, broadcast.id, step, wanting(MINE[step]), NOW, known={known}, lost=wanted)


@pytest.mark.parametrize("step", Step)
def test_what_somebody_else_changed_in_the_same_step_is_not_gone_over(session: Session, step: Step):
    broadcast = factories.broadcast(session)
    base = steps.digest(broadcast, step)
    broadcasts.edit(session, broadcast.id, None, THEIRS[step], NOW)
    session.commit()
    with pytest.raises(Conflict, match=f"the {step.value} of this mass mail"):
        save(session, broadcast, step, base)
    session.rollback()
    assert wanting(THEIRS[step])(broadcast) == {} and broadcast.version == 2
    assert save(session, broadcast, step, steps.digest(broadcast, step)).version == 3
    assert wanting(MINE[step])(broadcast) == {}


@pytest.mark.parametrize(("step", "other"), PAIRS)
def test_what_changed_in_another_step_is_no_conflict(session: Session, step: Step, other: Step):
    broadcast = factories.broadcast(session)
    base = steps.digest(broadcast, step)
    broadcasts.edit(session, broadcast.id, None, THEIRS[other], NOW)
    session.commit()
    save(session, broadcast, step, base)
    session.commit()
    assert wanting(MINE[step])(broadcast) == wanting(THEIRS[other])(broadcast) == {}


@pytest.mark.parametrize("step", Step)
def test_what_an_unanswered_request_stored_is_the_editors_own_doing(session: Session, step: Step):
    broadcast = factories.broadcast(session)
    base = steps.digest(broadcast, step)
    broadcasts.edit(session, broadcast.id, None, THEIRS[step], NOW)
    with pytest.raises(Conflict):
        save(session, broadcast, step, base, lost=MINE[step])
    assert save(session, broadcast, step, base, lost=THEIRS[step]).version == 3


def test_nothing_to_save_is_no_conflict_and_no_new_version(sqlite_session: Session):
    broadcast = factories.broadcast(sqlite_session, **MINE[Step.SCHEDULE])
    assert save(sqlite_session, broadcast, Step.SCHEDULE, "what another tab has").version == 1


def test_that_somebody_was_at_the_schedule_is_kept_whatever_they_had_seen(sqlite_session: Session):
    broadcast = factories.broadcast(sqlite_session)
    steps.save(sqlite_session, broadcast.id, Step.SCHEDULE, wanting({"schedule_seen": True}), NOW, known=set())
    assert broadcast.schedule_seen


def test_a_step_changes_nothing_of_another(sqlite_session: Session):
    broadcast = factories.broadcast(sqlite_session)
    with pytest.raises(ValueError, match="subject"):
        steps.save(sqlite_session, broadcast.id, Step.SCHEDULE, wanting({"subject": "New"}), NOW, known=set())


@pytest.mark.parametrize("step", Step)
def test_what_is_no_draft_any_more_stays_as_it_was_confirmed(sqlite_session: Session, step: Step):
    broadcast = factories.broadcast(sqlite_session, state=BroadcastState.SCHEDULED)
    with pytest.raises(Conflict, match="press Edit on its page"):
        save(sqlite_session, broadcast, step, steps.digest(broadcast, step))


ON_POSTGRESQL = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
"""On SQLite who saves keeps all others from writing from the start."""


@ON_POSTGRESQL
def test_another_step_saved_in_the_midst_of_this_one_is_no_conflict(session: Session):
    broadcast = factories.broadcast(session)
    session.commit()
    where = session.get_bind()
    base = steps.digest(broadcast, Step.SCHEDULE)  # read in the transaction that is to save
    engine.elsewhere(where, lambda other: broadcasts.edit(other, broadcast.id, None, THEIRS[Step.CONTENT], NOW))
    save(session, broadcast, Step.SCHEDULE, base)
    session.commit()
    assert (broadcast.batch_size, broadcast.content.html, broadcast.version) == (9, "<p>Theirs</p>", 3)


@ON_POSTGRESQL
def test_the_same_step_saved_in_the_midst_of_this_one_is_one(session: Session):
    broadcast = factories.broadcast(session)
    session.commit()
    where = session.get_bind()
    base = steps.digest(broadcast, Step.CONTENT)
    engine.elsewhere(where, lambda other: broadcasts.edit(other, broadcast.id, None, THEIRS[Step.CONTENT], NOW))
    with pytest.raises(Conflict):
        save(session, broadcast, Step.CONTENT, base)


def test_order_and_set_aside_choices_make_no_other_audience(sqlite_session: Session):
    chosen = {"countries": ["DE", "AT"], "products": [3]}
    one = factories.broadcast(sqlite_session, audience_filter=chosen)
    other = factories.broadcast(sqlite_session, audience_filter={"countries": ["AT", "DE"]})
    services = factories.broadcast(sqlite_session, audience_filter=chosen, message_type=MessageType.SERVICES)
    digests = [steps.digest(row, Step.AUDIENCE) for row in (one, other, services)]
    assert digests[0] == digests[1] != digests[2]


def test_a_zone_without_a_time_makes_no_other_schedule(sqlite_session: Session):
    rows = [factories.broadcast(sqlite_session, time_zone=zone) for zone in ("UTC", "Europe/Berlin")]
    assert steps.digest(rows[0], Step.SCHEDULE) == steps.digest(rows[1], Step.SCHEDULE)
