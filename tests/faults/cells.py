"""11 stages of an SMTP conversation x 8 faults: each cell ends in the exact state that the table foresees; RSET and QUIT change none.

The stages are banner, EHLO, STARTTLS, AUTH, MAIL, RCPT, DATA, body, dot, RSET and QUIT: to a client, a connection that fails before the
banner is a banner that fails. Each cell is played twice (once in the short form), on different databases: the fault happens once, and it
lasts until the relay is well again. Then a paused broadcast is resumed by the button of its page, what waits becomes due, and everybody
who can have a mail has one. Whether the relay can pipeline, and keeps a mail whose dot it left unanswered, is chosen by the seed.
"""

import random
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from datetime import datetime

from flask.testing import FlaskClient
from sqlalchemy import select

from tests import comparison, engine, oracle_log
from tests.certificates import Authority
from tests.faults.cells_table import KINDS, MAILS, OPENING, PER_CONNECTION, SILENCE_S, STAGES, Cell, Row
from tests.faults.places import KINDS as DATABASES
from tests.faults.places import Kind, scene
from tests.faults.rest import PATIENCE_S, is_at_rest, let_time_pass
from tests.faults.result import Result
from tests.faults.side_by_side import side_by_side
from tests.scenes import Scene
from tests.smtp_oracle import Fault, Oracle, Script
from tests.visitors import sign_in
from tests.workers import Worker, wait_until
from webapp.adapters import clock
from webapp.core import broadcasts, relay
from webapp.core.errors import Conflict
from webapp.core.rules.lifecycle import BroadcastState, DeliveryState
from webapp.core.tables.broadcasts import Broadcast
from webapp.core.tables.deliveries import Attempt, Delivery

SIDE_BY_SIDE = 4
ROUGHLY_A_MINUTE = 48, 72
LARGE = "\N{GRINNING FACE}" * 900_000
"""More, as base64, than the sockets of both sides hold: the dot has not left when the fault comes."""


@dataclass
class Stage:
    """What a process plays its cells with."""

    scene: Scene
    oracle: Oracle
    worker: Worker
    visitor: FlaskClient
    well: Script
    kind: Kind


def run(*, short: bool, seed: int) -> Result:
    """11 stages x 8 faults, once and lasting: each ends in the exact state; RSET and QUIT change none."""
    chance = random.Random(f"cells {seed}")
    pairs = [(stage, kind) for stage in STAGES for kind in KINDS]
    cells: dict[Kind, list[Cell]] = {kind: [] for kind in DATABASES}
    for index, (stage, kind) in enumerate(pairs):
        for lasts in (chance.random() < 0.5,) if short else (False, True):
            cell = Cell(stage, kind, lasts, pipelining=chance.random() < 0.5)
            cells[DATABASES[(index + index // len(KINDS) + lasts + seed) % 2]].append(cell)
    halves = SIDE_BY_SIDE // len(DATABASES)
    calls = [(kind, those[part::halves], seed) for kind, those in cells.items() for part in range(halves)]
    total = Result("cells")
    for found in side_by_side(_play, calls, at_a_time=SIDE_BY_SIDE):
        total.join(found)
    deviating = f"{len(total.failures)} not as foreseen" if total.failures else "all as foreseen"
    total.notes.insert(0, f"{len(pairs)} cells in {total.runs} broadcasts, {deviating}")
    return total


def _play(kind: Kind, cells: Sequence[Cell], seed: int) -> Result:
    """All these cells with one worker and one server, one after the other."""
    found = Result("cells")
    chance = random.Random(f"{seed} {kind}")
    with ExitStack() as stack:
        place = stack.enter_context(scene(kind, connections=1))
        place.clients(MAILS)
        authority = Authority(place.folder)
        certificate = authority.server("127.0.0.1")
        well = Script(tls="starttls", certificate=str(certificate), users={"console": "secret"})
        oracle = stack.enter_context(Oracle(place.log, well))
        worker = stack.enter_context(_worker(place, oracle, authority))
        stage = Stage(place, oracle, worker, sign_in(place.app, place.session), well, kind)
        for cell in cells:
            stage.well = replace(well, pipelining=cell.pipelining, keeps_unanswered=chance.random() < 0.5)
            wrong, compared = _run(stage, cell)
            where = f"{cell}, {kind}"
            found.add(
                where,
                mails=MAILS,
                lost=compared.lost,
                duplicates=compared.twice + compared.unknown,
                uncertain=compared.uncertain,
            )
            if wrong:
                found.broken(f"{where}: {'; '.join(wrong)}")
    return found


def _worker(place: Scene, oracle: Oracle, authority: Authority) -> Worker:
    """One that signs in over TLS and does not wait long."""
    seconds = dict.fromkeys(("MAIL_CONNECT_TIMEOUT", "MAIL_COMMAND_TIMEOUT", "MAIL_DOT_TIMEOUT"), str(SILENCE_S))
    account = {"MAIL_USERNAME": "console", "MAIL_PASSWORD": "secret", "MAIL_USE_TLS": "1"}
    ca = {"MAIL_CA_FILE": str(authority.ca_file), "MAIL_PER_CONNECTION": str(PER_CONNECTION)}
    return place.worker(oracle, **seconds, **account, **ca)


def _run(stage: Stage, cell: Cell) -> tuple[list[str], comparison.Comparison]:
    """Play a cell; what is not as foreseen, in words, and how ledger and log compare at the end."""
    place, oracle = stage.scene, stage.oracle
    begins = len(list(oracle_log.events(place.log)))
    content = {"html": "", "text": LARGE} if cell.stage == "body" else {}
    oracle.follow(_script(stage, cell))  # before there is a broadcast, which the next sweep could begin at once
    key = place.broadcast(0, **content)
    try:
        _come_to_rest(stage, key)
        if (cell.stage, cell.kind) == ("body", "stall"):
            oracle.hang_up()  # the sender's end stands behind content that was never read
        oracle.wait_until_quiet(PATIENCE_S)
        wrong = _as_foreseen(stage, cell, key) + _at_the_server(stage, cell, begins)
        oracle.follow(stage.well)
        if place.state(key) is BroadcastState.PAUSED:
            stage.visitor.post(f"/mass-mail/{key}/resume")
        place.do(lambda session: relay.try_now(session, clock.now()))
        place.wake(key)
        wait_until(lambda: _is_over_now(stage, key), PATIENCE_S, "the end with a relay that is well", stage.worker.log)
        oracle.wait_until_quiet(PATIENCE_S)
        wrong += _when_healed(stage, cell, key)
        is_over = True
    except (AssertionError, TimeoutError) as error:
        wrong, is_over = [str(error)], False
        oracle.hang_up()
        with suppress(Conflict):
            place.do(lambda session: broadcasts.cancel(session, key, clock.now()))
    compared = comparison.compare(place.session, key, place.log, is_over=is_over)
    return wrong + compared.wrong, compared


def _script(stage: Stage, cell: Cell) -> Script:
    nth = {"mail": 2, "rcpt": 2, "data": 2, "body": 2, "dot": 2}.get(cell.stage, 1)
    faults = [Fault(cell.stage, cell.kind, nth=None if cell.lasts else nth)]
    if cell.stage == "rset":
        for number in (1, 3) if cell.lasts else (2,):
            faults.append(Fault("rcpt", "5xx", nth=number, reply="550 5.1.1 nobody"))
    return replace(stage.well, faults=tuple(faults))


def _come_to_rest(stage: Stage, key: int) -> None:
    place = stage.scene
    place.wake(key)
    wait_until(lambda: is_at_rest(place, key), PATIENCE_S, "the end of the cell", stage.worker.log)


def _is_over_now(stage: Stage, key: int) -> bool:
    """Whether nothing is open any more; the time of those who wait has passed."""
    place = stage.scene
    if place.state(key) is BroadcastState.SENDING:
        let_time_pass(place, key)
        return False
    return is_at_rest(place, key)


def _as_foreseen(stage: Stage, cell: Cell, key: int) -> list[str]:
    """Where the ledger and the broadcast are not what the table says."""
    session = stage.scene.session
    if cell.waits:
        return _waits(stage, cell, key)
    wrong = []
    for place, (row, wanted) in enumerate(zip(engine.rows(session, key), cell.rows, strict=True), 1):
        attempts = session.scalars(select(Attempt).where(Attempt.delivery_id == row.id).order_by(Attempt.number)).all()
        # What was parked first, and decided with the next mail that was taken, is remembered as it was then.
        decided = row.state in (DeliveryState.DEFERRED, DeliveryState.FAILED)
        tries = tuple(
            (row.state if decided and one.state is DeliveryState.HELD else one.state, one.reply_code, one.stage)
            for one in attempts
        )
        words = row.reply_text if wanted.words is None else _one_of(wanted.words, row.reply_text)
        reason = row.reason
        if row.state is DeliveryState.PENDING and reason is None:
            reason = wanted.reason  # it had been claimed again, and was given back
        state = row.state
        if wanted.state is DeliveryState.DEFERRED and state is DeliveryState.PENDING and _is_over(row):
            state = (
                wanted.state
            )  # on a slow machine, the cell took longer than the minute for which this one was deferred
        have = Row(state, reason, row.reply_code, words, row.stage, tries, row.attempts)
        if have != wanted:
            wrong.append(f"mail {place} is {have} and not {wanted}")
        if state is DeliveryState.DEFERRED and attempts and not _is_due_in_a_minute(row, attempts[-1].ended_at):
            wrong.append(f"mail {place} is due at {row.due_at}, deferred at {attempts[-1].ended_at}")
    broadcast = session.get_one(Broadcast, key, populate_existing=True)
    if broadcast.state is not cell.state or broadcast.probing is not cell.pauses:
        wrong.append(f"the broadcast is {broadcast.state}, probing {broadcast.probing}, and not {cell.state}")
    reason = broadcast.pause_reason or ""
    if cell.pauses is not any(words in reason for words in cell.pause_words):
        wrong.append(f"the reason of the pause is {reason!r}")
    return wrong


def _waits(stage: Stage, cell: Cell, key: int) -> list[str]:
    """Where a broadcast that waits for the relay has lost somebody, or does not say why it waits."""
    session = stage.scene.session
    wrong = []
    if left := set(engine.states(session, key)) - {"pending", "claimed", "held"}:
        wrong.append(f"while it waits for the relay, there are rows that are {sorted(left)}")
    broadcast = session.get_one(Broadcast, key, populate_existing=True)
    health = relay.read(session, f"127.0.0.1:{stage.oracle.port}")
    if broadcast.state is not BroadcastState.SENDING or not health.is_waiting:
        wrong.append(f"the broadcast is {broadcast.state}, the relay {health.state}, and not sending and waiting")
    if not any(words in health.words for words in cell.pause_words):
        wrong.append(f"the reason of the waiting is {health.words!r}")
    return wrong


def _one_of(wanted: tuple[str, ...], text: str | None) -> tuple[str, ...]:
    return wanted if text in wanted else (str(text),)


def _is_over(row: Delivery) -> bool:
    return row.due_at is not None and row.due_at <= clock.now()


def _is_due_in_a_minute(row: Delivery, held_at: datetime) -> bool:
    """Counted from when that was recorded, a moment after it was so."""
    low, high = ROUGHLY_A_MINUTE
    return row.due_at is not None and low <= (row.due_at - held_at).total_seconds() <= high


def _at_the_server(stage: Stage, cell: Cell, begins: int) -> list[str]:
    """Where the server's log says that the fault did not happen as often as foreseen, or that the sender said things out of order."""
    events = list(oracle_log.events(stage.scene.log))[begins:]
    happened = Counter(event["stage"] for event in events if event["event"] == "fault")[cell.stage]
    # A relay that says nothing to a new connection for ten seconds is not there: two time-outs of five may be as long as that.
    least = cell.faults - (cell.kind == "stall" and cell.stage in OPENING)
    as_often = happened >= least if cell.waits else happened == cell.faults
    wrong = [] if as_often else [f"the fault happened {happened} times and not {cell.faults}"]
    strays = {event["command"] for event in events if event["event"] == "protocol"}
    if any(not (cell.stage == "mail" and cell.pipelining and stray.startswith("RCPT")) for stray in strays):
        wrong.append(f"said out of order: {sorted(strays)}")
    return wrong


def _when_healed(stage: Stage, cell: Cell, key: int) -> list[str]:
    place = stage.scene
    letters = {DeliveryState.ACCEPTED: "a", DeliveryState.UNCERTAIN: "u", DeliveryState.FAILED: "f"}
    have = "".join(letters.get(row.state, row.state) for row in engine.rows(place.session, key))
    broadcast = place.session.get_one(Broadcast, key, populate_existing=True)
    if (have, broadcast.state, broadcast.probing) == (cell.healed, cell.healed_state, False):
        return []
    return [f"with a relay that is well, {have} and {broadcast.state}, probing {broadcast.probing}"]
