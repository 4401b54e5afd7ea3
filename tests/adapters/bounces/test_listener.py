"""The listener for bounces, spoken to by Python's own clients over the loopback."""

import asyncio
import smtplib
import socket
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager

import pytest
from sqlalchemy import create_engine

from tests.adapters.bounces.conftest import BOUNCE, Returns, bounce
from webapp.adapters.bounces.listener import BounceListener
from webapp.adapters.bounces.taking import BounceTaker
from webapp.core.rules.bounces import ReturnPath

OURS = "bounce+k7qtoken@example.com"


@contextmanager
def listening(taker: BounceTaker, *, is_lmtp: bool = True, **limits: int) -> Iterator[int]:
    """The port of a listener in a thread of its own, which ends with the context."""
    place = socket.create_server(("127.0.0.1", 0))
    loop, ready, until = asyncio.new_event_loop(), threading.Event(), asyncio.Event()
    serving = BounceListener(taker, is_lmtp=is_lmtp, **limits).serve(place, until, ready.set)
    thread = threading.Thread(target=loop.run_until_complete, args=(serving,))
    thread.start()
    try:
        assert ready.wait(10)
        yield place.getsockname()[1]
    finally:
        loop.call_soon_threadsafe(until.set)
        thread.join(10)
        place.close()
        loop.close()


def test_it_answers_when_the_bounce_is_in_the_database(returns: Returns):
    with listening(returns.taker) as port, closing(smtplib.LMTP("127.0.0.1", port)) as client:
        client.sendmail("", [OURS], BOUNCE)
        assert returns.recorded() == [returns.one]
        client.sendmail("", ["BOUNCE+K7QTOKEN@EXAMPLE.COM"], bounce(2))
        client.sendmail("", ["bounce@example.com"], bounce(3))
        client.quit()
    assert len(returns.recorded()) == 3


def test_a_mail_that_is_brought_twice_is_one(sqlite_returns: Returns):
    with listening(sqlite_returns.taker, is_lmtp=False) as port, closing(smtplib.SMTP("127.0.0.1", port)) as client:
        for _ in range(2):
            client.sendmail("", [OURS], BOUNCE)
    assert sqlite_returns.recorded() == [sqlite_returns.one]


@pytest.mark.parametrize(
    "address", ["bounce+made-up@example.com", "someone@example.com", "bounce+k7qtoken@example.org"]
)
def test_it_takes_mail_for_our_return_paths_alone(sqlite_returns: Returns, address: str):
    with listening(sqlite_returns.taker) as port, closing(smtplib.LMTP("127.0.0.1", port)) as client:
        client.ehlo_or_helo_if_needed()
        client.mail("")
        assert client.rcpt(address)[0] == 550
    assert sqlite_returns.recorded() == []


def test_a_second_recipient_is_to_come_in_a_mail_of_its_own(sqlite_returns: Returns):
    with listening(sqlite_returns.taker) as port, closing(smtplib.LMTP("127.0.0.1", port)) as client:
        client.ehlo_or_helo_if_needed()
        client.mail("")
        assert client.rcpt(OURS)[0] == 250
        assert client.rcpt("bounce@example.com")[0] == 452


def test_while_the_database_is_away_mails_are_to_come_again(sqlite_returns: Returns):
    away = BounceTaker(
        create_engine("sqlite:////nowhere/at/all.sqlite3"), ReturnPath.of("bounce@example.com"), lambda *_: 1
    )
    with listening(away) as port, closing(smtplib.LMTP("127.0.0.1", port)) as client:
        client.ehlo_or_helo_if_needed()
        client.mail("")
        assert client.rcpt("bounce@example.com")[0] == 250  # which needs no database
        assert client.data(BOUNCE)[0] == 451


def test_a_mail_that_is_too_large_is_refused(sqlite_returns: Returns):
    with listening(sqlite_returns.taker, largest=10_000) as port, closing(smtplib.LMTP("127.0.0.1", port)) as client:
        client.ehlo_or_helo_if_needed()
        client.mail("")
        client.rcpt(OURS)
        assert client.data(BOUNCE + (b"x" * 900 + b"\r\n") * 12)[0] == 552
    assert sqlite_returns.recorded() == []


def test_no_more_connections_than_it_can_serve(sqlite_returns: Returns):
    with listening(sqlite_returns.taker, connections=1) as port, closing(smtplib.LMTP("127.0.0.1", port)) as client:
        with socket.create_connection(("127.0.0.1", port), timeout=10) as second:
            assert second.recv(100).startswith(b"421 ")
        client.sendmail("", [OURS], BOUNCE)
    assert sqlite_returns.recorded() == [sqlite_returns.one]
