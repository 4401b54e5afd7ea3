"""Workers and the web side on a Redis behind Sentinels, on one behind TLS, and on one that several installs share."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from redis import Redis

from tests import run
from tests.certificates import Authority
from tests.faults.places import Place, scene
from tests.sentinels import Sentinels
from tests.smtp_oracle import Script
from tests.tls_proxy import TlsProxy
from tests.workers import wait_until
from webapp.adapters import redis_link, wakeups
from webapp.core.rules.lifecycle import BroadcastState


@pytest.fixture
def place() -> Iterator[Place]:
    with scene("sqlite") as place:
        yield place


def use(place: Place, url: str) -> None:
    place.redis_url = place.app.config["REDIS_URL"] = url


def test_behind_sentinels_a_worker_follows_to_the_new_primary_idle_and_busy(place: Place):
    keys = [place.broadcast(10), place.broadcast(290)]
    with Sentinels(run.folder() / "sentinels") as sentinels:
        use(place, sentinels.url)
        with place.relay(Script(latency=0.02)) as relay, place.worker(relay) as worker:
            sentinels.kill_primary()
            place.wake(keys[0])  # nobody hears it, and the sweep does it later
            place.wait_for_state(keys[0], BroadcastState.FINISHED)
            sentinels.wait_until_whole()
            place.wake(keys[1])
            place.wait_for_mails(60)
            sentinels.kill_primary()
            place.wait_for_state(keys[1], BroadcastState.FINISHED)
            wait_until(lambda: is_idle(sentinels.url), 30, "the new primary knows the worker", worker.log)
            assert worker.process.poll() is None
    for key in keys:
        states, _ = place.check(key)
        assert set(states) == {"accepted"}
    assert worker.log.read_text().count("Traceback") == 0


def is_idle(url: str) -> bool:
    with redis_link.connect(url) as redis:
        names = redis.smembers(f"rq:workers:{wakeups.QUEUE}")
        return any(redis.hget(name, "state") == b"idle" for name in names)


def test_over_tls_with_an_authority_of_ones_own(place: Place, tmp_path: Path):
    authority = Authority(tmp_path)
    key = place.broadcast(20)
    socket = Path(place.redis_url.removeprefix("unix://"))
    with TlsProxy(authority.server("127.0.0.1"), socket) as proxy:
        plain = f"rediss://127.0.0.1:{proxy.port}/0"
        use(place, plain)
        with place.app.app_context():
            assert not wakeups.wake(key), "nobody has signed for this server"
        use(place, f"{plain}?ssl_ca_certs={authority.ca_file}")
        with place.app.app_context():
            assert wakeups.wake(key)
        use(place, plain)
        with place.relay() as relay, place.worker(relay, REDIS_CA_FILE=str(authority.ca_file)):
            place.wait_for_state(key, BroadcastState.FINISHED)


def test_two_installs_on_one_redis_keep_to_their_own(place: Place):
    """Each has a broadcast of the same number, which a job of the other would take for its own."""
    with scene("sqlite") as other:
        use(other, place.redis_url)
        installs = {"north:": place, "south:": other}
        keys = {}
        for prefix, install in installs.items():
            install.app.config["REDIS_PREFIX"] = prefix
            keys[prefix] = install.broadcast(30)
        assert keys["north:"] == keys["south:"]
        with place.relay() as relay, place.worker(relay, MASSMAIL_REDIS_PREFIX="north:") as worker:
            other.wake(keys["south:"])
            place.wake(keys["north:"])
            place.wait_for_state(keys["north:"], BroadcastState.FINISHED)
            with other.app.app_context():
                assert wakeups.queue().count == 1, "it waits for a worker of the south"
                assert wakeups.counter("sweep")() == 1, "an idle worker of the north is none of theirs"
            assert other.state(keys["south:"]) is BroadcastState.SCHEDULED
            with other.relay() as theirs, other.worker(theirs, MASSMAIL_REDIS_PREFIX="south:"):
                other.wait_for_state(keys["south:"], BroadcastState.FINISHED)
            assert worker.process.poll() is None
        with Redis.from_url(place.redis_url) as redis:
            own = {name.decode() for name in redis.scan_iter("*") if not name.startswith(b"rq:")}
        assert own and all(name.startswith(("north:massmail:", "south:massmail:")) for name in own)
