"""What SQLite itself would do in the place of two parts of `adapters/`, beside them: `PRAGMA data_version` and the watch, asked whether
anybody has committed; SQLite's own busy handler and our queue, for somebody who wants to write beside others who do.

Both ways take turns in every round. Looks are counted in processor time of the thread that looks: that is what a mail costs more.
"""

import multiprocessing
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager, suppress
from multiprocessing.synchronize import Event
from pathlib import Path
from statistics import median

from sqlalchemy import Engine, create_engine
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from tests.benchmarks.figure import Figure
from webapp.adapters import database
from webapp.adapters.watch import DatabaseWatch

ROUNDS, LOOKS, SECONDS = 5, 20_000, 4.0
SHORT_ROUNDS, SHORT_LOOKS, SHORT_SECONDS = 1, 500, 0.3
WRITES_S = 0.02
"""How long each transaction of the busy writer takes: about what a chunk of a freeze does."""

RESTS_S = 0.05
BY_VERSION, WAIT = 5.0, 0.1


def run(*, short: bool) -> Iterable[Figure]:
    with tempfile.TemporaryDirectory(prefix="mm-") as name:
        path = Path(name) / "one.sqlite3"
        engine = _engine(path)
        with engine.begin() as connection:
            connection.exec_driver_sql("CREATE TABLE broadcast (id INTEGER PRIMARY KEY, state TEXT)")
            connection.exec_driver_sql("INSERT INTO broadcast VALUES (1, 'sending')")
            connection.exec_driver_sql("CREATE TABLE audience_stamp (block INTEGER, writer INTEGER, stamp INTEGER)")
        yield _looking(engine, short)
        engine.dispose()
        yield _waiting(path, short)


def _looking(engine: Engine, short: bool) -> Figure:
    looks = SHORT_LOOKS if short else LOOKS
    watch = DatabaseWatch(engine, 1)
    cursor = engine.raw_connection().cursor()
    ways: dict[str, Callable[[], object]] = {
        "the watch": watch.is_sending,
        "data_version": lambda: cursor.execute("PRAGMA data_version").fetchone(),
        "the state itself": lambda: cursor.execute("SELECT state FROM broadcast WHERE id = ?", (1,)).fetchone(),
    }
    took: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(SHORT_ROUNDS if short else ROUNDS):
        for name, look in ways.items():
            took[name].append(_seconds(look, looks) / looks * 1e6)
    watch.close()
    print("  " + "; ".join(f"{name} {median(each):.2f}" for name, each in took.items()) + " µs CPU a look")
    ratios = [other / ours for ours, other in zip(took["the watch"], took["data_version"], strict=True)]
    return Figure.of("SQLite: a look by data_version beside the watch's", ratios, "x", BY_VERSION, bound="at least")


def _seconds(look: Callable[[], object], times: int) -> float:
    began = time.thread_time()
    for _ in range(times):
        look()
    return time.thread_time() - began


Transaction = Callable[[Engine], AbstractContextManager[None]]


@contextmanager
def _in_the_queue(engine: Engine) -> Iterator[None]:
    with Session(engine) as session:
        database.will_write(session)
        yield
        session.commit()


@contextmanager
def _by_the_busy_handler(engine: Engine) -> Iterator[None]:
    with closing(engine.raw_connection()) as connection:
        cursor = connection.cursor()
        cursor.execute("BEGIN IMMEDIATE")
        yield
        cursor.execute("COMMIT")


def _waiting(path: Path, short: bool) -> Figure:
    seconds = SHORT_SECONDS if short else SECONDS
    ways: dict[str, Transaction] = {"the queue": _in_the_queue, "the busy handler": _by_the_busy_handler}
    longest: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(SHORT_ROUNDS if short else ROUNDS):
        for name, transaction in ways.items():
            longest[name].append(_longest_wait(path, transaction, seconds))
    print("  " + "; ".join(f"{name} {median(each):.0f}" for name, each in longest.items()) + " ms, the longest wait")
    ratios = [ours / other for ours, other in zip(*longest.values(), strict=True)]
    return Figure.of("SQLite: the longest wait in the queue, beside without", ratios, "x", WAIT, bound="at most")


def _longest_wait(path: Path, transaction: Transaction, seconds: float) -> float:
    """The longest wait of somebody who writes now and then beside one who writes all the time, in milliseconds; also of one that was in
    vain, because the database stayed locked for as long as anybody has patience."""
    fork = multiprocessing.get_context("fork")
    is_writing, is_over = fork.Event(), fork.Event()
    writer = fork.Process(target=_write, args=(path, transaction, is_writing, is_over))
    writer.start()
    try:
        is_writing.wait()
        return max(_waits(path, transaction, seconds)) * 1000
    finally:
        is_over.set()
        writer.join()


def _write(path: Path, transaction: Transaction, is_writing: Event, is_over: Event) -> None:
    engine = _engine(path)
    while not is_over.is_set():
        with transaction(engine):
            is_writing.set()
            time.sleep(WRITES_S)


def _waits(path: Path, transaction: Transaction, seconds: float) -> Iterator[float]:
    engine = _engine(path)
    end = time.monotonic() + seconds
    while (began := time.monotonic()) < end:
        took = None
        with suppress(sqlite3.OperationalError, OperationalError), transaction(engine):
            took = time.monotonic() - began
        yield took or time.monotonic() - began
        time.sleep(RESTS_S)
    engine.dispose()


def _engine(path: Path) -> Engine:
    engine = create_engine(f"sqlite:///{path}")
    database.tune(engine)
    return engine
