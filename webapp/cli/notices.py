"""`flask notices`: the round that workers and web server make, for a timer of the system that shall not depend on either."""

import click
from flask import current_app
from flask.cli import with_appcontext

from webapp.adapters import notice_round
from webapp.extensions import db, mail


@click.group("notices")
def group() -> None:
    """What happens by itself, and who hears of it."""


@group.command()
@with_appcontext
def send() -> None:
    """Look for news, and send what is due by mail and webhook."""
    notice_round.look(db.engine, current_app.config["RELAY"].key, current_app.config["MISSED_START"])
    settings = [current_app.config[name] for name in notice_round.CARRIED_BY]
    made = notice_round.work_off(db.engine, notice_round.carrier(db.engine, mail, *settings))
    click.echo(f"{made} sent or tried.")
