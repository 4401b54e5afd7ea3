"""What it costs that mails can be declined: a token and a mail's own links in processor time, beside the same mail without them; and one
clicks while a broadcast is sent as fast as it can be, from the request to its answer."""

import threading
import time
from collections.abc import Iterable
from itertools import count
from statistics import quantiles

from sqlalchemy.orm import Session

from tests.benchmarks import render
from tests.benchmarks.broadcasting import House
from tests.benchmarks.console import CONNECTIONS, accepted
from tests.benchmarks.figure import Figure
from tests.benchmarks.filled import KINDS
from tests.benchmarks.memory import big_house
from tests.workers import wait_until
from webapp.adapters import clock, database, wakeups
from webapp.core import broadcasts
from webapp.core.consent import tokens
from webapp.core.consent.tokens import TokenPurpose, Tokens
from webapp.core.rules.consent import Purpose
from webapp.core.rules.lifecycle import BroadcastState
from webapp.core.rules.message import Frame, MessageParts, compile_message
from webapp.core.rules.statuses import MessageType
from webapp.core.tables.broadcasts import Broadcast
from webapp.core.tables.deliveries import delivery_id

CLIENTS, SHORT_CLIENTS = 200_000, 5_000
ROUNDS, CLICKS, AT_A_TIME = 5, 200, 4
TOKENS = 200_000


def run(*, short: bool) -> Iterable[Figure]:
    yield Figure.of("a token", _tokens(short), "µs CPU", 1.0, bound="at most")
    added = _added(short)
    yield Figure.of("a mail's own links and fields, beside none", added, "µs CPU/mail", 4.0, bound="at most")
    clients = SHORT_CLIENTS if short else CLIENTS
    for kind in KINDS:
        with big_house(kind, clients) as (house, port):
            p95 = [quantiles(times, n=20)[-1] for times in _clicks(house, port, 1 if short else ROUNDS)]
        yield Figure.of(f"one click, {kind}: while sending, p95", p95, "ms", 200.0, bound="at most")


def _tokens(short: bool) -> list[float]:
    made, many = Tokens(1, "secret", TokenPurpose.UNSUBSCRIBE), TOKENS // 20 if short else TOKENS
    found = []
    for number in range(ROUNDS):
        first = delivery_id(17 + number, 1)
        begin = time.process_time_ns()
        for one in range(first, first + many):
            made.of(one)
        found.append((time.process_time_ns() - begin) / many / 1000)
    return found


def _added(short: bool) -> list[float]:
    """Microseconds by which a mail takes longer that has a token in its head, and a link with words in each part."""
    parts = render.parts(render.PARAGRAPH, 10_000)
    link = '<p><a href="{}">No more</a></p>'
    plain = compile_message(
        MessageParts(parts.subject, parts.html + link.format("https://x.example/no-more")), render.ENVELOPE
    )
    frame = Frame("https://mail.example.com", is_marketing=True, list_name="topic-1", broadcast_id=17)
    own = compile_message(
        MessageParts(parts.subject, parts.html + link.format("{{ unsubscribe_url }}")), render.ENVELOPE, frame
    )
    names, many = count(), render.SHORT_MAILS if short else render.MAILS
    made = Tokens(1, "secret", TokenPurpose.UNSUBSCRIBE)
    found = []
    for _ in range(render.ROUNDS):
        mails = render.rows(render.COMMON, plain.tags, names, many)
        assert plain.tags == own.tags
        without = render.microseconds(plain, mails)
        begin = time.process_time_ns()
        for number, values in enumerate(mails):
            own.render(values, render.stamp(number)._replace(unsubscribe_token=made.of(number)))
        with_links = (time.process_time_ns() - begin) / many / 1000
        begin = time.process_time_ns()
        for number in range(many):
            render.stamp(number)._replace(unsubscribe_token="")
        found.append(with_links - without - (time.process_time_ns() - begin) / many / 1000)
    return found


def _clicks(house: House, port: int, rounds: int) -> list[list[float]]:
    """Milliseconds of one clicks, round by round, while a broadcast is sent."""
    with house.worker(port, CONNECTIONS) as worker:
        wait_until(lambda: house.is_quiet([worker]), 60, "the worker is idle", worker.log)
        with Session(house.engine) as session:
            session.connection().exec_driver_sql("UPDATE client SET marketing_opt_in = TRUE")
            session.commit()
        key = house.frozen_broadcast(message_type=MessageType.GENERAL, purpose=Purpose.MARKETING)
        with Session(house.engine) as session:
            broadcast = session.get_one(Broadcast, key)
            assert broadcast.started_at is not None
            made = tokens.key_of(session, broadcast.started_at)
            own = Tokens(made.id, made.secret, TokenPurpose.UNSUBSCRIBE)
        with house.app.app_context():
            wakeups.wake(key)
        wait_until(lambda: accepted(house, key) > 0, 60, "mails are sent", worker.log)
        found: list[list[float]] = []
        first = delivery_id(key, 1)
        for number in range(rounds):
            times = _at_a_time(house, [own.of(first + number * CLICKS + place) for place in range(CLICKS)])
            if found and accepted(house, key, BroadcastState.SENDING) == 0:
                break
            found.append(times)
        with house.app.app_context(), Session(house.engine) as session:
            database.will_write(session)
            if broadcasts.get(session, key).state is BroadcastState.SENDING:
                broadcasts.cancel(session, key, clock.now())
            session.commit()
        return found


def _at_a_time(house: House, wanted: list[str]) -> list[float]:
    times: list[float] = []

    def click(mine: list[str]) -> None:
        browser = house.app.test_client()
        for token in mine:
            begin = time.perf_counter()
            answer = browser.post(f"/unsubscribe/{token}", data={"List-Unsubscribe": "One-Click"})
            times.append((time.perf_counter() - begin) * 1000)
            assert answer.status_code == 200

    hands = [threading.Thread(target=click, args=(wanted[place::AT_A_TIME],)) for place in range(AT_A_TIME)]
    for hand in hands:
        hand.start()
    for hand in hands:
        hand.join()
    return times
