"""Amazon SNS, by which SES reports: envelopes around messages, each signed, and subscriptions that want to be confirmed.

https://docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message.html
"""

import base64
import re
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from urllib.parse import parse_qs, urlsplit

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA1, SHA256
from cryptography.x509.oid import NameOID

from webapp.core.rules.relay_events import reading
from webapp.core.rules.relay_events.reading import Refused

TOPIC = re.compile(
    r"arn:aws(?:-cn|-us-gov)?:sns:(?P<region>[a-z]{2}(?:-[a-z]+)+-\d{1,2}):\d{12}:[A-Za-z0-9_-]{1,256}(?:\.fifo)?"
)
HOST = re.compile(r"sns\.(?P<region>[a-z]{2}(?:-[a-z]+)+-\d{1,2})\.amazonaws\.com(?:\.cn)?")
CERTIFIED = re.compile(r"sns(?:[.-][a-z0-9-]{1,40})?\.amazonaws\.com(?:\.cn)?")
"""Whose certificate signs: the service's, as a whole or of a region."""

LASTS = timedelta(hours=24)
"""SNS tries for an hour at most (.../dg/sns-message-delivery-retries.html), with the signature of the first time."""

WEAKEST_BITS = 2048
RAW = "X-Amz-Sns-Rawdelivery"


class Kind(StrEnum):
    """What an envelope is about."""

    NOTIFICATION = "Notification"
    SUBSCRIPTION = "SubscriptionConfirmation"
    END = "UnsubscribeConfirmation"


SIGNED = {
    Kind.NOTIFICATION: ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"),
    Kind.SUBSCRIPTION: ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"),
    Kind.END: ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"),
}
"""The fields that are signed, in this order; one that is not there (a Subject) is left out."""

Certificate = Callable[[str], bytes]
"""Fetches the certificate at an address that `is_of_sns` has found good. Raises Refused when it cannot."""


def envelope(raw: bytes) -> tuple[Kind, Mapping[str, Any]]:
    """An envelope and its kind, whose fields to sign are texts. Raises Refused."""
    told = reading.some(reading.parsed(raw))
    try:
        kind = Kind(reading.words(told.get("Type"), 40))
    except ValueError:
        raise Refused("It is no message of Amazon SNS.", is_final=True) from None
    for name in SIGNED[kind]:
        if not isinstance(told.get(name), str) and not (name == "Subject" and told.get(name) is None):
            raise Refused(f"It is a message of Amazon SNS without its {name}.", is_final=True)
    return kind, told


def canonical(kind: Kind, told: Mapping[str, Any]) -> bytes:
    """What is signed: each name and its value, each on a line."""
    fields = [(name, told.get(name)) for name in SIGNED[kind]]
    return "".join(f"{name}\n{value}\n" for name, value in fields if value is not None).encode("utf-8", "surrogatepass")


def is_of_sns(url: object, topic: str) -> bool:
    """Whether an address is one of SNS in the topic's region, by https and without anything that could lead elsewhere."""
    wanted = TOPIC.fullmatch(topic)
    if not isinstance(url, str) or not wanted or not url.isascii() or not url.isprintable() or len(url) > 2_000:
        return False
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    host = HOST.fullmatch(parts.netloc)  # the whole of it: no user, no port
    is_ours = host is not None and host["region"] == wanted["region"]
    return is_ours and parts.scheme == "https" and not parts.fragment and "\\" not in url


def is_certificate(url: object, topic: str) -> bool:
    """Whether an address is that of a certificate of SNS."""
    return (
        is_of_sns(url, topic)
        and bool(re.fullmatch(r"/[A-Za-z0-9_.-]+\.pem", urlsplit(str(url)).path))
        and "?" not in str(url)
    )


def is_confirmation(url: object, topic: str) -> bool:
    """Whether an address, when it is called, confirms a subscription to this very topic and does nothing else."""
    if not is_of_sns(url, topic):
        return False
    parts = urlsplit(str(url))
    asked = parse_qs(parts.query, max_num_fields=10)
    return parts.path == "/" and asked.get("Action") == ["ConfirmSubscription"] and asked.get("TopicArn") == [topic]


def verify(raw: bytes, headers: Mapping[str, str], key: str, now: datetime, certificate: Certificate) -> None:
    """Refused unless SNS has signed this for the topic `key`.

    The certificate comes without those above it, so its chain cannot be followed; that it is Amazon's is known by the address it is fetched
    from, whose own certificate is checked by TLS. Its name, its time and its key are looked at here.
    """
    if headers.get(RAW, "").lower() == "true":
        raise Refused(
            "It was delivered raw, without a signature. Switch off “raw message delivery” of the subscription.",
            is_final=True,
        )
    kind, told = envelope(raw)
    if told["TopicArn"] != key:
        raise Refused("It is of another topic than the one that was entered here.", is_final=True)
    version = told.get("SignatureVersion")
    if version not in ("1", "2"):
        raise Refused("Its signature is of a version that is not known here.", is_final=True)
    if not is_certificate(told.get("SigningCertURL"), key):
        raise Refused("Its certificate does not lie with Amazon SNS in the topic's region.", is_final=True)
    public = _public_key(certificate(told["SigningCertURL"]), now)
    try:
        signature = base64.b64decode(reading.words(told.get("Signature"), 4_000), validate=True)
        public.verify(signature, canonical(kind, told), PKCS1v15(), SHA1() if version == "1" else SHA256())
    except (ValueError, InvalidSignature, UnsupportedAlgorithm):
        raise Refused("Its signature does not fit what was sent.", is_final=True) from None
    reading.in_time(reading.written(told["Timestamp"]), now, LASTS)


def _public_key(pem: bytes, now: datetime) -> RSAPublicKey:
    """The key of a certificate that is SNS's by its name, and valid now."""
    try:
        found = x509.load_pem_x509_certificate(pem)
        names = {str(one.value) for one in found.subject.get_attributes_for_oid(NameOID.COMMON_NAME)}
        names |= _also_named(found)
        public = found.public_key()
    except (ValueError, UnsupportedAlgorithm):
        raise Refused("Its certificate cannot be read.") from None
    if not any(CERTIFIED.fullmatch(name) for name in names):
        raise Refused("Its certificate is not that of Amazon SNS.", is_final=True)
    if not found.not_valid_before_utc <= now <= found.not_valid_after_utc:
        raise Refused("Its certificate is not valid at this time.")
    if not isinstance(public, RSAPublicKey) or public.key_size < WEAKEST_BITS:
        raise Refused("Its certificate has another kind of key than Amazon SNS has.", is_final=True)
    return public


def _also_named(certificate: x509.Certificate) -> set[str]:
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except x509.ExtensionNotFound:
        return set()
    return set(names.value.get_values_for_type(x509.DNSName))
