"""A report as each relay sends it, of a mail to nobody, signed with a key made for the trial: so that all that stands between a call and
its record can be tried before the relay calls for the first time."""

import base64
import hmac
import json
import secrets
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID

from webapp.core.rules.relay_events import passwords, sendgrid, sns
from webapp.core.rules.relay_events.matching import KEY
from webapp.core.rules.relay_events.providers import Provider

NOBODY = "nobody@example.com"
SAID = "550 5.1.1 No such mailbox"
REGION = "eu-central-1"
TOPIC = f"arn:aws:sns:{REGION}:123456789012:mail-events"


class Sample(NamedTuple):
    """A call, and what proves it: the key as a source keeps it, and the certificate where there is one."""

    raw: bytes
    headers: Mapping[str, str]
    key: str
    certificate: bytes = b""


def sample(provider: Provider, now: datetime, mail_id: str) -> Sample:
    """The report that a mail to NOBODY came back for good, with the mail's id as `matching.py` sends it along."""
    return _SAMPLES[provider](now, mail_id)


def _json(value: object) -> bytes:
    return json.dumps(value).encode()


def _mailgun(now: datetime, mail_id: str) -> Sample:
    key, token, time = secrets.token_hex(16), secrets.token_hex(25), str(int(now.timestamp()))
    signature = hmac.new(key.encode(), (time + token).encode(), "sha256").hexdigest()
    told = {
        "event": "failed",
        "severity": "permanent",
        "reason": "bounce",
        "timestamp": now.timestamp(),
        "recipient": NOBODY,
        "message": {"headers": {"message-id": f"{mail_id}@example.com", "to": NOBODY}},
        "delivery-status": {"code": 550, "enhanced-code": "5.1.1", "message": SAID},
        "user-variables": {KEY: mail_id},
    }
    signed = {"timestamp": time, "token": token, "signature": signature}
    return Sample(_json({"signature": signed, "event-data": told}), {}, key)


def _postmark(now: datetime, mail_id: str) -> Sample:
    password = secrets.token_urlsafe(24)
    told = {
        "RecordType": "Bounce",
        "Type": "HardBounce",
        "TypeCode": 1,
        "ID": secrets.randbelow(1 << 40),
        "MessageID": secrets.token_hex(16),
        "Email": NOBODY,
        "Details": f"smtp;{SAID}",
        "BouncedAt": now.isoformat(),
        "Metadata": {KEY: mail_id},
        "MessageStream": "broadcast",
    }
    basic = base64.b64encode(f"{passwords.USER}:{password}".encode()).decode()
    return Sample(_json(told), {"Authorization": f"Basic {basic}"}, passwords.kept(password))


def _brevo(now: datetime, mail_id: str) -> Sample:
    token = secrets.token_urlsafe(24)
    told = {
        "event": "hard_bounce",
        "email": NOBODY,
        "id": 1,
        "message-id": f"<{mail_id}@example.com>",
        "ts_event": int(now.timestamp()),
        "reason": SAID,
        "X-Mailin-custom": mail_id,
    }
    return Sample(_json(told), {"Authorization": f"Bearer {token}"}, passwords.kept(token))


def _sendgrid(now: datetime, mail_id: str) -> Sample:
    private = ec.generate_private_key(ec.SECP256R1())
    public = private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    told = {
        "event": "bounce",
        "type": "bounce",
        "email": NOBODY,
        "timestamp": int(now.timestamp()),
        "smtp-id": f"<{mail_id}@example.com>",
        "status": "5.1.1",
        "reason": SAID,
        "sg_event_id": secrets.token_urlsafe(16),
        "sg_message_id": secrets.token_urlsafe(16),
        KEY: mail_id,
    }
    raw, time = _json([told]), str(int(now.timestamp()))
    signature = base64.b64encode(private.sign(time.encode() + raw, ec.ECDSA(SHA256()))).decode()
    headers = {sendgrid.SIGNATURE: signature, sendgrid.TIMESTAMP: time}
    return Sample(raw, headers, base64.b64encode(public).decode())


def _ses(now: datetime, mail_id: str) -> Sample:
    private = rsa.generate_private_key(65537, sns.WEAKEST_BITS)
    at = now.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    person = {"emailAddress": NOBODY, "action": "failed", "status": "5.1.1", "diagnosticCode": f"smtp; {SAID}"}
    told = {
        "eventType": "Bounce",
        "bounce": {
            "bounceType": "Permanent",
            "bounceSubType": "NoEmail",
            "bouncedRecipients": [person],
            "timestamp": at,
            "feedbackId": secrets.token_hex(16),
        },
        "mail": {
            "timestamp": at,
            "messageId": secrets.token_hex(16),
            "destination": [NOBODY],
            "headers": [{"name": "Message-ID", "value": f"<{mail_id}@example.com>"}],
            "tags": {KEY: [mail_id.replace(".", "-")]},
        },
    }
    envelope: dict[str, Any] = {
        "Type": sns.Kind.NOTIFICATION.value,
        "MessageId": secrets.token_hex(16),
        "TopicArn": TOPIC,
        "Message": json.dumps(told),
        "Timestamp": at,
        "SignatureVersion": "2",
        "SigningCertURL": f"https://sns.{REGION}.amazonaws.com/SimpleNotificationService-{secrets.token_hex(16)}.pem",
    }
    signed = private.sign(sns.canonical(sns.Kind.NOTIFICATION, envelope), PKCS1v15(), SHA256())
    envelope["Signature"] = base64.b64encode(signed).decode()
    return Sample(_json(envelope), {}, TOPIC, _certificate(private, now))


def _certificate(private: rsa.RSAPrivateKey, now: datetime) -> bytes:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sns.amazonaws.com")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .sign(private, SHA256())
    )
    return made.public_bytes(Encoding.PEM)


_SAMPLES: Mapping[Provider, Callable[[datetime, str], Sample]] = {
    Provider.SES: _ses,
    Provider.MAILGUN: _mailgun,
    Provider.POSTMARK: _postmark,
    Provider.SENDGRID: _sendgrid,
    Provider.BREVO: _brevo,
}
