"""The public keys of DKIM as DNS has them (RFC 6376 section 3.6.1), and the selectors that a signature names."""

import re
from base64 import b64decode
from binascii import Error
from dataclasses import dataclass

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_der_public_key

from webapp.core.rules.sender_domains.answers import Lookup, sure, tags_of

FEWEST_BITS = 1024
"""RSA keys with fewer bits are not verified by anybody; with exactly these, some do not (RFC 8301 section 3.2)."""

ENOUGH_BITS = 2048

_SELECTOR = re.compile(r"[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?(?:\.[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?)*", re.I)


@dataclass(frozen=True, slots=True)
class PublishedKey:
    """A key as DNS shows it. `problem` says why it verifies nothing, as a part of a sentence, "" for a good one; `bits` of an RSA key;
    `alias`: the name that the record's name stands for."""

    public: str = ""
    problem: str = ""
    is_there: bool = True
    bits: int | None = None
    is_test: bool = False
    alias: str = ""

    @property
    def is_weak(self) -> bool:
        return self.bits is not None and self.bits < ENOUGH_BITS


def name_of(selector: str, domain: str) -> str:
    return f"{selector}._domainkey.{domain}"


def published(lookup: Lookup, selector: str, domain: str) -> PublishedKey:
    """The key at a selector. Raises DnsAway."""
    answer = sure(lookup(name_of(selector, domain), "TXT"))
    records = [text for text in answer.records if "p" in tags_of(text)]
    if not records:
        return PublishedKey("", "there is no key at this name", is_there=False, alias=answer.alias)
    if len(records) > 1:
        return PublishedKey(
            "", f"there are {len(records)} keys at this name, and there may be only one", alias=answer.alias
        )
    tags = tags_of(records[0])
    public = re.sub(r"\s", "", tags["p"])
    problem, bits = _judged(tags, public)
    return PublishedKey(public, problem, bits=bits, is_test="y" in tags.get("t", "").split(":"), alias=answer.alias)


def _judged(tags: dict[str, str], public: str) -> tuple[str, int | None]:
    if tags.get("v", "DKIM1") != "DKIM1":
        return f"its version is “{tags['v']}”, and not DKIM1", None
    if not public:
        return "it is revoked (p= is empty)", None
    if "h" in tags and "sha256" not in tags["h"].lower().split(":"):
        return "it takes no signatures with SHA-256 (h=)", None
    services = [service.strip() for service in tags.get("s", "*").split(":")]
    if not {"*", "email"} & set(services):
        return "it is not for mail (s=)", None
    try:
        data = b64decode(public, validate=True)
        if (kind := tags.get("k", "rsa").lower()) == "ed25519":
            Ed25519PublicKey.from_public_bytes(data)
            return "", None
        key = load_der_public_key(data)
    except (Error, ValueError, UnsupportedAlgorithm):
        return "what stands there is no key; was it cut off?", None
    if kind != "rsa" or not isinstance(key, RSAPublicKey):
        return f"its kind is “{kind}”, which receivers do not know", None
    if key.key_size < FEWEST_BITS:
        return f"it has {key.key_size} bits, which receivers do not accept any more", key.key_size
    return "", key.key_size


def selectors_in(text: str) -> list[tuple[str, str]]:
    """What somebody typed or pasted, as (selector, domain): words with commas or blanks between them, whose domain is "", or the header of
    a mail, out of whose DKIM-Signature fields both are taken (d= and s=).

    >>> selectors_in("mail, k1")
    [('mail', ''), ('k1', '')]
    """
    found: dict[tuple[str, str], None] = {}
    signatures = re.findall(r"^DKIM-Signature:(.*(?:\r?\n[ \t].*)*)", text, re.I | re.M)
    if signatures or re.search(r"\bs=", text):
        for signature in signatures or [text]:
            tags = tags_of(re.sub(r"\s+", " ", signature))
            if _SELECTOR.fullmatch(tags.get("s", "")):
                found[tags["s"].lower(), tags.get("d", "").lower()] = None
    else:
        for word in re.split(r"[\s,;]+", text):
            word = word.partition("._domainkey")[0]
            if _SELECTOR.fullmatch(word):
                found[word.lower(), ""] = None
    return list(found)
