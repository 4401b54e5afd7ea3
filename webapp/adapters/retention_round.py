"""One round of retention: remove what was kept for long enough, in small transactions, so that others hardly wait."""

from pathlib import Path

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from webapp.adapters import clock, uploads
from webapp.adapters.database import will_write
from webapp.core.broadcasts import forgetting
from webapp.core.cadence import RETENTION_ROUND_S
from webapp.core.consent import event_sources, list_runs
from webapp.core.events import keeping, uses
from webapp.core.imports import runs
from webapp.core.media import forgetting as media
from webapp.core.settings import retention

AT_ONCE = 500
"""So many mails are looked at in a transaction."""


def tidy(engine: Engine, instance: Path) -> None:
    """Remove uploads, refused rows, reports of lists, values of mails, files of no mail, received reports and single opens and clicks whose
    time is over. `instance` is where files lay before they were kept in the database."""
    began, now = clock.ticks(), clock.now()
    with Session(engine) as session:
        will_write(session)
        kept = retention.read(session)
        runs.forget_old(session, files_before=kept.uploads_before(now), issues_before=kept.values_before(now))
        list_runs.forget_files(session, kept.uploads_before(now))
        session.commit()
        uploads.tidy(engine, kept.uploads_before(now), instance, now)
        after: int | None = 0
        while after is not None and clock.ticks() - began < RETENTION_ROUND_S:
            will_write(session)
            after = forgetting.remove_some(session, kept, now, after, AT_ONCE)
            session.commit()
        seen: int | None = 0
        while seen is not None and clock.ticks() - began < RETENTION_ROUND_S:
            will_write(session)
            seen = media.forget_unused(session, now, seen, AT_ONCE)
            session.commit()
        for forget, at in (
            (keeping.forget_raw, now),
            (event_sources.forget_old, now),
            (uses.forget_old, now),
            (list_runs.forget_reports, kept.values_before(now)),
        ):
            left = AT_ONCE
            while left == AT_ONCE and clock.ticks() - began < RETENTION_ROUND_S:
                will_write(session)
                left = forget(session, at, AT_ONCE)
                session.commit()
