"""Settings from the environment: what is taken, and what is refused with words that help."""

import re
from datetime import timedelta
from pathlib import Path

import pytest

from webapp.config import RelaySettings, Sentinels, sentinels, settings
from webapp.environ import SettingError


def of(folder: Path, **environ: str) -> dict[str, object]:
    return settings({"MASSMAIL_INSTANCE": str(folder)} | environ)


def test_no_proxy_is_believed_unless_it_is_said(tmp_path: Path):
    assert of(tmp_path)["TRUSTED_PROXIES"] == 0
    assert of(tmp_path, MASSMAIL_PROXIES="2")["TRUSTED_PROXIES"] == 2


@pytest.mark.parametrize("number", ["-1", "yes", "11"])
def test_a_number_of_proxies_that_cannot_be_is_refused_by_name(tmp_path: Path, number: str):
    with pytest.raises(SettingError, match=f"MASSMAIL_PROXIES is .*{number}"):
        of(tmp_path, MASSMAIL_PROXIES=number)


def test_a_url_of_sentinels_says_all_that_is_needed(tmp_path: Path):
    ca_file = tmp_path / "ca.pem"
    ca_file.touch()
    url = "rediss+sentinel://me:p%40ss@one:26380,[fd00::2]/3?master=mine&sentinel_password=other"
    given = of(tmp_path, REDIS_URL=url, REDIS_CA_FILE=str(ca_file))["REDIS_URL"]
    assert sentinels(str(given)) == Sentinels(
        hosts=(("one", 26380), ("fd00::2", 26379)),
        master="mine",
        db=3,
        username="me",
        password="p@ss",
        sentinel_password="other",
        tls=True,
        ca_file=str(ca_file),
    )
    assert sentinels("redis://127.0.0.1/0") is None


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("127.0.0.1:6379", "REDIS_URL begins with redis://"),
        ("http://one/0", "REDIS_URL begins with redis://"),
        ("redis+sentinel://one/0", "master"),
        ("redis+sentinel:///0?master=mine", "hosts"),
        ("redis+sentinel://one/first?master=mine", "database"),
        ("redis+sentinel://one:x/0?master=mine", "one:x"),
        ("redis+sentinel://one/0?master=mine&db=3", "has db behind its question mark"),
    ],
)
def test_a_redis_url_that_cannot_be_used_is_refused_with_what_it_should_be(tmp_path: Path, url: str, words: str):
    with pytest.raises(SettingError, match=re.escape(words)):
        of(tmp_path, REDIS_URL=url)


def test_a_certificate_authority_for_redis_is_for_tls_and_is_there(tmp_path: Path):
    (tmp_path / "ca.pem").touch()
    with pytest.raises(SettingError, match="rediss://"):
        of(tmp_path, REDIS_URL="redis://one/0", REDIS_CA_FILE=str(tmp_path / "ca.pem"))
    with pytest.raises(SettingError, match="not a file"):
        of(tmp_path, REDIS_URL="rediss://one/0", REDIS_CA_FILE=str(tmp_path / "none.pem"))


def test_a_prefix_for_redis_is_a_word(tmp_path: Path):
    assert of(tmp_path)["REDIS_PREFIX"] == ""
    assert of(tmp_path, MASSMAIL_REDIS_PREFIX="north:")["REDIS_PREFIX"] == "north:"
    with pytest.raises(SettingError, match="MASSMAIL_REDIS_PREFIX"):
        of(tmp_path, MASSMAIL_REDIS_PREFIX="north,south")


def test_a_missed_start_is_asked_about_after_half_an_hour_or_when_it_is_said_or_never(tmp_path: Path):
    assert of(tmp_path)["MISSED_START"] == timedelta(minutes=30)
    assert of(tmp_path, MASSMAIL_MISSED_START="90")["MISSED_START"] == timedelta(minutes=90)
    assert of(tmp_path, MASSMAIL_MISSED_START="0")["MISSED_START"] is None
    with pytest.raises(SettingError, match="MASSMAIL_MISSED_START is 'soon'"):
        of(tmp_path, MASSMAIL_MISSED_START="soon")


def test_a_relay_is_one_whichever_of_its_names_a_process_was_given():
    names = ("localhost", "LOCALHOST", "127.0.0.1", "::1")
    assert {RelaySettings(host=name, port=2525).key for name in names} == {"127.0.0.1:2525"}
    assert RelaySettings(host="Relay.Example.com.").key == RelaySettings(host="relay.example.com").key


def test_it_speaks_at_info_in_text_and_tells_no_numbers_unless_it_is_said(tmp_path: Path):
    given = of(tmp_path)
    assert (given["LOG_LEVEL"], given["LOG_JSON"], given["METRICS_TOKEN"]) == ("info", False, None)
    said = {"MASSMAIL_LOG_LEVEL": " Warning", "MASSMAIL_LOG_JSON": "1", "MASSMAIL_METRICS_TOKEN": "sixteen-letters!"}
    given = of(tmp_path, **said)
    assert (given["LOG_LEVEL"], given["LOG_JSON"], given["METRICS_TOKEN"]) == ("warning", True, "sixteen-letters!")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("MASSMAIL_LOG_LEVEL", "loud"),
        ("MASSMAIL_LOG_JSON", "perhaps"),
        ("MASSMAIL_METRICS_TOKEN", "too-short"),
        ("MASSMAIL_METRICS_TOKEN", "with a blank within it"),
    ],
)
def test_what_the_voice_cannot_be_set_to_is_refused_by_name(tmp_path: Path, name: str, value: str):
    with pytest.raises(SettingError, match=name):
        of(tmp_path, **{name: value})


def test_dns_servers_are_addresses_with_ports_and_dns_can_be_off(tmp_path: Path):
    said = "192.0.2.53, 127.0.0.1:5353 [2001:db8::53]:54 2001:db8::53"
    wanted = (("192.0.2.53", 53), ("127.0.0.1", 5353), ("2001:db8::53", 54), ("2001:db8::53", 53))
    assert of(tmp_path, MASSMAIL_DNS=said)["DNS"] == wanted
    assert of(tmp_path)["DNS"] == () and of(tmp_path, MASSMAIL_DNS=" Off ")["DNS"] is None


@pytest.mark.parametrize(
    "said", ["dns.example.com", "192.0.2", "192.0.2.1:0", "192.0.2.1:99999", "[192.0.2.1", "::1:x"]
)
def test_a_dns_server_that_is_no_address_is_named(tmp_path: Path, said: str):
    with pytest.raises(SettingError, match="MASSMAIL_DNS names"):
        of(tmp_path, MASSMAIL_DNS=said)
