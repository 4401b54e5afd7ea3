"""A Maildir of bounces."""

from pathlib import Path

import pytest
from sqlalchemy.exc import OperationalError

from tests.adapters.bounces.conftest import Returns, bounce
from webapp.adapters.bounces import maildir


def folder(path: Path, *mails: bytes) -> Path:
    for part in ("tmp", "new", "cur"):
        (path / part).mkdir(exist_ok=True)
    for number, mail in enumerate(mails):
        (path / "new" / f"1000{number}.host").write_bytes(mail)
    return path


def names(path: Path, part: str) -> list[str]:
    return sorted(one.name for one in (path / part).iterdir())


def test_what_is_new_is_recorded_and_then_seen(returns: Returns, tmp_path: Path):
    mails = folder(tmp_path, bounce(1), bounce(2))
    assert maildir.read_new(returns.taker, mails) == 2
    assert returns.recorded() == [returns.one, returns.one]
    assert (names(mails, "new"), names(mails, "cur")) == ([], ["10000.host:2,S", "10001.host:2,S"])
    assert maildir.read_new(returns.taker, mails) == 0


def test_what_was_recorded_but_not_moved_is_known_the_next_time(sqlite_returns: Returns, tmp_path: Path):
    mails = folder(tmp_path, bounce(1))
    sqlite_returns.taker.take(bounce(1))
    assert maildir.read_new(sqlite_returns.taker, mails) == 1
    assert sqlite_returns.recorded() == [sqlite_returns.one]


def test_what_cannot_be_recorded_stays_new(sqlite_returns: Returns, tmp_path: Path):
    class Away:
        def take(self, raw: bytes) -> None:
            raise OperationalError("away", None, Exception())

    mails = folder(tmp_path, bounce(1))
    with pytest.raises(OperationalError):
        maildir.read_new(Away(), mails)  # type: ignore[arg-type]
    assert names(mails, "new") == ["10000.host"]


def test_a_folder_that_is_no_maildir_is_said(sqlite_returns: Returns, tmp_path: Path):
    with pytest.raises(FileNotFoundError):
        maildir.read_new(sqlite_returns.taker, tmp_path / "nowhere")
