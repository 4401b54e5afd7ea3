"""100,000 mails with faults by chance: ledger and server agree on every row but the uncertain ones, and at every look the states add up.

On each database some broadcasts go to the same clients at once, alternately with the policies *hold* and *retry*, through two workers with
several connections each, over TLS and signed in, to a relay that does everything wrong now and then, at each stage. Retries come as soon
as a second, as if their time had passed, and whoever finds a broadcast paused presses the button of its page.
"""

import time
from collections import Counter, defaultdict
from dataclasses import dataclass, field

from flask.testing import FlaskClient
from sqlalchemy import func, select

from tests import comparison, engine, oracle_log
from tests.certificates import Authority
from tests.faults.places import KINDS as DATABASES
from tests.faults.places import Kind, scene
from tests.faults.rest import let_time_pass
from tests.faults.result import Result
from tests.faults.sampler import Sampler
from tests.faults.side_by_side import side_by_side
from tests.scenes import Scene
from tests.smtp_oracle import KINDS, Fault, Script
from tests.visitors import sign_in
from tests.workers import wait_until
from webapp.core import ledger
from webapp.core.rules.lifecycle import BroadcastState, DeliveryState
from webapp.core.tables.broadcasts import Broadcast, UncertainPolicy
from webapp.core.tables.deliveries import Attempt, Delivery

OVER = (BroadcastState.FINISHED, BroadcastState.NEEDS_ATTENTION)
POLICIES = (UncertainPolicy.HOLD, UncertainPolicy.RETRY)
BROADCASTS, CLIENTS, FEW_CLIENTS = 5, 10_000, 300
"""On each database."""
FIRST_CHUNK = 100
"""So few clients the freeze of each begins with: it has two chunks at least, also in the short form."""
WORKERS, CONNECTIONS = 2, 8
SILENCE_S = "3"
TEND_S = 1.0
PATIENCE_S = 900
"""On a machine of any speed: while the relay is waited for nobody sends, and how soon the end comes is not judged."""

PER_CONNECTION = dict.fromkeys(("connect", "banner", "ehlo", "starttls", "auth"), 0.002) | {
    "rset": 0.02,
    "quit": 0.02,
}
PER_MAIL = {"mail": 0.0002, "rcpt": 0.0003, "data": 0.0003, "body": 0.0002, "dot": 0.0004}
RECIPIENTS = (
    Fault("rcpt", "say", probability=0.004, reply="550 5.1.1 nobody"),
    Fault("rcpt", "say", probability=0.003, reply="450 4.2.2 full"),
    Fault("dot", "say", probability=0.001, reply="550 5.2.1 disabled"),
    Fault("dot", "slow", probability=0.0005, seconds=0.3),
    Fault("dot", "last", probability=0.001),
)
REFUSED = tuple(fault.reply for fault in RECIPIENTS if fault.reply and fault.reply.startswith("5"))


@dataclass
class Findings:
    """What happened on one database."""

    result: Result = field(default_factory=lambda: Result("chance"))
    clicks: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    looks: int = 0
    collecting: int = 0
    counts: int = 0
    again: int = 0
    doubted: int = 0
    seconds: float = 0.0


def run(*, short: bool, seed: int) -> Result:
    """100,000 mails with faults by chance: ledger and server agree but on uncertain rows; the states add up at every look."""
    clients = FEW_CLIENTS if short else CLIENTS
    total = Result("chance")
    for kind, found in zip(
        DATABASES, side_by_side(_play, [(kind, clients, seed) for kind in DATABASES], at_a_time=2), strict=True
    ):
        total.join(found.result)
        stages = ", ".join(f"{stage} {count}" for stage, count in sorted(found.faults.items()))
        total.notes.append(
            f"{kind}: {found.result.mails:,} mails in {found.seconds:.0f} s, {found.faults.total():,} faults ({stages}), "
            f"{found.clicks} pauses resumed, {found.again} repeats under retry, all flagged, "
            f"{found.doubted} refused for good when the first may have been taken; "
            f"{found.looks:,} looks while it moved, {found.collecting} into a freeze, {found.counts} of all rows"
        )
    return total


def _play(kind: Kind, clients: int, seed: int) -> Findings:
    found = Findings()
    with scene(kind, connections=CONNECTIONS) as place:
        place.clients(clients)
        keys = [place.broadcast(0, html="", text="Hello", uncertain_policy=POLICIES[n % 2]) for n in range(BROADCASTS)]
        visitor = sign_in(place.app, place.session)
        authority = Authority(place.folder)
        account = {"MAIL_USERNAME": "console", "MAIL_PASSWORD": "secret", "MAIL_USE_TLS": "1"}
        account |= {"MAIL_CA_FILE": str(authority.ca_file), "MAIL_PER_CONNECTION": "100"}
        seconds = dict.fromkeys(("MAIL_CONNECT_TIMEOUT", "MAIL_COMMAND_TIMEOUT", "MAIL_DOT_TIMEOUT"), SILENCE_S)
        with place.relay(_script(authority, seed)) as relay, Sampler(engine.engine_of(place.app)) as sampler:
            for key in keys:
                place.wake(key, FIRST_CHUNK)  # before a worker's first sweep asks for the same without it
            with place.workers(relay, WORKERS, **account, **seconds):
                began = time.monotonic()
                try:
                    _tend(place, visitor, keys, found)
                except AssertionError as error:
                    found.result.broken(f"{kind}: {error}")
                found.seconds = time.monotonic() - began
        for words in sampler.wrong[:10]:
            found.result.broken(f"{kind}: {words}")
        found.looks, found.counts = sampler.while_moving, sampler.counts
        found.collecting = sampler.while_collecting
        if not found.collecting and clients > FEW_CLIENTS:
            found.result.broken(f"{kind}: no look fell into a freeze")
        found.faults.update(event["stage"] for event in oracle_log.events(place.log, "fault"))
        for key in keys:
            _judge(place, key, found)
    return found


def _script(authority: Authority, seed: int) -> Script:
    chances = {(stage, kind): chance for stage, chance in (PER_CONNECTION | PER_MAIL).items() for kind in KINDS}
    chances["mail", "5xx"] /= 4  # pauses at once
    faults = [Fault(stage, kind, probability=chance) for (stage, kind), chance in chances.items()]
    certificate = str(authority.server("127.0.0.1"))
    return Script(
        (*faults, *RECIPIENTS), tls="starttls", certificate=certificate, users={"console": "secret"}, seed=seed
    )


def _tend(place: Scene, visitor: FlaskClient, keys: list[int], found: Findings) -> None:
    """Until all broadcasts are over: resume what is paused, and let the time pass for what waits."""
    looked = 0.0

    def is_over() -> bool:
        nonlocal looked
        if time.monotonic() - looked < TEND_S:
            return False
        looked = time.monotonic()
        states = {key: place.state(key) for key in keys}
        for key, state in states.items():
            if state is BroadcastState.PAUSED:
                found.clicks += 1
                visitor.post(f"/mass-mail/{key}/resume")
            elif state is BroadcastState.SENDING:
                let_time_pass(place, key)
                if not ledger.open_senders(place.session, key):
                    place.wake(key)
        return all(state in OVER for state in states.values())

    wait_until(is_over, PATIENCE_S, "the end of all broadcasts", place.last_log())


def _judge(place: Scene, key: int, found: Findings) -> None:
    """Ledger against log, row by row."""
    broadcast = place.session.get_one(Broadcast, key, populate_existing=True)
    compared = comparison.compare(place.session, key, place.log)
    where = f"broadcast {key}, {broadcast.uncertain_policy}, {place.session.get_bind().dialect.name}"
    wrong = list(compared.wrong)
    beyond, again = _repeats(place, broadcast, wrong)
    _refusals(place, key, wrong)
    found.again += again
    found.doubted += compared.doubted
    if broadcast.uncertain_policy is UncertainPolicy.RETRY and compared.uncertain:
        wrong.append(f"{compared.uncertain} rows are uncertain though they were to be sent again")
    if set(compared.states) - {DeliveryState.ACCEPTED, DeliveryState.FAILED, DeliveryState.UNCERTAIN}:
        wrong.append(f"the states at the end are {compared.states}")
    found.result.add(
        where,
        mails=compared.mails,
        lost=compared.lost,
        duplicates=beyond + compared.unknown,
        uncertain=compared.uncertain,
    )
    if wrong:
        found.result.broken(f"{where}: {'; '.join(wrong[:5])} ({len(wrong)} in all)")


def _repeats(place: Scene, broadcast: Broadcast, wrong: list[str]) -> tuple[int, int]:
    """How many mails the server has beyond what the ledger owns up to, and how many were sent again. A row may be there once more for each
    attempt that the ledger calls uncertain and that was followed by another; an accepted one has at least one answer that says so."""
    sender = broadcast.from_address.rpartition("<")[2].rstrip(">")
    held, answered = Counter[str](), set[str]()
    for mail in oracle_log.kept(place.log):
        if mail.mail_from == sender:
            held[mail.recipient] += 1
            if mail.answer is not None and mail.answer.startswith("250"):
                answered.add(mail.recipient)
    doubts = (
        select(Attempt.delivery_id, func.count().label("count"))
        .where(Attempt.state == DeliveryState.UNCERTAIN)
        .group_by(Attempt.delivery_id)
        .subquery()
    )
    rows = place.session.execute(
        select(Delivery.address, Delivery.state, func.coalesce(doubts.c.count, 0))
        .outerjoin(doubts, doubts.c.delivery_id == Delivery.id)
        .where(Delivery.broadcast_id == broadcast.id)
    )
    beyond = again = 0
    for address, state, doubted in rows:
        again += doubted - (state is DeliveryState.UNCERTAIN)
        unexplained = held[str(address)] - doubted - (state is DeliveryState.ACCEPTED)
        if unexplained > 0:
            beyond += unexplained
            wrong.append(f"{address}: the server has {unexplained} mails of which the ledger knows nothing")
        if state is DeliveryState.ACCEPTED and address not in answered:
            wrong.append(f"{address}: accepted, but the server never said so")
    return beyond, again


def _refusals(place: Scene, key: int, wrong: list[str]) -> None:
    """Nobody is marked failed whom the server did not refuse for good, in the words that the ledger has."""
    refused: dict[str, set[str]] = defaultdict(set)
    for event in oracle_log.events(place.log, "fault"):
        said = event["reply"] or ("554 5.3.0 trouble here" if event["kind"] == "5xx" else None)
        if event["recipient"] and (said in REFUSED or event["kind"] == "5xx"):
            refused[event["recipient"]].add(said)
    rows = place.session.execute(
        select(Delivery.address, Delivery.reply_code, Delivery.reply_text).where(
            Delivery.broadcast_id == key, Delivery.state == DeliveryState.FAILED
        )
    )
    for address, code, text in rows:
        if f"{code} {text}" not in refused[str(address)]:
            wrong.append(f"{address}: failed by {code} {text}, which the server did not say")
