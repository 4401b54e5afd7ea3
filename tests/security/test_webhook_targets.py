"""The webhook is no way for a user of the console to reach what only the server can."""

import socket

import pytest

from tests.databases import make_app
from tests.visitors import sign_in
from tests.webhook_receiver import Receiver
from webapp.adapters import webhooks
from webapp.adapters.clock import now
from webapp.app import create_app

SECRET = "whsec_" + "QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUE="


def call(url: str, inside: bool = False):
    return webhooks.call(url, (SECRET,), "a", {}, now(), timeout_s=2, inside=inside)


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "127.9.9.9", "0.0.0.0", "2130706433", "0x7f.1", "[::1]", "[::ffff:127.0.0.1]"]
)
def test_nothing_on_this_machine_is_called(host: str):
    with Receiver() as receiver:
        port = receiver.url.partition("//")[2].partition("/")[0].rpartition(":")[2]
        answer = call(f"http://{host}:{port}/hook")
        assert not answer.is_done and receiver.calls == []
        assert "MASSMAIL_WEBHOOK_INSIDE=1" in answer.words or "cannot be reached" in answer.words


@pytest.mark.parametrize(
    "host",
    ["169.254.169.254", "[fe80::1]", "[fd00:ec2::254]", "100.100.100.200", "[::ffff:169.254.169.254]", "224.0.0.1"],
)
@pytest.mark.parametrize("inside", [False, True])
def test_what_a_cloud_tells_its_machines_is_never_asked_for(host: str, inside: bool):
    answer = call(f"http://{host}/latest/meta-data/", inside)
    assert not answer.is_done and "no address of a receiver" in answer.words


def test_a_name_is_judged_by_the_address_that_is_connected_to(monkeypatch: pytest.MonkeyPatch):
    asked, plain = [], socket.getaddrinfo

    def rebinding(host, *args, **options):
        asked.append(host)
        return plain("127.0.0.1", *args, **options)

    monkeypatch.setattr(socket, "getaddrinfo", rebinding)
    answer = call("http://hooks.example.com/")
    assert "this machine itself" in answer.words and asked == ["hooks.example.com"]


def test_the_console_and_the_worker_call_nothing_inside_unless_told(sqlite_url, tmp_path, sqlite_session):
    assert create_app(environ={"MASSMAIL_INSTANCE": str(tmp_path / "other")}).config["WEBHOOK_INSIDE"] is False
    app = make_app(sqlite_url, tmp_path, WEBHOOK_INSIDE=False)
    visitor = sign_in(app, sqlite_session)
    with Receiver() as receiver:
        visitor.post("/settings/notices/webhook", data={"url": receiver.url})
        assert "is this machine itself" in visitor.post("/settings/notices/webhook/test").text
        assert receiver.calls == []


@pytest.mark.parametrize("place", ["203.0.113.9", "10.0.0.7", "192.168.1.1", "2001:db8::7", "fd12::1"])
def test_receivers_elsewhere_may_be_called(place: str):
    assert webhooks.forbidden(place, False) is None
