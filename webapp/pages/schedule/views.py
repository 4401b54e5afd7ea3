from flask import Blueprint

bp = Blueprint("schedule", __name__, url_prefix="/mass-mail/<int:broadcast_id>/schedule")
