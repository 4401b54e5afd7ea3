"""No command works on tables that are not those the program was written for."""

import click
from flask import current_app


def demand() -> None:
    """End the command with one line that says what to do, unless the tables are right. Inside the app's context."""
    problem = current_app.extensions["massmail-schema"].problem()
    if problem is not None:
        raise click.ClickException(f"{problem}.")
