"""Where fault families play: scenes on databases of either kind, each with a Redis that is empty."""

import itertools
import os
import signal
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Literal

from sqlalchemy import create_engine
from sqlalchemy.orm import Session

from tests import pgbouncer, run
from tests.databases import make_app, new_postgresql, new_sqlite
from tests.scenes import Scene
from webapp.core.rules.final_refusals import USUAL, RefusalRule
from webapp.core.tables.consent import ConsentSettings
from webapp.demo import children, valkey
from webapp.extensions import db

Kind = Literal["sqlite", "postgresql"]
KINDS: tuple[Kind, ...] = ("sqlite", "postgresql")
_numbers = itertools.count(1)


class Place(Scene):
    """A scene whose Redis can be killed and started again, and so can the pooler where there is one."""

    pooler: pgbouncer.Bouncer | None = None

    def start_redis(self) -> str:
        """Start it, empty, on the socket it had before if it had one. Returns its URL. From the main thread."""
        self._redis, url = valkey.start(self.folder / "valkey", log=self.folder / "valkey.log", durable=False)
        return url

    def kill_redis(self) -> None:
        """As `kill -9`: all it knew is gone."""
        children.stop(self._redis, sign=signal.SIGKILL, patience=3)


def _keep_addresses(session: Session) -> None:
    """A refusal for good is the end of this one mail: the same clients get many broadcasts here. What it
    suppresses has tests of its own."""
    session.get_one(ConsentSettings, 1).refusal_rules = dict.fromkeys(USUAL, int(RefusalRule.NEVER))
    session.commit()


@contextmanager
def scene(kind: Kind, *, connections: int = 3, pooled: bool = False) -> Iterator[Place]:
    """A scene of its own: a fresh database, a fresh Redis, an empty folder. `pooled`: the app reaches PostgreSQL
    through `place.pooler`, the session of the test does not. Call it between `run.begin` and `run.end`, from the main
    thread. Ends its Redis; workers and relays are the caller's to end."""
    folder = run.folder() / f"scene-{os.getpid()}-{next(_numbers)}"
    folder.mkdir()
    with ExitStack() as stack:
        url = new_sqlite(folder) if kind == "sqlite" else stack.enter_context(new_postgresql(folder))
        bouncer = stack.enter_context(pgbouncer.in_front_of(url, folder / "bouncer")) if pooled else None
        app = make_app(bouncer.url if bouncer else url, folder)
        with app.app_context():
            stack.callback(db.engine.dispose)
            engine = create_engine(url) if pooled else db.engine
        stack.callback(engine.dispose)
        session = stack.enter_context(Session(engine))
        _keep_addresses(session)
        place = Place(app, session, "", folder, connections=connections)
        place.pooler = bouncer
        place.redis_url = app.config["REDIS_URL"] = place.start_redis()
        stack.callback(place.kill_redis)
        yield place
