"""The demo's database: migrated, and filled when it is empty; and the way in."""

import logging
import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from zoneinfo import available_timezones

from alembic import command
from alembic.util import CommandError
from sqlalchemy import select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from webapp.adapters.clock import now
from webapp.adapters.database import will_write
from webapp.app import create_app
from webapp.core import users
from webapp.core.clients import insert_many
from webapp.core.settings import from_addresses
from webapp.core.tables.clients import Client
from webapp.core.tables.users import User
from webapp.demo.population import Population
from webapp.extensions import db

USER = "robin@hosting.example.com"
SENDERS = (
    ("Example Hosting", "news@hosting.example.com"),
    ("Example Hosting Billing", "billing@hosting.example.com"),
    ("Example Hosting Status", "status@hosting.example.com"),
)


class DataProblem(Exception):
    """The database cannot be used; the text says in whole sentences what to do."""


class DemoData:
    """The database that the environment variables name."""

    def __init__(self, environ: Mapping[str, str]):
        self.app = create_app(environ=environ)

    def prepare(self, clients: int, say: Callable[[str], None]) -> None:
        """Bring the schema up to date, and make up `clients` clients when there are none. Raises DataProblem."""
        logging.getLogger("alembic").setLevel(logging.WARNING)
        try:
            with self.app.app_context():
                command.upgrade(self.app.extensions["migrate"].migrate.get_config(), "head")
            with self.session() as session:
                _seed(session, clients, say)
        except CommandError as error:
            raise DataProblem(
                f"The database was made by another version of the program ({error}). Start with --fresh to forget its data, or "
                f"name another folder: MASSMAIL_INSTANCE=/some/folder"
            ) from error
        except DBAPIError as error:
            raise DataProblem(
                f"The database cannot be used: {error.orig}. Look at DATABASE_URL, if you set it."
            ) from error

    def sign_in_link(self) -> str:
        """The whole address of a new link that signs the demo's user in, once."""
        with self.session() as session:
            user = session.scalar(select(User).where(User.is_active).order_by(User.email != USER, User.id).limit(1))
            assert user, "prepare() made one"
            token = users.make_link(session, user.id, now())
        return f"{self.app.config['PUBLIC_URL']}/sign-in/link/#{token}"

    @contextmanager
    def session(self) -> Iterator[Session]:
        """A session that writes, committed at the end. Nothing stays open, so that a child never inherits a connection."""
        with self.app.app_context():
            try:
                with Session(db.engine) as session, session.begin():
                    will_write(session)
                    yield session
            finally:
                db.engine.dispose()


def _seed(session: Session, clients: int, say: Callable[[str], None]) -> None:
    """Add what is missing: a user, senders, clients."""
    if session.scalar(select(User.id).limit(1)) is None:
        users.create(session, USER, secrets.token_urlsafe(24), now(), name="Robin Demo", time_zone=local_zone())
    if not from_addresses.listing(session):
        for name, address in SENDERS:
            from_addresses.add(session, name, address)
    if clients and session.scalar(select(Client.id).limit(1)) is None:
        say(f"Making up {clients:,} clients with what they hold")
        seed_clients(session, clients)


def seed_clients(session: Session, count: int) -> None:
    """Insert `count` made-up clients with services and addons; the same for the same count and day. The caller commits."""
    for chunk in Population(count, today=now().date()).chunks():
        insert_many(session, now(), clients=chunk.clients, services=chunk.services, addons=chunk.addons)


def local_zone() -> str:
    """The name of this machine's time zone, where it can be told; else UTC."""
    try:
        name = str(Path("/etc/localtime").resolve()).partition("/zoneinfo/")[2]
        return name if name in available_timezones() else "UTC"
    except OSError:
        return "UTC"
