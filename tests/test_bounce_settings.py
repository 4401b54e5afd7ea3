"""Settings of bounces: what can be used, and how it is said what cannot."""

from pathlib import Path

import pytest

from tests.databases import make_app
from webapp import bounce_settings
from webapp.core.rules.bounces import ReturnPath
from webapp.environ import SettingError


def test_without_any_nothing_changes():
    assert bounce_settings.read({}) == {
        "BOUNCE_ADDRESS": None,
        "BOUNCE_LISTEN": "lmtp://127.0.0.1:2424",
        "BOUNCE_MAILDIR": None,
        "BOUNCE_IMAP": None,
    }


@pytest.mark.parametrize("address", ["bounce@example.com", "bounce-*@mail.example.com", "b.*.x@example.com"])
def test_an_address_that_is_taken_is_one_that_return_paths_can_have(address: str):
    assert bounce_settings.read({"MASSMAIL_BOUNCE_ADDRESS": f" {address} "})["BOUNCE_ADDRESS"] == address
    assert ReturnPath.of(address)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("MASSMAIL_BOUNCE_ADDRESS", "bounce"),
        ("MASSMAIL_BOUNCE_ADDRESS", "*@example.com"),
        ("MASSMAIL_BOUNCE_ADDRESS", f"{'b' * 19}@example.com"),
        ("MASSMAIL_BOUNCE_ADDRESS", "two words@example.com"),
        ("MASSMAIL_BOUNCE_LISTEN", "127.0.0.1:2424"),
        ("MASSMAIL_BOUNCE_LISTEN", "http://127.0.0.1:2424"),
        ("MASSMAIL_BOUNCE_IMAP", "mail.example.com"),
        ("MASSMAIL_BOUNCE_IMAP", "imaps://mail.example.com"),
        ("MASSMAIL_BOUNCE_IMAP", "imaps://user:secret@mail.example.com:port"),
        ("MASSMAIL_BOUNCE_IMAP", "imap://user:secret@mail.example.com"),
    ],
)
def test_what_cannot_be_used_is_named_without_its_secret(name: str, value: str):
    with pytest.raises(SettingError) as refused:
        bounce_settings.read({name: value})
    assert name in str(refused.value)
    assert "secret" not in str(refused.value)


def test_a_mailbox_on_this_machine_may_go_without_tls():
    url = "imap://user:pw@127.0.0.1:1143/Bounces"
    assert bounce_settings.read({"MASSMAIL_BOUNCE_IMAP": url})["BOUNCE_IMAP"] == url


def test_what_only_the_first_mail_would_show_is_refused_at_the_start(sqlite_url: str, tmp_path: Path):
    with pytest.raises(
        SettingError, match="MASSMAIL_BOUNCE_ADDRESS: 'bounce@localhost' cannot be the address for bounces"
    ):
        make_app(sqlite_url, tmp_path, BOUNCE_ADDRESS="bounce@localhost")
