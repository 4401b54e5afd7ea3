"""`flask links`: the key by which the links in mails are made."""

import click
from flask.cli import with_appcontext

from webapp.adapters.clock import now
from webapp.adapters.database import will_write
from webapp.core.consent import tokens
from webapp.extensions import db


@click.group("links")
def group() -> None:
    """The links that each mail has for itself: to decline, to choose, to read it in the browser."""


@group.command("new-key")
@with_appcontext
def new_key() -> None:
    """Make links with a new key. Those of mails that were sent, and of mass mails that have begun, stay good."""
    will_write(db.session)
    key = tokens.change_key(db.session, now())
    db.session.commit()
    click.echo(f"Key {key.id}: mass mails that start a minute from now make their links with it.")
