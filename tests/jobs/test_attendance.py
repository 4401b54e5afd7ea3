"""Real workers: known while they live, of no work that they cannot do, and ready by themselves when what was wrong is mended."""

import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from rq.serializers import JSONSerializer
from sqlalchemy import select
from sqlalchemy.orm import Session

from jobs import readiness
from jobs.presence import doing
from tests.adapters.test_schema import head, stamp
from tests.engine import engine_of
from tests.faults.places import Place, scene
from tests.run import bare_environ
from tests.smtp_oracle import Script
from tests.workers import Worker, wait_until
from webapp.adapters import clock, wakeups
from webapp.core.domains import keys
from webapp.core.domains.sealing import Seal
from webapp.core.rules.lifecycle import BroadcastState
from webapp.core.sending import workers
from webapp.core.tables.workers import KnownWorker
from webapp.paths import ROOT, VERSION


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest) -> Iterator[Place]:
    with scene(request.param) as place:
        yield place


@pytest.fixture
def sqlite_place() -> Iterator[Place]:
    with scene("sqlite") as place:
        yield place


def known(place: Place) -> list[KnownWorker]:
    place.session.rollback()
    query = select(KnownWorker).order_by(KnownWorker.started_at).execution_options(populate_existing=True)
    return list(place.session.scalars(query))


@contextmanager
def launched(worker: Worker) -> Iterator[Worker]:
    """A worker that is not expected to listen yet."""
    with ExitStack() as stack:
        worker.launch()
        stack.push(worker)
        yield worker


def mend(place: Place) -> None:
    stamp(engine_of(place.app), head())


def test_a_worker_is_known_by_what_it_does_until_it_ends(place: Place):
    key = place.broadcast(40)
    with place.relay(Script(latency=0.4)) as relay, place.worker(relay) as worker:
        wait_until(lambda: bool(known(place)), 30, "the worker is known", worker.log)
        place.wake(key)
        wait_until(lambda: known(place)[0].doing == f"sends mass mail {key}", 30, "what it does is known", worker.log)
        (row,) = known(place)
        assert (row.pid, row.version, row.queues) == (worker.process.pid, VERSION, [wakeups.QUEUE])
        place.wait_for_state(key, BroadcastState.FINISHED)
        wait_until(lambda: known(place)[0].doing == workers.WAITS, 30, "it waits again", worker.log)
        assert known(place)[0].seen_at > row.started_at
        worker.process.send_signal(signal.SIGTERM)
        worker.process.wait(20)
        assert known(place)[0].ended_at is not None


def test_a_worker_that_is_killed_has_not_said_that_it_ends(sqlite_place: Place):
    with sqlite_place.relay() as relay, sqlite_place.worker(relay) as worker:
        wait_until(lambda: bool(known(sqlite_place)), 30, "the worker is known", worker.log)
        worker.kill_all()
        (row,) = known(sqlite_place)
        assert row.ended_at is None


@pytest.mark.parametrize(("revision", "words"), [("0001", "db upgrade"), ("9999", "older than its database")])
def test_a_worker_takes_no_job_until_the_tables_are_right(sqlite_place: Place, revision: str, words: str):
    place = sqlite_place
    key = place.broadcast(3)
    stamp(engine_of(place.app), revision)
    with place.relay() as relay, launched(place.worker(relay)) as worker:
        place.wake(key)
        wait_until(lambda: words in worker.log.read_text(), 60, "it says what is wrong", worker.log)
        assert not worker.is_listening() and place.arrived() == 0
        mend(place)
        place.wait_for_state(key, BroadcastState.FINISHED)
        assert worker.log.read_text().count(words) == 1


def test_a_worker_with_another_secret_takes_no_job_so_that_nothing_leaves_unsigned(sqlite_place: Place):
    place = sqlite_place
    key = place.broadcast(3)
    with Session(engine_of(place.app)) as session:
        keys.make(session, "example.com", Seal("of the console"), clock.now())
        session.commit()
    with place.relay() as relay, launched(place.worker(relay, SECRET_KEY="another")) as worker:
        place.wake(key)
        wait_until(lambda: "SECRET_KEY is not the one of the console" in worker.log.read_text(), 60, "why", worker.log)
        assert not worker.is_listening() and place.arrived() == 0
        with Session(engine_of(place.app)) as session:
            keys.withdraw(session, "example.com")
            session.commit()
        place.wait_for_state(key, BroadcastState.FINISHED)
        assert worker.log.read_text().count("SECRET_KEY") == 1


def test_a_worker_whose_database_is_upgraded_under_it_gives_its_job_back(sqlite_place: Place):
    place = sqlite_place
    with place.relay() as relay, place.worker(relay) as worker:
        stamp(engine_of(place.app), "9999")
        key = place.broadcast(3)
        place.wake(key)
        wait_until(lambda: "takes no job" in worker.log.read_text(), 60, "it says what is wrong", worker.log)
        with place.app.app_context():
            waiting = wakeups.queue()
            assert waiting.count >= 1
            assert wakeups.connection().llen(waiting.intermediate_queue_key) == 0
        worker.process.send_signal(signal.SIGTERM)
        assert worker.process.wait(20) == 0
        assert place.arrived() == 0
        mend(place)
        worker.start()
        place.wait_for_state(key, BroadcastState.FINISHED)


def test_a_worker_without_its_database_waits_for_it(sqlite_place: Place):
    place = sqlite_place
    path = Path(str(place.app.config["SQLALCHEMY_DATABASE_URI"]).removeprefix("sqlite:///"))
    later = place.folder / "later" / "massmail.sqlite3"
    with place.relay() as relay, launched(place.worker(relay, DATABASE_URL=f"sqlite:///{later}")) as worker:
        wait_until(lambda: readiness.AWAY in worker.log.read_text(), 60, "it says what is wrong", worker.log)
        assert "Traceback" not in worker.log.read_text() and not worker.is_listening()
        later.parent.mkdir()
        engine_of(place.app).dispose()
        shutil.copy(path, later.with_suffix(".new"))
        later.with_suffix(".new").rename(later)
        wait_until(worker.is_listening, 30, "it listens", worker.log)


def run_worker(place: Place, *arguments: str) -> subprocess.CompletedProcess[str]:
    environ = bare_environ(
        RQ_CONFIG="jobs.worker",
        MASSMAIL_INSTANCE=str(place.app.config["INSTANCE"]),
        DATABASE_URL=str(place.app.config["SQLALCHEMY_DATABASE_URI"]),
        REDIS_URL=place.redis_url,
        SECRET_KEY="another one",
    )
    command = [sys.executable, "-m", "rq.cli", "worker", *arguments]
    return subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, timeout=90)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("default",), "would listen to default, and the work is in massmail"),
        (("massmail", "other"), "would listen to massmail, other"),
        (("--serializer", "pickle"), "name no serializer"),
    ],
)
def test_a_worker_that_cannot_do_the_work_says_so_in_one_line_and_ends(
    sqlite_place: Place, arguments: tuple[str, ...], words: str
):
    ended = run_worker(sqlite_place, *arguments)
    assert ended.returncode == 2
    assert re.fullmatch(rf".*{words}.* Start RQ_CONFIG=jobs\.worker rq worker\n", ended.stderr), ended.stderr
    assert known(sqlite_place) == []


def test_a_worker_of_another_program_on_our_queue_is_told_from_ours(sqlite_place: Place):
    place = sqlite_place
    environ = bare_environ()
    command = [sys.executable, "-m", "rq.cli", "worker", "--url", place.redis_url, "default"]
    with subprocess.Popen(command, cwd=place.folder, env=environ, stderr=subprocess.DEVNULL) as process:
        try:
            with place.app.app_context():
                wait_until(lambda: bool(wakeups.strangers()), 30, "the stranger is seen")
                (stranger,) = wakeups.strangers()
            assert (stranger.pid, stranger.queues) == (process.pid, ("default",))
        finally:
            process.kill()  # it is no program of ours, and while it starts it may not heed a request


def test_the_refusal_knows_what_is_right():
    assert readiness.refusal([wakeups.QUEUE], JSONSerializer, wakeups.QUEUE) is None


@pytest.mark.parametrize(
    ("function", "arguments", "words"),
    [
        ("jobs.send_batch.send_batch", (17,), "sends mass mail 17"),
        ("jobs.run_import.run_import", (5, "check"), "checks import 5"),
        ("jobs.run_import.run_import", (5, "run"), "takes over import 5"),
        ("jobs.import_list.import_list", (5, "check"), "looks through list 5 of suppressions"),
        ("jobs.import_list.import_list", (5, "run"), "takes over list 5 of suppressions"),
        ("jobs.sweep.sweep", (), "looks for what is due"),
        ("jobs.tell_people.tell_people", (1,), "runs tell people"),
    ],
)
def test_what_a_worker_does_is_told_in_words(function: str, arguments: tuple, words: str):
    assert doing(function, arguments) == words
