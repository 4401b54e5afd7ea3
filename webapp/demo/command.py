"""`python3 -m webapp demo`: from an empty folder to a console that can be looked at."""

import argparse
import os
import resource
import shutil
import socket
import sys
import tempfile
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TextIO

import redis

from webapp import private
from webapp.adapters import demo_lock, redis_link
from webapp.config import RelaySettings, redis_url, settings
from webapp.demo import gate, mail_catcher, valkey
from webapp.demo.data import DataProblem, DemoData
from webapp.demo.supervisor import ChildEnded, Supervisor, end_on_signals
from webapp.environ import or_exit, read_env_file
from webapp.paths import INSTANCE, ROOT

HOST = "127.0.0.1"
PORT = 8000
CLIENTS = 5000
BOUNCES = "bounce@bounces.example"
PATIENCE = 60.0
"""Seconds until the web server must answer."""

MADE_BY_DEMO = ("massmail.sqlite3*", "mails", "valkey", "logs", "journal*", "imports", "uploads", "sent", "secret-key")


OF_THE_PROGRAM = ("DATABASE_URL", "REDIS_", "MAIL_", "MASSMAIL_", "RQ_", "SECRET_KEY")
"""How the names of settings begin."""


class DemoProblem(Exception):
    """The demo cannot start; the text says in whole sentences what to do."""


def run(arguments: Sequence[str]) -> int:
    """Run the demo until it is ended, with the settings of the environment and of `.env`. Returns the exit code."""
    options = _options(arguments)
    end_on_signals()
    private.umask()
    kept = "Nothing of it is kept." if options.apart else "Its data is kept for the next start."
    try:
        with or_exit(), _environ(options.apart) as environ:
            instance = Path(environ.get("MASSMAIL_INSTANCE") or INSTANCE).resolve()
            with _alone(instance) as lock:
                _demo(options, instance, environ, lock)
    except KeyboardInterrupt:
        print(f"\nThe demo has ended. {kept}")
        return 0
    except (DemoProblem, DataProblem, valkey.ValkeyError) as problem:
        print(f"\n{problem}", file=sys.stderr)
    except ChildEnded as ended:
        print(f"\n{ended}\n\nThe demo has ended.", file=sys.stderr)
    return 1


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python3 -m webapp demo", description="The whole program on this machine.")
    parser.add_argument("--port", type=int, default=PORT, help=f"where the console listens on {HOST} (default {PORT})")
    parser.add_argument(
        "--clients", type=int, default=CLIENTS, metavar="N", help=f"made up at first (default {CLIENTS})"
    )
    parser.add_argument("--fresh", action="store_true", help="forget the data of earlier starts")
    parser.add_argument(
        "--apart", action="store_true", help="with settings and data of its own, of which nothing is kept at the end"
    )
    options = parser.parse_args(arguments)
    if not 1 <= options.port <= 65535:
        parser.error("--port takes 1 to 65535")
    if not 0 <= options.clients <= 5_000_000:
        parser.error("--clients takes 0 to 5,000,000")
    return options


def _demo(options: argparse.Namespace, instance: Path, environ: Mapping[str, str], lock: TextIO) -> None:
    _demand_port(options.port)
    if options.fresh:
        forget(instance, environ)
    env = {
        **environ,
        "MASSMAIL_INSTANCE": str(instance),
        "MASSMAIL_URL": environ.get("MASSMAIL_URL") or f"http://{HOST}:{options.port}",
        "MASSMAIL_DEMO": "1",
        "MASSMAIL_DNS": environ.get("MASSMAIL_DNS") or "off",
        "MASSMAIL_ENV_FILE": "",
        "MASSMAIL_CATCHER_DIR": "",
        "RQ_CONFIG": environ.get("RQ_CONFIG") or "jobs.worker",
        "PYTHONUNBUFFERED": "1",
    }
    data = DemoData(env)
    data.prepare(options.clients, _say)
    with Supervisor(instance / "logs") as supervisor, _short_folder(instance / "valkey") as sockets:
        if environ.get("REDIS_URL"):
            _demand_redis(redis_url(environ))
        else:
            log = supervisor.log("redis")
            process, env["REDIS_URL"] = valkey.start(instance / "valkey", log=log, durable=True, sockets=sockets)
            supervisor.adopt("Redis", process, log)
        if not environ.get("MAIL_SERVER"):
            folder = instance / "mails"
            with socket.create_server((HOST, 0)) as listener:
                env |= {"MAIL_SERVER": HOST, "MAIL_PORT": str(listener.getsockname()[1])}
                env["MASSMAIL_CATCHER_DIR"] = str(folder)
                fd = listener.fileno()
                bounces_to = _take_bounces(supervisor, env)
                supervisor.start("mail catcher", mail_catcher.command(folder, fd, bounces_to), env, ROOT, pass_fds=[fd])
        supervisor.start("worker", [sys.executable, "-m", "rq.cli", "worker", "--with-scheduler"], env, ROOT)
        _allow_connections()
        web = supervisor.start("web server", gate.granian("webapp.demo.web:app", HOST, options.port), env, ROOT)
        base = f"http://{HOST}:{options.port}"
        if not supervisor.wait_until(lambda: _answers(f"{base}/health/"), PATIENCE):
            raise DemoProblem(f"The web server does not answer after {PATIENCE:.0f} s. See {web.log}.")
        demo_lock.announce(lock, env["MASSMAIL_URL"])
        _print_entrance(data, env, instance, options.apart)
        supervisor.watch(on_line=lambda: print(f"  {data.sign_in_link()}", flush=True))


def _take_bounces(supervisor: Supervisor, env: dict[str, str]) -> str:
    """Start the listener for what the mail catcher has come back. Returns where it is; return paths lead to it from now on."""
    with socket.create_server((HOST, 0)) as listener:
        fd = listener.fileno()
        env["MASSMAIL_BOUNCE_LISTEN"] = f"lmtp://{HOST}:{listener.getsockname()[1]}"
        env["MASSMAIL_BOUNCE_ADDRESS"] = env.get("MASSMAIL_BOUNCE_ADDRESS") or BOUNCES
        args = [sys.executable, "-m", "webapp.command", "bounces", "listen", "--fd", str(fd)]
        supervisor.start("bounces", args, env, ROOT, pass_fds=[fd])
    return env["MASSMAIL_BOUNCE_LISTEN"]


def _allow_connections() -> None:
    """As many open files as the gate may have connections, where the system lets a program have them."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 2 * gate.CONNECTIONS if hard == resource.RLIM_INFINITY else min(2 * gate.CONNECTIONS, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _print_entrance(data: DemoData, env: Mapping[str, str], instance: Path, apart: bool) -> None:
    print(f"\n  Mass Mail is ready. This link signs you in, once, within half an hour:\n\n    {data.sign_in_link()}\n")
    if sys.stdin and sys.stdin.isatty():
        print("  Enter   another sign-in link")
    print(f"  Ctrl-C  ends it; {'nothing of it is kept' if apart else 'the data stays'}")
    if env["MASSMAIL_CATCHER_DIR"]:
        print(f"  Mails are caught, none leaves this machine: {env['MASSMAIL_URL']}/mail-catcher/")
    else:
        print(
            f"  MAILS LEAVE THIS MACHINE: they are handed to {_relay(env)}, as MAIL_SERVER says. Unset it to catch them."
        )
    print(f"  Logs are in {instance / 'logs'}\n", flush=True)


def _relay(env: Mapping[str, str]) -> str:
    relay = settings(env)["RELAY"]
    assert isinstance(relay, RelaySettings)
    return relay.key


def _demand_port(port: int) -> None:
    try:
        socket.create_server((HOST, port)).close()
    except OSError as error:
        with socket.create_server((HOST, 0)) as free:
            other = free.getsockname()[1]
        why = "may not be used by you" if isinstance(error, PermissionError) else "is taken by another program"
        raise DemoProblem(
            f"Port {port} {why}. End that program, or choose another port: python3 -m webapp demo --port {other}"
        ) from error


def _demand_redis(url: str) -> None:
    try:
        with redis_link.connect(url) as connection:
            connection.ping()
    except (redis.RedisError, ValueError) as error:
        raise DemoProblem(
            f"REDIS_URL is set, but there is no Redis that answers: {error}. Start it, or unset REDIS_URL to use the demo's own."
        ) from error


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def forget(instance: Path, environ: Mapping[str, str]) -> None:
    """Remove what earlier starts left in the instance folder, and nothing else there."""
    if environ.get("DATABASE_URL"):
        raise DemoProblem(
            "--fresh only forgets the demo's own database, and DATABASE_URL names another. Leave one of them out."
        )
    for pattern in MADE_BY_DEMO:
        for path in instance.glob(pattern):
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink()


@contextmanager
def _environ(apart: bool) -> Iterator[Mapping[str, str]]:
    """The settings of the environment and of `.env`; or, apart from them, none but a passing folder, so that nothing of a console that
    runs on this machine is touched."""
    if not apart:
        read_env_file()
        yield os.environ
        return
    with tempfile.TemporaryDirectory(prefix="massmail-") as folder:
        others = {name: value for name, value in os.environ.items() if not name.startswith(OF_THE_PROGRAM)}
        yield others | {"MASSMAIL_INSTANCE": folder}


@contextmanager
def _alone(instance: Path) -> Iterator[TextIO]:
    """Only one demo at a time uses an instance folder. Gives the lock, in which its address is announced."""
    with ExitStack() as stack:
        try:
            lock = stack.enter_context(demo_lock.held(instance))
        except demo_lock.Taken:
            raise DemoProblem(
                f"A demo is already running with the data in {instance}. Use that one, or end it first (Ctrl-C where it runs); "
                f"MASSMAIL_INSTANCE=/some/folder starts another with data of its own."
            ) from None
        except OSError as error:
            raise DemoProblem(
                f"Cannot write to {instance}: {error.strerror}. Name another folder for the data: MASSMAIL_INSTANCE=/some/folder"
            ) from error
        yield lock


@contextmanager
def _short_folder(wanted: Path) -> Iterator[Path]:
    """A folder for sockets: `wanted`, or a passing one where its path is too long for a socket."""
    if valkey.fits(wanted):
        yield wanted
    else:
        with tempfile.TemporaryDirectory(prefix="massmail-") as folder:
            yield Path(folder)


def _say(words: str) -> None:
    print(f"  {words} …", flush=True)


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))
