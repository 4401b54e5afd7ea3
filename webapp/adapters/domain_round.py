"""One round of looking at domains that mails come from: DNS is asked with nothing of the database held meanwhile."""

from collections.abc import Callable
from datetime import datetime

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from webapp.adapters import clock
from webapp.adapters.database import will_write
from webapp.core.domains import checks, keys
from webapp.core.ports import Resolver
from webapp.core.rules.sender_domains.judgements import judge_domain, keys_shown

NewResolver = Callable[[], Resolver]
"""A resolver for one look at one domain, with its own bounds."""


def is_due(engine: Engine, now: datetime) -> bool:
    """Whether it is time to look at a domain, or to retire a key."""
    with Session(engine) as session:
        return bool(checks.due(session, now)) or keys.is_one_over(session, now)


def work_off(
    engine: Engine, new_resolver: NewResolver, bounces_to: str, must_stop: Callable[[], bool] = lambda: False
) -> None:
    """Look at the domains that it is time to look at, and retire keys whose time is over. `bounces_to`: the address of all return
    paths, "" where they are the senders' own."""
    with Session(engine) as session:
        will_write(session)
        keys.retire(session, clock.now())
        session.commit()
        found = checks.due(session, clock.now())
    for domain in found:
        if must_stop():
            break
        look_at(engine, domain, new_resolver(), bounces_to)


def look_at(engine: Engine, domain: str, resolver: Resolver, bounces_to: str) -> None:
    """Look at a domain, keep what was found, and have keys of ours begin to sign that DNS shows."""
    with Session(engine) as session:
        will_write(session)
        checks.begin(session, domain, clock.now())
        sender = checks.sender_domain(session, domain, bounces_to)
        session.commit()
    found = judge_domain(resolver.look_up, sender)
    shown = keys_shown(resolver.look_up, sender)
    with Session(engine) as session:
        will_write(session)
        checks.record(session, domain, found, clock.now())
        keys.seen(session, domain, shown, clock.now())
        session.commit()
