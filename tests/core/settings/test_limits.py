"""Two administrators who set the limits above all broadcasts: neither goes over what the other has set without having seen it."""

import threading

import pytest
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.orm import Session

from tests.workers import wait_until
from webapp.core.errors import Conflict
from webapp.core.rules.limits import NO_LIMITS, Limits
from webapp.core.rules.pacing import Retries
from webapp.core.settings import limits

FIRST, SECOND = Limits(per_second=1), Limits(per_second=2)


def test_only_limits_that_were_seen_are_gone_over(session: Session):
    limits.save(session, FIRST, seen=limits.digest(NO_LIMITS))
    session.commit()
    with pytest.raises(Conflict, match="Somebody else has set other limits"):
        limits.save(session, SECOND, seen=limits.digest(NO_LIMITS))
    session.rollback()
    assert limits.read(session) == FIRST
    limits.save(session, SECOND, seen=limits.digest(FIRST))
    session.commit()
    assert limits.read(session) == SECOND


def test_the_digest_tells_every_limit_and_no_way_of_writing(session: Session):
    told = {
        limits.digest(one)
        for one in (
            NO_LIMITS,
            FIRST,
            Limits(per_day=1),
            Limits(connections=1),
            Limits(retries=Retries((1,))),
            Limits(retries=Retries(spread=0.3)),
        )
    }
    assert len(told) == 6
    wanted = Limits(retries=Retries((2, 30.0), 0.1))
    limits.save(session, wanted)
    session.commit()
    assert (
        limits.digest(limits.read(session))
        == limits.digest(wanted)
        == limits.digest(Limits(retries=Retries((2.0, 30), 0.1)))
    )


@pytest.mark.parametrize("before", [None, NO_LIMITS], ids=["a new installation", "limits that were set before"])
def test_of_two_at_the_same_instant_the_second_is_refused(postgresql_url: str, before: Limits | None):
    where = create_engine(postgresql_url)
    refused: list[Exception] = []

    def second() -> None:
        with Session(where) as session, pytest.raises(Conflict) as raised:
            limits.save(session, SECOND, seen=limits.digest(NO_LIMITS))
        refused.append(raised.value)

    with Session(where) as session:
        if before:
            limits.save(session, before)
            session.commit()
        limits.save(session, FIRST, seen=limits.digest(NO_LIMITS))
        thread = threading.Thread(target=second)
        thread.start()
        wait_until(lambda: is_somebody_blocked(where), 60, "the second waits for the first")
        session.commit()
        thread.join()
        assert limits.read(session) == FIRST
    where.dispose()
    assert len(refused) == 1


def is_somebody_blocked(where: Engine) -> bool:
    with where.connect() as connection:
        return bool(connection.scalar(text("SELECT count(*) FROM pg_locks WHERE NOT granted")))
