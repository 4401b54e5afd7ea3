"""Release what is held, when a person says so, after settling what must be settled first. `core/settings/installation.py` says why there is
a hold."""

from collections.abc import Callable, Collection, Iterable
from dataclasses import replace

from sqlalchemy.orm import Session

from webapp.core import ledger
from webapp.core.errors import Conflict
from webapp.core.ports import JournalFinding
from webapp.core.rules.pacing import Reading
from webapp.core.settings import installation
from webapp.core.settings.installation import HighWaterMark


def release(
    session: Session,
    broadcast_ids: Collection[int] | None,
    marks: Iterable[HighWaterMark],
    by: str,
    reading: Reading,
    find_journal: Callable[[str], JournalFinding],
) -> HighWaterMark | None:
    """Let these broadcasts send again, or all (None). Returns the mark to write to the markers after the commit; None when nothing was
    held.

    The first release of a restored database settles its claimed mails: a reply in a journal is the outcome, all else is uncertain. Raises
    Conflict while a lease is in force, whose process is just ending; then roll back.
    """
    if installation.is_unsettled(session, lock=True):
        _settle_claims(session, reading, find_journal)
    return installation.let_go(session, broadcast_ids, marks, by, reading.wall)


def _settle_claims(session: Session, reading: Reading, find_journal: Callable[[str], JournalFinding]) -> None:
    if ledger.in_force(session, None, reading.wall):
        raise Conflict(
            "A lease of a sending process is still in force. Stop the workers, wait 20 seconds, and release it then."
        )
    for sender in ledger.open_senders(session):
        # No journal is taken for whole: it may have been written after the back-up was made.
        ledger.recover(session, sender, replace(find_journal(sender.journal), boot=None), reading)
