"""Tokens of a mail's own links, and of its return path: each names one delivery, is good for one purpose, and cannot be guessed.

A token is the number of a key, the delivery's id and 96 bits of a keyed hash (BLAKE2b, RFC 7693), in hexadecimal digits; that of a return
path has letters in place of the digits, so that no server mistakes it for anything. Capitals and small letters are the same. Nothing in it
is about a person, and nothing has to be remembered of it: it is good for as long as its key is known and its delivery, or else its client.
"""

import re
import secrets
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import blake2b
from hmac import compare_digest

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from webapp.core.rules.message.parts import NO_TOKEN
from webapp.core.tables.consent import LinkKey

IN_FORCE_AFTER = timedelta(minutes=1)
"""A new key is used by broadcasts that start this long after it was made: then every sending process knows of it."""

_TOGETHER = 5
"""Deliveries that follow each other and share one hash, each with a part of its own: BLAKE2b gives 64 octets for the price of 12."""
_DIGITS = 24
"""Hexadecimal digits of a hash's part: 96 bits."""

_TOKEN = re.compile(r"([0-9a-f]{4})([0-9a-f]{16})([0-9a-f]{24})")
_HEX, _LETTERS = "0123456789abcdef", "abcdefghijklmnop"
_AS_LETTERS = str.maketrans(_HEX, _LETTERS)
_AS_HEX = str.maketrans(_LETTERS + "0123456789", _HEX + "x" * 10)

LARGEST_KEY = 0xFFFF


class TokenPurpose(StrEnum):
    """What a token is good for. BOUNCE is that of a return path; CLICK leads on where a mail's links lead, OPEN tells that
    it was opened."""

    UNSUBSCRIBE = "unsubscribe"
    BROWSER = "browser"
    BOUNCE = "bounce"
    CLICK = "click"
    OPEN = "open"


class Tokens:
    """Makes the tokens of one purpose under one key. Threads may share it.

    >>> Tokens(1, "secret", TokenPurpose.UNSUBSCRIBE).of(73_014_444_055)
    '00010000001100000017a1dbbfe66bb15cf1ee65b211'
    """

    def __init__(self, key_id: int, secret: str, purpose: TokenPurpose) -> None:
        if not 0 < key_id <= LARGEST_KEY:
            raise ValueError(f"a token has no place for key {key_id}")
        key = blake2b(secret.encode(), digest_size=32).digest()
        self._begun = blake2b(key=key, person=purpose.encode(), digest_size=_TOGETHER * _DIGITS // 2)
        self._is_in_letters = purpose is TokenPurpose.BOUNCE
        stem = f"{key_id:04x}"
        self._stem = stem.translate(_AS_LETTERS) if self._is_in_letters else stem
        self._last = (-1, "")  # the last hash and what it was of, in one step, as threads may share it

    def of(self, delivery_id: int) -> str:
        """The token of a delivery: the same each time."""
        group, place = divmod(delivery_id, _TOGETHER)
        hashed, parts = self._last
        if hashed != group:
            hash_ = self._begun.copy()
            hash_.update(b"%d" % group)
            parts = hash_.hexdigest()
            if self._is_in_letters:  # of five at a time, as it takes as long as the rest
                parts = parts.translate(_AS_LETTERS)
            self._last = group, parts
        number = f"{delivery_id:016x}"
        if self._is_in_letters:
            number = number.translate(_AS_LETTERS)
        return f"{self._stem}{number}{parts[_DIGITS * place : _DIGITS * (place + 1)]}"


def delivery_of(session: Session, purpose: TokenPurpose, text: str) -> int | None:
    """The id of the delivery that a token is of; None for what is none of this purpose. The delivery may be gone."""
    found = _TOKEN.fullmatch(_digits(purpose, text))
    if found is None:
        return None
    key_id, delivery_id = int(found[1], 16), int(found[2], 16)
    secret = session.scalar(select(LinkKey.secret).where(LinkKey.id == key_id))
    if secret is None:
        return None
    right = Tokens(key_id, secret, purpose).of(delivery_id)
    return delivery_id if compare_digest(_digits(purpose, right), found[0]) else None


def _digits(purpose: TokenPurpose, text: str) -> str:
    text = text[: len(NO_TOKEN) + 1].lower()
    return text.translate(_AS_HEX) if purpose is TokenPurpose.BOUNCE else text


def key_of(session: Session, started_at: datetime) -> LinkKey:
    """The key of a broadcast that started then: one and the same for as long as it sends, so that a repeated mail has the same bytes."""
    usable = LinkKey.made_at <= started_at - IN_FORCE_AFTER
    newest = session.scalar(select(LinkKey).where(usable).order_by(LinkKey.id.desc()).limit(1))
    return newest or session.scalars(select(LinkKey).order_by(LinkKey.id).limit(1)).one()


def change_key(session: Session, now: datetime) -> LinkKey:
    """Make a new key for what starts a minute from now. Those before it make no tokens for later broadcasts, and theirs stay good."""
    session.execute(update(LinkKey).where(LinkKey.retired_at.is_(None)).values(retired_at=now))
    last = session.scalar(select(func.max(LinkKey.id))) or 0
    key = LinkKey(id=last + 1, secret=secrets.token_hex(32), made_at=now)
    session.add(key)
    session.flush()
    return key
