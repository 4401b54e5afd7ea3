"""What is fetched of Amazon: over real TLS, from a server on loopback that bears the name of SNS."""

import http.client
import http.server
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.certificates import Authority, server_context
from webapp.adapters.amazon import LARGEST, Amazon, Connect, Unreachable
from webapp.core.rules.relay_events.reading import Refused
from webapp.core.rules.relay_events.samples import TOPIC

HOST = "sns.eu-central-1.amazonaws.com"
URL = f"https://{HOST}/SimpleNotificationService-1.pem"
CONFIRM = f"https://{HOST}/?Action=ConfirmSubscription&TopicArn={TOPIC}&Token=abc"


class Sns(http.server.ThreadingHTTPServer):
    """A server that answers each path as `answers` has it, and counts who asks."""

    daemon_threads = True

    def __init__(self, pem: Path) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.socket = server_context(pem).wrap_socket(self.socket, server_side=True)
        self.asked: list[str] = []
        self.answers: dict[str, tuple[int, bytes]] = {}
        self.hangs = threading.Event()


class Handler(http.server.BaseHTTPRequestHandler):
    server: Sns

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        status, body = self.server.answers.get(self.path, (200, b"a certificate"))
        self.send_response(status)
        self.send_header("Location", f"https://{HOST}/elsewhere")
        if status == 299:  # an octet now and then, and never an end
            self.end_headers()
            while not self.server.hangs.wait(0.02):
                self.wfile.write(b"x")
            return
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


def serve(pem: Path) -> Iterator[Sns]:
    server = Sns(pem)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.hangs.set()
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def sns(authority: Authority) -> Iterator[Sns]:
    yield from serve(authority.server(HOST))


def by_name(server: Sns, ca_file: Path) -> Connect:
    """Connect to the server, whatever its name stands for, and check its certificate as for the real one."""

    class Loopback(http.client.HTTPSConnection):
        def connect(self) -> None:
            plain = self._create_connection(("127.0.0.1", server.server_address[1]), self.timeout)
            self.sock = ssl.create_default_context(cafile=str(ca_file)).wrap_socket(plain, server_hostname=self.host)

    return lambda host, timeout_s: Loopback(host, 443, timeout=timeout_s)


@pytest.fixture
def amazon(sns: Sns, authority: Authority) -> Amazon:
    return Amazon(by_name(sns, authority.ca_file))


def test_a_certificate_is_fetched_once(amazon: Amazon, sns: Sns):
    assert amazon.certificate(URL) == amazon.certificate(URL) == b"a certificate"
    assert sns.asked == ["/SimpleNotificationService-1.pem"]


def test_what_failed_is_tried_again(amazon: Amazon, sns: Sns):
    sns.answers["/SimpleNotificationService-1.pem"] = (500, b"")
    with pytest.raises(Unreachable, match="answered 500"):
        amazon.certificate(URL)
    sns.answers.clear()
    assert amazon.certificate(URL) == b"a certificate"


def test_certificates_do_not_fill_the_memory(sns: Sns, authority: Authority):
    amazon = Amazon(by_name(sns, authority.ca_file), most=2)
    for number in (0, 1, 2, 2, 1, 0):
        amazon.certificate(f"https://{HOST}/{number}.pem")
    assert sns.asked == ["/0.pem", "/1.pem", "/2.pem", "/0.pem"]


@pytest.mark.parametrize("status", [301, 302, 307, 403, 404])
def test_a_redirect_is_not_followed_and_no_other_answer_is_taken(amazon: Amazon, sns: Sns, status: int):
    sns.answers["/SimpleNotificationService-1.pem"] = (status, b"x")
    with pytest.raises(Unreachable, match=str(status)):
        amazon.certificate(URL)
    assert len(sns.asked) == 1


def test_a_large_answer_is_not_read_to_its_end(amazon: Amazon, sns: Sns):
    sns.answers["/SimpleNotificationService-1.pem"] = (200, b"x" * (LARGEST + 10_000))
    with pytest.raises(Unreachable, match=str(LARGEST + 1)):
        amazon.certificate(URL)


def test_an_answer_without_an_end_is_given_up(sns: Sns, authority: Authority):
    sns.answers["/SimpleNotificationService-1.pem"] = (299, b"")
    with pytest.raises(Unreachable):
        Amazon(by_name(sns, authority.ca_file), timeout_s=0.2).certificate(URL)


def test_a_server_that_cannot_prove_its_name_is_not_believed(authority: Authority):
    for pem in (authority.server("sns.us-east-1.amazonaws.com"), authority.itself()):
        for server in serve(pem):
            with pytest.raises(Unreachable):
                Amazon(by_name(server, authority.ca_file)).certificate(URL)
            assert server.asked == []


def test_a_subscription_is_confirmed_and_nothing_else_is_called(amazon: Amazon, sns: Sns):
    amazon.confirm(CONFIRM, TOPIC)
    assert sns.asked == [CONFIRM.removeprefix(f"https://{HOST}")]
    for other in (CONFIRM.replace(TOPIC, TOPIC + "2"), "https://example.com/", None):
        with pytest.raises(Refused):
            amazon.confirm(other, TOPIC)
    assert len(sns.asked) == 1
