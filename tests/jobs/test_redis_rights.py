"""The rights that docs/operating.md asks for are enough for web side, worker and scheduler, and none of them is refused anything."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from redis import Redis
from redis.exceptions import NoPermissionError

from tests.faults.places import Place, scene
from tests.redis_troubles import admin
from tests.smtp_oracle import Script
from webapp.adapters import clock, wakeups
from webapp.core.rules.lifecycle import BroadcastState

USER, PASSWORD = "massmail", "only-for-tests"
RIGHTS = (
    *("~rq:*", "~{prefix}massmail:*", "&rq:pubsub:*"),
    *("-@all", "+@read", "+@write", "+@transaction", "+@scripting", "+@pubsub", "+@connection", "-@dangerous", "+info"),
)
"""As docs/operating.md has them. `info`: RQ asks for the server's version."""


@pytest.fixture
def place() -> Iterator[Place]:
    with scene("sqlite") as place:
        yield place


def test_a_broadcast_is_started_paced_paused_and_sent_under_these_rights_alone(place: Place):
    prefix = "north:"
    with admin(place.redis_url) as redis:
        rights = (word.format(prefix=prefix) for word in RIGHTS)
        redis.execute_command("ACL", "SETUSER", USER, "on", f">{PASSWORD}", *rights)
        redis.execute_command("ACL", "SETUSER", "default", "off")
        redis.execute_command("ACL", "LOG", "RESET")
        place.app.config["REDIS_PREFIX"] = prefix
        place.redis_url = place.app.config["REDIS_URL"] = place.redis_url.replace(
            "unix://", f"unix://{USER}:{PASSWORD}@"
        )
        paced = place.broadcast(30, batch_size=20, interval_s=7)
        later = place.broadcast(0)
        with (
            place.relay(Script(latency=0.01)) as relay,
            place.workers(relay, 2, MASSMAIL_REDIS_PREFIX=prefix) as crew,
        ):
            with place.app.app_context():
                for seconds in (60, 3):  # the second takes the place of the first
                    assert wakeups.wake(later, at=clock.now() + timedelta(seconds=seconds))
                # What fails is moved and kept by RQ.
                assert wakeups.queue().enqueue_call("jobs.none.none", (), timeout=-1, failure_ttl=60)
            place.wake(paced)
            for key in (paced, later):
                place.wait_for_state(key, BroadcastState.FINISHED)
            for worker in crew:
                worker.process.terminate()
            assert [worker.process.wait(20) for worker in crew] == [0, 0]
        refused = redis.execute_command("ACL", "LOG")
        assert not refused, refused
        for worker in crew:
            log = worker.log.read_text()
            assert "NOPERM" not in log and "not supported" not in log


def test_these_rights_do_not_reach_what_is_others(place: Place):
    with admin(place.redis_url) as redis:
        rights = (word.format(prefix="") for word in RIGHTS)
        redis.execute_command("ACL", "SETUSER", USER, "on", f">{PASSWORD}", *rights)
        with Redis.from_url(place.redis_url, username=USER, password=PASSWORD) as theirs:
            for forbidden in (
                ("GET", "somebody"),
                ("FLUSHALL",),
                ("KEYS", "*"),
                ("CONFIG", "GET", "dir"),
                ("SUBSCRIBE", "x"),
            ):
                with pytest.raises(NoPermissionError):
                    theirs.execute_command(*forbidden)
