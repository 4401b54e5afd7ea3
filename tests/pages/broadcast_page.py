"""Broadcasts for tests of their pages."""

import re
from collections.abc import Callable
from datetime import timedelta

from sqlalchemy.orm import Session

from tests import factories
from tests.pages.page import read
from webapp.adapters.clock import now
from webapp.core.rules.lifecycle import BroadcastState
from webapp.core.tables.broadcasts import Broadcast

B = BroadcastState
HTMX = {"HX-Request": "true"}


def maker(session: Session) -> Callable[..., Broadcast]:
    """What makes a broadcast with deliveries: `make(B.SENDING, {D.ACCEPTED: 3})`. Commits."""

    def made(state=B.DRAFT, deliveries=None, **columns):
        if state in (B.SENDING, B.PAUSED, B.NEEDS_ATTENTION, B.FINISHED):
            columns = {"started_at": now() - timedelta(minutes=5), "frozen_at": now()} | columns
        if state in (B.FINISHED, B.CANCELLED):
            columns.setdefault("finished_at", now())
        if state is B.PAUSED:
            columns.setdefault("paused_at", now())
        frozen = sum((deliveries or {}).values())
        broadcast = factories.broadcast(session, state=state, frozen_count=frozen, **columns)
        for kind, count in (deliveries or {}).items():
            for _ in range(count):
                factories.delivery(session, broadcast, state=kind)
        session.commit()
        return broadcast

    return made


def part(page: str, id_: str) -> str:
    """The HTML of the element with this id."""
    return read(page).at(f"#{id_}").markup


def asked_next(page: str, address: str = "") -> str:
    """The address, with this in it, that the page will ask by itself."""
    found = {one["hx-get"] for one in read(page).all(f"*[@hx-get][contains(@hx-get, '{address}')]")}
    assert len(found) == 1, f"{sorted(found)} are asked"
    return found.pop()


def bare(html: str) -> str:
    """The markup without what differs between two renderings: white space, and the tokens of forms."""
    return re.sub(r"\s+", " ", re.sub(r'name="(csrf_token|press)" value="[^"]*"', "", html)).strip()


def now_in(session, broadcast) -> Broadcast:
    session.rollback()
    session.refresh(broadcast)
    return broadcast
