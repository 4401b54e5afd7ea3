"""What tells one state of something from another: a page carries that of what it started from, so that it goes over nothing else."""

import hashlib
import json


def digest(value: object) -> str:
    """Equal for equal values, which JSON must be able to write."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:16]
