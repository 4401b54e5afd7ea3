"""A console that people reach below a path of its host, as in https://intra.example.com/mail: the path in MASSMAIL_URL."""

from collections.abc import Iterable
from urllib.parse import urlsplit
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from flask import Flask


def install(app: Flask) -> None:
    """Have all addresses that `app` makes begin with the path of PUBLIC_URL, whether or not the reverse proxy takes it off what it passes
    on. No header of a request is believed."""
    if prefix := urlsplit(app.config["PUBLIC_URL"]).path.rstrip("/"):
        app.wsgi_app = _Below(app.wsgi_app, prefix)  # type: ignore[method-assign]


class _Below:
    def __init__(self, app: WSGIApplication, prefix: str) -> None:
        self._app, self._prefix = app, prefix

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        if path == self._prefix or path.startswith(f"{self._prefix}/"):
            environ["PATH_INFO"] = path[len(self._prefix) :] or "/"
        environ["SCRIPT_NAME"] = self._prefix
        return self._app(environ, start_response)
