"""One mail that came back into the database, whichever way it came."""

import logging
from collections.abc import Callable, Sequence
from datetime import datetime

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from webapp.adapters import clock
from webapp.adapters.database import will_write
from webapp.core.events import Recorded, mails
from webapp.core.rules.bounces import ReturnPath

log = logging.getLogger(__name__)

DeliveryOf = Callable[[Session, str], int | None]
"""From the token in a return path to the delivery that it names."""


class BounceTaker:
    """Takes mails that came back. Threads may share it.

    `return_path` is what our return paths look like, None where they bear no token.
    """

    def __init__(
        self,
        engine: Engine,
        return_path: ReturnPath | None,
        delivery_of: DeliveryOf,
        now: Callable[[], datetime] = clock.now,
    ):
        self._engine, self._return_path, self._delivery_of, self._now = engine, return_path, delivery_of, now

    def is_ours(self, address: str) -> bool:
        """Whether mail to this address is for us: a return path that we made, or the plain address that complaints may come to. Raises
        SQLAlchemy's errors when the database cannot be asked."""
        if self._return_path is None:
            return False
        if address.strip("<> ").lower() == self._return_path.plain.lower():
            return True
        token = self._return_path.token_in(address)
        if token is None:
            return False
        with Session(self._engine) as session:
            return self._delivery_of(session, token) is not None

    def take(self, raw: bytes, recipients: Sequence[str] = ()) -> Recorded:
        """Record what a mail says; it is committed when this returns. Raises SQLAlchemy's errors when that cannot be done."""
        with Session(self._engine) as session:
            made = self.record(session, raw, recipients)
            session.commit()
        return made

    def record(self, session: Session, raw: bytes, recipients: Sequence[str] = ()) -> Recorded:
        """The same in a transaction that the caller commits."""
        will_write(session)
        made = mails.take(
            session,
            raw,
            self._now(),
            recipients=recipients,
            return_path=self._return_path,
            token_reader=lambda token: self._delivery_of(session, token),
        )
        if made.is_new:
            about = {"event": "came_back", "delivery": made.delivery_id, "kind": made.kind and made.kind.value}
            log.info("a mail came back: %s", made.kind, extra=about | {"suppressed": made.is_suppressed})
        return made
