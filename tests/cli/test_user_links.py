"""`flask users link`: the address that it prints is the one at which the console is reached."""

from flask import Flask
from sqlalchemy.orm import Session

from tests.factories import NOW
from webapp.adapters import demo_lock
from webapp.core import users


def printed_link(app: Flask) -> str:
    result = app.test_cli_runner().invoke(args=["users", "link", "ada@example.org"])
    assert result.exit_code == 0, result.output
    return result.output


def test_it_bears_the_port_of_the_demo_that_runs_else_the_public_address(sqlite_app: Flask, sqlite_session: Session):
    users.create(sqlite_session, "ada@example.org", "correct horse battery", NOW)
    sqlite_session.commit()
    instance = sqlite_app.config["INSTANCE"]
    assert printed_link(sqlite_app).startswith("http://127.0.0.1:8000/sign-in/link/")
    with demo_lock.held(instance) as lock:
        demo_lock.announce(lock, "http://127.0.0.1:8123")
        assert printed_link(sqlite_app).startswith("http://127.0.0.1:8123/sign-in/link/")
    assert printed_link(sqlite_app).startswith("http://127.0.0.1:8000/sign-in/link/")
    with demo_lock.held(instance) as lock:
        demo_lock.announce(lock, "http://127.0.0.1:9")
        assert demo_lock.announced(instance) == "http://127.0.0.1:9", "nothing is left of a longer one"
