"""The live count and the numbers behind the choices, at 1,000,000 clients and 2,000,000 services, with and without service conditions."""

import random
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import quantiles

import flask_migrate
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from tests import postgres
from tests.benchmarks.audience_data import COUNTRIES, LANGUAGES, TODAY, fill
from tests.benchmarks.figure import Figure
from tests.databases import make_app
from webapp.core import audience
from webapp.core.audience import Audience, AudienceFilter
from webapp.core.rules.statuses import ClientStatus, HoldingStatus, MessageType
from webapp.demo import children
from webapp.extensions import db

CLIENTS, SHORT_CLIENTS = 1_000_000, 20_000
ROUNDS, FILTERS = 5, 60


def run(*, short: bool) -> Iterable[Figure]:
    """95th percentiles of one question in a new session, over filters chosen at random; and the first question of a process."""
    clients = SHORT_CLIENTS if short else CLIENTS
    for kind, engine in _databases(clients):
        began = time.perf_counter()
        _ask(engine, Audience(AudienceFilter(MessageType.GENERAL)), _count)
        cold = time.perf_counter() - began
        yield Figure(f"audience, {kind}: first count of a process", cold, cold, cold, "s", 15, at_most=True)
        for name, message_type in (("count", MessageType.GENERAL), ("count with services", MessageType.SERVICES)):
            rounds = _percentiles(engine, message_type, _count)
            yield Figure.of(f"audience, {kind}: live {name}, p95", rounds, "ms", 150, bound="at most")
        rounds = _percentiles(engine, MessageType.SERVICES, _choices)
        yield Figure.of(f"audience, {kind}: numbers of all choices, p95", rounds, "ms", 300, bound="at most")
        rounds = _percentiles(engine, MessageType.SERVICES, _page)
        yield Figure.of(f"audience, {kind}: a page of the list, p95", rounds, "ms", 300, bound="at most")


def _count(session: Session, of: Audience) -> None:
    audience.count(session, of, TODAY)


def _choices(session: Session, of: Audience) -> None:
    audience.choices(session, of.filter)


def _page(session: Session, of: Audience) -> None:
    audience.listing(session, of, TODAY, offset=5000)


def _percentiles(
    engine: Engine, message_type: MessageType, question: Callable[[Session, Audience], None]
) -> list[float]:
    chance = random.Random(7)
    return [
        quantiles((_ask(engine, _any_audience(chance, message_type), question) for _ in range(FILTERS)), n=20)[-1]
        for _ in range(ROUNDS)
    ]


def _ask(engine: Engine, of: Audience, question: Callable[[Session, Audience], None]) -> float:
    """Milliseconds."""
    began = time.perf_counter()
    with Session(engine) as session:
        question(session, of)
    return (time.perf_counter() - began) * 1000


def _any_audience(chance: random.Random, message_type: MessageType) -> Audience:
    def some(values: Iterable, odds: float = 0.5) -> tuple:
        return tuple(chance.sample(tuple(values), chance.randint(1, 4))) if chance.random() < odds else ()

    return Audience(
        AudienceFilter(
            message_type,
            countries=some(COUNTRIES),
            languages=some(LANGUAGES, 0.3),
            client_statuses=some(ClientStatus),
            products=some(range(1, 13)),
            service_statuses=some(HoldingStatus),
        ),
        broadcast_id=1,
    )


def _databases(clients: int) -> Iterator[tuple[str, Engine]]:
    """A filled database of each kind, one after the other."""
    with tempfile.TemporaryDirectory(prefix="mm-") as name:
        folder = Path(name)
        folder.chmod(0o711)
        with _filled(f"sqlite:///{folder / 'audience.sqlite3'}", folder, clients) as engine:
            yield "SQLite", engine
        (folder / "pg").mkdir()
        server = postgres.start(folder / "pg")
        try:
            with _filled(postgres.url(folder / "pg", "postgres"), folder, clients) as engine:
                with engine.connect() as connection:
                    connection.execution_options(isolation_level="AUTOCOMMIT").execute(text("VACUUM ANALYZE"))
                yield "PostgreSQL", engine
        finally:
            children.stop(server)


@contextmanager
def _filled(url: str, folder: Path, clients: int) -> Iterator[Engine]:
    app = make_app(url, folder)
    with app.app_context():
        flask_migrate.upgrade()
        with Session(db.engine) as session:
            fill(session, clients)
        yield db.engine
        db.engine.dispose()
