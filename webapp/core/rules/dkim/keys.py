"""Keys that sign: RSA with 2048 bits and Ed25519, as DNS shows them and as they sign (RFC 6376 section 3.6.1, RFC 8463)."""

from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa, utils
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

RSA_BITS = 2048
"""What all receivers verify; 1024 bits are too few for some (RFC 8301), and 4096 do not fit into what some DNS servers hold."""


class Algorithm(StrEnum):
    """How a key signs: the a= of a signature."""

    RSA = "rsa-sha256"
    ED25519 = "ed25519-sha256"

    @property
    def kind(self) -> str:
        """The k= of the record."""
        return self.value.partition("-")[0]

    @property
    def label(self) -> str:
        return "RSA, 2048 bits" if self is Algorithm.RSA else "Ed25519"


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A key of a domain (in ASCII) and how it signs a hash of SHA-256: the same signature each time. It signs mails whose Date is from
    `since` to before `until` (None: no end is known)."""

    domain: str
    selector: str
    algorithm: Algorithm
    sign: Callable[[bytes], bytes]
    since: datetime | None = None
    until: datetime | None = None

    def signs(self, date: datetime) -> bool:
        return (self.since is None or self.since <= date) and (self.until is None or date < self.until)


def made(algorithm: Algorithm) -> tuple[bytes, str]:
    """A new private key (PKCS #8, DER), and its public half in base64 as the record has it."""
    key: RSAPrivateKey | Ed25519PrivateKey
    if algorithm is Algorithm.RSA:
        key = rsa.generate_private_key(public_exponent=65537, key_size=RSA_BITS)
        public = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    else:
        key = Ed25519PrivateKey.generate()
        public = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    return key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()), b64encode(public).decode()


def opened(private: bytes) -> Callable[[bytes], bytes]:
    """How a private key (PKCS #8, DER) signs a hash. Raises ValueError for what is none."""
    key = serialization.load_der_private_key(private, password=None)
    if isinstance(key, Ed25519PrivateKey):
        return key.sign
    if not isinstance(key, RSAPrivateKey):
        raise ValueError("This is no key for DKIM.")
    rsa_key, scheme, hashed = key, padding.PKCS1v15(), utils.Prehashed(hashes.SHA256())
    return lambda digest: rsa_key.sign(digest, scheme, hashed)


def record_of(algorithm: Algorithm, public: str) -> str:
    """The TXT record to publish at `<selector>._domainkey.<domain>`."""
    return f"v=DKIM1; k={algorithm.kind}; p={public}"
