from flask import Blueprint

bp = Blueprint("imports", __name__, url_prefix="/clients/import")


@bp.get("/")
def index():
    return ""
