"""Addresses as keyed hashes: to know again who must not be mailed, without knowing whom."""

import hashlib
import re

MARK = "sha256:"
"""Begins every hash; no address has it."""

HIDDEN = "(an address)"

_ADDRESS = re.compile(r"<?[^\s<>@:;,]+@[^\s<>@,;:]+>?")


def address_hash(key: str, address_key: str) -> str:
    """The hash of an address (as `Client.address_key` has it) with the installation's key. The databases make the same: PostgreSQL with a
    function of the schema, SQLite with this one."""
    return MARK + hashlib.sha256(f"{key}:{address_key}".encode("utf-8", "surrogatepass")).hexdigest()


def is_hash(address_key: str) -> bool:
    """Whether this is a hash, and no address."""
    return address_key.startswith(MARK)


def without_addresses(text: str) -> str:
    """The text with every address in it taken out: relays like to repeat the one that they refuse."""
    return _ADDRESS.sub(HIDDEN, text)
