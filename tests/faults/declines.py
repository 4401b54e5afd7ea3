"""Whoever declined and was told so gets no mail whose content began after that: two senders, one click after the other, at any moment.

The mailers hold several mails that are taken and not begun, as connections do that wait for an answer; the clicks go to the very page, and
chance chooses whose they are and when. A content began when its sender was asked whether it may, and said yes.
"""

import random
import selectors
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from tests import engine
from tests.core.consent.consent_world import marketing, token_of
from tests.databases import make_app, new_postgresql, new_sqlite
from tests.engine import TAKEN
from tests.faults.result import Result
from webapp.core.ports import Cause, Exchange, Mail, Reply, Stage
from webapp.core.sending import SenderSettings
from webapp.core.tables.consent import Suppression, SuppressionChange
from webapp.extensions import db

SENDERS = 2
WITHDRAWN = Reply(Stage.DATA, None, "", "called back", Cause.WITHDRAWN)
ONE_CLICK = {"List-Unsubscribe": "One-Click"}
INTERLEAVINGS, SHORT = 500, 50
"""On each database."""
AT_A_TIME = 50
"""Clicks in one broadcast, to twice as many clients."""


@dataclass
class Findings:
    """When each content was asked for that began, when each click was answered (both monotonic), and the ledger's states at the end.
    `called_back` counts mails that were taken and did not begin."""

    began: dict[int, float] = field(default_factory=dict)
    answered: dict[int, float] = field(default_factory=dict)
    states: dict[int, str] = field(default_factory=dict)
    called_back: int = 0
    tallied: dict[str, int] = field(default_factory=dict)

    def wrongs(self) -> Iterator[str]:
        """What should not be."""
        for delivery, answered in self.answered.items():
            if self.began.get(delivery, 0.0) > answered:
                late = (self.began[delivery] - answered) * 1000
                yield f"the content of delivery {delivery} began {late:.2f} ms after its recipient had declined"
        for delivery, state in self.states.items():
            right = "accepted" if delivery in self.began else "suppressed" if delivery in self.answered else "accepted"
            if state != right:
                yield f"delivery {delivery} is {state}, and should be {right}"
        if sum(self.tallied.values()) != len(self.states):
            yield f"the tally says {self.tallied}"


class Holding:
    """`ports.Mailer` that takes some mails, lets time pass, and only then begins them."""

    def __init__(self, findings: Findings, chance: random.Random, pause_s: float) -> None:
        self._findings, self._chance, self._pause_s = findings, chance, pause_s

    def run(self, exchange: Exchange) -> None:
        with selectors.DefaultSelector() as selector:
            selector.register(exchange.wake_fileno(), selectors.EVENT_READ)
            while not exchange.finished():
                hand = [mail for _ in range(self._chance.randint(1, 8)) if (mail := exchange.take()) is not None]
                if not hand:
                    selector.select(0.05)
                    exchange.woken()
                for mail in hand:
                    time.sleep(self._chance.random() * self._pause_s)
                    self._begin(exchange, mail)

    def close(self) -> None:
        pass

    def _begin(self, exchange: Exchange, mail: Mail) -> None:
        asked = time.monotonic()
        if exchange.body_starts(mail):
            self._findings.began[mail.delivery_id] = asked
            exchange.settled(mail, TAKEN)
        else:
            self._findings.called_back += 1
            exchange.settled(mail, WITHDRAWN)


def play(app: Flask, folder: Path, clicks: int, seed: int, *, pause_s: float) -> Findings:
    """Send to twice as many clients as there are clicks, with up to `pause_s` between two mails of a sender, and click."""
    chance, findings = random.Random(seed), Findings()
    where = engine.engine_of(app)
    with Session(where) as session:
        broadcast = marketing(session, 2 * clicks)
        key = broadcast.id
        tokens = {row.id: token_of(session, row.id) for row in engine.rows(session, broadcast)}
    senders = [
        threading.Thread(
            target=engine.send,
            args=(where, key, folder, lambda: Holding(findings, random.Random(chance.random()), pause_s)),
            kwargs={"settings": SenderSettings(group=10)},
        )
        for _ in range(SENDERS)
    ]
    for sender in senders:
        sender.start()
    browser = app.test_client()
    for delivery in chance.sample(sorted(tokens), clicks):
        assert browser.post(f"/unsubscribe/{tokens[delivery]}", data=ONE_CLICK).status_code == 200
        findings.answered[delivery] = time.monotonic()
        time.sleep(chance.random() * 0.002)
    for sender in senders:
        sender.join()
    with Session(where) as session:
        findings.states = {row.id: row.state.value for row in engine.rows(session, key)}
        findings.tallied = engine.tallied(session, key)
    return findings


def crowd(app: Flask, clients: int, hands: int) -> list[str]:
    """Everybody clicks twice, all at once, from so many hands. What should not be."""
    where = engine.engine_of(app)
    with Session(where) as session:
        broadcast = marketing(session, clients)
        tokens = [token_of(session, row.id) for row in engine.rows(session, broadcast)]
    codes: list[int] = []

    def click(mine: list[str]) -> None:
        browser = app.test_client()
        codes.extend(browser.post(f"/unsubscribe/{token}", data=ONE_CLICK).status_code for token in mine)

    twice = [*tokens, *tokens]
    all_hands = [threading.Thread(target=click, args=(twice[place::hands],)) for place in range(hands)]
    for hand in all_hands:
        hand.start()
    for hand in all_hands:
        hand.join()
    with Session(where) as session:
        kept = [session.scalar(select(func.count()).select_from(one)) for one in (Suppression, SuppressionChange)]
    wrong = [f"{codes.count(200)} of {len(twice)} clicks were answered 200"] if codes != [200] * len(twice) else []
    return wrong + [f"{kept[0]} suppressions and {kept[1]} changes"] * (kept != [clients, clients])


def run(*, short: bool, seed: int) -> Result:
    """Whoever declined and was told so gets no mail whose content began after that; a thousand clicks at once are all heard."""
    result = Result("declines")
    for kind in ("sqlite", "postgresql"):
        with _app(kind) as (app, _folder):
            for words in crowd(app, 50 if short else 500, 20):
                result.broken(f"{kind}, a crowd: {words}")
        begun = called_back = 0
        for number in range((SHORT if short else INTERLEAVINGS) // AT_A_TIME):
            with _app(kind) as (app, folder):
                found = play(app, folder, AT_A_TIME, seed + number, pause_s=0.15)
            result.add(f"{kind}, round {number}", mails=len(found.states))
            for words in found.wrongs():
                result.broken(f"{kind}, round {number}: {words}")
            begun += len(found.began.keys() & found.answered.keys())
            called_back += found.called_back
        result.notes.append(
            f"{kind}: {begun} had begun when their recipient declined, {called_back} were called back at the last moment"
        )
    return result


@contextmanager
def _app(kind: str) -> Iterator[tuple[Flask, Path]]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if kind == "sqlite":
            yield _made(new_sqlite(folder), folder), folder
        else:
            with new_postgresql(folder) as url:
                app = _made(url, folder)
                yield app, folder
                with app.app_context():
                    db.engine.dispose()


def _made(url: str, folder: Path) -> Flask:
    return make_app(url, folder)
