"""`flask broadcasts`: hold everything that would send, to take a back-up or to move, and let it go on."""

import time
from functools import partial
from pathlib import Path

import click
from flask import current_app
from flask.cli import with_appcontext

from webapp.adapters import clock, journal, wakeups
from webapp.adapters.database import will_write
from webapp.adapters.markers import Markers
from webapp.core import broadcasts, ledger
from webapp.core.errors import DomainError
from webapp.core.rules import titles
from webapp.core.sending import releasing
from webapp.core.settings import installation
from webapp.core.settings.installation import Hold
from webapp.core.tables.broadcasts import Broadcast
from webapp.extensions import db

LOOK_S = 0.5


@click.group("broadcasts")
def group() -> None:
    """Mass mails: hold all of them, and let them go on."""


@group.command()
@click.option("--all", "everything", is_flag=True, help="Needed: everything is held, or nothing.")
@click.option("--reason", default="", help="Why, in words that the console shows.")
@click.option(
    "--wait", default=60.0, show_default=True, help="Seconds to wait until no sending process is left; 0: do not wait."
)
@with_appcontext
def hold(everything: bool, reason: str, wait: float) -> None:
    """Hold everything: what sends stops within seconds, what is scheduled does not begin. States stay as they are.

    Exit code: 0 nothing sends any more, 1 a sending process is still there after the time to wait.
    """
    if not everything:
        raise click.UsageError("Say --all: everything is held. To stop a single mass mail, press Pause on its page.")
    will_write(db.session)
    installation.hold(db.session, "flask broadcasts hold", reason, clock.now())
    db.session.commit()
    click.echo("Everything is held. Let it go on with: flask --app wsgi broadcasts release --all")
    end = time.monotonic() + wait
    while (left := _sending()) and time.monotonic() < end:
        time.sleep(LOOK_S)
    if left and wait:
        click.echo(f"{left} sending {_processes(left)} not ended yet. Look again with: flask broadcasts held", err=True)
        raise click.exceptions.Exit(1)
    if not left:
        click.echo("No sending process is left.")


@group.command()
@with_appcontext
def held() -> None:
    """Say whether everything is held, why, and what would be sent otherwise."""
    hold = installation.hold_of(db.session)
    click.echo(_words(hold) if hold else "Nothing is held.")
    waiting = installation.would_send(db.session)
    for broadcast in waiting:
        _print(broadcast, hold)
    if not waiting:
        click.echo("No mass mail is sending or scheduled.")
    if left := _sending():
        click.echo(f"{left} sending {_processes(left)} not ended yet.")


@group.command()
@click.argument("ids", nargs=-1, type=int, metavar="[ID …]")
@click.option("--all", "everything", is_flag=True, help="Everything that is held.")
@with_appcontext
def release(ids: tuple[int, ...], everything: bool) -> None:
    """Let the mass mails with these IDs send again, or all. Look at each of a restored database first: flask broadcasts held."""
    if bool(ids) == everything:
        raise click.UsageError(
            "Name the mass mails by their IDs, or say --all. See which there are: flask broadcasts held"
        )
    redis = wakeups.connection()
    markers = Markers(_instance(), lambda: redis, current_app.config["REDIS_PREFIX"])
    marks = markers.read()
    find = partial(journal.find, _instance() / "journals")
    will_write(db.session)
    try:
        for broadcast_id in ids:
            broadcasts.get(db.session, broadcast_id)
        by = "flask broadcasts release"
        mark = releasing.release(db.session, None if everything else ids, marks, by, clock.reading(), find)
    except DomainError as error:
        db.session.rollback()
        raise click.ClickException(str(error)) from None
    going = [broadcast.id for broadcast in installation.would_send(db.session) if everything or broadcast.id in ids]
    db.session.commit()
    if mark is None:
        click.echo("Nothing is held.")
        return
    markers.write(mark)
    for broadcast_id in going:
        wakeups.wake(broadcast_id)
    click.echo(f"Released. {len(going)} mass {'mail goes' if len(going) == 1 else 'mails go'} on.")


def _words(hold: Hold) -> str:
    if not hold.is_restored:
        return f"Everything is held since {hold.at:%Y-%m-%d %H:%M} UTC ({hold.by}). {hold.reason}".rstrip()
    known = f"{hold.known_until:%Y-%m-%d %H:%M} UTC" if hold.known_until else "never"
    sent = f" until {hold.sent_until:%Y-%m-%d %H:%M} UTC" if hold.sent_until else ""
    return (
        "Everything is held: this database is older than what this installation has sent. It was restored from a back-up\n"
        f"whose last sending was {known}. Mails were sent after that{sent}, of which it does not know:\n"
        "they would be sent again. Look at each mass mail below; cancel in the console what must not go on; then release the others."
    )


def _print(broadcast: Broadcast, hold: Hold | None) -> None:
    counts = ledger.counts(db.session, broadcast.id)
    waiting = sum(number for state, number in counts.items() if state in ("pending", "deferred", "held", "claimed"))
    number = f"{waiting:,} waiting" if broadcast.frozen_at else "not begun"
    state = "released" if hold and broadcast.id in hold.released else broadcast.state.label
    click.echo(f"  {broadcast.id}\t{state}\t{number}\t{titles.title(broadcast.name, broadcast.content.subject)}")


def _sending() -> int:
    db.session.rollback()
    return ledger.in_force(db.session, None, clock.now())


def _processes(count: int) -> str:
    return "process has" if count == 1 else "processes have"


def _instance() -> Path:
    return Path(current_app.config["INSTANCE"])
