"""Where no worker looks for news, the web server does: that there is no worker is news, too."""

import logging
import threading

from flask import Flask

from webapp.adapters import clock, notice_round
from webapp.core.cadence import NEWS_UNSEEN
from webapp.core.notices import looking
from webapp.extensions import db, mail

_alone = threading.Lock()
log = logging.getLogger(__name__)


def look_if_nobody_does(app: Flask) -> threading.Thread | None:
    """Begin a round of notices beside this request, unless somebody looked a moment ago or this process is at it. Returns its thread."""
    if clock.now() - looking.looked_at(db.session) < NEWS_UNSEEN or not _alone.acquire(blocking=False):
        return None
    thread = threading.Thread(target=_round, args=(app,), name="notices", daemon=True)
    try:
        thread.start()
    except RuntimeError:  # no more threads: the next request tries again
        _alone.release()
        return None
    return thread


def _round(app: Flask) -> None:
    try:
        with app.app_context():
            if notice_round.look(db.engine, app.config["RELAY"].key, app.config["MISSED_START"]):
                settings = [app.config[name] for name in notice_round.CARRIED_BY]
                notice_round.work_off(db.engine, notice_round.carrier(db.engine, mail, *settings))
    except Exception:
        log.exception("notices cannot be looked for")
    finally:
        _alone.release()
