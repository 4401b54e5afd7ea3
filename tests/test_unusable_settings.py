"""Settings that cannot be used end each program with one line that says which and what to do: no traceback, no password."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.consoles import free_port
from tests.run import bare_environ
from webapp.paths import ROOT

WORDS = "MAIL_PORT is 'many': use a whole number.\n"
SECRET = "s3cret"


def run(folder: Path, *command: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run a program with nothing in its environment but these settings."""
    none = {"MASSMAIL_ENV_FILE": "", "FLASK_SKIP_DOTENV": "1"}
    given = bare_environ(MASSMAIL_INSTANCE=str(folder / "instance")) | none | environ
    return subprocess.run(
        [sys.executable, "-m", *command], cwd=ROOT, env=given, capture_output=True, text=True, timeout=90
    )


@pytest.mark.parametrize(
    "command",
    [
        ("flask", "--app", "wsgi", "db", "upgrade"),
        ("flask", "--app", "wsgi", "users", "list"),
        ("rq.cli", "worker"),
        ("webapp.demo.command", "--port", "FREE"),
    ],
    ids=" ".join,
)
def test_a_program_says_in_one_line_which_setting_it_cannot_use(tmp_path: Path, command: tuple[str, ...]):
    command = tuple(str(free_port()) if word == "FREE" else word for word in command)
    ended = run(tmp_path, *command, MAIL_PORT="many", RQ_CONFIG="jobs.worker")
    assert (ended.returncode, ended.stderr, ended.stdout) == (2, WORDS, "")


def test_the_web_server_says_so_too(tmp_path: Path):
    command = ("granian", "--interface", "wsgi", "--port", str(free_port()), "wsgi:app")
    ended = run(tmp_path, *command, MAIL_PORT="many")
    assert ended.returncode != 0 and ended.stderr.count(WORDS) == 1
    assert "Traceback" not in ended.stderr + ended.stdout


@pytest.mark.parametrize(
    ("setting", "value", "words"),
    [
        ("DATABASE_URL", f"postgresql://me:{SECRET}@db:port/massmail", "DATABASE_URL cannot be read"),
        ("DATABASE_URL", f"mysql://me:{SECRET}@db/massmail", "SQLite and PostgreSQL are supported"),
        ("DATABASE_URL", SECRET, "DATABASE_URL is not a URL"),
        ("REDIS_URL", f"{SECRET}:6379", "REDIS_URL begins with redis://"),
        ("REDIS_URL", f"redis://:{SECRET}@queue:port/0", "REDIS_URL cannot be read"),
        ("MASSMAIL_URL", "mail.example.com", "MASSMAIL_URL is 'mail.example.com': use the whole address"),
        ("MASSMAIL_INSTANCE", "/proc/nowhere", "MASSMAIL_INSTANCE is /proc/nowhere, which cannot be made"),
        ("MAIL_CA_FILE", "/nowhere.pem", "MAIL_CA_FILE names /nowhere.pem, which is not a file"),
    ],
)
def test_each_setting_is_refused_by_name_and_no_password_is_shown(tmp_path: Path, setting: str, value: str, words: str):
    ended = run(tmp_path, "wsgi", **{setting: value})
    assert ended.returncode == 2 and words in ended.stderr and ended.stderr.count("\n") == 1
    assert SECRET not in ended.stderr


def test_a_command_on_a_database_without_tables_says_what_to_run(tmp_path: Path):
    ended = run(tmp_path, "flask", "--app", "wsgi", "users", "list")
    assert ended.returncode == 1
    assert ended.stderr == "Error: The database has no tables yet. Run flask --app wsgi db upgrade.\n"
    assert run(tmp_path, "flask", "--app", "wsgi", "db", "upgrade").returncode == 0
    assert run(tmp_path, "flask", "--app", "wsgi", "users", "list").returncode == 0
