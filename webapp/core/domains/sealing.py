"""Private keys at rest: sealed with a key that is derived from the installation's secret, so that a copy of the database alone signs
nothing."""

import secrets
from base64 import b64decode, b64encode
from binascii import Error

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

PURPOSE = b"massmail private keys of DKIM, 1"
_NONCE = 12
"""Octets, and random: a key seals a few hundred texts in its life (NIST SP 800-38D section 8.3 allows 2^32)."""


class SealBroken(Exception):
    """This was sealed with another secret, for something else, or was changed."""


class Seal:
    """Seals with AES-256-GCM under a key made of `secret` by HKDF (RFC 5869). What is sealed `about` one thing opens for no other."""

    def __init__(self, secret: str) -> None:
        self._cipher = AESGCM(HKDF(SHA256(), 32, salt=None, info=PURPOSE).derive(secret.encode()))

    def close(self, data: bytes, about: str) -> str:
        nonce = secrets.token_bytes(_NONCE)
        return b64encode(nonce + self._cipher.encrypt(nonce, data, about.encode())).decode()

    def open(self, text: str, about: str) -> bytes:
        """Raises SealBroken."""
        try:
            sealed = b64decode(text, validate=True)
            return self._cipher.decrypt(sealed[:_NONCE], sealed[_NONCE:], about.encode())
        except (InvalidTag, Error, ValueError):
            raise SealBroken("It was sealed with another secret (SECRET_KEY).") from None
