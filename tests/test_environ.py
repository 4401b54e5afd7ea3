"""`.env`: what it may say, what wins over it, and that each program reads it."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.consoles import free_port
from tests.run import bare_environ
from webapp.environ import SettingError, read_env_file
from webapp.paths import ROOT


def env_file(folder: Path, text: str) -> dict[str, str]:
    (folder / "settings").write_text(text)
    return {"MASSMAIL_ENV_FILE": str(folder / "settings")}


def test_what_the_file_says_is_added_and_the_environment_wins(tmp_path: Path):
    environ = env_file(tmp_path, "MAIL_SERVER=one.example\nMAIL_PORT=587\n") | {"MAIL_SERVER": "two.example"}
    read_env_file(environ)
    assert (environ["MAIL_SERVER"], environ["MAIL_PORT"]) == ("two.example", "587")


def test_quotes_comments_and_export_are_as_in_a_shell_and_a_dollar_stands_for_itself(tmp_path: Path):
    environ = env_file(tmp_path, "# ours\nexport A='b c'\nMAIL_PASSWORD=pa$s${A}w # not a part\nEMPTY=\n")
    read_env_file(environ)
    assert (environ["A"], environ["MAIL_PASSWORD"], environ["EMPTY"]) == ("b c", "pa$s${A}w", "")


def test_without_a_name_it_is_the_one_in_the_current_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    environ: dict[str, str] = {}
    read_env_file(environ)
    assert environ == {}
    (tmp_path / ".env").write_text("A=1")
    read_env_file(environ)
    assert environ == {"A": "1"}


def test_no_file_is_read_where_none_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / ".env").write_text("A=1")
    monkeypatch.chdir(tmp_path)
    environ = {"MASSMAIL_ENV_FILE": ""}
    read_env_file(environ)
    assert "A" not in environ


@pytest.mark.parametrize(
    ("content", "words"),
    [(None, "No such file"), (b"A=\xff", "not UTF-8"), (b"MAIL_SERVER", "has MAIL_SERVER with nothing behind it")],
)
def test_a_file_that_cannot_be_used_is_said(tmp_path: Path, content: bytes | None, words: str):
    path = tmp_path / "settings"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(SettingError, match=words):
        read_env_file({"MASSMAIL_ENV_FILE": str(path)})


@pytest.mark.parametrize(
    "command",
    [
        ("wsgi",),
        ("flask", "--app", "wsgi", "users", "list"),
        ("rq.cli", "worker"),
        ("webapp.demo.command", "--port", "FREE"),
    ],
    ids=" ".join,
)
def test_each_program_reads_it_where_it_is_started(tmp_path: Path, command: tuple[str, ...]):
    """Each says that the one setting cannot be used that stands in the file alone."""
    for name in ("webapp", "jobs", "templates", "static", "wsgi.py", "pyproject.toml"):
        (tmp_path / name).symlink_to(ROOT / name)
    (tmp_path / ".env").write_text("MAIL_PORT=many\nRQ_CONFIG=jobs.worker\n")
    command = tuple(str(free_port()) if word == "FREE" else word for word in command)
    environ = bare_environ(MASSMAIL_INSTANCE=str(tmp_path / "instance"), RQ_CONFIG="jobs.worker")
    ended = subprocess.run(
        [sys.executable, "-m", *command], cwd=tmp_path, env=environ, capture_output=True, text=True, timeout=90
    )
    assert "MAIL_PORT is 'many'" in ended.stderr
    assert ended.returncode == 2
