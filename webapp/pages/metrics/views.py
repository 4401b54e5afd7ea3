"""Numbers for Prometheus and its like, for whoever brings the token that is set; without one there is nothing here."""

import hmac
from datetime import datetime

from flask import Blueprint, Flask, Response, abort, current_app, request
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder

from webapp.adapters import clock, database, wakeups
from webapp.core.sending import figures
from webapp.extensions import db
from webapp.pages.metrics.collector import Numbers
from webapp.pages.metrics.request_times import RequestTimes
from webapp.paths import VERSION

KEY = "massmail-metrics"

bp = Blueprint("metrics", __name__)


def install(app: Flask) -> RequestTimes:
    """Have `app` measure; what is to be told of each answer."""
    registry = CollectorRegistry(auto_describe=False)
    kind = str(app.config["SQLALCHEMY_DATABASE_URI"]).partition(":")[0].partition("+")[0]
    registry.register(Numbers(_read, wakeups.lengths, VERSION, kind))
    app.extensions[KEY] = registry
    return RequestTimes(registry)


@bp.get("/metrics")
def index() -> Response:
    """In the form that is asked for: OpenMetrics, or Prometheus' own text."""
    token = current_app.config["METRICS_TOKEN"]
    if token is None:
        abort(404)
    if not _brings(token):
        return Response("The token is missing or wrong.\n", 401, {"WWW-Authenticate": "Bearer"}, mimetype="text/plain")
    encode, content_type = choose_encoder(request.headers.get("Accept", ""))
    return Response(encode(current_app.extensions[KEY]), content_type=content_type)


def _brings(token: str) -> bool:
    """Compared in a time that tells nothing of where they differ (RFC 6750, section 2.1)."""
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    is_equal = hmac.compare_digest(given.strip().encode("utf-8", "surrogateescape"), token.encode())
    return is_equal and scheme.lower() == "bearer"


def _read() -> tuple[figures.Figures, datetime]:
    reading = clock.reading()
    try:
        seen_now = database.now(db.session)
        return figures.read(db.session, reading, seen_now, relay_key=current_app.config["RELAY"].key), reading.wall
    finally:
        db.session.rollback()
