"""Plain answers for load balancers and supervisors, without a sign-in: does this process live, and can it work?"""

import logging
from collections.abc import Callable

from flask import Blueprint, current_app
from flask.typing import ResponseReturnValue
from redis.exceptions import RedisError
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from webapp.adapters import database, wakeups
from webapp.adapters.schema import Schema
from webapp.core.sending import workers
from webapp.core.settings import installation
from webapp.extensions import db

OK = "ok"
NO_ANSWER = "does not answer"
NOT_ASKED = "not asked: the database does not answer"

bp = Blueprint("health", __name__, url_prefix="/health")
log = logging.getLogger(__name__)


@bp.get("/live")
def live() -> ResponseReturnValue:
    """200 as long as this process answers at all: what is wrong beyond it, starting it anew does not mend."""
    return {"process": OK}


@bp.get("/", endpoint="index")
@bp.get("/ready")
def ready() -> ResponseReturnValue:
    """200 when the database, its tables and Redis are as they must be, else 503; each by name. That no worker lives is said, too, but
    leaves the console ready, because it is well without one; likewise that everything is held ("restored" or "by_hand")."""
    checks = {"database": _outcome(_database)}
    is_there = checks["database"] == OK
    checks["schema"] = _outcome(_schema) if is_there else NOT_ASKED
    checks["redis"] = _outcome(_redis)
    is_ready = all(outcome == OK for outcome in checks.values())
    checks["workers"] = _outcome(_workers) if checks["schema"] == OK else "not asked"
    if checks["schema"] == OK and (hold := installation.hold_of(db.session)):
        checks["held"] = hold.kind.value
    return checks, 200 if is_ready else 503


def _outcome(check: Callable[[], str | None]) -> str:
    """ "ok", or what is wrong. An error's own words may name hosts and users, so they go to the log alone."""
    try:
        return check() or OK
    except (SQLAlchemyError, RedisError) as error:
        db.session.rollback()
        log.warning("%s: %s", check.__name__.strip("_"), error)
        return NO_ANSWER


def _database() -> None:
    db.session.execute(text("SELECT 1"))


def _schema() -> str | None:
    known: Schema = current_app.extensions["massmail-schema"]
    return known.look()


def _redis() -> None:
    wakeups.connection().ping()


def _workers() -> str | None:
    missing = workers.missing_since(db.session, database.now(db.session))
    if missing is None:
        return None
    when = f"been seen since {missing.since:%Y-%m-%d %H:%M} UTC" if missing.since else "ever been seen"
    return f"No worker has {when}: nothing is sent. Start {workers.START}"
