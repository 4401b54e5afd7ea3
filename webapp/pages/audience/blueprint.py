from flask import Blueprint

bp = Blueprint("audience", __name__, url_prefix="/mass-mail/<int:broadcast_id>/audience")
