"""One line for each request, and the id that it and every line below it bear: the proxy's, or one that is made here.

The line names the route, not the address that was asked for: words within an address, and whatever stands behind its question mark, may be
about people. What people see of a slow or failed request is the answer's `X-Request-ID`.
"""

import logging
import re
from collections.abc import Callable, Iterable
from typing import Any

from flask import Flask, Request
from werkzeug.wsgi import ClosingIterator

from webapp.adapters import clock, logs

QUIET = frozenset({"static", "assets", "health", "metrics"})
"""Blueprints (or the endpoint) whose requests are told at debug: machines ask for them, again and again."""

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
OTHER = "other"
NOWHERE = "-"
"""The route of an address at which there is nothing."""

HEADER = "X-Request-ID"

log = logging.getLogger(__name__)

Observe = Callable[[str, str, int, float], None]
"""Told of each answer: its endpoint, its method, its status, and the seconds it took."""


def install(app: Flask, observe: Observe) -> None:
    """Have `app` log its requests. An id that a request brings along is believed only where a proxy is set up, which sets it anew."""
    app.wsgi_app = Access(app.wsgi_app, observe, believes=app.config["TRUSTED_PROXIES"] > 0)  # type: ignore[method-assign]


class Access:
    """A WSGI app around a WSGI app (PEP 3333). An answer that is made while it is sent has ended when the last of it was."""

    def __init__(self, app: Any, observe: Observe, *, believes: bool) -> None:
        self._app, self._observe, self._believes = app, observe, believes

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        request_id = logs.id_from(environ.get("HTTP_X_REQUEST_ID") if self._believes else None)
        began, status = clock.ticks(), 500
        request: Request | None = None
        logs.begin(request_id)

        def started(line: str, headers: list[tuple[str, str]], *error: Any) -> Any:
            nonlocal status, request
            status, request = (
                int(line[:3]),
                environ.get("werkzeug.request"),
            )  # which Flask forgets with the request's end
            return start_response(line, [*headers, (HEADER, request_id)], *error)

        def ended() -> None:
            logs.begin(request_id)  # who sends the answer may be another thread
            self._tell(request, environ["REQUEST_METHOD"], status, clock.ticks() - began)
            logs.begin()

        try:
            answer = self._app(environ, started)
        except BaseException:
            ended()
            raise
        return ClosingIterator(answer, ended)

    def _tell(self, request: Request | None, method: str, status: int, took_s: float) -> None:
        method = _method(method)
        endpoint = (request.endpoint if request else None) or NOWHERE
        route, took_ms = route_of(request), round(took_s * 1000, 1)
        self._observe(endpoint, method, status, took_s)
        level = logging.DEBUG if endpoint.partition(".")[0] in QUIET else logging.INFO
        fields = {"event": "request", "method": method, "route": route, "endpoint": endpoint, "status": status}
        log.log(level, "%s %s %s %s ms", method, route, status, took_ms, extra=fields | {"took_ms": took_ms})


def asked_for(request: Request) -> str:
    """A request in a few words, as in "POST /mass-mail/17/review"."""
    return f"{_method(request.method)} {route_of(request)}"


def _method(given: str) -> str:
    return given if given in METHODS else OTHER


def route_of(request: Request | None) -> str:
    """The route of a request with its numbers filled in, as in /mass-mail/17/review; words keep the name of their place."""
    if request is None or request.url_rule is None:
        return NOWHERE
    given = request.view_args or {}

    def filled(place: re.Match[str]) -> str:
        value = given.get(place[1])
        return str(value) if isinstance(value, int) else f"<{place[1]}>"

    return re.sub(r"<(?:[^:<>]+:)?(\w+)>", filled, request.url_rule.rule)
