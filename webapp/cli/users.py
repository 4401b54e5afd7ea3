"""`flask users`: accounts of the console, for the first sign-in and for emergencies."""

import click
from flask import current_app, url_for
from flask.cli import with_appcontext

from webapp.adapters import account_mail, demo_lock
from webapp.adapters.clock import now
from webapp.adapters.database import will_write
from webapp.cli import schema
from webapp.core import users
from webapp.core.errors import DomainError
from webapp.core.settings import from_addresses
from webapp.extensions import db, mail


@click.group("users")
@with_appcontext
def group() -> None:
    """Accounts of the console."""
    schema.demand()


@group.command()
@click.argument("email")
@click.option("--name", default="", help="How the user is shown.")
@click.option("--time-zone", default="UTC", show_default=True)
@click.option("--password", help="Asked for when left out.")
@with_appcontext
def create(email: str, name: str, time_zone: str, password: str | None) -> None:
    """Create a user who may sign in."""
    password = password or click.prompt("Password", hide_input=True, confirmation_prompt=True)
    will_write(db.session)
    try:
        user = users.create(db.session, email, password, now(), name=name, time_zone=time_zone)
    except DomainError as error:
        raise click.ClickException(str(error)) from None
    db.session.commit()
    click.echo(f"Created {user.email}.")


@group.command()
@click.argument("email")
@with_appcontext
def link(email: str) -> None:
    """Print a link that signs the user in, once, within half an hour. Older links of theirs end, and they are told by mail."""
    will_write(db.session)
    try:
        user = users.by_email(db.session, email)
        token = users.make_link(db.session, user.id, now())
    except DomainError as error:
        raise click.ClickException(str(error)) from None
    to, is_new, sender = user.email, user.used_at is None, from_addresses.default(db.session)
    db.session.commit()
    base = demo_lock.announced(current_app.config["INSTANCE"]) or current_app.config["PUBLIC_URL"]
    with current_app.test_request_context():
        click.echo(f"{base}{url_for('sign_in.link')}#{token}")
    sender = current_app.config["MAIL_DEFAULT_SENDER"] or sender
    told = account_mail.link_was_made(mail, sender, to, "somebody at the command line of its server", now())
    if not told.is_done and not is_new:
        click.echo(f"{to} could not be told by mail. {told.words}", err=True)


@group.command()
@click.argument("email")
@with_appcontext
def unlock(email: str) -> None:
    """Let a user in again who was locked, or who waits because of too many attempts."""
    will_write(db.session)
    try:
        user = users.by_email(db.session, email)
    except DomainError as error:
        raise click.ClickException(str(error)) from None
    users.set_active(db.session, user.id, True)
    users.unlock(db.session, user)
    db.session.commit()
    click.echo(f"{user.email} can sign in again.")


@group.command("list")
@with_appcontext
def list_() -> None:
    """List all users."""
    for user in users.listing(db.session):
        click.echo(f"{user.email}\t{user.name}\t{'active' if user.is_active else 'locked'}")
