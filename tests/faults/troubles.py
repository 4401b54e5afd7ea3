"""Troubles of a database, each for as long as a `with` lasts: its disk is full, its tables are locked, it cannot be reached.

`full`, `locked` and `away` give a session with which the ledger can be read meanwhile, None where nobody can.
"""

import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path

import psycopg
from sqlalchemy import text
from sqlalchemy.orm import Session

from tests import engine, postgres, run
from tests.databases import make_app, new_sqlite
from tests.faults.places import Kind
from tests.scenes import Scene
from webapp.adapters import database

DISK = "24m"


@contextmanager
def on_small_disk(place: Scene, kind: Kind) -> Iterator[tuple[Scene, Path]]:
    """The scene with its database, and on SQLite the journals, on a file system of a few megabytes, and where that is mounted. The
    relay's log stays where it was. Raises CalledProcessError when nothing may be mounted here."""
    disk = place.folder / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK},mode=755", "tmpfs", disk], check=True)
    with ExitStack() as stack:
        stack.callback(subprocess.run, ["umount", "--lazy", disk], check=True)
        if kind == "postgresql":
            stack.enter_context(_tablespace(place, disk))
            yield place, disk
            return
        app = make_app(new_sqlite(disk), disk)
        owned = engine.engine_of(app)
        stack.callback(owned.dispose)
        session = stack.enter_context(Session(owned))
        yield Scene(app, session, place.redis_url, place.folder, connections=place.connections), disk


@contextmanager
def _tablespace(place: Scene, disk: Path) -> Iterator[None]:
    """Move the scene's database there and, because the server outlives the disk, back again."""
    shutil.chown(disk, "nobody")
    name = _name(place)
    space = f"{name}_space"
    with _server() as server:
        server.execute(f"CREATE TABLESPACE {space} LOCATION '{disk}'")
        _move(server, place, space)
        yield
        _move(server, place, "pg_default")
        server.execute(f"DROP TABLESPACE {space}")


def _move(server: psycopg.Connection, place: Scene, space: str) -> None:
    place.session.rollback()
    engine.engine_of(place.app).dispose()
    _throw_out(server, _name(place))
    server.execute(f"ALTER DATABASE {_name(place)} SET TABLESPACE {space}")


@contextmanager
def full(scene: Scene, disk: Path) -> Iterator[Session]:
    """There is no room on the disk, to the last block."""
    filler = disk / "filler"
    try:
        with filler.open("wb", buffering=0) as file, suppress(OSError):
            while file.write(bytes(4096)):
                pass
        yield scene.session
    finally:
        filler.unlink()


@contextmanager
def locked(scene: Scene) -> Iterator[Session]:
    """Somebody else has begun to write and does not end; on PostgreSQL, has locked the deliveries, so that nobody can even read them."""
    with Session(engine.engine_of(scene.app)) as session:
        database.will_write(session)
        if session.get_bind().dialect.name == "postgresql":
            session.execute(text("LOCK TABLE delivery IN ACCESS EXCLUSIVE MODE"))
        yield session
        session.rollback()


@contextmanager
def away(scene: Scene) -> Iterator[None]:
    """PostgreSQL: nobody is let in, and whoever was is thrown out."""
    name = _name(scene)
    scene.session.rollback()
    is_over = threading.Event()

    def keep_out() -> None:
        with _server() as server:
            while not is_over.wait(0.1):
                _throw_out(server, name)

    with _server() as server:
        server.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
        _throw_out(server, name)
        keeper = threading.Thread(target=keep_out)
        keeper.start()
        try:
            yield
        finally:
            is_over.set()
            keeper.join()
            server.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")
    engine.engine_of(scene.app).dispose()


def waits_for_lock(scene: Scene) -> bool:
    """PostgreSQL: whether somebody waits for a lock in the scene's database."""
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE datname = %s AND wait_event_type = 'Lock'"
    with _server() as server:
        found = server.execute(waiting, [_name(scene)]).fetchone()
    return found is not None and found[0] > 0


def _server() -> closing[psycopg.Connection]:
    return closing(psycopg.connect(postgres.conninfo(run.postgres_folder(), "postgres"), autocommit=True))


def _name(scene: Scene) -> str:
    name = engine.engine_of(scene.app).url.database
    assert name is not None
    return name


def _throw_out(server: psycopg.Connection, name: str) -> None:
    server.execute("SELECT pg_terminate_backend(pid, 1000) FROM pg_stat_activity WHERE datname = %s", [name])
