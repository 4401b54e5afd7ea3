from flask import Blueprint

bp = Blueprint("mail_catcher", __name__, url_prefix="/mail-catcher")


@bp.get("/")
def index():
    return ""
