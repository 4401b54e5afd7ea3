"""Workers: a page of all that are known, and on every page the word that there is none while something waits to be sent."""

from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Response, render_template, request
from flask.typing import ResponseReturnValue

from webapp.adapters import database, wakeups
from webapp.core.sending import workers
from webapp.core.sending.workers import NoWorker
from webapp.extensions import db
from webapp.pages.fragments import fragment
from webapp.paths import VERSION

bp = Blueprint("workers", __name__, url_prefix="/settings/workers")


@dataclass(frozen=True)
class Banner:
    """`is_wanted`: something waits to be sent. `seen` tells this banner from others, so that only a new one is shown, and read out."""

    is_wanted: bool
    missing: NoWorker | None

    @property
    def seen(self) -> str:
        if self.missing is None:
            return "fine" if self.is_wanted else "idle"
        return f"since {self.missing.since.isoformat()}" if self.missing.since else "never"


def workers_banner() -> Banner:
    """What every page says about workers that are missing."""
    is_wanted = workers.is_anything_waiting(db.session)
    return Banner(is_wanted, workers.missing_since(db.session, database.now(db.session)) if is_wanted else None)


@bp.app_template_global()
def start_command() -> str:
    """The command that starts a worker."""
    return workers.START


@bp.get("/")
def index() -> str:
    return render_template("workers/index.html", **_list())


@bp.get("/worker-list")
def worker_list() -> str:
    """The list with what each does now, asked for again and again by the page."""
    return fragment("workers/_worker_list.html", **_list())


@bp.get("/no-worker")
def no_worker() -> ResponseReturnValue:
    """The banner of every page. Nothing is answered when it is the one that the page has `seen`."""
    banner = workers_banner()
    if request.args.get("seen") == banner.seen:
        return Response(status=204)
    return fragment("workers/_no_worker.html", banner=banner)


def _list() -> dict[str, Any]:
    at = database.now(db.session)
    missing = workers.missing_since(db.session, at)
    listed = workers.listing(db.session, at)
    ours = {(one.worker.host, one.worker.pid) for one in listed}
    found = wakeups.strangers() if missing else []
    return {
        "at": at,
        "workers": listed,
        "missing": missing,
        "strangers": [stranger for stranger in found if (stranger.host, stranger.pid) not in ours],
        "version": VERSION,
        "queue": wakeups.QUEUE,
    }
