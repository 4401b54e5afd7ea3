"""Where fault families play: scenes on databases of either kind, each with a Redis that is empty."""

import itertools
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Literal

from sqlalchemy.orm import Session

from tests import run
from tests.databases import make_app, new_postgresql, new_sqlite
from tests.scenes import Scene
from webapp.adapters import children, valkey
from webapp.extensions import db

Kind = Literal["sqlite", "postgresql"]
KINDS: tuple[Kind, ...] = ("sqlite", "postgresql")
_numbers = itertools.count(1)


@contextmanager
def scene(kind: Kind, *, connections: int = 3) -> Iterator[Scene]:
    """A scene of its own: a fresh database, a fresh Redis, an empty folder. Call it between `run.begin` and `run.end`, from the main
    thread. Ends its Redis; workers and relays are the caller's to end."""
    folder = run.folder() / f"scene-{os.getpid()}-{next(_numbers)}"
    folder.mkdir()
    with ExitStack() as stack:
        url = new_sqlite(folder) if kind == "sqlite" else stack.enter_context(new_postgresql(folder))
        server, redis_url = valkey.start(folder / "valkey", log=folder / "valkey.log", durable=False)
        stack.callback(children.stop, server, patience=3)
        app = make_app(url, folder)
        with app.app_context():
            engine = db.engine
        stack.callback(engine.dispose)
        session = stack.enter_context(Session(engine))
        yield Scene(app, session, redis_url, folder, connections=connections)
