"""One round of notices: look for news, and carry out what is to leave. Workers make it, and the web server where there is no worker."""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from webapp.adapters import clock, database, notice_mail, webhooks
from webapp.adapters.database import will_write
from webapp.adapters.smtp.flask_front import RelayMail
from webapp.core.cadence import NOTICE_ROUND
from webapp.core.notices import facts, looking, outbox
from webapp.core.notices.outbox import Answer, Errand
from webapp.core.rules.notices import Channel, payload
from webapp.core.settings import from_addresses

Carry = Callable[[Errand], Answer]
log = logging.getLogger(__name__)


def look(engine: Engine, relay_key: str, ask_after: timedelta | None) -> bool:
    """Write what is news of broadcasts, workers and the relay with that key; a start is missed when it is `ask_after` late (None: never).
    Returns whether something is to leave now."""
    with Session(engine) as session:
        will_write(session)
        now = clock.now()
        site = facts.of_the_site(session, now, relay_key=relay_key, ask_after=ask_after, seen_now=database.now(session))
        looking.look(
            session,
            now,
            relay_waiting_since=site.relay_waiting_since,
            no_worker_since=site.no_worker_since,
            missed_starts=site.missed_starts,
        )
        session.commit()
        return outbox.is_waited_for(session, now)


def work_off(engine: Engine, carry: Carry, must_stop: Callable[[], bool] = lambda: False) -> int:
    """Carry out what is due, one after the other, nothing of the database held meanwhile. Returns how many attempts were made."""
    began, made = clock.now(), 0
    with Session(engine) as session:
        while clock.now() - began < NOTICE_ROUND and not must_stop():
            will_write(session)
            errand = outbox.take(session, clock.now())
            session.commit()
            if errand is None:
                break
            try:
                answer = carry(errand)
            except Exception as error:
                log.exception("the notice %s cannot leave by %s", errand.notice_id, errand.channel)
                answer = Answer(False, f"An unexpected error: {type(error).__name__}")
            will_write(session)
            outbox.settle(session, errand, answer, clock.now())
            session.commit()
            made += 1
            about = {"notice": errand.notice_id, "channel": errand.channel.value, "kind": errand.kind.value}
            came = "sent" if answer.is_done else "not taken"
            log.info("notice %s by %s: %s", errand.notice_id, errand.channel, came, extra={**about, "event": "notice"})
    return made


CARRIED_BY = ("PUBLIC_URL", "MAIL_DEFAULT_SENDER", "WEBHOOK_INSIDE")
"""The settings that `carrier` takes, in its order."""


def carrier(engine: Engine, mail: RelayMail, public_url: str, sender: str, inside: bool = False) -> Carry:
    """How mails and calls leave; `sender` is MAIL_DEFAULT_SENDER, in place of which the default of the list stands. `inside`: webhooks of
    this machine may be called. Use it inside the app's context."""
    if not sender:
        with Session(engine) as session:
            sender = from_addresses.default(session)

    def carry(errand: Errand) -> Answer:
        if errand.channel is Channel.MAIL:
            return notice_mail.send(mail, sender, errand, public_url)
        told = payload(errand.kind, errand.facts, errand.happened_at, public_url)
        return webhooks.call(errand.url, errand.secrets, webhook_id(errand), told, clock.now(), inside=inside)

    return carry


def webhook_id(errand: Errand) -> str:
    """The same for each attempt at a notice, and no other's, also where a database was begun anew."""
    return f"notice_{errand.notice_id}_{_seconds(errand.written_at)}"


def _seconds(at: datetime) -> int:
    return int(at.timestamp())
