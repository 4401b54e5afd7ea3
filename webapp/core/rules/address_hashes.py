"""Addresses as keyed hashes: to know again who must not be mailed, without knowing whom."""

import hashlib

MARK = "sha256:"
"""Begins every hash; no address has it."""


def address_hash(key: str, address_key: str) -> str:
    """The hash of an address (as `Client.address_key` has it) with the installation's key. The databases make the same: PostgreSQL with a
    function of the schema, SQLite with this one."""
    return MARK + hashlib.sha256(f"{key}:{address_key}".encode("utf-8", "surrogatepass")).hexdigest()
