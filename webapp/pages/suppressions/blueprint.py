"""The blueprint of Clients, Suppressions, and what its files share."""

from flask import Blueprint
from flask_login import current_user

bp = Blueprint("suppressions", __name__, url_prefix="/clients/suppressions")

SOURCE = "console"


def who() -> str:
    """The user of this request, as the history names them."""
    return str(current_user.email)
