from flask import Blueprint

bp = Blueprint("deliveries", __name__, url_prefix="/mass-mail/<int:broadcast_id>/deliveries")
