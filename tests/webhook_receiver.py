"""A web server on loopback that receives webhooks as the house's own program would: it verifies them with the library of the standard."""

import http.server
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Self

from standardwebhooks import Webhook, WebhookVerificationError


@dataclass
class Call:
    path: str
    headers: dict[str, str]
    body: bytes

    def verified(self, secret: str) -> dict[str, Any]:
        """What it says. Raises WebhookVerificationError when it was not signed with `secret`."""
        return Webhook(secret).verify(self.body, self.headers)


Answering = Callable[[http.server.BaseHTTPRequestHandler], None]


def status(code: int, body: bytes = b"", **headers: str) -> Answering:
    """An answer with this status, body and headers (`_` for `-`)."""

    def answer(handler: http.server.BaseHTTPRequestHandler) -> None:
        handler.send_response(code)
        for name, value in ({"Content-Length": str(len(body))} | headers).items():
            handler.send_header(name.replace("_", "-"), value)
        handler.end_headers()
        handler.wfile.write(body)

    return answer


@dataclass
class Receiver:
    """A context manager. `answers` are given one after the other, the last again and again; `calls` is what came."""

    answers: list[Answering] = field(default_factory=lambda: [status(204)])
    calls: list[Call] = field(default_factory=list)

    def __enter__(self) -> Self:
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.calls.append(Call(self.path, dict(self.headers.items()), body))
                answers = receiver.answers
                answer = answers.pop(0) if len(answers) > 1 else answers[0]
                answer(self)

            def do_GET(self) -> None:
                receiver.calls.append(Call("GET " + self.path, dict(self.headers.items()), b""))
                status(200)(self)

            def log_message(self, *_: object) -> None:
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}/hook?house=1"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


__all__ = ["Call", "Receiver", "WebhookVerificationError", "status"]
