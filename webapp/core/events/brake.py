"""The brake: a broadcast of which too much comes back, or is complained about, is paused before the receivers stop believing its sender."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from webapp.core import broadcasts, ledger
from webapp.core.broadcasts import reported
from webapp.core.rules.lifecycle import BroadcastState, DeliveryState
from webapp.core.rules.relay_event import Fact
from webapp.core.tables.broadcasts import Broadcast
from webapp.core.tables.consent import ConsentSettings
from webapp.core.tables.events import Brake

AT_LEAST = 1_000
"""Mails that the shares are taken of, also while fewer have left: the first few that come back say little."""


def look(session: Session, broadcast_id: int, now: datetime) -> bool:
    """Pause a broadcast that is sending if the share of what came back is over what the settings allow. Once for each broadcast: whoever
    resumes it has decided. True when this call paused it."""
    state = session.scalar(select(Broadcast.state).where(Broadcast.id == broadcast_id))
    if state is not BroadcastState.SENDING or session.get(Brake, broadcast_id) is not None:
        return False
    counts = reported.counts_of(session, broadcast_id)
    settings = session.execute(
        select(ConsentSettings.brake_bounced_percent, ConsentSettings.brake_complained_percent)
    ).one()
    accepted = ledger.counts(session, broadcast_id).get(DeliveryState.ACCEPTED, 0)
    words = too_much(accepted, counts.get(Fact.BOUNCED, 0), counts.get(Fact.COMPLAINED, 0), *settings)
    if words is None or not broadcasts.stop(session, broadcast_id, words, now):
        return False
    session.add(Brake(broadcast_id=broadcast_id, at=now, words=words))
    session.flush()
    return True


def too_much(
    accepted: int, bounced: int, complained: int, bounced_percent: float, complained_percent: float
) -> str | None:
    """Why a broadcast is to be paused, as whole sentences; None where it is not. A share of 0 % never pauses.

    >>> too_much(1_000, 20, 0, 2.0, 0.1)
    >>> too_much(1_000, 21, 0, 2.0, 0.1)
    '21 of 1,000 mails came back, which is more than 2 %. Look at why before you resume it.'
    """
    of = max(accepted, AT_LEAST)
    mails = f"{accepted:,} mails" if accepted >= AT_LEAST else f"the first {AT_LEAST:,} mails"
    if bounced_percent > 0 and bounced * 100 > bounced_percent * of:
        return f"{bounced:,} of {mails} came back, which is more than {bounced_percent:g} %. Look at why before you resume it."
    if complained_percent > 0 and complained * 100 > complained_percent * of:
        who = "recipient" if complained == 1 else "recipients"
        return (
            f"{complained:,} {who} of {mails} complained, which is more than {complained_percent:g} %. "
            "Look at why before you resume it."
        )
    return None
