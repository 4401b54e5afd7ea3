from flask import Blueprint

bp = Blueprint("content", __name__, url_prefix="/mass-mail/<int:broadcast_id>/content")
