"""`flask bounces`: what takes the mails that come back, as services of their own or once for a timer."""

import asyncio
import signal
import socket
import threading
from pathlib import Path

import click
from flask import current_app
from flask.cli import with_appcontext
from imapclient.exceptions import IMAPClientError  # type: ignore[import-untyped]
from sqlalchemy.exc import SQLAlchemyError

from webapp.adapters.bounces import maildir as maildir_reader
from webapp.adapters.bounces.imap import ImapMailbox, ImapReader
from webapp.adapters.bounces.listener import BounceListener
from webapp.adapters.bounces.taking import BounceTaker
from webapp.core.consent import tokens
from webapp.core.consent.tokens import TokenPurpose
from webapp.core.rules.bounces import ReturnPath
from webapp.extensions import db

LOOK_S = 5.0
"""Between two looks into a Maildir."""
AGAIN_S = (5.0, 15.0, 60.0, 300.0)
"""Waits before a mailbox that failed is tried again."""


@click.group("bounces")
def group() -> None:
    """Mails that come back: bounces, complaints, answers of programs."""


@group.command()
@click.option("--fd", type=int, help="Serve on this listening socket, which was opened before.")
@with_appcontext
def listen(fd: int | None) -> None:
    """Serve LMTP or SMTP for our bounce addresses, at MASSMAIL_BOUNCE_LISTEN (lmtp://127.0.0.1:2424)."""
    if not current_app.config["BOUNCE_ADDRESS"]:
        raise click.ClickException("Set MASSMAIL_BOUNCE_ADDRESS: without it there is no address to listen for.")
    kind, _, place = current_app.config["BOUNCE_LISTEN"].partition("://")
    host, _, port = place.rpartition(":")
    try:
        bound = socket.create_server((host.strip("[]"), int(port))) if fd is None else socket.socket(fileno=fd)
    except OSError as error:
        raise click.ClickException(f"MASSMAIL_BOUNCE_LISTEN: cannot listen at {place}: {error.strerror}.") from None
    listener = BounceListener(_taker(), is_lmtp=kind == "lmtp")
    click.echo(f"Bounces are taken at {kind}://{':'.join(str(part) for part in bound.getsockname()[:2])}.")
    asyncio.run(_until_asked_to_end(listener, bound))


@group.command()
@click.option("--folder", type=click.Path(path_type=Path), help="Instead of MASSMAIL_BOUNCE_MAILDIR.")
@click.option("--once", is_flag=True, help="Read what is new, and end.")
@with_appcontext
def maildir(folder: Path | None, once: bool) -> None:
    """Read a Maildir to which another mail server delivers bounces."""
    named = folder or (Path(current_app.config["BOUNCE_MAILDIR"]) if current_app.config["BOUNCE_MAILDIR"] else None)
    if named is None:
        raise click.ClickException("Name the Maildir: --folder or MASSMAIL_BOUNCE_MAILDIR.")
    taker, end = _taker(), _asked_to_end()
    while True:
        try:
            taken = maildir_reader.read_new(taker, named)
        except OSError as error:
            raise click.ClickException(f"{named} cannot be read as a Maildir: {error.strerror}.") from None
        except SQLAlchemyError:
            if once:
                raise
            click.echo("The database is away; what is new stays new.", err=True)
            taken = 0
        if once:
            click.echo(f"{taken} taken.")
        if once or end.wait(LOOK_S):
            return


@group.command()
@click.option("--once", is_flag=True, help="Read what is new, and end.")
@click.option("--delete", is_flag=True, help="Delete each mail from the mailbox once it is recorded.")
@with_appcontext
def imap(once: bool, delete: bool) -> None:
    """Read the mailbox MASSMAIL_BOUNCE_IMAP: only what is new. Nothing in it is changed, unless --delete is given."""
    url = current_app.config["BOUNCE_IMAP"]
    if not url:
        raise click.ClickException("Set MASSMAIL_BOUNCE_IMAP: imaps://user:password@mail.example.com/INBOX.")
    taker, end, failures = _taker(), _asked_to_end(), 0
    while True:
        try:
            with ImapReader(ImapMailbox.of(url), taker, db.engine, deletes=delete) as mailbox:
                while not end.is_set():
                    taken = mailbox.read_new()
                    failures = 0
                    if once:
                        click.echo(f"{taken} taken.")
                        return
                    mailbox.wait(end.is_set, end.wait)
                return
        except (OSError, IMAPClientError, SQLAlchemyError) as error:
            if once:
                raise click.ClickException(f"The mailbox cannot be read: {error}") from None
            click.echo(f"The mailbox cannot be read: {error}", err=True)
        if end.wait(AGAIN_S[min(failures, len(AGAIN_S) - 1)]):
            return
        failures += 1


def _taker() -> BounceTaker:
    return BounceTaker(
        db.engine,
        ReturnPath.of_setting(current_app.config["BOUNCE_ADDRESS"]),
        lambda session, token: tokens.delivery_of(session, TokenPurpose.BOUNCE, token),
    )


def _asked_to_end() -> threading.Event:
    """Set when this process is asked to end."""
    asked = threading.Event()
    for sign in (signal.SIGTERM, signal.SIGINT):
        signal.signal(sign, lambda *_: asked.set())
    return asked


async def _until_asked_to_end(listener: BounceListener, bound: socket.socket) -> None:
    asked = asyncio.Event()
    for sign in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(sign, asked.set)
    await listener.serve(bound, asked)
