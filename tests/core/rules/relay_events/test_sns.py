"""Amazon's envelopes: what is signed, by whose certificate, and of which topic."""

import base64
import json
from datetime import timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA1, SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from tests.core.rules.relay_events.calls import NOW, right, told, verify
from webapp.core.rules.relay_events import ses, sns
from webapp.core.rules.relay_events.providers import Provider
from webapp.core.rules.relay_events.reading import Refused
from webapp.core.rules.relay_events.samples import TOPIC, Sample

KEY = rsa.generate_private_key(65537, 2048)
CERTIFICATE_URL = "https://sns.eu-central-1.amazonaws.com/SimpleNotificationService-0123.pem"
CONFIRM = f"https://sns.eu-central-1.amazonaws.com/?Action=ConfirmSubscription&TopicArn={TOPIC}&Token=abc"


def certificate(
    name: str = "sns.amazonaws.com", *, key: Any = KEY, from_days: int = -1, days: int = 1, other: str = ""
) -> bytes:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    made = x509.CertificateBuilder().subject_name(subject).issuer_name(subject).public_key(key.public_key())
    made = (
        made.serial_number(1)
        .not_valid_before(NOW + timedelta(days=from_days))
        .not_valid_after(NOW + timedelta(days=days))
    )
    if other:
        made = made.add_extension(x509.SubjectAlternativeName([x509.DNSName(other)]), False)
    return made.sign(key, SHA256()).public_bytes(Encoding.PEM)


def envelope(version: str = "2", **fields: Any) -> dict[str, Any]:
    """A notification as SNS writes it, signed by KEY: the lines that are signed stand here as its documentation shows them."""
    given: dict[str, Any] = {
        "Type": "Notification",
        "MessageId": "m-1",
        "TopicArn": TOPIC,
        "Message": '{"eventType": "Open"}\nand more: ä€😀',
        "Timestamp": "2026-11-23T08:59:30.123Z",
        "SigningCertURL": CERTIFICATE_URL,
        "SignatureVersion": version,
    } | fields
    if given["Type"] == "Notification":
        names = [
            "Message",
            "MessageId",
            *(["Subject"] if given.get("Subject") else []),
            "Timestamp",
            "TopicArn",
            "Type",
        ]
    else:
        names = ["Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"]
    text = "".join(name + "\n" + str(given.get(name)) + "\n" for name in names)
    hashed = SHA1() if version == "1" else SHA256()
    return {"Signature": base64.b64encode(KEY.sign(text.encode(), PKCS1v15(), hashed)).decode()} | given


def call(body: object, pem: bytes | None = None, **headers: str) -> Sample:
    return Sample(json.dumps(body).encode(), headers, TOPIC, pem or certificate())


def subscription(kind: str = "SubscriptionConfirmation", **fields: Any) -> dict[str, Any]:
    return envelope(Type=kind, Message="You have chosen to subscribe", Token="abc", SubscribeURL=CONFIRM, **fields)


@pytest.mark.parametrize("version", ["1", "2"])
@pytest.mark.parametrize("fields", [{}, {"Subject": "Amazon SES Email Event Notification"}])
def test_both_versions_of_the_signature_are_believed(version: str, fields: dict[str, Any]):
    verify(Provider.SES, call(envelope(version, **fields)))


@pytest.mark.parametrize("kind", ["SubscriptionConfirmation", "UnsubscribeConfirmation"])
def test_what_is_about_the_subscription_is_signed_and_reports_nothing(kind: str):
    body = subscription(kind)
    verify(Provider.SES, call(body))
    assert ses.events(json.dumps(body).encode()) == []


@pytest.mark.parametrize("name", ["Message", "MessageId", "Timestamp", "Type", "Subject"])
def test_each_signed_field_counts(name: str):
    body = envelope(Subject="News")
    body[name] = "SubscriptionConfirmation" if name == "Type" else body[name].replace("0", "1") + "x"
    with pytest.raises(Refused):
        verify(Provider.SES, call(body | {"Token": "abc", "SubscribeURL": CONFIRM}))


def test_a_version_is_not_taken_for_another():
    with pytest.raises(Refused, match="does not fit"):
        verify(Provider.SES, call(envelope("2") | {"SignatureVersion": "1"}))


@pytest.mark.parametrize("version", ["0", "3", 2, None, [], "sha256"])
def test_an_unknown_version_is_refused(version: object):
    with pytest.raises(Refused, match="version"):
        verify(Provider.SES, call(envelope() | {"SignatureVersion": version}))


def test_another_topic_is_refused_though_amazon_has_signed():
    with pytest.raises(Refused, match="another topic") as refusal:
        verify(Provider.SES, call(envelope(TopicArn=TOPIC + "-of-somebody-else")))
    assert refusal.value.is_final


def test_a_message_without_its_envelope_is_refused_with_what_to_do():
    with pytest.raises(Refused, match="raw message delivery"):
        verify(Provider.SES, call({"eventType": "Bounce"}, **{sns.RAW: "true"}))
    with pytest.raises(Refused, match="no message of Amazon SNS"):
        verify(Provider.SES, call({"eventType": "Bounce"}))


@pytest.mark.parametrize(
    "name", ["sns.amazonaws.com", "sns.eu-central-1.amazonaws.com", "sns-cn-north-1.amazonaws.com.cn"]
)
def test_a_certificate_of_the_service_is_good(name: str):
    verify(Provider.SES, call(envelope(), certificate(name)))
    verify(Provider.SES, call(envelope(), certificate("Amazon", other=name)))


@pytest.mark.parametrize(
    "name",
    [
        "example.com",
        "evil-sns.amazonaws.com",
        "sns.amazonaws.com.example.com",
        "s3.amazonaws.com",
        "snsx.amazonaws.com",
    ],
)
def test_a_certificate_of_somebody_else_is_refused(name: str):
    with pytest.raises(Refused, match="not that of Amazon SNS"):
        verify(Provider.SES, call(envelope(), certificate(name)))


@pytest.mark.parametrize(("from_days", "days"), [(-9, -1), (1, 9)])
def test_a_certificate_out_of_its_time_is_refused(from_days: int, days: int):
    with pytest.raises(Refused, match="not valid at this time"):
        verify(Provider.SES, call(envelope(), certificate(from_days=from_days, days=days)))


def test_a_weak_or_another_kind_of_key_is_refused():
    for key in (rsa.generate_private_key(65537, 1024), ec.generate_private_key(ec.SECP256R1())):
        with pytest.raises(Refused, match="another kind of key"):
            verify(Provider.SES, call(envelope(), certificate(key=key)))


@pytest.mark.parametrize(
    "pem", [b"x", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", b"\xff" * 100]
)
def test_what_is_no_certificate_is_refused(pem: bytes):
    with pytest.raises(Refused, match="cannot be read"):
        verify(Provider.SES, call(envelope(), pem))


BAD_PLACES = [
    "http://sns.eu-central-1.amazonaws.com/a.pem",
    "https://sns.eu-central-1.amazonaws.com:444/a.pem",
    "https://user@sns.eu-central-1.amazonaws.com/a.pem",
    "https://sns.eu-central-1.amazonaws.com@example.com/a.pem",
    "https://sns.eu-central-1.amazonaws.com.example.com/a.pem",
    "https://example.com/sns.eu-central-1.amazonaws.com/a.pem",
    "https://sns.eu-central-1.amazonaws.com\\@example.com/a.pem",
    "https://sns.eu-central-1.amazonaws.com/a.pem#x",
    "https://sns.us-east-1.amazonaws.com/a.pem",
    "https://s3.eu-central-1.amazonaws.com/a.pem",
    "https://sns.eu-central-1.amazonaws.com/a.pem\r\nHost: x",
    "https://sns.éu-central-1.amazonaws.com/a.pem",
    "https://[::1]/a.pem",
    "https://[/a.pem",
    "",
    None,
    7,
]


@pytest.mark.parametrize(
    "place", [*BAD_PLACES, CONFIRM, CERTIFICATE_URL + "?x", "https://sns.eu-central-1.amazonaws.com/../a.pem"]
)
def test_a_certificate_that_lies_elsewhere_is_not_fetched(place: object):
    fetched = []
    body = envelope() | {"SigningCertURL": place}
    with pytest.raises(Refused, match="does not lie with Amazon SNS"):
        sns.verify(json.dumps(body).encode(), {}, TOPIC, NOW, lambda url: fetched.append(url) or certificate())
    assert fetched == []


def test_a_certificate_lies_with_sns_in_the_topics_region_also_in_china():
    assert sns.is_certificate(CERTIFICATE_URL, TOPIC)
    chinese = "arn:aws-cn:sns:cn-north-1:123456789012:mails"
    assert sns.is_certificate("https://sns.cn-north-1.amazonaws.com.cn/a.pem", chinese)


OTHER = TOPIC + "2"
BAD_CONFIRMATIONS = [
    *BAD_PLACES,
    CONFIRM.replace(TOPIC, OTHER),
    CONFIRM + f"&TopicArn={OTHER}",
    CONFIRM.replace("ConfirmSubscription", "DeleteTopic"),
    CONFIRM + "&Action=DeleteTopic",
    CONFIRM.replace("/?", "/x?"),
    CERTIFICATE_URL,
]


@pytest.mark.parametrize("place", BAD_CONFIRMATIONS)
def test_only_the_subscription_of_the_configured_topic_is_confirmed(place: object):
    assert sns.is_confirmation(CONFIRM, TOPIC)
    assert not sns.is_confirmation(place, TOPIC)


def test_the_certificate_is_checked_for_what_was_sent_not_for_what_is_read_later():
    """Twice the same name in an envelope: what is verified is what is read."""
    raw = right(Provider.SES).raw
    twice = raw[:-1] + b', "Message": "{}"}'
    with pytest.raises(Refused, match="does not fit"):
        verify(Provider.SES, right(Provider.SES)._replace(raw=twice))
    assert told(Provider.SES)["Message"]
