"""Sample data at the press of a button, for a demo that was begun without clients. Only where every mail is caught: this is registered
in a demo alone, and looks again itself."""

from flask import Blueprint, current_app, flash, redirect, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from webapp.adapters.database import writes_from_here
from webapp.core.errors import Conflict, NotFound
from webapp.core.tables.clients import Client
from webapp.demo.data import seed_clients
from webapp.extensions import db

bp = Blueprint("sample_clients", __name__, url_prefix="/sample-clients")

CLIENTS = 5000


@bp.post("/")
def make() -> ResponseReturnValue:
    """Make up clients where there are none at all."""
    if not current_app.config["MAIL_CATCHER_DIR"]:
        raise NotFound("Sample data is for a demo: the mails of this console leave.")
    writes_from_here(db.session)
    if db.session.scalar(select(Client.id).limit(1)) is not None:
        raise Conflict("There are clients already. Sample data is for an empty console.")
    seed_clients(db.session, CLIENTS)
    db.session.commit()
    flash(f"{CLIENTS:,} clients are made up. Look around.", "ok")
    return redirect(url_for("home"))
