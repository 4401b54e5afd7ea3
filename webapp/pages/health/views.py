"""A plain answer for load balancers and supervisors: does this process reach its database?"""

from flask import Blueprint
from sqlalchemy import text

from webapp.core import installation
from webapp.extensions import db

bp = Blueprint("health", __name__, url_prefix="/health")


@bp.get("/")
def index():
    """200 {"database": "ok"}, with "held" ("restored" or "by_hand") while everything is held; 503 when the database cannot be used, as on
    any page."""
    db.session.execute(text("SELECT 1"))
    hold = installation.hold_of(db.session)
    return {"database": "ok"} | ({"held": hold.kind.value} if hold else {})
