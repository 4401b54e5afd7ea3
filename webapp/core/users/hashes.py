"""What the database keeps of a token: enough to know it again, too little to use it."""

import hashlib


def hashed(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()
