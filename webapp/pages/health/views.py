"""A plain answer for load balancers and supervisors: does this process reach its database?"""

from flask import Blueprint
from sqlalchemy import text

from webapp.extensions import db

bp = Blueprint("health", __name__, url_prefix="/health")


@bp.get("/")
def index():
    """200 {"database": "ok"}; 503 when the database cannot be used, as on any page."""
    db.session.execute(text("SELECT 1"))
    return {"database": "ok"}
