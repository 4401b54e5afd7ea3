"""A small app behind the demo's gate, with little patience, for tests of slow clients."""

from collections.abc import Iterable
from typing import Any

from webapp.demo.gate import Gate


def echo(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    """Says what it was sent, in pieces."""
    body = environ["wsgi.input"].read()
    told = f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']}?{environ['QUERY_STRING']} {environ.get('HTTP_COOKIE', '')} {len(body)} "
    if environ["PATH_INFO"] == "/fails":
        raise RuntimeError("on purpose")
    start_response("200 OK", [("Content-Type", "text/plain"), ("Set-Cookie", "a=1"), ("Set-Cookie", "b=2")])
    yield told.encode()
    yield body[:100]
    if "HTTP_X_FORWARDED_FOR" in environ:
        yield environ["HTTP_X_FORWARDED_FOR"].encode()


app = Gate(echo, threads=2, body_s=2.0)
