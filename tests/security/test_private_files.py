"""What lies in the instance folder can be read by nobody else on the machine, whatever the umask of whoever starts the program."""

import os
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import flask_migrate
import pytest

from webapp import private
from webapp.adapters import database
from webapp.adapters.journal import FileJournal
from webapp.app import create_app
from webapp.demo.maildir import Maildir
from webapp.extensions import db


@pytest.fixture
def open_umask() -> Iterator[None]:
    before = os.umask(0o000)
    yield
    os.umask(before)


def open_to_others(folder: Path) -> dict[str, str]:
    """What group or others may do something with, below a folder and itself."""
    those = [folder, *folder.rglob("*")]
    return {str(path): oct(path.stat().st_mode) for path in those if stat.S_IMODE(path.stat().st_mode) & 0o077}


@pytest.mark.usefixtures("open_umask")
def test_database_log_secret_journals_and_caught_mails_are_ours_alone(tmp_path: Path):
    instance = tmp_path / "instance"
    app = create_app(environ={"MASSMAIL_INSTANCE": str(instance)})
    with app.app_context():
        flask_migrate.upgrade()
        database.will_write(db.session)
        (instance / "massmail.sqlite3-wal").stat()
        Maildir(instance / "mails").keep("a@example.org", ["b@example.org"], b"x")
        journal = FileJournal(instance / "journals")
        assert {"massmail.sqlite3", "massmail.sqlite3-shm", "massmail.sqlite3-turn", "secret-key"} <= {
            path.name for path in instance.iterdir()
        }
        assert len(list((instance / "mails" / "new").iterdir())) == 1
        assert open_to_others(instance) == {}
        journal.discard()
        db.session.rollback()
        db.engine.dispose()


@pytest.mark.usefixtures("open_umask")
def test_what_an_earlier_version_left_open_is_shut_at_the_next_start(tmp_path: Path):
    instance = tmp_path / "instance"
    for name in ("massmail.sqlite3", "massmail.sqlite3-wal", "secret-key", "mails/new/1"):
        (instance / name).parent.mkdir(parents=True, exist_ok=True)
        (instance / name).write_text("x" * 40)
    (instance / "massmail.sqlite3").unlink()
    with closing(sqlite3.connect(instance / "massmail.sqlite3")) as connection:
        connection.execute("CREATE TABLE a (b)")
    (instance / "massmail.sqlite3-wal").unlink(missing_ok=True)
    assert open_to_others(instance)
    create_app(environ={"MASSMAIL_INSTANCE": str(instance)})
    left = set(open_to_others(instance)) - {str(instance / "mails" / name) for name in ("new", "new/1")}
    assert left == set(), "the folder above is shut, so nobody gets to those below"
    assert stat.S_IMODE(instance.stat().st_mode) == 0o700


@pytest.mark.usefixtures("open_umask")
def test_a_folder_that_is_not_ours_alone_is_left_as_it_is(tmp_path: Path):
    shared = tmp_path / "shared"
    shared.mkdir(mode=0o755)
    (shared / "somebody.txt").touch(0o644)
    private.shut_instance(shared)
    assert stat.S_IMODE(shared.stat().st_mode) == 0o755
    passing = tmp_path / "passing"
    passing.mkdir()
    passing.chmod(0o1777)
    private.shut_instance(passing)
    assert stat.S_IMODE(passing.stat().st_mode) == 0o1777


def test_programs_make_files_for_their_user_alone():
    before = os.umask(0o022)
    try:
        private.umask()
        assert os.umask(0o022) == 0o077
    finally:
        os.umask(before)
