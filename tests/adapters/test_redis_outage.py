"""Telling answers that pass from mistakes of ours, by what a real server says; and saying it once."""

import logging

import pytest
from redis import Redis
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError, ResponseError

from tests import redis_troubles
from webapp.adapters import redis_outage


@pytest.mark.parametrize("trouble", redis_troubles.TROUBLES)
def test_what_a_real_server_says_passes_and_is_put_into_words(redis_url: str, trouble: str):
    with redis_troubles.admin(redis_url) as admin, Redis.from_url(redis_url) as redis:
        if trouble == "NOAUTH":
            redis.connection_pool.disconnect()
        with redis_troubles.TROUBLES[trouble](admin):
            found = failure(redis, trouble)
        assert redis_outage.code(found) in (trouble, "READONLY")
        assert redis_outage.passes(found)
        assert redis_outage.PASSING[redis_outage.code(found)] in redis_outage.reason(found)
        assert redis.set("key", "value"), "all is as before"


def failure(redis: Redis, trouble: str) -> RedisError:
    while True:
        try:
            redis.get("key") if trouble == "MASTERDOWN" else redis.set("key", "value")
        except RedisError as error:
            return error


@pytest.mark.parametrize("trouble", ["READONLY", "OOM", "NOPERM"])
@pytest.mark.parametrize("transaction", [True, False])
def test_it_is_known_in_a_pipeline_too(redis_url: str, trouble: str, transaction: bool):
    with redis_troubles.admin(redis_url) as admin, Redis.from_url(redis_url) as redis:
        asked = redis.pipeline(transaction=transaction).get("key").set("key", "value")
        with redis_troubles.TROUBLES[trouble](admin), pytest.raises(RedisError) as caught:
            asked.execute()
        assert redis_outage.code(caught.value) == trouble and redis_outage.passes(caught.value)


def test_what_a_script_may_not_do_is_a_matter_of_rights(redis_url: str):
    with redis_troubles.admin(redis_url) as admin, Redis.from_url(redis_url) as redis:
        admin.execute_command("ACL", "SETUSER", "default", "-set")
        try:
            with pytest.raises(RedisError) as caught:
                redis.eval("return redis.call('set', KEYS[1], '1')", 1, "key")
        finally:
            admin.execute_command("ACL", "SETUSER", "default", "+@all")
    assert redis_outage.code(caught.value) == "NOPERM" and redis_outage.passes(caught.value)


@pytest.mark.parametrize("words", ["WRONGTYPE Operation against a key", "ERR unknown command 'x'", "SyntaxError"])
def test_a_mistake_of_ours_does_not_pass(words: str):
    assert not redis_outage.passes(ResponseError(words))


def test_a_reason_is_said_once_and_so_is_the_end(caplog: pytest.LogCaptureFixture):
    outage = redis_outage.Outage(logging.getLogger("test"), "Somebody waits.")
    outage.well()
    for _ in range(50):
        outage.failed(RedisConnectionError("Connection refused."))
        outage.failed(ResponseError("OOM command not allowed"))
    outage.well()
    outage.well()
    said = [record.getMessage() for record in caplog.records]
    assert len(said) == 3
    assert said[0] == "Redis cannot be used: Connection refused. Somebody waits."
    assert "maxmemory" in said[1] and "again, after" in said[2]
    outage.failed(ResponseError("OOM command not allowed"))
    assert len(caplog.records) == 4, "a new outage is news"
