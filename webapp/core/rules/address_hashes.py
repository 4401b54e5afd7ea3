"""An address as a keyed hash: it can be found again by whoever has the address and the key, and says nothing to anybody else."""

import hashlib

PREFIX = "sha256:"
"""No address begins so: its first @ would stand behind a colon, which no address has outside quotation marks."""


def address_hash(key: str, address_key: str) -> str:
    """What stands for an address (in the form of `Address.key`) under a key: 64 hexadecimal digits behind `PREFIX`. The database's own
    function of this name makes the same of both."""
    return PREFIX + hashlib.sha256(f"{key}:{address_key}".encode()).hexdigest()
