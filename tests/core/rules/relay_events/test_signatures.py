"""Who may report: a call is believed only as its relay sends it, with its key, in its time."""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from tests.core.rules.relay_events.calls import MAIL_ID, NOW, right, told, verify, with_header
from webapp.core.errors import Invalid
from webapp.core.rules.relay_events import mailgun, passwords, sendgrid
from webapp.core.rules.relay_events.providers import Provider, checked_key
from webapp.core.rules.relay_events.reading import Refused
from webapp.core.rules.relay_events.samples import Sample, sample

SIGNED_BODY = (Provider.SES, Provider.SENDGRID)
SIGNED_TIME = (Provider.SES, Provider.SENDGRID, Provider.MAILGUN)


def changed(raw: bytes) -> bytes:
    return raw.replace(b"nobody@", b"nobodz@", 1)


def without_signature(provider: Provider) -> Sample:
    call = right(provider)
    match provider:
        case Provider.SES:
            return call._replace(raw=json.dumps(told(provider) | {"Signature": ""}).encode())
        case Provider.MAILGUN:
            return call._replace(raw=json.dumps({"event-data": told(provider)["event-data"]}).encode())
    return call._replace(headers={})


@pytest.mark.parametrize("provider", Provider)
def test_a_relays_own_call_is_believed(provider: Provider):
    verify(provider, right(provider))


@pytest.mark.parametrize("provider", Provider)
def test_a_call_made_with_another_key_is_refused(provider: Provider):
    other = sample(provider, NOW, MAIL_ID)
    forged = right(provider)._replace(raw=other.raw, headers=other.headers)
    with pytest.raises(Refused):
        verify(provider, forged)


@pytest.mark.parametrize("provider", SIGNED_BODY)
def test_a_body_changed_by_one_letter_is_refused(provider: Provider):
    call = right(provider)
    raw = changed(call.raw)
    assert raw != call.raw
    with pytest.raises(Refused, match="does not fit"):
        verify(provider, call._replace(raw=raw))


@pytest.mark.parametrize("provider", Provider)
def test_a_call_without_a_proof_is_refused(provider: Provider):
    with pytest.raises(Refused):
        verify(provider, without_signature(provider))


@pytest.mark.parametrize("provider", Provider)
def test_a_source_whose_key_was_not_entered_yet_believes_nobody(provider: Provider):
    call = right(provider)._replace(key="")
    if provider is Provider.MAILGUN:  # an empty key is one that everybody knows
        body = told(provider)
        signed = f"{body['signature']['timestamp']}{body['signature']['token']}".encode()
        body["signature"]["signature"] = hmac.new(b"", signed, hashlib.sha256).hexdigest()
        call = call._replace(raw=json.dumps(body).encode())
    with pytest.raises(Refused, match="not entered"):
        verify(provider, call)


@pytest.mark.parametrize(
    ("provider", "lasts"),
    [
        (Provider.MAILGUN, timedelta(hours=8)),
        (Provider.SENDGRID, timedelta(hours=24)),
        (Provider.SES, timedelta(hours=1)),
    ],
)
def test_a_repeat_within_the_time_in_which_the_relay_tries_is_believed(provider: Provider, lasts: timedelta):
    verify(provider, right(provider), NOW + lasts - timedelta(minutes=59 if lasts.seconds < 7200 else 0))


@pytest.mark.parametrize("provider", [Provider.MAILGUN, Provider.SENDGRID])
def test_a_call_that_was_signed_long_ago_is_refused_for_good(provider: Provider):
    with pytest.raises(Refused, match="too long ago") as refusal:
        verify(provider, right(provider), NOW + timedelta(hours=26))
    assert refusal.value.is_final


@pytest.mark.parametrize("provider", [Provider.MAILGUN, Provider.SENDGRID])
def test_a_call_from_the_future_is_refused(provider: Provider):
    with pytest.raises(Refused, match="later than now"):
        verify(provider, right(provider), NOW - timedelta(minutes=6))


@pytest.mark.parametrize("time", ["", "x", "1e9", "-5", None, 10**30, True, [], "٣٣٣"])
def test_mailguns_time_may_be_anything_and_only_a_number_counts(time: object):
    body = told(Provider.MAILGUN)
    body["signature"]["timestamp"] = time
    key = right(Provider.MAILGUN).key
    message = f"{time}{body['signature']['token']}".encode()
    body["signature"]["signature"] = hmac.new(key.encode(), message, hashlib.sha256).hexdigest()
    with pytest.raises(Refused):
        verify(Provider.MAILGUN, Sample(json.dumps(body).encode(), {}, key))


def test_mailguns_time_may_be_a_number_in_json():
    body = told(Provider.MAILGUN)
    body["signature"]["timestamp"] = int(body["signature"]["timestamp"])
    verify(Provider.MAILGUN, right(Provider.MAILGUN)._replace(raw=json.dumps(body).encode()))


def test_mailguns_signature_of_the_account_above_counts_too():
    body = told(Provider.MAILGUN)
    body["signature"]["parent-signature"] = body["signature"]["signature"]
    body["signature"]["signature"] = "0" * 64
    verify(Provider.MAILGUN, right(Provider.MAILGUN)._replace(raw=json.dumps(body).encode()))


def test_sendgrids_own_published_example_is_believed():
    """The key, time and signature that its libraries are tested with."""
    key = "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEEDr2LjtURuePQzplybdC+u4CwrqDqBaWjcMMsTbhdbcwHBcepxo7yAQGhHPTnlvFYPAZFceEu/1FwCM/QmGUhA=="
    signature = "MEUCIQCtIHJeH93Y+qpYeWrySphQgpNGNr/U+UyUlBkU6n7RAwIgJTz2C+8a8xonZGi6BpSzoQsbVRamr2nlxFDWYNH2j/0="
    raw = b'{"category":"example_payload","event":"test_event","message_id":"message_id"}'
    headers = {sendgrid.SIGNATURE: signature, sendgrid.TIMESTAMP: "1588788367"}
    then = datetime.fromtimestamp(1588788367, UTC)
    sendgrid.verify(raw, headers, key, then)
    with pytest.raises(Refused):
        sendgrid.verify(raw + b"\n", headers, key, then)


@pytest.mark.parametrize(
    "change", [str.lower, lambda text: text[:-4], lambda _text: "é", lambda _text: "====", lambda text: text + "!"]
)
def test_a_broken_signature_of_sendgrids_is_a_refusal_and_nothing_else(change: Callable[[str], str]):
    with pytest.raises(Refused):
        verify(Provider.SENDGRID, with_header(right(Provider.SENDGRID), sendgrid.SIGNATURE, change))


def test_sendgrids_time_is_signed():
    late = with_header(right(Provider.SENDGRID), sendgrid.TIMESTAMP, lambda time: str(int(time) + 1))
    with pytest.raises(Refused, match="does not fit"):
        verify(Provider.SENDGRID, late)


@pytest.mark.parametrize("provider", [Provider.POSTMARK, Provider.BREVO])
@pytest.mark.parametrize(
    "header",
    [
        "Basic",
        "Basic !",
        "Basic " + base64.b64encode(b"massmail:wrong").decode(),
        "Bearer",
        "Bearer wrong",
        "Digest x",
        "\xff",
        "Basic w6k=",
    ],
)
def test_another_password_is_refused(provider: Provider, header: str):
    with pytest.raises(Refused):
        verify(provider, right(provider)._replace(headers={"Authorization": header}))


@pytest.mark.parametrize("provider", [Provider.POSTMARK, Provider.BREVO])
@pytest.mark.parametrize("scheme", ["Basic", "basic", "Bearer", "bearer"])
def test_the_password_counts_in_either_form(provider: Provider, scheme: str):
    value = base64.b64encode(b"anybody:secret").decode() if scheme.lower() == "basic" else "secret"
    headers = {"Authorization": f"{scheme} {value}"}
    verify(provider, right(provider)._replace(headers=headers, key=passwords.kept("secret")))


@pytest.mark.parametrize(
    ("provider", "given"),
    [
        (Provider.SES, "arn:aws:sns:eu-central-1:1:x"),
        (Provider.SES, "arn:aws:sqs:eu-central-1:123456789012:x"),
        (Provider.MAILGUN, "short"),
        (Provider.MAILGUN, "with a blank in it, and long"),
        (Provider.SENDGRID, "MFkw"),
        (Provider.SENDGRID, "-----BEGIN PUBLIC KEY-----"),
        (Provider.POSTMARK, "a password of my own"),
    ],
)
def test_what_cannot_be_a_key_is_refused_when_it_is_entered(provider: Provider, given: str):
    with pytest.raises(Invalid):
        checked_key(provider, given)


@pytest.mark.parametrize("provider", [Provider.SES, Provider.MAILGUN, Provider.SENDGRID])
def test_a_key_is_taken_with_blanks_around_it(provider: Provider):
    key = right(provider).key
    assert checked_key(provider, f" {key}\n") == key


def test_a_verification_key_may_come_as_pem():
    key = right(Provider.SENDGRID).key
    pem = f"-----BEGIN PUBLIC KEY-----\n{key[:64]}\n{key[64:]}\n-----END PUBLIC KEY-----\n"
    verify(Provider.SENDGRID, right(Provider.SENDGRID)._replace(key=checked_key(Provider.SENDGRID, pem)))


def test_mailguns_event_is_named_by_its_token():
    """The signature does not cover the body, so that a token may come with one body only is for who remembers tokens to see."""
    raw = right(Provider.MAILGUN).raw
    first, other = (mailgun.events(one)[0].event_key for one in (raw, changed(raw)))
    assert first == other == told(Provider.MAILGUN)["signature"]["token"]
