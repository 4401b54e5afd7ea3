"""Settings for `rq worker` (RQ_CONFIG=jobs.worker), and what its process needs before it forks.

RQ's settings file knows neither serializer nor allowed functions nor a beat, and a bare `rq worker` shall have them all; so the worker that
reads these settings is completed here. Importing this module anywhere else does nothing but define the settings.
"""

import gc
import logging
import os
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import rq.job
import rq.serializers
from sqlalchemy.exc import SQLAlchemyError

from jobs import attendance, redis_retry, runtime
from webapp import private
from webapp.adapters import database, logs, redis_link, wakeups
from webapp.config import settings
from webapp.core.cadence import SWEEP_EVERY_S
from webapp.core.content import tag_catalogue
from webapp.core.domains.sealing import Seal
from webapp.environ import or_exit, read_env_file
from webapp.extensions import db

with or_exit():
    read_env_file()
    _SETTINGS = settings(os.environ)
SENTINEL = redis_link.for_rq(str(_SETTINGS["REDIS_URL"]))
REDIS_URL = None if SENTINEL else _SETTINGS["REDIS_URL"]
QUEUES = [wakeups.queue_name(str(_SETTINGS["REDIS_PREFIX"]))]

_NO_JOBS = {"__init__", "attendance", "presence", "readiness", "redis_retry", "runtime", "worker"}
ALLOWED = frozenset(
    f"jobs.{path.stem}.{path.stem}" for path in Path(__file__).parent.glob("*.py") if path.stem not in _NO_JOBS
)
"""What a worker may be asked to call: of each job's file the function of that name. Whoever can write to Redis must not be able to run
anything else."""

SWITCH_S = 0.0005
"""How long a thread may keep the interpreter from another. The one that talks to the relay waits for the one that records no longer than
the mails already on the wire keep the relay busy."""

log = logging.getLogger(__name__)


class ForbiddenCall(Exception):
    """Something that is no job of ours stands in the queue."""


def complete() -> None:
    """Make the worker of this process ours: JSON, allowed functions only, the app loaded, and life and beat that do not depend on Redis."""
    rq.serializers.DefaultSerializer = rq.serializers.JSONSerializer  # type: ignore[misc,assignment]
    rq.job.import_attribute = only_ours(rq.job.import_attribute)  # type: ignore[assignment,attr-defined]
    private.umask()
    logs.set_up(str(_SETTINGS["LOG_LEVEL"]), bool(_SETTINGS["LOG_JSON"]))
    redis_retry.endure()
    app = runtime.own_app()
    with app.app_context():
        for name in ALLOWED:
            rq.job.import_attribute(name)  # type: ignore[attr-defined]
        engine = db.engine
        learn_languages()
    spare_the_collector()
    sys.setswitchinterval(SWITCH_S)

    def forget_connections() -> None:
        engine.dispose(close=False)
        app.extensions.pop("massmail-redis", None)

    os.register_at_fork(after_in_child=forget_connections)
    attendance.attend(engine, QUEUES[0], Seal(str(_SETTINGS["SECRET_KEY"])))
    threading.Thread(target=beat, name="beat", daemon=True).start()


def learn_languages() -> None:
    """Let this worker's work-horses find what they need to write for clients. A database that is not there yet is no hindrance."""
    try:
        database.look_through(db.engine, tag_catalogue.learn)
    except SQLAlchemyError as error:
        log.warning("The clients' languages cannot be read yet: %s", error)


def spare_the_collector() -> None:
    """What is loaded now stays: have the garbage collector leave it alone, here and in every work-horse, where looking at it would also
    copy the memory they share. And have it look less often at what comes and goes mail by mail, of which hardly anything is a cycle."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 10, 5)


def only_ours(import_attribute: Callable[[str], Any]) -> Callable[[str], Any]:
    """`import_attribute` for allowed names only."""

    def checked(name: str) -> Any:
        if name not in ALLOWED:
            raise ForbiddenCall(f"{name} is not a job of this program")
        return import_attribute(name)

    return checked


def beat() -> None:
    """Ask for a sweep, again and again, for as long as the worker lives: what Redis forgets is asked for anew."""
    while True:
        with runtime.own_app().app_context():
            wakeups.enqueue(wakeups.SWEEP, key=runtime.IN_NO_HURRY)
        time.sleep(SWEEP_EVERY_S)


def _is_worker() -> bool:
    context = click.get_current_context(silent=True)
    return context is not None and context.info_name in ("worker", "worker-pool")


if _is_worker():
    with or_exit():
        complete()
